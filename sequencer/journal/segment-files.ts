/**
 * Segment files of a journal: DATA/journal/00000001-67108864.segment, by index and length in bytes.
 * The length is in the name because a file that was cut short must be noticed whatever it still holds.
 */
import type { Disk } from '#pipeline/ports.ts';
import { damage } from './journal-error.ts';

export const SEGMENT_BYTES_DEFAULT = 64 * 1024 * 1024;
/** The next segment, allocated ahead of need. */
export const SPARE_NAME = 'spare';
export const HEAD_NAME = 'head';

export interface SegmentFile {
  /** From 1, without gaps. */
  readonly index: number;
  readonly bytes: number;
  readonly name: string;
}

export const journalFolder = (directory: string): string => `${directory}/journal`;
export const lockPath = (directory: string): string => `${directory}/lock`;

export function segmentFile(index: number, bytes: number): SegmentFile {
  return { index, bytes, name: `${String(index).padStart(8, '0')}-${bytes}.segment` };
}

/** Segments by index; throws `missing-segment` where one is not there. Other files are not looked at. */
export async function listSegments(disk: Disk, directory: string): Promise<SegmentFile[]> {
  const segments: SegmentFile[] = [];
  for (const name of await disk.list(journalFolder(directory))) {
    const match = /^(\d{8,})-(\d+)\.segment$/.exec(name);
    if (match !== null) segments.push({ index: Number(match[1]), bytes: Number(match[2]), name });
  }
  segments.sort((a, b) => a.index - b.index);
  for (let i = 1; i < segments.length; i++) {
    const expected = segments[i - 1]!.index + 1;
    const got = segments[i]!;
    if (got.index !== expected)
      throw damage('missing-segment', directory, {
        segment: got.name,
        offset: 0,
        field: 'segment index',
        expected,
        got: got.index,
      });
  }
  return segments;
}
