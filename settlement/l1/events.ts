/**
 * Reads what queue and rollup say on L1, in order, once, across restarts and reorgs.
 *
 *   const reader = new EventReader(l1, contracts, { confirmations: 2, cursor: saved });
 *   const poll = await reader.poll();
 *   if (poll.reorg !== undefined) drop everything above poll.reorg.number;
 *   take(poll.events); save(reader.cursor);               // together: the cursor says what was taken
 *
 * One poll covers at most `blocksPerPoll` blocks; `poll.caughtUp` says whether there are more. The reader holds
 * what it reads together itself: queue entries follow each other without gaps and hash to the contract's prefix,
 * batches follow their parents, a strike goes back to one. A node that leaves a log out is found out.
 */

import { type Hex, type Log, parseEventLogs } from 'viem';
import { equalBytes, fromHex } from '#protocol/bytes.ts';
import { nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import { nextQueueHash, type QueueEntry } from '#protocol/queue-entry.ts';
import type { Hash } from '#protocol/units.ts';
import { queueAbi, rollupAbi } from './abi.ts';
import type { L1Client } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { L1Error, l1Error } from './errors.ts';
import { scanLogs } from './logs.ts';

/** Where an event stands: these four name it for good. */
export interface L1Position {
  readonly blockNumber: number;
  readonly blockHash: Hash;
  readonly transactionHash: Hash;
  readonly logIndex: number;
}

export type L1Event =
  | {
      readonly kind: 'queued';
      readonly at: L1Position;
      readonly entry: QueueEntry;
      /** Of the queue after this entry. */
      readonly prefixHash: Hash;
      readonly deadlineMs: number;
    }
  | {
      readonly kind: 'committed';
      readonly at: L1Position;
      readonly id: number;
      readonly epoch: number;
      readonly hash: Hash;
      readonly parentHash: Hash;
      readonly postLedgerRoot: Hash;
      readonly queueNext: number;
      /** L1 time from which it may become final. */
      readonly finalAtMs: number;
    }
  | {
      readonly kind: 'finalized';
      readonly at: L1Position;
      readonly id: number;
      readonly hash: Hash;
      readonly ledgerRoot: Hash;
    }
  | {
      readonly kind: 'epoch-opened';
      readonly at: L1Position;
      readonly epoch: number;
      /** Last batch of the epochs before. */
      readonly id: number;
      readonly hash: Hash;
    }
  | {
      /** This batch and all after it never were; `epoch-opened` follows. */
      readonly kind: 'struck';
      readonly at: L1Position;
      readonly id: number;
      readonly hash: Hash;
      readonly parentHash: Hash;
      /** Last batch that went with it. */
      readonly headId: number;
    }
  | { readonly kind: 'frozen'; readonly at: L1Position };
export type L1EventOf<Kind extends L1Event['kind']> = Extract<L1Event, { readonly kind: Kind }>;

export interface BlockMark {
  readonly number: number;
  readonly hash: Hash;
}

/** The chain as it stood after a block. */
interface Checkpoint extends BlockMark {
  readonly queueNext: number;
  readonly queueHash: Hash;
  readonly batchId: number;
  readonly batchHash: Hash;
}

/** Everything that a reader needs to go on; plain data for any serializer. Newest checkpoint last. */
export interface EventCursor {
  readonly checkpoints: readonly Checkpoint[];
}

export interface EventReaderOptions {
  /** How many blocks below the latest are read; 0 reads the latest. */
  readonly confirmations: number;
  /** From an earlier reader; without it reading begins at the first block of the contracts. */
  readonly cursor?: EventCursor;
  /** Default 5,000. */
  readonly blocksPerPoll?: number;
}

export interface Poll {
  /** L1 went back: everything above this block is void and is read anew, in this poll and the next. */
  readonly reorg?: BlockMark;
  readonly events: readonly L1Event[];
  /** Last block that was read, with its time; undefined before the contracts' first block is confirmed. */
  readonly through: (BlockMark & { readonly timeMs: number }) | undefined;
  /** True when `through` is as far as confirmations allow. */
  readonly caughtUp: boolean;
}

const CHECKPOINTS_MAX = 512;
const BLOCKS_PER_POLL = 5_000;

export class EventReader {
  private readonly l1: L1Client;
  private readonly rollup: RollupContracts;
  private readonly confirmations: number;
  private readonly blocksPerPoll: number;
  private checkpoints: Checkpoint[];

  constructor(l1: L1Client, rollup: RollupContracts, options: EventReaderOptions) {
    this.l1 = l1;
    this.rollup = rollup;
    this.confirmations = options.confirmations;
    this.blocksPerPoll = options.blocksPerPoll ?? BLOCKS_PER_POLL;
    this.checkpoints = [...(options.cursor?.checkpoints ?? [])];
  }

  /** Everything read so far; unchanged by a poll that rejects. */
  get cursor(): EventCursor {
    return { checkpoints: [...this.checkpoints] };
  }

  /**
   * Reads on. One at a time. Rejects with `L1Error`: `unreachable` and `rejected` may pass; `malformed` (events
   * that don't follow each other) does not.
   */
  async poll(): Promise<Poll> {
    try {
      return await this.pollOnce();
    } catch (error) {
      throw l1Error(error, `l1 ${this.l1.url}`);
    }
  }

  private async pollOnce(): Promise<Poll> {
    const latest = Number(await this.l1.public.getBlockNumber());
    const limit = latest - this.confirmations;
    const base = await this.commonCheckpoint();
    const abandoned = base !== this.checkpoints.at(-1);
    const reorg = abandoned ? { reorg: base ?? this.beginning() } : {};
    const from = base === undefined ? this.rollup.firstBlock : base.number + 1;
    const to = Math.min(limit, from + this.blocksPerPoll - 1);
    if (to < from) {
      // Nothing new is deep enough; what was abandoned is forgotten all the same.
      if (abandoned) this.checkpoints = this.upTo(base);
      return { ...reorg, events: [], through: await this.timed(base), caughtUp: true };
    }
    const end = await this.block(to);
    const events = await this.read(from, to);
    const next = follow(base, events, { number: to, hash: end.hash });
    // While we read, L1 must have stood still up to `to`: otherwise the pieces may be of different chains.
    const again = await this.block(to);
    const baseAgain = base === undefined ? undefined : await this.block(base.number);
    if (
      !equalBytes(again.hash, end.hash) ||
      (baseAgain !== undefined && !equalBytes(baseAgain.hash, base!.hash))
    )
      throw new L1Error(
        'unreachable',
        `l1 ${this.l1.url}: it reorganized while blocks ${from} to ${to} were read`,
      );
    this.checkpoints = thinned([...this.upTo(base), next]);
    return {
      ...reorg,
      events,
      through: { number: to, hash: end.hash, timeMs: end.timeMs },
      caughtUp: to === limit,
    };
  }

  /** The newest checkpoint that is still on the chain; undefined when there is none. */
  private async commonCheckpoint(): Promise<Checkpoint | undefined> {
    const { checkpoints } = this;
    const holds = async (i: number): Promise<boolean> => {
      const block = await this.findBlock(checkpoints[i]!.number);
      return block !== undefined && equalBytes(block.hash, checkpoints[i]!.hash);
    };
    let low = checkpoints.length - 1;
    if (low < 0 || (await holds(low))) return checkpoints[low];
    // Those on the chain come before those that are not.
    let high = low;
    low = -1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (await holds(middle)) low = middle;
      else high = middle;
    }
    return checkpoints[low];
  }

  private upTo(base: Checkpoint | undefined): Checkpoint[] {
    return base === undefined ? [] : this.checkpoints.slice(0, this.checkpoints.indexOf(base) + 1);
  }

  /** Stands for "before the contracts": whoever drops what is above it drops everything. */
  private beginning(): BlockMark {
    return { number: this.rollup.firstBlock - 1, hash: ZERO_HASH };
  }

  private async timed(base: Checkpoint | undefined): Promise<Poll['through']> {
    return base === undefined ? undefined : this.block(base.number);
  }

  private async read(from: number, to: number): Promise<L1Event[]> {
    const logs: Log[] = [];
    const filter = { abi: rollupAbi, address: [this.rollup.queue, this.rollup.rollup] };
    for await (const piece of scanLogs(this.l1, filter, { fromBlock: from, toBlock: to }))
      logs.push(...piece.logs);
    return eventsOf(logs);
  }

  private async block(number: number): Promise<BlockMark & { timeMs: number }> {
    const block = await this.findBlock(number);
    if (block === undefined)
      throw new L1Error('unreachable', `l1 ${this.l1.url}: expected block ${number}, got none`);
    return block;
  }

  private async findBlock(number: number): Promise<(BlockMark & { timeMs: number }) | undefined> {
    const block = (await this.l1.public.request({
      method: 'eth_getBlockByNumber',
      params: [`0x${number.toString(16)}`, false],
    })) as { hash: Hex; timestamp: Hex } | null;
    if (block === null) return undefined;
    return { number, hash: fromHex(block.hash), timeMs: Number(block.timestamp) * 1000 };
  }
}

