/**
 * The journal on one machine: group commits as frames (frame.ts) in allocated segment files, one flush each.
 *
 *   DATA/lock                              held while the journal is open for writing
 *   DATA/journal/head                      head marker (head-marker.ts)
 *   DATA/journal/00000001-67108864.segment frames, then zeros
 *   DATA/journal/spare                     the next segment, allocated ahead
 */
import { setInterval } from 'node:timers';
import type {
  Disk,
  DiskFile,
  DiskLock,
  Journal,
  JournalAppend,
  JournalHead,
  JournalRecord,
} from '#pipeline/ports.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import { JOURNAL_PAYLOAD_BYTES_MAX } from '#protocol/limits.ts';
import type { Hash, Seq } from '#protocol/units.ts';
import { diskErrorCode } from './disk-error.ts';
import { FRAME_BYTES_MAX, frameBytes, MARK_BYTES, SECTOR_BYTES, writeFrame } from './frame.ts';
import { HEAD_BYTES, writeMarker } from './head-marker.ts';
import { damage, JournalError, refused } from './journal-error.ts';
import {
  HEAD_NAME,
  journalFolder,
  lockPath,
  SEGMENT_BYTES_DEFAULT,
  SPARE_NAME,
  segmentFile,
} from './segment-files.ts';
import { readRecords } from './segment-source.ts';
import { judgeTail } from './tail.ts';
import { type VerifiedJournal, type VerifiedSegment, verifyJournal } from './verify.ts';

/** The head marker is never older than this while commands come. */
const MARKER_MS = 1000;

export interface SegmentJournalOptions {
  readonly disk: Disk;
  /** The data directory. */
  readonly directory: string;
  /** 32 bytes that name the chain, so that two chains' directories are never mixed; default zero. */
  readonly genesis?: Hash;
  /** Length of new segments, whole sectors; default 64 MiB. */
  readonly segmentBytes?: number;
  /** Calls back every `ms` until the returned function is called; default a timer that holds nobody up. */
  readonly repeat?: (ms: number, callback: () => void) => () => void;
}

export interface OpenJournalOptions extends SegmentJournalOptions {
  readonly verifyFrom?: Seq;
  readonly atLeast?: readonly { readonly seq: Seq; readonly what: string }[];
}

const repeatByTimer = (ms: number, callback: () => void): (() => void) => {
  const timer = setInterval(callback, ms).unref();
  return () => clearInterval(timer);
};

/** Makes an empty journal, at genesis and never again: `exists` when there is one. */
export async function createJournal(options: SegmentJournalOptions): Promise<void> {
  const { disk, directory, genesis = ZERO_HASH } = options;
  const folder = journalFolder(directory);
  await disk.makeDirectory(folder);
  const lock = await lockDirectory(disk, directory);
  try {
    // The marker comes last and under its name at once: without it there is no journal yet.
    const names = await disk.list(folder);
    if (names.includes(HEAD_NAME))
      throw new JournalError(
        'exists',
        `${directory} already holds a journal: open it, or give another --data DIR`,
      );
    for (const name of names) await removeEmpty(disk, directory, name);
    const segment = segmentFile(1, segmentBytesOf(options));
    await (await disk.create(`${folder}/${segment.name}`, segment.bytes)).close();
    const head = await disk.create(`${folder}/${HEAD_NAME}.new`, HEAD_BYTES);
    for (const count of [0, 1])
      await writeMarker(head, { count, epoch: 0, seq: 0, hash: genesis, segment: 1, end: 0, genesis });
    await head.close();
    await disk.syncDirectory(folder);
    await disk.rename(`${folder}/${HEAD_NAME}.new`, `${folder}/${HEAD_NAME}`);
    await disk.syncDirectory(folder);
    await disk.syncDirectory(directory);
  } finally {
    await lock.release();
  }
}

/** True when `createJournal` has finished in this directory. */
export async function journalExists(disk: Disk, directory: string): Promise<boolean> {
  return (await disk.list(journalFolder(directory))).includes(HEAD_NAME);
}

export class SegmentJournal implements Journal {
  /** What `open` found and repaired, in sentences; empty after a clean stop. */
  readonly notes: readonly string[];
  /** Frames made durable by this process, and their bytes on disk. */
  readonly written = { flushes: 0, records: 0, bytes: 0 };

