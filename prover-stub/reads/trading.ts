/** What the steps of orders look at: PLACE, MATCH, REST, AMEND, CANCEL, CANCEL_ALL, WALK. */
import { getU64, viewOf } from '#protocol/bytes.ts';
import { DEPTH_LEVELS_MAX } from '#protocol/limits.ts';
import { POST_ONLY_BIT, REDUCE_ONLY_BIT, sideOfFlags, timeInForceOfFlags } from '#protocol/operation.ts';
import { FOK, IOC } from '#protocol/units.ts';
import * as keys from '#state/keys.ts';
import {
  firstOrderOf,
  margins,
  market,
  namedOrder,
  restingOrder,
  SIDE_BITS,
  type StepContext,
  type StepReads,
  sideLevels,
  sideOrders,
} from './collector.ts';

export function placeReads(reads: StepReads, { state, record }: StepContext, at: number): void {
  const view = viewOf(record);
  const { account } = state.message;
  const flags = view.getUint8(at + 1);
  const id = view.getUint16(at + 2, true);
  const clientId = getU64(view, at + 16);
  const opposite = 1 - sideOfFlags(flags);
  reads.leaf(keys.accountKey(account), keys.countersKey(), keys.registerKey(keys.REGISTER_INCOMING));
  market(reads, id);
  if ((flags & REDUCE_ONLY_BIT) === 0) margins(reads, state, account);
  if (clientId !== 0) reads.leaf(keys.clientIndexKey(account, id, clientId));
  if ((flags & POST_ONLY_BIT) !== 0) reads.range(sideOrders(id, opposite), SIDE_BITS, 1);
  if (timeInForceOfFlags(flags) === FOK) reads.range(sideLevels(id, opposite), SIDE_BITS, DEPTH_LEVELS_MAX);
}

export function matchReads(reads: StepReads, { state }: StepContext): void {
  const { incoming, orders } = state;
  const opposite = 1 - (incoming.flags & 1);
  const maker = state.markets[incoming.market]!.book(opposite).bestOrder();
  reads.leaf(keys.accountKey(incoming.account), keys.countersKey(), keys.registerKey(keys.REGISTER_INCOMING));
  market(reads, incoming.market);
  reads.range(sideOrders(incoming.market, opposite), SIDE_BITS, 1);
  restingOrder(reads, state, maker);
  if (state.accounts.haveSameOwner(orders.account(maker), incoming.account)) return;
  margins(reads, state, orders.account(maker));
  if (incoming.reducing || incoming.liquidation) margins(reads, state, incoming.account);
  if (incoming.liquidation) reads.leaf(keys.fundKey(state.accounts.riskPool[incoming.account]!));
}

export function restReads(reads: StepReads, { state }: StepContext): void {
  const { incoming } = state;
  const { account, market: id, orderId, clientId, expiry } = incoming;
  const side = incoming.flags & 1;
  const timeInForce = timeInForceOfFlags(incoming.flags);
  reads.leaf(keys.registerKey(keys.REGISTER_INCOMING));
  if (incoming.remaining === 0 || timeInForce === IOC || timeInForce === FOK) return;
  reads.leaf(
    keys.accountKey(account),
    keys.marketConfigKey(id),
    keys.pricesKey(id),
    keys.orderKey(id, side, incoming.price, incoming.priority),
    keys.levelKey(id, side, incoming.price),
    keys.orderIndexKey(account, id, orderId),
  );
  if (clientId !== 0) reads.leaf(keys.clientIndexKey(account, id, clientId));
  if (expiry !== 0) reads.leaf(keys.expiryKey(expiry, keys.EXPIRY_ORDER, orderId));
}

export function amendReads(reads: StepReads, { state, record }: StepContext, at: number): void {
  const view = viewOf(record);
  const { account } = state.message;
  const id = view.getUint16(at + 2, true);
  reads.leaf(keys.accountKey(account), keys.countersKey(), keys.registerKey(keys.REGISTER_INCOMING));
  market(reads, id);
  const name = { account, market: id, by: view.getUint8(at + 1), id: getU64(view, at + 16) };
  const slot = namedOrder(reads, state, name);
  if (slot >= 0 && (state.orders.flags(slot) & REDUCE_ONLY_BIT) === 0) margins(reads, state, account);
  if (slot >= 0 && (state.orders.flags(slot) & POST_ONLY_BIT) !== 0)
    reads.range(sideOrders(id, 1 - state.orders.side(slot)), SIDE_BITS, 1);
}

export function cancelReads(reads: StepReads, { state, record }: StepContext, at: number): void {
  const view = viewOf(record);
  const { account } = state.message;
  const id = view.getUint16(at + 2, true);
  reads.leaf(keys.accountKey(account), keys.marketConfigKey(id));
  namedOrder(reads, state, { account, market: id, by: view.getUint8(at + 1), id: getU64(view, at + 8) });
}

export function cancelAllReads(reads: StepReads, { record }: StepContext, at: number): void {
  const view = viewOf(record);
  reads.leaf(keys.registerKey(keys.REGISTER_WALK));
  if (view.getUint8(at + 1) !== 1) reads.leaf(keys.marketConfigKey(view.getUint16(at + 2, true)));
}

export function walkReads(reads: StepReads, { state }: StepContext): void {
  const { walk, accounts, positions } = state;
  reads.leaf(keys.accountKey(walk.account), keys.registerKey(keys.REGISTER_WALK));
  firstOrderOf(reads, walk.account, walk.market);
  for (let slot = accounts.firstPosition[walk.account]!; slot >= 0; slot = positions.next(slot)) {
    if (walk.market >= 0 && positions.market(slot) !== walk.market) continue;
    if (positions.ownHead(slot) < 0) continue;
    restingOrder(reads, state, positions.ownHead(slot));
    return;
  }
}
