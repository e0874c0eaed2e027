/**
 * Signed transactions as bytes that can be stored before they are sent, priced anew, and looked for afterwards.
 * What the submitter's nonce stream is made of.
 */
import {
  type Address,
  fromRlp,
  type Hex,
  keccak256,
  numberToHex,
  parseTransaction,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
  toRlp,
} from 'viem';
import { accountOf, type L1Client } from './client.ts';
import { decodeRevert, L1Error, l1Error, type Revert } from './errors.ts';
import type { Sidecar } from './kzg.ts';

/** EIP-1559 prices, wei per gas. */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** EIP-4844; only with blobs. */
  readonly maxFeePerBlobGas?: bigint;
}

export interface TransactionRequest extends Fees {
  readonly to: Address;
  readonly data: Hex;
  readonly nonce: number;
  readonly gas: bigint;
  /** Versioned hashes of the blobs that it carries; none by default. */
  readonly blobHashes?: readonly Hex[];
}

export interface SignedTransaction extends TransactionRequest {
  /** What is hashed, and sent: with blobs, beside their sidecar. */
  readonly raw: Hex;
  readonly hash: Hex;
}

/** Largest gas limit of one transaction (EIP-7825). */
export const TRANSACTION_GAS_MAX = 2n ** 24n;

export async function signTransaction(l1: L1Client, request: TransactionRequest): Promise<SignedTransaction> {
  const { blobHashes = [], maxFeePerBlobGas, ...rest } = request;
  const raw = await accountOf(l1).signTransaction(
    blobHashes.length === 0
      ? { type: 'eip1559', chainId: l1.chainId, ...rest }
      : {
          type: 'eip4844',
          chainId: l1.chainId,
          ...rest,
          maxFeePerBlobGas: maxFeePerBlobGas ?? 1n,
          blobVersionedHashes: [...blobHashes],
        },
  );
  return { ...request, raw, hash: keccak256(raw) };
}

/** Reads back what `signTransaction` made. */
export function readSigned(raw: Hex): SignedTransaction {
  const { to, data, nonce, gas, maxFeePerGas, maxPriorityFeePerGas, ...rest } = parseTransaction(raw);
  const { maxFeePerBlobGas, blobVersionedHashes = [] } = rest;
  return {
    to: to as Address,
    data: data ?? '0x',
    nonce: nonce ?? 0,
    gas: gas ?? 0n,
    maxFeePerGas: maxFeePerGas ?? 0n,
    maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n,
    ...(maxFeePerBlobGas === undefined ? {} : { maxFeePerBlobGas }),
    ...(blobVersionedHashes.length === 0 ? {} : { blobHashes: blobVersionedHashes }),
    raw,
    hash: keccak256(raw),
  };
}

const BLOB_TYPE = '0x03';
/** Of the sidecar with cell proofs (EIP-7594). */
const CELLS_VERSION = 1;

/** A transaction that carries blobs as nodes take it: its body beside its sidecar. */
export function withSidecar(raw: Hex, { form, blobs, commitments, proofs }: Sidecar): Hex {
  if (!raw.startsWith(BLOB_TYPE))
    throw new L1Error('rejected', `transaction: expected type ${BLOB_TYPE}, got ${raw.slice(0, 4)}`);
  const body = fromRlp(`0x${raw.slice(BLOB_TYPE.length)}`, 'hex');
  const version = form === 'cells' ? [numberToHex(CELLS_VERSION)] : [];
  const wrapper = toRlp([body, ...version, [...blobs], [...commitments], [...proofs]]);
  return `${BLOB_TYPE}${wrapper.slice(2)}`;
}

/** Rejects with `L1Error`; `already-known` means that nothing was needed. `sidecar`: of a transaction with blobs. */
export async function broadcast(l1: L1Client, raw: Hex, sidecar?: Sidecar): Promise<void> {
  try {
    const serializedTransaction = sidecar === undefined ? raw : withSidecar(raw, sidecar);
    await l1.public.sendRawTransaction({ serializedTransaction });
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
      feeWei:
        receipt.gasUsed * receipt.effectiveGasPrice +
        (receipt.blobGasUsed ?? 0n) * (receipt.blobGasPrice ?? 0n),
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
  call: Pick<TransactionRequest, 'to' | 'data' | 'gas' | 'blobHashes'>,
): Promise<Revert | undefined> {
  const { to, data, gas, blobHashes = [] } = call;
  const from = accountOf(l1).address;
  try {
    if (blobHashes.length === 0) await l1.public.call({ account: from, to, data, gas });
    else {
      // Not known to `call` without the blobs themselves, which no contract sees.
      const blobs = { blobVersionedHashes: blobHashes, maxFeePerBlobGas: numberToHex(2n ** 64n) };
      await l1.public.request({
        method: 'eth_call',
        params: [{ from, to, data, gas: numberToHex(gas), ...blobs }, 'latest'],
      } as never);
    }
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

/**
 * The least that replaces a transaction: nodes keep the old one unless both prices are a tenth higher, and all three
 * twice as high where it carries blobs.
 */
export function bumped({ maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas }: Fees): Fees {
  const dearer = (price: bigint): bigint =>
    (maxFeePerBlobGas === undefined ? price / 10n : price) + price + 1n;
  return {
    maxFeePerGas: dearer(maxFeePerGas),
    maxPriorityFeePerGas: dearer(maxPriorityFeePerGas),
    ...(maxFeePerBlobGas === undefined ? {} : { maxFeePerBlobGas: dearer(maxFeePerBlobGas) }),
  };
}
