/** The table of costs: what it says of a measurement, and that its page has one row for each carrier and flow. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { type Cost, measureCosts } from './measure.ts';
import { costTable, withTable } from './table.ts';

test('a small measurement: what leaves calldata is not paid there, and shared signatures save bytes', async () => {
  const costs = await measureCosts([
    { perSignature: 1, orders: 120 },
    { perSignature: 20, orders: 120 },
  ]);
  const of = (perSignature: number, carrier: Cost['carrier']): Cost =>
    costs.find((cost) => cost.perSignature === perSignature && cost.carrier === carrier)!;
  for (const perSignature of [1, 20]) {
    const [calldata, blobs, offChain] = (['calldata', 'blobs', 'off-chain'] as const).map((carrier) =>
      of(perSignature, carrier),
    ) as [Cost, Cost, Cost];
    // The same batches but for where they are cut.
    expect(new Set([calldata, blobs, offChain].map(({ inputBytes }) => inputBytes)).size).toBe(1);
    expect(calldata.calldataBytes).toBeGreaterThan(calldata.inputBytes + calldata.diffBytes);
    expect(blobs.calldataBytes).toBeLessThan(calldata.calldataBytes - 0.9 * calldata.inputBytes);
    expect(offChain.calldataBytes).toBe(blobs.calldataBytes);
    expect([calldata.blobs, blobs.blobs, offChain.blobs]).toEqual([0, 1, 0]);
    expect(calldata.gas).toBeGreaterThan(blobs.gas);
    expect(blobs.gas).toBeGreaterThan(offChain.gas);
  }
  // A signature and the message around it are nineteen times saved.
  expect(of(1, 'calldata').inputBytes).toBeGreaterThan(3 * of(20, 'calldata').inputBytes);
}, 240_000);

test('the page has its table', () => {
  const page = readFileSync(path.join(PROJECT_ROOT, 'docs', 'data-availability.md'), 'utf8');
  for (const perSignature of [1, 20])
    for (const carrier of ['calldata', 'blobs', 'off-chain'])
      expect(page).toMatch(new RegExp(`^\\| ${perSignature} \\| ${carrier} \\| \\d+ \\|`, 'm'));
  const table = costTable([]);
  expect(withTable(page, table)).toContain(`begin -->\n${table}\n<!--`);
  expect(() => withTable('nothing', table)).toThrow('page: expected <!-- measured: begin -->');
});
