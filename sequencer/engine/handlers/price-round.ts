/** PRICE_ROUND: signed reports of one market become its index, and the mark follows. */
import { equalBytes } from '#protocol/bytes.ts';
import { EventKind, PRICE } from '#protocol/event.ts';
import { divDown } from '#protocol/fixed-point.ts';
import {
  MILLION,
  PRICE_REPORT_BYTES,
  PRICE_ROUND_HEADER_BYTES,
  PUBLISHERS_MIN,
  RECORD_HEADER_BYTES,
} from '#protocol/limits.ts';
import { checkPriceRound, decodeReport, type PriceReport } from '#protocol/price-report.ts';
import { Reject } from '#protocol/reject.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { MarketState } from '#state/market-state.ts';
import { StepKind } from '#state/trace.ts';
import type { Core } from '../core.ts';
import { confirmMove } from '../pricing/deviation.ts';
import { markPrice } from '../pricing/mark-price.ts';
import { averageIndex, indexOf } from '../pricing/oracle-price.ts';
import { validityOfRound } from '../pricing/validity.ts';

/** Why a single report does not count at `time`; 0 when it does. */
export function judgeReport(
  state: ExchangeState,
  market: MarketState,
  report: PriceReport,
  signer: Uint8Array,
  time: number,
): number {
  const publisher = state.publishers[report.publisher];
  if (publisher === undefined || publisher.weight === 0) return Reject.UNKNOWN_PUBLISHER;
  if (!equalBytes(publisher.address, signer)) return Reject.BAD_SIGNATURE;
  if (report.price < 1) return Reject.PRICE_OUT_OF_RANGE;
  if (report.time < time - state.chain.stalenessMs) return Reject.REPORT_STALE;
  if (report.sequence <= market.reportSequences[report.publisher]!) return Reject.REPORT_OUT_OF_ORDER;
  if (report.time > time + state.chain.futureMs) return Reject.REPORT_FROM_FUTURE;
  return Reject.NONE;
}

export interface RoundJudgement {
  code: number;
  market: MarketState | undefined;
  /** Reports that count. */
  used: (PriceReport & { weight: number })[];
}

/**
 * Judges a whole round at `time`: it needs two thirds of the publishers' weight in reports that count, and a set
 * of at least five publishers.
 */
export function judgeRound(
  state: ExchangeState,
  record: Uint8Array,
  signers: Uint8Array,
  time: number,
): RoundJudgement {
  const refused = (code: number): RoundJudgement => ({ code, market: undefined, used: [] });
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const body = RECORD_HEADER_BYTES;
  if (!checkPriceRound(view, body, record.length - body)) return refused(Reject.MALFORMED_MESSAGE);
  const count = view.getUint8(body + 2);
  if (signers.length !== 20 * count) return refused(Reject.BAD_SIGNATURE);
  const marketId = view.getUint16(body, true);
  const market = state.market(marketId);
  if (market === undefined) return refused(Reject.UNKNOWN_MARKET);
  const used: (PriceReport & { weight: number })[] = [];
  let weight = 0;
  for (let i = 0; i < count; i++) {
    const report = decodeReport(view, body + PRICE_ROUND_HEADER_BYTES + i * PRICE_REPORT_BYTES, marketId);
    if (judgeReport(state, market, report, signers.subarray(20 * i, 20 * i + 20), time) !== Reject.NONE)
      continue;
    const own = state.publishers[report.publisher]!.weight;
    weight += own;
    used.push({ ...report, weight: own });
  }
  let total = 0;
  let publishers = 0;
  for (const publisher of state.publishers) {
    if (publisher === undefined || publisher.weight === 0) continue;
    total += publisher.weight;
    publishers++;
  }
  if (publishers < PUBLISHERS_MIN || 3 * weight < 2 * total)
    return { code: Reject.TOO_FEW_REPORTS, market, used };
  return { code: Reject.NONE, market, used };
}

/**
 * The guard decides how far the index follows; what the round is worth is judged by the average before it. False, with
 * nothing taken, when the market may not have such an index.
 */
function takePrice(state: ExchangeState, market: MarketState, price: number, confidence: number): boolean {
  const { config } = market;
  const { index, pending } = confirmMove(price, market.index, market.pendingIndex, config.deviationPpm);
  if (index > config.maxPrice) return false;
  market.validity = validityOfRound(config, { index, confidence, average: market.twap, pending });
  const average = averageIndex(market.twapFine, index, {
    dt: state.now - market.indexTime,
    tau: state.chain.twapTauMs,
  });
  market.twapFine = average;
  market.twap = divDown(average, MILLION);
  market.pendingIndex = pending;
  market.index = index;
  market.indexTime = state.now;
  market.mark = markPrice(market, state.chain.markClampPpm);
  return true;
}

export function applyPriceRound(core: Core, record: Uint8Array, signers: Uint8Array): void {
  const { state, trace, events } = core;
  core.step(StepKind.PRICE_ROUND);
  const { code, market, used } = judgeRound(state, record, signers, state.now);
  if (code !== Reject.NONE || market === undefined) return;
  const id = market.config.market;
  for (const report of used) market.reportSequences[report.publisher] = report.sequence;
  const { index, confidence } = indexOf(used);
  market.confidence = confidence;
  if (!takePrice(state, market, index, confidence)) {
    market.halted = true;
    trace.marketState(id);
  }
  trace.oracle(id);
  trace.prices(id);
  const at = events.add(EventKind.PRICE);
  events.data[at + PRICE.market] = id;
  events.data[at + PRICE.code] = market.halted ? Reject.MARKET_HALTED : Reject.NONE;
  events.data[at + PRICE.index] = market.index;
  events.data[at + PRICE.confidence] = confidence;
  events.data[at + PRICE.mark] = market.mark;
  events.data[at + PRICE.reports] = used.length;
}
