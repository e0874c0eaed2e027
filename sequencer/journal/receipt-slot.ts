/**
 * The last receipt that may have left the process, in two slots of a file of its own: what was signed must be found
 * again in the journal before anything else is signed. Big-endian.
 *
 *   DATA/receipts/last, slot n at 4096·n:
 *      0 4   magic "SLRC"   4 u32 version, 1
 *      8 u64 count of writes; odd in slot 1
 *     16 149 receipt (protocol/receipt.ts); zeros before the first
 *    165 u32 CRC-32C of bytes 0 … 164
 */
import type { Disk, DiskFile, ReceiptMemory } from '#pipeline/ports.ts';
import { getU64be, setU64be, viewOf } from '#protocol/bytes.ts';
import {
  decodeSignedReceipt,
  encodeSignedReceipt,
  SIGNED_RECEIPT_BYTES,
  type SignedReceipt,
} from '#protocol/receipt.ts';
import { crc32c } from './crc32c.ts';
import { StoreError } from './store-error.ts';

const MAGIC = 0x534c5243;
const VERSION = 1;
const RECEIPT_AT = 16;
const CRC_AT = RECEIPT_AT + SIGNED_RECEIPT_BYTES;
const SLOT_BYTES = CRC_AT + 4;
const SLOT_STRIDE = 4096;

export class ReceiptSlot implements ReceiptMemory {
  private readonly file: DiskFile;
  private count: number;
  /** Undefined before the first. */
  last: SignedReceipt | undefined;

  private constructor(file: DiskFile, count: number, last: SignedReceipt | undefined) {
    this.file = file;
    this.count = count;
    this.last = last;
  }

  /** `directory`: the data directory. A file that is not there is made: nothing was signed. */
  static async open(disk: Disk, directory: string): Promise<ReceiptSlot> {
    const folder = `${directory}/receipts`;
    await disk.makeDirectory(folder);
    const names = await disk.list(folder);
    if (!names.includes('last')) {
      // What an earlier process may have left half done.
      if (names.includes('last.new')) await disk.unlink(`${folder}/last.new`);
      const slot = new ReceiptSlot(await disk.create(`${folder}/last.new`, 2 * SLOT_STRIDE), 0, undefined);
      for (let i = 0; i < 2; i++) await slot.write(new Uint8Array(SIGNED_RECEIPT_BYTES));
      await slot.close();
      await disk.rename(`${folder}/last.new`, `${folder}/last`);
      await disk.syncDirectory(folder);
    }
    const file = await disk.open(`${folder}/last`);
    let best: { count: number; receipt: Uint8Array } | undefined;
    for (let slot = 0; slot < 2; slot++) {
      const bytes = new Uint8Array(SLOT_BYTES);
      await file.pread(bytes, slot * SLOT_STRIDE);
      const view = viewOf(bytes);
      if (view.getUint32(CRC_AT) !== crc32c(bytes, 0, CRC_AT)) continue;
      if (view.getUint32(0) !== MAGIC || view.getUint32(4) !== VERSION) continue;
      const count = getU64be(view, 8);
      if (best === undefined || count > best.count)
        best = { count, receipt: bytes.slice(RECEIPT_AT, CRC_AT) };
    }
    if (best === undefined) {
      await file.close();
      throw new StoreError(
        'missing',
        folder,
        'last receipt: expected one readable slot of two, got none; signing on could contradict what was signed: ' +
          'restore the file, or rotate the sequencer key',
      );
    }
    const { count, receipt } = best;
    return new ReceiptSlot(
      file,
      count,
      receipt.every((byte) => byte === 0) ? undefined : decodeSignedReceipt(receipt),
    );
  }

  async remember(receipt: SignedReceipt): Promise<void> {
    await this.write(encodeSignedReceipt(receipt));
    this.last = receipt;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async write(receipt: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(SLOT_BYTES);
    const view = viewOf(bytes);
    view.setUint32(0, MAGIC);
    view.setUint32(4, VERSION);
    setU64be(view, 8, this.count + 1);
    bytes.set(receipt, RECEIPT_AT);
    view.setUint32(CRC_AT, crc32c(bytes, 0, CRC_AT));
    await this.file.pwriteDurable(bytes, ((this.count + 1) % 2) * SLOT_STRIDE);
    this.count++;
  }
}
