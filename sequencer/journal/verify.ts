/** Checks a whole journal without changing it: what `open` does first, and what a doctor can do alone. */

import type { Disk } from '#pipeline/ports.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Hash, Seq } from '#protocol/units.ts';
import { diskErrorCode } from './disk-error.ts';
import { type HeadMarker, readMarker } from './head-marker.ts';
import { damage, JournalError } from './journal-error.ts';
import { type ChainEnd, SegmentCursor } from './segment-cursor.ts';
import { HEAD_NAME, journalFolder, listSegments, type SegmentFile } from './segment-files.ts';
import { judgeTail } from './tail.ts';

export interface VerifyOptions {
  readonly disk: Disk;
  /** The data directory, as in messages. */
  readonly directory: string;
  /** 32 bytes that name the chain: what the first frame follows. */
  readonly genesis: Hash;
  /** Segments wholly below this are not read; default 1, everything. */
  readonly verifyFrom?: Seq;
  /** What is known to have been durable from elsewhere, e.g. `{ seq, what: 'last signed batch' }`. */
  readonly atLeast?: readonly { readonly seq: Seq; readonly what: string }[];
}

export interface VerifiedSegment extends SegmentFile {
  /** First command that a frame of it names; undefined while it has no frame. */
  readonly firstSeq: Seq | undefined;
}

export interface VerifiedJournal {
  readonly segments: readonly VerifiedSegment[];
  readonly end: ChainEnd;
  /** Byte of the last segment where the next frame goes. */
  readonly offset: number;
  readonly marker: HeadMarker;
  /** Incomplete last frame that must be zeroed before anything is appended. */
  readonly cut: { readonly segment: string; readonly offset: number; readonly bytes: number } | undefined;
  /** Found and harmless. */
  readonly warnings: readonly string[];
}

export async function verifyJournal(options: VerifyOptions): Promise<VerifiedJournal> {
  const { disk, directory, genesis } = options;
  const { marker, broken } = await loadMarker(disk, directory);
  if (!equalBytes(marker.genesis, genesis))
    throw new JournalError(
      'broken-chain',
      `journal of ${directory} belongs to another chain: genesis expected ${toHex(genesis)}, got ` +
        `${toHex(marker.genesis)}; give another --data DIR`,
      {
        segment: HEAD_NAME,
        offset: 80,
        field: 'genesis',
        expected: toHex(genesis),
        got: toHex(marker.genesis),
      },
    );
  const files = await listSegments(disk, directory);
  const last = files.at(-1);
  if (last === undefined || last.index < marker.segment)
    throw damage('missing-segment', directory, {
      segment: last?.name ?? 'journal',
      offset: 0,
      field: 'last segment',
      expected: `at least ${marker.segment}`,
      got: last?.index ?? 'none',
    });

  const segments: VerifiedSegment[] = [];
  for (const file of files) segments.push({ ...file, firstSeq: await firstSeqOf(disk, directory, file) });
  const from = startingSegment(segments, options.verifyFrom ?? 1);

  let end: ChainEnd | undefined =
    from === 0 && files[0]!.index === 1 ? { seq: 0, hash: genesis, epoch: 0 } : undefined;
  let offset = 0;
  let cut: VerifiedJournal['cut'];
  for (let i = from; i < files.length; i++) {
    const segment = files[i]!;
    const cursor = await SegmentCursor.open(disk, directory, segment, end);
    try {
      if (segment.index === marker.segment) checkMarker(cursor, marker, directory);
      while (await cursor.next()) {
        if (segment.index === marker.segment) checkMarker(cursor, marker, directory);
      }
      const tail = await judgeTail(cursor.file, segment.bytes, cursor.offset, cursor.problem);
      if (tail.kind === 'damaged' || (tail.kind === 'incomplete' && segment !== last))
        throw damage('corrupt', directory, {
          segment: segment.name,
          offset: cursor.offset,
          ...(tail.kind === 'damaged'
            ? { field: tail.field, expected: tail.expected, got: tail.got }
            : { field: 'frame', expected: 'a whole frame, for another segment follows', got: 'part of one' }),
        });
      end = cursor.chain;
      offset = cursor.offset;
      if (tail.kind === 'incomplete') cut = { segment: segment.name, offset, bytes: tail.bytes };
    } finally {
      await cursor.close();
    }
  }
  const lastSeq = end?.seq ?? 0;
  const lost = (what: string, expected: string, got: string | number): JournalError =>
    damage('lost-tail', directory, { segment: last.name, offset, field: what, expected, got });
  if (lastSeq < marker.seq) throw lost('last seq by the head marker', `at least ${marker.seq}`, lastSeq);
  if (end === undefined || (last.index === marker.segment && offset < marker.end))
    throw lost('end by the head marker', `at least byte ${marker.end}`, `byte ${offset}`);
  for (const known of options.atLeast ?? [])
    if (lastSeq < known.seq) throw lost(`last seq by the ${known.what}`, `at least ${known.seq}`, lastSeq);
  const warnings =
    broken === 0 ? [] : [`${journalFolder(directory)}/${HEAD_NAME}: one of two slots is unreadable`];
  return { segments, end, offset, marker, cut, warnings };
}

async function loadMarker(disk: Disk, directory: string): Promise<{ marker: HeadMarker; broken: number }> {
  const path = `${journalFolder(directory)}/${HEAD_NAME}`;
  const file = await disk.open(path).catch((error: unknown) => {
    if (diskErrorCode(error) !== 'not-found') throw error;
    return undefined;
  });
  if (file === undefined) {
    if ((await listSegments(disk, directory)).length > 0)
      throw damage('lost-tail', directory, {
        segment: HEAD_NAME,
        offset: 0,
        field: 'head marker',
        expected: 'a file',
        got: 'none',
      });
    throw new JournalError(
      'no-journal',
      `${directory} holds no journal: start with an initialized --data DIR, or create one with: sluice init`,
      { segment: HEAD_NAME },
    );
  }
  try {
    const found = await readMarker(file);
    if (found !== undefined) return found;
  } finally {
    await file.close();
  }
  throw damage('lost-tail', directory, {
    segment: HEAD_NAME,
    offset: 0,
    field: 'head marker',
    expected: 'one readable slot of two',
    got: 'none',
  });
}

/** At the end that the marker names stands the frame that it names. */
function checkMarker(cursor: SegmentCursor, marker: HeadMarker, directory: string): void {
  if (cursor.offset !== marker.end || cursor.chain === undefined) return;
  if (equalBytes(cursor.chain.hash, marker.hash)) return;
  throw damage('broken-chain', directory, {
    segment: cursor.segment.name,
    offset: cursor.offset,
    field: 'frame hash by the head marker',
    expected: toHex(marker.hash),
    got: toHex(cursor.chain.hash),
  });
}

/** Undefined when the segment does not begin with a whole frame. */
export async function firstSeqOf(
  disk: Disk,
  directory: string,
  segment: SegmentFile,
): Promise<Seq | undefined> {
  const cursor = await SegmentCursor.open(disk, directory, segment, undefined);
  try {
    return (await cursor.next()) ? cursor.header.firstSeq : undefined;
  } finally {
    await cursor.close();
  }
}

/** Place of the last segment that begins at or below `seq`; 0 when none does. */
export function startingSegment(segments: readonly VerifiedSegment[], seq: Seq): number {
  for (let i = segments.length - 1; i > 0; i--) {
    const first = segments[i]!.firstSeq;
    if (first !== undefined && first <= seq) return i;
  }
  return 0;
}
