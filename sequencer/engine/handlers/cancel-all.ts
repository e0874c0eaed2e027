/** CANCEL_ALL: every order of the account, in one market or in all. */
import { RemoveReason } from '#protocol/event.ts';
import { Reject } from '#protocol/reject.ts';
import { StepKind } from '#state/trace.ts';
import { type Core, finishOperation } from '../core.ts';
import { openWalk, runWalk } from './walk.ts';

export function cancelAll(core: Core, view: DataView, at: number): void {
  const { state } = core;
  core.step(StepKind.CANCEL_ALL);
  const market = view.getUint8(at + 1) === 1 ? -1 : view.getUint16(at + 2, true);
  if (market >= 0 && state.market(market) === undefined) {
    finishOperation(core, { code: Reject.UNKNOWN_MARKET });
    return;
  }
  const { account } = state.message;
  openWalk(core, { account, market, reason: RemoveReason.CANCELED_ALL, ofMessage: true });
  const canceled = runWalk(core);
  finishOperation(core, { code: Reject.NONE, canceled });
}
