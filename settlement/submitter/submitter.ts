/**
 * Posts signed batches, and makes them final when their window is over. Each step reads where the chain stands and
 * does what is missing, so that restarts, reorgs and other submitters need no special case: batches are committed
 * in order from the one after the chain's head.
 *
 *   const submitter = new Submitter({ l1, rollup, source: new HttpBatchSource(url), directory });
 *   await submitter.start();  …  submitter.status();  …  await submitter.stop();
 *
 * Several transactions may be under way; the first of them is simulated before it is sent, the others follow from
 * it. Trouble that needs an operator is told once through `alert`; the submitter goes on by itself when it passes.
 */
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { encodeFinalizeBatch } from '../l1/batch-calldata.ts';
import { accountOf, type L1Client } from '../l1/client.ts';
import type { RollupContracts } from '../l1/contracts.ts';
import { isTransient, revertSentence } from '../l1/errors.ts';
import type { SidecarForm } from '../l1/kzg.ts';
import { fetchPostedBatch } from '../l1/posted-batch.ts';
import { findCommit, type RollupState, readBatchRecord, readRollupState } from '../l1/rollup-state.ts';
import { simulate, TRANSACTION_GAS_MAX } from '../l1/transactions.ts';
import { type Alert, Alerts } from './alerts.ts';
import { type BatchSource, BatchSourceError } from './batch-source.ts';
import type { Carrier, CarrierChoice } from './carrier.ts';
import { CommitCarrying } from './commit-carrying.ts';
import { DemandDesk, type DemandStatus } from './demand-desk.ts';
import { answerGas, finalizeGas } from './gas.ts';
import { IntentStore, NO_TOTALS, type Work } from './intent-store.ts';
import { describe, NonceStream, type Sendable } from './nonce-stream.ts';

export interface SubmitterOptions {
  /** With the submitter's own key: no other process may use it. */
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
  readonly source: BatchSource;
  /** Data directory, made when missing. */
  readonly directory: string;
  /** Blocks above a transaction after which it is forgotten; default 10. */
  readonly confirmations?: number;
  /** After so long without being mined a transaction is sent again, dearer; default 48,000. */
  readonly resubmitMs?: number;
  /** Between steps; default 1,000. */
  readonly pollMs?: number;
  /** Most wei per gas ever paid; default 500 gwei. */
  readonly feeCapWei?: bigint;
  /** Versions of one transaction before giving up until its nonce moves; default 12. */
  readonly attemptsMax?: number;
  /**
   * Commits under way at once, four finalizations or answers counting as one; default 4. Nodes keep 16 pieces of 32 KiB of one
   * sender's waiting transactions, and a commit can have 128 KiB.
   */
  readonly inFlightMax?: number;
  /** Make batches final when their window is over; default true. */
  readonly finalize?: boolean;
  /** Where inputs go (carrier.ts); default calldata. */
  readonly carrier?: CarrierChoice;
  /** What nodes want beside blobs; default cells, which networks after Fusaka ask for, on development chains proofs. */
  readonly sidecars?: SidecarForm;
  /** Answer demands for inputs; default true. */
  readonly answer?: boolean;
  readonly alert?: (alert: Alert) => void;
  readonly now?: () => number;
}

export interface SubmitterStatus {
  readonly state: 'starting' | 'running' | 'given-up' | 'stopped';
  /** Highest batch ids committed and final on L1 when it was last read; 0 before the first. */
  readonly committed: number;
  readonly final: number;
  readonly l1Block: number;
  /** Sent and not mined. */
  readonly inFlight: number;
  /** Mined and not yet buried. */
  readonly unconfirmed: number;
  /** Mined since the data directory exists, with reverted ones. */
  readonly transactions: number;
  readonly gas: number;
  readonly calldataBytes: number;
  readonly blobs: number;
  /** With what blobs cost. */
  readonly feesWei: bigint;
  readonly reverted: number;
  readonly resubmissions: number;
  /** Of the newest commit of this process; null before the first. */
  readonly carrier: Carrier | null;
  readonly demands: DemandStatus;
  /** Troubles that stand. */
  readonly alerts: readonly Alert[];
}

