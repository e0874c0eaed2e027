/**
 * The malicious sequencer's workshop: an engine with the trees attached, the batcher's own assembly, the real key. It
 * is honest until somebody hands it other rules, other commands, or reaches into what it writes.
 */
import { Engine } from '#engine/engine.ts';
import {
  type BatchHeader,
  hashHeader,
  type SignedBatch,
  type TraceEntry,
  traceRoot,
} from '#protocol/batch.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import { type BatchPlace, packBatch, placeBatch } from '#state/batch-assembly.ts';
import type { BatchBuilder } from '#state/batch-builder.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { isBookKey } from '#state/keys.ts';
import type { LeafValue } from '#state/leaves.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import type { StateTrees } from '#state/state-root.ts';
import { StateTree } from '#state/state-tree.ts';
import { TreeTrace } from '#state/tree-trace.ts';
import { signDigest } from '../auth/keys.ts';
import type { Base } from './world.ts';

export type EngineClass = new (...args: ConstructorParameters<typeof Engine>) => Engine;

export interface Write {
  readonly key: Uint8Array;
  readonly before: LeafValue;
  readonly value: LeafValue;
}

/** One step as a segment of its own wrote it. */
export interface ForgedStep {
  readonly kind: number;
  /** Of the command that it belongs to. */
  readonly command: string;
  readonly writes: readonly Write[];
}

/** What is posted of a batch; hashes over it follow. */
export interface Posted {
  header: BatchHeader;
  trace: TraceEntry[];
  withdrawn: Uint8Array;
  diff: Uint8Array;
  inputs: Uint8Array;
}

export interface ForgerOptions {
  readonly keccak: Keccak;
  readonly domain: SigningDomain;
  readonly secret: Uint8Array;
  /** Genesis by default. */
  readonly base?: Base;
  readonly engine?: EngineClass;
  /** Every step is a segment of its own; by weight otherwise. */
  readonly stepwise?: boolean;
  /** Called where segment `index` ends, before its root is taken. */
  readonly tamper?: (index: number, write: (key: Uint8Array, value: LeafValue) => void) => void;
}

/** What a test reaches into of a trace. */
interface TraceInsides {
  readonly builder: BatchBuilder;
  endsBefore(kind: number, inputBytes: number): boolean;
}

export class Forger {
  readonly state: ExchangeState;
  readonly trees: StateTrees;
  readonly engine: Engine;
  readonly trace: TreeTrace;
  /** Filled while stepwise. */
  readonly steps: ForgedStep[] = [];
  private readonly options: ForgerOptions;
  private kinds: { kind: number; command: string }[] = [];
  private writes: Write[] = [];
  private command = '';

  constructor(options: ForgerOptions) {
    const { keccak, base } = options;
    this.options = options;
    if (base === undefined) {
      this.state = new ExchangeState(keccak);
      this.trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
      this.trace = new TreeTrace({ state: this.state, trees: this.trees, keccak });
    } else {
      const { state, trees } = loadSnapshot(base.snapshot, keccak);
      const { nextStep, nextSeq, inputHash } = base.tip;
      this.state = state;
      this.trees = trees;
      this.trace = new TreeTrace({ state, trees, keccak, start: { nextStep, nextSeq, inputHash } });
    }
    this.engine = new (options.engine ?? Engine)(this.state, this.trace);
    this.reachIn();
  }

  /** `posted`: the record that the batch shall hold, by default the one that is executed. */
  apply(command: Command & { readonly name?: string }, posted = command.record): void {
    this.command = command.name ?? '';
    this.trace.begin(posted);
    this.engine.apply(command);
    this.trace.end();
  }

  /** As `apply`; what `reach` does to the state before the command ends counts as its doing. */
  meanwhile(command: Command, reach: () => void): void {
    this.trace.begin(command.record);
    this.engine.apply(command);
    reach();
    this.trace.end();
  }

  close(place: BatchPlace, alter?: (posted: Posted) => void): SignedBatch {
    const { keccak, domain } = this.options;
    const unsigned = placeBatch(packBatch(this.trace.close(), keccak), place, domain, keccak);
    if (alter === undefined) return { ...unsigned, ...this.sign(unsigned.header) };
    const posted: Posted = { ...unsigned, trace: [...unsigned.trace] };
    alter(posted);
    const { trace, withdrawn, diff, inputs } = posted;
    const header: BatchHeader = {
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

  sign(header: BatchHeader): { hash: Uint8Array; signature: Uint8Array } {
    const { domain, secret, keccak } = this.options;
    const hash = hashHeader(header, domain, keccak);
    return { hash, signature: signDigest(hash, { secret, address: new Uint8Array(20) }) };
  }

  private reachIn(): void {
    const { stepwise, tamper } = this.options;
    const insides = this.trace as unknown as TraceInsides;
    const { builder } = insides;
    // What is posted may be shorter or longer than what is executed.
    this.trace.record = () => {};
    if (stepwise) insides.endsBefore = () => builder.segmentSteps > 0;
    const step = builder.step.bind(builder);
    builder.step = (kind, now, record) => {
      this.kinds.push({ kind, command: this.command });
      step(kind, now, record);
    };
    const write = builder.write.bind(builder);
    builder.write = (key, value) => {
      const before = (isBookKey(key) ? this.trees.book : this.trees.ledger).get(key)?.slice();
      if (stepwise && !isSame(before, value)) this.writes.push({ key, before, value });
      write(key, value);
    };
    const cut = builder.cut.bind(builder);
    let index = 0;
    builder.cut = () => {
      if (stepwise) this.steps.push({ ...this.kinds[0]!, writes: this.writes });
      this.kinds = [];
      this.writes = [];
      tamper?.(index++, write);
      return cut();
    };
  }
}

export const isSame = (a: LeafValue, b: LeafValue): boolean =>
  a === b || (a !== undefined && b !== undefined && equalBytes(a, b));
