/** Reads the frames of one segment in order and checks each against the chain that leads to it. */

import type { Disk, DiskFile } from '#pipeline/ports.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import {
  checkFrame,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  type FrameProblem,
  frameBytes,
  frameHash,
  isProblem,
  readHeader,
  SECTOR_BYTES,
} from './frame.ts';
import { damage } from './journal-error.ts';
import { journalFolder, type SegmentFile } from './segment-files.ts';

const WINDOW_BYTES = 1024 * 1024;

/** Where a chain of frames has come to. */
export interface ChainEnd {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly epoch: number;
}

export class SegmentCursor {
  readonly segment: SegmentFile;
  readonly file: DiskFile;
  /** Byte at which the next frame begins. */
  offset = 0;
  /** The frame that `next` moved to: valid until the next call. */
  header!: FrameHeader;
  bytes!: Uint8Array;
  /** After the last frame; undefined while nothing says where the chain begins. */
  chain: ChainEnd | undefined;
  /** Why there is no frame at `offset`; undefined while frames come and at the end of the file. */
  problem: FrameProblem | undefined;
  private readonly directory: string;
  private window = new Uint8Array(0);
  private windowAt = 0;
  private windowBytes = 0;

  private constructor(directory: string, segment: SegmentFile, file: DiskFile, chain: ChainEnd | undefined) {
    this.directory = directory;
    this.segment = segment;
    this.file = file;
    this.chain = chain;
  }

  /** Throws `missing-segment` when the file has another length than its name says. */
  static async open(
    disk: Disk,
    directory: string,
    segment: SegmentFile,
    chain: ChainEnd | undefined,
  ): Promise<SegmentCursor> {
    const file = await disk.open(`${journalFolder(directory)}/${segment.name}`);
    const size = await file.size();
    if (size !== segment.bytes || size % SECTOR_BYTES !== 0) {
      await file.close();
      throw damage('missing-segment', directory, {
        segment: segment.name,
        offset: Math.min(size, segment.bytes),
        field: 'segment length',
        expected: segment.bytes,
        got: size,
      });
    }
    return new SegmentCursor(directory, segment, file, chain);
  }

  /**
   * Moves to the next frame. False where no whole frame begins (`problem` says why: the unused rest, a torn
   * frame, damage); throws `broken-chain` for a whole frame that does not follow the one before.
   */
  async next(): Promise<boolean> {
    if (this.offset + SECTOR_BYTES > this.segment.bytes) return false;
    const header = readHeader(await this.read(this.offset, FRAME_HEADER_BYTES));
    if (isProblem(header)) {
      this.problem = header;
      return false;
    }
    const length = frameBytes(header.payloadBytes);
    if (this.offset + length > this.segment.bytes) {
      this.problem = {
        field: 'frame length',
        expected: `at most ${this.segment.bytes - this.offset}`,
        got: String(length),
      };
      return false;
    }
    const bytes = await this.read(this.offset, length);
    this.problem = checkFrame(bytes);
    if (this.problem !== undefined) return false;
    this.follow(header);
    this.header = header;
    this.bytes = bytes;
    this.chain = {
      seq: header.firstSeq + header.count - 1,
      hash: frameHash(bytes).slice(),
      epoch: header.epoch,
    };
    this.offset += length;
    return true;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private follow(header: FrameHeader): void {
    const chain = this.chain;
    if (chain === undefined) return;
    if (header.firstSeq !== chain.seq + 1) this.broken('frame seq', chain.seq + 1, header.firstSeq);
    if (!equalBytes(header.previousHash, chain.hash))
      this.broken('previous frame hash', toHex(chain.hash), toHex(header.previousHash));
    if (header.epoch < chain.epoch) this.broken('frame epoch', `at least ${chain.epoch}`, header.epoch);
  }

  private broken(field: string, expected: string | number, got: string | number): never {
    throw damage('broken-chain', this.directory, {
      segment: this.segment.name,
      offset: this.offset,
      field,
      expected,
      got,
    });
  }

  /** A view into the window, which is filled from `offset` on when it does not hold the range. */
  private async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < this.windowAt || offset + length > this.windowAt + this.windowBytes) {
      const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.segment.bytes - offset);
      if (this.window.length < wanted) this.window = new Uint8Array(wanted);
      this.windowAt = offset;
      this.windowBytes = await this.file.pread(this.window.subarray(0, wanted), offset);
      if (this.windowBytes < length)
        throw damage('missing-segment', this.directory, {
          segment: this.segment.name,
          offset: offset + this.windowBytes,
          field: 'bytes read',
          expected: length,
          got: this.windowBytes,
        });
    }
    const at = offset - this.windowAt;
    return this.window.subarray(at, at + length);
  }
}
