/**
 * The main job as a user runs it: a few seconds of trading that end verified and conserved, Ctrl-C, a second start in
 * the same directory, a process that dies, and the sentences for what can be wrong.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DemoReport } from '#client/demo/report.ts';
import { sentByL1 } from './l1-totals.ts';
import { processesWith, startDemo } from './run-demo.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'sluice-demo-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const readReport = (file: string): DemoReport => JSON.parse(readFileSync(file, 'utf8')) as DemoReport;

function expectGood(report: DemoReport): void {
  expect(report.problems).toEqual([]);
  expect(report.complete).toBe(true);
  const { orders, batches, verifier, withdrawals, conservation, latencyUs } = report;
  expect(orders.sent).toBe(orders.accepted + orders.rejected);
  expect(orders.accepted).toBeGreaterThan(orders.sent * 0.9);
  expect(report.fills).toBeGreaterThan(0);
  expect(latencyUs.orderToReply.p50).toBeGreaterThan(0);
  expect(latencyUs.orderToReply.p99).toBeGreaterThanOrEqual(latencyUs.orderToReply.p50);
  expect(report.throughput.ordersPerSecond).toBeGreaterThan(0);
  expect(report.journal.records).toBeGreaterThan(0);
  expect(report.journal.flushes).toBeGreaterThan(0);
  expect(batches.final).toBeGreaterThan(0);
  expect(batches.committed).toBeGreaterThanOrEqual(batches.final);
  expect(batches.signed).toBeGreaterThanOrEqual(batches.committed);
  expect(batches.struck).toBe(0);
  expect(verifier.mismatches).toBe(0);
  expect(verifier.steps).toBeGreaterThan(orders.accepted / 2);
  expect(withdrawals.requested).toBeGreaterThan(0);
  expect(withdrawals.paid).toBe(withdrawals.requested);
  expect(conservation.vault).toBeGreaterThan(0);
  expect(conservation.difference).toBe(0);
}

describe('the demo', () => {
  test('trades, ends verified and conserved, and goes on in the same directory after Ctrl-C', async () => {
    const data = path.join(root, 'life');
    const reportFile = path.join(root, 'report.json');
    const flags = ['--port', '0', '--data', data, '--seed', '7', '--report', reportFile];

    const first = startDemo(...flags, '--duration', '5');
    expect(await first.ended, `${first.output()}\n${first.errors()}`).toBe(0);
    expect(first.errors()).toBe('');
    expect(first.output()).toMatch(/WebSocket: ws:\/\/127\.0\.0\.1:\d+\/ws\n/);
    expect(first.output()).toMatch(/Everything was verified and conserved\.\n$/);
    const report = readReport(reportFile);
    expectGood(report);
    expect(processesWith(data)).toEqual([]);
    // The submitter goes on while the report is made.
    const sent = await sentByL1({
      stateFile: path.join(data, 'l1', 'state.json'),
      keyFile: path.join(data, 'submitter.key'),
      count: report.l1.transactions,
    });
    expect(report.l1).toEqual(sent);
    expect(sent.transactions).toBeGreaterThanOrEqual(2 * report.batches.final);

    const second = startDemo(...flags);
    await second.until(/trading/);
    // Before the exchange is asked again it has gone on from where it was.
    const asked = performance.now();
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(130);
    expect(performance.now() - asked).toBeLessThan(20_000);
    expect(second.errors()).toBe('');
    expect(processesWith(data)).toEqual([]);
    const interrupted = readReport(reportFile);
    expect(interrupted.complete).toBe(false);
    expect(interrupted.batches.signed).toBeGreaterThan(report.batches.final);

    const third = startDemo(...flags, '--duration', '3', '--quiet');
    expect(await third.ended, `${third.output()}\n${third.errors()}`).toBe(0);
    expect(third.output()).toMatch(/^ {2}orders /);
    const last = readReport(reportFile);
    expectGood(last);
    expect(last.batches.final).toBeGreaterThan(interrupted.batches.final);

    rmSync(path.join(data, 'l1', 'state.json'));
    const fourth = startDemo(...flags);
    expect(await fourth.ended).toBe(1);
    expect(fourth.errors()).toMatch(/^error: --data: .*state\.json .* is gone: bring that file back.*\n$/);
  });

  test('a process that dies ends the run with one sentence and leaves no other behind', async () => {
    const data = path.join(root, 'death');
    const run = startDemo('--port', '0', '--data', data);
    await run.until(/trading/);
    const [verifier] = processesWith(data, ' verifier ');
    process.kill(verifier!, 'SIGKILL');
    expect(await run.ended).toBe(1);
    expect(run.errors()).toMatch(/^error: verifier: .*\n$/);
    expect(processesWith(data)).toEqual([]);
  });
});

describe('one sentence for', () => {
  test('a port in use', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    const run = startDemo('--port', String(port), '--data', path.join(root, 'port'));
    expect(await run.ended).toBe(1);
    expect(run.errors()).toBe(
      `error: --port: port ${port} on 127.0.0.1 is in use: stop what uses it, or choose another (0: any free one)\n`,
    );
    taken.close();
  });

  test('a directory that another run holds', async () => {
    const { DataDirectory } = await import('#client/demo/data-directory.ts');
    const data = path.join(root, 'held');
    const held = await DataDirectory.open(data);
    const run = startDemo('--port', '0', '--data', data);
    expect(await run.ended).toBe(1);
    expect(run.errors()).toBe(
      `error: --data: ${data} is used by another run: stop that one, or choose another directory with --data\n`,
    );
    await held.release();
  });

  test('a damaged directory', async () => {
    const data = path.join(root, 'damaged');
    const { DataDirectory } = await import('#client/demo/data-directory.ts');
    await (await DataDirectory.open(data)).release();
    writeFileSync(path.join(data, 'demo.json'), 'not json');
    const run = startDemo('--port', '0', '--data', data);
    expect(await run.ended).toBe(1);
    expect(run.errors()).toMatch(
      /^error: --data: .*demo\.json can't be read \(.*\): restore it, or choose .*\n$/,
    );
  });

  test('a recording that is not there, and a flag that is wrong', async () => {
    const missing = startDemo('--replay', path.join(root, 'none.csv'), '--speed', 'max');
    expect(await missing.ended).toBe(1);
    expect(missing.errors()).toMatch(/^error: --replay: can't read .*none\.csv \(ENOENT\): .*\n$/);
    const wrong = startDemo('--speed', 'max');
    expect(await wrong.ended).toBe(2);
    expect(wrong.errors()).toBe('error: --speed: expected --replay or --replay-prices beside it, got none\n');
  });

  test('an L1 that does not answer', async () => {
    const run = startDemo('--port', '0', '--data', path.join(root, 'l1'), '--l1', 'http://127.0.0.1:9');
    expect(await run.ended).toBe(1);
    expect(run.errors()).toBe(
      'error: --l1: http://127.0.0.1:9 does not answer as an L1: start it, or leave --l1 out to have one started\n',
    );
  });
});

test('--help lists the flags', async () => {
  const run = startDemo('--help');
  expect(await run.ended).toBe(0);
  for (const flag of [
    'data',
    'port',
    'l1',
    'replay',
    'speed',
    'duration',
    'report',
    'fills',
    'book-end',
    'quiet',
  ])
    expect(run.output()).toContain(`--${flag}`);
});
