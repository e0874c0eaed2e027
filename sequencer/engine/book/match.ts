/**
 * Matching in price-time priority: the incoming order meets the first order of the other side, one step each,
 * while prices cross; then its rest comes to rest or is dropped. Every trade is at the resting order's price.
 */
import { EventKind, LIQUIDATION_FILL, RemoveReason, TRADE } from '#protocol/event.ts';
import { mulPpmDown, mulPpmUp } from '#protocol/fixed-point.ts';
import { REDUCE_ONLY_BIT, timeInForceOfFlags } from '#protocol/operation.ts';
import { FOK, IOC } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { REGISTER_INCOMING } from '#state/keys.ts';
import type { MarketState } from '#state/market-state.ts';
import { StepKind } from '#state/trace.ts';
import type { Core } from '../core.ts';
import { type SliceFill, sliceFill } from '../risk/liquidation.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';
import { mayTrade, settleFill } from '../risk/settle-fill.ts';
import { liquidatedPosition } from '../risk/slice.ts';
import { cancelResting, dropIncoming, reduceResting, restOrder, unrest } from './resting.ts';
import { preventSelfTrade } from './self-trade-prevention.ts';

/** Runs the incoming register to its end. */
export function runIncoming(core: Core, risk: RiskChecks): void {
  const { incoming, markets } = core.state;
  const opposite = markets[incoming.market]!.book(1 - (incoming.flags & 1));
  while (incoming.remaining > 0 && opposite.crosses(incoming.price)) {
    core.step(StepKind.MATCH);
    core.trace.register(REGISTER_INCOMING);
    meet(core, risk, opposite.bestOrder());
  }
  core.step(StepKind.REST);
  core.trace.register(REGISTER_INCOMING);
  if (incoming.remaining > 0) rest(core);
  incoming.active = false;
}

function rest(core: Core): void {
  const { incoming } = core.state;
  const timeInForce = timeInForceOfFlags(incoming.flags);
  if (timeInForce === IOC || timeInForce === FOK) dropIncoming(core, incoming, RemoveReason.NOT_FILLED);
  else restOrder(core, incoming);
}

/** Lots by which a fill on `side` would reduce the account's position. */
function reducible(state: ExchangeState, order: { account: number; market: number }, side: number): number {
  const slot = state.findPosition(order.account, order.market);
  if (slot < 0) return 0;
  const size = state.positions.size(slot);
  return side === 0 ? Math.max(0, -size) : Math.max(0, size);
}

/** One resting order, the first in priority: a trade, or one of the two goes. */
function meet(core: Core, risk: RiskChecks, maker: number): void {
  const { state } = core;
  const { incoming, orders } = state;
  const makerAccount = orders.account(maker);
  if (state.accounts.haveSameOwner(makerAccount, incoming.account)) {
    preventSelfTrade(core, maker);
    return;
  }
  const market = state.markets[incoming.market]!;
  const takerSide = incoming.flags & 1;
  const makerSide = 1 - takerSide;
  let lots = Math.min(incoming.remaining, orders.size(maker));
  if ((orders.flags(maker) & REDUCE_ONLY_BIT) !== 0) {
    const cap = reducible(state, { account: makerAccount, market: incoming.market }, makerSide);
    if (cap === 0) {
      cancelResting(core, maker, RemoveReason.REDUCE_ONLY);
      return;
    }
    lots = Math.min(lots, cap);
  }
  if ((incoming.flags & REDUCE_ONLY_BIT) !== 0) {
    const cap = reducible(state, incoming, takerSide);
    if (cap === 0) {
      dropIncoming(core, incoming, RemoveReason.REDUCE_ONLY);
      return;
    }
    lots = Math.min(lots, cap);
  }
  if (!mayTrade(state, makerAccount)) {
    cancelResting(core, maker, RemoveReason.POSITION_LIMIT);
    return;
  }
  if (!mayTrade(state, incoming.account)) {
    dropIncoming(core, incoming, RemoveReason.POSITION_LIMIT);
    return;
  }
  const price = orders.price(maker);
  const lotValue = market.lotValue(price);
  let sliceFee = 0;
  if (incoming.liquidation) {
    const slice = boundSlice(state, risk, { offered: lots, price });
    if (slice.lots === 0) {
      dropIncoming(core, incoming, RemoveReason.MARGIN);
      return;
    }
    lots = slice.lots;
    sliceFee = slice.fee;
  }
  const notional = lots * lotValue;
  const { makerFeePpm, takerFeePpm } = market.config;
  // Fees charged round up, rebates down; taken from 0, so that no rebate is 0 and not -0.
  const makerFee =
    makerFeePpm >= 0 ? mulPpmUp(notional, makerFeePpm) : 0 - mulPpmDown(notional, -makerFeePpm);
  const takerFee = incoming.liquidation ? sliceFee : mulPpmUp(notional, takerFeePpm);
  const makerFill = { side: makerSide, lots, lotValue };
  const takerFill = { side: takerSide, lots, lotValue };
  const openLots = (orders.flags(maker) & REDUCE_ONLY_BIT) !== 0 ? 0 : lots;
  if (!risk.carries(market, makerAccount, makerFill, makerFee, openLots)) {
    cancelResting(core, maker, RemoveReason.MARGIN);
    return;
  }
  // Initial margin was checked for the whole order at entry; only one that was let in to reduce is checked again.
  if (incoming.reducing && !risk.carries(market, incoming.account, takerFill, takerFee, 0)) {
    dropIncoming(core, incoming, RemoveReason.MARGIN);
    return;
  }
  trade(core, market, maker, { lots, price, lotValue, makerFee, takerFee });
}

