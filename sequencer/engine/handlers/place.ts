/** PLACE: a new order is checked, takes an id, and becomes the incoming order. */
import { getU64 } from '#protocol/bytes.ts';
import { divDown, divUp } from '#protocol/fixed-point.ts';
import { CLIENT_ID_MAX, MILLION, POSITIONS_MAX, TIME_MS_MAX } from '#protocol/limits.ts';
import { MARKET_HALTED, MARKET_REDUCE_ONLY } from '#protocol/market.ts';
import {
  MARKET_ORDER_BIT,
  POST_ONLY_BIT,
  REDUCE_ONLY_BIT,
  sideOfFlags,
  stpOfFlags,
  timeInForceOfFlags,
} from '#protocol/operation.ts';
import { Reject } from '#protocol/reject.ts';
import { BUY, FOK, GTC, GTD, IOC } from '#protocol/units.ts';
import { LIQUIDATING } from '#state/accounts.ts';
import { REGISTER_INCOMING } from '#state/keys.ts';
import type { MarketState } from '#state/market-state.ts';
import { StepKind } from '#state/trace.ts';
import { runIncoming } from '../book/match.ts';
import { isFillable } from '../book/time-in-force.ts';
import { type Core, finishOperation, type OrderFields } from '../core.ts';
import { accessRefusal } from '../risk/access.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';

/** Bounds of limit prices around the mark, inclusive; the whole range when the market has no band or no mark. */
export function priceBand(market: MarketState): { low: number; high: number } {
  const { bandPpm, maxPrice } = market.config;
  if (bandPpm === 0 || market.mark === 0) return { low: 1, high: maxPrice };
  return {
    low: Math.max(1, divUp(market.mark * (MILLION - bandPpm), MILLION)),
    high: Math.min(maxPrice, divDown(market.mark * (MILLION + bandPpm), MILLION)),
  };
}

export function place(core: Core, risk: RiskChecks, view: DataView, at: number): void {
  const { state } = core;
  core.step(StepKind.PLACE);
  const order = core.order;
  order.account = state.message.account;
  order.market = view.getUint16(at + 2, true);
  order.flags = view.getUint8(at + 1);
  order.price = view.getUint32(at + 4, true);
  order.size = getU64(view, at + 8);
  order.clientId = getU64(view, at + 16);
  order.expiry = getU64(view, at + 24);
  const code = checkOrder(core, risk, order);
  if (code !== Reject.NONE) {
    finishOperation(core, { code, clientId: order.clientId });
    return;
  }
  openIncoming(core, order, { reducing: risk.reducing, forced: false });
  runIncoming(core, risk);
  const { incoming } = state;
  finishOperation(core, {
    code: Reject.NONE,
    orderId: incoming.orderId,
    clientId: incoming.clientId,
    filled: incoming.filled,
    remaining: incoming.remaining,
    filledQuote: incoming.filledQuote,
  });
}

/** The checked order takes an id and becomes the incoming order; the caller runs it. */
export function openIncoming(
  core: Core,
  order: OrderFields,
  how: { reducing: boolean; forced: boolean; liquidation?: boolean },
): void {
  const { state, trace } = core;
  const { incoming } = state;
  incoming.active = true;
  incoming.account = order.account;
  incoming.market = order.market;
  incoming.flags = order.flags;
  incoming.price = order.price;
  incoming.size = order.size;
  incoming.remaining = order.size;
  incoming.orderId = state.nextOrderId++;
  incoming.priority = incoming.orderId;
  incoming.clientId = order.clientId;
  incoming.expiry = order.expiry;
  incoming.reducing = how.reducing;
  incoming.amended = false;
  incoming.forced = how.forced;
  incoming.liquidation = how.liquidation ?? false;
  incoming.filled = 0;
  incoming.filledQuote = 0;
  trace.counters();
  trace.register(REGISTER_INCOMING);
}

