/**
 * Follows L1 for a running process: polls, and holds what is settled for synchronous reads. It has the form of
 * the pipeline's `L1View` (queue entries and anchor at `confirmations` below the head) and tells where batches
 * stand (as of the latest block: that may still change).
 *
 *   const follower = new L1Follower(l1, contracts, { confirmations: 2 });
 *   await follower.start();            // first poll done: everything confirmed so far is there
 *   follower.failed.then(stopWithItsSentence);
 */

import { FIRST_EPOCH } from '#protocol/batch.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { QueueEntry } from '#protocol/queue-entry.ts';
import type { Hash } from '#protocol/units.ts';
import type { Hex, L1Client } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { L1Error, l1Error } from './errors.ts';
import { EventReader, type L1Event, type L1EventOf, type L1Position } from './events.ts';

export interface L1FollowerOptions {
  /** Depth at which queue entries count and anchors are taken. */
  readonly confirmations: number;
  /** Between polls; default: the client's. */
  readonly pollMs?: number;
  readonly now?: () => number;
}

/** A block that batches may name. */
export interface FollowedBlock {
  readonly number: number;
  readonly hash: Hash;
  readonly timeMs: number;
}

/** A confirmed queue entry with its place on L1. */
export interface FollowedEntry extends QueueEntry {
  readonly blockNumber: number;
  /** Of the queue after this entry. */
  readonly prefixHash: Hash;
  /** It must be in a committed batch by then. */
  readonly deadlineMs: number;
  readonly at: L1Position;
}

/** A batch as the latest block knows it. */
export interface FollowedBatch {
  readonly id: number;
  readonly epoch: number;
  readonly hash: Hash;
  readonly stage: 'committed' | 'final';
  /** Transaction that committed it. */
  readonly transaction: Hash;
  readonly finalAtMs: number;
  readonly blockNumber: number;
}

/** A strike as the latest block knows it. */
export interface FollowedStrike {
  /** The batch that was proven wrong. */
  readonly id: number;
  readonly hash: Hash;
  /** Epoch that it ended: whatever was signed in it or before is void above `id - 1`. */
  readonly epoch: number;
  readonly blockNumber: number;
  /** Batches that went with it, in case L1 takes the strike back. */
  readonly removed: readonly Omit<FollowedBatch, 'stage'>[];
}

const SLOW_POLLS = 3;
/** Polls in a row that may bring events which don't follow each other. */
const MALFORMED_MAX = 10;
/** Of the newest batches; older ones are final and not asked for. */
const BATCHES_KEPT = 10_000;

export class L1Follower {
  /** Resolves with an error that waiting can't cure: a reorg deeper than confirmations, or malformed events. */
  readonly failed: Promise<L1Error>;
  /** Newest block that is deep enough; undefined before the first poll. */
  anchor: FollowedBlock | undefined;
  /** When L1 last answered. */
  seenAtMs = 0;
  /** Last error of a poll; undefined while L1 answers. */
  trouble: L1Error | undefined;
  /** Highest id committed and final as of the latest block; 0 before the first. */
  committed = 0;
  final = 0;
  epoch = FIRST_EPOCH;
  frozen = false;

  private readonly l1: L1Client;
  /** Hash of the latest block when everything was read up to it: while it stands, there is nothing to read. */
  private readUpTo: Hex | undefined;
  private readonly settled: EventReader;
  private readonly newest: EventReader;
  private readonly pollMs: number;
  private readonly now: () => number;
  private readonly listeners = new Set<() => void>();
  private readonly queue: FollowedEntry[] = [];
  /** Index of queue[0]. */
  private queueFrom = 0;
  private batches = new Map<number, Omit<FollowedBatch, 'stage'>>();
  private finalized: { id: number; blockNumber: number }[] = [];
  private strikes: FollowedStrike[] = [];
  private epochs: { epoch: number; blockNumber: number }[] = [];
  private frozenAtBlock: number | undefined;
  private fail!: (error: L1Error) => void;
  private malformed = 0;
  private timer: NodeJS.Timeout | undefined;
  private polling: Promise<void> | undefined;
  private stopped = false;

