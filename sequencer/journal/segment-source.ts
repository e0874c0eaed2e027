/** Reads journal records out of segment files, also while another thread or process appends to them. */
import type { Disk, JournalRecord, JournalSource } from '#pipeline/ports.ts';
import type { Seq } from '#protocol/units.ts';
import { diskErrorCode } from './disk-error.ts';
import { FRAME_MARK, type FrameProblem, frameEntries, frameMark } from './frame.ts';
import { damage, JournalError } from './journal-error.ts';
import { type ChainEnd, SegmentCursor } from './segment-cursor.ts';
import { listSegments, type SegmentFile } from './segment-files.ts';
import { judgeTail } from './tail.ts';
import { firstSeqOf, startingSegment, type VerifiedSegment } from './verify.ts';

/**
 * A reader of the journal in `directory` that takes no lock. `through` must be given to `readFrom`: only the
 * writer knows what is durable. Nothing behind the frame of `through` is looked at.
 */
export function openJournalSource(disk: Disk, directory: string): JournalSource {
  return {
    readFrom(seq, through) {
      if (through === undefined)
        throw new JournalError('bad-append', 'journal read: through: expected a durable seq, got none');
      return readRecords({ disk, directory, seq, through });
    },
  };
}

export interface ReadRange {
  readonly disk: Disk;
  readonly directory: string;
  readonly seq: Seq;
  /** Stops after the frame that reaches this command. */
  readonly through: Seq;
  /** Stops at this place too, wherever `through` is: nothing behind it is durable. */
  readonly durable?: { readonly segment: number; readonly end: number };
}

/** Throws `pruned` when `seq` is no longer there, and as `verifyJournal` does where the chain breaks. */
export async function* readRecords(range: ReadRange): AsyncGenerator<JournalRecord> {
  const { disk, directory, seq, through, durable } = range;
  if (seq > through) return;
  let files = await listSegments(disk, directory);
  let at = startingSegment(await withFirstSeqs(disk, directory, files, seq), seq);
  let chain: ChainEnd | undefined;
  while (at < files.length) {
    const segment = files[at]!;
    if (durable !== undefined && segment.index > durable.segment) return;
    const end = durable !== undefined && segment.index === durable.segment ? durable.end : segment.bytes;
    const cursor = await SegmentCursor.open(disk, directory, segment, chain);
    try {
      while (cursor.offset < end && (await cursor.next())) {
        const header = cursor.header;
        const last = header.firstSeq + header.count - 1;
        if (chain === undefined && header.firstSeq > seq) throw pruned(directory, seq, header.firstSeq);
        chain = cursor.chain;
        if (last >= seq && header.count > 0)
          yield {
            kind: 'commands',
            epoch: header.epoch,
            firstSeq: header.firstSeq,
            count: header.count,
            payload: frameEntries(cursor.bytes, header),
          };
        if (last >= seq && (header.kind & FRAME_MARK) !== 0)
          yield { kind: 'mark', epoch: header.epoch, ...frameMark(cursor.bytes, header)! };
        if (durable === undefined && last >= through) return;
      }
      if (cursor.offset < end) {
        const tail = await judgeTail(cursor.file, segment.bytes, cursor.offset, cursor.problem);
        if (tail.kind !== 'clean') throw damaged(directory, segment, cursor.offset, cursor.problem);
      }
      if (durable !== undefined && segment.index === durable.segment) {
        if (cursor.offset === end) return;
        throw notThere(directory, segment, cursor.offset, `a whole frame before byte ${end}`);
      }
    } finally {
      await cursor.close();
    }
    at++;
    if (at === files.length) {
      // The writer may have begun another segment since the list was made.
      const index = segment.index;
      files = await listSegments(disk, directory);
      at = files.findIndex((file) => file.index === index + 1);
      if (at === -1) throw notThere(directory, segment, cursor.offset, `commands up to ${through}`);
    }
  }
}

/** First seqs from the last segment backwards, only as far as needed to find `seq`. */
async function withFirstSeqs(
  disk: Disk,
  directory: string,
  files: readonly SegmentFile[],
  seq: Seq,
): Promise<VerifiedSegment[]> {
  const found: VerifiedSegment[] = files.map((file) => ({ ...file, firstSeq: undefined }));
  for (let i = files.length - 1; i > 0; i--) {
    const firstSeq = await firstSeqOf(disk, directory, files[i]!).catch((error: unknown) => {
      if (diskErrorCode(error) === 'not-found') throw pruned(directory, seq, undefined);
      throw error;
    });
    found[i] = { ...files[i]!, firstSeq };
    if (firstSeq !== undefined && firstSeq <= seq) break;
  }
  return found;
}

function pruned(directory: string, seq: Seq, first: Seq | undefined): JournalError {
  return new JournalError(
    'pruned',
    `journal of ${directory} no longer holds command ${seq}: its first is ${first ?? 'a later one'}`,
    { field: 'seq', expected: first === undefined ? 'a later one' : `at least ${first}`, got: seq },
  );
}

function damaged(
  directory: string,
  segment: SegmentFile,
  offset: number,
  problem: FrameProblem | undefined,
): JournalError {
  const { field, expected, got } = problem ?? {
    field: 'end of segment',
    expected: 'zeros',
    got: 'other bytes',
  };
  return damage('corrupt', directory, { segment: segment.name, offset, field, expected, got });
}

function notThere(directory: string, segment: SegmentFile, offset: number, expected: string): JournalError {
  return damage('lost-tail', directory, {
    segment: segment.name,
    offset,
    field: 'end of the journal',
    expected,
    got: 'no more frames',
  });
}
