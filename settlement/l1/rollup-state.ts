/** Reads where the rollup and a sender stand, all of it as of one block. */

import type { Address } from 'viem';
import { FIRST_EPOCH } from '#protocol/batch.ts';
import { fromHex } from '#protocol/bytes.ts';
import type { Hash } from '#protocol/units.ts';
import { rollupAbi } from './abi.ts';
import type { L1Client } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { isTransient, l1Error } from './errors.ts';
import { eventsOf, type L1EventOf } from './events.ts';
import { scanLogs } from './logs.ts';

export interface RollupState {
  readonly blockNumber: number;
  /** Seconds. */
  readonly blockTime: number;
  readonly baseFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** Of the next block; undefined where the chain takes no blobs. */
  readonly blobBaseFeePerGas: bigint | undefined;
  /** Transactions of the sender that were mined: its next nonce. */
  readonly nonce: number;
  readonly balanceWei: bigint;
  readonly committedId: number;
  readonly committedHash: Hash;
  readonly epoch: number;
  readonly finalId: number;
  readonly frozen: boolean;
  readonly bondWei: bigint;
}

/** Rejects with `L1Error`. */
export async function readRollupState(
  l1: L1Client,
  rollup: RollupContracts,
  sender: Address,
): Promise<RollupState> {
  try {
    const block = await l1.public.getBlock({ blockTag: 'latest' });
    const blockNumber = block.number;
    const contract = { address: rollup.rollup, abi: rollupAbi, blockNumber } as const;
    const [head, final, frozen, bondWei, nonce, balanceWei, tip, blobFee] = await Promise.all([
      l1.public.readContract({ ...contract, functionName: 'head' }),
      l1.public.readContract({ ...contract, functionName: 'finalHead' }),
      l1.public.readContract({ ...contract, functionName: 'frozen' }),
      l1.public.readContract({ ...contract, functionName: 'bond' }),
      l1.public.getTransactionCount({ address: sender, blockNumber }),
      l1.public.getBalance({ address: sender, blockNumber }),
      l1.public.estimateMaxPriorityFeePerGas(),
      blobBaseFee(l1),
    ]);
    return {
      blockNumber: Number(blockNumber),
      blockTime: Number(block.timestamp),
      baseFeePerGas: block.baseFeePerGas ?? 0n,
      maxPriorityFeePerGas: tip,
      blobBaseFeePerGas: blobFee,
      nonce,
      balanceWei,
      committedId: Number(head.id),
      committedHash: fromHex(head.hash),
      epoch: Math.max(FIRST_EPOCH, head.epoch),
      finalId: Number(final.id),
      frozen,
      bondWei,
    };
  } catch (error) {
    throw l1Error(error, `l1 ${l1.url}`);
  }
}

async function blobBaseFee(l1: L1Client): Promise<bigint | undefined> {
  try {
    return await l1.public.getBlobBaseFee();
  } catch (error) {
    if (isTransient(l1Error(error, 'blob base fee'))) throw error;
    return undefined;
  }
}

/** Last epoch that a strike ended; 0 when there was none. Rejects with `L1Error`. */
export async function readStruckEpoch(l1: L1Client, rollup: RollupContracts): Promise<number> {
  try {
    return await l1.public.readContract({
      address: rollup.rollup,
      abi: rollupAbi,
      functionName: 'struckEpoch',
    });
  } catch (error) {
    throw l1Error(error, `rollup ${rollup.rollup}`);
  }
}

/** What the contract keeps of a batch; hash zero when there is none. */
export async function readBatchRecord(
  l1: L1Client,
  rollup: RollupContracts,
  id: number,
): Promise<{ readonly hash: Hash; readonly deadline: number; readonly committedBlock: number }> {
  try {
    const record = await l1.public.readContract({
      address: rollup.rollup,
      abi: rollupAbi,
      functionName: 'batches',
      args: [BigInt(id)],
    });
    return {
      hash: fromHex(record.hash),
      deadline: Number(record.deadline),
      committedBlock: Number(record.committedBlock),
    };
  } catch (error) {
    throw l1Error(error, `batch ${id}`);
  }
}

/** The event that committed batch `id` in `block`; undefined when the node has none. */
export async function findCommit(
  l1: L1Client,
  rollup: RollupContracts,
  at: { readonly id: number; readonly block: number },
): Promise<L1EventOf<'committed'> | undefined> {
  const filter = { abi: rollupAbi, eventName: 'BatchCommitted', address: rollup.rollup };
  for await (const piece of scanLogs(l1, filter, { fromBlock: at.block, toBlock: at.block }))
    for (const event of eventsOf(piece.logs))
      if (event.kind === 'committed' && event.id === at.id) return event;
  return undefined;
}
