/** Silent corruption: flipped bits, cut files, lost files. Each is named, and none changes what is read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JournalError } from '#journal/journal-error.ts';
import { createJournal, SegmentJournal } from '#journal/segment-journal.ts';
import { appendRandom, type Kept, randomFrom, readAll } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

const HEAD = '/data/journal/head';
const optionsOf = (disk: MemoryDisk) => ({
  disk,
  directory: '/data',
  segmentBytes: 8192,
  repeat: () => () => {},
});

interface Sound {
  readonly disk: MemoryDisk;
  readonly kept: Kept;
  /** Bytes in use per segment. */
  readonly used: Map<string, number>;
  readonly segments: string[];
}

/** A journal of several segments after an orderly stop. */
async function sound(seed: number): Promise<Sound> {
  const random = randomFrom(seed);
  const disk = new MemoryDisk({ random });
  await createJournal(optionsOf(disk));
  const journal = await SegmentJournal.open(optionsOf(disk));
  for (let i = 0; i < 25; i++) await appendRandom(journal, random);
  const kept = await readAll(journal);
  await journal.close();
  const segments = disk.paths().filter((path) => path.endsWith('.segment'));
  const used = new Map(
    segments.map((path) => [path, disk.contents(path).findLastIndex((byte) => byte !== 0) + 1]),
  );
  return { disk: disk.copy(), kept, used, segments };
}

/** What opening and reading ends in: everything as it was, or a typed error. */
async function outcome(disk: MemoryDisk): Promise<Kept | JournalError> {
  try {
    const journal = await SegmentJournal.open(optionsOf(disk));
    const kept = await readAll(journal);
    await journal.close();
    return kept;
  } catch (error) {
    if (error instanceof JournalError) return error;
    throw error;
  }
}

