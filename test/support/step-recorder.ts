/**
 * What each step of a session sees and writes, in the form in which a contract's handlers take it: the slice that
 * settlement/contracts/step/Leaves.sol draws, of the leaves and ranges that the witnesses of segments name.
 */
import type { Engine } from '#engine/engine.ts';
import { concat, equalBytes, viewOf } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import { EVENT_STRIDE, EventKind, OPERATION_RESULT } from '#protocol/event.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { entriesUnder } from '#prover-stub/opened-leaves.ts';
import type { RangeRead, StepReads } from '#prover-stub/reads/collector.ts';
import { stepReads } from '#prover-stub/step-reads.ts';
import { DirtyLeaves } from '#state/dirty-leaves.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { isBookKey } from '#state/keys.ts';
import type { LeafValue } from '#state/leaves.ts';
import type { StateTrees } from '#state/state-root.ts';
import { StateTree } from '#state/state-tree.ts';
import { StepKind, type Trace } from '#state/trace.ts';

export interface LeafItem {
  readonly key: Uint8Array;
  readonly value: LeafValue;
}

export interface RecordedStep {
  readonly kind: number;
  /** The record of the open message, else empty. */
  readonly record: Uint8Array;
  /** Reject code of an operation that ended in this step, 0 when none was rejected. */
  readonly code: number;
  /** What the step sees: leaves by ascending key, and ranges, as they were before it. */
  readonly leaves: readonly LeafItem[];
  readonly ranges: readonly Uint8Array[];
  /** Leaves whose value after the step is another one, by ascending key. */
  readonly writes: readonly (LeafItem & { readonly before: LeafValue })[];
  /** Kind of each event that the step told, with the reason where something was removed. */
  readonly events: readonly string[];
}

interface OpenStep {
  readonly kind: number;
  readonly reads: StepReads;
  readonly record: Uint8Array;
  readonly firstEvent: number;
}

const ABSENT = 0xffff;

export class StepRecorder extends DirtyLeaves implements Trace {
  readonly trees: StateTrees = { ledger: new StateTree(nobleKeccak), book: new StateTree(nobleKeccak) };
  private readonly live: ExchangeState;
  private readonly keep: (step: RecordedStep) => void;
  private readonly kinds: ReadonlySet<number>;
  private command: Command | undefined;
  private engine: Engine | undefined;
  private open: OpenStep | undefined;

  /** `keep` is called with each finished step of one of `kinds`. */
  constructor(state: ExchangeState, kinds: readonly number[], keep: (step: RecordedStep) => void) {
    super(state);
    this.live = state;
    this.kinds = new Set(kinds);
    this.keep = keep;
  }

  /** The engine that this trace is attached to. */
  apply(engine: Engine, command: Command): void {
    this.command = command;
    this.engine = engine;
    engine.apply(command);
    this.endStep();
  }

  record(): void {}

  step(kind: number): void {
    this.endStep();
    if (!this.kinds.has(kind)) return;
    const { live, trees } = this;
    this.open = {
      kind,
      reads: stepReads(kind, { state: live, trees, ...this.command! }),
      record: live.message.active ? this.command!.record : new Uint8Array(0),
      firstEvent: this.engine!.events.count,
    };
  }

  /** Brings into the trees what was marked since the last step; also for what a test changed by hand. */
  endStep(): void {
    const { open } = this;
    this.open = undefined;
    const writes: (LeafItem & { before: LeafValue })[] = [];
    this.take((key, value) => {
      const before = this.of(key).get(key);
      const isSame =
        value === undefined ? before === undefined : before !== undefined && equalBytes(before, value);
      if (!isSame) writes.push({ key, value, before: before?.slice() });
      if (open !== undefined) open.reads.leaf(key);
    });
    if (open !== undefined) this.keep(this.recorded(open, writes));
    for (const { key, value } of writes)
      if (value === undefined) this.of(key).delete(key);
      else this.of(key).set(key, value);
  }

  private recorded(open: OpenStep, writes: (LeafItem & { before: LeafValue })[]): RecordedStep {
    const { data, count } = this.engine!.events;
    const events: string[] = [];
    let code = 0;
    for (let row = open.firstEvent; row < count; row++) {
      const at = row * EVENT_STRIDE;
      if (data[at] === EventKind.OPERATION_RESULT) code = data[at + OPERATION_RESULT.code]!;
      const reason = data[at] === EventKind.ORDER_REMOVED ? `:${data[at + 10]}` : '';
      events.push(`${data[at]}${reason}`);
    }
    return {
      kind: open.kind,
      record: open.record.slice(),
      code: open.kind === StepKind.REST ? 0 : code,
      leaves: open.reads.leaves().map((key) => ({ key, value: this.of(key).get(key)?.slice() })),
      ranges: open.reads.ranges().map((range) => encodeRange(this.of(range.prefix), range)),
      writes: writes.sort((a, b) => (keyOrder(a.key, b.key) ? -1 : 1)),
      events,
    };
  }

  private of(key: Uint8Array): StateTree {
    return isBookKey(key) ? this.trees.book : this.trees.ledger;
  }
}

const keyOrder = (a: Uint8Array, b: Uint8Array): boolean => {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
};

/** b32 key ‖ u16 length (0xffff: absent) ‖ value. */
export function encodeEntry({ key, value }: LeafItem): Uint8Array {
  const head = new Uint8Array(2);
  viewOf(head).setUint16(0, value === undefined ? ABSENT : value.length);
  return value === undefined ? concat(key, head) : concat(key, head, value);
}

export const encodeLeaf = (item: LeafItem): Uint8Array => concat(Uint8Array.of(0), encodeEntry(item));

function encodeRange(tree: StateTree, range: RangeRead): Uint8Array {
  const found = entriesUnder(tree, range);
  const { prefix, bits } = range;
  return concat(
    Uint8Array.of(1),
    prefix,
    Uint8Array.of(bits >> 8, bits & 0xff, found.length, found.length < range.max ? 1 : 0),
    ...found.map(encodeEntry),
  );
}
