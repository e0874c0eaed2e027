/**
 * Finality by proof, on rollups that were deployed with a verifier: whether this one was, whom it believes, and the
 * transaction that hands a proof over. Everything rejects with `L1Error`.
 *
 *   const trusted = await readTrustedVerifier(l1, rollup);        // undefined: only time makes batches final here
 *   const refusal = await proofRefusal(l1, rollup, batch, proof); // undefined: it would be taken now
 *   await proveBatch(l1, rollup, batch, proof);
 */
import {
  type Address,
  encodeFunctionData,
  getAddress,
  type Hex,
  type TransactionReceipt,
  zeroAddress,
} from 'viem';
import { encodeHeader, type SignedBatch } from '#protocol/batch.ts';
import { toHex } from '#protocol/bytes.ts';
import { rollupAbi, stubVerifierAbi } from './abi.ts';
import { type L1Client, send } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { L1Error, l1Error, type Revert } from './errors.ts';
import { simulate, TRANSACTION_GAS_MAX } from './transactions.ts';

export interface TrustedVerifier {
  readonly address: Address;
  /** Whose attestations it believes; undefined where it is no StubVerifier. */
  readonly attester: Address | undefined;
}

/** What makes batches of this rollup final before their window is over; undefined: nothing. */
export async function readTrustedVerifier(
  l1: L1Client,
  rollup: RollupContracts,
): Promise<TrustedVerifier | undefined> {
  try {
    const address = await l1.public.readContract({
      address: rollup.rollup,
      abi: rollupAbi,
      functionName: 'verifier',
    });
    return address === zeroAddress ? undefined : { address, attester: await readAttester(l1, address) };
  } catch (error) {
    throw l1Error(error, `verifier of rollup ${rollup.rollup}`);
  }
}

async function readAttester(l1: L1Client, verifier: Address): Promise<Address | undefined> {
  try {
    const attester = await l1.public.readContract({
      address: verifier,
      abi: stubVerifierAbi,
      functionName: 'attester',
    });
    return getAddress(attester);
  } catch (error) {
    const sorted = l1Error(error, `attester of verifier ${verifier}`);
    // A verifier of another kind has no such function.
    if (sorted.code === 'unreachable') throw sorted;
    return undefined;
  }
}

/** Header and totals as they were posted, and a proof in the form of the rollup's verifier. */
export const encodeProveBatch = (batch: Pick<SignedBatch, 'header' | 'withdrawn'>, proof: Uint8Array): Hex =>
  encodeFunctionData({
    abi: rollupAbi,
    functionName: 'proveBatch',
    args: [toHex(encodeHeader(batch.header)), toHex(batch.withdrawn), toHex(proof)],
  });

/** Why L1 would not take this proof now; undefined when it would. */
export const proofRefusal = (
  l1: L1Client,
  rollup: RollupContracts,
  batch: Pick<SignedBatch, 'header' | 'withdrawn'>,
  proof: Uint8Array,
): Promise<Revert | undefined> =>
  simulate(l1, { to: rollup.rollup, data: encodeProveBatch(batch, proof), gas: TRANSACTION_GAS_MAX });

/** Makes the next batch final at once. Code `reverted` when it is not the next one, is held, or the proof is refused. */
export async function proveBatch(
  l1: L1Client,
  rollup: RollupContracts,
  batch: Pick<SignedBatch, 'header' | 'withdrawn'>,
  proof: Uint8Array,
): Promise<TransactionReceipt> {
  const doing = `prove batch ${batch.header.id}`;
  const receipt = await send(l1, { to: rollup.rollup, data: encodeProveBatch(batch, proof), doing });
  if (receipt.logs.length === 0) throw new L1Error('malformed', `${doing}: expected its events, got none`);
  return receipt;
}
