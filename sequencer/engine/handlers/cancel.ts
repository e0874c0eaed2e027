/** CANCEL: one resting order, by order id or client id. */
import { getU64 } from '#protocol/bytes.ts';
import { RemoveReason } from '#protocol/event.ts';
import { Reject } from '#protocol/reject.ts';
import { StepKind } from '#state/trace.ts';
import { cancelResting } from '../book/resting.ts';
import { type Core, finishOperation } from '../core.ts';
import { findOwnOrder } from './find-order.ts';

export function cancel(core: Core, view: DataView, at: number): void {
  const { state } = core;
  core.step(StepKind.CANCEL);
  const market = view.getUint16(at + 2, true);
  if (state.market(market) === undefined) {
    finishOperation(core, { code: Reject.UNKNOWN_MARKET });
    return;
  }
  const slot = findOwnOrder(state, {
    account: state.message.account,
    market,
    by: view.getUint8(at + 1),
    id: getU64(view, at + 8),
  });
  if (slot < 0) {
    finishOperation(core, { code: Reject.UNKNOWN_ORDER });
    return;
  }
  const orderId = state.orders.id(slot);
  const clientId = state.orders.clientId(slot);
  cancelResting(core, slot, RemoveReason.CANCELED);
  finishOperation(core, { code: Reject.NONE, orderId, clientId, canceled: 1 });
}
