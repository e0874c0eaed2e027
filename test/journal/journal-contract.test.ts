/** What every journal must do, run against the one in memory and the one on disk. */
import { afterEach, describe, expect, test } from 'vitest';
import { JournalError } from '#journal/journal-error.ts';
import { MemoryJournal } from '#journal/memory-journal.ts';
import { createJournal, SegmentJournal } from '#journal/segment-journal.ts';
import type { Journal, JournalAppend } from '#pipeline/ports.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import { type Appended, appendRandom, randomFrom, readAll } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

async function onDisk(): Promise<Journal> {
  const disk = new MemoryDisk({ random: randomFrom(1) });
  const options = { disk, directory: '/data', segmentBytes: 8192, repeat: () => () => {} };
  await createJournal(options);
  return SegmentJournal.open(options);
}

const open: Journal[] = [];
afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close();
});

describe.each([
  ['in memory', async (): Promise<Journal> => new MemoryJournal()],
  ['on disk', onDisk],
])('a journal %s', (_name, make) => {
  const begin = async (): Promise<Journal> => {
    const journal = await make();
    open.push(journal);
    return journal;
  };
  const refusal = async (journal: Journal, change: Partial<JournalAppend>): Promise<string> => {
    const frame = { epoch: 1, after: journal.head.hash, firstSeq: journal.lastSeq + 1, count: 1 };
    const error = await journal.append({ ...frame, payload: new Uint8Array(0), ...change }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof JournalError)) throw new Error(`expected a refusal, got ${error}`);
    return error.code;
  };

  test('is empty at first', async () => {
    const journal = await begin();
    expect(journal.head).toEqual({ seq: 0, hash: ZERO_HASH });
    expect([journal.firstSeq, journal.lastSeq]).toEqual([1, 0]);
    expect(await readAll(journal)).toEqual({ commands: [], marks: [] });
  });

  test('gives back every command and mark from any seq, and up to any', async () => {
    const journal = await begin();
    const random = randomFrom(11);
    const groups: Appended[] = [];
    for (let i = 0; i < 60; i++) groups.push(await appendRandom(journal, random));
    const commands = groups.flatMap((group) =>
      group.commands.map((command, i) => ({ seq: group.firstSeq + i, ...command })),
    );
    expect(journal.lastSeq).toBe(commands.length);
    const all = await readAll(journal);
    expect(all.commands).toEqual(commands);
    expect(all.marks).toEqual(groups.flatMap((group) => (group.mark === undefined ? [] : [group.mark])));
    for (const from of [2, 17, commands.length]) {
      expect((await readAll(journal, from)).commands).toEqual(commands.slice(from - 1));
    }
    for (const through of [1, 30, commands.length]) {
      const upTo = (await readAll(journal, 1, through)).commands;
      expect(upTo).toEqual(commands.slice(0, upTo.length));
      expect(upTo.length).toBeGreaterThanOrEqual(through);
      expect(groups.some((group) => group.firstSeq + group.commands.length - 1 === upTo.length)).toBe(true);
    }
    expect((await readAll(journal, commands.length + 1)).commands).toEqual([]);
  });

  test('refuses another seq, another predecessor, an older epoch, nothing at all; and goes on', async () => {
    const journal = await begin();
    const random = randomFrom(12);
    await appendRandom(journal, random);
    const { head } = journal;
    expect(await refusal(journal, { firstSeq: head.seq + 2 })).toBe('wrong-seq');
    expect(await refusal(journal, { firstSeq: head.seq })).toBe('wrong-seq');
    expect(await refusal(journal, { after: ZERO_HASH })).toBe('wrong-predecessor');
    expect(await refusal(journal, { epoch: 0 })).toBe('stale-epoch');
    expect(await refusal(journal, { count: 0 })).toBe('bad-append');
    expect(journal.head).toEqual(head);
    await appendRandom(journal, random);
    expect(journal.lastSeq).toBeGreaterThan(head.seq);
  });

  test('has one append in flight', async () => {
    const journal = await begin();
    const random = randomFrom(13);
    const first = appendRandom(journal, random);
    expect(await refusal(journal, {})).toBe('busy');
    await first;
    await appendRandom(journal, random);
  });

  test('takes a mark alone, before and after commands', async () => {
    const journal = await begin();
    const random = randomFrom(14);
    const marked = async (): Promise<void> => {
      const mark = {
        seq: journal.lastSeq,
        engineVersion: 7,
        stateHash: new Uint8Array(32).fill(journal.lastSeq),
      };
      const frame = { epoch: 1, after: journal.head.hash, firstSeq: journal.lastSeq + 1, count: 0 };
      await journal.append({ ...frame, payload: new Uint8Array(0), mark });
    };
    await appendRandom(journal, random, undefined, 1);
    await marked();
    await appendRandom(journal, random, undefined, 1);
    await marked();
    const kept = await readAll(journal);
    expect(kept.commands.length).toBe(2);
    expect(kept.marks.filter((mark) => mark.engineVersion === 7).map((mark) => mark.seq)).toEqual([1, 2]);
  });

  test('drops what lies below, and says so to who asks for it', async () => {
    const journal = await begin();
    const random = randomFrom(15);
    for (let i = 0; i < 80; i++) await appendRandom(journal, random);
    const before = (await readAll(journal)).commands;
    const bound = Math.floor(journal.lastSeq / 2);
    await journal.pruneBelow(bound);
    expect(journal.firstSeq).toBeGreaterThan(1);
    expect(journal.firstSeq).toBeLessThanOrEqual(bound);
    expect((await readAll(journal, bound)).commands).toEqual(before.slice(bound - 1));
    await expect(readAll(journal, 1)).rejects.toMatchObject({ code: 'pruned' });
    await journal.pruneBelow(journal.lastSeq + 1);
    await appendRandom(journal, random);
    expect((await readAll(journal, journal.lastSeq)).commands.length).toBe(1);
  });

  test('copies the payload before append returns', async () => {
    const journal = await begin();
    const payload = new Uint8Array(100).fill(3);
    const done = journal.append({ epoch: 1, after: ZERO_HASH, firstSeq: 1, count: 1, payload });
    payload.fill(4);
    await done;
    for await (const record of journal.readFrom(1))
      if (record.kind === 'commands') expect(record.payload).toEqual(new Uint8Array(100).fill(3));
  });

  test('is closed after close', async () => {
    const journal = await begin();
    await journal.close();
    expect(await refusal(journal, {})).toBe('closed');
  });
});
