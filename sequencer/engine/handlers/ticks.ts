/**
 * What falls due by time, before the record that brings the time: expiries first, then a sample of every
 * market, then funding of every market. Missed samples and fundings are not made up for: the next one is at
 * the next whole interval after now.
 */
import { EventKind, FUNDING_RATE, RemoveReason, SAMPLE } from '#protocol/event.ts';
import { divDown } from '#protocol/fixed-point.ts';
import { MILLION } from '#protocol/limits.ts';
import { EXPIRY_DEAD_MAN, EXPIRY_ORDER } from '#state/keys.ts';
import { StepKind } from '#state/trace.ts';
import { cancelResting } from '../book/resting.ts';
import type { Core } from '../core.ts';
import { bookDepth, openInterestRate } from '../pricing/depth.ts';
import { fundingRatePpb, impactFill, impactNotional, premiumPpb } from '../pricing/funding.ts';
import { bookPrice, emaStep, markPrice } from '../pricing/mark-price.ts';
import { mayLiquidate } from '../pricing/validity.ts';
import { openWalk, runWalk } from './walk.ts';

/** First multiple of `interval` after `time`. */
export const nextAligned = (time: number, interval: number): number =>
  (divDown(time, interval) + 1) * interval;

export function runDueTicks(core: Core): void {
  const { state, time } = core;
  while (state.expiries.nextTime() <= time) {
    const due = state.expiries.peek();
    if (due === undefined || due.time > time) break;
    state.expiries.pop();
    expire(core, due);
  }
  const markets = state.markets.length;
  if (state.nextSampleTime !== 0 && state.nextSampleTime <= time)
    for (let id = 0; id < markets; id++) sample(core, id, markets);
  if (state.nextFundingTime !== 0 && state.nextFundingTime <= time)
    for (let id = 0; id < markets; id++) fund(core, id, markets);
}

function expire(core: Core, due: { time: number; kind: number; id: number }): void {
  const { state, trace } = core;
  core.step(StepKind.EXPIRE);
  if (due.kind === EXPIRY_ORDER) {
    cancelResting(core, state.orders.find(due.id), RemoveReason.EXPIRED);
    return;
  }
  state.accounts.deadMan[due.id] = 0;
  trace.account(due.id);
  trace.expiry(due.time, EXPIRY_DEAD_MAN, due.id);
  openWalk(core, { account: due.id, market: -1, reason: RemoveReason.DEAD_MAN, ofMessage: false });
  runWalk(core);
}

/** Reads the top of the book, impact prices, depth and the last trade into the market, and moves its averages. */
function sample(core: Core, id: number, markets: number): void {
  const { state, trace, events } = core;
  core.step(StepKind.SAMPLE);
  const market = state.markets[id]!;
  const { qm } = market.config;
  const { chain, levels } = state;
  market.sampleBid = market.bids.bestPrice();
  market.sampleAsk = market.asks.bestPrice();
  market.sampleLast = market.lastPrice;
  const dt = market.sampleTime === 0 ? 0 : state.now - market.sampleTime;
  market.sampleTime = state.now;
  const sound = mayLiquidate(state, market);
  let premium = 0;
  if (sound) {
    const target = impactNotional(market.tiers[0]!.initialPpm);
    premium = premiumPpb(
      impactFill(market.bids, levels, target, qm),
      impactFill(market.asks, levels, target, qm),
      market.index,
      qm,
    );
    market.premiumSum += premium;
    market.premiumCount++;
  }
  const book = bookPrice(market);
  if (book !== 0) {
    const scaled = BigInt(book) * BigInt(MILLION);
    market.bookEma =
      market.bookEma < 0n ? scaled : emaStep(market.bookEma, scaled, { dt, tau: chain.markEmaTauMs });
    if (sound) {
      const basis =
        BigInt(market.sampleBid + market.sampleAsk) * BigInt(MILLION / 2) -
        BigInt(market.index) * BigInt(MILLION);
      market.basisEma = emaStep(market.basisEma, basis, { dt, tau: chain.indexEmaTauMs });
    }
  }
  const mark = markPrice(market, chain.markClampPpm);
  const depth = bookDepth(market, levels);
  const rate = openInterestRate(market, mark);
  if (mark !== market.mark || depth !== market.depth || rate !== market.openInterestPpm) {
    market.mark = mark;
    market.depth = depth;
    market.openInterestPpm = rate;
    trace.prices(id);
  }
  trace.marketState(id);
  const at = events.add(EventKind.SAMPLE);
  events.data[at + SAMPLE.market] = id;
  events.data[at + SAMPLE.mark] = mark;
  events.data[at + SAMPLE.bid] = market.sampleBid;
  events.data[at + SAMPLE.ask] = market.sampleAsk;
  events.data[at + SAMPLE.premiumPpb] = premium;
  state.sampleCursor = id + 1;
  if (id + 1 === markets) {
    state.sampleCursor = 0;
    state.nextSampleTime = nextAligned(state.now, chain.sampleIntervalMs);
  }
  trace.globals();
}

/** Moves the funding index by rate · index · qm; paused, with the sums dropped, while nobody may be liquidated at it. */
function fund(core: Core, id: number, markets: number): void {
  const { state, trace, events } = core;
  core.step(StepKind.FUNDING);
  const market = state.markets[id]!;
  const sound = mayLiquidate(state, market);
  const premium = market.premiumCount === 0 ? 0 : Math.trunc(market.premiumSum / market.premiumCount);
  const rate = sound ? fundingRatePpb(premium, market.fundingRateMax()) : 0;
  if (rate !== 0) {
    market.fundingIndex += BigInt(rate) * BigInt(market.index) * BigInt(market.config.qm);
    market.fundingTick++;
    trace.prices(id);
  }
  market.premiumSum = 0;
  market.premiumCount = 0;
  trace.marketState(id);
  const at = events.add(EventKind.FUNDING_RATE);
  events.data[at + FUNDING_RATE.market] = id;
  events.data[at + FUNDING_RATE.ratePpb] = rate;
  events.data[at + FUNDING_RATE.index] = market.index;
  events.data[at + FUNDING_RATE.paused] = sound ? 0 : 1;
  state.fundingCursor = id + 1;
  if (id + 1 === markets) {
    state.fundingCursor = 0;
    state.nextFundingTime = nextAligned(state.now, state.chain.fundingIntervalMs);
  }
  trace.globals();
}