/** What a fill of a slice may be, by the margin of the liquidated account as the fills before have left it. */
function boundSlice(
  state: ExchangeState,
  risk: RiskChecks,
  fill: { offered: number; price: number },
): SliceFill {
  const { account, market } = state.incoming;
  const slot = state.findPosition(account, market);
  const position = liquidatedPosition(state, slot, risk.margin(account));
  const { liquidationFeePpm: feePpm, liquidationBufferPpm: bufferPpm } = state.chain;
  return sliceFill(position, fill, { feePpm, bufferPpm });
}

function trade(
  core: Core,
  market: MarketState,
  maker: number,
  fill: { lots: number; price: number; lotValue: number; makerFee: number; takerFee: number },
): void {
  const { state, trace, events } = core;
  const { incoming, orders } = state;
  const { lots, lotValue } = fill;
  const makerAccount = orders.account(maker);
  const takerSide = incoming.flags & 1;
  const makerRemaining = orders.size(maker) - lots;
  incoming.remaining -= lots;
  incoming.filled += lots;
  incoming.filledQuote += lots * lotValue;

  // First, so that the funding paid for the position before the trade is told before the trade.
  settleFill(core, makerAccount, incoming.market, { side: 1 - takerSide, lots, lotValue }, fill.makerFee);
  settleFill(core, incoming.account, incoming.market, { side: takerSide, lots, lotValue }, fill.takerFee);

  const at = events.add(EventKind.TRADE);
  const row = events.data;
  row[at + TRADE.market] = incoming.market;
  row[at + TRADE.price] = fill.price;
  row[at + TRADE.size] = lots;
  row[at + TRADE.makerOrderId] = orders.id(maker);
  row[at + TRADE.takerOrderId] = incoming.orderId;
  row[at + TRADE.makerAccount] = makerAccount;
  row[at + TRADE.takerAccount] = incoming.account;
  row[at + TRADE.takerSide] = takerSide;
  row[at + TRADE.makerRemaining] = makerRemaining;
  row[at + TRADE.takerRemaining] = incoming.remaining;
  row[at + TRADE.makerFee] = fill.makerFee;
  row[at + TRADE.takerFee] = fill.takerFee;
  row[at + TRADE.makerClientId] = orders.clientId(maker);
  row[at + TRADE.takerClientId] = incoming.clientId;
  row[at + TRADE.tradeId] = state.nextTradeId++;
  row[at + TRADE.liquidation] = incoming.liquidation ? 1 : 0;
  trace.counters();

  reduceResting(core, maker, lots);
  if (makerRemaining === 0) unrest(core, maker);
  state.releasePosition(makerAccount, state.findPosition(makerAccount, incoming.market));
  state.releasePosition(incoming.account, state.findPosition(incoming.account, incoming.market));
  market.fees += fill.makerFee;
  if (incoming.liquidation) insure(core, fill, state.nextTradeId - 1);
  else {
    market.fees += fill.takerFee;
    market.lastPrice = fill.price;
  }
  trace.marketState(incoming.market);
}

/** The fee of a slice goes to the insurance fund of the account's pool; its price is no price for others. */
function insure(core: Core, fill: { lots: number; price: number; takerFee: number }, tradeId: number): void {
  const { state, trace, events } = core;
  const { incoming } = state;
  const riskPool = state.accounts.riskPool[incoming.account]!;
  if (fill.takerFee !== 0) {
    state.addToFund(riskPool, fill.takerFee);
    trace.fund(riskPool);
  }
  const at = events.add(EventKind.LIQUIDATION_FILL);
  const row = events.data;
  row[at + LIQUIDATION_FILL.account] = incoming.account;
  row[at + LIQUIDATION_FILL.market] = incoming.market;
  row[at + LIQUIDATION_FILL.side] = incoming.flags & 1;
  row[at + LIQUIDATION_FILL.price] = fill.price;
  row[at + LIQUIDATION_FILL.size] = fill.lots;
  row[at + LIQUIDATION_FILL.fee] = fill.takerFee;
  row[at + LIQUIDATION_FILL.riskPool] = riskPool;
  row[at + LIQUIDATION_FILL.tradeId] = tradeId;
}
