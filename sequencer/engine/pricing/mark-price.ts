/**
 * Mark price (margin.md section 5): median of the index with the smoothed basis, of the book, and of the
 * smoothed book; derived from rounds and samples alone, never from a single order.
 */
import { clamp, fdiv, median3 } from '#protocol/fixed-point.ts';
import { MILLION } from '#protocol/limits.ts';
import type { MarketState } from '#state/market-state.ts';

/** e + ⌊(x − e)·dt / (τ + dt)⌋. */
export const emaStep = (ema: bigint, x: bigint, step: { dt: number; tau: number }): bigint =>
  ema + fdiv((x - ema) * BigInt(step.dt), BigInt(step.tau + step.dt));

/** Median of bid, ask and last trade as of the last sample; 0 while a side is missing. */
export function bookPrice(market: MarketState): number {
  const { sampleBid, sampleAsk, sampleLast } = market;
  if (sampleBid === 0 || sampleAsk === 0) return 0;
  if (sampleLast === 0) return Math.floor((sampleBid + sampleAsk) / 2);
  return median3(sampleBid, sampleAsk, sampleLast);
}

/** Ticks, 1 … maxPrice; the index alone while the book has no two sides. 0 while there is no index. */
export function markPrice(market: MarketState, markClampPpm: number): number {
  if (market.index === 0) return 0;
  const limit = BigInt(market.index) * BigInt(markClampPpm);
  const basis = clamp(market.basisEma, -limit, limit);
  const fair = market.index + Number(fdiv(basis, BigInt(MILLION)));
  const book = bookPrice(market);
  const mark =
    book === 0 || market.bookEma < 0n
      ? fair
      : median3(fair, book, Number(fdiv(market.bookEma, BigInt(MILLION))));
  return Math.min(market.config.maxPrice, Math.max(1, mark));
}
