/**
 * The head marker: how far the journal was durable, in a file of its own, because a tail that was cut off can
 * not be seen in the segments. Two slots written in turn, so that one is always whole. Little-endian.
 *
 *   slot n at 4096·n:
 *     0 4    magic "SLJH"         4 u32 version, 1
 *     8 u64  count of writes; odd in slot 1
 *    16 u64  epoch               24 u64 seq of the last command
 *    32 32   hash of the last frame
 *    64 u32  segment             68 u32 0
 *    72 u64  byte of that segment at which the last frame ends
 *    80 32   genesis hash: what the first frame names as its predecessor
 *   112 u32  CRC-32C of bytes 0 … 111
 */

import type { DiskFile } from '#pipeline/ports.ts';
import { getU64, setU64, viewOf } from '#protocol/bytes.ts';
import { crc32c } from './crc32c.ts';

const MAGIC = 0x484a4c53;
const VERSION = 1;
const SLOT_BYTES = 116;
const CRC_AT = 112;
const SLOT_STRIDE = 4096;
export const HEAD_BYTES = 2 * SLOT_STRIDE;

export interface HeadMarker {
  readonly count: number;
  readonly epoch: number;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly segment: number;
  readonly end: number;
  readonly genesis: Uint8Array;
}

/** Durable when it resolves. */
export async function writeMarker(file: DiskFile, marker: HeadMarker): Promise<void> {
  const bytes = new Uint8Array(SLOT_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  setU64(view, 8, marker.count);
  setU64(view, 16, marker.epoch);
  setU64(view, 24, marker.seq);
  bytes.set(marker.hash, 32);
  view.setUint32(64, marker.segment, true);
  setU64(view, 72, marker.end);
  bytes.set(marker.genesis, 80);
  view.setUint32(CRC_AT, crc32c(bytes, 0, CRC_AT), true);
  await file.pwriteDurable(bytes, (marker.count % 2) * SLOT_STRIDE);
}

/** The newest whole slot and how many of the two are not; undefined when neither is. */
export async function readMarker(
  file: DiskFile,
): Promise<{ marker: HeadMarker; broken: number } | undefined> {
  let marker: HeadMarker | undefined;
  let broken = 0;
  for (let slot = 0; slot < 2; slot++) {
    const bytes = new Uint8Array(SLOT_BYTES);
    const read = await file.pread(bytes, slot * SLOT_STRIDE);
    const decoded = read === SLOT_BYTES ? decodeSlot(bytes) : undefined;
    if (decoded === undefined || decoded.count % 2 !== slot) broken++;
    else if (marker === undefined || decoded.count > marker.count) marker = decoded;
  }
  return marker === undefined ? undefined : { marker, broken };
}

function decodeSlot(bytes: Uint8Array): HeadMarker | undefined {
  const view = viewOf(bytes);
  if (view.getUint32(CRC_AT, true) !== crc32c(bytes, 0, CRC_AT)) return undefined;
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION) return undefined;
  return {
    count: getU64(view, 8),
    epoch: getU64(view, 16),
    seq: getU64(view, 24),
    hash: bytes.slice(32, 64),
    segment: view.getUint32(64, true),
    end: getU64(view, 72),
    genesis: bytes.slice(80, 112),
  };
}
