/**
 * Receipt frame, server → client. Header and rules as in wire.ts; tag 0. Little-endian, but the receipt itself has
 * the bytes that L1 takes (receipt.ts). Offsets count from the start of the frame.
 *
 *   RECEIPT 0xa7 (168)
 *      8 u64 previous: seq of the receipt before, 0 when there was none    16 149 receipt    165 3×0
 *
 * `previous` is the sequence that the stream held before, and the receipt's seq the one after.
 */
import { getU64, setU64, viewOf } from './bytes.ts';
import {
  decodeSignedReceipt,
  encodeSignedReceipt,
  SIGNED_RECEIPT_BYTES,
  type SignedReceipt,
} from './receipt.ts';
import { Reject, type RejectCode } from './reject.ts';
import { type Decoded, expectFrame, FrameType, writeFrameHeader } from './wire.ts';

export const RECEIPT_FRAME_BYTES = 168;
const RECEIPT_AT = 16;

export interface ReceiptFrame {
  readonly previous: number;
  readonly receipt: SignedReceipt;
}

export function encodeReceiptFrame({ previous, receipt }: ReceiptFrame): Uint8Array {
  const bytes = new Uint8Array(RECEIPT_FRAME_BYTES);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: RECEIPT_FRAME_BYTES, type: FrameType.RECEIPT, tag: 0 });
  setU64(view, 8, previous);
  bytes.set(encodeSignedReceipt(receipt), RECEIPT_AT);
  return bytes;
}

/** The signature is not checked. */
export function decodeReceiptFrame(view: DataView, at: number): Decoded<ReceiptFrame> {
  const code = expectFrame(view, at, FrameType.RECEIPT, RECEIPT_FRAME_BYTES);
  if (code !== 0) return code as RejectCode;
  const previous = getU64(view, at + 8);
  if (!Number.isSafeInteger(previous)) return Reject.MALFORMED_FRAME;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at + RECEIPT_AT, SIGNED_RECEIPT_BYTES);
  try {
    return { previous, receipt: decodeSignedReceipt(bytes) };
  } catch {
    return Reject.MALFORMED_FRAME;
  }
}
