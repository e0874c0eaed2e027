/** When the rows of a replay are due: by their recorded times, and never faster than the published quotas allow. */
import type { RecordedRow } from './recording.ts';

/** Of the published quotas, what is used: the server's clock and ours are not in step. */
const QUOTA_SHARE = 0.9;

export class ReplayPace {
  private readonly rows: readonly RecordedRow[];
  private readonly speed: number | 'max';
  private readonly perMs: number;
  private readonly burst: number;
  private readonly firstNs: bigint;
  private readonly now: () => number;
  private readonly start: number;
  private tokens: number;
  private filledAt: number;

  constructor(
    rows: readonly RecordedRow[],
    speed: number | 'max',
    quotas: { readonly framesPerSecond: number; readonly framesBurst: number },
    now: () => number = () => performance.now(),
  ) {
    this.rows = rows;
    this.speed = speed;
    this.perMs = (QUOTA_SHARE * quotas.framesPerSecond) / 1_000;
    this.burst = Math.max(1, QUOTA_SHARE * quotas.framesBurst);
    this.tokens = this.burst;
    this.now = now;
    this.start = now();
    this.filledAt = this.start;
    this.firstNs = BigInt(rows[0]!.timeNs);
  }

  /** How many rows from `row` on, at most `most`, go now. */
  due(row: number, most: number): number {
    const now = this.now();
    this.tokens = Math.min(this.burst, this.tokens + (now - this.filledAt) * this.perMs);
    this.filledAt = now;
    let count = 0;
    while (
      count < most &&
      row + count < this.rows.length &&
      this.tokens >= 1 &&
      this.timeOf(row + count) <= now
    ) {
      this.tokens--;
      count++;
    }
    return count;
  }

  /** Milliseconds until `row` may go; 0: after everybody else's turn. */
  waitMs(row: number): number {
    if (row >= this.rows.length) return 0;
    const untilToken = this.tokens >= 1 ? 0 : (1 - this.tokens) / this.perMs;
    return Math.ceil(Math.max(untilToken, this.timeOf(row) - this.now(), 0));
  }

  private timeOf(row: number): number {
    if (this.speed === 'max') return 0;
    return this.start + Number(BigInt(this.rows[row]!.timeNs) - this.firstNs) / 1e6 / this.speed;
  }
}
