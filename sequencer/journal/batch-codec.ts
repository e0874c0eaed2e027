/**
 * A signed batch as it is stored. Big-endian, like the header:
 *
 *     0 510 header (protocol/batch.ts)
 *   510 32  hash          542 65 signature
 *   607 u32 bytes of the trace, T ‖ T trace entries
 *       u32 bytes of the totals withdrawn ‖ these
 *       u32 bytes of the diff ‖ it
 *       u32 bytes of the inputs ‖ them
 *       32  SHA-256 of all bytes before
 */
import { hash as digest } from 'node:crypto';
import {
  decodeHeader,
  decodeTrace,
  encodeHeader,
  encodeTrace,
  HEADER_BYTES,
  type SignedBatch,
} from '#protocol/batch.ts';
import { concat, equalBytes, viewOf } from '#protocol/bytes.ts';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';

const FIXED_BYTES = HEADER_BYTES + 32 + SIGNATURE_BYTES;
const CHECK_BYTES = 32;

export function encodeBatch(batch: SignedBatch): Uint8Array {
  const parts = [encodeTrace(batch.trace), batch.withdrawn, batch.diff, batch.inputs];
  const body = concat(encodeHeader(batch.header), batch.hash, batch.signature, ...parts.flatMap(withLength));
  return concat(body, digest('sha256', body, 'buffer'));
}

/** Undefined when any byte differs from what was encoded. */
export function decodeBatch(bytes: Uint8Array): SignedBatch | undefined {
  const end = bytes.length - CHECK_BYTES;
  if (end < FIXED_BYTES) return undefined;
  const body = bytes.subarray(0, end);
  if (!equalBytes(digest('sha256', body, 'buffer'), bytes.subarray(end))) return undefined;
  const view = viewOf(body);
  let at = FIXED_BYTES;
  const part = (): Uint8Array => {
    const length = view.getUint32(at);
    at += 4 + length;
    return body.slice(at - length, at);
  };
  return {
    header: decodeHeader(body.slice(0, HEADER_BYTES)),
    hash: body.slice(HEADER_BYTES, HEADER_BYTES + 32),
    signature: body.slice(HEADER_BYTES + 32, FIXED_BYTES),
    trace: decodeTrace(part()),
    withdrawn: part(),
    diff: part(),
    inputs: part(),
  };
}

function withLength(bytes: Uint8Array): [Uint8Array, Uint8Array] {
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, bytes.length);
  return [length, bytes];
}
