/** What a sample reads out of a market for margin: the book's depth, and the margin rate that open interest asks for. */
import { divDown, divUp, fdiv } from '#protocol/fixed-point.ts';
import { DEPTH_LEVELS_MAX, MILLION } from '#protocol/limits.ts';
import type { BookSide, Levels } from '#state/book-side.ts';
import type { MarketState } from '#state/market-state.ts';

const DEPTH_MAX = 2 ** 32 - 1;

/** A level within 2 % of the mark, or better than the mark: bids from 49/50 of it, asks up to 51/50. */
const isNear = (side: BookSide, price: number, mark: number): boolean =>
  side.side === 0 ? 50 * price >= 49 * mark : 50 * price <= 51 * mark;

/** Levels of a side that count, at most 32. */
export function nearLevels(side: BookSide, mark: number): number {
  const depth = Math.min(side.depth, DEPTH_LEVELS_MAX);
  let n = 0;
  while (n < depth && isNear(side, side.priceAt(n), mark)) n++;
  return n;
}

/** Whole quote that rests within 2 % of the mark, down, at most 2^32 - 1. */
export function sideDepth(side: BookSide, levels: Levels, mark: number, qm: number): number {
  const count = nearLevels(side, mark);
  let quote = 0;
  for (let n = 0; n < count; n++) {
    const lotValue = side.priceAt(n) * qm;
    const size = levels.size(side.levelAt(n));
    if (size >= divUp(DEPTH_MAX * MILLION - quote, lotValue)) return DEPTH_MAX;
    quote += size * lotValue;
  }
  return divDown(quote, MILLION);
}

/** Of the thinner side, around the mark as it stands; 0 while there is none. */
export const bookDepth = (market: MarketState, levels: Levels): number =>
  Math.min(
    sideDepth(market.bids, levels, market.mark, market.config.qm),
    sideDepth(market.asks, levels, market.mark, market.config.qm),
  );

/**
 * Initial rate that open interest asks for (margin.md section 3, as dYdX): base + ⌊(1e6 − base)·(OI − L) / (U − L)⌋ within
 * base and 1e6, OI the notional of the open interest at `mark`; base is the rate of the first tier. 0 where the market
 * has no such limits.
 */
export function openInterestRate(market: MarketState, mark: number): number {
  const { config, openInterest } = market;
  const { openInterestLower, openInterestUpper, qm } = config;
  if (openInterestUpper === 0) return 0;
  const base = config.tiers[0]!.initialPpm;
  const million = BigInt(MILLION);
  const over = BigInt(openInterest) * BigInt(mark) * BigInt(qm) - BigInt(openInterestLower) * million;
  if (over <= 0n) return base;
  const span = BigInt(openInterestUpper - openInterestLower) * million;
  if (over >= span) return MILLION;
  return base + Number(fdiv((million - BigInt(base)) * over, span));
}
