/**
 * What stands at the end of the last segment: nothing, an incomplete frame that may be cut, or damage.
 *
 * Segments are allocated as zeros and one frame is written at a time, so what a power cut leaves of a frame is
 * whole sectors of it, in any choice, the others zero; or its beginning with zeros after it. A frame's last
 * byte is never zero. Hence a frame is incomplete when
 *   - its header stands, nothing lies beyond its end, and a whole sector or its last byte is zero; or
 *   - its first sector is zero, and what follows lies within the longest frame and holds no whole frame; or
 *   - its header breaks off, and everything from there on is zero.
 * Whatever else does not check was written whole and has changed since. Frames that were acknowledged and
 * then lost whole sectors look incomplete too: the head marker is what tells them.
 */
import type { DiskFile } from '#pipeline/ports.ts';
import {
  checkFrame,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  type FrameProblem,
  frameBytes,
  isProblem,
  readHeader,
  SECTOR_BYTES,
} from './frame.ts';

const CHUNK_BYTES = 1024 * 1024;

export type Tail =
  | { readonly kind: 'clean' }
  /** [offset … offset + bytes) holds all that must be zeroed. */
  | { readonly kind: 'incomplete'; readonly bytes: number }
  | ({ readonly kind: 'damaged' } & FrameProblem);

/**
 * Judges the rest of a segment of `size` bytes from `offset` on, where no whole frame begins; `problem` says
 * what was found instead of one.
 */
export async function judgeTail(
  file: DiskFile,
  size: number,
  offset: number,
  problem: FrameProblem | undefined,
): Promise<Tail> {
  const used = await usedBytes(file, size, offset);
  if (used === 0) return { kind: 'clean' };
  const damaged: Tail = {
    kind: 'damaged',
    ...(problem ?? { field: 'end of segment', expected: 'zeros', got: 'other bytes' }),
  };
  if (used > FRAME_BYTES_MAX) return damaged;
  const incomplete: Tail = { kind: 'incomplete', bytes: Math.ceil(used / SECTOR_BYTES) * SECTOR_BYTES };
  const bytes = new Uint8Array(incomplete.bytes);
  await file.pread(bytes, offset);
  const header = readHeader(bytes);
  if (isProblem(header)) {
    if (isZero(bytes, 0, SECTOR_BYTES)) return holdsFrame(bytes) ? damaged : incomplete;
    return used < FRAME_HEADER_BYTES ? incomplete : damaged;
  }
  const length = frameBytes(header.payloadBytes);
  if (offset + length > size || used > length) return damaged;
  // Fewer bytes used than the frame has: its last byte is zero.
  if (used < length) return incomplete;
  for (let at = 0; at < length; at += SECTOR_BYTES)
    if (isZero(bytes, at, at + SECTOR_BYTES)) return incomplete;
  return damaged;
}

/** Bytes from `offset` to the last one that is not zero. */
async function usedBytes(file: DiskFile, size: number, offset: number): Promise<number> {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, size - offset));
  let used = 0;
  for (let at = offset; at < size; at += chunk.length) {
    const read = await file.pread(chunk.subarray(0, Math.min(chunk.length, size - at)), at);
    let last = read;
    while (last > 0 && chunk[last - 1] === 0) last--;
    if (last > 0) used = at - offset + last;
  }
  return used;
}

/** True when a whole frame begins at a later sector: then what lies before it is a hole. */
function holdsFrame(bytes: Uint8Array): boolean {
  for (let at = SECTOR_BYTES; at < bytes.length; at += SECTOR_BYTES) {
    const rest = bytes.subarray(at);
    const header = readHeader(rest);
    if (isProblem(header)) continue;
    const length = frameBytes(header.payloadBytes);
    if (length <= rest.length && checkFrame(rest.subarray(0, length)) === undefined) return true;
  }
  return false;
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
