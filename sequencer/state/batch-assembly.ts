/** From what a trace gathered to the bytes of a batch: shared by who makes batches and who checks them. */
import {
  BATCH_VERSION,
  type BatchHeader,
  encodeWithdrawn,
  hashHeader,
  type SignedBatch,
  traceRoot,
} from '#protocol/batch.ts';
import { getU128be, viewOf } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import type { Hash } from '#protocol/units.ts';
import type { BatchTrace } from './batch-builder.ts';
import { encodeDiff, type LeafChange } from './diff.ts';
import { KeyKind } from './keys.ts';

/** A batch that still needs its signature. */
export type UnsignedBatch = Omit<SignedBatch, 'signature'>;

/** What a batch says that does not follow from the commands. */
export interface BatchPlace {
  readonly epoch: number;
  readonly id: number;
  /** Digest of the header before; zero for the very first. */
  readonly parentHash: Hash;
  readonly anchor: { readonly number: number; readonly hash: Hash };
}

/** Totals withdrawn per asset, ascending: the growth of the WITHDRAWN_TOTAL leaves. */
export function withdrawnTotals(changes: Iterable<LeafChange>): { asset: number; amount: bigint }[] {
  const totals: { asset: number; amount: bigint }[] = [];
  const amount = (value: Uint8Array | undefined): bigint =>
    value === undefined ? 0n : getU128be(viewOf(value), 0);
  for (const { key, oldValue, newValue } of changes) {
    if (key[0] !== KeyKind.WITHDRAWN_TOTAL) continue;
    totals.push({ asset: viewOf(key).getUint16(1), amount: amount(newValue) - amount(oldValue) });
  }
  return totals.sort((a, b) => a.asset - b.asset);
}

/** The heavy half of a batch's assembly: everything but its place in the chain of batches. Plain data. */
export interface PackedBatch extends Omit<BatchTrace, 'changes'> {
  readonly diff: Uint8Array;
  readonly withdrawn: Uint8Array;
  readonly traceRoot: Hash;
  readonly inputsHash: Hash;
  readonly diffHash: Hash;
  readonly withdrawnHash: Hash;
}

export function packBatch({ changes, ...batch }: BatchTrace, keccak: Keccak): PackedBatch {
  const diff = encodeDiff(changes);
  const withdrawn = encodeWithdrawn(withdrawnTotals(changes));
  return {
    ...batch,
    diff,
    withdrawn,
    traceRoot: traceRoot(batch.segments, batch, keccak),
    inputsHash: keccak(batch.inputs),
    diffHash: keccak(diff),
    withdrawnHash: keccak(withdrawn),
  };
}

export function placeBatch(
  batch: PackedBatch,
  place: BatchPlace,
  domain: SigningDomain,
  keccak: Keccak,
): UnsignedBatch {
  const header: BatchHeader = {
    version: BATCH_VERSION,
    epoch: place.epoch,
    id: place.id,
    parentHash: place.parentHash,
    preLedgerRoot: batch.preLedgerRoot,
    preBookRoot: batch.preBookRoot,
    postLedgerRoot: batch.postLedgerRoot,
    postBookRoot: batch.postBookRoot,
    traceRoot: batch.traceRoot,
    traceLength: batch.segments.length,
    firstStep: batch.firstStep,
    nextStep: batch.nextStep,
    firstSeq: batch.firstSeq,
    nextSeq: batch.nextSeq,
    preInputHash: batch.preInputHash,
    postInputHash: batch.postInputHash,
    inputBytes: batch.inputs.length,
    inputsHash: batch.inputsHash,
    diffHash: batch.diffHash,
    withdrawnHash: batch.withdrawnHash,
    queueFirst: batch.queueFirst,
    queueNext: batch.queueNext,
    queueHash: batch.queueHash,
    anchorNumber: place.anchor.number,
    anchorHash: place.anchor.hash,
    timeFirst: batch.timeFirst,
    timeLast: batch.timeLast,
  };
  const { segments, withdrawn, diff, inputs } = batch;
  return { header, hash: hashHeader(header, domain, keccak), trace: segments, withdrawn, diff, inputs };
}

export const assembleBatch = (
  batch: BatchTrace,
  place: BatchPlace,
  domain: SigningDomain,
  keccak: Keccak,
): UnsignedBatch => placeBatch(packBatch(batch, keccak), place, domain, keccak);
