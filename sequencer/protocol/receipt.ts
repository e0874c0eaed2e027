/**
 * Receipts: what the sequencer says of its history several times a second, under its signature (EIP-712 type
 * `Receipt`), so that it can never tell another one. Solidity twin: settlement/contracts/libraries/ReceiptLib.sol.
 * Big-endian, as they go to L1:
 *
 *    0 u32 epoch      4 u64 seq      12 b32 inputHash      44 u64 queueNext      52 b32 queueHash
 *   84 b65 signature r ‖ s ‖ v of the digest
 *  149 end
 *
 * `inputHash` is the running input hash (batch.ts) after the record of command `seq`; `queueNext` and `queueHash` are
 * the state's cursor in the L1 queue then: entries taken up, and the prefix hash over them (queue-entry.ts).
 *
 * A link is keccak256(record): h' = keccak256(h ‖ link). From the hash before a command, its link and those up to a
 * receipt follows the receipt's inputHash; that shows that the command stands in this place of the history.
 */
import { type BatchHeader, FIRST_SEQ } from './batch.ts';
import { concat, equalBytes, getU64be, setU64be, viewOf } from './bytes.ts';
import { encodeRecord, MESSAGE, QUEUE_ENTRY, recordKind } from './command.ts';
import { type Keccak, ZERO_HASH } from './hash.ts';
import { RECORD_HEADER_BYTES, SIGNATURE_BYTES } from './limits.ts';
import { decodeQueueEntry, nextQueueHash } from './queue-entry.ts';
import { AbiWords, type SigningDomain, typeHash } from './signing.ts';
import type { Hash, Seq } from './units.ts';

export const RECEIPT_TYPE =
  'Receipt(uint32 epoch,uint64 seq,bytes32 inputHash,uint64 queueNext,bytes32 queueHash)';
export const RECEIPT_BYTES = 84;
export const SIGNED_RECEIPT_BYTES = RECEIPT_BYTES + SIGNATURE_BYTES;
export const LINK_BYTES = 32;

/** Where a history stands after command `seq`; 0 before the first. */
export interface InputCursor {
  readonly seq: Seq;
  /** Running input hash. */
  readonly inputHash: Hash;
  /** L1 queue entries taken up. */
  readonly queueNext: number;
  /** Prefix hash over them. */
  readonly queueHash: Hash;
}

export interface Receipt extends InputCursor {
  readonly epoch: number;
}

export interface SignedReceipt extends Receipt {
  /** 65 bytes by the sequencer's key. */
  readonly signature: Uint8Array;
}

export const GENESIS_CURSOR: InputCursor = {
  seq: FIRST_SEQ - 1,
  inputHash: ZERO_HASH,
  queueNext: 0,
  queueHash: ZERO_HASH,
};

/** Where a batch that ends with a whole command leaves the history. */
export const cursorAfter = (header: BatchHeader): InputCursor => ({
  seq: header.nextSeq - 1,
  inputHash: header.postInputHash,
  queueNext: header.queueNext,
  queueHash: header.queueHash,
});

/** h' of the running input hash. */
export const nextInputHash = (inputHash: Hash, link: Hash, keccak: Keccak): Hash =>
  keccak(concat(inputHash, link));

/** The cursor in the L1 queue after a record: an entry counts when it is whole and the next one, as in the engine. */
export function nextQueueCursor(
  cursor: Pick<InputCursor, 'queueNext' | 'queueHash'>,
  record: Uint8Array,
  keccak: Keccak,
): Pick<InputCursor, 'queueNext' | 'queueHash'> {
  const { queueNext, queueHash } = cursor;
  if (recordKind(viewOf(record)) !== QUEUE_ENTRY) return { queueNext, queueHash };
  const entry = decodeQueueEntry(record.subarray(RECORD_HEADER_BYTES));
  if (entry?.index !== queueNext) return { queueNext, queueHash };
  return { queueNext: queueNext + 1, queueHash: nextQueueHash(keccak, queueHash, entry) };
}

/** The cursor after the next command; `link` is the hash of its record. */
export const advance = (
  cursor: InputCursor,
  record: Uint8Array,
  link: Hash,
  keccak: Keccak,
): InputCursor => ({
  seq: cursor.seq + 1,
  inputHash: nextInputHash(cursor.inputHash, link, keccak),
  ...nextQueueCursor(cursor, record, keccak),
});

/** The running input hash after `links` (32 bytes each, in order). Throws on half links. */
export function foldLinks(before: Hash, links: Uint8Array, keccak: Keccak): Hash {
  if (links.length % LINK_BYTES !== 0)
    throw new Error(`links: expected whole hashes of ${LINK_BYTES} bytes, got ${links.length} bytes`);
  let hash = before;
  for (let at = 0; at < links.length; at += LINK_BYTES)
    hash = nextInputHash(hash, links.subarray(at, at + LINK_BYTES), keccak);
  return hash;
}

/** The record that a signed message became, from the time that its reply names. */
export const recordOfMessage = (message: Uint8Array, time: number): Uint8Array =>
  encodeRecord(MESSAGE, time, message);

/** EIP-712 digest that the sequencer signs. */
export const hashReceipt = (receipt: Receipt, domain: SigningDomain, keccak: Keccak): Hash =>
  domain.digest(
    keccak(
      new AbiWords(6)
        .hash(typeHash(RECEIPT_TYPE, keccak))
        .uint(receipt.epoch)
        .uint(receipt.seq)
        .hash(receipt.inputHash)
        .uint(receipt.queueNext)
        .hash(receipt.queueHash).bytes,
    ),
  );

/** 84 bytes. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const bytes = new Uint8Array(RECEIPT_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, receipt.epoch);
  setU64be(view, 4, receipt.seq);
  bytes.set(receipt.inputHash, 12);
  setU64be(view, 44, receipt.queueNext);
  bytes.set(receipt.queueHash, 52);
  return bytes;
}

/** 149 bytes. */
export const encodeSignedReceipt = (receipt: SignedReceipt): Uint8Array =>
  concat(encodeReceipt(receipt), receipt.signature);

/** Of 84 bytes. Throws on another length or a number beyond 2^53. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  if (bytes.length !== RECEIPT_BYTES)
    throw new Error(`receipt: expected ${RECEIPT_BYTES} bytes, got ${bytes.length}`);
  const view = viewOf(bytes);
  const safe = (name: string, at: number): number => {
    const value = getU64be(view, at);
    if (!Number.isSafeInteger(value))
      throw new Error(`receipt ${name}: expected at most 2^53 - 1, got ${view.getBigUint64(at)}`);
    return value;
  };
  return {
    epoch: view.getUint32(0),
    seq: safe('seq', 4),
    inputHash: bytes.slice(12, 44),
    queueNext: safe('queueNext', 44),
    queueHash: bytes.slice(52, 84),
  };
}

/** Of 149 bytes; the signature is not checked. Throws as `decodeReceipt`. */
export function decodeSignedReceipt(bytes: Uint8Array): SignedReceipt {
  if (bytes.length !== SIGNED_RECEIPT_BYTES)
    throw new Error(`receipt: expected ${SIGNED_RECEIPT_BYTES} bytes, got ${bytes.length}`);
  return { ...decodeReceipt(bytes.subarray(0, RECEIPT_BYTES)), signature: bytes.slice(RECEIPT_BYTES) };
}

/** Whether two cursors say the same of the same command. */
export const sameCursor = (a: InputCursor, b: InputCursor): boolean =>
  a.seq === b.seq &&
  equalBytes(a.inputHash, b.inputHash) &&
  a.queueNext === b.queueNext &&
  equalBytes(a.queueHash, b.queueHash);
