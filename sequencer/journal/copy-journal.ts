/**
 * Copies the beginning of a journal into a new directory: whole frames through a command, byte for byte, so that
 * their chain goes on from the same hashes. What comes after is appended by whoever opens the copy.
 */
import type { Disk, DiskFile } from '#pipeline/ports.ts';
import type { Hash, Seq } from '#protocol/units.ts';
import { SECTOR_BYTES } from './frame.ts';
import { HEAD_BYTES, writeMarker } from './head-marker.ts';
import { JournalError } from './journal-error.ts';
import { type ChainEnd, SegmentCursor } from './segment-cursor.ts';
import { HEAD_NAME, journalFolder, listSegments, type SegmentFile } from './segment-files.ts';
import { createJournal } from './segment-journal.ts';

export interface CopyJournalOptions {
  readonly disk: Disk;
  /** Data directories: one with a journal that nobody writes to meanwhile, and one without. */
  readonly from: string;
  readonly into: string;
  readonly genesis: Hash;
  readonly segmentBytes: number;
  /** The last command that may be copied; the copy ends with the last frame that holds none above it. */
  readonly through: Seq;
}

interface Cut {
  readonly segment: SegmentFile;
  /** Byte at which the last copied frame ends. */
  readonly end: number;
  readonly chain: ChainEnd;
}

const CHUNK_BYTES = 1024 * 1024;

/** Resolves with the last command copied, 0 for none. */
export async function copyJournal(options: CopyJournalOptions): Promise<Seq> {
  const { disk, from, into, genesis } = options;
  const segments = await listSegments(disk, from);
  const cut = await findCut(options, segments);
  if (cut === undefined) {
    if (segments[0]?.index !== 1)
      throw new JournalError(
        'pruned',
        `journal of ${from}: expected a frame that ends at command ${options.through} or before, its oldest are younger`,
      );
    await createJournal({ disk, directory: into, genesis, segmentBytes: options.segmentBytes });
    return 0;
  }
  const folder = journalFolder(into);
  await disk.makeDirectory(folder);
  for (const segment of segments) {
    if (segment.index > cut.segment.index) break;
    const end = segment.index === cut.segment.index ? cut.end : segment.bytes;
    await copyFile(disk, `${journalFolder(from)}/${segment.name}`, `${folder}/${segment.name}`, {
      bytes: segment.bytes,
      end,
    });
  }
  const { seq, hash, epoch } = cut.chain;
  const head = await disk.create(`${folder}/${HEAD_NAME}.new`, HEAD_BYTES);
  for (const count of [0, 1])
    await writeMarker(head, {
      ...{ count, epoch, seq, hash, genesis },
      segment: cut.segment.index,
      end: cut.end,
    });
  await head.close();
  await disk.syncDirectory(folder);
  await disk.rename(`${folder}/${HEAD_NAME}.new`, `${folder}/${HEAD_NAME}`);
  await disk.syncDirectory(folder);
  await disk.syncDirectory(into);
  return seq;
}

/** Where the last frame that holds no command above `through` ends. */
async function findCut(
  { disk, from, genesis, through }: CopyJournalOptions,
  segments: readonly SegmentFile[],
): Promise<Cut | undefined> {
  let cut: Cut | undefined;
  let chain: ChainEnd | undefined =
    segments[0]?.index === 1 ? { seq: 0, hash: genesis, epoch: 0 } : undefined;
  for (const segment of segments) {
    const cursor = await SegmentCursor.open(disk, from, segment, chain);
    try {
      while (await cursor.next()) {
        if (cursor.chain!.seq > through) return cut;
        chain = cursor.chain!;
        cut = { segment, end: cursor.offset, chain };
      }
    } finally {
      await cursor.close();
    }
  }
  return cut;
}

/** The first `end` bytes, then zeros up to `bytes`. */
async function copyFile(
  disk: Disk,
  from: string,
  into: string,
  { bytes, end }: { readonly bytes: number; readonly end: number },
): Promise<void> {
  const source: DiskFile = await disk.open(from);
  const target = await disk.create(into, bytes);
  try {
    // Whole sectors: frames begin and end on them.
    const through = Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES;
    for (let at = 0; at < through; at += CHUNK_BYTES) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, through - at));
      await source.pread(chunk, at);
      await target.pwriteDurable(chunk, at);
    }
  } finally {
    await source.close();
    await target.close();
  }
}
