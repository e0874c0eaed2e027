/** What a benchmark reports: one row per figure, with the baseline that was measured beside it. */

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same in another program or part, taken in the same run. */
  readonly baseline?: { readonly name: string; readonly value: number };
  /** What the row is judged by, when it is a ratio of performance.md section 4. */
  readonly ratio?: {
    readonly value: number;
    readonly floor: number;
    readonly stretch: number;
    readonly higherIsBetter: boolean;
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function percentile(sorted: Float64Array | readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** Small, fast, seeded random numbers in [0, 1): xorshift128+ would do as well; this is mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
