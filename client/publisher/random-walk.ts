/**
 * A seeded random walk without memory: the price is a function of seed, market and time alone, so that publishers in
 * several processes agree without talking, and a restart continues the same path.
 *
 * The path is Brownian by Lévy's construction: values at the borders of a long block are drawn from a hash, and
 * midpoints are refined down to the resolution, each displaced by a hash-drawn normal of variance length / 4. Blocks
 * begin near the start price, so the walk never runs away.
 */
import type { PriceSource, SourcedPrice } from './price-source.ts';

export interface WalkOptions {
  /** Same seed, same path. */
  readonly seed: number;
  /** Start price of each market, ticks. */
  readonly startPrices: ReadonlyMap<number, number>;
  /** Yearly volatility, as a fraction; default 0.6. */
  readonly volatility?: number;
  /** Half width of the reports, parts per million of the price; default 100. */
  readonly confidencePpm?: number;
  /** A publisher's own small error, parts per million; default 20. */
  readonly noisePpm?: number;
  /** Whose error it is; default 0. */
  readonly publisher?: number;
}

const YEAR_MS = 365 * 86_400_000;
/** Some nine hours. */
const BLOCK_MS = 2 ** 25;
const RESOLUTION_MS = 64;
const MILLION = 1_000_000;

export function randomWalk(options: WalkOptions): PriceSource {
  const { seed, startPrices, volatility = 0.6, confidencePpm = 100, noisePpm = 20, publisher = 0 } = options;
  // Variance per millisecond of the logarithm of the price.
  const variance = (volatility * volatility) / YEAR_MS;
  return {
    priceAt(market, timeMs): SourcedPrice | undefined {
      const start = startPrices.get(market);
      if (start === undefined) return undefined;
      const path = walkAt({ seed, market, timeMs, variance });
      const slot = Math.floor(timeMs / RESOLUTION_MS);
      const error = (noisePpm / MILLION) * normal(seed ^ 0x5bd1_e995, market * 256 + publisher, slot, 1);
      const price = Math.max(1, Math.round(start * Math.exp(path + error)));
      return { price, confidence: Math.max(1, Math.round((price * confidencePpm) / MILLION)) };
    },
  };
}

/** Logarithm of price ÷ start price at a time. */
function walkAt(at: { seed: number; market: number; timeMs: number; variance: number }): number {
  const { seed, market, timeMs, variance } = at;
  const block = Math.floor(timeMs / BLOCK_MS);
  const border = Math.sqrt((variance * BLOCK_MS) / 4);
  let low = block * BLOCK_MS;
  let high = low + BLOCK_MS;
  let lowValue = border * normal(seed, market, block, 0);
  let highValue = border * normal(seed, market, block + 1, 0);
  while (high - low > RESOLUTION_MS) {
    const length = high - low;
    const middle = low + length / 2;
    const value =
      (lowValue + highValue) / 2 +
      Math.sqrt((variance * length) / 4) * normal(seed, market, middle / RESOLUTION_MS, length);
    if (timeMs < middle) {
      high = middle;
      highValue = value;
    } else {
      low = middle;
      lowValue = value;
    }
  }
  return lowValue + ((highValue - lowValue) * (timeMs - low)) / (high - low);
}

/** A standard normal from four integers (Box-Muller on two hashed uniforms). */
function normal(a: number, b: number, c: number, d: number): number {
  const first = uniform(a, b, c, d * 2 + 1);
  const second = uniform(a, b, c, d * 2 + 2);
  return Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
}

/** From (0, 1]. */
function uniform(...words: number[]): number {
  let hash = 0x9e37_79b9;
  for (const word of words) {
    hash = mix(hash ^ (word >>> 0));
    hash = mix(hash ^ (Math.floor(word / 2 ** 32) >>> 0));
  }
  return ((hash >>> 0) + 1) / 2 ** 32;
}

/** The finalizer of MurmurHash3 (Appleby, public domain). */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
