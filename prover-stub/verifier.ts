/**
 * The verifier as a process: follows L1, re-executes every committed batch, and says so, or says which is the first
 * that is wrong and in what. It keeps its state and goes on after a crash, and goes back when L1 reorganizes.
 *
 *   const verifier = await Verifier.open({ l1, rollup, data, keccak, signers });
 *   await verifier.step();                     // reads L1 up to now, verifies what is there
 *   verifier.status(); verifier.ledger.proof(owner, asset);
 */
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { type Command, NO_SIGNERS } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { L1Error } from '#settlement/l1/errors.ts';
import { stateRoot } from '#state/state-root.ts';
import { type ChainTip, GENESIS_TIP } from './chain-tip.ts';
import { checkSame, type Difference, DifferenceFound, sentenceOf } from './difference.ts';
import { FinalLedger } from './final-ledger.ts';
import type { FraudSearch } from './find-fraud.ts';
import {
  type BlobEvidence,
  InputsMissing,
  type InputsOptions,
  InputsSource,
  type MissingInputs,
} from './inputs-source.ts';
import { Intake, type PreparedBatch } from './intake.ts';
import { L1Log } from './l1-log.ts';
import type { Proof, Prover } from './prover.ts';
import { ReExecution } from './re-execute.ts';
import type { SignerSource } from './signers.ts';
import { VerifierStore, VerifierStoreError } from './store.ts';
import { type LedgerTotals, totalsOf } from './totals.ts';
import { VerifiedChain } from './verified-chain.ts';
import type { VerifierStatus } from './verifier-status.ts';

export interface VerifierOptions {
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
  /** Directory of its store; made when it is not there. */
  readonly data: string;
  readonly keccak: Keccak;
  readonly signers: SignerSource;
  /** Who is asked for inputs that are not in calldata. */
  readonly inputs?: InputsOptions;
  /** Makes a proof of every verified batch. */
  readonly prover?: Prover;
  /** Commands between two snapshots; default 50,000. */
  readonly snapshotEvery?: number;
  /** What an operator should know, in sentences. */
  readonly say?: (sentence: string) => void;
}

/** A batch that is wrong, and what it takes to find out what of it can be proven. */
export interface Accusation {
  readonly difference: Difference;
  readonly batch: SignedBatch;
  /** Reads L1 anew each time. */
  readonly search: () => FraudSearch;
  /** Blobs that show it, where inputs are in blobs and are not what the trace says. */
  readonly evidence?: BlobEvidence;
}

/** A verified batch with a proof of it. */
export interface ProvenBatch {
  readonly posted: SignedBatch;
  readonly proof: Proof;
}

const SNAPSHOT_EVERY = 50_000;

export class Verifier {
  /** As of the newest batch that is verified and final. */
  readonly ledger: FinalLedger;
  private readonly options: VerifierOptions;
  /** Rows of other kinds than store.ts lists are a challenger's. */
  readonly store: VerifierStore;
  private readonly chain: VerifiedChain;
  private log: L1Log;
  private readonly inputs: InputsSource;
  private intake: Intake;
  private missingNow: MissingInputs | undefined;
  private execution: ReExecution;
  private difference: Difference | undefined;
  /** A difference that was derived from answers of L1 once; it counts when it is derived a second time. */
  private suspected = '';
  private snapshotSeq: number;
  private finalChecked = 0;
  private reorgs = 0;
  private trouble: string | undefined;
  private stepping: Promise<boolean> | undefined;
  private isClosing = false;
  private cached: { readonly tip: ChainTip; readonly totals: LedgerTotals } | undefined;

  /** Goes on where an earlier one stopped. Rejects with `VerifierStoreError` and `L1Error`. */
  static async open(options: VerifierOptions): Promise<Verifier> {
    const { data, l1, rollup, keccak } = options;
    const store = await VerifierStore.open(data, { chainId: l1.chainId, rollup: rollup.rollup }, keccak);
    try {
      return await Verifier.resume(options, store);
    } catch (error) {
      if (!isCorrupt(error)) {
        await store.close();
        throw error;
      }
      options.say?.(`${error.message}: everything is made again from L1`);
      await store.clear();
      return await Verifier.resume(options, store);
    }
  }

