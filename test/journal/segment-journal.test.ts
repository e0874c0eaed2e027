/** What only the journal of segment files has: space, rotation, the head marker, one owner. */
import { expect, test } from 'vitest';
import { createJournal, SegmentJournal } from '#journal/segment-journal.ts';
import { openJournalSource } from '#journal/segment-source.ts';
import { appendRandom, randomFrom, readAll } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

async function begin(seed: number, capacityBytes?: number) {
  const disk = new MemoryDisk({ random: randomFrom(seed) });
  const ticks: (() => void)[] = [];
  const options = {
    disk,
    directory: '/data',
    segmentBytes: 8192,
    repeat: (ms: number, callback: () => void) => {
      expect(ms).toBe(1000);
      ticks.push(callback);
      return () => {};
    },
  };
  await createJournal(options);
  if (capacityBytes !== undefined) disk.capacityBytes = capacityBytes;
  const journal = await SegmentJournal.open(options);
  return { disk, options, journal, tick: () => ticks[0]!(), random: randomFrom(seed) };
}

test('a full disk refuses before anything is written, warns ahead, and goes on when there is space', async () => {
  // The head marker and two segments.
  const { disk, options, journal, random } = await begin(51, 8192 + 2 * 8192);
  let least = Number.POSITIVE_INFINITY;
  let failure: unknown;
  for (let i = 0; i < 100 && failure === undefined; i++) {
    least = Math.min(least, journal.headroomBytes);
    failure = await appendRandom(journal, random).then(
      () => undefined,
      (error: unknown) => error,
    );
  }
  expect(failure).toMatchObject({ code: 'disk-full' });
  expect(String(failure)).toMatch(
    /no space for another segment of 8192 bytes, nothing was written; free space/,
  );
  expect(least).toBeLessThan(4096);
  const { head } = journal;
  expect((await readAll(journal)).commands.length).toBe(head.seq);
  const restarted = await SegmentJournal.open({ ...options, disk: disk.copy() });
  expect(restarted.head).toEqual(head);
  await restarted.close();
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) await appendRandom(journal, random);
  expect((await readAll(journal)).commands.length).toBe(journal.lastSeq);
  await journal.close();
});

test('the head marker follows once a second and at the end, and only when something came', async () => {
  const { disk, journal, tick, random } = await begin(52);
  const marker = (): string => Buffer.from(disk.contents('/data/journal/head')).toString('hex');
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  const first = marker();
  tick();
  await settle();
  expect(marker()).toBe(first);
  await appendRandom(journal, random);
  expect(marker()).toBe(first);
  tick();
  await settle();
  const second = marker();
  expect(second).not.toBe(first);
  tick();
  await settle();
  expect(marker()).toBe(second);
  await appendRandom(journal, random);
  await journal.close();
  expect(marker()).not.toBe(second);
});

test('a failed head marker ends the journal too', async () => {
  const { disk, journal, tick, random } = await begin(53);
  await appendRandom(journal, random);
  disk.failFlush = disk.flushes + 1;
  tick();
  for (let i = 0; i < 10; i++) await Promise.resolve();
  await expect(appendRandom(journal, random)).rejects.toThrow(/head marker at byte .* the process must end/);
});

test('a group longer than a segment is refused', async () => {
  const { journal } = await begin(54);
  const frame = { epoch: 1, after: journal.head.hash, firstSeq: 1, count: 1, payload: new Uint8Array(8192) };
  await expect(journal.append(frame)).rejects.toThrow(
    'frame: expected at most a segment of 8192 bytes, got 8704',
  );
  await journal.close();
});

test('a creation that the power cut short is done again; a journal without its marker is not', async () => {
  for (let at = 1; at < 30; at++) {
    const random = randomFrom(at);
    const disk = new MemoryDisk({ random });
    const options = { disk, directory: '/data', segmentBytes: 8192, repeat: () => () => {} };
    disk.cutAtOperation = at;
    await Promise.race([createJournal(options), disk.waitForPowerOff()]);
    const found = { ...options, disk: disk.afterPowerCut() };
    await createJournal(found).catch((error: unknown) => expect(error).toMatchObject({ code: 'exists' }));
    const journal = await SegmentJournal.open(found);
    await appendRandom(journal, random);
    await journal.close();
  }
});

test('a reader beside the writer sees what it is told is durable, across new segments', async () => {
  const { disk, journal, random } = await begin(55);
  const source = openJournalSource(disk, '/data');
  let read = 0;
  for (let i = 0; i < 60; i++) {
    await appendRandom(journal, random);
    const found = await readAll(source, read + 1, journal.lastSeq);
    expect(found.commands[0]?.seq).toBe(read + 1);
    expect(found.commands.at(-1)?.seq).toBe(journal.lastSeq);
    read = journal.lastSeq;
  }
  await expect(async () => readAll(source)).rejects.toThrow(/through: expected a durable seq/);
  await expect(readAll(source, 1, journal.lastSeq + 1)).rejects.toMatchObject({ code: 'lost-tail' });
  await journal.close();
});
