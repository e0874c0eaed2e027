/**
 * Gas limits of our transactions, as upper bounds: estimating would need the transactions before them to be mined,
 * and what is not used is not paid. test/settlement/gas.test.ts holds them against what is used.
 */
import type { SignedBatch } from '#protocol/batch.ts';
import type { Hex } from '../l1/client.ts';
import { calldataGas } from '../l1/transactions.ts';

/** Of a commitBatch transaction; `batch` with the inputs that it carries in calldata. */
export function commitGas(data: Hex, batch: SignedBatch): bigint {
  const bytes = batch.inputs.length + batch.diff.length;
  const work = 500_000n + 5_000n * BigInt(batch.trace.length) + 2n * BigInt(bytes) + memoryGas(bytes);
  const { standard, floor } = calldataGas(data);
  return standard + work > floor ? standard + work : floor;
}

/** Of an answerInputs transaction. */
export function answerGas(data: Hex): bigint {
  const { standard, floor } = calldataGas(data);
  const bytes = data.length / 2;
  const work = 180_000n + 4n * BigInt(bytes) + memoryGas(bytes);
  return standard + work > floor ? standard + work : floor;
}

/** Of a finalizeBatch transaction. */
export function finalizeGas(data: Hex, batch: SignedBatch): bigint {
  const { standard } = calldataGas(data);
  return standard + 250_000n + 40_000n * BigInt(batch.withdrawn.length / 18);
}

/** 3 a word and words² / 512: large parts are copied to memory to be hashed. */
function memoryGas(bytes: number): bigint {
  const words = BigInt(Math.ceil(bytes / 32));
  return 3n * words + (words * words) / 512n;
}
