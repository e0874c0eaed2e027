/** A price replay as a user runs it: the same prices twice, at once, end in the same state, verified and conserved. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DemoReport } from '#client/demo/report.ts';
import { startDemo } from './run-demo.ts';

const ROWS = 90;
const MINUTE_MS = 60_000;
const START_MS = 1_640_991_660_000;

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'sluice-prices-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

test('recorded prices come to the same end every time', async () => {
  const file = path.join(root, 'prices.csv');
  // Up and down by some per mille, with a fall in between.
  const price = (row: number): string => (46_000 + 40 * Math.sin(row) - (row > 60 ? 900 : 0)).toFixed(1);
  const rows = Array.from({ length: ROWS }, (_, row) => `${START_MS + row * MINUTE_MS},${price(row)}`);
  writeFileSync(file, `time_ms,close\n${rows.join('\n')}\n`);
  const run = async (name: string): Promise<DemoReport> => {
    const report = path.join(root, `${name}.json`);
    const demo = startDemo(
      ...['--replay-prices', file, '--speed', 'max', '--accounts', '8', '--seed', '5'],
      ...['--data', path.join(root, name), '--port', '0', '--report', report, '--quiet'],
    );
    expect(await demo.ended, `${demo.output()}\n${demo.errors()}`).toBe(0);
    return JSON.parse(readFileSync(report, 'utf8')) as DemoReport;
  };
  const [one, other] = await Promise.all([run('one'), run('other')]);
  const page = readFileSync(path.join(root, 'one.html'), 'utf8');
  expect(page).toContain('index price');
  expect(page).toContain('polyline');
  expect(one.problems).toEqual([]);
  expect(one.fills).toBeGreaterThan(5);
  expect(one.conservation.difference).toBe(0);
  expect(one.verifier.mismatches).toBe(0);
  expect(one.verifier.stateRoot).toMatch(/^0x[0-9a-f]{64}$/);
  expect(other.verifier.stateRoot).toBe(one.verifier.stateRoot);
  expect(other.verifier.seq).toBe(one.verifier.seq);
});
