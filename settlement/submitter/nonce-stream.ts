/**
 * One key, one stream of nonces: every transaction is an intent that is stored before it is sent, sent again until
 * it is mined, and watched until it is buried under enough blocks. A reorg that drops it sends the same bytes
 * again; a nonce that nobody needs any more is used up by a payment of nothing to ourselves.
 */
import { accountOf, type Hex, type L1Client } from '../l1/client.ts';
import { isTransient, L1Error, revertSentence } from '../l1/errors.ts';
import { emptySidecar, type Sidecar, type SidecarForm, versionedHash } from '../l1/kzg.ts';
import type { RollupState } from '../l1/rollup-state.ts';
import {
  broadcast,
  type Fees,
  isKnown,
  minedAs,
  readSigned,
  signTransaction,
  simulate,
  type TransactionRequest,
} from '../l1/transactions.ts';
import type { Alerts } from './alerts.ts';
import { feesAfter, feesNow } from './fees.ts';
import type { Intent, IntentStore, Totals, Work } from './intent-store.ts';

export interface NonceStreamOptions {
  readonly confirmations: number;
  readonly resubmitMs: number;
  /** Most wei per gas that is ever paid. */
  readonly feeCapWei: bigint;
  /** Versions of one transaction before the stream gives up until its nonce moves. */
  readonly attemptsMax: number;
  /** What nodes of this chain want to see beside blobs. */
  readonly sidecarForm: SidecarForm;
  /** The blobs of work that carries some; undefined while they are being made: then it is sent in a later round. */
  readonly sidecarOf: (work: Work, hashes: readonly Hex[]) => Promise<Sidecar | undefined>;
}

export type Sendable = Pick<TransactionRequest, 'to' | 'data' | 'gas' | 'blobHashes'>;

/** Reads of a node behind a balancer may lag: a receipt must be missing so often before it counts as missing. */
const MISSING_READS = 3;
const FILL_GAS = 21_000n;
const EMPTY_BLOB_HASH = versionedHash(emptySidecar('proofs').commitments[0]!);

export class NonceStream {
  readonly totals: Totals;
  private readonly l1: L1Client;
  private readonly store: IntentStore;
  private readonly alerts: Alerts;
  private readonly options: NonceStreamOptions;
  private readonly now: () => number;
  private readonly intents = new Map<number, Intent>();
  /** Clock time of the last broadcast; none: not sent by this process, or dropped by a reorg. */
  private readonly sentAtMs = new Map<number, number>();
  private readonly underpriced = new Set<number>();
  private readonly missingReads = new Map<number, number>();
  /** Versions of the transaction at the front since the nonce last moved. */
  private attempts = 0;
  private frontNonce = -1;

  constructor(
    l1: L1Client,
    store: IntentStore,
    loaded: { readonly intents: readonly Intent[]; readonly totals: Totals },
    alerts: Alerts,
    options: NonceStreamOptions,
    now: () => number,
  ) {
    this.l1 = l1;
    this.store = store;
    this.alerts = alerts;
    this.options = options;
    this.now = now;
    this.totals = loaded.totals;
    for (const intent of loaded.intents) this.intents.set(intent.nonce, intent);
  }

  /** Work that is under way: stored, and as far as we know not mined; by nonce. */
  get unmined(): readonly Intent[] {
    return this.sorted().filter((intent) => intent.mined === undefined);
  }

  /** Whether what is under way carries blobs. Nodes take transactions with and without from one sender only in turn. */
  get isWithBlobs(): boolean {
    return this.unmined.some(({ raw }) => readSigned(raw).blobHashes !== undefined);
  }

  /** Mined, but not deep enough to be forgotten. */
  get unconfirmed(): number {
    return this.intents.size - this.unmined.length;
  }

  /** Nothing more is sent until the nonce moves. */
  get stuck(): boolean {
    return this.attempts >= this.options.attemptsMax;
  }

  /** Holds intents against the chain: what was mined, reverted, buried, or dropped by a reorg. */
  async observe(state: RollupState): Promise<void> {
    if (state.nonce !== this.frontNonce) {
      this.frontNonce = state.nonce;
      this.attempts = 0;
      this.alerts.clear('stuck');
    }
    for (const intent of this.sorted()) {
      if (intent.nonce >= state.nonce) {
        if (intent.mined !== undefined) await this.takeBack(intent);
      } else if (intent.mined === undefined) await this.findReceipt(intent);
      else if (state.blockNumber - intent.mined.blockNumber >= this.options.confirmations)
        await this.bury(intent);
    }
  }

