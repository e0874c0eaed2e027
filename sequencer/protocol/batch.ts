/**
 * Batches: the header that the sequencer signs (EIP-712 type `Batch`), the trace of its segments and the byte
 * layout in which they are posted. Solidity twin: settlement/contracts/libraries/BatchLib.sol. Big-endian.
 *
 * Header as posted (510 bytes):
 *     0 u16 version          2 u32 epoch          6 u64 id           14 b32 parentHash
 *    46 b32 preLedgerRoot   78 b32 preBookRoot  110 b32 postLedgerRoot  142 b32 postBookRoot
 *   174 b32 traceRoot      206 u32 traceLength  210 u64 firstStep   218 u64 nextStep
 *   226 u64 firstSeq       234 u64 nextSeq      242 b32 preInputHash   274 b32 postInputHash
 *   306 u32 inputBytes     310 b32 inputsHash   342 b32 diffHash    374 b32 withdrawnHash
 *   406 u64 queueFirst     414 u64 queueNext    422 b32 queueHash
 *   454 u64 anchorNumber   462 b32 anchorHash   494 u64 timeFirst   502 u64 timeLast
 *   510 end
 *
 * `hash` of a header = its EIP-712 digest; the next header's parentHash. The first batch of an epoch names the
 * hash of the last valid batch, zero for the very first.
 *
 * Running input hash: h' = keccak256(h ‖ keccak256(record)) over the records (command.ts) of all batches,
 * zero at first. inputsHash = keccak256(all records of the batch, concatenated).
 *
 * Trace: one entry per segment (92 bytes):
 *     0 u64 nextStep   8 u64 nextSeq  16 u32 inputEnd   20 u64 weight
 *    28 b32 inputHash 60 b32 stateRoot
 *   A segment begins where the one before ended. `inputEnd`: bytes of the batch's inputs consumed by its end
 *   (a record belongs to the segment of its first step). leaf i = keccak256(0x02 ‖ u32 i ‖ u64 firstStep ‖
 *   u64 firstSeq ‖ u32 inputStart ‖ entry), node = keccak256(0x04 ‖ left ‖ right), an odd node is lifted as it is;
 *   traceRoot = the top, for at least one segment.
 *
 * Withdrawn: totals of the batch per asset, ascending: u16 asset ‖ u128 amount each; withdrawnHash is its
 * keccak256.
 */
import { getU64be, setU64be, viewOf } from './bytes.ts';
import type { Keccak } from './hash.ts';
import { AbiWords, type SigningDomain, typeHash } from './signing.ts';

export const BATCH_VERSION = 1;
/** Where the chain of batches begins (Rollup.sol): everything else of the first header's pre-values is zero. */
export const FIRST_BATCH_ID = 1;
export const FIRST_EPOCH = 1;
export const FIRST_STEP = 0;
export const FIRST_SEQ = 1;
export const HEADER_BYTES = 510;
export const TRACE_ENTRY_BYTES = 92;
export const WITHDRAWN_ENTRY_BYTES = 18;
/** Assets that a vault can have: a list of totals has no more entries, and none of nothing. */
export const WITHDRAWN_ENTRIES_MAX = 64;

export interface BatchHeader {
  readonly version: number;
  readonly epoch: number;
  readonly id: number;
  readonly parentHash: Uint8Array;
  readonly preLedgerRoot: Uint8Array;
  readonly preBookRoot: Uint8Array;
  readonly postLedgerRoot: Uint8Array;
  readonly postBookRoot: Uint8Array;
  readonly traceRoot: Uint8Array;
  readonly traceLength: number;
  readonly firstStep: number;
  readonly nextStep: number;
  readonly firstSeq: number;
  readonly nextSeq: number;
  readonly preInputHash: Uint8Array;
  readonly postInputHash: Uint8Array;
  readonly inputBytes: number;
  readonly inputsHash: Uint8Array;
  readonly diffHash: Uint8Array;
  readonly withdrawnHash: Uint8Array;
  readonly queueFirst: number;
  readonly queueNext: number;
  /** Prefix hash of the queue after entry queueNext - 1. */
  readonly queueHash: Uint8Array;
  readonly anchorNumber: number;
  readonly anchorHash: Uint8Array;
  readonly timeFirst: number;
  readonly timeLast: number;
}

