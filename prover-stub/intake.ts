/**
 * Posted batches in order, derived and with their signers, some of them fetched ahead while the one before is being
 * executed.
 */
import { createRecover, type Recover } from '#auth/recover.ts';
import { equalBytes, fromHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import type { Hash } from '#protocol/units.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { L1Error, l1Error } from '#settlement/l1/errors.ts';
import { type CarriedBatch, fetchCarriedBatch } from '#settlement/l1/posted-batch.ts';
import type { ChainTip } from './chain-tip.ts';
import { type DeriveContext, type DerivedBatch, deriveBatch, type L1Facts } from './derive.ts';
import { differ } from './difference.ts';
import type { FoundInputs, InputsSource } from './inputs-source.ts';
import type { CommitRow, L1Log } from './l1-log.ts';
import type { RecordSigners } from './re-execute.ts';
import type { SignerSource } from './signers.ts';

export interface PreparedBatch {
  readonly derived: DerivedBatch;
  readonly signers: RecordSigners;
}

export interface IntakeOptions {
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
  readonly log: L1Log;
  readonly signers: SignerSource;
  readonly inputs: InputsSource;
  readonly keccak: Keccak;
}

/** Batches of at most 1 MiB each. */
const AHEAD_MAX = 4;

export class Intake {
  private readonly options: IntakeOptions;
  private readonly domain: SigningDomain;
  private readonly context: DeriveContext;

  constructor(options: IntakeOptions) {
    const { rollup, keccak } = options;
    const recover: Recover = createRecover(keccak);
    this.options = options;
    this.domain = new SigningDomain(rollup.domain, keccak);
    this.context = {
      sequencer: fromHex(rollup.sequencer),
      livenessMs: rollup.livenessSeconds * 1000,
      domain: this.domain,
      keccak,
      recover,
    };
  }

  /**
   * The batches after `tip` up to `through`. Throws `DifferenceFound` for one that can't be right, `L1Error` when L1
   * does not answer or has moved on.
   */
  async *after(tip: ChainTip, through: number): AsyncGenerator<PreparedBatch, void, undefined> {
    const ahead: { derived: Promise<DerivedBatch>; signers: Promise<RecordSigners> }[] = [];
    let parent: Promise<ChainTip> = Promise.resolve(tip);
    let next = tip.id + 1;
    for (;;) {
      while (next <= through && ahead.length < AHEAD_MAX) {
        const derived = this.derive(next++, parent);
        const signers = derived.then(({ records }) => this.options.signers.recover(records));
        parent = derived.then((one) => one.tip);
        // Those behind one that fails, or that nobody asks for any more, fail in silence.
        for (const promise of [parent, signers]) promise.catch(() => {});
        ahead.push({ derived, signers });
      }
      const first = ahead.shift();
      if (first === undefined) return;
      yield { derived: await first.derived, signers: await first.signers };
    }
  }

  /** A batch as it was posted, whatever is wrong with it. Rejects with `L1Error`. */
  async posted(id: number): Promise<FoundInputs> {
    const commit = await this.commit(id);
    return this.complete(commit, await this.fetch(commit));
  }

  /** The batch alone. Rejects with `L1Error`. */
  async carried(id: number): Promise<CarriedBatch> {
    return this.fetch(await this.commit(id));
  }

  private async commit(id: number): Promise<CommitRow> {
    const commit = await this.options.log.commit(id);
    if (commit === undefined) throw new L1Error('unreachable', `batch ${id}: L1 has taken it back`);
    return commit;
  }

  private fetch({ id, hash, transactionHash }: CommitRow): Promise<CarriedBatch> {
    const { l1, keccak } = this.options;
    return fetchCarriedBatch(l1, { id, hash, at: { transactionHash } }, this.domain, keccak);
  }

  private async complete({ id, blockNumber }: CommitRow, carried: CarriedBatch): Promise<FoundInputs> {
    const block = carried.elsewhere === undefined ? undefined : await this.block(blockNumber);
    if (carried.elsewhere !== undefined && block === undefined)
      throw new L1Error('unreachable', `batch ${id}: L1 reorganized while it was read`);
    return this.options.inputs.complete(carried, { blockNumber, blockTimeMs: block?.timeMs ?? 0 });
  }

  private async derive(id: number, before: Promise<ChainTip>): Promise<DerivedBatch> {
    const commit = await this.commit(id);
    const carried = await this.fetch(commit).catch((error: unknown) => {
      if (error instanceof L1Error && error.code === 'malformed')
        return differ({ batch: id, part: 'calldata' }, 'input of the transaction', 'a batch', error.message);
      throw error;
    });
    const { anchorNumber } = carried.batch.header;
    const anchor = await this.block(anchorNumber);
    const parent = await before;
    const { batch, inCalldata, evidence } = await this.complete(commit, carried);
    if (evidence !== undefined)
      differ(
        { batch: id, part: 'inputs', segment: evidence.segment },
        'bytes in its blobs',
        'those of the trace',
        evidence.got,
      );
    const facts = await this.facts(commit, parent, { anchorHash: anchor?.hash, header: batch.header });
    return deriveBatch(batch, parent, { ...facts, inCalldata }, this.context);
  }

  private async facts(
    commit: CommitRow,
    parent: ChainTip,
    of: { readonly anchorHash: Hash | undefined; readonly header: { readonly queueNext: number } },
  ): Promise<Omit<L1Facts, 'inCalldata'>> {
    const { log } = this.options;
    const { hash, epoch, openEpoch, postLedgerRoot, queueNext, queueLength, blockNumber } = commit;
    const entriesEnd = Math.min(queueLength, of.header.queueNext + 2);
    const entries = await log.entries(parent.inputsQueueNext, entriesEnd);
    const queueHash =
      of.header.queueNext > queueLength ? undefined : await log.queueHash(of.header.queueNext);
    // Last, so that everything read before it was read while this block was on the chain.
    const block = await this.block(blockNumber);
    if (block === undefined || !equalBytes(block.hash, commit.blockHash))
      throw new L1Error('unreachable', `batch ${commit.id}: L1 reorganized while it was read`);
    return {
      ...{ hash, epoch, openEpoch, postLedgerRoot, queueNext, blockNumber },
      blockTimeMs: block.timeMs,
      anchorHash: of.anchorHash,
      queueHash,
      entries,
    };
  }

  private async block(number: number): Promise<{ hash: Hash; timeMs: number } | undefined> {
    const { l1 } = this.options;
    try {
      const block = (await l1.public.request({
        method: 'eth_getBlockByNumber',
        params: [`0x${number.toString(16)}`, false],
      })) as { hash: `0x${string}`; timestamp: `0x${string}` } | null;
      return block === null
        ? undefined
        : { hash: fromHex(block.hash), timeMs: Number(block.timestamp) * 1000 };
    } catch (error) {
      throw l1Error(error, `l1 ${l1.url}: block ${number}`);
    }
  }
}