/** Decodes logs of queue and rollup, in the order of the chain; other events of theirs are left out. */
export function eventsOf(logs: readonly Log[]): L1Event[] {
  const parsed = parseEventLogs({ abi: [...rollupAbi, ...queueAbi], logs: [...logs], strict: true });
  parsed.sort((a, b) => Number(a.blockNumber! - b.blockNumber!) || a.logIndex! - b.logIndex!);
  const events: L1Event[] = [];
  for (const log of parsed) {
    const at: L1Position = {
      blockNumber: Number(log.blockNumber),
      blockHash: fromHex(log.blockHash!),
      transactionHash: fromHex(log.transactionHash!),
      logIndex: log.logIndex!,
    };
    switch (log.eventName) {
      case 'Enqueued':
        events.push({
          kind: 'queued',
          at,
          entry: {
            index: Number(log.args.index),
            kind: log.args.kind,
            owner: fromHex(log.args.owner),
            payload: fromHex(log.args.payload),
          },
          prefixHash: fromHex(log.args.prefixHash),
          deadlineMs: Number(log.args.deadline),
        });
        break;
      case 'BatchCommitted':
        events.push({
          kind: 'committed',
          at,
          id: Number(log.args.id),
          epoch: log.args.epoch,
          hash: fromHex(log.args.hash),
          parentHash: fromHex(log.args.parentHash),
          postLedgerRoot: fromHex(log.args.postLedgerRoot),
          queueNext: Number(log.args.queueNext),
          finalAtMs: Number(log.args.deadline) * 1000,
        });
        break;
      case 'BatchFinalized':
        events.push({
          kind: 'finalized',
          at,
          id: Number(log.args.id),
          hash: fromHex(log.args.hash),
          ledgerRoot: fromHex(log.args.ledgerRoot),
        });
        break;
      case 'EpochOpened':
        events.push({
          kind: 'epoch-opened',
          at,
          epoch: log.args.epoch,
          id: Number(log.args.id),
          hash: fromHex(log.args.hash),
        });
        break;
      case 'BatchStruck':
        events.push({
          kind: 'struck',
          at,
          id: Number(log.args.id),
          hash: fromHex(log.args.hash),
          parentHash: fromHex(log.args.parentHash),
          headId: Number(log.args.headId),
        });
        break;
      case 'Frozen':
        events.push({ kind: 'frozen', at });
        break;
    }
  }
  return events;
}

