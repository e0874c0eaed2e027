/** What L1 would say about batches of a test sequencer, where a test has no L1. */
import { createRecover } from '#auth/recover.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { type Keccak, ZERO_HASH } from '#protocol/hash.ts';
import { nextQueueHash, type QueueEntry } from '#protocol/queue-entry.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import type { ChainTip } from '#prover-stub/chain-tip.ts';
import type { DeriveContext, L1Facts, L1QueueEntry } from '#prover-stub/derive.ts';

export const ANCHOR = { number: 5, hash: new Uint8Array(32).fill(5) };
export const BLOCK_NUMBER = 9;

/** The queue with the contract's prefix hashes; nothing is ever due. */
export function l1Queue(entries: readonly QueueEntry[], keccak: Keccak): L1QueueEntry[] {
  let prefixHash = ZERO_HASH;
  return entries.map((entry) => {
    prefixHash = nextQueueHash(keccak, prefixHash, entry);
    return { ...entry, prefixHash, blockNumber: 1, deadlineMs: Number.MAX_SAFE_INTEGER };
  });
}

export const madeFacts = (
  { header, hash }: SignedBatch,
  tip: ChainTip,
  queue: readonly L1QueueEntry[],
): L1Facts => ({
  inCalldata: true,
  hash,
  epoch: header.epoch,
  postLedgerRoot: header.postLedgerRoot,
  queueNext: header.queueNext,
  blockNumber: BLOCK_NUMBER,
  blockTimeMs: header.timeLast,
  openEpoch: 1,
  anchorHash: header.anchorNumber === ANCHOR.number ? ANCHOR.hash : undefined,
  queueHash: header.queueNext === 0 ? ZERO_HASH : queue[header.queueNext - 1]?.prefixHash,
  entries: queue.slice(tip.inputsQueueNext),
});

export const contextOf = (domain: SigningDomain, sequencer: Uint8Array, keccak: Keccak): DeriveContext => ({
  sequencer,
  livenessMs: 7 * 86_400_000,
  domain,
  keccak,
  recover: createRecover(keccak),
});
