/**
 * The trace that keeps the trees: attached to an engine, it brings the leaves that changed into the two state
 * trees wherever a segment ends, and gathers what a batch says (batch-builder.ts). It cuts by itself (batcher)
 * or at given places (verifier); all else is the same code.
 *
 * A cut lies before a step or after the last step of a command. A record belongs to the segment of its first
 * step, so the rest of its steps may stand in segments and batches that hold none of its bytes. Where a
 * followed batch ends within a command, the engine runs on to the command's end; what it then changes is kept
 * step by step and enters the trees when the next batch says where its segments end.
 */
import { assert } from '#protocol/assert.ts';
import type { Keccak } from '#protocol/hash.ts';
import {
  ASSET_ROWS_MAX,
  POSITIONS_MAX,
  SEGMENT_INPUT_BYTES_MAX,
  SEGMENT_WEIGHT_MAX,
} from '#protocol/limits.ts';
import {
  BatchBuilder,
  type BatchTrace,
  type Cursor,
  GENESIS_START,
  type TraceStart,
} from './batch-builder.ts';
import { DirtyLeaves } from './dirty-leaves.ts';
import type { ExchangeState } from './exchange-state.ts';
import { ACCOUNT_BYTES, ASSET_ROW_BYTES, type LeafValue, POSITION_BYTES } from './leaves.ts';
import type { StateTrees } from './state-root.ts';
import { stepWeight } from './step-weights.ts';
import type { Trace } from './trace.ts';

/** A step that was executed behind the end of the followed batch, and what it wrote. */
interface StepAhead {
  readonly kind: number;
  writes: (readonly [key: Uint8Array, value: LeafValue])[];
  after: Cursor;
}

export interface TreeTraceOptions {
  readonly state: ExchangeState;
  /** Exactly the leaves of `state`. */
  readonly trees: StateTrees;
  readonly keccak: Keccak;
  /** Genesis by default. `nextSeq` must be the state's seq + 1. */
  readonly start?: TraceStart;
  /**
   * Inputs are posted apart from trace and diff: they don't count as bytes, and a batch that has so many of them at a
   * segment's end is ended there.
   */
  readonly inputBytesMax?: number;
  /** A batch that has so many bytes (`open.bytes`) at a segment's end is ended there, also within a command. */
  readonly batchBytesMax?: number;
  /** No batch is to have more: a segment ends before a step that could go beyond it. Above `batchBytesMax`. */
  readonly batchBytesHard?: number;
}

/** What one step can add to a diff: each byte of two full accounts, and a sum in each of an account's markets. */
export const STEP_DIFF_BYTES_MAX =
  2 *
    Math.ceil(
      ((ACCOUNT_BYTES + POSITIONS_MAX * POSITION_BYTES + ASSET_ROWS_MAX * ASSET_ROW_BYTES) * 16) / 15,
    ) +
  POSITIONS_MAX * 32 +
  ASSET_ROWS_MAX * 96 +
  256;

export class TreeTrace extends DirtyLeaves implements Trace {
  private readonly live: ExchangeState;
  private readonly builder: BatchBuilder;
  private readonly batchBytesMax: number;
  private readonly batchBytesHard: number;
  private readonly inputBytesMax: number | undefined;
  private closed: BatchTrace[] = [];
  /** The record whose first step is still to come. */
  private pending: Uint8Array | undefined;
  /** A command has begun and not ended. */
  private isWithinCommand = false;

  /** Ends of the followed batch's segments; undefined while cutting by itself. */
  private cuts: readonly number[] | undefined;
  private cutsMade = 0;
  private ahead: StepAhead[] = [];
  /** Steps before which batches end while cutting by itself, ascending; by size only when there are none. */
  private ends: number[] = [];

  constructor(options: TreeTraceOptions) {
    super(options.state);
    this.live = options.state;
    const start = options.start ?? GENESIS_START;
    assert(start.nextSeq === this.live.seq + 1, 'a trace starts at the command after the last one');
    this.builder = new BatchBuilder(options.trees, options.keccak, start, this.cursor());
    this.batchBytesMax = options.batchBytesMax ?? Number.POSITIVE_INFINITY;
    this.batchBytesHard = options.batchBytesHard ?? Number.POSITIVE_INFINITY;
    this.inputBytesMax = options.inputBytesMax;
  }

  /** Steps, commands and bytes of the open batch: of trace, diff and, unless they are posted apart, inputs. */
  get open(): {
    readonly steps: number;
    readonly commands: number;
    readonly bytes: number;
    readonly inputBytes: number;
  } {
    const { steps, commands, inputBytes } = this.builder;
    return { steps, commands, bytes: this.bytes, inputBytes };
  }

  private get bytes(): number {
    const { bytes, inputBytes } = this.builder;
    return this.inputBytesMax === undefined ? bytes : bytes - inputBytes;
  }

  /** Number of the next step. */
  get nextStep(): number {
    return this.builder.nextStep;
  }

  /** Announces the record of the command that is applied next; it is copied. */
  begin(record: Uint8Array): void {
    assert(this.pending === undefined, 'the command before has had a step');
    assert(!this.isFollowed, 'a followed batch holds the command');
    this.pending = record.slice();
  }

