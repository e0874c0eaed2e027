/** Snapshots, signed batches and the signer's memory, on the real disk and a real LevelDB. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Level } from 'level';
import { expect, test } from 'vitest';
import { LevelBatchStore } from '#journal/batch-store.ts';
import { openLevel } from '#journal/level-store.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { FileSnapshotStore } from '#journal/snapshot-store.ts';
import type { SignedCommitment } from '#pipeline/ports.ts';
import { type BatchHeader, HEADER_FIELDS, type SignedBatch } from '#protocol/batch.ts';
import { randomBytes, randomFrom } from './fixtures.ts';
import { removeTemporaryAfterAll, temporaryDirectory } from './temporary.ts';

removeTemporaryAfterAll();
const disk = new NodeDisk();

function metaAt(seq: number) {
  const random = randomFrom(seq);
  return {
    seq,
    ledgerRoot: randomBytes(random, 32),
    bookRoot: randomBytes(random, 32),
    batchId: seq % 7,
    engineVersion: 1,
  };
}

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

test('snapshots: three are kept, and the newest verified one', async () => {
  const directory = temporaryDirectory();
  let store = await FileSnapshotStore.open({ disk, directory, create: true });
  const payload = (seq: number): Uint8Array => randomBytes(randomFrom(seq), 3000 + seq);
  for (const seq of [10, 20, 30]) await store.save(metaAt(seq), payload(seq));
  await store.markVerified(10);
  for (const seq of [40, 50]) await store.save(metaAt(seq), payload(seq));
  const seqs = async (): Promise<number[]> => (await store.list()).map((info) => info.seq);
  expect(await seqs()).toEqual([50, 40, 30, 10]);
  await store.markVerified(40);
  expect(await seqs()).toEqual([50, 40, 30]);
  await store.close();
  store = await FileSnapshotStore.open({ disk, directory, create: false });
  expect(await seqs()).toEqual([50, 40, 30]);
  for (const seq of [50, 40, 30])
    expect(await store.load(seq)).toEqual({
      info: { ...metaAt(seq), bytes: 3000 + seq, verified: seq === 40 },
      payload: payload(seq),
    });
  await expect(store.load(10)).rejects.toThrow(/snapshot: expected one of \[30, 40, 50\], got 10/);
  expect(readdirSync(`${directory}/snapshots`).length).toBe(4);
  await store.close();
});

test('snapshots: those around what is needed stay, and the need moves on to younger ones', async () => {
  const directory = temporaryDirectory();
  const store = await FileSnapshotStore.open({ disk, directory, create: true });
  const seqs = async (): Promise<number[]> => (await store.list()).map((info) => info.seq);
  const save = async (seq: number): Promise<void> => {
    await store.save(metaAt(seq), randomBytes(randomFrom(seq), 100));
    await store.markVerified(seq);
  };
  store.keepFor(0);
  for (const seq of [10, 20, 30, 40, 50]) await save(seq);
  expect(await seqs()).toEqual([50, 40, 30, 10]);
  store.keepFor(9);
  await save(60);
  expect(await seqs()).toEqual([60, 50, 40, 10]);
  store.keepFor(10);
  await save(70);
  // 10 is needed; 40 takes its place when so much is final.
  expect(await seqs()).toEqual([70, 60, 50, 40, 10]);
  for (const seq of [80, 90]) await save(seq);
  expect(await seqs()).toEqual([90, 80, 70, 40, 10]);
  store.keepFor(65);
  await save(100);
  expect(await seqs()).toEqual([100, 90, 80, 70, 40]);
  // It never goes back.
  store.keepFor(5);
  await save(110);
  expect(await seqs()).toEqual([110, 100, 90, 70, 40]);
  await store.close();
});

test('snapshots: every changed byte is found, an older one still loads, a lost index is made again', async () => {
  const directory = temporaryDirectory();
  let store = await FileSnapshotStore.open({ disk, directory, create: true });
  for (const seq of [1, 2]) await store.save(metaAt(seq), randomBytes(randomFrom(seq), 500));
  await store.close();
  const path = `${directory}/snapshots/0000000000000002.snapshot`;
  const length = readFileSync(path).length;
  for (let at = 0; at < length; at += 7) {
    flipByte(path, at);
    store = await FileSnapshotStore.open({ disk, directory, create: false });
    await expect(store.load(2)).rejects.toMatchObject({ code: expect.stringMatching(/corrupt|missing/) });
    expect((await store.load(1)).payload).toEqual(randomBytes(randomFrom(1), 500));
    await store.close();
    flipByte(path, at);
  }
  writeFileSync(`${directory}/snapshots/0000000000000003.snapshot.new`, 'part');
  rmSync(`${directory}/snapshots/index`, { recursive: true });
  await expect(FileSnapshotStore.open({ disk, directory, create: false })).rejects.toThrow(
    /no store there, and it is only made at genesis/,
  );
  store = await FileSnapshotStore.open({ disk, directory, create: true });
  expect((await store.list()).map((info) => info.seq)).toEqual([2, 1]);
  expect((await store.load(2)).payload).toEqual(randomBytes(randomFrom(2), 500));
  expect(readdirSync(`${directory}/snapshots`)).not.toContain('0000000000000003.snapshot.new');
  await store.close();
});

function batchOf({ epoch, id, parentHash, hash }: SignedCommitment): SignedBatch {
  const random = randomFrom(1000 * epoch + id);
  const header = Object.fromEntries(
    HEADER_FIELDS.map(([name, width]) => [
      name,
      width === 32 ? randomBytes(random, 32) : Math.floor(random() * 60_000),
    ]),
  ) as unknown as BatchHeader;
  return {
    header: { ...header, epoch, id, parentHash },
    hash,
    signature: randomBytes(random, 65),
    trace: [
      {
        nextStep: 4,
        nextSeq: 2,
        inputEnd: 90,
        weight: 7,
        inputHash: randomBytes(random, 32),
        stateRoot: randomBytes(random, 32),
      },
    ],
    withdrawn: randomBytes(random, 18),
    diff: randomBytes(random, 300),
    inputs: randomBytes(random, 90),
  };
}

const hashOf = (epoch: number, id: number, other = 0): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 + epoch : i === 1 ? id : other));
const commitmentOf = (epoch: number, id: number, parentEpoch = epoch): SignedCommitment => ({
  epoch,
  id,
  parentHash: hashOf(parentEpoch, id - 1),
  hash: hashOf(epoch, id),
});

test('batches: by id in the valid chain, a new epoch takes the place of what it rewinds', async () => {
  const directory = temporaryDirectory();
  let store = await LevelBatchStore.open({ disk, directory, create: true });
  expect(await store.latest()).toBeUndefined();
  expect(await store.list(1, 5)).toEqual([]);
  const sign = async (commitment: SignedCommitment): Promise<void> => {
    await store.remember(commitment);
    await store.put(batchOf(commitment));
  };
  for (let id = 1; id <= 6; id++) await sign(commitmentOf(0, id));
  await sign(commitmentOf(1, 4, 0));
  await sign(commitmentOf(1, 5));
  await store.close();
  store = await LevelBatchStore.open({ disk, directory, create: false });
  expect((await store.list(0, 10)).map(({ header }) => [header.epoch, header.id])).toEqual([
    [0, 1],
    [0, 2],
    [0, 3],
    [1, 4],
    [1, 5],
  ]);
  expect(await store.get(6)).toBeUndefined();
  expect(await store.get(3)).toEqual(batchOf(commitmentOf(0, 3)));
  expect(await store.latest()).toEqual(batchOf(commitmentOf(1, 5)));
  expect((await store.list(4, 1)).map(({ header }) => header.id)).toEqual([4]);
  await store.close();
});

test('batches above the last that L1 has are removed, and what was signed is remembered all the same', async () => {
  const directory = temporaryDirectory();
  let store = await LevelBatchStore.open({ disk, directory, create: true });
  const sign = async (commitment: SignedCommitment): Promise<void> => {
    await store.remember(commitment);
    await store.put(batchOf(commitment));
  };
  for (let id = 1; id <= 6; id++) await sign(commitmentOf(0, id));
  await sign(commitmentOf(1, 4, 0));
  await sign(commitmentOf(1, 5));
  const ids = async () => (await store.list(0, 10)).map(({ header }) => [header.epoch, header.id]);
  await store.removeAfter(4);
  for (let again = 0; again < 2; again++) {
    expect(await ids()).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 4],
    ]);
    expect(await store.get(5)).toBeUndefined();
    expect(await store.latest()).toEqual(batchOf(commitmentOf(1, 4, 0)));
    await expect(store.remember({ ...commitmentOf(1, 5), hash: hashOf(0, 5, 9) })).rejects.toMatchObject({
      code: 'signed-other',
    });
    await store.close();
    store = await LevelBatchStore.open({ disk, directory, create: false });
  }
  await sign(commitmentOf(2, 5, 1));
  expect((await ids()).at(-1)).toEqual([2, 5]);
  await store.removeAfter(3);
  expect(await ids()).toEqual([
    [0, 1],
    [0, 2],
    [0, 3],
  ]);
  await store.removeAfter(0);
  expect(await ids()).toEqual([]);
  expect(await store.latest()).toBeUndefined();
  await store.close();
});

test('the signer never allows a second hash for an id, another parent, an older epoch, a gap', async () => {
  const directory = temporaryDirectory();
  let store = await LevelBatchStore.open({ disk, directory, create: true });
  await expect(store.put(batchOf(commitmentOf(0, 1)))).rejects.toMatchObject({ code: 'not-remembered' });
  for (let id = 1; id <= 3; id++) await store.remember(commitmentOf(0, id));
  for (let again = 0; again < 2; again++) {
    await store.remember(commitmentOf(0, 2));
    for (const id of [1, 2, 3])
      await expect(store.remember({ ...commitmentOf(0, id), hash: hashOf(0, id, 9) })).rejects.toMatchObject({
        code: 'signed-other',
      });
    await expect(store.remember(commitmentOf(0, 5))).rejects.toMatchObject({ code: 'signed-other' });
    await expect(store.remember({ ...commitmentOf(0, 4), parentHash: hashOf(0, 2) })).rejects.toMatchObject({
      code: 'wrong-parent',
    });
    await store.close();
    store = await LevelBatchStore.open({ disk, directory, create: false });
  }
  await store.remember(commitmentOf(2, 2, 0));
  await expect(store.remember(commitmentOf(1, 3))).rejects.toMatchObject({ code: 'stale-epoch' });
  await expect(store.put({ ...batchOf(commitmentOf(2, 2)), hash: hashOf(2, 2, 5) })).rejects.toMatchObject({
    code: 'not-remembered',
  });
  const both = await Promise.allSettled([
    store.remember(commitmentOf(2, 3)),
    store.remember({ ...commitmentOf(2, 3), hash: hashOf(2, 3, 1) }),
  ]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  await store.close();
});

test('the signer does not forget what LevelDB lost, nor trust what it changed', async () => {
  const directory = temporaryDirectory();
  const path = `${directory}/batches/level`;
  const options = { disk, directory, create: false };
  let store = await LevelBatchStore.open({ ...options, create: true });
  for (let id = 1; id <= 5; id++) {
    await store.remember(commitmentOf(0, id));
    await store.put(batchOf(commitmentOf(0, id)));
  }
  await store.close();
  const key = (kind: number, id: number): Uint8Array =>
    Uint8Array.of(kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, id);
  const change = async (work: (level: Level<Uint8Array, Uint8Array>) => Promise<void>): Promise<void> => {
    const level = await openLevel({ path, create: false });
    await work(level);
    await level.close();
  };
  await change((level) => level.del(key(0x73, 5)));
  store = await LevelBatchStore.open(options);
  await expect(store.remember({ ...commitmentOf(0, 5), hash: hashOf(0, 5, 1) })).rejects.toMatchObject({
    code: 'signed-other',
  });
  await store.close();
  await change(async (level) => {
    const value = (await level.get(key(0x62, 4)))!.slice();
    value[700]! ^= 1;
    await level.put(key(0x62, 4), value);
  });
  store = await LevelBatchStore.open(options);
  await expect(store.get(4)).rejects.toThrow(
    /batch 4 of epoch 0: expected the bytes that were signed, got a changed value/,
  );
  expect((await store.get(3))?.hash).toEqual(hashOf(0, 3));
  await store.close();
  await change(async (level) => {
    const value = (await level.get(key(0x73, 3)))!.slice();
    value[40]! ^= 1;
    await level.put(key(0x73, 3), value);
  });
  await expect(LevelBatchStore.open(options)).rejects.toMatchObject({ code: 'corrupt' });
  await change((level) => level.del(key(0x73, 3)));
  await expect(LevelBatchStore.open(options)).rejects.toThrow(/commitment of epoch 0: expected 3, got 1/);
  rmSync(`${directory}/batches/signed`);
  await expect(LevelBatchStore.open(options)).rejects.toThrow(/signer's memory: expected a file, got none/);
});

test('one flipped slot of the last commitment changes nothing', async () => {
  for (const slot of [0, 4096]) {
    const directory = temporaryDirectory();
    let store = await LevelBatchStore.open({ disk, directory, create: true });
    for (let id = 1; id <= 4; id++) await store.remember(commitmentOf(0, id));
    await store.close();
    flipByte(`${directory}/batches/signed`, slot + 70);
    store = await LevelBatchStore.open({ disk, directory, create: false });
    await expect(store.remember({ ...commitmentOf(0, 4), hash: hashOf(0, 4, 1) })).rejects.toMatchObject({
      code: 'signed-other',
    });
    await store.remember(commitmentOf(0, 5));
    await store.close();
  }
});

test('a store in use says so in one sentence', async () => {
  const directory = temporaryDirectory();
  const store = await LevelBatchStore.open({ disk, directory, create: true });
  await expect(LevelBatchStore.open({ disk, directory, create: false })).rejects.toThrow(
    /batches\/level: in use by another process: stop that one, or give another --data DIR/,
  );
  await store.close();
  const level = new Level(`${directory}/batches/level`);
  await level.close();
});
