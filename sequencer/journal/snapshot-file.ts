/**
 * One snapshot in one file. Little-endian:
 *
 *     0 4   magic "SLSN"        4 u32 version, 1
 *     8 u64 seq                16 u64 batch id       24 u32 engine version   28 u32 0
 *    32 32  ledger root        64 32  book root      96 u64 bytes of the payload, P
 *   104 32  SHA-256 of bytes 0 … 103 and of the payload
 *   136 P   payload
 *
 * Written under another name, flushed, renamed, the directory flushed: a file with this name is whole.
 */
import { createHash } from 'node:crypto';
import type { Disk, SnapshotMeta } from '#pipeline/ports.ts';
import { equalBytes, getU64, setU64, toHex, viewOf } from '#protocol/bytes.ts';
import { StoreError } from './store-error.ts';

const MAGIC = 0x4e534c53;
const VERSION = 1;
const HASHED_HEADER_BYTES = 104;
export const SNAPSHOT_HEADER_BYTES = 136;
/** Hashed and written a piece at a time, so that the thread is never held for more than half a millisecond. */
const PIECE_BYTES = 1024 * 1024;

export const snapshotName = (seq: number): string => `${String(seq).padStart(16, '0')}.snapshot`;

/** Seq of a snapshot's file name; undefined for any other file. */
export function snapshotSeq(name: string): number | undefined {
  const match = /^(\d{16})\.snapshot$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

export interface SnapshotHeader extends SnapshotMeta {
  readonly bytes: number;
  readonly contentHash: Uint8Array;
}

/** Durable when it resolves. Throws the disk's error and leaves no file behind when there is no room. */
export async function writeSnapshot(
  disk: Disk,
  folder: string,
  meta: SnapshotMeta,
  payload: Uint8Array,
): Promise<void> {
  const path = `${folder}/${snapshotName(meta.seq)}`;
  const temporary = `${path}.new`;
  const header = new Uint8Array(SNAPSHOT_HEADER_BYTES);
  const view = viewOf(header);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  setU64(view, 8, meta.seq);
  setU64(view, 16, meta.batchId);
  view.setUint32(24, meta.engineVersion, true);
  header.set(meta.ledgerRoot, 32);
  header.set(meta.bookRoot, 64);
  setU64(view, 96, payload.length);
  const hash = createHash('sha256').update(header.subarray(0, HASHED_HEADER_BYTES));
  if ((await disk.list(folder)).includes(`${snapshotName(meta.seq)}.new`)) await disk.unlink(temporary);
  const file = await disk.create(temporary, 0);
  try {
    for (let at = 0; at < payload.length; at += PIECE_BYTES) {
      const piece = payload.subarray(at, at + PIECE_BYTES);
      hash.update(piece);
      await file.pwrite(piece, SNAPSHOT_HEADER_BYTES + at);
    }
    header.set(hash.digest(), HASHED_HEADER_BYTES);
    await file.pwrite(header, 0);
    await file.fdatasync();
  } catch (error) {
    await file.close();
    await disk.unlink(temporary);
    throw error;
  }
  await file.close();
  await disk.rename(temporary, path);
  await disk.syncDirectory(folder);
}

/** The header alone; its roots and the payload are under the content hash, which only `readSnapshot` checks. */
export async function readSnapshotHeader(disk: Disk, folder: string, seq: number): Promise<SnapshotHeader> {
  const file = await disk.open(`${folder}/${snapshotName(seq)}`);
  try {
    const bytes = new Uint8Array(SNAPSHOT_HEADER_BYTES);
    const read = await file.pread(bytes, 0);
    const header = read < bytes.length ? undefined : decodeHeader(bytes);
    const size = await file.size();
    if (header === undefined || header.seq !== seq || size !== SNAPSHOT_HEADER_BYTES + header.bytes)
      throw corrupt(folder, seq, `a whole header and ${header?.bytes ?? 'its'} bytes`, `${size} bytes`);
    return header;
  } finally {
    await file.close();
  }
}

/** Throws `corrupt` when any byte differs from what was written. */
export async function readSnapshot(
  disk: Disk,
  folder: string,
  seq: number,
): Promise<{ header: SnapshotHeader; payload: Uint8Array }> {
  const header = await readSnapshotHeader(disk, folder, seq);
  const file = await disk.open(`${folder}/${snapshotName(seq)}`);
  try {
    const start = new Uint8Array(HASHED_HEADER_BYTES);
    await file.pread(start, 0);
    const payload = new Uint8Array(header.bytes);
    const hash = createHash('sha256').update(start);
    for (let at = 0; at < payload.length; at += PIECE_BYTES) {
      const piece = payload.subarray(at, at + PIECE_BYTES);
      await file.pread(piece, SNAPSHOT_HEADER_BYTES + at);
      hash.update(piece);
    }
    const got = hash.digest();
    if (!equalBytes(got, header.contentHash))
      throw corrupt(folder, seq, toHex(header.contentHash), toHex(got));
    return { header, payload };
  } finally {
    await file.close();
  }
}

function decodeHeader(bytes: Uint8Array): SnapshotHeader | undefined {
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION) return undefined;
  return {
    seq: getU64(view, 8),
    batchId: getU64(view, 16),
    engineVersion: view.getUint32(24, true),
    ledgerRoot: bytes.slice(32, 64),
    bookRoot: bytes.slice(64, 96),
    bytes: getU64(view, 96),
    contentHash: bytes.slice(104, 136),
  };
}

function corrupt(folder: string, seq: number, expected: string, got: string): StoreError {
  return new StoreError(
    'corrupt',
    folder,
    `${snapshotName(seq)}: content: expected ${expected}, got ${got}; start from an older snapshot`,
  );
}