  private static async resume(options: VerifierOptions, store: VerifierStore): Promise<Verifier> {
    const log = await L1Log.open(options.l1, options.rollup, store);
    const verifier = new Verifier(options, store, log);
    await verifier.goBack(log.committed);
    return verifier;
  }

  private constructor(options: VerifierOptions, store: VerifierStore, log: L1Log) {
    this.options = options;
    this.store = store;
    this.log = log;
    this.chain = new VerifiedChain(store);
    this.inputs = new InputsSource({ ...options, store }, options.inputs);
    this.intake = new Intake({ ...options, log, inputs: this.inputs });
    this.execution = new ReExecution(options.keccak);
    this.snapshotSeq = 0;
    this.ledger = new FinalLedger(this.chain, options.keccak, () => Math.min(this.log.final, this.tip.id));
  }

  /** The last verified batch. */
  get tip(): ChainTip {
    return this.execution.tip;
  }

  /**
   * Reads L1 on, goes back where it went back, verifies what is there. Resolves with true when nothing is left to do
   * for now. Rejects with `L1Error`, after which the next call goes on.
   */
  step(): Promise<boolean> {
    this.stepping ??= this.stepOnce().finally(() => {
      this.stepping = undefined;
    });
    return this.stepping;
  }

  status(): VerifierStatus {
    const { rollup, l1, keccak } = this.options;
    const { tip, log, difference } = this;
    const totals = this.totals();
    return {
      rollup: rollup.rollup,
      chainId: l1.chainId,
      committed: log.committed,
      final: log.final,
      verified: tip.id,
      steps: tip.nextStep,
      segments: tip.segments,
      commands: tip.nextSeq - 1,
      mismatches: difference === undefined ? 0 : 1,
      verdict: this.verdict(),
      difference: difference === undefined ? null : { ...difference, sentence: sentenceOf(difference) },
      head: {
        hash: toHex(tip.hash),
        ledgerRoot: toHex(tip.ledgerRoot),
        bookRoot: toHex(tip.bookRoot),
        stateRoot: toHex(stateRoot(tip.ledgerRoot, tip.bookRoot, keccak)),
        seq: tip.nextSeq - 1,
        time: tip.timeLast,
        queueNext: tip.queueNext,
      },
      ledger: {
        batch: tip.id,
        accounts: totals.accounts,
        cash: `${totals.cash}`,
        entryValue: `${totals.entryValue}`,
        fees: `${totals.fees}`,
        insurance: `${totals.insurance}`,
        funding: `${totals.funding}`,
        owed: `${totals.owed}`,
        withdrawn: `${totals.withdrawn}`,
      },
      l1: {
        url: l1.url,
        block: log.block,
        reorgs: this.reorgs,
        frozen: log.frozen,
        trouble: this.trouble ?? null,
      },
      missing:
        this.missingNow === undefined
          ? null
          : { batch: this.missingNow.batch.header.id, segments: this.missingNow.segments.length },
    };
  }

  /** The proof that was made of a verified batch; undefined where there is none (any more). */
  async proof(id: number): Promise<Proof | undefined> {
    const row = await this.chain.row(id);
    return row?.proof === undefined ? undefined : { batch: id, ...row.proof };
  }

  /**
   * A batch that was verified and that L1 has now, and the kept proof of it; it is made where there is none, and when
   * asked to make it `anew`. Undefined when there is no such batch or nobody makes proofs here. Rejects with `L1Error`
   * when L1 does not give its bytes.
   */
  async proven(id: number, how: { readonly anew?: boolean } = {}): Promise<ProvenBatch | undefined> {
    const { prover } = this.options;
    const [row, commit] = await Promise.all([this.chain.row(id), this.log.commit(id)]);
    if (prover === undefined || row === undefined || commit === undefined || id > this.log.committed)
      return undefined;
    if (!equalBytes(row.tip.hash, commit.hash)) return undefined;
    if (row.proof !== undefined && how.anew !== true)
      return { posted: (await this.intake.posted(id)).batch, proof: { batch: id, ...row.proof } };
    const parent = id === 1 ? GENESIS_TIP : (await this.chain.row(id - 1))?.tip;
    if (parent === undefined) return undefined;
    for await (const { derived, signers } of this.intake.after(parent, id)) {
      const posted = derived.batch;
      const proof = await prover.prove({ posted, records: derived.records, signers });
      await this.chain.put({ ...row, proof: { publicInputs: proof.publicInputs, bytes: proof.bytes } });
      return { posted, proof };
    }
    return undefined;
  }