  record(bytes: number): void {
    assert(this.pending?.length === bytes, 'a traced command is announced by begin');
  }

  step(kind: number): void {
    if (this.isFollowed) this.keepAhead();
    else if (this.endsBefore(kind, this.pending?.length ?? 0)) {
      this.take(this.write);
      this.cut(this.cursor());
    }
    if (this.isFollowed) this.ahead.push({ kind, writes: [], after: this.cursor() });
    else {
      this.builder.step(kind, this.live.now, this.pending);
      this.pending = undefined;
      this.isWithinCommand = true;
    }
  }

  /** The command has been applied. */
  end(): void {
    assert(this.pending === undefined, 'a command has at least one step');
    this.isWithinCommand = false;
    if (this.isFollowed) this.keepAhead();
    else if (this.isCut() || this.isEnd()) {
      this.take(this.write);
      this.cut(this.cursor());
    }
  }

  /** Ends the batch, between commands; it must have a step. */
  close(): BatchTrace {
    assert(!this.isWithinCommand && this.pending === undefined, 'a batch is closed between commands');
    assert(this.cuts === undefined, 'a followed batch closes itself');
    this.take(this.write);
    if (this.builder.segmentSteps > 0) this.builder.cut();
    this.closed.push(this.builder.close(this.cursor(), true));
    return this.closed.pop()!;
  }

  /**
   * Ends the next batches before the steps with these numbers, as an earlier run did; segments are cut by weight
   * as ever. Until all have ended, no batch ends by its size.
   */
  endAt(steps: readonly number[]): void {
    this.ends = [...steps];
  }

  /** Batches that have ended since the last call. */
  takeClosed(): BatchTrace[] {
    const { closed } = this;
    this.closed = [];
    return closed;
  }

  /**
   * Ends the next segments before the steps with these numbers (strictly ascending, the first above `nextStep`),
   * and the batch with the last of them; then no command may begin until the next `follow`.
   */
  follow(cuts: readonly number[]): void {
    assert(!this.isWithinCommand && this.builder.steps === 0, 'a batch is followed from its start');
    cuts.forEach((cut, i) => {
      assert(cut > (cuts[i - 1] ?? this.nextStep), 'segments to follow have at least one step each');
    });
    assert(cuts.length > 0, 'a batch to follow has at least one segment');
    this.cuts = cuts;
    this.cutsMade = 0;
    this.takeAhead();
  }

  /** Cuts by itself again. */
  unfollow(): void {
    assert(this.isFollowed && this.ahead.length === 0, 'following ends with a whole batch');
    this.cuts = undefined;
  }

  /** The followed batch has ended. */
  get isFollowed(): boolean {
    return this.cuts !== undefined && this.cutsMade === this.cuts.length;
  }

  private readonly write = (key: Uint8Array, value: LeafValue): void => {
    this.builder.write(key, value);
  };

  private isCut(): boolean {
    return this.cuts?.[this.cutsMade] === this.builder.nextStep;
  }

  private isEnd(): boolean {
    return this.ends[0] === this.builder.nextStep && this.builder.steps > 0;
  }

  /** Whether the open segment can't take another step of this kind, with so many bytes of inputs. */
  private endsBefore(kind: number, inputBytes: number): boolean {
    if (this.cuts !== undefined) return this.isCut();
    if (this.isEnd()) return true;
    const { segmentSteps, segmentWeight, segmentInputBytes } = this.builder;
    const counted = this.inputBytesMax === undefined ? inputBytes : 0;
    return (
      segmentSteps > 0 &&
      (this.bytes + counted + (segmentSteps + 1) * STEP_DIFF_BYTES_MAX > this.batchBytesHard ||
        segmentWeight + stepWeight(kind) > SEGMENT_WEIGHT_MAX ||
        segmentInputBytes + inputBytes > SEGMENT_INPUT_BYTES_MAX)
    );
  }

  private cut(cursor: Cursor): void {
    const { builder } = this;
    builder.cut();
    this.cutsMade++;
    if (this.isLastSegment())
      this.closed.push(builder.close(cursor, !this.isWithinCommand && this.ahead.length === 0));
  }

  private isLastSegment(): boolean {
    if (this.cuts !== undefined) return this.isFollowed;
    if (this.ends.length === 0)
      return (
        this.bytes >= this.batchBytesMax ||
        (this.inputBytesMax !== undefined && this.builder.inputBytes >= this.inputBytesMax)
      );
    if (!this.isEnd()) return false;
    this.ends.shift();
    return true;
  }

  /** What the last step ahead has written. */
  private keepAhead(): void {
    const last = this.ahead.at(-1);
    if (last === undefined) return;
    this.take((key, value) => last.writes.push([key, value]));
    last.after = this.cursor();
  }

  /** Brings the steps that ran ahead into the batch, as far as it goes. */
  private takeAhead(): void {
    const { ahead, builder } = this;
    while (ahead.length > 0 && !this.isFollowed) {
      const { kind, writes, after } = ahead.shift()!;
      builder.step(kind, after.now);
      for (const [key, value] of writes) builder.write(key, value);
      if (this.isCut()) this.cut(after);
    }
  }

  private cursor(): Cursor {
    const { now, queueNext, queueHash } = this.live;
    return { now, queueNext, queueHash };
  }
}
