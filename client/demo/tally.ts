/** What a run has sent and got back: counts of operations, fills, and the time from sending to the reply. */

/** Values below this have a bucket of their own; above, 64 buckets a doubling (1.6 %). */
const EXACT = 128;
const PER_DOUBLING = 64;
const BUCKETS = EXACT + 32 * PER_DOUBLING;

/** Distribution of microseconds in constant memory; percentiles are the upper edge of their bucket. */
export class LatencyTally {
  private readonly counts = new Float64Array(BUCKETS);
  count = 0;

  add(microseconds: number): void {
    this.counts[bucketOf(microseconds)]!++;
    this.count++;
  }

  /** Microseconds that `share` (0 … 1) of the values do not exceed; 0 when there are none. */
  percentile(share: number): number {
    let left = Math.ceil(share * this.count);
    if (left === 0) return 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.counts[bucket]!;
      if (left <= 0) return edgeOf(bucket);
    }
    return edgeOf(BUCKETS - 1);
  }

  clear(): void {
    this.counts.fill(0);
    this.count = 0;
  }
}

function bucketOf(microseconds: number): number {
  const value = Math.max(0, Math.floor(microseconds));
  if (value < EXACT) return value;
  const doubling = Math.floor(Math.log2(value));
  const part = Math.floor((value / 2 ** doubling - 1) * PER_DOUBLING);
  return Math.min(BUCKETS - 1, EXACT + (doubling - 7) * PER_DOUBLING + part);
}

function edgeOf(bucket: number): number {
  if (bucket < EXACT) return bucket;
  const doubling = 7 + Math.floor((bucket - EXACT) / PER_DOUBLING);
  const part = (bucket - EXACT) % PER_DOUBLING;
  return Math.ceil(2 ** doubling * (1 + (part + 1) / PER_DOUBLING)) - 1;
}

export interface OperationResultLike {
  /** 0: done. */
  readonly rejectCode: number;
  readonly canceled: number;
  readonly status: string;
}

export class Tally {
  /** Operations: places, amends, cancels. */
  sent = 0;
  accepted = 0;
  rejected = 0;
  /** Orders that were canceled on request. */
  canceled = 0;
  /** Trades on the public stream. */
  fills = 0;
  readonly orderToReply = new LatencyTally();
  /** The same since `takeInterval`. */
  readonly interval = new LatencyTally();
  private firstAt = 0;
  private lastAt = 0;

  /** A message of so many operations was answered `microseconds` after it was sent. */
  replied(results: readonly OperationResultLike[], microseconds: number): void {
    this.markTime();
    this.sent += results.length;
    for (const { rejectCode, canceled, status } of results) {
      if (rejectCode === 0) this.accepted++;
      else this.rejected++;
      this.canceled += canceled + (status === 'canceled' && canceled === 0 ? 1 : 0);
    }
    this.orderToReply.add(microseconds);
    this.interval.add(microseconds);
  }

  /** A message of so many operations was refused whole. */
  refused(operations: number): void {
    this.markTime();
    this.sent += operations;
    this.rejected += operations;
  }

  /** Seconds from the first answer to the last. */
  get seconds(): number {
    return (this.lastAt - this.firstAt) / 1_000;
  }

  private markTime(): void {
    this.lastAt = performance.now();
    if (this.firstAt === 0) this.firstAt = this.lastAt;
  }
}