  /**
   * The first batch that is wrong, ready to be proven so; undefined while there is none. Rejects with `L1Error` when L1
   * does not give its bytes.
   */
  async accusation(): Promise<Accusation | undefined> {
    const { difference, intake, options } = this;
    if (difference === undefined || difference.batch > this.log.committed) return undefined;
    const { batch, evidence } = await intake.posted(difference.batch);
    const [id] = await this.chain.snapshotIds();
    const from = id === undefined || id >= difference.batch ? undefined : await this.chain.snapshot(id);
    const start = from?.tip ?? GENESIS_TIP;
    const { keccak, signers } = options;
    const search = (): FraudSearch => ({
      keccak,
      ...(from === undefined ? {} : { from }),
      between: commandsOf(intake.after(start, difference.batch - 1)),
      accused: batch,
      recover: (records) => signers.recover(records),
      ...(evidence === undefined ? {} : { misfolded: evidence.segment }),
    });
    return { difference, batch, search, ...(evidence === undefined ? {} : { evidence }) };
  }

  /** The next batch, when nobody gives its inputs. */
  get missing(): MissingInputs | undefined {
    return this.missingNow;
  }

  /** A batch as it was posted, its inputs only if they are in calldata. Rejects with `L1Error`. */
  async postedWithoutInputs(id: number): Promise<SignedBatch> {
    return (await this.intake.carried(id)).batch;
  }

  /** Inputs of a batch that are not in calldata, as this verifier keeps them. */
  keptInputs(id: number): Promise<Uint8Array | undefined> {
    return this.inputs.kept(id);
  }

  /** Ends the step under way after its batch, and keeps a snapshot, so that the next start has little to do. */
  async close(): Promise<void> {
    this.isClosing = true;
    await this.stepping?.catch(() => {});
    try {
      if (this.tip.nextSeq - 1 > this.snapshotSeq) await this.keepSnapshot();
    } finally {
      await this.inputs.close();
      await this.store.close();
    }
  }

  /** Batches to verify: all, or those before the first that is wrong. */
  private get target(): number {
    return this.difference === undefined ? this.log.committed : this.difference.batch - 1;
  }

