/**
 * What L1 has said so far, on disk: queue entries, committed and final batches, the cursor of the reader. A poll is
 * taken in whole, with its cursor, or not at all. A reorg takes back what it took away, a strike the batches that it
 * removed; a reorg that takes back a strike brings them again.
 */
import { FIRST_EPOCH } from '#protocol/batch.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import type { Hash } from '#protocol/units.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import {
  type EventCursor,
  EventReader,
  type L1Event,
  type L1EventOf,
  type Poll,
} from '#settlement/l1/events.ts';
import type { L1QueueEntry } from './derive.ts';
import { type Operation, rowKey, type VerifierStore } from './store.ts';

/** A committed batch as L1 announced it. */
export interface CommitRow {
  readonly id: number;
  readonly epoch: number;
  /** Epoch that was open when it was committed. */
  readonly openEpoch: number;
  readonly hash: Hash;
  readonly postLedgerRoot: Hash;
  readonly queueNext: number;
  /** Entries in the queue when it was committed. */
  readonly queueLength: number;
  readonly finalAtMs: number;
  readonly blockNumber: number;
  readonly blockHash: Hash;
  readonly transactionHash: Hash;
}

/** A batch as L1 announced it to be final. */
export interface FinalRow {
  readonly id: number;
  readonly hash: Hash;
  readonly ledgerRoot: Hash;
  readonly blockNumber: number;
}

/** A strike, with the rows that it removed, in case L1 takes it back. */
interface StrikeRow {
  readonly id: number;
  readonly hash: Hash;
  readonly blockNumber: number;
  readonly removed: readonly CommitRow[];
}

interface LogState {
  readonly cursor: EventCursor;
  readonly committed: number;
  readonly final: number;
  /** Strikes so far. */
  readonly strikes: number;
  readonly queueLength: number;
  readonly epochs: readonly { readonly epoch: number; readonly blockNumber: number }[];
  readonly frozenAtBlock: number;
  /** Last block read, 0 before the first. */
  readonly block: number;
}

const EMPTY: LogState = {
  cursor: { checkpoints: [] },
  committed: 0,
  final: 0,
  strikes: 0,
  queueLength: 0,
  epochs: [],
  frozenAtBlock: -1,
  block: 0,
};
const LOG = 'log';

export interface LogPoll {
  /** Every batch above this one is gone, by a reorg or a strike; those that came again are new ones. */
  readonly keptBatch?: number;
  readonly reorged: boolean;
  /** Batches that were struck since the last poll, by what L1 says now. */
  readonly struck: readonly { readonly id: number; readonly hash: Hash }[];
  readonly caughtUp: boolean;
  readonly changed: boolean;
}

const rowWritten = (written: Operation): CommitRow | undefined =>
  written.type === 'put' ? (written.value as CommitRow) : undefined;

export class L1Log {
  private readonly store: VerifierStore;
  private readonly reader: EventReader;
  private state: LogState;

  static async open(l1: L1Client, rollup: RollupContracts, store: VerifierStore): Promise<L1Log> {
    const state = (await store.get<LogState>(LOG)) ?? EMPTY;
    const reader = new EventReader(l1, rollup, { confirmations: 0, cursor: state.cursor });
    return new L1Log(store, reader, state);
  }

  private constructor(store: VerifierStore, reader: EventReader, state: LogState) {
    this.store = store;
    this.reader = reader;
    this.state = state;
  }

  /** Highest ids as of the last block read; 0 before the first. */
  get committed(): number {
    return this.state.committed;
  }
  get final(): number {
    return this.state.final;
  }
  get frozen(): boolean {
    return this.state.frozenAtBlock >= 0;
  }
  get block(): number {
    return this.state.block;
  }

  /** Reads on and takes it in. Rejects with `L1Error`; then nothing has changed. */
  async poll(): Promise<LogPoll> {
    const poll = await this.reader.poll();
    const operations: Operation[] = [];
    const reorged = poll.reorg !== undefined;
    const unwound = reorged ? await this.unwind(poll.reorg.number, operations) : undefined;
    const next = await this.take(unwound?.state ?? this.state, poll, operations);
    const struck = poll.events.filter((event) => event.kind === 'struck');
    const kept = [...(unwound === undefined ? [] : [unwound.keptBatch]), ...struck.map(({ id }) => id - 1)];
    if (reorged || poll.events.length > 0 || next.block !== this.state.block) {
      operations.push({ type: 'put', key: LOG, value: next });
      await this.store.write(operations);
    }
    this.state = next;
    return {
      caughtUp: poll.caughtUp,
      changed: poll.events.length > 0 || reorged,
      reorged,
      struck: struck.map(({ id, hash }) => ({ id, hash })),
      ...(kept.length === 0 ? {} : { keptBatch: Math.min(...kept) }),
    };
  }

  commit(id: number): Promise<CommitRow | undefined> {
    return this.store.get<CommitRow>(rowKey('commit', id));
  }

  finalized(id: number): Promise<FinalRow | undefined> {
    return this.store.get<FinalRow>(rowKey('final', id));
  }

  /** Queue entries from `first` on, below `next`. */
  async entries(first: number, next: number): Promise<L1QueueEntry[]> {
    const entries: L1QueueEntry[] = [];
    for await (const { value } of this.store.rows<L1QueueEntry>('queue', { first, next }))
      entries.push(value);
    return entries;
  }

