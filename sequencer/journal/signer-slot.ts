/**
 * The last commitment that was allowed to be signed, in two slots of a file of its own: LevelDB may lose its
 * tail without a word, and a signer that forgets signs twice. Big-endian.
 *
 *   slot n at 4096·n:
 *     0 4   magic "SLSG"   4 u32 version, 1
 *     8 u64 count of writes; odd in slot 1
 *    16 u32 epoch         20 u64 id         28 32 parent hash   60 32 hash
 *    92 u32 CRC-32C of bytes 0 … 91
 */

import type { Disk, DiskFile, SignedCommitment } from '#pipeline/ports.ts';
import { getU64be, setU64be, viewOf } from '#protocol/bytes.ts';
import { crc32c } from './crc32c.ts';
import { StoreError } from './store-error.ts';

const MAGIC = 0x534c5347;
const VERSION = 1;
const SLOT_BYTES = 96;
const CRC_AT = 92;
const SLOT_STRIDE = 4096;
const EMPTY_HASH = new Uint8Array(32);

export class SignerSlot {
  private readonly file: DiskFile;
  private count: number;
  /** Undefined before the first batch. */
  last: SignedCommitment | undefined;

  private constructor(file: DiskFile, count: number, last: SignedCommitment | undefined) {
    this.file = file;
    this.count = count;
    this.last = last;
  }

  static async open(disk: Disk, folder: string, create: boolean): Promise<SignerSlot> {
    const path = `${folder}/signed`;
    const there = (await disk.list(folder)).includes('signed');
    if (!there && create) {
      const slot = new SignerSlot(await disk.create(`${path}.new`, 2 * SLOT_STRIDE), 0, undefined);
      for (let i = 0; i < 2; i++)
        await slot.write({ epoch: 0, id: 0, parentHash: EMPTY_HASH, hash: EMPTY_HASH });
      await slot.close();
      await disk.rename(`${path}.new`, path);
      await disk.syncDirectory(folder);
    } else if (!there) throw lost(folder, 'a file', 'none');
    const file = await disk.open(path);
    let best: { count: number; commitment: SignedCommitment } | undefined;
    for (let slot = 0; slot < 2; slot++) {
      const bytes = new Uint8Array(SLOT_BYTES);
      await file.pread(bytes, slot * SLOT_STRIDE);
      const view = viewOf(bytes);
      if (view.getUint32(CRC_AT) !== crc32c(bytes, 0, CRC_AT)) continue;
      if (view.getUint32(0) !== MAGIC || view.getUint32(4) !== VERSION) continue;
      const count = getU64be(view, 8);
      if (best !== undefined && count <= best.count) continue;
      const commitment = {
        epoch: view.getUint32(16),
        id: getU64be(view, 20),
        parentHash: bytes.slice(28, 60),
        hash: bytes.slice(60, 92),
      };
      best = { count, commitment };
    }
    if (best === undefined) {
      await file.close();
      throw lost(folder, 'one readable slot of two', 'none');
    }
    const { count, commitment } = best;
    // A slot is written whole or not at all (one sector), so an unreadable one is damage: the other one could
    // be older than what was signed. Both are read, and the store compares with what LevelDB remembers.
    return new SignerSlot(file, count, commitment.hash.every((byte) => byte === 0) ? undefined : commitment);
  }

  /** Durable when it resolves. */
  async write(commitment: SignedCommitment): Promise<void> {
    const bytes = new Uint8Array(SLOT_BYTES);
    const view = viewOf(bytes);
    view.setUint32(0, MAGIC);
    view.setUint32(4, VERSION);
    setU64be(view, 8, this.count + 1);
    view.setUint32(16, commitment.epoch);
    setU64be(view, 20, commitment.id);
    bytes.set(commitment.parentHash, 28);
    bytes.set(commitment.hash, 60);
    view.setUint32(CRC_AT, crc32c(bytes, 0, CRC_AT));
    await this.file.pwriteDurable(bytes, ((this.count + 1) % 2) * SLOT_STRIDE);
    this.count++;
    this.last = commitment;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function lost(folder: string, expected: string, got: string): StoreError {
  return new StoreError(
    'missing',
    folder,
    `signer's memory: expected ${expected}, got ${got}; signing on could contradict what was signed: ` +
      'rotate the sequencer key and open a new epoch, or restore the file',
  );
}