/** The oldest stays: whatever reorg comes, reading can go on from there at worst. */
const thinned = (checkpoints: Checkpoint[]): Checkpoint[] =>
  checkpoints.length <= CHECKPOINTS_MAX
    ? checkpoints
    : [checkpoints[0]!, ...checkpoints.slice(1 - CHECKPOINTS_MAX)];

/** The checkpoint after `events`; throws `malformed` when they don't continue the one before. */
function follow(base: Checkpoint | undefined, events: readonly L1Event[], block: BlockMark): Checkpoint {
  let queueNext = base?.queueNext ?? 0;
  let queueHash = base?.queueHash ?? ZERO_HASH;
  let batchId = base?.batchId ?? 0;
  let batchHash = base?.batchHash ?? ZERO_HASH;
  for (const event of events) {
    if (event.kind === 'queued') {
      if (event.entry.index !== queueNext) throw gap('queue entry', queueNext, event.entry.index);
      queueHash = nextQueueHash(nobleKeccak, queueHash, event.entry);
      if (!equalBytes(queueHash, event.prefixHash))
        throw new L1Error(
          'malformed',
          `queue entry ${queueNext}: its prefix hash does not follow from its bytes`,
        );
      queueNext += 1;
    } else if (event.kind === 'committed') {
      if (event.id !== batchId + 1) throw gap('batch', batchId + 1, event.id);
      if (!equalBytes(event.parentHash, batchHash))
        throw new L1Error('malformed', `batch ${event.id}: its parent is not batch ${batchId}`);
      batchId = event.id;
      batchHash = event.hash;
    } else if (event.kind === 'struck') {
      if (event.headId !== batchId) throw gap('a strike from batch', batchId, event.headId);
      batchId = event.id - 1;
      batchHash = event.parentHash;
    }
  }
  return { ...block, queueNext, queueHash, batchId, batchHash };
}

const gap = (what: string, expected: number, got: number): L1Error =>
  new L1Error(
    'malformed',
    `l1 events: expected ${what} ${expected} next, got ${got}: the node left logs out`,
  );