export interface TraceEntry {
  readonly nextStep: number;
  readonly nextSeq: number;
  readonly inputEnd: number;
  readonly weight: number;
  readonly inputHash: Uint8Array;
  readonly stateRoot: Uint8Array;
}

/** Everything of a batch that goes to L1. */
export interface SignedBatch {
  readonly header: BatchHeader;
  /** EIP-712 digest of the header. */
  readonly hash: Uint8Array;
  /** 65 bytes by the sequencer's key. */
  readonly signature: Uint8Array;
  readonly trace: readonly TraceEntry[];
  /** Packed totals withdrawn. */
  readonly withdrawn: Uint8Array;
  /** Packed ledger diff (state/diff.ts). */
  readonly diff: Uint8Array;
  /** Records of the batch, concatenated. */
  readonly inputs: Uint8Array;
}

type Width = 2 | 4 | 8 | 32;
/** Fields in the order of the posted bytes and of the EIP-712 type. */
export const HEADER_FIELDS: readonly (readonly [keyof BatchHeader, Width])[] = [
  ['version', 2],
  ['epoch', 4],
  ['id', 8],
  ['parentHash', 32],
  ['preLedgerRoot', 32],
  ['preBookRoot', 32],
  ['postLedgerRoot', 32],
  ['postBookRoot', 32],
  ['traceRoot', 32],
  ['traceLength', 4],
  ['firstStep', 8],
  ['nextStep', 8],
  ['firstSeq', 8],
  ['nextSeq', 8],
  ['preInputHash', 32],
  ['postInputHash', 32],
  ['inputBytes', 4],
  ['inputsHash', 32],
  ['diffHash', 32],
  ['withdrawnHash', 32],
  ['queueFirst', 8],
  ['queueNext', 8],
  ['queueHash', 32],
  ['anchorNumber', 8],
  ['anchorHash', 32],
  ['timeFirst', 8],
  ['timeLast', 8],
];

const solidityType = (width: Width): string => (width === 32 ? 'bytes32' : `uint${8 * width}`);
export const BATCH_TYPE = `Batch(${HEADER_FIELDS.map(([name, width]) => `${solidityType(width)} ${name}`).join(',')})`;

export function encodeHeader(header: BatchHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = viewOf(bytes);
  let at = 0;
  for (const [name, width] of HEADER_FIELDS) {
    const value = header[name];
    if (width === 32) bytes.set(value as Uint8Array, at);
    else if (width === 8) setU64be(view, at, value as number);
    else if (width === 4) view.setUint32(at, value as number);
    else view.setUint16(at, value as number);
    at += width;
  }
  return bytes;
}

/** Throws on another length or a 64-bit field beyond 2^53. */
export function decodeHeader(bytes: Uint8Array): BatchHeader {
  if (bytes.length !== HEADER_BYTES)
    throw new Error(`batch header: expected ${HEADER_BYTES} bytes, got ${bytes.length}`);
  const view = viewOf(bytes);
  const header: Record<string, number | Uint8Array> = {};
  let at = 0;
  for (const [name, width] of HEADER_FIELDS) {
    if (width === 32) header[name] = bytes.slice(at, at + 32);
    else if (width === 8) {
      const value = Number(view.getBigUint64(at));
      if (!Number.isSafeInteger(value))
        throw new Error(`batch header ${name}: expected at most 2^53 - 1, got ${view.getBigUint64(at)}`);
      header[name] = value;
    } else header[name] = width === 4 ? view.getUint32(at) : view.getUint16(at);
    at += width;
  }
  return header as unknown as BatchHeader;
}

/** EIP-712 digest that the sequencer signs and by which batches are named. */
export function hashHeader(header: BatchHeader, domain: SigningDomain, keccak: Keccak): Uint8Array {
  const words = new AbiWords(1 + HEADER_FIELDS.length).hash(typeHash(BATCH_TYPE, keccak));
  for (const [name, width] of HEADER_FIELDS) {
    if (width === 32) words.hash(header[name] as Uint8Array);
    else words.uint(header[name] as number);
  }
  return domain.digest(keccak(words.bytes));
}