  private readonly disk: Disk;
  private readonly directory: string;
  private readonly folder: string;
  private readonly genesis: Hash;
  private readonly segmentBytes: number;
  private readonly lock: DiskLock;
  private readonly headFile: DiskFile;
  private readonly stopRepeat: () => void;

  private file: DiskFile;
  private segments: VerifiedSegment[];
  private offset: number;
  private end: JournalHead;
  private epoch: number;
  private buffer: Uint8Array = new Uint8Array(256 * 1024);

  private inFlight: Promise<void> | undefined;
  private death: JournalError | undefined;
  private closed = false;
  private spare: Promise<void> | undefined;
  private spareReady = false;
  private spareFailure: unknown;
  private markerCount: number;
  private markedHash: Hash;
  private markerWrite: Promise<void> | undefined;

  private constructor(
    options: OpenJournalOptions,
    opened: {
      verified: VerifiedJournal;
      lock: DiskLock;
      headFile: DiskFile;
      file: DiskFile;
    },
  ) {
    const { verified } = opened;
    this.disk = options.disk;
    this.directory = options.directory;
    this.folder = journalFolder(options.directory);
    this.genesis = options.genesis ?? ZERO_HASH;
    this.segmentBytes = segmentBytesOf(options);
    this.lock = opened.lock;
    this.headFile = opened.headFile;
    this.file = opened.file;
    this.segments = [...verified.segments];
    this.offset = verified.offset;
    this.end = { seq: verified.end.seq, hash: verified.end.hash };
    this.epoch = verified.end.epoch;
    this.markerCount = verified.marker.count;
    this.markedHash = verified.marker.hash;
    const { cut } = verified;
    this.notes = [
      ...verified.warnings,
      ...(cut === undefined
        ? []
        : [
            `${cut.segment}: an incomplete last frame at byte ${cut.offset} was cut, it was never replied to`,
          ]),
    ];
    this.stopRepeat = (options.repeat ?? repeatByTimer)(MARKER_MS, () => this.markHead());
    this.prepareSpare();
  }

  /** Takes the directory, checks everything (verify.ts), zeroes an incomplete last frame. */
  static async open(options: OpenJournalOptions): Promise<SegmentJournal> {
    const { disk, directory, genesis = ZERO_HASH } = options;
    if ((await disk.list(directory)).length === 0)
      throw new JournalError(
        'no-journal',
        `${directory} holds no journal: start with an initialized --data DIR, or create one with: sluice init`,
      );
    const lock = await lockDirectory(disk, directory);
    const opened: DiskFile[] = [];
    try {
      const verified = await verifyJournal({ ...options, genesis });
      const folder = journalFolder(directory);
      const headFile = await disk.open(`${folder}/${HEAD_NAME}`);
      opened.push(headFile);
      const file = await disk.open(`${folder}/${verified.segments.at(-1)!.name}`);
      opened.push(file);
      if (verified.cut !== undefined)
        await file.pwriteDurable(new Uint8Array(verified.cut.bytes), verified.cut.offset);
      if ((await disk.list(folder)).includes(SPARE_NAME)) await disk.unlink(`${folder}/${SPARE_NAME}`);
      return new SegmentJournal(options, { verified, lock, headFile, file });
    } catch (error) {
      for (const file of opened) await file.close();
      await lock.release();
      throw error;
    }
  }

  get head(): JournalHead {
    return this.end;
  }

  get lastSeq(): Seq {
    return this.end.seq;
  }

  get firstSeq(): Seq {
    return this.segments[0]!.firstSeq ?? this.end.seq + 1;
  }

  get headroomBytes(): number {
    const free = this.segments.at(-1)!.bytes - this.offset + (this.spareReady ? this.segmentBytes : 0);
    return Math.max(0, free - 2 * SECTOR_BYTES);
  }

  /** Last epoch written. */
  get lastEpoch(): number {
    return this.epoch;
  }