  private async stepOnce(): Promise<boolean> {
    try {
      const poll = await this.log.poll();
      if (poll.reorged) this.reorgs++;
      for (const { id, hash } of poll.struck) this.options.say?.(`batch ${id} (${toHex(hash)}) was struck`);
      if (poll.keptBatch !== undefined) await this.follow(poll.keptBatch);
      await this.verify();
      this.missingNow = undefined;
      this.trouble = undefined;
      return poll.caughtUp && this.tip.id >= this.target;
    } catch (error) {
      if (isCorrupt(error)) {
        await this.startOver(error.message);
        return false;
      }
      this.missingNow = error instanceof InputsMissing ? error.missing : undefined;
      this.trouble = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  private verdict(): string {
    const { difference, tip, log, trouble } = this;
    if (difference !== undefined) return sentenceOf(difference);
    if (trouble !== undefined) return `verified through batch ${tip.id}; L1: ${trouble}`;
    if (tip.id < log.committed) return `verifying: ${tip.id} of ${log.committed} batches`;
    return tip.id === 0 ? 'no batch yet' : `verified: all ${tip.id} batches`;
  }

  private totals(): LedgerTotals {
    const { execution } = this;
    if (this.cached?.tip !== execution.tip)
      this.cached = { tip: execution.tip, totals: totalsOf(execution.trees.ledger) };
    return this.cached.totals;
  }

  private async verify(): Promise<void> {
    let isExecuting = false;
    try {
      for await (const prepared of this.intake.after(this.tip, this.target)) {
        isExecuting = true;
        this.execution.execute(prepared.derived, prepared.signers);
        isExecuting = false;
        await this.keep(prepared);
        if (this.isClosing) return;
      }
      await this.checkFinal();
      this.suspected = '';
    } catch (error) {
      if (!(error instanceof DifferenceFound)) throw error;
      await this.takeDifference(error, isExecuting);
    }
  }

  /** Everything that follows from a batch that was as posted. */
  private async keep({ derived, signers }: PreparedBatch): Promise<void> {
    const { batch, records, tip } = derived;
    const { prover } = this.options;
    const proof = await prover?.prove({ posted: batch, records, signers });
    await this.chain.put({
      tip,
      diff: batch.diff,
      ...(proof === undefined ? {} : { proof: { publicInputs: proof.publicInputs, bytes: proof.bytes } }),
    });
    const { snapshotEvery = SNAPSHOT_EVERY } = this.options;
    if (tip.nextSeq - 1 - this.snapshotSeq >= snapshotEvery) await this.keepSnapshot();
  }

  private async keepSnapshot(): Promise<void> {
    const { tip } = this;
    const snapshot = this.execution.snapshot();
    if (snapshot === undefined) return;
    await this.chain.keepSnapshot({ tip, snapshot }, Math.min(this.log.final, tip.id));
    this.snapshotSeq = tip.nextSeq - 1;
  }

  /** What L1 calls final must be what was verified. */
  private async checkFinal(): Promise<void> {
    const through = Math.min(this.log.final, this.tip.id);
    for (; this.finalChecked < through; this.finalChecked++) {
      const id = this.finalChecked + 1;
      const [verified, final] = await Promise.all([this.chain.row(id), this.log.finalized(id)]);
      if (verified === undefined || final === undefined) continue;
      const place = { batch: id, part: 'finality' } as const;
      checkSame(place, 'hash of the final batch', verified.tip.hash, final.hash);
      checkSame(place, 'final ledger root', verified.tip.ledgerRoot, final.ledgerRoot);
    }
  }

  private async takeDifference(found: DifferenceFound, wasExecuting: boolean): Promise<void> {
    // What was derived may come of a node that answered from two chains; what was executed was bound by hashes.
    if (!wasExecuting && this.suspected !== found.message) {
      this.suspected = found.message;
      throw new L1Error('unreachable', `${found.message}; looking once more`);
    }
    this.difference = found.difference;
    this.options.say?.(found.message);
    if (!wasExecuting) return;
    this.execution = new ReExecution(this.options.keccak);
    await this.goBack(found.difference.batch - 1);
    await this.verify();
  }

  /** After a reorg or a strike. */
  private async follow(keptBatch: number): Promise<void> {
    this.suspected = '';
    this.ledger.forget();
    this.finalChecked = Math.min(this.finalChecked, this.log.final);
    const { difference } = this;
    if (difference !== undefined && difference.batch > keptBatch) this.difference = undefined;
    if (this.tip.id > keptBatch) await this.goBack(keptBatch);
    else await this.chain.rewind(keptBatch);
  }

  /** To the newest snapshot of a batch up to `id` that L1 still has, or to the beginning. */
  private async goBack(id: number): Promise<void> {
    const { keccak, say } = this.options;
    await this.chain.rewind(id);
    this.execution = new ReExecution(keccak);
    for (const one of await this.chain.snapshotIds()) {
      try {
        const [point, commit] = await Promise.all([this.chain.snapshot(one), this.log.commit(one)]);
        if (point === undefined || commit === undefined || !equalBytes(point.tip.hash, commit.hash))
          throw new Error(`snapshot after batch ${one}: expected a whole one of that batch, got another`);
        this.execution = new ReExecution(keccak, point);
        break;
      } catch (error) {
        say?.(`${error instanceof Error ? error.message : String(error)}; an older one is used`);
        await this.chain.dropSnapshot(one);
      }
    }
    this.snapshotSeq = this.tip.nextSeq - 1;
    this.finalChecked = Math.min(this.tip.id, this.log.final);
  }

  private async startOver(reason: string): Promise<void> {
    this.options.say?.(`${reason}: everything is made again from L1`);
    await this.store.clear();
    this.difference = undefined;
    this.suspected = '';
    this.ledger.forget();
    this.log = await L1Log.open(this.options.l1, this.options.rollup, this.store);
    this.intake = new Intake({ ...this.options, log: this.log, inputs: this.inputs });
    await this.goBack(0);
  }
}

async function* commandsOf(prepared: AsyncIterable<PreparedBatch>): AsyncGenerator<Command, void, undefined> {
  for await (const { derived, signers } of prepared)
    for (const [i, record] of derived.records.entries()) yield { record, signers: signers[i] ?? NO_SIGNERS };
}

const isCorrupt = (error: unknown): error is VerifierStoreError =>
  error instanceof VerifierStoreError && error.code === 'corrupt';
