/** Fetches a committed batch: the input of the transaction that committed it. */
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import type { Hash } from '#protocol/units.ts';
import { decodeCommitBatch } from './batch-calldata.ts';
import type { L1Client } from './client.ts';
import { L1Error, l1Error } from './errors.ts';

/**
 * `posted`: of a `committed` event. Rejects with `unreachable` when the node does not answer or does not have the
 * transaction (yet), `malformed` when its input is not the batch that the event names.
 */
export async function fetchPostedBatch(
  l1: L1Client,
  posted: { readonly id: number; readonly hash: Hash; readonly at: { readonly transactionHash: Hash } },
  domain: SigningDomain,
  keccak?: Keccak,
): Promise<SignedBatch> {
  const hash = toHex(posted.at.transactionHash);
  const input = await l1.public
    .getTransaction({ hash })
    .then((transaction) => transaction.input)
    .catch((error) => {
      const sorted = l1Error(error, `batch ${posted.id}, transaction ${hash}`);
      throw sorted.code === 'rejected'
        ? new L1Error('unreachable', sorted.message, { cause: error })
        : sorted;
    });
  const batch = decodeCommitBatch(input, domain, keccak);
  if (!equalBytes(batch.hash, posted.hash))
    throw new L1Error(
      'malformed',
      `batch ${posted.id}, transaction ${hash}: expected hash ${toHex(posted.hash)}, got ${toHex(batch.hash)}`,
    );
  return batch;
}
