/** What a directory says of its recovery, and what a recovery that was cut short is good for. */
import { readdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NodeDisk } from '#journal/node-disk.ts';
import { recoverData } from '#sequencer/main/recover.ts';
import {
  beginRecovery,
  isUnfinished,
  type Recovered,
  readRecovered,
  writeRecovered,
} from '#sequencer/main/recovered-file.ts';
import { openStores } from '#sequencer/main/stores.ts';
import { removeTemporaryAfterAll, temporaryDirectory } from '../journal/temporary.ts';

removeTemporaryAfterAll();
const disk = new NodeDisk();
const RECOVERED: Recovered = {
  ...{ struckEpoch: 2, epoch: 3, batchId: 7, fromSeq: 100, lastSeq: 160 },
  replaced: [{ seq: 120, reason: 'NONCE_USED' }],
  before: [{ epoch: 1, fromSeq: 40 }],
};
const stores = { genesis: new Uint8Array(32).fill(7), segmentBytes: 1024 * 1024 };

test('it is read back as it was written, and stands beside the stores', async () => {
  const directory = temporaryDirectory();
  expect(await readRecovered(disk, directory)).toBeUndefined();
  await beginRecovery(disk, directory);
  expect(await isUnfinished(disk, directory)).toBe(true);
  await expect(openStores({ directory, ...stores })).rejects.toThrow(
    /expected whole data, got those of a recovery that has not ended: run sluice recover again/,
  );
  await writeRecovered(disk, directory, RECOVERED);
  expect(await isUnfinished(disk, directory)).toBe(false);
  expect(await readRecovered(disk, directory)).toEqual(RECOVERED);
  const opened = await openStores({ directory, ...stores });
  expect(opened.recovered).toEqual(RECOVERED);
  await opened.close();
});

test('a recovery takes an empty directory, or one that it left behind, and no other', async () => {
  const [data, into] = [temporaryDirectory(), temporaryDirectory()];
  const options = {
    ...{ data, l1: 'http://127.0.0.1:1', rollup: undefined, confirmations: 0 },
    segmentBytes: stores.segmentBytes,
  };
  await expect(recoverData({ ...options, into: `${data}/../${data.split('/').at(-1)}` })).rejects.toThrow(
    /expected another directory than --data/,
  );
  writeFileSync(`${into}/mine`, 'precious');
  await expect(recoverData({ ...options, into })).rejects.toThrow(/expected an empty directory, got 1 files/);
  expect(readdirSync(into)).toEqual(['mine']);
  const left = temporaryDirectory();
  await beginRecovery(disk, left);
  writeFileSync(`${left}/half`, 'done');
  // It gets past the directory, and leaves nothing when L1 can't be reached.
  await expect(recoverData({ ...options, into: left })).rejects.toThrow(/127\.0\.0\.1:1/);
  expect(readdirSync(left)).toEqual([]);
});

test('data that are not there are not made', async () => {
  const parent = temporaryDirectory();
  await expect(openStores({ directory: `${parent}/typo`, ...stores, mustExist: true })).rejects.toThrow(
    /expected the data of a sequencer, got no journal/,
  );
  expect(readdirSync(parent)).toEqual([]);
});