const GWEI = 1_000_000_000n;
const BACKOFF_STEPS_MAX = 10;
/** Of a finalization or an answer, in commits. */
const SMALL_SHARE = 1 / 4;

export class Submitter {
  private readonly l1: L1Client;
  private readonly rollup: RollupContracts;
  private readonly source: BatchSource;
  private readonly domain: SigningDomain;
  private readonly options: SubmitterOptions;
  private readonly pollMs: number;
  private readonly inFlightMax: number;
  private readonly now: () => number;
  private readonly alerts: Alerts;
  private readonly desk: DemandDesk;
  private readonly carrying: CommitCarrying;
  private carrier: Carrier | null = null;
  /** Something without blobs has to wait for those under way: none is added to them. */
  private isDraining = false;
  private store: IntentStore | undefined;
  private stream: NonceStream | undefined;
  private last: RollupState | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stepping: Promise<void> | undefined;
  private failures = 0;
  private state: 'starting' | 'running' | 'stopped' = 'starting';

  constructor(options: SubmitterOptions) {
    this.l1 = options.l1;
    this.rollup = options.rollup;
    this.source = options.source;
    this.domain = new SigningDomain(options.rollup.domain, nobleKeccak);
    this.options = options;
    this.pollMs = options.pollMs ?? 1_000;
    this.inFlightMax = options.inFlightMax ?? 4;
    this.now = options.now ?? Date.now;
    this.alerts = new Alerts(options.alert ?? (() => {}), this.now);
    this.desk = new DemandDesk(this.l1, this.rollup, this.source, this.alerts);
    this.carrying = new CommitCarrying({
      ...options,
      sender: accountOf(options.l1).address,
      alerts: this.alerts,
    });
  }

  /** Opens the data directory and begins; rejects with a sentence when the directory can't be used. */
  async start(): Promise<void> {
    await this.open();
    this.plan(0);
  }

  /** As `start`, but steps are the caller's: see `step`. */
  async open(): Promise<void> {
    const { l1, rollup, options } = this;
    this.store = await IntentStore.open(options.directory, {
      chainId: rollup.chainId,
      rollup: rollup.rollup,
      sender: accountOf(l1).address,
    });
    this.stream = new NonceStream(
      l1,
      this.store,
      await this.store.load(),
      this.alerts,
      {
        confirmations: options.confirmations ?? 10,
        resubmitMs: options.resubmitMs ?? 48_000,
        feeCapWei: options.feeCapWei ?? 500n * GWEI,
        attemptsMax: options.attemptsMax ?? 12,
        sidecarForm: this.carrying.sidecarForm,
        sidecarOf: (work) => this.carrying.sidecarAgain(work).catch(this.noteSource),
      },
      this.now,
    );
    this.state = 'running';
  }

  /** Finishes the step under way and closes the data directory; what is in flight stays in flight. */
  async stop(): Promise<void> {
    this.state = 'stopped';
    clearTimeout(this.timer);
    await this.stepping;
    await this.carrying.close();
    await this.store?.close();
    this.store = undefined;
  }

  status(): SubmitterStatus {
    const totals = this.stream?.totals ?? NO_TOTALS;
    return {
      state: this.state === 'running' && this.stream?.stuck === true ? 'given-up' : this.state,
      committed: this.last?.committedId ?? 0,
      final: this.last?.finalId ?? 0,
      l1Block: this.last?.blockNumber ?? 0,
      inFlight: this.stream?.unmined.length ?? 0,
      unconfirmed: this.stream?.unconfirmed ?? 0,
      ...totals,
      feesWei: BigInt(totals.feesWei),
      carrier: this.carrier,
      demands: this.desk.status,
      alerts: this.alerts.active,
    };
  }

  /** One round: read, reconcile, send again, commit, finalize. Never rejects; trouble becomes an alert. */
  step(): Promise<void> {
    this.stepping ??= this.stepOnce().finally(() => {
      this.stepping = undefined;
    });
    return this.stepping;
  }

  private plan(waitMs: number): void {
    this.timer = setTimeout(() => {
      void this.step().then(() => {
        if (this.state === 'running') this.plan(this.pollMs * Math.min(this.failures + 1, BACKOFF_STEPS_MAX));
      });
    }, waitMs);
  }