  /** Prefix hash before entry `index`; undefined when the queue is shorter. */
  async queueHash(index: number): Promise<Hash | undefined> {
    if (index === 0) return ZERO_HASH;
    return (await this.store.get<L1QueueEntry>(rowKey('queue', index - 1)))?.prefixHash;
  }

  /** The state as of `block`, and the last batch that stood before and stands now. */
  private async unwind(
    block: number,
    operations: Operation[],
  ): Promise<{ readonly state: LogState; readonly keptBatch: number }> {
    const { state } = this;
    const drop = async (kind: string): Promise<number | undefined> => {
      for await (const number of this.store.numbers(kind)) {
        const key = rowKey(kind, number);
        const row = await this.store.get<{ blockNumber: number }>(key);
        if (row!.blockNumber <= block) return number;
        operations.push({ type: 'del', key });
      }
      return undefined;
    };
    const keptBatch = (await drop('commit')) ?? 0;
    // Without the strikes above `block`, what they removed stands again: it comes after what is dropped.
    const restored = await this.restore(block, operations);
    return {
      keptBatch,
      state: {
        ...state,
        committed: Math.max(keptBatch, ...restored),
        final: (await drop('final')) ?? 0,
        strikes: ((await drop('strike')) ?? -1) + 1,
        queueLength: ((await drop('queue')) ?? -1) + 1,
        epochs: state.epochs.filter(({ blockNumber }) => blockNumber <= block),
        frozenAtBlock: state.frozenAtBlock > block ? -1 : state.frozenAtBlock,
        block,
      },
    };
  }

  private async restore(block: number, operations: Operation[]): Promise<number[]> {
    const restored: number[] = [];
    for await (const number of this.store.numbers('strike')) {
      const strike = await this.store.get<StrikeRow>(rowKey('strike', number));
      if (strike!.blockNumber <= block) break;
      for (const row of strike!.removed) {
        if (row.blockNumber > block) continue;
        operations.push({ type: 'put', key: rowKey('commit', row.id), value: row });
        restored.push(row.id);
      }
    }
    return restored;
  }

  private async take(from: LogState, poll: Poll, operations: Operation[]): Promise<LogState> {
    const state = { ...from, epochs: [...from.epochs] };
    const put = (kind: string, number: number, value: unknown): void => {
      operations.push({ type: 'put', key: rowKey(kind, number), value });
    };
    for (const event of poll.events)
      if (event.kind === 'struck') await this.takeStrike(event, state, operations);
      else this.takeEvent(event, state, put);
    return { ...state, cursor: this.reader.cursor, block: poll.through?.number ?? state.block };
  }

  /** Rows of the batches that are gone: those of this poll are among the operations, not yet in the store. */
  private async takeStrike(
    event: L1EventOf<'struck'>,
    state: { committed: number; strikes: number },
    operations: Operation[],
  ): Promise<void> {
    const { id, hash } = event;
    const removed: CommitRow[] = [];
    for (let gone = id; gone <= state.committed; gone++) {
      const key = rowKey('commit', gone);
      const written = operations.findLast((operation) => operation.key === key);
      const row = written === undefined ? await this.store.get<CommitRow>(key) : rowWritten(written);
      if (row !== undefined) removed.push(row);
      operations.push({ type: 'del', key });
    }
    const row: StrikeRow = { id, hash, blockNumber: event.at.blockNumber, removed };
    operations.push({ type: 'put', key: rowKey('strike', state.strikes), value: row });
    state.strikes += 1;
    state.committed = id - 1;
  }

  private takeEvent(
    event: Exclude<L1Event, { kind: 'struck' }>,
    state: {
      -readonly [Field in keyof LogState]: LogState[Field];
    } & { epochs: { epoch: number; blockNumber: number }[] },
    put: (kind: string, number: number, value: unknown) => void,
  ): void {
    const { blockNumber, blockHash, transactionHash } = event.at;
    switch (event.kind) {
      case 'queued': {
        const { entry, prefixHash, deadlineMs } = event;
        const row: L1QueueEntry = { ...entry, prefixHash, deadlineMs, blockNumber };
        put('queue', entry.index, row);
        state.queueLength = entry.index + 1;
        break;
      }
      case 'committed': {
        const { id, epoch, hash, postLedgerRoot, queueNext, finalAtMs } = event;
        const openEpoch = state.epochs.at(-1)?.epoch ?? FIRST_EPOCH;
        const row: CommitRow = {
          ...{ id, epoch, openEpoch, hash, postLedgerRoot, queueNext, finalAtMs },
          ...{ queueLength: state.queueLength, blockNumber, blockHash, transactionHash },
        };
        put('commit', id, row);
        state.committed = id;
        break;
      }
      case 'finalized': {
        const row: FinalRow = { id: event.id, hash: event.hash, ledgerRoot: event.ledgerRoot, blockNumber };
        put('final', event.id, row);
        state.final = event.id;
        break;
      }
      case 'epoch-opened':
        state.epochs.push({ epoch: event.epoch, blockNumber });
        break;
      case 'frozen':
        state.frozenAtBlock = blockNumber;
    }
  }
}