export function encodeTrace(trace: readonly TraceEntry[]): Uint8Array {
  const bytes = new Uint8Array(TRACE_ENTRY_BYTES * trace.length);
  const view = viewOf(bytes);
  trace.forEach((entry, i) => {
    const at = i * TRACE_ENTRY_BYTES;
    setU64be(view, at, entry.nextStep);
    setU64be(view, at + 8, entry.nextSeq);
    view.setUint32(at + 16, entry.inputEnd);
    setU64be(view, at + 20, entry.weight);
    bytes.set(entry.inputHash, at + 28);
    bytes.set(entry.stateRoot, at + 60);
  });
  return bytes;
}

/** Throws on half entries or a 64-bit field beyond 2^53. */
export function decodeTrace(bytes: Uint8Array): TraceEntry[] {
  if (bytes.length % TRACE_ENTRY_BYTES !== 0)
    throw new Error(`trace: expected whole entries of ${TRACE_ENTRY_BYTES} bytes, got ${bytes.length} bytes`);
  const view = viewOf(bytes);
  const trace: TraceEntry[] = [];
  const safe = (name: keyof TraceEntry, at: number): number => {
    const value = getU64be(view, at);
    if (!Number.isSafeInteger(value))
      throw new Error(
        `trace[${trace.length}].${name}: expected at most 2^53 - 1, got ${view.getBigUint64(at)}`,
      );
    return value;
  };
  for (let at = 0; at < bytes.length; at += TRACE_ENTRY_BYTES) {
    trace.push({
      nextStep: safe('nextStep', at),
      nextSeq: safe('nextSeq', at + 8),
      inputEnd: view.getUint32(at + 16),
      weight: safe('weight', at + 20),
      inputHash: bytes.slice(at + 28, at + 60),
      stateRoot: bytes.slice(at + 60, at + 92),
    });
  }
  return trace;
}

const LEAF_PREFIX_BYTES = 25;

/** Root over the segments; `start` names where the batch begins. */
export function traceRoot(
  trace: readonly TraceEntry[],
  start: { firstStep: number; firstSeq: number },
  keccak: Keccak,
): Uint8Array {
  const encoded = encodeTrace(trace);
  let nodes: Uint8Array[] = trace.map((_, i) => {
    const bytes = new Uint8Array(LEAF_PREFIX_BYTES + TRACE_ENTRY_BYTES);
    const view = viewOf(bytes);
    const previous = trace[i - 1];
    bytes[0] = 0x02;
    view.setUint32(1, i);
    setU64be(view, 5, previous?.nextStep ?? start.firstStep);
    setU64be(view, 13, previous?.nextSeq ?? start.firstSeq);
    view.setUint32(21, previous?.inputEnd ?? 0);
    bytes.set(encoded.subarray(i * TRACE_ENTRY_BYTES, (i + 1) * TRACE_ENTRY_BYTES), 25);
    return keccak(bytes);
  });
  while (nodes.length > 1) {
    const parents: Uint8Array[] = [];
    for (let i = 0; i < nodes.length; i += 2) {
      const right = nodes[i + 1];
      parents.push(right === undefined ? nodes[i]! : keccak(Uint8Array.of(0x04, ...nodes[i]!, ...right)));
    }
    nodes = parents;
  }
  return nodes[0]!;
}

export function encodeWithdrawn(totals: readonly { asset: number; amount: bigint }[]): Uint8Array {
  const bytes = new Uint8Array(WITHDRAWN_ENTRY_BYTES * totals.length);
  const view = viewOf(bytes);
  totals.forEach((total, i) => {
    view.setUint16(i * WITHDRAWN_ENTRY_BYTES, total.asset);
    view.setBigUint64(i * WITHDRAWN_ENTRY_BYTES + 2, total.amount >> 64n);
    view.setBigUint64(i * WITHDRAWN_ENTRY_BYTES + 10, total.amount & 0xffff_ffff_ffff_ffffn);
  });
  return bytes;
}