  async append(frame: JournalAppend): Promise<JournalHead> {
    this.mustLive();
    if (this.inFlight !== undefined)
      throw new JournalError(
        'busy',
        'journal append: expected the one before to have settled, it is in flight',
      );
    this.check(frame);
    const length = frameBytes(frame.payload.length + (frame.mark === undefined ? 0 : MARK_BYTES));
    if (this.buffer.length < length) this.buffer = new Uint8Array(Math.min(2 * length, FRAME_BYTES_MAX));
    if (length > this.segmentBytes)
      throw refused('bad-append', 'frame', `at most a segment of ${this.segmentBytes} bytes`, length);
    const bytes = this.buffer.subarray(0, length);
    const header = {
      epoch: frame.epoch,
      firstSeq: frame.firstSeq,
      count: frame.count,
      previousHash: this.end.hash,
    };
    const hash = writeFrame(bytes, header, frame.payload, frame.mark);
    const work = this.write(bytes, frame.firstSeq);
    this.inFlight = work;
    try {
      await work;
    } finally {
      this.inFlight = undefined;
    }
    this.offset += length;
    this.epoch = frame.epoch;
    this.end = { seq: frame.firstSeq + frame.count - 1, hash };
    this.written.flushes++;
    this.written.records += frame.count;
    this.written.bytes += length;
    return this.end;
  }

  readFrom(seq: Seq, through?: Seq): AsyncIterable<JournalRecord> {
    const range = { disk: this.disk, directory: this.directory, seq };
    if (through !== undefined && through <= this.end.seq) return readRecords({ ...range, through });
    const durable = { segment: this.segments.at(-1)!.index, end: this.offset };
    return readRecords({ ...range, through: this.end.seq, durable });
  }

  async pruneBelow(seq: Seq): Promise<void> {
    this.mustLive();
    let dropped = 0;
    while (dropped + 1 < this.segments.length) {
      const next = this.segments[dropped + 1]!.firstSeq;
      if (next === undefined || next > seq) break;
      dropped++;
    }
    const gone = this.segments.slice(0, dropped);
    this.segments = this.segments.slice(dropped);
    // Oldest first, so that a power cut leaves no gap between those that remain.
    for (const segment of gone) {
      await this.disk.unlink(`${this.folder}/${segment.name}`);
      await this.disk.syncDirectory(this.folder);
    }
    this.prepareSpare();
  }

  /** Writes the head marker now if it is behind; the journal does so by itself every second. */
  markHead(): void {
    if (this.markerWrite !== undefined || this.death !== undefined) return;
    if (this.segments.length === 0 || equalBytes(this.markedHash, this.end.hash)) return;
    if (!this.spareReady) this.prepareSpare();
    const { hash, seq } = this.end;
    const marker = {
      count: this.markerCount + 1,
      epoch: this.epoch,
      seq,
      hash,
      segment: this.segments.at(-1)!.index,
      end: this.offset,
      genesis: this.genesis,
    };
    this.markerWrite = writeMarker(this.headFile, marker)
      .then(
        () => {
          this.markerCount = marker.count;
          this.markedHash = hash;
        },
        (error: unknown) => {
          this.die('head marker', error);
        },
      )
      .finally(() => {
        this.markerWrite = undefined;
      });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.stopRepeat();
    await this.inFlight?.catch(() => {});
    await this.markerWrite;
    this.markHead();
    await this.markerWrite;
    await this.spare;
    await this.file.close();
    await this.headFile.close();
    await this.lock.release();
  }

  private check(frame: JournalAppend): void {
    const { mark } = frame;
    if (frame.epoch < this.epoch || !Number.isSafeInteger(frame.epoch))
      throw refused('stale-epoch', 'epoch', `at least ${this.epoch}`, frame.epoch);
    if (frame.firstSeq !== this.end.seq + 1)
      throw refused('wrong-seq', 'first seq', this.end.seq + 1, frame.firstSeq);
    if (!equalBytes(frame.after, this.end.hash))
      throw refused('wrong-predecessor', 'predecessor', toHex(this.end.hash), toHex(frame.after));
    if (!Number.isSafeInteger(frame.count) || frame.count < (mark === undefined ? 1 : 0))
      throw refused('bad-append', 'count', 'at least 1, or a mark', frame.count);
    if (frame.payload.length > JOURNAL_PAYLOAD_BYTES_MAX)
      throw refused(
        'bad-append',
        'payload',
        `at most ${JOURNAL_PAYLOAD_BYTES_MAX} bytes`,
        frame.payload.length,
      );
    const last = frame.firstSeq + frame.count - 1;
    if (mark !== undefined && (mark.seq > last || mark.stateHash.length !== 32))
      throw refused(
        'bad-append',
        'mark',
        `seq at most ${last}, 32 bytes`,
        `${mark.seq}, ${mark.stateHash.length}`,
      );
  }

