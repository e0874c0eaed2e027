/** The pace of a replay, by a clock that the test moves: recorded times divided by the speed, quotas never exceeded. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordedRow } from '#client/demo/recording.ts';
import { ReplayPace } from '#client/demo/replay-pace.ts';

const FIRST = 1_703_545_200_000_000_000n;
const rowAt = (ms: number): RecordedRow => ({
  timeNs: String(FIRST + BigInt(Math.round(ms * 1e6))),
  op: 'add',
  id: 1,
  side: 0,
  price: 1,
  size: 1,
});
const WIDE = { framesPerSecond: 1_000_000, framesBurst: 1_000_000 };

/** Times at which the rows go when somebody sends whatever is due and waits as told. */
function play(pace: ReplayPace, rows: number, clock: { ms: number }): number[] {
  const sent: number[] = [];
  for (let row = 0; row < rows; ) {
    const count = pace.due(row, 32);
    for (let i = 0; i < count; i++) sent.push(clock.ms);
    row += count;
    // A turn of the event loop takes time too.
    clock.ms += Math.max(pace.waitMs(row), 0.01);
  }
  return sent;
}

describe('the pace of a replay', () => {
  test.each([
    [1, [0, 10, 10, 500]],
    [2, [0, 5, 5, 250]],
    [0.5, [0, 20, 20, 1_000]],
  ])('at speed %d rows go at their times', (speed, expected) => {
    const clock = { ms: 1_000 };
    const rows = [rowAt(0), rowAt(10), rowAt(10), rowAt(500)];
    const sent = play(new ReplayPace(rows, speed, WIDE, () => clock.ms), rows.length, clock);
    sent.forEach((ms, i) => {
      expect(ms - 1_000).toBeGreaterThanOrEqual(expected[i]!);
      expect(ms - 1_000).toBeLessThan(expected[i]! + 1.1);
    });
  });

  test('at full speed recorded times do not matter', () => {
    const clock = { ms: 0 };
    const rows = [rowAt(0), rowAt(3_600_000)];
    expect(play(new ReplayPace(rows, 'max', WIDE, () => clock.ms), 2, clock)).toEqual([0, 0]);
  });

  test('within any stretch of time no more than the quotas allow', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 50 }),
        (framesPerSecond, framesBurst) => {
          const clock = { ms: 0 };
          const rows = Array.from({ length: 200 }, () => rowAt(0));
          const quotas = { framesPerSecond, framesBurst };
          const sent = play(new ReplayPace(rows, 'max', quotas, () => clock.ms), rows.length, clock);
          expect(sent).toHaveLength(rows.length);
          for (let from = 0; from < sent.length; from += 7)
            for (let to = from; to < sent.length; to += 11) {
              const allowed = framesBurst + (framesPerSecond * (sent[to]! - sent[from]!)) / 1_000;
              expect(to - from + 1).toBeLessThanOrEqual(Math.max(1, allowed) + 1e-6);
            }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('asks for no more than it is given leave to send', () => {
    const rows = Array.from({ length: 10 }, () => rowAt(0));
    const pace = new ReplayPace(rows, 'max', WIDE, () => 0);
    expect([pace.due(0, 3), pace.due(3, 0), pace.due(3, 32), pace.due(10, 32)]).toEqual([3, 0, 7, 0]);
  });
});
