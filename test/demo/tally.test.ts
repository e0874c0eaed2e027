/** Percentiles against sorted values, counts against what was told, and repeatable chance. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '#client/demo/seeded-random.ts';
import { LatencyTally, Tally } from '#client/demo/tally.ts';

describe('latency', () => {
  test('percentiles lie within two percent above those of the sorted values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100_000_000 }), { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (values, share) => {
          const tally = new LatencyTally();
          for (const value of values) tally.add(value);
          const exact = [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;
          const got = tally.percentile(share);
          expect(got).toBeGreaterThanOrEqual(exact);
          expect(got).toBeLessThanOrEqual(exact * (1 + 1 / 64) + 1);
        },
      ),
    );
  });

  test('nothing counted is zero, and cleared is nothing', () => {
    const tally = new LatencyTally();
    expect(tally.percentile(0.5)).toBe(0);
    tally.add(77);
    expect(tally.percentile(0.5)).toBe(77);
    tally.clear();
    expect([tally.count, tally.percentile(0.99)]).toEqual([0, 0]);
  });
});

test('operations are counted by what became of them', () => {
  const tally = new Tally();
  tally.replied(
    [
      { rejectCode: 0, canceled: 0, status: 'resting' },
      { rejectCode: 0, canceled: 0, status: 'canceled' },
      { rejectCode: 0, canceled: 7, status: 'canceled' },
      { rejectCode: 300, canceled: 0, status: 'rejected' },
    ],
    120,
  );
  tally.refused(3);
  expect(tally).toMatchObject({ sent: 7, accepted: 3, rejected: 4, canceled: 8 });
  expect(tally.orderToReply.percentile(0.5)).toBe(120);
});

describe('chance', () => {
  test('is the same for the same seed and name, and another for others', () => {
    const draw = (seed: number, name: string) => {
      const random = new SeededRandom(seed, name);
      return Array.from({ length: 20 }, () => random.next());
    };
    expect(draw(7, 'a')).toEqual(draw(7, 'a'));
    expect(draw(7, 'a')).not.toEqual(draw(7, 'b'));
    expect(draw(7, 'a')).not.toEqual(draw(8, 'a'));
  });

  test('stays in range and reaches both ends', () => {
    const random = new SeededRandom(1);
    const seen = new Set(Array.from({ length: 1_000 }, () => random.whole(3, 6)));
    expect([...seen].sort()).toEqual([3, 4, 5, 6]);
    for (let i = 0; i < 1_000; i++) {
      const value = random.between(-2, 2);
      expect(value >= -2 && value < 2).toBe(true);
    }
  });
});
