/**
 * What the price of a market may be used for (margin.md section 5): a ladder from "there is none" to "valid", judged
 * when a round is taken, overruled by time, and one table of what each rung allows.
 */
import { MILLION } from '#protocol/limits.ts';
import type { MarketConfig } from '#protocol/market.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { MarketState } from '#state/market-state.ts';

/**
 * Worst first where several hold: VOID, STALE, VOLATILE, UNCERTAIN, UNREPEATED. PRICES holds what the last round says; VOID
 * and STALE follow from the clock and are never stored. 1 would be a round of too little weight, which is refused whole.
 */
export const Validity = {
  VALID: 0,
  /** The last round is older than `voidMs`. */
  STALE: 2,
  /** Its confidence is wider than `confidenceMaxPpm` of the index. */
  UNCERTAIN: 3,
  /** The index is six times off its own average, or more. */
  VOLATILE: 4,
  /** There was no round yet. */
  VOID: 5,
  /** The round moved further than `deviationPpm`, and no second one has said so yet. The index is the one before. */
  UNREPEATED: 6,
} as const;

/** What may be done at a price of each validity: the whole matrix. */
const ALLOWS: Readonly<Record<number, { liquidate: boolean; margin: boolean; open: boolean }>> = {
  [Validity.VALID]: { liquidate: true, margin: true, open: true },
  [Validity.UNREPEATED]: { liquidate: true, margin: false, open: false },
  [Validity.UNCERTAIN]: { liquidate: true, margin: false, open: false },
  [Validity.VOLATILE]: { liquidate: false, margin: false, open: false },
  [Validity.STALE]: { liquidate: false, margin: false, open: false },
  [Validity.VOID]: { liquidate: false, margin: false, open: false },
};

/** Index over average, or average over index, as an integer: beyond this the price is volatile (Drift). */
const VOLATILE_RATIO = 5;

/** True when the market's index is recent enough to be looked at. */
export const isFresh = (state: ExchangeState, market: MarketState): boolean =>
  market.index > 0 && state.now - market.indexTime <= state.chain.voidMs;

/** Validity at a time, by default now. */
export function validityOf(state: ExchangeState, market: MarketState, time = state.now): number {
  if (market.index === 0) return Validity.VOID;
  return time - market.indexTime <= state.chain.voidMs ? market.validity : Validity.STALE;
}

/** Positions may be liquidated at the market's mark, and funding be charged. */
export const mayLiquidate = (state: ExchangeState, market: MarketState, time = state.now): boolean =>
  ALLOWS[validityOf(state, market, time)]!.liquidate;

/** Money may leave accounts that have a position or an order in the market. */
export const mayMargin = (state: ExchangeState, market: MarketState, time = state.now): boolean =>
  ALLOWS[validityOf(state, market, time)]!.margin;

/** Orders that open risk in the market are taken. */
export const mayOpen = (state: ExchangeState, market: MarketState, time = state.now): boolean =>
  ALLOWS[validityOf(state, market, time)]!.open;

/** What a round makes of its market. `average`: of the index before the round, ticks, 0 none. */
export function validityOfRound(
  config: MarketConfig,
  round: { index: number; confidence: number; average: number; pending: number },
): number {
  const { index, confidence, average, pending } = round;
  if (config.deviationPpm !== 0 && average !== 0) {
    const ratio = Math.floor(Math.max(index, average) / Math.min(index, average));
    if (ratio > VOLATILE_RATIO) return Validity.VOLATILE;
  }
  if (config.confidenceMaxPpm !== 0 && confidence * MILLION > index * config.confidenceMaxPpm)
    return Validity.UNCERTAIN;
  return pending === 0 ? Validity.VALID : Validity.UNREPEATED;
}
