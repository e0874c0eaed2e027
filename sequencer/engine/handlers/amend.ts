/**
 * AMEND: a resting order's price and open size. A smaller size at the same price keeps its place; a new price
 * or a larger size takes it out and sends it in again at the back, under the same id, matching if it crosses.
 */
import { getU64 } from '#protocol/bytes.ts';
import { EventKind, ORDER_REMOVED, RemoveReason } from '#protocol/event.ts';
import { MARKET_HALTED, MARKET_REDUCE_ONLY } from '#protocol/market.ts';
import { POST_ONLY_BIT, REDUCE_ONLY_BIT } from '#protocol/operation.ts';
import { Reject } from '#protocol/reject.ts';
import { REGISTER_INCOMING } from '#state/keys.ts';
import { StepKind } from '#state/trace.ts';
import { runIncoming } from '../book/match.ts';
import { reduceAndTell, unrest } from '../book/resting.ts';
import { type Core, finishOperation } from '../core.ts';
import { accessRefusal } from '../risk/access.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';
import { findOwnOrder } from './find-order.ts';
import { withinBand } from './place.ts';

export function amend(core: Core, risk: RiskChecks, view: DataView, at: number): void {
  const { state } = core;
  core.step(StepKind.AMEND);
  const { account } = state.message;
  const marketId = view.getUint16(at + 2, true);
  const price = view.getUint32(at + 4, true);
  const size = getU64(view, at + 8);
  if (state.market(marketId) === undefined) {
    finishOperation(core, { code: Reject.UNKNOWN_MARKET });
    return;
  }
  const slot = findOwnOrder(state, {
    account,
    market: marketId,
    by: view.getUint8(at + 1),
    id: getU64(view, at + 16),
  });
  const code = check(core, risk, { slot, market: marketId, price, size });
  if (code !== Reject.NONE) {
    finishOperation(core, { code });
    return;
  }
  const { orders } = state;
  const orderId = orders.id(slot);
  const clientId = orders.clientId(slot);
  if (price === orders.price(slot) && size < orders.size(slot)) {
    reduceAndTell(core, slot, orders.size(slot) - size, 0);
    finishOperation(core, { code: Reject.NONE, orderId, clientId, remaining: size });
    return;
  }
  sendInAgain(core, risk, slot, price, size);
  const { incoming } = state;
  finishOperation(core, {
    code: Reject.NONE,
    orderId,
    clientId,
    filled: incoming.filled,
    remaining: incoming.remaining,
    filledQuote: incoming.filledQuote,
  });
}

function check(
  core: Core,
  risk: RiskChecks,
  change: { slot: number; market: number; price: number; size: number },
): number {
  const { state } = core;
  const { orders } = state;
  const { slot, price, size } = change;
  const market = state.market(change.market)!;
  const { config } = market;
  const status = market.status();
  if (status === MARKET_HALTED) return Reject.MARKET_HALTED;
  const known = slot >= 0;
  const flags = known ? orders.flags(slot) : 0;
  const reduceOnly = (flags & REDUCE_ONLY_BIT) !== 0;
  const onlyShrinks = known && price === orders.price(slot) && size < orders.size(slot);
  if (status === MARKET_REDUCE_ONLY && known && !reduceOnly && !onlyShrinks) return Reject.MARKET_REDUCE_ONLY;
  if (price < 1 || price > config.maxPrice) return Reject.PRICE_OUT_OF_RANGE;
  if (size < 1 || size > config.maxOrderSize || size > config.maxPosition) return Reject.SIZE_OUT_OF_RANGE;
  if (!reduceOnly && size * market.lotValue(price) < config.minNotional) return Reject.NOTIONAL_TOO_SMALL;
  if (!onlyShrinks && !withinBand(market, price)) return Reject.PRICE_OUTSIDE_BAND;
  if (!known) return Reject.UNKNOWN_ORDER;
  if (price === orders.price(slot) && size === orders.size(slot)) return Reject.NOTHING_TO_AMEND;
  if (onlyShrinks) return Reject.NONE;
  if (!reduceOnly) {
    const access = accessRefusal(state.accounts, orders.account(slot), config);
    if (access !== Reject.NONE) return access;
  }
  const side = orders.side(slot);
  if ((flags & POST_ONLY_BIT) !== 0 && market.book(1 - side).crosses(price))
    return Reject.POST_ONLY_WOULD_CROSS;
  const risked = risk.order;
  risked.account = orders.account(slot);
  risked.side = side;
  risked.price = price;
  risked.size = size;
  risked.reduceOnly = reduceOnly;
  risked.rests = true;
  risked.replacedLots = orders.size(slot);
  risked.replacedQuote = orders.size(slot) * market.lotValue(orders.price(slot));
  return risk.admit(market, risked);
}

function sendInAgain(core: Core, risk: RiskChecks, slot: number, price: number, size: number): void {
  const { state, trace, events } = core;
  const { orders, incoming } = state;
  const at = events.add(EventKind.ORDER_REMOVED);
  const row = events.data;
  row[at + ORDER_REMOVED.market] = orders.market(slot);
  row[at + ORDER_REMOVED.side] = orders.side(slot);
  row[at + ORDER_REMOVED.price] = orders.price(slot);
  row[at + ORDER_REMOVED.size] = orders.size(slot);
  row[at + ORDER_REMOVED.orderId] = orders.id(slot);
  row[at + ORDER_REMOVED.account] = orders.account(slot);
  row[at + ORDER_REMOVED.clientId] = orders.clientId(slot);
  row[at + ORDER_REMOVED.reason] = RemoveReason.AMENDED;
  row[at + ORDER_REMOVED.rested] = 1;
  incoming.active = true;
  incoming.account = orders.account(slot);
  incoming.market = orders.market(slot);
  incoming.flags = orders.flags(slot);
  incoming.price = price;
  incoming.size = size;
  incoming.remaining = size;
  incoming.orderId = orders.id(slot);
  incoming.priority = state.nextOrderId++;
  incoming.clientId = orders.clientId(slot);
  incoming.expiry = orders.expiry(slot);
  incoming.reducing = risk.reducing;
  incoming.amended = true;
  incoming.forced = false;
  incoming.liquidation = false;
  incoming.filled = 0;
  incoming.filledQuote = 0;
  unrest(core, slot);
  state.releasePosition(incoming.account, state.findPosition(incoming.account, incoming.market));
  trace.counters();
  trace.register(REGISTER_INCOMING);
  runIncoming(core, risk);
}
