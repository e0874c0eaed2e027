/**
 * A sequencer for tests of verifiers: the real engine with the trees attached, the batcher's own assembly, the real
 * key. A test can change what the engine did, or what is posted of it; everything that follows from it follows, so
 * that what comes out is consistent with itself.
 */
import { Engine } from '#engine/engine.ts';
import {
  type BatchHeader,
  hashHeader,
  type SignedBatch,
  type TraceEntry,
  traceRoot,
} from '#protocol/batch.ts';
import type { Command } from '#protocol/command.ts';
import { type Keccak, ZERO_HASH } from '#protocol/hash.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import { type BatchPlace, packBatch, placeBatch } from '#state/batch-assembly.ts';
import type { BatchTrace } from '#state/batch-builder.ts';
import type { LeafChange } from '#state/diff.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import type { StateTrees } from '#state/state-root.ts';
import { StateTree } from '#state/state-tree.ts';
import { TreeTrace, type TreeTraceOptions } from '#state/tree-trace.ts';
import { signDigest } from '../auth/keys.ts';

/** What a cheat gets its hands on. */
export interface Insides {
  readonly state: ExchangeState;
  readonly engine: Engine;
  readonly trace: TreeTrace;
}

/** What is posted of a batch; hashes over it follow. */
export interface Posted {
  header: BatchHeader;
  trace: TraceEntry[];
  withdrawn: Uint8Array;
  diff: Uint8Array;
  inputs: Uint8Array;
}

export type ApplyCommand = (command: Command) => void;

export interface TestSequencerOptions {
  readonly domain: SigningDomain;
  readonly secret: Uint8Array;
  readonly keccak: Keccak;
  readonly trace?: Partial<TreeTraceOptions>;
}

export class TestSequencer {
  readonly state: ExchangeState;
  readonly engine: Engine;
  readonly trace: TreeTrace;
  readonly trees: StateTrees;
  /** What the last batch changed, before anything of it was altered. */
  changes: readonly LeafChange[] = [];
  readonly batches: SignedBatch[] = [];
  /** Ended by size and not yet placed. */
  private readonly closed: BatchTrace[] = [];
  private readonly options: TestSequencerOptions;

  constructor(options: TestSequencerOptions) {
    const { keccak } = options;
    this.options = options;
    this.state = new ExchangeState(keccak);
    this.trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
    this.trace = new TreeTrace({ state: this.state, trees: this.trees, keccak, ...options.trace });
    this.engine = new Engine(this.state, this.trace);
  }

  get last(): SignedBatch | undefined {
    return this.batches.at(-1);
  }

  /** `posted`: the record that the batch shall hold, by default the one that is executed. */
  apply(command: Command, posted = command.record, cheat?: (insides: Insides) => void): void {
    this.trace.begin(posted);
    this.engine.apply(command);
    cheat?.(this);
    this.trace.end();
    this.closed.push(...this.trace.takeClosed());
  }

  /** Everything since the last one. `alter` may change what is posted; hashes and signature are made anew after it. */
  cut(
    place: Omit<BatchPlace, 'id' | 'parentHash'>,
    alter?: (posted: Posted, insides: Insides) => void,
  ): SignedBatch[] {
    if (this.trace.open.steps > 0) this.closed.push(this.trace.close());
    const made = this.closed.splice(0).map((batch) => this.place(batch, place));
    const last = made.at(-1);
    if (alter === undefined || last === undefined) return made;
    made[made.length - 1] = this.batches[this.batches.length - 1] = this.altered(last, alter);
    return made;
  }

  sign(header: BatchHeader): { hash: Uint8Array; signature: Uint8Array } {
    const { domain, secret, keccak } = this.options;
    const hash = hashHeader(header, domain, keccak);
    return { hash, signature: signDigest(hash, { secret, address: new Uint8Array(20) }) };
  }

  private place(batch: BatchTrace, place: Omit<BatchPlace, 'id' | 'parentHash'>): SignedBatch {
    const { domain, keccak } = this.options;
    this.changes = batch.changes;
    const id = (this.last?.header.id ?? 0) + 1;
    const parentHash = this.last?.hash ?? ZERO_HASH;
    const unsigned = placeBatch(packBatch(batch, keccak), { ...place, id, parentHash }, domain, keccak);
    const signed = { ...unsigned, ...this.sign(unsigned.header) };
    this.batches.push(signed);
    return signed;
  }

  private altered(batch: SignedBatch, alter: (posted: Posted, insides: Insides) => void): SignedBatch {
    const { keccak } = this.options;
    const posted: Posted = { ...batch, trace: [...batch.trace] };
    alter(posted, this);
    const { trace, withdrawn, diff, inputs } = posted;
    const header = {
      ...posted.header,
      traceRoot: traceRoot(trace, posted.header, keccak),
      traceLength: trace.length,
      inputBytes: inputs.length,
      inputsHash: keccak(inputs),
      diffHash: keccak(diff),
      withdrawnHash: keccak(withdrawn),
    };
    return { header, ...this.sign(header), trace, withdrawn, diff, inputs };
  }
}
