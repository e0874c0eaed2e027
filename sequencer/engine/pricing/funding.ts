/** Funding rate and premium (margin.md section 6); rates in ppb, integer, truncated where a sign remains. */
import { divUp } from '#protocol/fixed-point.ts';
import { DEPTH_LEVELS_MAX, MILLION } from '#protocol/limits.ts';
import type { BookSide, Levels } from '#state/book-side.ts';

const INTEREST_PPB = 100_000;
const INTEREST_CLAMP_PPB = 500_000;
const RATE_8H_MAX_PPB = 320_000_000;
/** One sample's premium; beyond every rate clamp, and 864,000 of them (100 ms in a day) sum below 2^53. */
const PREMIUM_MAX_PPB = 4_000_000_000;
const BILLION = 1_000_000_000n;

/** q that the impact price is averaged over: 500 quote / initial margin rate of the first tier. */
export const impactNotional = (initialPpm: number): number => divUp(500 * MILLION * MILLION, initialPpm);

export interface Impact {
  /** Lots and q that fill the impact notional; 0 lots when the best 32 levels do not hold it. */
  lots: number;
  quote: number;
}

/** Walks the best levels until `target` q are filled; the last level is taken in part, rounded up to a lot. */
export function impactFill(side: BookSide, levels: Levels, target: number, qm: number): Impact {
  let lots = 0;
  let quote = 0;
  const depth = Math.min(side.depth, DEPTH_LEVELS_MAX);
  for (let n = 0; n < depth; n++) {
    const lotValue = side.priceAt(n) * qm;
    const size = levels.size(side.levelAt(n));
    const needed = divUp(target - quote, lotValue);
    if (size >= needed) return { lots: lots + needed, quote: quote + needed * lotValue };
    lots += size;
    quote += size * lotValue;
  }
  return { lots: 0, quote: 0 };
}

/**
 * trunc(1e9 · (max(0, bid − index) − max(0, index − ask)) / index) with bid and ask the average impact prices
 * quote / (lots · qm), kept as fractions, each side at most 4e9; a missing side counts 0.
 */
export function premiumPpb(bid: Impact, ask: Impact, index: number, qm: number): number {
  const at = BigInt(index) * BigInt(qm);
  const part = (impact: Impact, sign: 1n | -1n): number => {
    if (impact.lots === 0) return 0;
    const fair = at * BigInt(impact.lots);
    const over = sign * (BigInt(impact.quote) - fair);
    return over > 0n ? Math.min(Number((BILLION * over) / fair), PREMIUM_MAX_PPB) : 0;
  };
  return part(bid, 1n) - part(ask, -1n);
}

/** Rate of one interval: F8 = P + clamp(1e5 − P, ±5e5), trunc(clamp(F8, ±3.2e8) / 8), within ±max; ppb. */
export function fundingRatePpb(premium: number, max: number): number {
  const interest = Math.max(-INTEREST_CLAMP_PPB, Math.min(INTEREST_CLAMP_PPB, INTEREST_PPB - premium));
  const rate8h = Math.max(-RATE_8H_MAX_PPB, Math.min(RATE_8H_MAX_PPB, premium + interest));
  return Math.max(-max, Math.min(max, Math.trunc(rate8h / 8))) + 0;
}
