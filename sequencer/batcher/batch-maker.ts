/** Makes batches of durable commands: its own state and engine, with the trees attached. Runs in the batcher's thread. */
import { Engine } from '#engine/engine.ts';
import { EntryReader } from '#journal/entry.ts';
import { assert } from '#protocol/assert.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { Seq } from '#protocol/units.ts';
import { checkTrees } from '#state/all-leaves.ts';
import { type PackedBatch, packBatch } from '#state/batch-assembly.ts';
import type { TraceStart } from '#state/batch-builder.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { encodeSnapshot, loadSnapshot } from '#state/snapshot.ts';
import type { StateTrees } from '#state/state-root.ts';
import { StateTree } from '#state/state-tree.ts';
import { TreeTrace } from '#state/tree-trace.ts';
import { BATCH_BYTES_HARD, type BatchPolicy, isFull } from './policy.ts';

export interface MakerOptions {
  /** Snapshot of the state to begin with; the empty state without. */
  readonly snapshot?: Uint8Array;
  readonly start: TraceStart;
  readonly policy: BatchPolicy;
  /** Commands between two snapshots. */
  readonly snapshotEvery: number;
  /** Steps at which batches are known to end: those that were made before. */
  readonly ends: readonly number[];
}

export interface MadeBatch {
  readonly batch: PackedBatch;
  /** Of the state at the batch's end; the state was held against the trees. */
  readonly snapshot?: { readonly bytes: Uint8Array; readonly engineVersion: number };
}

export class BatchMaker {
  readonly state: ExchangeState;
  private readonly trees: StateTrees;
  private readonly trace: TreeTrace;
  private readonly engine: Engine;
  private readonly keccak: Keccak;
  private readonly policy: BatchPolicy;
  private readonly snapshotEvery: number;
  private snapshotSeq: Seq;
  /** Batches to come whose end is known. */
  private known: number;

  /** Throws when the snapshot's leaves do not give its roots. */
  constructor(options: MakerOptions, keccak: Keccak) {
    const { snapshot } = options;
    if (snapshot === undefined) {
      this.state = new ExchangeState(keccak);
      this.trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
    } else {
      const loaded = loadSnapshot(snapshot, keccak);
      this.state = loaded.state;
      this.trees = loaded.trees;
    }
    const { state, trees } = this;
    const { start, ends } = options;
    this.trace = new TreeTrace({
      state,
      trees,
      keccak,
      start,
      batchBytesMax: options.policy.bytesMax,
      batchBytesHard: BATCH_BYTES_HARD,
      ...(options.policy.inputBytesMax === undefined ? {} : { inputBytesMax: options.policy.inputBytesMax }),
    });
    this.trace.endAt(ends);
    this.engine = new Engine(state, this.trace);
    this.keccak = keccak;
    this.policy = options.policy;
    this.snapshotEvery = options.snapshotEvery;
    this.snapshotSeq = state.seq;
    this.known = ends.length;
  }

  /** Applies those of `count` journal entries from `firstSeq` on that come next; gives what batches ended. */
  apply(payload: Uint8Array, firstSeq: Seq, count: number): MadeBatch[] {
    const made: MadeBatch[] = [];
    const entries = new EntryReader(payload, count);
    const { state, trace } = this;
    for (let seq = firstSeq; entries.next(); seq++) {
      if (seq <= state.seq) continue;
      assert(seq === state.seq + 1, `batcher: expected command ${state.seq + 1} next, got ${seq}`);
      trace.begin(entries.record);
      this.engine.apply(entries);
      trace.end();
      for (const batch of trace.takeClosed()) made.push(this.made(batch));
      if (this.known === 0 && trace.open.steps > 0 && isFull(trace.open, this.policy))
        made.push(this.made(trace.close()));
    }
    return made;
  }

  /** Ends the open batch if it has a step and its end is not one that is known. */
  cut(): MadeBatch | undefined {
    return this.known === 0 && this.trace.open.steps > 0 ? this.made(this.trace.close()) : undefined;
  }

  private made(batch: Parameters<typeof packBatch>[0]): MadeBatch {
    if (this.known > 0) this.known--;
    const packed = packBatch(batch, this.keccak);
    const { state, trees } = this;
    const isBoundary = batch.isWhole && this.trace.open.steps === 0 && state.seq === batch.nextSeq - 1;
    if (!isBoundary || state.seq - this.snapshotSeq < this.snapshotEvery) return { batch: packed };
    this.snapshotSeq = state.seq;
    checkTrees(state, trees);
    const { engineVersion } = state;
    return { batch: packed, snapshot: { bytes: encodeSnapshot(state.seq, trees), engineVersion } };
  }
}
