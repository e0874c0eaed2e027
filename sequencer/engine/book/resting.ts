/** Orders coming to rest and leaving: book, indexes, open-order totals and traces change together. */
import { EventKind, ORDER_REDUCED, ORDER_REMOVED, ORDER_RESTED } from '#protocol/event.ts';
import { REDUCE_ONLY_BIT } from '#protocol/operation.ts';
import { EXPIRY_ORDER } from '#state/keys.ts';
import type { IncomingRegister } from '#state/registers.ts';
import type { Core } from '../core.ts';

/** The incoming order's rest goes to the back of its price level. */
export function restOrder(core: Core, incoming: IncomingRegister): void {
  const { state, trace, events } = core;
  const { orders, positions } = state;
  const { account, market: marketId, flags, price, remaining, orderId, clientId, expiry } = incoming;
  const side = flags & 1;
  const market = state.markets[marketId]!;
  const slot = orders.allocate(orderId);
  orders.setPriority(slot, incoming.priority);
  orders.setSize(slot, remaining);
  orders.setClientId(slot, clientId);
  orders.setExpiry(slot, expiry);
  orders.setAccount(slot, account);
  orders.setPrice(slot, price);
  orders.setMarketAndFlags(slot, marketId, flags);
  market.book(side).append(slot);
  if (clientId !== 0) state.clientIds.add(slot);

  const position = state.ensurePosition(account, marketId);
  linkOwn(core, position, slot, orderId);
  if ((flags & REDUCE_ONLY_BIT) !== 0) positions.addReduceOnly(position, remaining);
  else positions.addOpen(position, side, remaining, remaining * market.lotValue(price));
  state.accounts.openOrders[account] = state.accounts.openOrders[account]! + 1;
  if (expiry !== 0) {
    state.expiries.push({ time: expiry, kind: EXPIRY_ORDER, id: orderId });
    trace.expiry(expiry, EXPIRY_ORDER, orderId);
  }
  trace.account(account);
  trace.order(marketId, side, price, incoming.priority, orderId);
  trace.level(marketId, side, price);
  trace.orderIndex(account, marketId, orderId, clientId);

  const at = events.add(EventKind.ORDER_RESTED);
  const row = events.data;
  row[at + ORDER_RESTED.market] = marketId;
  row[at + ORDER_RESTED.side] = side;
  row[at + ORDER_RESTED.price] = price;
  row[at + ORDER_RESTED.size] = remaining;
  row[at + ORDER_RESTED.orderId] = orderId;
  row[at + ORDER_RESTED.account] = account;
  row[at + ORDER_RESTED.clientId] = clientId;
  row[at + ORDER_RESTED.priority] = incoming.priority;
  row[at + ORDER_RESTED.flags] = flags;
  row[at + ORDER_RESTED.expiry] = expiry;
  row[at + ORDER_RESTED.amended] = incoming.amended ? 1 : 0;
}

/** Own lists are by order id; only an amended order can be older than the tail. */
function linkOwn(core: Core, position: number, slot: number, orderId: number): void {
  const { orders, positions } = core.state;
  let after = positions.ownTail(position);
  while (after >= 0 && orders.id(after) > orderId) after = orders.ownPrev(after);
  const next = after < 0 ? positions.ownHead(position) : orders.ownNext(after);
  orders.setOwnPrev(slot, after);
  orders.setOwnNext(slot, next);
  if (after < 0) positions.setOwnHead(position, slot);
  else orders.setOwnNext(after, slot);
  if (next < 0) positions.setOwnTail(position, slot);
  else orders.setOwnPrev(next, slot);
}

function unlinkOwn(core: Core, position: number, slot: number): void {
  const { orders, positions } = core.state;
  const prev = orders.ownPrev(slot);
  const next = orders.ownNext(slot);
  if (prev < 0) positions.setOwnHead(position, next);
  else orders.setOwnNext(prev, next);
  if (next < 0) positions.setOwnTail(position, prev);
  else orders.setOwnPrev(next, prev);
}

/** Lowers the open size of a resting order in place (fill, amend, self-trade decrement): totals and level follow. */
export function reduceResting(core: Core, slot: number, lots: number): void {
  const { state, trace } = core;
  const { orders, positions } = state;
  const marketId = orders.market(slot);
  const market = state.markets[marketId]!;
  const side = orders.side(slot);
  const price = orders.price(slot);
  const account = orders.account(slot);
  const position = state.findPosition(account, marketId);
  if ((orders.flags(slot) & REDUCE_ONLY_BIT) !== 0) positions.addReduceOnly(position, -lots);
  else positions.addOpen(position, side, -lots, -lots * market.lotValue(price));
  market.book(side).reduce(slot, lots);
  trace.account(account);
  trace.order(marketId, side, price, orders.priority(slot), orders.id(slot));
  trace.level(marketId, side, price);
}

