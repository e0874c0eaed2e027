/**
 * Power cuts at any operation of a working journal: what was acknowledged is there, whole and in order; what
 * else is there was offered; and the journal goes on. A failing run prints its seed.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntryWriter } from '#journal/entry.ts';
import { createJournal, journalExists, SegmentJournal } from '#journal/segment-journal.ts';
import { encodeRecord, MESSAGE, NO_SIGNERS } from '#protocol/command.ts';
import { type Appended, appendRandom, randomFrom, readAll } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

interface World {
  disk: MemoryDisk;
  /** Everything given to `append` and not contradicted by what a restart found, by seq. */
  offered: { record: Uint8Array; signers: Uint8Array }[];
  acknowledged: number;
}

const optionsOf = (disk: MemoryDisk, ticks: (() => void)[]) => ({
  disk,
  directory: '/data',
  segmentBytes: 6144,
  repeat: (_ms: number, callback: () => void) => {
    ticks.push(callback);
    return () => {};
  },
});

/** Opens, appends and prunes until `until` says stop or the power goes. */
async function work(world: World, random: () => number, until: () => boolean): Promise<void> {
  const ticks: (() => void)[] = [];
  const options = optionsOf(world.disk, ticks);
  if (!(await journalExists(world.disk, '/data'))) await createJournal(options);
  const journal = await SegmentJournal.open(options);
  const found = await readAll(journal, journal.firstSeq);
  expect(journal.lastSeq).toBeGreaterThanOrEqual(world.acknowledged);
  expect(journal.lastSeq).toBeLessThanOrEqual(world.offered.length);
  for (const { seq, record, signers } of found.commands)
    expect({ record, signers }).toEqual(world.offered[seq - 1]);
  world.offered.length = journal.lastSeq;
  world.acknowledged = journal.lastSeq;
  while (!until()) {
    const group: Appended = await appendRandom(
      journal,
      random,
      (offered) => {
        world.offered.push(...offered.commands);
      },
      random() < 0.3 ? 25 : 4,
    );
    world.acknowledged = group.firstSeq + group.commands.length - 1;
    if (random() < 0.3) ticks[0]!();
    if (random() < 0.05) await journal.pruneBelow(Math.floor(random() * journal.lastSeq));
  }
  await journal.close();
}

test('nothing acknowledged is lost and nothing is invented, whenever the power goes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const random = randomFrom(seed);
      const world: World = { disk: new MemoryDisk({ random }), offered: [], acknowledged: 0 };
      for (let life = 0; life < 8; life++) {
        world.disk.cutAtOperation = 1 + Math.floor(random() * 120);
        const working = work(world, random, () => false);
        await Promise.race([working, world.disk.waitForPowerOff()]);
        expect(world.disk.powerOff).toBe(true);
        world.disk = world.disk.afterPowerCut();
      }
      let left = 20;
      await work(world, random, () => left-- === 0);
    }),
    { numRuns: 150 },
  );
}, 120_000);

test('a flush that fails ends the journal, and a restart finds what was acknowledged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const random = randomFrom(seed);
      const world: World = { disk: new MemoryDisk({ random }), offered: [], acknowledged: 0 };
      await createJournal(optionsOf(world.disk, []));
      world.disk.failFlush = world.disk.flushes + 1 + Math.floor(random() * 30);
      let most = 200;
      await expect(work(world, random, () => most-- === 0)).rejects.toMatchObject({ code: 'flush-failed' });
      // The lock went with the process; the power may go as well.
      world.disk = random() < 0.5 ? world.disk.afterPowerCut() : world.disk.copy();
      let left = 5;
      await work(world, random, () => left-- === 0);
    }),
    { numRuns: 100 },
  );
}, 60_000);

test('a dead journal stays dead', async () => {
  const disk = new MemoryDisk({ random: randomFrom(3) });
  const options = optionsOf(disk, []);
  await createJournal(options);
  const journal = await SegmentJournal.open(options);
  const random = randomFrom(4);
  await appendRandom(journal, random);
  disk.failFlush = disk.flushes + 1;
  const failure = await appendRandom(journal, random).catch((error: unknown) => error);
  expect(String(failure)).toMatch(
    /00000001-6144\.segment at byte \d+: writing failed .*EIO.*the process must end/,
  );
  for (let i = 0; i < 3; i++) await expect(appendRandom(journal, random)).rejects.toBe(failure);
});

test('of a frame in flight any choice of sectors may survive', async () => {
  const random = randomFrom(5);
  const disk = new MemoryDisk({ random });
  const options = optionsOf(disk, []);
  await createJournal(options);
  const journal = await SegmentJournal.open(options);
  await appendRandom(journal, random);
  const { lastSeq } = journal;
  const path = '/data/journal/00000001-6144.segment';
  const begin = disk.contents(path).findLastIndex((byte) => byte !== 0) + 1;
  const writer = new EntryWriter();
  for (let i = 0; i < 12; i++)
    writer.append(encodeRecord(MESSAGE, 1, new Uint8Array(120).fill(7)), NO_SIGNERS);
  const frame = {
    epoch: 1,
    after: journal.head.hash,
    firstSeq: lastSeq + 1,
    count: 12,
    payload: writer.payload,
  };
  await journal.append(frame);
  const end = disk.contents(path).findLastIndex((byte) => byte !== 0) + 1;
  const sectors = (end - begin) / 512;
  expect(sectors).toBe(4);
  for (let kept = 0; kept < 2 ** sectors; kept++) {
    const torn = disk.copy();
    const whole = kept === 2 ** sectors - 1;
    for (let i = 0; i < sectors; i++)
      if ((kept & (1 << i)) === 0) torn.contents(path).fill(0, begin + 512 * i, begin + 512 * (i + 1));
    const found = await SegmentJournal.open(optionsOf(torn, []));
    expect(found.lastSeq).toBe(whole ? lastSeq + 12 : lastSeq);
    expect(found.notes.length).toBe(whole || kept === 0 ? 0 : 1);
    // What was cut is gone for good: the place is zero, and the next frame stands there.
    if (!whole) expect(torn.contents(path).findLastIndex((byte) => byte !== 0) + 1).toBe(begin);
    await appendRandom(found, random);
    await found.close();
    await (await SegmentJournal.open(optionsOf(torn, []))).close();
  }
  await journal.close();
});
