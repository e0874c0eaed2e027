/**
 * A batch as it grows: its steps, records and leaf writes, cut into segments. Knows nothing of engines; what
 * feeds it is tree-trace.ts.
 */
import { assert } from '#protocol/assert.ts';
import { TRACE_ENTRY_BYTES, type TraceEntry } from '#protocol/batch.ts';
import { concat, viewOf } from '#protocol/bytes.ts';
import { recordTime } from '#protocol/command.ts';
import { type Keccak, ZERO_HASH } from '#protocol/hash.ts';
import type { Hash } from '#protocol/units.ts';
import type { LeafChange } from './diff.ts';
import { isBookKey } from './keys.ts';
import type { LeafValue } from './leaves.ts';
import { LedgerChanges } from './ledger-changes.ts';
import { type StateTrees, stateRoot } from './state-root.ts';
import { stepWeight } from './step-weights.ts';

/** Where in the chain of steps, commands and inputs a batch begins. */
export interface TraceStart {
  /** Number of the first step; steps count from 0 over all batches. */
  readonly nextStep: number;
  /** Seq of the first command. */
  readonly nextSeq: number;
  /** Running input hash so far. */
  readonly inputHash: Hash;
}

export const GENESIS_START: TraceStart = { nextStep: 0, nextSeq: 1, inputHash: ZERO_HASH };

/** What a header says of the state besides roots. */
export interface Cursor {
  readonly now: number;
  readonly queueNext: number;
  readonly queueHash: Hash;
}

/** What a batch says, in terms of the state alone; batch-assembly.ts makes the header of it. */
export interface BatchTrace {
  readonly firstStep: number;
  readonly nextStep: number;
  readonly firstSeq: number;
  readonly nextSeq: number;
  readonly preLedgerRoot: Hash;
  readonly preBookRoot: Hash;
  readonly postLedgerRoot: Hash;
  readonly postBookRoot: Hash;
  readonly preInputHash: Hash;
  readonly postInputHash: Hash;
  readonly segments: readonly TraceEntry[];
  /** Records whose first step is in the batch, concatenated. */
  readonly inputs: Uint8Array;
  /** Ledger leaves that differ from the batch's start. */
  readonly changes: readonly LeafChange[];
  readonly queueFirst: number;
  readonly queueNext: number;
  /** Prefix hash before entry `queueNext`. */
  readonly queueHash: Hash;
  /** Time of the first step's command and of the last one's, ms. */
  readonly timeFirst: number;
  readonly timeLast: number;
  /** Whether the batch ends with a command, so that it leaves no steps of it to the next batch. */
  readonly isWhole: boolean;
}

interface BatchStart extends TraceStart {
  readonly ledgerRoot: Hash;
  readonly bookRoot: Hash;
  readonly queueNext: number;
}

export class BatchBuilder {
  nextStep: number;
  nextSeq: number;
  /** Steps, weight and input bytes of the segment that is open. */
  segmentSteps = 0;
  segmentWeight = 0;
  segmentInputBytes = 0;

  private readonly trees: StateTrees;
  private readonly keccak: Keccak;
  private readonly changes = new LedgerChanges();
  private inputHash: Hash;
  private ledgerRoot: Hash;
  private bookRoot: Hash;
  private start: BatchStart;
  private timeFirst = -1;
  private segments: TraceEntry[] = [];
  private inputs: Uint8Array[] = [];
  /** Of the batch so far, with the open segment's. */
  inputBytes = 0;

  /** `trees` must be those of the state at `start` and `cursor`. */
  constructor(trees: StateTrees, keccak: Keccak, start: TraceStart, cursor: Cursor) {
    this.trees = trees;
    this.keccak = keccak;
    this.nextStep = start.nextStep;
    this.nextSeq = start.nextSeq;
    this.inputHash = start.inputHash;
    this.ledgerRoot = trees.ledger.root();
    this.bookRoot = trees.book.root();
    this.start = this.here(cursor.queueNext);
  }

  /** Steps since the batch began. */
  get steps(): number {
    return this.nextStep - this.start.nextStep;
  }

  /** Commands begun since the batch began. */
  get commands(): number {
    return this.nextSeq - this.start.nextSeq;
  }

  get segmentCount(): number {
    return this.segments.length;
  }

  /** Bytes of inputs, trace and, as an upper bound, diff up to the last cut, counting the open segment's inputs. */
  get bytes(): number {
    return this.inputBytes + (this.segments.length + 1) * TRACE_ENTRY_BYTES + this.changes.bytes;
  }

  /** The next step, at time `now`; `record` is the one that it is the first step of, and is kept. */
  step(kind: number, now: number, record?: Uint8Array): void {
    this.nextStep++;
    this.segmentSteps++;
    this.segmentWeight += stepWeight(kind);
    if (record !== undefined) {
      this.nextSeq++;
      this.inputHash = this.keccak(concat(this.inputHash, this.keccak(record)));
      this.inputs.push(record);
      this.inputBytes += record.length;
      this.segmentInputBytes += record.length;
    }
    if (this.timeFirst < 0) this.timeFirst = record === undefined ? now : recordTime(viewOf(record));
  }

  write(key: Uint8Array, value: LeafValue): void {
    const tree = isBookKey(key) ? this.trees.book : this.trees.ledger;
    if (tree === this.trees.ledger) this.changes.note(key, tree.get(key), value);
    if (value === undefined) tree.delete(key);
    else tree.set(key, value);
  }

  /** Ends the segment; everything that its steps changed must have been written. */
  cut(): TraceEntry {
    assert(this.segmentSteps > 0, 'a segment has at least one step');
    this.ledgerRoot = this.trees.ledger.root();
    this.bookRoot = this.trees.book.root();
    const segment: TraceEntry = {
      nextStep: this.nextStep,
      nextSeq: this.nextSeq,
      inputEnd: this.inputBytes,
      weight: this.segmentWeight,
      inputHash: this.inputHash,
      stateRoot: stateRoot(this.ledgerRoot, this.bookRoot, this.keccak),
    };
    this.segments.push(segment);
    this.segmentSteps = 0;
    this.segmentWeight = 0;
    this.segmentInputBytes = 0;
    return segment;
  }

  /** Ends the batch after a cut, and begins the next one. */
  close(cursor: Cursor, isWhole: boolean): BatchTrace {
    assert(this.segmentSteps === 0 && this.segments.length > 0, 'a batch ends where a segment ends');
    const { start } = this;
    const batch: BatchTrace = {
      firstStep: start.nextStep,
      nextStep: this.nextStep,
      firstSeq: start.nextSeq,
      nextSeq: this.nextSeq,
      preLedgerRoot: start.ledgerRoot,
      preBookRoot: start.bookRoot,
      postLedgerRoot: this.ledgerRoot,
      postBookRoot: this.bookRoot,
      preInputHash: start.inputHash,
      postInputHash: this.inputHash,
      segments: this.segments,
      inputs: concat(...this.inputs),
      changes: this.changes.all(),
      queueFirst: start.queueNext,
      queueNext: cursor.queueNext,
      queueHash: cursor.queueHash,
      timeFirst: this.timeFirst,
      timeLast: cursor.now,
      isWhole,
    };
    this.segments = [];
    this.inputs = [];
    this.inputBytes = 0;
    this.changes.clear();
    this.timeFirst = -1;
    this.start = this.here(cursor.queueNext);
    return batch;
  }

  private here(queueNext: number): BatchStart {
    const { nextStep, nextSeq, inputHash, ledgerRoot, bookRoot } = this;
    return { nextStep, nextSeq, inputHash, ledgerRoot, bookRoot, queueNext };
  }
}
