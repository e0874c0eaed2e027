/** Finds the resting order that a cancel or an amend names: by order id or client id, own orders only. */
import { BY_ORDER_ID } from '#protocol/operation.ts';
import type { ExchangeState } from '#state/exchange-state.ts';

/** Slot of the order, -1 when the account has no such order in the market. */
export function findOwnOrder(
  state: ExchangeState,
  name: { account: number; market: number; by: number; id: number },
): number {
  const { orders } = state;
  if (name.id === 0) return -1;
  if (name.by !== BY_ORDER_ID) return state.clientIds.find(name.account, name.market, name.id);
  const slot = orders.find(name.id);
  if (slot < 0 || orders.account(slot) !== name.account || orders.market(slot) !== name.market) return -1;
  return slot;
}
