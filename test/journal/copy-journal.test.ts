/** The beginning of a journal, copied: every frame layout, every place to end, also of a journal that was pruned. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyJournal } from '#journal/copy-journal.ts';
import { createJournal, SegmentJournal } from '#journal/segment-journal.ts';
import { appendRandom, type Kept, randomBytes, randomFrom, readAll } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

const SEED = Number(process.env.SEED ?? 20_261_123);
console.log(`copied journals: SEED=${SEED}`);
const SEGMENT_BYTES = 8192;

/** Commands and marks of a journal of `groups` random groups, and where its frames end. */
async function journalOf(seed: number, groups: number, pruneBelow: number) {
  const random = randomFrom(seed);
  const disk = new MemoryDisk({ random });
  const genesis = randomBytes(random, 32);
  const options = { disk, directory: '/old', genesis, segmentBytes: SEGMENT_BYTES, repeat: () => () => {} };
  await createJournal(options);
  const journal = await SegmentJournal.open(options);
  const ends: number[] = [];
  for (let i = 0; i < groups; i++) {
    await appendRandom(journal, random);
    ends.push(journal.lastSeq);
  }
  if (pruneBelow > 0) await journal.pruneBelow(pruneBelow);
  return { disk, genesis, journal, random, ends };
}

const upTo = ({ commands, marks }: Kept, seq: number): Kept => ({
  commands: commands.filter((command) => command.seq <= seq),
  marks: marks.filter((mark) => mark.seq <= seq),
});

test('a copy holds every whole frame up to the asked command, opens, and goes on', async () => {
  let [cuts, pruned] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.nat(),
        groups: fc.integer({ min: 0, max: 60 }),
        through: fc.double({ min: 0, max: 1.2, noNaN: true }),
        pruneAt: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
      }),
      async ({ seed, groups, through: share, pruneAt }) => {
        const made = await journalOf(seed, groups, 0);
        const { disk, genesis, journal, random, ends } = made;
        const { lastSeq } = journal;
        const through = Math.floor(share * lastSeq);
        await journal.pruneBelow(Math.floor(pruneAt * lastSeq));
        const { firstSeq } = journal;
        const whole = await readAll(journal, firstSeq);
        await journal.close();
        const options = { disk, from: '/old', into: '/new', genesis, segmentBytes: SEGMENT_BYTES, through };
        const end = Math.max(0, ...ends.filter((seq) => seq <= through));
        if (firstSeq > 1 && end < firstSeq) {
          pruned++;
          await expect(copyJournal(options)).rejects.toMatchObject({ code: 'pruned' });
          return;
        }
        if (end < lastSeq) cuts++;
        expect(await copyJournal(options)).toBe(end);

        const copy = await SegmentJournal.open({ ...options, directory: '/new', repeat: () => () => {} });
        expect(copy.notes).toEqual([]);
        expect(copy.lastSeq).toBe(end);
        const expected = upTo(whole, end);
        expect(await readAll(copy, Math.min(firstSeq, end + 1))).toEqual(expected);
        for (let i = 0; i < 8; i++) {
          const { commands, mark, firstSeq: first } = await appendRandom(copy, random);
          expected.commands.push(...commands.map((command, at) => ({ seq: first + at, ...command })));
          if (mark !== undefined) expected.marks.push(mark);
        }
        await copy.close();
        const again = await SegmentJournal.open({ ...options, directory: '/new', repeat: () => () => {} });
        expect(await readAll(again, Math.min(firstSeq, end + 1))).toEqual(expected);
        await again.close();
        // What was copied from is as it was.
        const old = await SegmentJournal.open({ ...options, directory: '/old', repeat: () => () => {} });
        expect(await readAll(old, firstSeq)).toEqual(whole);
        await old.close();
      },
    ),
    { seed: SEED, numRuns: 60 },
  );
  expect(cuts).toBeGreaterThan(20);
  expect(pruned).toBeGreaterThan(0);
});

test('a copy survives a power cut, and never takes the place of a journal', async () => {
  const { disk, genesis, journal } = await journalOf(7, 40, 0);
  const { lastSeq } = journal;
  await journal.close();
  const options = { disk, from: '/old', into: '/new', genesis, segmentBytes: SEGMENT_BYTES };
  const copied = await copyJournal({ ...options, through: Math.floor(lastSeq / 2) });
  const after = { ...options, disk: disk.afterPowerCut(), directory: '/new', repeat: () => () => {} };
  const copy = await SegmentJournal.open(after);
  expect(copy.lastSeq).toBe(copied);
  await copy.close();
  await expect(copyJournal({ ...options, through: lastSeq })).rejects.toMatchObject({ code: 'exists' });
});