  constructor(l1: L1Client, rollup: RollupContracts, options: L1FollowerOptions) {
    this.l1 = l1;
    this.settled = new EventReader(l1, rollup, { confirmations: options.confirmations });
    this.newest = new EventReader(l1, rollup, { confirmations: 0 });
    this.pollMs = options.pollMs ?? l1.pollMs;
    this.now = options.now ?? Date.now;
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  /** Reads up to now, then goes on by itself. Rejects when the first reading fails. */
  async start(): Promise<void> {
    await this.poll();
    this.plan();
  }

  /** No poll is under way or planned once it resolves. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.polling?.catch(() => {});
  }

  /** Confirmed entries from `index` on without gaps, at most `limit`. */
  entries(index: number, limit: number): readonly FollowedEntry[] {
    const from = index - this.queueFrom;
    return from < 0 ? [] : this.queue.slice(from, from + limit);
  }

  /** Confirmed entries so far. */
  get queueLength(): number {
    return this.queueFrom + this.queue.length;
  }

  /** Entries below `index` are not asked for any more. */
  forgetEntries(index: number): void {
    const count = Math.min(index - this.queueFrom, this.queue.length);
    if (count <= 0) return;
    this.queue.splice(0, count);
    this.queueFrom += count;
  }

  batch(id: number): FollowedBatch | undefined {
    const batch = this.batches.get(id);
    return batch === undefined ? undefined : { ...batch, stage: id <= this.final ? 'final' : 'committed' };
  }

  /** The last strike; undefined before the first. */
  get strike(): FollowedStrike | undefined {
    return this.strikes.at(-1);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Reads up to now; the timer does this by itself. */
  poll(): Promise<void> {
    this.polling ??= this.pollOnce().finally(() => {
      this.polling = undefined;
    });
    return this.polling;
  }

  private plan(): void {
    if (this.stopped) return;
    const wait = this.trouble === undefined ? this.pollMs : this.pollMs * SLOW_POLLS;
    this.timer = setTimeout(() => {
      this.poll().then(
        () => this.plan(),
        () => this.plan(),
      );
    }, wait);
  }

  private async pollOnce(): Promise<void> {
    try {
      const latest = await this.l1.public.getBlock({ blockTag: 'latest' });
      let changed = false;
      if (latest.hash !== this.readUpTo) {
        const settled = await this.readSettled();
        const newest = await this.readNewest();
        changed = settled || newest;
        this.readUpTo = latest.hash;
      }
      this.trouble = undefined;
      this.malformed = 0;
      this.seenAtMs = this.now();
      if (changed) for (const listener of [...this.listeners]) listener();
    } catch (error) {
      const sorted = l1Error(error, 'l1');
      this.trouble = sorted;
      // A node behind a balancer may leave something out once; one that does so again and again is wrong.
      this.malformed = sorted.code === 'malformed' ? this.malformed + 1 : 0;
      if (sorted.code === 'deep-reorg' || this.malformed === MALFORMED_MAX) {
        this.stopped = true;
        this.fail(sorted);
      }
      throw sorted;
    }
  }

  private async readSettled(): Promise<boolean> {
    let changed = false;
    for (let caughtUp = false; !caughtUp; ) {
      const poll = await this.settled.poll();
      caughtUp = poll.caughtUp;
      for (const event of poll.events)
        if (event.kind === 'queued') changed = this.takeEntry(event) || changed;
      const { through } = poll;
      if (through === undefined) continue;
      if (this.anchor === undefined || !equalBytes(this.anchor.hash, through.hash)) {
        this.anchor = { number: through.number, hash: through.hash, timeMs: through.timeMs };
        changed = true;
      }
    }
    return changed;
  }

  /** Entries were handed out: a reorg may bring them again, but not others in their place. */
  private takeEntry(event: L1EventOf<'queued'>): boolean {
    const { entry, prefixHash, deadlineMs, at } = event;
    const known = entry.index < this.queueFrom ? undefined : this.queue[entry.index - this.queueFrom];
    if (known !== undefined && !equalBytes(known.prefixHash, prefixHash))
      throw new L1Error(
        'deep-reorg',
        `l1: queue entry ${entry.index} is another than the one confirmed in block ${known.blockNumber}: L1 reorganized deeper than the configured confirmations`,
      );
    if (known !== undefined || entry.index < this.queueFrom) return false;
    this.queue.push({ ...entry, blockNumber: at.blockNumber, prefixHash, deadlineMs, at });
    return true;
  }

  private async readNewest(): Promise<boolean> {
    let changed = false;
    for (let caughtUp = false; !caughtUp; ) {
      const poll = await this.newest.poll();
      caughtUp = poll.caughtUp;
      if (poll.reorg !== undefined) {
        this.unwind(poll.reorg.number);
        changed = true;
      }
      for (const event of poll.events) {
        if (event.kind === 'queued') continue;
        changed = true;
        this.takeBatchEvent(event);
      }
    }
    return changed;
  }

  private takeBatchEvent(event: Exclude<L1Event, { kind: 'queued' }>): void {
    const { blockNumber, transactionHash } = event.at;
    switch (event.kind) {
      case 'committed': {
        const { id, epoch, hash, finalAtMs } = event;
        this.batches.set(id, { id, epoch, hash, transaction: transactionHash, finalAtMs, blockNumber });
        this.batches.delete(id - BATCHES_KEPT);
        this.committed = id;
        break;
      }
      case 'struck': {
        const { id, hash } = event;
        const removed = [...this.batches.values()].filter((batch) => batch.id >= id);
        this.strikes.push({ id, hash, epoch: this.epoch, blockNumber, removed });
        for (const batch of removed) this.batches.delete(batch.id);
        this.committed = id - 1;
        break;
      }
      case 'finalized':
        this.finalized.push({ id: event.id, blockNumber });
        if (this.finalized.length > BATCHES_KEPT) this.finalized.shift();
        this.final = event.id;
        break;
      case 'epoch-opened':
        this.epochs.push({ epoch: event.epoch, blockNumber });
        this.epoch = event.epoch;
        break;
      case 'frozen':
        this.frozenAtBlock = blockNumber;
        this.frozen = true;
    }
  }

  /** Forgets what stood above `block`. */
  private unwind(block: number): void {
    for (const [id, batch] of this.batches) if (batch.blockNumber > block) this.batches.delete(id);
    // What a strike removed stands again without it, unless it was committed above `block` itself.
    for (const strike of this.strikes.filter((one) => one.blockNumber > block))
      for (const batch of strike.removed) if (batch.blockNumber <= block) this.batches.set(batch.id, batch);
    this.strikes = this.strikes.filter((one) => one.blockNumber <= block);
    this.committed = Math.max(0, ...this.batches.keys());
    this.finalized = this.finalized.filter((one) => one.blockNumber <= block);
    this.final = this.finalized.at(-1)?.id ?? 0;
    this.epochs = this.epochs.filter((one) => one.blockNumber <= block);
    this.epoch = this.epochs.at(-1)?.epoch ?? FIRST_EPOCH;
    if (this.frozenAtBlock !== undefined && this.frozenAtBlock > block) this.frozenAtBlock = undefined;
    this.frozen = this.frozenAtBlock !== undefined;
  }
}
