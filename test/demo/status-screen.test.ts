/** The status screen: redrawn on a terminal, line by line elsewhere; and what keeps a run from being a success. */
import { describe, expect, test } from 'vitest';
import { type DemoReport, problemsOf, summaryOf } from '#client/demo/report.ts';
import {
  lineText,
  type ScreenView,
  StatusScreen,
  screenText,
  shortBytes,
  shortTime,
} from '#client/demo/status-screen.ts';

const VIEW: ScreenView = {
  title: 'Sluice: 3 markets',
  places: [['WebSocket', 'ws://127.0.0.1:9900/ws']],
  seconds: 3_725.4,
  ordersPerSecond: 312.4,
  fillsPerSecond: 21,
  orders: { sent: 12_345, rejected: 6 },
  fills: 789,
  orderToReply: { p50: 812, p99: 12_345 },
  journal: { records: 4_567, bytes: 2_345_678 },
  batches: { signed: 9, committed: 8, verified: 7, final: 6 },
  l1: { gasPerBatch: 1_234_567, bytesPerBatch: 45_678 },
  verdict: 'all 7 batches equal',
  activity: 'trading',
};

describe('the screen', () => {
  test('shows everything once', () => {
    expect(screenText(VIEW).split('\n')).toEqual([
      'Sluice: 3 markets',
      '',
      '  running        01:02:05   trading',
      '  orders         312/s   12,345 sent, 6 rejected',
      '  fills          21/s   789 in all',
      '  order → reply  p50 812 µs   p99 12.3 ms',
      '  journal        command 4,567   2.2 MiB',
      '  batches        signed 9   committed 8   verified 7   final 6',
      '  L1 per batch   1,234,567 gas   44.6 KiB',
      '  verifier       all 7 batches equal',
      '  WebSocket      ws://127.0.0.1:9900/ws',
      '',
      '  Ctrl-C ends',
    ]);
  });

  test('fits one line', () => {
    expect(lineText({ ...VIEW, l1: undefined, journal: undefined })).toBe(
      '01:02:05 | 312 orders/s | 21 fills/s | p50 812 µs p99 12.3 ms | journal - | batches 9/8/7/6 | L1 - | verifier all 7 batches equal | trading',
    );
  });

  test('where there is no terminal, places come once and lines seldom', () => {
    const written: string[] = [];
    const screen = new StatusScreen({ isTerminal: false, write: (text) => written.push(text) });
    screen.say('starting …');
    for (let i = 0; i < 5; i++) screen.show(VIEW);
    screen.close();
    expect(written).toEqual([
      'starting …\n',
      'Sluice: 3 markets\n',
      'WebSocket: ws://127.0.0.1:9900/ws\n',
      `${lineText(VIEW)}\n`,
    ]);
  });

  test('times and bytes are short', () => {
    expect([0, 9_999, 10_000, 999_949, 2_500_000].map(shortTime)).toEqual([
      '-',
      '9,999 µs',
      '10.0 ms',
      '999.9 ms',
      '2.5 s',
    ]);
    expect([0, 1_023, 1_536, 3_355_443].map(shortBytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '3.2 MiB']);
  });
});

const GOOD: Omit<DemoReport, 'problems'> = {
  kind: 'replay',
  seed: 1,
  seconds: 60,
  orders: { sent: 100, accepted: 100, rejected: 0, canceled: 10 },
  fills: 5,
  latencyUs: { orderToReply: { p50: 1, p99: 2, p999: 3 } },
  throughput: { ordersPerSecond: 50 },
  journal: { records: 10, bytes: 20, flushes: 5 },
  batches: { signed: 4, committed: 4, final: 3, struck: 0 },
  l1: { transactions: 7, gas: 8, calldataBytes: 9, blobBytes: 0 },
  verifier: { stateRoot: `0x${'00'.repeat(32)}`, seq: 1, steps: 50, mismatches: 0, batches: 4 },
  withdrawals: { requested: 60, paid: 60 },
  conservation: { vault: 1_000, leftBehind: 1_000, difference: 0 },
  replay: { takes: 3, takesEqual: 3, bookEqual: true, differences: [] },
  complete: true,
};

describe('a report', () => {
  test('of a good run has no problems and says so', () => {
    expect(problemsOf(GOOD)).toEqual([]);
    expect(summaryOf({ ...GOOD, problems: [] })).toMatch(/Everything was verified and conserved\.$/);
    const { replay: _, ...plain } = GOOD;
    expect(problemsOf({ ...plain, kind: 'demo' })).toEqual([]);
    expect(
      problemsOf({
        ...GOOD,
        replay: { takes: 3, takesEqual: undefined, bookEqual: undefined, differences: [] },
      }),
    ).toEqual([]);
  });

  test.each<[string, Partial<DemoReport>, RegExp]>([
    ['a mismatch', { verifier: { ...GOOD.verifier, mismatches: 1 } }, /expected no mismatch, got 1/],
    ['an idle verifier', { verifier: { ...GOOD.verifier, steps: 0 } }, /expected steps, got none/],
    [
      'a verifier behind',
      { verifier: { ...GOOD.verifier, batches: 2 } },
      /expected 3 batches re-executed, got 2/,
    ],
    ['no batch', { batches: { ...GOOD.batches, final: 0 } }, /expected final ones/],
    ['a struck batch', { batches: { ...GOOD.batches, struck: 1 } }, /expected none struck, got 1/],
    ['an unpaid withdrawal', { withdrawals: { requested: 60, paid: 59 } }, /expected 60 paid, got 59/],
    [
      'one unit missing',
      { conservation: { vault: 999, leftBehind: 1_000, difference: -1 } },
      /expected the vault to hold 1000, got 999/,
    ],
    [
      'a take that differs',
      { replay: { ...GOOD.replay!, takesEqual: 2 } },
      /expected 3 takes .* got 2 takes/,
    ],
    ['a book that differs', { replay: { ...GOOD.replay!, bookEqual: false } }, /a book that differs/],
    ['an interruption', { complete: false }, /interrupted/],
  ])('names %s', (_, change, sentence) => {
    const report = { ...GOOD, ...change };
    expect(problemsOf(report)).toEqual([expect.stringMatching(sentence)]);
    expect(summaryOf({ ...report, problems: problemsOf(report) })).toMatch(
      report.complete ? /\nNOT GOOD: / : /\nStopped before everything was final: 4 batches were verified/,
    );
  });
});
