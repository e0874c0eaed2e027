/**
 * The header that is about to be signed, kept durable before the signer is asked: should the process end
 * between the signature's memory and the batch's storage, the same batch can be made again, and only that one.
 *
 *   DATA/batcher/draft      510 header (protocol/batch.ts) ‖ 32 keccak256 of it
 */

import type { Disk, DiskFailure } from '#pipeline/ports.ts';
import { type BatchHeader, decodeHeader, encodeHeader, HEADER_BYTES } from '#protocol/batch.ts';
import { concat, equalBytes } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';

export interface DraftStore {
  /** The last one saved; undefined before the first. */
  load(): Promise<BatchHeader | undefined>;
  /** Durable when it resolves. */
  save(header: BatchHeader): Promise<void>;
}

export class DraftFile implements DraftStore {
  private readonly disk: Disk;
  private readonly directory: string;
  private isReady = false;

  /** `directory`: the data directory. */
  constructor(disk: Disk, directory: string) {
    this.disk = disk;
    this.directory = `${directory}/batcher`;
  }

  async load(): Promise<BatchHeader | undefined> {
    let file: Awaited<ReturnType<Disk['open']>>;
    try {
      file = await this.disk.open(`${this.directory}/draft`);
    } catch (error) {
      if ((error as DiskFailure).code === 'not-found') return undefined;
      throw error;
    }
    try {
      const bytes = new Uint8Array(HEADER_BYTES + 32);
      const read = await file.pread(bytes, 0);
      const header = bytes.slice(0, HEADER_BYTES);
      if (read !== bytes.length || !equalBytes(nobleKeccak(header), bytes.subarray(HEADER_BYTES)))
        throw new Error(
          `${file.path}: expected a whole header with its hash, got changed bytes; remove the file if no batch was being signed when the process ended`,
        );
      return decodeHeader(header);
    } finally {
      await file.close();
    }
  }

  async save(header: BatchHeader): Promise<void> {
    const { disk, directory } = this;
    if (!this.isReady) {
      await disk.makeDirectory(directory);
      this.isReady = true;
    }
    const bytes = encodeHeader(header);
    const path = `${directory}/draft.new`;
    await this.unlink(path);
    const file = await disk.create(path, bytes.length + 32);
    try {
      await file.pwrite(concat(bytes, nobleKeccak(bytes)), 0);
      await file.fdatasync();
    } finally {
      await file.close();
    }
    await disk.rename(path, `${directory}/draft`);
    await disk.syncDirectory(directory);
  }

  /** What an earlier process may have left half done. */
  private async unlink(path: string): Promise<void> {
    try {
      await this.disk.unlink(path);
    } catch (error) {
      if ((error as DiskFailure).code !== 'not-found') throw error;
    }
  }
}
