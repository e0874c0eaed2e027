/**
 * Recorded order flow through the whole system: signed messages over the WebSocket, journal, batches, L1, verifier,
 * and the money out again. A real market's opening where its recording is there, and a made one always.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatBook, formatFills, REPLAY_HEADER } from '#client/demo/recording.ts';
import type { DemoReport } from '#client/demo/report.ts';
import { makeRecording } from '#test/demo/make-recording.ts';
import { processesWith, startDemo } from './run-demo.ts';

const FILE = '../shared/data/es-open30/es_replay.csv';

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'sluice-replay-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

interface Played {
  readonly code: number;
  readonly words: string;
  readonly report: DemoReport;
  readonly fills: string;
  readonly book: string;
}

async function play(file: string, name: string): Promise<Played> {
  const out = (suffix: string): string => path.join(root, `${name}${suffix}`);
  const data = out('-data');
  const run = startDemo(
    ...['--replay', file, '--speed', 'max', '--port', '0', '--data', data, '--quiet'],
    ...['--report', out('.json'), '--fills', out('-f.csv'), '--book-end', out('-b.csv')],
  );
  const code = await run.ended;
  const words = `${run.output()}\n${run.errors()}`;
  expect(processesWith(data)).toEqual([]);
  const read = (suffix: string): string => (existsSync(out(suffix)) ? readFileSync(out(suffix), 'utf8') : '');
  return {
    code,
    words,
    report: JSON.parse(read('.json') || 'null'),
    fills: read('-f.csv'),
    book: read('-b.csv'),
  };
}

function expectConserved(report: DemoReport): void {
  expect(report.orders.rejected).toBe(0);
  expect(report.verifier.mismatches).toBe(0);
  expect(report.withdrawals.requested).toBeGreaterThanOrEqual(50);
  expect(report.withdrawals.paid).toBe(report.withdrawals.requested);
  expect(report.conservation.difference).toBe(0);
}

describe.runIf(existsSync(FILE))('the recorded E-mini opening', () => {
  test('comes out as the exchange recorded it, verified, conserved and paid', async () => {
    const played = await play(FILE, 'es');
    expect(played.code, played.words).toBe(0);
    expect(played.report.problems).toEqual([]);
    expectConserved(played.report);
    expect(played.report.replay).toEqual({
      takes: 1_794,
      takesEqual: 1_794,
      bookEqual: true,
      differences: [],
    });
    expect(played.report.orders.sent).toBe(36_457);
    expect(played.report.fills).toBe(3_408);
    expect(played.fills).toBe(readFileSync(FILE.replace('_replay', '_fills'), 'utf8'));
    expect(played.book).toBe(readFileSync(FILE.replace('_replay', '_book_end'), 'utf8'));
  }, 600_000);
});

if (!existsSync(FILE))
  test(`the recorded E-mini opening is not replayed: ${FILE} is not there`, () => {
    expect(existsSync(FILE)).toBe(false);
  });

describe('a made recording', () => {
  test('does as well, and one that says something else than what happened is noticed', async () => {
    const recording = makeRecording({ seed: 11, rows: 600, mid: 500_000 });
    const stem = path.join(root, 'made');
    const lines = recording.rows.map(
      (row) =>
        `${row.timeNs},${row.op},${row.id},${row.side === 0 ? 'buy' : 'sell'},${row.price},${row.size}`,
    );
    const [first, ...rest] = recording.fills;
    writeFileSync(`${stem}_replay.csv`, `${[REPLAY_HEADER, ...lines].join('\n')}\n`);
    writeFileSync(`${stem}_fills.csv`, formatFills([{ ...first!, size: first!.size + 1 }, ...rest]));
    writeFileSync(`${stem}_book_end.csv`, formatBook(recording.book));
    const played = await play(`${stem}_replay.csv`, 'made');
    expect(played.fills).toBe(formatFills(recording.fills));
    expect(played.book).toBe(formatBook(recording.book));
    const takes = recording.rows.filter((row) => row.op === 'take').length;
    expect(played.report.replay).toMatchObject({ takes, takesEqual: takes - 1, bookEqual: true });
    expect(played.report.problems).toEqual([expect.stringMatching(/^replay: expected/)]);
    expect(played.code).toBe(1);
    expectConserved(played.report);
  });
});
