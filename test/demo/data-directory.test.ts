/** The data directory: one holder at a time, the same keys again, and one sentence for everything that is wrong. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clearEarlierReplay, DataDirectory, type Deployment } from '#client/demo/data-directory.ts';

let root: string;
let directory: DataDirectory;

beforeEach(async () => {
  root = path.join(mkdtempSync(path.join(tmpdir(), 'sluice-demo-')), 'data');
  directory = await DataDirectory.open(root);
});
afterEach(async () => {
  await directory.release();
  rmSync(path.dirname(root), { recursive: true, force: true });
});

const DEPLOYMENT: Deployment = {
  version: 1,
  kind: 'replay',
  chainId: 31_337,
  rollup: `0x${'ab'.repeat(20)}`,
};
const makeJournal = (): void => {
  mkdirSync(path.join(root, 'sequencer'), { recursive: true });
  writeFileSync(path.join(root, 'sequencer', 'journal'), 'x');
};

describe('the data directory', () => {
  test('is held by one run at a time, and free afterwards', async () => {
    await expect(DataDirectory.open(root)).rejects.toThrow(/is used by another run: stop that one/);
    await directory.release();
    directory = await DataDirectory.open(root);
  });

  test('gives the same keys again, more when more are asked for, to their owner only', async () => {
    const keys = await directory.keys(3);
    expect(keys.accounts).toHaveLength(3);
    expect(new Set([keys.sequencer, keys.submitter, ...keys.publishers, ...keys.accounts]).size).toBe(10);
    expect(await directory.keys(2)).toEqual(keys);
    const more = await directory.keys(5);
    expect(more.accounts.slice(0, 3)).toEqual(keys.accounts);
    expect(more.sequencer).toBe(keys.sequencer);
    expect(statSync(directory.file('keys.json')).mode & 0o077).toBe(0);
  });

  test('remembers its deployment', async () => {
    expect(await directory.deployment()).toBeUndefined();
    await directory.saveDeployment(DEPLOYMENT);
    expect(await directory.deployment()).toEqual(DEPLOYMENT);
  });

  test('a file that is damaged is named with what to do', async () => {
    writeFileSync(directory.file('demo.json'), '{"version":1,"kind":"dem');
    await expect(directory.deployment()).rejects.toThrow(/demo.json can't be read .*: restore it, or choose/);
    writeFileSync(directory.file('demo.json'), JSON.stringify({ ...DEPLOYMENT, rollup: '0x12' }));
    await expect(directory.deployment()).rejects.toThrow(/demo.json can't be read \(rollup: /);
    writeFileSync(directory.file('keys.json'), '{}');
    await expect(directory.keys(1)).rejects.toThrow(/keys.json can't be read/);
  });

  test('a journal without what belongs to it is not silently begun anew', async () => {
    makeJournal();
    await expect(directory.deployment()).rejects.toThrow(/holds a journal but no demo.json/);
    await expect(directory.keys(1)).rejects.toThrow(/keys.json is gone/);
    await expect(directory.checkEmbeddedL1()).rejects.toThrow(/the L1 that it belongs to is gone: bring/);
    mkdirSync(directory.file('l1'), { recursive: true });
    writeFileSync(directory.l1StateFile, '{}');
    await directory.checkEmbeddedL1();
  });

  test('a place that cannot be written says so', async () => {
    writeFileSync(path.join(path.dirname(root), 'file'), '');
    await expect(DataDirectory.open(path.join(path.dirname(root), 'file', 'x'))).rejects.toThrow(
      /can't write to .*\(ENOTDIR\): choose another directory/,
    );
  });
});

describe('clearing an earlier replay', () => {
  test('empties what a replay made and nothing else', async () => {
    makeJournal();
    await directory.release();
    await clearEarlierReplay(root);
    expect(statSync(path.join(root, 'sequencer', 'journal')).isFile()).toBe(true);

    directory = await DataDirectory.open(root);
    await directory.saveDeployment({ ...DEPLOYMENT, kind: 'demo' });
    await directory.release();
    await clearEarlierReplay(root);
    expect(statSync(path.join(root, 'sequencer', 'journal')).isFile()).toBe(true);

    directory = await DataDirectory.open(root);
    await directory.saveDeployment(DEPLOYMENT);
    await directory.release();
    await clearEarlierReplay(root);
    expect(() => statSync(root)).toThrow(/ENOENT/);
    directory = await DataDirectory.open(root);
  });

  test('leaves one alone that is in use', async () => {
    await directory.saveDeployment(DEPLOYMENT);
    await expect(clearEarlierReplay(root)).rejects.toThrow(/is used by another run/);
    expect(await directory.deployment()).toEqual(DEPLOYMENT);
  });
});