  private async stepOnce(): Promise<void> {
    const { stream } = this;
    if (stream === undefined) throw new Error('submitter: expected open() before step()');
    try {
      const state = await readRollupState(this.l1, this.rollup, accountOf(this.l1).address);
      this.last = state;
      await this.desk.observe();
      await stream.observe(state);
      await stream.advance(state, (work) => isDone(work, state, this.desk));
      if (!stream.stuck) {
        this.isDraining = false;
        if (this.options.answer !== false) await this.answerNext(state, stream);
        if (this.options.finalize !== false) await this.finalizeNext(state, stream);
        await this.commitNext(state, stream).catch(this.noteSource);
        await stream.fillGaps(state);
      }
      this.failures = 0;
      this.alerts.clear('l1-unreachable');
    } catch (error) {
      this.failures += 1;
      if (isTransient(error)) this.alerts.raise('l1-unreachable', (error as Error).message);
      else this.alerts.raise('refused', (error as Error).message);
    }
  }

  /** A sequencer that is away stops commits alone: what is committed still becomes final. */
  private readonly noteSource = (error: unknown): undefined => {
    if (!(error instanceof BatchSourceError)) throw error;
    this.alerts.raise('source', error.message);
  };

  private async commitNext(state: RollupState, stream: NonceStream): Promise<void> {
    let parent: { id: number; hash: Uint8Array } = { id: state.committedId, hash: state.committedHash };
    while (load(stream) < this.inFlightMax) {
      const id = parent.id + 1;
      const underWay = stream.unmined.find(
        ({ work }) => work.kind === 'commit' && work.id === id && work.epoch === state.epoch,
      );
      if (underWay?.work.kind === 'commit') {
        parent = { id, hash: fromHex(underWay.work.hash) };
        continue;
      }
      const batch = await this.source.get(id);
      this.alerts.clear('source');
      if (batch === undefined || !this.continues(batch, parent, state) || this.isEarly(batch, state)) return;
      const work: Work = { kind: 'commit', id, epoch: state.epoch, hash: toHex(batch.hash) };
      const carried = this.carrying.choose(batch, state);
      if (carried === undefined || !this.mayAdd(stream, carried.blobs > 0)) return;
      const sendable = this.carrying.sendable(batch, carried);
      if (sendable === undefined || !(await this.sendWork(state, stream, work, sendable))) return;
      this.carrier = carried.carrier;
      parent = { id, hash: batch.hash };
    }
  }

  /** Nodes hold transactions with and without blobs of one sender only in turn. */
  private mayAdd(stream: NonceStream, withBlobs: boolean): boolean {
    if (withBlobs && this.isDraining) return false;
    if (stream.unmined.length === 0 || stream.isWithBlobs === withBlobs) return true;
    if (!withBlobs) this.isDraining = true;
    return false;
  }

  private async answerNext(state: RollupState, stream: NonceStream): Promise<void> {
    const isUnderWay = (demand: number): boolean =>
      stream.unmined.some(({ work }) => work.kind === 'answer' && work.demand === demand);
    for await (const { work, data } of this.desk.answers(isUnderWay)) {
      if (load(stream) >= this.inFlightMax || !this.mayAdd(stream, false)) return;
      const sendable = { to: this.rollup.demands, data, gas: answerGas(data) };
      if (!(await this.sendWork(state, stream, work, sendable))) return;
      this.desk.noteSent();
    }
  }

