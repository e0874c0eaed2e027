/**
 * Latencies in microseconds, counted in buckets that are at most 1/16 wide relative to their value, so that one
 * sample costs a few nanoseconds and quantiles are right to about 6 %.
 */
const SUB_BITS = 4;
const SUB = 1 << SUB_BITS;
/** Up to 2^32 µs, a good hour. */
const BUCKETS = (32 - SUB_BITS + 1) * SUB;

function bucketOf(us: number): number {
  const value = us <= 0 ? 0 : us >= 4_294_967_295 ? 4_294_967_295 : Math.floor(us);
  if (value < SUB) return value;
  const exponent = 31 - Math.clz32(value);
  const shift = exponent - SUB_BITS;
  return (shift + 1) * SUB + ((value >>> shift) - SUB);
}

/** Lowest value that falls into the bucket after `bucket`: an upper bound of what it counted. */
function upperOf(bucket: number): number {
  if (bucket < SUB) return bucket + 1;
  const shift = Math.floor(bucket / SUB) - 1;
  return (SUB + (bucket % SUB) + 1) * 2 ** shift;
}

export class LatencyHistogram {
  private readonly counts = new Float64Array(BUCKETS);
  /** Samples since the last `reset`. */
  count = 0;
  sumUs = 0;

  add(us: number): void {
    const bucket = bucketOf(us);
    this.counts[bucket] = this.counts[bucket]! + 1;
    this.count++;
    this.sumUs += us;
  }

  /** Microseconds below which the share `q` (0 … 1) of the samples lies; 0 without samples. */
  quantile(q: number): number {
    if (this.count === 0) return 0;
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.counts[bucket]!;
      if (seen >= rank) return upperOf(bucket);
    }
    return upperOf(BUCKETS - 1);
  }

  reset(): void {
    this.counts.fill(0);
    this.count = 0;
    this.sumUs = 0;
  }
}
