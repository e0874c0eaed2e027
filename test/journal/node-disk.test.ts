/** The real disk: what its contract promises, a journal on it, and the lock of the data directory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, truncateSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NodeDisk } from '#journal/node-disk.ts';
import { createJournal, journalExists, SegmentJournal } from '#journal/segment-journal.ts';
import { openJournalSource } from '#journal/segment-source.ts';
import { appendRandom, randomFrom, readAll } from './fixtures.ts';
import { removeTemporaryAfterAll, temporaryDirectory } from './temporary.ts';

removeTemporaryAfterAll();
const disk = new NodeDisk();

test('creates allocated zeros, writes anywhere, reads back, lists sorted, renames, unlinks', async () => {
  const directory = temporaryDirectory();
  const path = `${directory}/b`;
  const file = await disk.create(path, 3_000_000);
  expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(3_000_000);
  await file.pwrite(Uint8Array.of(1, 2, 3), 2_999_990);
  await file.pwriteDurable(Uint8Array.of(4, 5), 100);
  await file.fdatasync();
  const into = new Uint8Array(20);
  expect(await file.pread(into, 2_999_988)).toBe(12);
  expect([...into.subarray(0, 6)]).toEqual([0, 0, 1, 2, 3, 0]);
  expect([...readFileSync(path).subarray(99, 103)]).toEqual([0, 4, 5, 0]);
  await file.truncate(50);
  expect(await file.size()).toBe(50);
  await file.close();
  await expect(disk.create(path, 1)).rejects.toMatchObject({ code: 'exists', path });
  await expect(disk.open(`${directory}/none`)).rejects.toMatchObject({ code: 'not-found' });
  await (await disk.create(`${directory}/a`, 0)).close();
  expect(await disk.list(directory)).toEqual(['a', 'b']);
  await disk.rename(path, `${directory}/a`);
  await disk.syncDirectory(directory);
  expect(await disk.list(directory)).toEqual(['a']);
  await disk.unlink(`${directory}/a`);
  expect(await disk.list(`${directory}/nowhere`)).toEqual([]);
  expect(await disk.freeBytes(directory)).toBeGreaterThan(0);
});

test('a journal survives closing, rotation and pruning, and can be read while it grows', async () => {
  const directory = temporaryDirectory();
  const options = { disk, directory, segmentBytes: 64 * 1024 };
  expect(await journalExists(disk, directory)).toBe(false);
  await expect(SegmentJournal.open(options)).rejects.toMatchObject({ code: 'no-journal' });
  await createJournal(options);
  await expect(createJournal(options)).rejects.toMatchObject({ code: 'exists' });
  const random = randomFrom(41);
  let journal = await SegmentJournal.open(options);
  const source = openJournalSource(disk, directory);
  for (let i = 0; i < 300; i++) await appendRandom(journal, random, undefined, 20);
  const kept = await readAll(journal);
  expect(kept.commands.length).toBe(journal.lastSeq);
  const { head } = journal;
  expect((await readAll(source, 5, head.seq)).commands).toEqual(kept.commands.slice(4));
  await journal.close();
  journal = await SegmentJournal.open({ ...options, verifyFrom: head.seq });
  expect(journal.head).toEqual(head);
  expect(journal.notes).toEqual([]);
  expect(await readAll(journal)).toEqual(kept);
  await journal.pruneBelow(head.seq);
  expect(journal.firstSeq).toBeGreaterThan(1);
  await appendRandom(journal, random);
  await journal.close();
  journal = await SegmentJournal.open(options);
  expect((await readAll(journal, head.seq)).commands[0]).toEqual(kept.commands.at(-1));
  await journal.close();
  const last = (await disk.list(`${directory}/journal`)).findLast((name) => name.endsWith('.segment'))!;
  truncateSync(`${directory}/journal/${last}`, 700);
  await expect(SegmentJournal.open(options)).rejects.toThrow(
    `${last} at byte 700: segment length: expected 65536, got 700; nothing was changed, see what can be saved ` +
      `with: sluice doctor --data ${directory}`,
  );
});

test('a second writer of one directory is told so in one sentence', async () => {
  const directory = temporaryDirectory();
  const options = { disk, directory, segmentBytes: 64 * 1024 };
  await createJournal(options);
  const first = await SegmentJournal.open(options);
  const sentence = `${directory} is in use by another sequencer: stop that one, or give this one another --data DIR`;
  await expect(SegmentJournal.open(options)).rejects.toThrow(sentence);
  await first.close();
  await (await SegmentJournal.open(options)).close();
});

test('the lock goes with its process, also when that is killed', async () => {
  const directory = temporaryDirectory();
  const program =
    `import { NodeDisk } from '#journal/node-disk.ts';` +
    `await new NodeDisk().lock(process.argv[1]); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', program, `${directory}/lock`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    await once(child.stdout, 'data');
    await expect(disk.lock(`${directory}/lock`)).rejects.toMatchObject({ code: 'locked' });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await (await disk.lock(`${directory}/lock`)).release();
});