  private async write(bytes: Uint8Array, firstSeq: Seq): Promise<void> {
    if (this.offset + bytes.length > this.segments.at(-1)!.bytes) await this.rotate(bytes.length);
    try {
      await this.file.pwriteDurable(bytes, this.offset);
    } catch (error) {
      throw this.die(this.segments.at(-1)!.name, error);
    }
    const segment = this.segments.at(-1)!;
    if (segment.firstSeq === undefined) this.segments[this.segments.length - 1] = { ...segment, firstSeq };
  }

  /** Goes on in the spare. `disk-full` when there is none: nothing was written, the tail is whole. */
  private async rotate(needed: number): Promise<void> {
    this.prepareSpare();
    await this.spare;
    if (!this.spareReady) {
      if (diskErrorCode(this.spareFailure) !== 'disk-full') throw this.die(SPARE_NAME, this.spareFailure);
      throw new JournalError(
        'disk-full',
        `journal of ${this.directory}: no space for another segment of ${this.segmentBytes} bytes, nothing was ` +
          `written; free space on that disk and start again`,
        { field: 'free bytes', expected: Math.max(needed, this.segmentBytes), got: 'fewer' },
        this.spareFailure,
      );
    }
    const segment = segmentFile(this.segments.at(-1)!.index + 1, this.segmentBytes);
    try {
      const path = `${this.folder}/${segment.name}`;
      await this.disk.rename(`${this.folder}/${SPARE_NAME}`, path);
      await this.disk.syncDirectory(this.folder);
      const file = await this.disk.open(path);
      await this.file.close();
      this.file = file;
    } catch (error) {
      throw this.die(segment.name, error);
    }
    this.segments.push({ ...segment, firstSeq: undefined });
    this.offset = 0;
    this.spareReady = false;
    this.spare = undefined;
    this.prepareSpare();
  }

  /** Allocates the next segment ahead; a failure is kept and met again only when the space is needed. */
  private prepareSpare(): void {
    if (this.spareReady || this.spare !== undefined || this.closed || this.death !== undefined) return;
    this.spareFailure = undefined;
    this.spare = this.disk
      .create(`${this.folder}/${SPARE_NAME}`, this.segmentBytes)
      .then((file) => file.close())
      .then(
        () => {
          this.spareReady = true;
        },
        (error: unknown) => {
          this.spareFailure = error;
          this.spare = undefined;
        },
      );
  }

  private mustLive(): void {
    if (this.death !== undefined) throw this.death;
    if (this.closed) throw new JournalError('closed', `journal of ${this.directory} is closed`);
  }

  /** What was written last is unknown from here on: no retry, the process ends and recovery reads the disk. */
  private die(segment: string, cause: unknown): JournalError {
    this.death ??= new JournalError(
      'flush-failed',
      `journal of ${this.directory}, ${segment} at byte ${this.offset}: writing failed ` +
        `(${cause instanceof Error ? cause.message : String(cause)}); the process must end, a restart recovers`,
      { segment, offset: this.offset },
      cause,
    );
    this.stopRepeat();
    return this.death;
  }
}

function segmentBytesOf(options: SegmentJournalOptions): number {
  const bytes = options.segmentBytes ?? SEGMENT_BYTES_DEFAULT;
  if (!Number.isSafeInteger(bytes) || bytes % SECTOR_BYTES !== 0 || bytes < SECTOR_BYTES)
    throw refused('bad-append', 'segment bytes', `whole sectors of ${SECTOR_BYTES}`, bytes);
  return bytes;
}

/** Removes what a creation that was cut short has left; throws for a file that holds anything. */
async function removeEmpty(disk: Disk, directory: string, name: string): Promise<void> {
  const path = `${journalFolder(directory)}/${name}`;
  if (name.endsWith('.segment')) {
    const file = await disk.open(path);
    try {
      const tail = await judgeTail(file, await file.size(), 0, undefined);
      if (tail.kind !== 'clean')
        throw damage('lost-tail', directory, {
          segment: HEAD_NAME,
          offset: 0,
          field: 'head marker',
          expected: `a file, for ${name} holds frames`,
          got: 'none',
        });
    } finally {
      await file.close();
    }
  }
  await disk.unlink(path);
}

async function lockDirectory(disk: Disk, directory: string): Promise<DiskLock> {
  try {
    return await disk.lock(lockPath(directory));
  } catch (error) {
    if (diskErrorCode(error) !== 'locked') throw error;
    throw new JournalError(
      'locked',
      `${directory} is in use by another sequencer: stop that one, or give this one another --data DIR`,
      {},
      error,
    );
  }
}
