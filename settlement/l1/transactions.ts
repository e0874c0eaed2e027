/**
 * Signed transactions as bytes that can be stored before they are sent, priced anew, and looked for afterwards.
 * What the submitter's nonce stream is made of.
 */
import {
  type Address,
  type Hex,
  keccak256,
  parseTransaction,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
} from 'viem';
import { accountOf, type L1Client } from './client.ts';
import { decodeRevert, l1Error, type Revert } from './errors.ts';

/** EIP-1559 prices, wei per gas. */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

export interface TransactionRequest extends Fees {
  readonly to: Address;
  readonly data: Hex;
  readonly nonce: number;
  readonly gas: bigint;
}

export interface SignedTransaction extends TransactionRequest {
  /** What is sent. */
  readonly raw: Hex;
  readonly hash: Hex;
}

/** Largest gas limit of one transaction (EIP-7825). */
export const TRANSACTION_GAS_MAX = 2n ** 24n;

export async function signTransaction(l1: L1Client, request: TransactionRequest): Promise<SignedTransaction> {
  const raw = await accountOf(l1).signTransaction({
    type: 'eip1559',
    chainId: l1.chainId,
    ...request,
  });
  return { ...request, raw, hash: keccak256(raw) };
}

/** Reads back what `signTransaction` made. */
export function readSigned(raw: Hex): SignedTransaction {
  const { to, data, nonce, gas, maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(raw);
  return {
    to: to as Address,
    data: data ?? '0x',
    nonce: nonce ?? 0,
    gas: gas ?? 0n,
    maxFeePerGas: maxFeePerGas ?? 0n,
    maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n,
    raw,
    hash: keccak256(raw),
  };
}

/** Rejects with `L1Error`; `already-known` means that nothing was needed. */
export async function broadcast(l1: L1Client, raw: Hex): Promise<void> {
  try {
    await l1.public.sendRawTransaction({ serializedTransaction: raw });
  } catch (error) {
    throw l1Error(error, `transaction ${keccak256(raw)}`);
  }
}

export interface Mined {
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly success: boolean;
  readonly gasUsed: bigint;
  readonly feeWei: bigint;
}

/** Undefined while it is not mined. */
export async function minedAs(l1: L1Client, hash: Hex): Promise<Mined | undefined> {
  try {
    const receipt = await l1.public.getTransactionReceipt({ hash });
    return {
      blockNumber: Number(receipt.blockNumber),
      blockHash: receipt.blockHash,
      success: receipt.status === 'success',
      gasUsed: receipt.gasUsed,
      feeWei: receipt.gasUsed * receipt.effectiveGasPrice,
    };
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return undefined;
    throw l1Error(error, `receipt of ${hash}`);
  }
}

/** Whether the node has the transaction, mined or waiting. */
export async function isKnown(l1: L1Client, hash: Hex): Promise<boolean> {
  try {
    await l1.public.getTransaction({ hash });
    return true;
  } catch (error) {
    if (error instanceof TransactionNotFoundError) return false;
    throw l1Error(error, `transaction ${hash}`);
  }
}

/** What a call would revert with on top of the latest block; undefined when it would go through. */
export async function simulate(
  l1: L1Client,
  call: { readonly to: Address; readonly data: Hex; readonly gas: bigint },
): Promise<Revert | undefined> {
  try {
    await l1.public.call({ account: accountOf(l1).address, ...call });
    return undefined;
  } catch (error) {
    const sorted = l1Error(error, 'simulation');
    if (sorted.code === 'reverted') return sorted.revert ?? decodeRevert('0x');
    throw sorted;
  }
}

/** Gas of a transaction's calldata: at least what EIP-7623 asks, 10 a zero byte and 40 another. */
export function calldataGas(data: Hex): { readonly standard: bigint; readonly floor: bigint } {
  let zeros = 0;
  for (let i = 2; i < data.length; i += 2) if (data[i] === '0' && data[i + 1] === '0') zeros += 1;
  const tokens = BigInt(zeros + 4 * ((data.length - 2) / 2 - zeros));
  return { standard: 21_000n + 4n * tokens, floor: 21_000n + 10n * tokens };
}

/** Replaced transactions must be dearer by a tenth in both prices, or nodes keep the old one. */
export const bumped = (fees: Fees): Fees => ({
  maxFeePerGas: fees.maxFeePerGas + fees.maxFeePerGas / 10n + 1n,
  maxPriorityFeePerGas: fees.maxPriorityFeePerGas + fees.maxPriorityFeePerGas / 10n + 1n,
});