/**
 * Takes a resting order out of the book, with whatever size is still open. The position record stays, even if
 * empty: the caller releases it (`releasePosition`) when it is done with it.
 */
export function unrest(core: Core, slot: number): void {
  const { state, trace } = core;
  const { orders, accounts } = state;
  const marketId = orders.market(slot);
  const account = orders.account(slot);
  const side = orders.side(slot);
  const price = orders.price(slot);
  const orderId = orders.id(slot);
  const clientId = orders.clientId(slot);
  const expiry = orders.expiry(slot);
  const open = orders.size(slot);
  if (open > 0) reduceResting(core, slot, open);
  const position = state.findPosition(account, marketId);
  unlinkOwn(core, position, slot);
  if (clientId !== 0) state.clientIds.remove(slot);
  state.markets[marketId]!.book(side).remove(slot);
  trace.order(marketId, side, price, orders.priority(slot), orderId);
  trace.level(marketId, side, price);
  trace.orderIndex(account, marketId, orderId, clientId);
  trace.account(account);
  if (expiry !== 0) trace.expiry(expiry, EXPIRY_ORDER, orderId);
  orders.free(slot);
  accounts.openOrders[account] = accounts.openOrders[account]! - 1;
}

/** Cancels a resting order for `reason` and says so. */
export function cancelResting(core: Core, slot: number, reason: number): void {
  const { state, events } = core;
  const { orders } = state;
  const account = orders.account(slot);
  const marketId = orders.market(slot);
  const at = events.add(EventKind.ORDER_REMOVED);
  const row = events.data;
  row[at + ORDER_REMOVED.market] = marketId;
  row[at + ORDER_REMOVED.side] = orders.side(slot);
  row[at + ORDER_REMOVED.price] = orders.price(slot);
  row[at + ORDER_REMOVED.size] = orders.size(slot);
  row[at + ORDER_REMOVED.orderId] = orders.id(slot);
  row[at + ORDER_REMOVED.account] = account;
  row[at + ORDER_REMOVED.clientId] = orders.clientId(slot);
  row[at + ORDER_REMOVED.reason] = reason;
  row[at + ORDER_REMOVED.rested] = 1;
  unrest(core, slot);
  state.releasePosition(account, state.findPosition(account, marketId));
}

/** Lowers a resting order in place for an amend (0) or a self-trade decrement (1) and says so. */
export function reduceAndTell(core: Core, slot: number, lots: number, cause: 0 | 1): void {
  const { orders } = core.state;
  const at = core.events.add(EventKind.ORDER_REDUCED);
  const row = core.events.data;
  row[at + ORDER_REDUCED.market] = orders.market(slot);
  row[at + ORDER_REDUCED.side] = orders.side(slot);
  row[at + ORDER_REDUCED.price] = orders.price(slot);
  row[at + ORDER_REDUCED.oldSize] = orders.size(slot);
  row[at + ORDER_REDUCED.newSize] = orders.size(slot) - lots;
  row[at + ORDER_REDUCED.orderId] = orders.id(slot);
  row[at + ORDER_REDUCED.account] = orders.account(slot);
  row[at + ORDER_REDUCED.clientId] = orders.clientId(slot);
  row[at + ORDER_REDUCED.cause] = cause;
  reduceResting(core, slot, lots);
}

/** The rest of the incoming order is not kept. */
export function dropIncoming(core: Core, incoming: IncomingRegister, reason: number): void {
  const at = core.events.add(EventKind.ORDER_REMOVED);
  const row = core.events.data;
  row[at + ORDER_REMOVED.market] = incoming.market;
  row[at + ORDER_REMOVED.side] = incoming.flags & 1;
  row[at + ORDER_REMOVED.price] = incoming.price;
  row[at + ORDER_REMOVED.size] = incoming.remaining;
  row[at + ORDER_REMOVED.orderId] = incoming.orderId;
  row[at + ORDER_REMOVED.account] = incoming.account;
  row[at + ORDER_REMOVED.clientId] = incoming.clientId;
  row[at + ORDER_REMOVED.reason] = reason;
  incoming.remaining = 0;
}