  /** Whether L1 can take the batch after `parent`; an alert says why not. */
  private continues(
    batch: SignedBatch,
    parent: { id: number; hash: Uint8Array },
    state: RollupState,
  ): boolean {
    const { header } = batch;
    if (state.frozen) {
      this.alerts.raise(
        'refused',
        `commit of batch ${header.id}: the rollup is frozen, nothing is committed any more`,
      );
      return false;
    }
    if (state.bondWei < this.rollup.bondWei) {
      this.alerts.raise(
        'refused',
        `commit of batch ${header.id}: expected a bond of ${this.rollup.bondWei} wei, got ${state.bondWei}: top it up with sluice bond top-up`,
      );
      return false;
    }
    if (header.epoch < state.epoch) {
      this.alerts.raise(
        'fork',
        `batch ${header.id}: expected epoch ${state.epoch}, got ${header.epoch}, which L1 has ended: nothing is committed until the sequencer goes on in the new epoch (after a strike: sluice recover)`,
      );
      return false;
    }
    if (header.epoch !== state.epoch || !equalBytes(header.parentHash, parent.hash)) {
      this.alerts.raise(
        'fork',
        `batch ${header.id}: expected epoch ${state.epoch} and parent ${toHex(parent.hash)}, got epoch ${header.epoch} and parent ${toHex(header.parentHash)}`,
      );
      return false;
    }
    this.alerts.clear('fork');
    return true;
  }

  /** A batch may end no later than the block that takes it; the next block will be later than the last. */
  private isEarly(batch: SignedBatch, state: RollupState): boolean {
    return (
      Math.floor(batch.header.timeLast / 1000) > state.blockTime ||
      batch.header.anchorNumber > state.blockNumber
    );
  }

  private async finalizeNext(state: RollupState, stream: NonceStream): Promise<void> {
    for (let id = state.finalId + 1; id <= state.committedId; id++) {
      if (load(stream) >= this.inFlightMax) return;
      if (stream.unmined.some(({ work }) => work.kind === 'finalize' && work.id === id)) continue;
      const record = await readBatchRecord(this.l1, this.rollup, id);
      if (record.deadline > state.blockTime) return;
      const batch = await this.postedBatch(id, record);
      if (batch === undefined) return;
      if (!this.mayAdd(stream, false)) return;
      const data = encodeFinalizeBatch(batch);
      const sendable = { to: this.rollup.rollup, data, gas: finalizeGas(data, batch) };
      if (!(await this.sendWork(state, stream, { kind: 'finalize', id }, sendable))) return;
    }
  }

  /** From the source when it still has that very batch, else from L1 itself. */
  private async postedBatch(
    id: number,
    record: { readonly hash: Uint8Array; readonly committedBlock: number },
  ): Promise<SignedBatch | undefined> {
    const signed = await this.source.get(id).catch(() => undefined);
    if (signed !== undefined && equalBytes(signed.hash, record.hash)) return signed;
    const commit = await findCommit(this.l1, this.rollup, { id, block: record.committedBlock });
    return commit === undefined ? undefined : fetchPostedBatch(this.l1, commit, this.domain);
  }

  /** False when it has to wait: refused by the contract, above the gas limit, or too dear now. */
  private async sendWork(
    state: RollupState,
    stream: NonceStream,
    work: Work,
    call: Sendable,
  ): Promise<boolean> {
    const { gas } = call;
    if (gas > TRANSACTION_GAS_MAX) {
      this.alerts.raise(
        'refused',
        `${describe(work)}: expected at most ${TRANSACTION_GAS_MAX} gas for one transaction, got ${gas}`,
      );
      return false;
    }
    if (stream.unmined.length === 0) {
      const revert = await simulate(this.l1, call);
      if (revert !== undefined) {
        this.alerts.raise(
          'refused',
          `${describe(work)}: expected to be taken, got ${revertSentence(revert)}`,
        );
        return false;
      }
      this.alerts.clear('refused', 'reverted', 'low-balance');
    }
    return stream.send(state, work, call);
  }
}

/** What is under way, in commits. */
const load = (stream: NonceStream): number =>
  stream.unmined.reduce((sum, { work }) => sum + (work.kind === 'commit' ? 1 : SMALL_SHARE), 0);

/** Whether someone did it before us, or it can't be done any more. */
function isDone(work: Work, state: RollupState, desk: DemandDesk): boolean {
  switch (work.kind) {
    case 'commit':
      return work.id <= state.committedId || work.epoch !== state.epoch || state.frozen;
    case 'finalize':
      // A strike may have been faster.
      return work.id <= state.finalId || work.id > state.committedId;
    case 'answer':
      return !desk.isOpen(work.demand);
    case 'fill':
      return false;
  }
}