describe('after an orderly stop', () => {
  test('every flipped bit of a frame is found and named by segment, offset, expected, got, remedy', async () => {
    const { disk, used, segments } = await sound(21);
    const random = randomFrom(22);
    for (let i = 0; i < 600; i++) {
      const path = segments[Math.floor(random() * segments.length)]!;
      const bit = Math.floor(random() * 8 * used.get(path)!);
      const copy = disk.copy();
      copy.flip(path, bit);
      const found = await outcome(copy);
      if (!(found instanceof JournalError)) throw new Error(`bit ${bit} of ${path} went unnoticed`);
      expect(found.code).toBe('corrupt');
      expect(found.facts.segment).toBe(path.split('/').at(-1));
      expect(found.facts.offset).toBeLessThanOrEqual(bit >> 3);
      expect(found.message).toMatch(
        /\.segment at byte \d+: .*: expected .+, got .+ sluice doctor --data \/data$/,
      );
      expect(copy.contents(path)).toEqual(
        (() => {
          const bytes = disk.contents(path).slice();
          bytes[bit >> 3]! ^= 1 << (bit & 7);
          return bytes;
        })(),
      );
    }
  });

  test('a flipped bit anywhere else is found or harmless', async () => {
    const { disk, kept } = await sound(23);
    const random = randomFrom(24);
    const paths = disk.paths().filter((path) => path.startsWith('/data/journal/'));
    for (let i = 0; i < 400; i++) {
      const path = paths[Math.floor(random() * paths.length)]!;
      const copy = disk.copy();
      copy.flip(path, Math.floor(random() * 8 * copy.contents(path).length));
      const found = await outcome(copy);
      if (!(found instanceof JournalError)) expect(found).toEqual(kept);
    }
  });

  test('every cut is found, wherever it is', async () => {
    const { disk, segments } = await sound(25);
    const random = randomFrom(26);
    for (let i = 0; i < 1000; i++) {
      const path = segments[Math.floor(random() * segments.length)]!;
      const copy = disk.copy();
      copy.cutFile(path, Math.floor(random() * copy.contents(path).length));
      const found = await outcome(copy);
      expect(found).toMatchObject({ code: 'missing-segment', facts: { segment: path.split('/').at(-1) } });
    }
  });

  test('frames zeroed at the end are missed by the head marker', async () => {
    const { disk, segments, used } = await sound(27);
    const path = segments.at(-1)!;
    for (let from = 0; from < used.get(path)!; from += 512) {
      const copy = disk.copy();
      copy.contents(path).fill(0, from);
      const found = await outcome(copy);
      if (!(found instanceof JournalError)) throw new Error(`the end from byte ${from} went unmissed`);
      expect(found.code).toBe('lost-tail');
      expect(found.message).toMatch(/head marker: expected at least/);
    }
  });

  test('any zeroed, repeated or exchanged sector of a frame is found', async () => {
    const { disk, segments, used } = await sound(28);
    const random = randomFrom(29);
    const sectorOf = (path: string): number => 512 * Math.floor((random() * used.get(path)!) / 512);
    for (let i = 0; i < 300; i++) {
      const copy = disk.copy();
      const [path, other] = [0, 0].map(() => segments[Math.floor(random() * segments.length)]!) as [
        string,
        string,
      ];
      const [at, from] = [sectorOf(path), sectorOf(other)];
      const before = copy.contents(path).slice();
      const sector = random() < 0.3 ? new Uint8Array(512) : copy.contents(other).slice(from, from + 512);
      copy.contents(path).set(sector, at);
      if (Buffer.compare(before, copy.contents(path)) === 0) continue;
      expect(await outcome(copy)).toBeInstanceOf(JournalError);
    }
  });

  test('a missing segment is found: first by reading, others by opening', async () => {
    const { disk, segments } = await sound(30);
    expect(segments.length).toBeGreaterThan(2);
    for (const path of segments) {
      const copy = disk.copy();
      copy.remove(path);
      expect(await outcome(copy)).toMatchObject({
        code: path === segments[0] ? 'pruned' : 'missing-segment',
      });
    }
  });

  test('the head marker: one slot lost is noted, both lost or the file gone stops', async () => {
    const { disk, kept } = await sound(31);
    for (const slot of [0, 4096]) {
      const copy = disk.copy();
      copy.flip(HEAD, 8 * (slot + 30));
      const journal = await SegmentJournal.open(optionsOf(copy));
      expect(journal.notes.join()).toMatch(/one of two slots is unreadable/);
      expect(await readAll(journal)).toEqual(kept);
    }
    const both = disk.copy();
    both.flip(HEAD, 800);
    both.flip(HEAD, 8 * 4096 + 800);
    expect(await outcome(both)).toMatchObject({ code: 'lost-tail', facts: { segment: 'head' } });
    const gone = disk.copy();
    gone.remove(HEAD);
    expect(await outcome(gone)).toMatchObject({ code: 'lost-tail', facts: { field: 'head marker' } });
    await expect(createJournal(optionsOf(gone.copy()))).rejects.toMatchObject({ code: 'lost-tail' });
  });

  test('what is known from elsewhere is asked for', async () => {
    const { disk, kept } = await sound(32);
    const last = kept.commands.length;
    const known = (seq: number) => [{ seq, what: 'last signed batch' }];
    await (await SegmentJournal.open({ ...optionsOf(disk.copy()), atLeast: known(last) })).close();
    await expect(
      SegmentJournal.open({ ...optionsOf(disk.copy()), atLeast: known(last + 1) }),
    ).rejects.toThrow(`last seq by the last signed batch: expected at least ${last + 1}, got ${last}`);
  });

  test('another chain than expected is refused', async () => {
    const { disk } = await sound(33);
    await expect(
      SegmentJournal.open({ ...optionsOf(disk), genesis: new Uint8Array(32).fill(1) }),
    ).rejects.toThrow(/belongs to another chain: genesis expected 0x0101.*got 0x0000/);
  });
});

test('a segment that is replaced by an older copy of itself is found', async () => {
  const random = randomFrom(34);
  const disk = new MemoryDisk({ random });
  await createJournal(optionsOf(disk));
  const journal = await SegmentJournal.open(optionsOf(disk));
  await appendRandom(journal, random);
  const older = disk.copy();
  for (let i = 0; i < 3; i++) await appendRandom(journal, random);
  journal.markHead();
  await journal.close();
  const path = '/data/journal/00000001-8192.segment';
  const swapped = disk.copy();
  swapped.contents(path).set(older.contents(path));
  expect(await outcome(swapped)).toMatchObject({ code: 'lost-tail' });
});

test('any bytes for any file end in a typed error or in commands', async () => {
  const { disk } = await sound(35);
  const paths = disk.paths().filter((path) => path.startsWith('/data/journal/'));
  await fc.assert(
    fc.asyncProperty(
      fc.nat(paths.length - 1),
      fc.nat(8191),
      fc.uint8Array({ minLength: 1, maxLength: 600 }),
      async (which, at, bytes) => {
        const copy = disk.copy();
        const contents = copy.contents(paths[which]!);
        contents.set(bytes.subarray(0, contents.length - at), at);
        const found = await outcome(copy);
        if (found instanceof JournalError) expect(found.message.length).toBeGreaterThan(20);
      },
    ),
    { numRuns: 400 },
  );
});
