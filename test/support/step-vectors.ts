/**
 * Steps as Solidity's families see them, out of commands that the engine executes: kind, record, slice, what the step
 * writes and its code. For vectors that forge replays against the handlers.
 *
 *   for (const step of stepsOf(session.commands, { keccak, wants: (kind) => kind === StepKind.MATCH })) …
 */
import { Engine } from '#engine/engine.ts';
import { concat, equalBytes, toHex, viewOf } from '#protocol/bytes.ts';
import { type Command, recordTime } from '#protocol/command.ts';
import {
  EVENT_STRIDE,
  type EventBuffer,
  EventKind,
  OPERATION_RESULT,
  QUEUE_PROCESSED,
} from '#protocol/event.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { RangeRead, StepReads } from '#prover-stub/reads/collector.ts';
import { stepReads } from '#prover-stub/step-reads.ts';
import { DirtyLeaves } from '#state/dirty-leaves.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { globalsKey, isBookKey, REGISTER_RECORD, registerKey } from '#state/keys.ts';
import { globalsLeaf, type LeafValue, registerLeaf } from '#state/leaves.ts';
import type { StateTrees } from '#state/state-root.ts';
import { type Entry, prefixKey, StateTree } from '#state/state-tree.ts';
import { StepKind, type Trace } from '#state/trace.ts';

export interface StepVector {
  readonly kind: number;
  /** As ISteps wants it: empty for steps that belong to no record unless a message is open. */
  readonly record: Uint8Array;
  /** The state that the step may see: clock, seq and record register are moved already. */
  readonly slice: Uint8Array;
  /** Leaves whose value after the step is another, by ascending key, packed like what ISteps returns. */
  readonly effect: Uint8Array;
  /**
   * Reject code of the operation that the step ended or of the queue entry that it processed, 0 otherwise;
   * INADMISSIBLE of the own step of a record that may not enter the sequence.
   */
  readonly code: number;
}

export interface StepVectorOptions {
  readonly keccak: Keccak;
  /** Steps to be looked at; all by default. */
  readonly wants?: (kind: number) => boolean;
}

const ABSENT = 0xffff;
/** As settlement/contracts/step/Reject.sol has it. */
export const INADMISSIBLE = 0xffff;
const LEAF_HEAD_BYTES = 34;
const NOTHING = new Uint8Array(0);
/** Steps that belong to no record of their own. */
const RECORDLESS: readonly number[] = [
  StepKind.MATCH,
  StepKind.REST,
  StepKind.WALK,
  StepKind.SAMPLE,
  StepKind.FUNDING,
  StepKind.EXPIRE,
];

/** Executes commands, admissible or not, on a new state and yields the steps that are wanted, in order. */
export function* stepsOf(
  commands: Iterable<Command>,
  options: StepVectorOptions,
): Generator<StepVector, ExchangeState, undefined> {
  const state = new ExchangeState(options.keccak);
  const trace = new StepTrace(state, options.wants ?? (() => true));
  const engine = new Engine(state, trace);
  trace.events = engine.events;
  for (const command of commands) {
    trace.begin(command, engine.admit(command, recordTime(viewOf(command.record))) === 0);
    engine.apply(command);
    trace.end();
    yield* trace.done.splice(0);
  }
  return state;
}

/** Slice of leaves and ranges as Leaves.sol draws it; `get` and `under` are the state that it shows. */
export function encodeSlice(
  reads: StepReads,
  get: (key: Uint8Array) => LeafValue,
  under: (range: RangeRead) => Entry[],
): Uint8Array {
  const items = reads.leaves().map((key) => concat(Uint8Array.of(0), leafItem(key, get(key))));
  for (const range of reads.ranges()) {
    const found = under(range);
    const first = found.slice(0, range.max);
    const complete = found.length <= range.max;
    items.push(
      concat(
        Uint8Array.of(1),
        range.prefix,
        Uint8Array.of(range.bits >> 8, range.bits & 0xff, first.length, complete ? 1 : 0),
        ...first.map(({ key, value }) => leafItem(key, value)),
      ),
    );
  }
  return concat(...items);
}

/** b32 key ‖ u16 length (0xffff: absent) ‖ value. */
export function leafItem(key: Uint8Array, value: LeafValue): Uint8Array {
  const length = value?.length ?? ABSENT;
  return concat(key, Uint8Array.of(length >> 8, length & 0xff), value ?? NOTHING);
}

/** Lists of one field each, so that a reader of JSON asks once for all cases. */
export function vectorColumns(steps: readonly StepVector[]): Record<string, (string | number)[]> {
  return {
    kinds: steps.map((step) => step.kind),
    records: steps.map((step) => toHex(step.record)),
    slices: steps.map((step) => toHex(step.slice)),
    effects: steps.map((step) => toHex(step.effect)),
    codes: steps.map((step) => step.code),
  };
}

/** The first `each` steps of every kind, code and kinds of leaves changed: what is worth a vector. */
export function pickSteps(steps: Iterable<StepVector>, each: number): StepVector[] {
  const held = new Map<string, number>();
  const picked: StepVector[] = [];
  for (const step of steps) {
    const group = `${step.kind}/${step.code}/${changedKinds(step.effect)}`;
    const count = held.get(group) ?? 0;
    if (count < each) picked.push(step);
    held.set(group, count + 1);
  }
  return picked;
}

