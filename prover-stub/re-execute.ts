/**
 * Runs posted commands through the rules, with own state and own trees, and holds every claim of the batch against
 * what comes out: each segment's root, running input hash and weight, the ledger diff, the header, the totals
 * withdrawn. Throws `DifferenceFound` at the first that is wrong; the object is of no use afterwards.
 */
import { Engine } from '#engine/engine.ts';
import { assert } from '#protocol/assert.ts';
import { type BatchHeader, encodeWithdrawn, type TraceEntry } from '#protocol/batch.ts';
import { equalBytes, viewOf } from '#protocol/bytes.ts';
import { NO_SIGNERS, recordTime } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { SEGMENT_INPUT_BYTES_MAX, SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { rejectName } from '#protocol/reject.ts';
import { withdrawnTotals } from '#state/batch-assembly.ts';
import type { BatchTrace } from '#state/batch-builder.ts';
import { encodeDiff, type LeafChange } from '#state/diff.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { encodeSnapshot, loadSnapshot } from '#state/snapshot.ts';
import type { StateTrees } from '#state/state-root.ts';
import { StateTree } from '#state/state-tree.ts';
import { type ChainTip, GENESIS_TIP } from './chain-tip.ts';
import { compareDiff, type DiffComparison } from './compare-diff.ts';
import type { DerivedBatch } from './derive.ts';
import { checkAtMost, checkSame, DifferenceFound, differ, type Place, type Range } from './difference.ts';
import { LedgerDelta } from './ledger-delta.ts';
import { StepLog } from './step-log.ts';

/** A snapshot and the batch after which it was taken. */
export interface StartingPoint {
  readonly snapshot: Uint8Array;
  readonly tip: ChainTip;
}

/** Who signed each record, as `Command.signers`; undefined where its signature is none. */
export type RecordSigners = readonly (Uint8Array | undefined)[];

interface Inadmissible {
  /** Number of its own step. */
  readonly step: number;
  readonly commands: Range;
  readonly code: number;
}

/** What came out of the first and the last segment of a batch. */
interface Ends {
  readonly first: BatchTrace;
  readonly last: BatchTrace;
}

/** Leaves that a sentence about a wrong segment names. */
const LEAVES_NAMED_MAX = 4;

export class ReExecution {
  /** The last batch that was as posted. */
  tip: ChainTip;
  readonly state: ExchangeState;
  readonly trees: StateTrees;
  private readonly trace: StepLog;
  private readonly engine: Engine;
  /** The last batch ended with a command: nothing has run ahead. */
  private isWhole = true;
  /** A command that may not be sequenced, whose own step is still to come: the ticks before it may be right. */
  private inadmissible: Inadmissible | undefined;

  /** From the empty state without `from`. Throws when the snapshot is not the state that its tip names. */
  constructor(keccak: Keccak, from?: StartingPoint) {
    if (from === undefined) {
      this.tip = GENESIS_TIP;
      this.state = new ExchangeState(keccak);
      this.trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
    } else {
      const { header, state, trees } = loadSnapshot(from.snapshot, keccak);
      const { tip } = from;
      const isOfTip =
        equalBytes(header.ledgerRoot, tip.ledgerRoot) &&
        equalBytes(header.bookRoot, tip.bookRoot) &&
        header.seq === tip.nextSeq - 1;
      if (!isOfTip) throw new Error(`snapshot: expected the state after batch ${tip.id}, got another`);
      this.tip = tip;
      this.state = state;
      this.trees = trees;
    }
    this.trace = new StepLog({ state: this.state, trees: this.trees, keccak, start: this.tip });
    this.engine = new Engine(this.state, this.trace);
  }

  /** Executes the next batch; returns the ledger leaves that it changed, in no order of use. */
  execute(derived: DerivedBatch, signers: RecordSigners): readonly LeafChange[] {
    const { batch } = derived;
    const { header } = batch;
    assert(header.id === this.tip.id + 1, 'batches are executed in order');
    this.trace.forget();
    const delta = new LedgerDelta();
    const executed = this.runSegments(derived, signers, delta);
    const changes = delta.all();
    this.checkDiff(derived, delta, changes);
    checkHeader(header, executed);
    const withdrawn = encodeWithdrawn(withdrawnTotals(changes));
    checkSame({ batch: header.id, part: 'withdrawn' }, 'totals', withdrawn, batch.withdrawn);
    this.isWhole = executed.last.isWhole;
    this.tip = derived.tip;
    return changes;
  }

  /** State and trees as bytes; undefined while the end of the batch cuts a command in two. */
  snapshot(): Uint8Array | undefined {
    return this.isWhole ? encodeSnapshot(this.state.seq, this.trees) : undefined;
  }

  private runSegments(derived: DerivedBatch, signers: RecordSigners, delta: LedgerDelta): Ends {
    const { header, trace } = derived.batch;
    const cursor = { record: 0 };
    const ends: { first?: BatchTrace; last?: BatchTrace } = {};
    let start = { nextStep: header.firstStep, nextSeq: header.firstSeq, inputEnd: 0 };
    for (const [segment, claimed] of trace.entries()) {
      const place: Place = {
        batch: header.id,
        part: 'segment',
        segment,
        steps: { first: start.nextStep, next: claimed.nextStep },
        commands: { first: start.nextSeq, next: claimed.nextSeq },
      };
      const executed = this.runSegment(derived, signers, cursor, { place, claimed });
      ends.first ??= executed;
      ends.last = executed;
      delta.add(executed.changes);
      try {
        this.checkSegment(place, { claimed, executed, inputStart: start.inputEnd });
      } catch (error) {
        if (!(error instanceof DifferenceFound)) throw error;
        const leaves = this.leavesAtTheEnd(derived, signers, cursor, delta);
        throw new DifferenceFound({ ...error.difference, leaves });
      }
      start = claimed;
    }
    if (cursor.record < derived.records.length) {
      const seq = header.firstSeq + cursor.record;
      const place: Place = { batch: header.id, part: 'inputs', commands: { first: seq, next: seq + 1 } };
      differ(place, 'step of the command', 'one in the batch', 'none');
    }
    return ends as Ends;
  }

  /** Applies records until the segment's last step. */
  private runSegment(
    { records }: DerivedBatch,
    signers: RecordSigners,
    cursor: { record: number },
    { place, claimed }: { place: Place; claimed: TraceEntry },
  ): BatchTrace {
    const { trace } = this;
    trace.follow([claimed.nextStep]);
    this.checkInadmissible(place, claimed.nextStep);
    while (!trace.isFollowed) {
      const record = records[cursor.record];
      if (record === undefined) return differ(place, 'nextStep', trace.nextStep, claimed.nextStep);
      this.apply(record, signers[cursor.record] ?? NO_SIGNERS, { ...place, part: 'inputs' });
      cursor.record++;
      this.checkInadmissible(place, claimed.nextStep);
    }
    return trace.takeClosed()[0]!;
  }

  /** Only what is admitted does anything; everything else among the inputs is a fraud where its own step comes. */
  private apply(record: Uint8Array, signers: Uint8Array, segment: Place): void {
    const { trace, engine, state } = this;
    const command = { record, signers };
    const first = trace.executed;
    const commands = { first: state.seq + 1, next: state.seq + 2 };
    const code = engine.admit(command, recordTime(viewOf(record)));
    trace.begin(record);
    try {
      engine.apply(command);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const place: Place = { ...segment, steps: { first, next: first + 1 }, commands };
      if (code === 0 || trace.executed === first)
        differ(place, 'record', 'a command that can be executed', reason);
    }
    trace.end();
    // Its own step, the last one, did nothing.
    if (code !== 0) this.inadmissible = { step: trace.executed - 1, commands, code };
  }

  private checkInadmissible(segment: Place, nextStep: number): void {
    const { inadmissible } = this;
    if (inadmissible === undefined || inadmissible.step >= nextStep) return;
    const { step, commands, code } = inadmissible;
    const place: Place = { ...segment, part: 'inputs', steps: { first: step, next: step + 1 }, commands };
    differ(place, 'admission', 'a command that may be sequenced', rejectName(code));
  }

  private checkSegment(
    bare: Place,
    segment: { claimed: TraceEntry; executed: BatchTrace; inputStart: number },
  ): void {
    const { claimed, executed, inputStart } = segment;
    const { nextSeq, inputEnd, weight, inputHash, stateRoot } = executed.segments[0]!;
    const place: Place = { ...bare, kinds: this.trace.kindsOf(bare.steps!) };
    checkSame(place, 'nextSeq', nextSeq, claimed.nextSeq);
    checkSame(place, 'inputEnd', inputStart + inputEnd, claimed.inputEnd);
    checkSame(place, 'inputHash', inputHash, claimed.inputHash);
    checkAtMost(place, 'input bytes', SEGMENT_INPUT_BYTES_MAX, inputEnd);
    checkAtMost(place, 'weight of its steps', SEGMENT_WEIGHT_MAX, weight);
    checkSame(place, 'weight', weight, claimed.weight);
    checkSame(place, 'stateRoot', stateRoot, claimed.stateRoot);
  }

  /**
   * Where the posted diff tells of another ledger than this one, in words: a root says nothing. For that the batch's
   * other commands are executed too, wherever its segments end.
   */
  private leavesAtTheEnd(
    { batch, records }: DerivedBatch,
    signers: RecordSigners,
    cursor: { record: number },
    delta: LedgerDelta,
  ): string[] {
    const { trace } = this;
    try {
      if (trace.executed > trace.nextStep) {
        trace.follow([trace.executed]);
        delta.add(trace.takeClosed()[0]!.changes);
      }
      trace.unfollow();
      for (; cursor.record < records.length; cursor.record++)
        this.apply(records[cursor.record]!, signers[cursor.record] ?? NO_SIGNERS, {
          batch: batch.header.id,
          part: 'inputs',
        });
      if (trace.open.steps > 0) delta.add(trace.close().changes);
    } catch (error) {
      return [`then ${error instanceof Error ? error.message : String(error)}`];
    }
    const { differences, malformed } = this.compared(batch.diff, delta, delta.all());
    if (malformed !== undefined) return [malformed];
    if (differences.length === 0) return ['the posted diff tells of no other ledger'];
    const named = differences
      .slice(0, LEAVES_NAMED_MAX)
      .map(({ leaf, field, expected, got }) => `${leaf}, ${field}: expected ${expected}, got ${got}`);
    const more = differences.length - LEAVES_NAMED_MAX;
    return ['in the posted diff', ...named, ...(more > 0 ? [`${more} leaves more`] : [])];
  }

  private checkDiff(derived: DerivedBatch, delta: LedgerDelta, changes: readonly LeafChange[]): void {
    const { batch } = derived;
    const diff = encodeDiff(changes);
    if (equalBytes(diff, batch.diff)) return;
    const place: Place = { batch: batch.header.id, part: 'diff' };
    const { differences, malformed } = this.compared(batch.diff, delta, changes);
    const first = differences[0];
    if (malformed !== undefined) differ(place, 'bytes', 'a diff of the ledger before', malformed);
    if (first === undefined) differ(place, 'bytes', diff, batch.diff);
    else differ(place, `${first.leaf}, ${first.field}`, first.expected, first.got);
  }

  private compared(posted: Uint8Array, delta: LedgerDelta, changes: readonly LeafChange[]): DiffComparison {
    return compareDiff(posted, changes, (key) => delta.before(key, this.trees.ledger.get(key)));
  }
}

/** Everything in the header that follows from the commands and is in no segment. */
function checkHeader(header: BatchHeader, { first, last }: Ends): void {
  const place: Place = { batch: header.id, part: 'header' };
  const same = (field: keyof BatchHeader, expected: number | Uint8Array): void =>
    checkSame(place, field, expected, header[field]);
  same('preLedgerRoot', first.preLedgerRoot);
  same('preBookRoot', first.preBookRoot);
  same('postLedgerRoot', last.postLedgerRoot);
  same('postBookRoot', last.postBookRoot);
  same('firstSeq', first.firstSeq);
  same('nextSeq', last.nextSeq);
  same('preInputHash', first.preInputHash);
  same('postInputHash', last.postInputHash);
  same('queueFirst', first.queueFirst);
  same('queueNext', last.queueNext);
  same('queueHash', last.queueHash);
  same('timeFirst', first.timeFirst);
  same('timeLast', last.timeLast);
}