  /**
   * Sends what waits again: at once what was dropped, dearer what is overdue. `obsolete` says whether work has
   * become pointless; its nonce is then used up by a fill.
   */
  async advance(state: RollupState, obsolete: (work: Work) => boolean): Promise<void> {
    for (const intent of this.unmined) {
      const { nonce } = intent;
      const outbid = this.underpriced.has(nonce);
      const sentAt = this.sentAtMs.get(nonce);
      const overdue = sentAt !== undefined && this.now() - sentAt >= this.options.resubmitMs;
      // Not sent by this process, or the node has dropped it since: the same bytes once more.
      const asItIs = !outbid && !overdue && (sentAt === undefined || !(await this.isKnown(intent)));
      if (!asItIs && !outbid && !overdue) continue;
      const atFront = nonce === state.nonce;
      if (atFront && this.stuck) {
        this.alerts.raise(
          'stuck',
          `nonce ${nonce}: expected to be mined within ${this.options.attemptsMax} attempts, got no block with it: nothing more is sent until it moves`,
        );
        return;
      }
      const pointless =
        intent.work.kind !== 'fill' && (obsolete(intent.work) || (atFront && (await this.refused(intent))));
      if (asItIs && !pointless) await this.broadcast(intent, atFront);
      else await this.replace(intent, state, pointless, atFront);
    }
  }

  /** Starts new work on the lowest free nonce. False when fees are above the cap. */
  async send(state: RollupState, work: Work, call: Sendable): Promise<boolean> {
    const fees = feesNow(state, this.options.feeCapWei, call.blobHashes !== undefined);
    if (fees === undefined) {
      this.feeSpike(state);
      return false;
    }
    this.alerts.clear('fee-spike');
    const nonce = this.freeNonce(state.nonce);
    const signed = await signTransaction(this.l1, { ...call, ...fees, nonce });
    const intent: Intent = { nonce, work, raw: signed.raw, hashes: [signed.hash], counted: false };
    await this.put(intent);
    await this.broadcast(intent, nonce === state.nonce);
    return true;
  }

  /** Nonces below waiting ones that no work has taken. */
  async fillGaps(state: RollupState): Promise<void> {
    const last = this.unmined.at(-1)?.nonce ?? -1;
    while (this.freeNonce(state.nonce) < last)
      if (!(await this.send(state, { kind: 'fill' }, this.fill(this.isWithBlobs)))) return;
  }

  private async findReceipt(intent: Intent): Promise<void> {
    for (const hash of [...intent.hashes].reverse()) {
      const mined = await minedAs(this.l1, hash);
      if (mined === undefined) continue;
      const { blockNumber, blockHash } = mined;
      this.missingReads.delete(intent.nonce);
      if (!intent.counted) {
        this.totals.transactions += 1;
        this.totals.gas += Number(mined.gasUsed);
        const { data, blobHashes = [] } = readSigned(intent.raw);
        this.totals.calldataBytes += (data.length - 2) / 2;
        this.totals.blobs += blobHashes.length;
        this.totals.feesWei = String(BigInt(this.totals.feesWei) + mined.feeWei);
        if (!mined.success) this.totals.reverted += 1;
      }
      if (!mined.success)
        this.alerts.raise(
          'reverted',
          `${describe(intent.work)}: expected to succeed, got reverted in ${hash}`,
        );
      await this.put({ ...intent, mined: { blockNumber, blockHash }, counted: true });
      return;
    }
    const reads = (this.missingReads.get(intent.nonce) ?? 0) + 1;
    this.missingReads.set(intent.nonce, reads);
    if (reads < MISSING_READS) return;
    this.alerts.raise(
      'foreign-transaction',
      `nonce ${intent.nonce}: expected one of our transactions, got another's: this key must be used by one submitter alone`,
    );
    await this.forget(intent);
  }

  /** A reorg dropped it: the same bytes are sent again. */
  private async takeBack(intent: Intent): Promise<void> {
    const { mined: _, ...rest } = intent;
    this.sentAtMs.delete(intent.nonce);
    await this.put(rest);
  }

  private async bury(intent: Intent): Promise<void> {
    for (const hash of [...intent.hashes].reverse()) {
      const mined = await minedAs(this.l1, hash);
      if (mined === undefined) continue;
      if (mined.blockHash === intent.mined!.blockHash) await this.forget(intent);
      else
        await this.put({ ...intent, mined: { blockNumber: mined.blockNumber, blockHash: mined.blockHash } });
      return;
    }
    await this.takeBack(intent);
  }

  private async isKnown(intent: Intent): Promise<boolean> {
    return isKnown(this.l1, intent.hashes.at(-1)!);
  }