/** Kind byte of every leaf that changed, and whether it went. */
function changedKinds(effect: Uint8Array): string {
  const kinds: string[] = [];
  for (let at = 0; at < effect.length; ) {
    const length = viewOf(effect).getUint16(at + 32);
    kinds.push(`${effect[at]}${length === ABSENT ? '-' : '+'}`);
    at += LEAF_HEAD_BYTES + (length === ABSENT ? 0 : length);
  }
  return kinds.join(' ');
}

interface OpenStep {
  readonly kind: number;
  readonly record: Uint8Array;
  readonly reads: StepReads | undefined;
  /** The first event row that is its own. */
  readonly row: number;
}

class StepTrace extends DirtyLeaves implements Trace {
  readonly done: StepVector[] = [];
  events: EventBuffer | undefined;
  private readonly live: ExchangeState;
  private readonly trees: StateTrees;
  private readonly wants: (kind: number) => boolean;
  private command: Command | undefined;
  private isAdmissible = true;
  private isFirst = false;
  private open: OpenStep | undefined;
  /** What the schedule writes before the slice is built. */
  private readonly scheduled = new Map<string, LeafValue>();

  constructor(state: ExchangeState, wants: (kind: number) => boolean) {
    super(state);
    this.live = state;
    this.wants = wants;
    this.trees = { ledger: new StateTree(state.keccak), book: new StateTree(state.keccak) };
  }

  begin(command: Command, isAdmissible: boolean): void {
    this.command = command;
    this.isAdmissible = isAdmissible;
  }

  record(): void {
    this.isFirst = true;
  }

  step(kind: number): void {
    this.endStep();
    const { live, trees } = this;
    const command = this.command!;
    const belongs = !RECORDLESS.includes(kind) || live.message.active;
    this.open = {
      kind,
      record: belongs ? command.record : NOTHING,
      reads: this.wants(kind) ? stepReads(kind, { state: live, trees, ...command }) : undefined,
      row: this.events!.count,
    };
  }

  override globals(): void {
    super.globals();
    // The first time within a command it is the schedule that has moved clock and seq.
    if (this.isFirst) this.scheduled.set(toHex(globalsKey()), globalsLeaf(this.live));
    this.isFirst = false;
  }

  override register(register: number): void {
    super.register(register);
    if (register === REGISTER_RECORD)
      this.scheduled.set(toHex(registerKey(register)), registerLeaf(this.live, register));
  }

  end(): void {
    this.endStep();
  }

  private readonly get = (key: Uint8Array): LeafValue => {
    const name = toHex(key);
    return this.scheduled.has(name) ? this.scheduled.get(name) : this.treeOf(key).get(key);
  };

  /** One more than `max`, if there are as many. */
  private readonly under = ({ prefix, bits, max }: RangeRead): Entry[] => {
    const found: Entry[] = [];
    for (const entry of this.treeOf(prefix).entries()) {
      if (equalBytes(prefixKey(entry.key, bits), prefix)) found.push(entry);
      if (found.length > max) break;
    }
    return found;
  };

  private treeOf(key: Uint8Array): StateTree {
    return isBookKey(key) ? this.trees.book : this.trees.ledger;
  }

  private endStep(): void {
    const { open } = this;
    if (open === undefined) return;
    this.open = undefined;
    const writes: [key: Uint8Array, value: LeafValue][] = [];
    this.take((key, value) => writes.push([key, value]));
    if (open.reads !== undefined) this.done.push(this.vector(open, open.reads, writes));
    this.scheduled.clear();
    for (const [key, value] of writes) {
      const tree = this.treeOf(key);
      if (value === undefined) tree.delete(key);
      else tree.set(key, value);
    }
  }

  private vector(open: OpenStep, reads: StepReads, writes: [Uint8Array, LeafValue][]): StepVector {
    // A leaf may be marked twice.
    const after = new Map(writes.map(([key, value]) => [toHex(key), value]));
    reads.leaf(...writes.map(([key]) => key));
    const effect = reads.leaves().flatMap((key) => {
      const value = after.get(toHex(key));
      if (!after.has(toHex(key)) || sameLeaf(this.get(key), value)) return [];
      return [leafItem(key, value)];
    });
    return {
      kind: open.kind,
      record: open.record.slice(),
      slice: encodeSlice(reads, this.get, this.under),
      effect: concat(...effect),
      code: this.codeOf(open),
    };
  }

  private codeOf({ kind, row: first }: OpenStep): number {
    if (!this.isAdmissible && !RECORDLESS.includes(kind)) return INADMISSIBLE;
    const { data, count } = this.events!;
    let code = 0;
    for (let row = first; row < count; row++) {
      const at = row * EVENT_STRIDE;
      if (data[at] === EventKind.OPERATION_RESULT) code = data[at + OPERATION_RESULT.code]!;
      if (data[at] === EventKind.QUEUE_PROCESSED) code = data[at + QUEUE_PROCESSED.code]!;
    }
    return code;
  }
}

const sameLeaf = (a: LeafValue, b: LeafValue): boolean =>
  a === undefined || b === undefined ? a === b : equalBytes(a, b);
