/**
 * What StepProver needs to re-execute a segment on chain: the part of both trees that its steps look at, and for every
 * step what goes into its slice. Attached to an engine as its trace, which executes the same commands once more.
 *
 *   const trace = new WitnessTrace({ state, trees, nextStep, segments: [{ firstStep, nextStep, inputs }] });
 *   const engine = new Engine(state, trace);
 *   trace.begin(command); engine.apply(command); trace.end(); …
 *   trace.finish(); trace.takeWitnessed()[0]!.witness
 *
 * Hints: a step's items behind their length.
 *   u16 bytes   then LEAF   u8 0 ‖ u8 n ‖ n key                 the rest of the key is zeros; keys strictly ascend
 *                    RANGE  u8 1 ‖ u16 L ‖ ⌈L/8⌉ prefix ‖ u8 max
 */
import { assert } from '#protocol/assert.ts';
import { concat, viewOf } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import { SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import type { Hash } from '#protocol/units.ts';
import { DirtyLeaves } from '#state/dirty-leaves.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { globalsKey, isBookKey, REGISTER_RECORD, registerKey } from '#state/keys.ts';
import type { LeafValue } from '#state/leaves.ts';
import type { LedgerChanges } from '#state/ledger-changes.ts';
import { type StateTrees, stateRoot } from '#state/state-root.ts';
import { stepWeight } from '#state/step-weights.ts';
import type { Trace } from '#state/trace.ts';
import { keyText } from './ledger-delta.ts';
import { OpenedLeaves } from './opened-leaves.ts';
import type { RangeRead, StepReads } from './reads/collector.ts';
import { StepFault, type StepOutcome } from './step-outcome.ts';
import { scheduleReads, stepReads } from './step-reads.ts';

export interface SegmentWitness {
  /** Multiproofs of the two trees before the segment (state/multiproof.ts). */
  readonly ledger: Uint8Array;
  readonly book: Uint8Array;
  /** The whole record that the segment begins within; empty when it begins with a record of its own. */
  readonly carried: Uint8Array;
  readonly hints: Uint8Array;
  /** Whole records whose first step the segment claims. */
  readonly inputs: Uint8Array;
  readonly steps: number;
  readonly preStateRoot: Hash;
}

export interface SegmentRange {
  /** Numbers of the first step and of that behind the last. */
  readonly firstStep: number;
  readonly nextStep: number;
  readonly inputs: Uint8Array;
}

/** Asked for beside what the steps are known to need, of every step. */
export interface ExtraReads {
  readonly leaves: readonly Uint8Array[];
  readonly ranges: readonly RangeRead[];
}

export interface WitnessedSegment {
  readonly witness: SegmentWitness;
  /** StepKind of the steps that were executed; fewer than claimed after a fault. */
  readonly kinds: readonly number[];
  readonly outcome: StepOutcome;
}

export interface WitnessTraceOptions {
  readonly state: ExchangeState;
  /** Exactly the leaves of `state`. */
  readonly trees: StateTrees;
  /** Number of the next step. */
  readonly nextStep: number;
  /** Ascending, without overlaps. */
  readonly segments: readonly SegmentRange[];
  readonly extra?: ExtraReads;
  /** Told of every ledger leaf that a watched segment writes. */
  readonly changes?: LedgerChanges;
}

interface OpenStep {
  readonly kind: number;
  readonly reads: StepReads;
  readonly schedule: StepReads;
}

interface OpenSegment {
  readonly range: SegmentRange;
  readonly carried: Uint8Array;
  readonly kinds: number[];
  readonly hints: Uint8Array[];
  fault: number;
  weight: number;
  /** Bytes of its records that have begun. */
  begun: number;
  timeFirst: number;
}

type LeafWrite = readonly [key: Uint8Array, value: LeafValue];

const NOTHING = new Uint8Array(0);
const GLOBALS = keyText(globalsKey());
const RECORD = keyText(registerKey(REGISTER_RECORD));

export class WitnessTrace extends DirtyLeaves implements Trace {
  nextStep: number;
  private readonly live: ExchangeState;
  private readonly trees: StateTrees;
  private readonly ledger: OpenedLeaves;
  private readonly book: OpenedLeaves;
  private readonly segments: SegmentRange[];
  private readonly extra: ExtraReads | undefined;
  private readonly changes: LedgerChanges | undefined;
  private command: Command | undefined;
  /** The command's first step is still to come. */
  private isPending = false;
  /** The command may not be sequenced: its last step, which is its own, does nothing. */
  private isInadmissible = false;
  private segment: OpenSegment | undefined;
  private open: OpenStep | undefined;
  private done: WitnessedSegment[] = [];

  constructor(options: WitnessTraceOptions) {
    super(options.state);
    this.live = options.state;
    this.trees = options.trees;
    this.ledger = new OpenedLeaves(options.trees.ledger);
    this.book = new OpenedLeaves(options.trees.book);
    this.nextStep = options.nextStep;
    this.segments = [...options.segments];
    this.extra = options.extra;
    this.changes = options.changes;
  }

  /** No segment is left to be watched. */
  get isDone(): boolean {
    return this.segment === undefined && this.segments.length === 0;
  }

  /** `isInadmissible`: by `engine.admit` of these bytes at their time. */
  begin(command: Command, isInadmissible = false): void {
    this.command = command;
    this.isPending = true;
    this.isInadmissible = isInadmissible;
  }

  record(): void {}

  step(kind: number): void {
    this.endStep();
    const { segment, nextStep } = this;
    if (segment?.range.nextStep === nextStep) this.close(segment);
    if (this.segments[0]?.firstStep === nextStep) this.beginSegment();
    if (this.segment !== undefined) {
      this.prepare(this.segment, kind);
      const context = { state: this.live, trees: this.trees, ...this.command! };
      this.open = { kind, reads: stepReads(kind, context), schedule: scheduleReads(context) };
    }
    this.isPending = false;
    this.nextStep++;
  }

  /** The command has been applied, or has failed in its last step. */
  end(): void {
    this.endStep();
    const { segment } = this;
    if (segment === undefined) return;
    if (this.isInadmissible) fail(segment, StepFault.INADMISSIBLE);
    if (segment.range.nextStep === this.nextStep) this.close(segment);
  }

  /**
   * No more commands: a segment that claims more steps ends here. It needs a record and has none, unless the next one
   * it has is `bad`: of no kind, too long, too early.
   */
  finish(bad = false): void {
    this.endStep();
    if (this.segment === undefined && this.segments[0]?.firstStep === this.nextStep) this.beginSegment();
    const { segment } = this;
    if (segment === undefined) return;
    this.look(scheduleReads({ state: this.live }));
    const isThere = bad && segment.begun < segment.range.inputs.length;
    fail(segment, isThere ? StepFault.BAD_RECORD : StepFault.NO_INPUT);
    this.close(segment);
  }

  /** Segments that have ended since the last call. */
  takeWitnessed(): WitnessedSegment[] {
    const { done } = this;
    this.done = [];
    return done;
  }

  /** Brings what was written outside of watched segments into the trees. */
  bringTrees(): void {
    assert(this.segment === undefined, 'a watched segment keeps the trees itself');
    this.take((key, value) => {
      const tree = isBookKey(key) ? this.trees.book : this.trees.ledger;
      if (value === undefined) tree.delete(key);
      else tree.set(key, value);
    });
  }

  private beginSegment(): void {
    const { record, message } = this.live;
    const isWithin = record.active || message.active;
    const carried = isWithin ? this.command!.record.slice() : NOTHING;
    this.bringTrees();
    this.segment = {
      range: this.segments.shift()!,
      carried,
      kinds: [],
      hints: [],
      fault: StepFault.NONE,
      weight: 0,
      begun: 0,
      timeFirst: 0,
    };
  }

  /** What StepProver finds before it runs a step. */
  private prepare(segment: OpenSegment, kind: number): void {
    if (this.isPending) {
      if (segment.begun >= segment.range.inputs.length) fail(segment, StepFault.NO_INPUT);
      segment.begun += this.command!.record.length;
    }
    segment.weight += stepWeight(kind);
    if (segment.weight > SEGMENT_WEIGHT_MAX) fail(segment, StepFault.OVERWEIGHT);
  }

  private endStep(): void {
    const { open, segment } = this;
    this.open = undefined;
    if (open === undefined || segment === undefined) return;
    const { reads } = open;
    const own: LeafWrite[] = [];
    const writes: LeafWrite[] = [];
    this.take((key, value) => {
      const name = keyText(key);
      if (name === RECORD) own.push([key, value]);
      else {
        if (name === GLOBALS) own.push([key, value]);
        writes.push([key, value]);
        reads.leaf(key);
      }
    });
    if (this.extra !== undefined) {
      reads.leaf(...this.extra.leaves);
      for (const { prefix, bits, max } of this.extra.ranges) reads.range(prefix, bits, max);
    }
    this.look(open.schedule);
    // The schedule has written these before it looks for what the step wants.
    this.write(own);
    this.look(reads);
    this.write(writes);
    if (segment.kinds.length === 0) segment.timeFirst = this.live.now;
    segment.kinds.push(open.kind);
    segment.hints.push(encodeHints(reads));
  }

  private write(leaves: readonly LeafWrite[]): void {
    for (const [key, value] of leaves) {
      const opened = this.of(key);
      if (opened === this.ledger) this.changes?.note(key, opened.tree.get(key), value);
      opened.write(key, value);
    }
  }

  private look(reads: StepReads): void {
    for (const key of reads.leaves()) this.of(key).lookUp(key);
    for (const range of reads.ranges()) this.of(range.prefix).lookUnder(range);
  }

  private of(key: Uint8Array): OpenedLeaves {
    return isBookKey(key) ? this.book : this.ledger;
  }

  private close(segment: OpenSegment): void {
    const { range, carried, kinds, hints, weight, timeFirst } = segment;
    const { ledger, book } = this.trees;
    const { keccak, seq, now } = this.live;
    if (segment.begun < range.inputs.length) fail(segment, StepFault.INPUTS_LEFT);
    const postStateRoot = stateRoot(ledger.root(), book.root(), keccak);
    const before = { ledger: this.ledger.prove(), book: this.book.prove() };
    this.done.push({
      witness: {
        ledger: before.ledger.proof,
        book: before.book.proof,
        carried,
        hints: concat(...hints),
        inputs: range.inputs,
        steps: range.nextStep - range.firstStep,
        preStateRoot: stateRoot(before.ledger.root, before.book.root, keccak),
      },
      kinds,
      outcome: {
        fault: segment.fault,
        stateRoot: postStateRoot,
        nextSeq: seq + 1,
        weight,
        timeFirst,
        timeLast: now,
      },
    });
    this.segment = undefined;
  }
}

/** The first fault is the one that counts. */
function fail(segment: OpenSegment, fault: number): void {
  if (segment.fault === StepFault.NONE) segment.fault = fault;
}

/** The bytes of one step's hints, their length first. */
export function encodeHints(reads: StepReads): Uint8Array {
  const items: Uint8Array[] = [];
  for (const key of reads.leaves()) {
    let n = key.length;
    while (n > 0 && key[n - 1] === 0) n--;
    items.push(Uint8Array.of(0, n), key.subarray(0, n));
  }
  for (const { prefix, bits, max } of reads.ranges())
    items.push(
      Uint8Array.of(1, bits >> 8, bits & 0xff),
      prefix.subarray(0, Math.ceil(bits / 8)),
      Uint8Array.of(max),
    );
  const body = concat(...items);
  assert(body.length < 0x1_0000, 'the hints of a step fit their length field');
  const head = new Uint8Array(2);
  viewOf(head).setUint16(0, body.length);
  return concat(head, body);
}