  /** Whether the transaction at the front would revert: then it is not paid for. */
  private async refused(intent: Intent): Promise<boolean> {
    const revert = await simulate(this.l1, readSigned(intent.raw));
    if (revert === undefined) return false;
    this.alerts.raise(
      'refused',
      `${describe(intent.work)}: expected to be taken, got ${revertSentence(revert)}`,
    );
    return true;
  }

  private async replace(
    intent: Intent,
    state: RollupState,
    byFill: boolean,
    atFront: boolean,
  ): Promise<void> {
    const last = readSigned(intent.raw);
    const least: Fees = this.underpriced.has(intent.nonce)
      ? // The node knows a dearer one and does not say how dear.
        {
          ...last,
          maxFeePerGas: 2n * last.maxFeePerGas,
          maxPriorityFeePerGas: 2n * last.maxPriorityFeePerGas,
        }
      : last;
    const fees = feesAfter(least, state, this.options.feeCapWei);
    if (fees === undefined) {
      this.feeSpike(state);
      if (atFront && this.underpriced.has(intent.nonce)) this.attempts += 1;
      await this.broadcast(intent, atFront);
      return;
    }
    const work: Work = byFill ? { kind: 'fill' } : intent.work;
    const { blobHashes } = last;
    const { to, data, gas, ...rest } = byFill ? this.fill(blobHashes !== undefined) : last;
    const blobs = rest.blobHashes === undefined ? {} : { blobHashes: rest.blobHashes };
    const signed = await signTransaction(this.l1, { to, data, gas, ...blobs, nonce: intent.nonce, ...fees });
    this.totals.resubmissions += 1;
    const next: Intent = { ...intent, work, raw: signed.raw, hashes: [...intent.hashes, signed.hash] };
    await this.put(next);
    if (atFront) this.attempts += 1;
    await this.broadcast(next, atFront);
  }

  private async broadcast(intent: Intent, atFront: boolean): Promise<void> {
    const { nonce } = intent;
    const { blobHashes } = readSigned(intent.raw);
    const sidecar = blobHashes === undefined ? undefined : await this.sidecar(intent.work, blobHashes);
    if (blobHashes !== undefined && sidecar === undefined) return;
    try {
      await broadcast(this.l1, intent.raw, sidecar);
    } catch (error) {
      if (!(error instanceof L1Error) || isTransient(error)) throw error;
      switch (error.code) {
        case 'already-known':
        case 'nonce-too-low':
          break;
        case 'replacement-underpriced':
        case 'underpriced':
          this.underpriced.add(nonce);
          return;
        case 'insufficient-funds':
          this.alerts.raise('low-balance', `${describe(intent.work)}: ${error.details ?? error.message}`);
          return;
        default:
          this.alerts.raise('refused', `${describe(intent.work)}: ${error.message}`);
          if (atFront) this.attempts += 1;
      }
    }
    this.underpriced.delete(nonce);
    this.sentAtMs.set(nonce, this.now());
  }

  private feeSpike(state: RollupState): void {
    this.alerts.raise(
      'fee-spike',
      `fees: expected at most ${this.options.feeCapWei} wei per gas, got a base fee of ${state.baseFeePerGas} and what our last version asks: waiting`,
    );
  }

  /** Only a transaction with blobs replaces one with blobs. */
  private fill(withBlob: boolean): Sendable {
    const blobs = withBlob ? { blobHashes: [EMPTY_BLOB_HASH] } : {};
    return { to: accountOf(this.l1).address, data: '0x', gas: FILL_GAS, ...blobs };
  }

  private async sidecar(work: Work, hashes: readonly Hex[]): Promise<Sidecar | undefined> {
    const { sidecarForm, sidecarOf } = this.options;
    return work.kind === 'fill' ? emptySidecar(sidecarForm) : sidecarOf(work, hashes);
  }

  private freeNonce(from: number): number {
    let nonce = from;
    while (this.intents.has(nonce)) nonce += 1;
    return nonce;
  }

  private sorted(): Intent[] {
    return [...this.intents.values()].sort((a, b) => a.nonce - b.nonce);
  }

  private async put(intent: Intent): Promise<void> {
    await this.store.put(intent, this.totals);
    this.intents.set(intent.nonce, intent);
  }

  private async forget(intent: Intent): Promise<void> {
    await this.store.remove(intent.nonce);
    this.intents.delete(intent.nonce);
    this.sentAtMs.delete(intent.nonce);
    this.underpriced.delete(intent.nonce);
    this.missingReads.delete(intent.nonce);
  }
}

/** For sentences. */
export function describe(work: Work): string {
  switch (work.kind) {
    case 'fill':
      return 'fill of a nonce';
    case 'answer':
      return `answer to demand ${work.demand} for segment ${work.segment} of batch ${work.batch}`;
    default:
      return `${work.kind} of batch ${work.id}`;
  }
}
