/**
 * What L1 says of a receipt: is its history committed, void, still open, or did the sequencer commit another one?
 * The signature is the caller's to check.
 */
import type { BatchHeader, SignedBatch } from '#protocol/batch.ts';
import { equalBytes, fromHex, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { hashReceipt, type SignedReceipt } from '#protocol/receipt.ts';
import { SigningDomain } from '#protocol/signing.ts';
import type { Seq } from '#protocol/units.ts';
import { equivocationAbi, queueAbi, rollupAbi } from './abi.ts';
import type { Hex, L1Client } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { committedPlace, traceProof } from './equivocation.ts';
import { L1Error, l1Error } from './errors.ts';
import { fetchPostedBatch } from './posted-batch.ts';
import { findCommit, readBatchRecord } from './rollup-state.ts';

export type ReceiptStanding =
  /** No committed batch holds its command yet. */
  | { readonly state: 'open' }
  /** The committed history is the one that the receipt names. */
  | { readonly state: 'confirmed'; readonly batch: number; readonly isFinal: boolean }
  /** A strike ended its epoch, and its history was never committed: what it says was taken back. */
  | { readonly state: 'reverted'; readonly epoch: number; readonly why: string }
  /** It binds nobody. */
  | { readonly state: 'void'; readonly why: string }
  /** The batch's inputs are not in its transaction: what it says of this command can't be read from L1 alone. */
  | { readonly state: 'unknown'; readonly batch: number }
  /** The sequencer committed another history: `proof` takes its bond, unless it did already. */
  | {
      readonly state: 'contradicted';
      readonly batch: number;
      readonly proof: Hex;
      readonly isPunished: boolean;
    };

const NO_BYTES = new Uint8Array(0);

export interface ReceiptJudgeOptions {
  /** Where the inputs of a batch come from that its transaction does not carry; they are checked against its header. */
  readonly inputsOf?: (header: BatchHeader) => Promise<Uint8Array | undefined>;
}

/** Reads batches once for any number of receipts. */
export class ReceiptJudge {
  private readonly l1: L1Client;
  private readonly rollup: RollupContracts;
  private readonly keccak: Keccak;
  private readonly digests: SigningDomain;
  private readonly options: ReceiptJudgeOptions;
  private readonly batches = new Map<number, SignedBatch>();

  constructor(l1: L1Client, rollup: RollupContracts, keccak: Keccak, options: ReceiptJudgeOptions = {}) {
    this.l1 = l1;
    this.options = options;
    this.rollup = rollup;
    this.keccak = keccak;
    this.digests = new SigningDomain(rollup.domain, keccak);
  }

  /** Rejects with `L1Error`, `malformed` when a committed batch's inputs are not those of its trace. */
  async standing(receipt: SignedReceipt): Promise<ReceiptStanding> {
    const { head, finalId, struckEpoch } = await this.chain();
    const struck = {
      state: 'reverted',
      epoch: struckEpoch,
      why: `a strike ended epoch ${struckEpoch}: the commands of epoch ${receipt.epoch} that were not committed have never been`,
    } as const;
    if (receipt.seq >= Number(head.nextSeq)) {
      if (receipt.epoch <= struckEpoch) return struck;
      return (await this.voidByReorg(receipt)) ?? { state: 'open' };
    }
    const batch = await this.batchOf(receipt.seq, Number(head.id));
    const { header } = batch;
    const place = committedPlace(batch, receipt.seq, this.keccak);
    if (place === undefined && batch.inputs.length < header.inputBytes)
      return { state: 'unknown', batch: header.id };
    if (place === undefined)
      throw new L1Error(
        'malformed',
        `batch ${header.id}: expected inputs that give its trace's hash, got others: the batch can be struck for it`,
      );
    if (equalBytes(place.inputHash, receipt.inputHash))
      return { state: 'confirmed', batch: header.id, isFinal: header.id <= finalId };
    if (header.epoch < receipt.epoch)
      return {
        state: 'void',
        why: `its command was committed in epoch ${header.epoch}, before its own epoch ${receipt.epoch} was opened`,
      };
    if (header.epoch > receipt.epoch && receipt.epoch <= struckEpoch) return struck;
    const reorg = await this.voidByReorg(receipt);
    if (reorg !== undefined) return reorg;
    return {
      state: 'contradicted',
      batch: header.id,
      proof: traceProof(receipt, batch, place, this.keccak),
      isPunished: await this.isPunished(receipt),
    };
  }

  private async chain() {
    const contract = { address: this.rollup.rollup, abi: rollupAbi } as const;
    try {
      const [head, final, struckEpoch] = await Promise.all([
        this.l1.public.readContract({ ...contract, functionName: 'head' }),
        this.l1.public.readContract({ ...contract, functionName: 'finalHead' }),
        this.l1.public.readContract({ ...contract, functionName: 'struckEpoch' }),
      ]);
      return { head, finalId: Number(final.id), struckEpoch };
    } catch (error) {
      throw l1Error(error, `rollup ${this.rollup.rollup}`);
    }
  }

  /** Batches follow each other in `seq`: the one that holds it is found by halving. */
  private async batchOf(seq: Seq, headId: number): Promise<SignedBatch> {
    let [low, high] = [1, headId];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((await this.batch(middle)).header.nextSeq > seq) high = middle;
      else low = middle + 1;
    }
    return this.batch(low);
  }

  private async batch(id: number): Promise<SignedBatch> {
    const { l1, rollup } = this;
    const { hash, committedBlock } = await readBatchRecord(l1, rollup, id);
    const known = this.batches.get(id);
    if (known !== undefined && equalBytes(known.hash, hash)) return known;
    const commit = await findCommit(l1, rollup, { id, block: committedBlock });
    if (commit === undefined || !equalBytes(commit.hash, hash))
      throw new L1Error(
        'unreachable',
        `batch ${id}: expected a commit of ${toHex(hash)} in block ${committedBlock}, got ${commit === undefined ? 'none' : toHex(commit.hash)}`,
      );
    const batch = await this.withInputs(await fetchPostedBatch(l1, commit, this.digests, this.keccak));
    this.batches.set(id, batch);
    return batch;
  }

  private async withInputs(batch: SignedBatch): Promise<SignedBatch> {
    const { header } = batch;
    if (batch.inputs.length === header.inputBytes) return batch;
    const inputs = await this.options.inputsOf?.(header);
    const isTrue = inputs !== undefined && equalBytes(this.keccak(inputs), header.inputsHash);
    return { ...batch, inputs: isTrue ? inputs : NO_BYTES };
  }

  private async voidByReorg(receipt: SignedReceipt): Promise<ReceiptStanding | undefined> {
    const queue = { address: this.rollup.queue, abi: queueAbi } as const;
    const why = (got: string): ReceiptStanding => ({
      state: 'void',
      why: `it rests on the first ${receipt.queueNext} entries of an L1 queue that L1 does not have (${got}): a reorg, or a sequencer that never meant it`,
    });
    try {
      const length = Number(await this.l1.public.readContract({ ...queue, functionName: 'length' }));
      if (receipt.queueNext > length) return why(`it has ${length}`);
      const [, prefix] = await this.l1.public.readContract({
        ...queue,
        functionName: 'cursorAt',
        args: [BigInt(receipt.queueNext)],
      });
      return equalBytes(fromHex(prefix), receipt.queueHash) ? undefined : why(`it has others`);
    } catch (error) {
      throw l1Error(error, `queue ${this.rollup.queue}`);
    }
  }

  private async isPunished(receipt: SignedReceipt): Promise<boolean> {
    try {
      return await this.l1.public.readContract({
        address: this.rollup.equivocation,
        abi: equivocationAbi,
        functionName: 'isPunished',
        args: [toHex(hashReceipt(receipt, this.digests, this.keccak))],
      });
    } catch (error) {
      throw l1Error(error, `equivocation ${this.rollup.equivocation}`);
    }
  }
}
