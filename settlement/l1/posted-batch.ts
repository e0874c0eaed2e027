/** Fetches a committed batch: the input of the transaction that committed it, and where its inputs are if not there. */
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import type { Hash } from '#protocol/units.ts';
import { decodeCommitBatch } from './batch-calldata.ts';
import type { Hex, L1Client } from './client.ts';
import { L1Error, l1Error } from './errors.ts';

/** Where inputs are that are not in calldata. */
export type Elsewhere =
  | { readonly carrier: 'blobs'; readonly transaction: Hex; readonly hashes: readonly Hex[] }
  | { readonly carrier: 'off-chain' };

export interface CarriedBatch {
  /** Without inputs when these are elsewhere. */
  readonly batch: SignedBatch;
  /** Undefined: the batch has its inputs. */
  readonly elsewhere: Elsewhere | undefined;
}

interface Posted {
  readonly id: number;
  readonly hash: Hash;
  readonly at: { readonly transactionHash: Hash };
}

/**
 * `posted`: of a `committed` event. Rejects with `unreachable` when the node does not answer or does not have the
 * transaction (yet), `malformed` when its input is not the batch that the event names.
 */
export async function fetchCarriedBatch(
  l1: L1Client,
  posted: Posted,
  domain: SigningDomain,
  keccak?: Keccak,
): Promise<CarriedBatch> {
  const hash = toHex(posted.at.transactionHash);
  const { input, blobVersionedHashes = [] } = await l1.public.getTransaction({ hash }).catch((error) => {
    const sorted = l1Error(error, `batch ${posted.id}, transaction ${hash}`);
    throw sorted.code === 'rejected' ? new L1Error('unreachable', sorted.message, { cause: error }) : sorted;
  });
  const batch = decodeCommitBatch(input, domain, keccak);
  if (!equalBytes(batch.hash, posted.hash))
    throw new L1Error(
      'malformed',
      `batch ${posted.id}, transaction ${hash}: expected hash ${toHex(posted.hash)}, got ${toHex(batch.hash)}`,
    );
  if (batch.inputs.length > 0 || batch.header.inputBytes === 0) return { batch, elsewhere: undefined };
  // As the contract decides it: blobs, if the transaction carries any.
  const elsewhere: Elsewhere =
    blobVersionedHashes.length > 0
      ? { carrier: 'blobs', transaction: hash, hashes: blobVersionedHashes }
      : { carrier: 'off-chain' };
  return { batch, elsewhere };
}

/** As `fetchCarriedBatch`, for who needs no inputs or has them from elsewhere. */
export const fetchPostedBatch = async (...of: Parameters<typeof fetchCarriedBatch>): Promise<SignedBatch> =>
  (await fetchCarriedBatch(...of)).batch;