/** The rules in the order of their codes. A market order's price becomes its bound. */
export function checkOrder(core: Core, risk: RiskChecks, order: OrderFields): number {
  const { state } = core;
  const { flags } = order;
  const market = state.market(order.market);
  if (market === undefined) return Reject.UNKNOWN_MARKET;
  const { config } = market;
  const reduceOnly = (flags & REDUCE_ONLY_BIT) !== 0;
  const marketOrder = (flags & MARKET_ORDER_BIT) !== 0;
  const postOnly = (flags & POST_ONLY_BIT) !== 0;
  const timeInForce = timeInForceOfFlags(flags);
  const side = sideOfFlags(flags);
  const status = market.status();
  if (status === MARKET_HALTED) return Reject.MARKET_HALTED;
  if (status === MARKET_REDUCE_ONLY && !reduceOnly) return Reject.MARKET_REDUCE_ONLY;
  const immediate = timeInForce === IOC || timeInForce === FOK;
  if (marketOrder && !immediate) return Reject.INVALID_TIME_IN_FORCE;
  if (postOnly && (immediate || marketOrder)) return Reject.INVALID_FLAGS;
  if (order.price === 0 && marketOrder) {
    const band = priceBand(market);
    order.price = side === BUY ? band.high : band.low;
  } else if (order.price < 1 || order.price > config.maxPrice) return Reject.PRICE_OUT_OF_RANGE;
  if (order.size < 1 || order.size > config.maxOrderSize || order.size > config.maxPosition)
    return Reject.SIZE_OUT_OF_RANGE;
  if (order.clientId > CLIENT_ID_MAX) return Reject.MALFORMED_OPERATION;
  if (!reduceOnly && order.size * market.lotValue(order.price) < config.minNotional)
    return Reject.NOTIONAL_TOO_SMALL;
  if (timeInForce === GTD ? order.expiry <= state.now || order.expiry > TIME_MS_MAX : order.expiry !== 0)
    return Reject.EXPIRY_IN_PAST;
  if (!withinBand(market, order.price)) return Reject.PRICE_OUTSIDE_BAND;
  if (order.clientId !== 0 && state.clientIds.find(order.account, order.market, order.clientId) >= 0)
    return Reject.DUPLICATE_CLIENT_ID;
  if (
    (timeInForce === GTC || timeInForce === GTD) &&
    state.accounts.openOrders[order.account]! >= state.chain.openOrdersMax
  )
    return Reject.TOO_MANY_OPEN_ORDERS;
  if (
    state.accounts.positionCount[order.account]! >= POSITIONS_MAX &&
    state.findPosition(order.account, order.market) < 0
  )
    return Reject.TOO_MANY_POSITIONS;
  if (!reduceOnly) {
    if ((state.accounts.flags[order.account]! & LIQUIDATING) !== 0) return Reject.LIQUIDATING;
    if (state.accounts.isLocked(order.account)) return Reject.ACCOUNT_LOCKED;
    const access = accessRefusal(state.accounts, order.account, config);
    if (access !== Reject.NONE) return access;
  }
  const opposite = market.book(1 - side);
  if (postOnly && opposite.crosses(order.price)) return Reject.POST_ONLY_WOULD_CROSS;
  if (
    timeInForce === FOK &&
    !isFillable(state, opposite, {
      account: order.account,
      market: order.market,
      side,
      price: order.price,
      size: order.size,
      selfTradePrevention: stpOfFlags(flags),
      reduceOnly,
    })
  )
    return Reject.FOK_NOT_FILLABLE;
  const risked = risk.order;
  risked.account = order.account;
  risked.side = side;
  risked.price = order.price;
  risked.size = order.size;
  risked.reduceOnly = reduceOnly;
  risked.rests = !immediate;
  risked.replacedLots = 0;
  risked.replacedQuote = 0;
  return risk.admit(market, risked);
}

export function withinBand(market: MarketState, price: number): boolean {
  if (market.config.bandPpm === 0 || market.mark === 0) return true;
  const band = priceBand(market);
  return price >= band.low && price <= band.high;
}
