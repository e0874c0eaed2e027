/**
 * The input of a commitBatch transaction ↔ SignedBatch. Rollup takes only the one canonical ABI encoding, so this
 * decoder and the contract can't disagree; whatever else stands in a transaction is `malformed`.
 *
 *      0 b4 selector of commitBatch((bytes,bytes,bytes,bytes,bytes,bytes))
 *      4 b32 0x20                         offset of the tuple
 *     36 6 × b32                          offsets of header, signature, trace, withdrawn, diff, inputs from byte 36
 *    228 b32 length ‖ bytes, zero padded to whole words; six times, without gaps; then the end
 */

import { decodeFunctionData, encodeFunctionData, type Hex, toFunctionSelector } from 'viem';
import {
  decodeHeader,
  decodeTrace,
  encodeHeader,
  encodeTrace,
  hashHeader,
  type SignedBatch,
} from '#protocol/batch.ts';
import { fromHex, toHex, viewOf } from '#protocol/bytes.ts';
import { type Keccak, nobleKeccak } from '#protocol/hash.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import { rollupAbi } from './abi.ts';
import { L1Error } from './errors.ts';

export const COMMIT_SELECTOR = toFunctionSelector(
  'commitBatch((bytes header,bytes signature,bytes trace,bytes withdrawn,bytes diff,bytes inputs))',
);

const WORD = 32;
const SELECTOR_BYTES = 4;
const TUPLE_AT = SELECTOR_BYTES + WORD;
const PARTS = ['header', 'signature', 'trace', 'withdrawn', 'diff', 'inputs'] as const;
type Part = (typeof PARTS)[number];

const padded = (length: number): number => Math.ceil(length / WORD) * WORD;

export function encodeCommitBatch(batch: Omit<SignedBatch, 'hash'>): Hex {
  return toHex(commitBatchBytes(batch));
}

/** As `encodeCommitBatch`, in bytes. */
export function commitBatchBytes(batch: Omit<SignedBatch, 'hash'>): Uint8Array {
  const parts = [
    encodeHeader(batch.header),
    batch.signature,
    encodeTrace(batch.trace),
    batch.withdrawn,
    batch.diff,
    batch.inputs,
  ];
  const size = parts.reduce((sum, part) => sum + WORD + padded(part.length), TUPLE_AT + WORD * parts.length);
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  bytes.set(fromHex(COMMIT_SELECTOR), 0);
  setWord(view, SELECTOR_BYTES, WORD);
  let at = TUPLE_AT + WORD * parts.length;
  parts.forEach((part, i) => {
    setWord(view, TUPLE_AT + WORD * i, at - TUPLE_AT);
    setWord(view, at, part.length);
    bytes.set(part, at + WORD);
    at += WORD + padded(part.length);
  });
  return bytes;
}

/** Size of the transaction input that commits this batch. */
export const commitBatchLength = (sizes: {
  readonly traceBytes: number;
  readonly withdrawnBytes: number;
  readonly diffBytes: number;
  readonly inputBytes: number;
}): number =>
  TUPLE_AT +
  WORD * 2 * PARTS.length +
  padded(510) +
  padded(65) +
  padded(sizes.traceBytes) +
  padded(sizes.withdrawnBytes) +
  padded(sizes.diffBytes) +
  padded(sizes.inputBytes);

/**
 * Reads what `encodeCommitBatch` wrote. `hash` is computed, the signature is not checked. Throws `L1Error` code
 * `malformed` (field, expected, got).
 */
export function decodeCommitBatch(
  input: Hex | Uint8Array,
  domain: SigningDomain,
  keccak: Keccak = nobleKeccak,
): SignedBatch {
  const parts = splitCommitBatch(typeof input === 'string' ? fromHex(input) : input);
  try {
    const header = decodeHeader(parts.header);
    return {
      header,
      hash: hashHeader(header, domain, keccak),
      signature: parts.signature,
      trace: decodeTrace(parts.trace),
      withdrawn: parts.withdrawn,
      diff: parts.diff,
      inputs: parts.inputs,
    };
  } catch (error) {
    throw new L1Error('malformed', `commitBatch input: ${(error as Error).message}`, { cause: error });
  }
}

/** The six parts as they were posted, copied. */
export function splitCommitBatch(bytes: Uint8Array): Record<Part, Uint8Array> {
  const view = viewOf(bytes);
  const word = (field: string, at: number): number => {
    if (at + WORD > bytes.length) throw malformed(field, `a word at byte ${at}`, `${bytes.length} bytes`);
    for (let i = at; i < at + WORD - 4; i++)
      if (bytes[i] !== 0) throw malformed(field, 'less than 2^32', 'more');
    return view.getUint32(at + WORD - 4);
  };
  const selector = toHex(bytes.subarray(0, SELECTOR_BYTES));
  if (selector !== COMMIT_SELECTOR) throw malformed('selector', COMMIT_SELECTOR, selector);
  const tuple = word('batch', SELECTOR_BYTES);
  if (tuple !== WORD) throw malformed('batch', WORD, tuple);
  const parts: Partial<Record<Part, Uint8Array>> = {};
  let at = TUPLE_AT + WORD * PARTS.length;
  PARTS.forEach((part, i) => {
    const offset = word(part, TUPLE_AT + WORD * i);
    if (offset !== at - TUPLE_AT) throw malformed(`offset of ${part}`, at - TUPLE_AT, offset);
    const length = word(part, at);
    const end = at + WORD + padded(length);
    if (end > bytes.length) throw malformed(`end of ${part}`, `at most ${bytes.length}`, end);
    parts[part] = bytes.slice(at + WORD, at + WORD + length);
    at = end;
  });
  if (at !== bytes.length) throw malformed('length', at, bytes.length);
  return parts as Record<Part, Uint8Array>;
}

/** Header and withdrawn totals of a commit input, as `finalizeBatch` takes them. */
export function encodeFinalizeBatch(batch: Pick<SignedBatch, 'header' | 'withdrawn'>): Hex {
  return encodeFunctionData({
    abi: rollupAbi,
    functionName: 'finalizeBatch',
    args: [toHex(encodeHeader(batch.header)), toHex(batch.withdrawn)],
  });
}

/** Name of the Rollup function that an input calls; undefined for anything else. */
export function rollupFunctionOf(input: Hex): string | undefined {
  try {
    return decodeFunctionData({ abi: rollupAbi, data: input }).functionName;
  } catch {
    return undefined;
  }
}

function setWord(view: DataView, at: number, value: number): void {
  view.setUint32(at + WORD - 4, value);
}

const malformed = (field: string, expected: string | number, got: string | number): L1Error =>
  new L1Error('malformed', `commitBatch input, ${field}: expected ${expected}, got ${got}`);
