/** Price replays: the series and its shock, and who lives through it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { population } from '#client/demo/prices/population.ts';
import { parsePrices, SeriesError, withShock } from '#client/demo/prices/series.ts';

const TICK = 100_000_000;
const HEADER = 'time_ms,open,close';

describe('a price series', () => {
  test('is read by its columns, to the nearest tick', () => {
    const text = `${HEADER}\n1000,1,46385\n61000,2,46377.26\n121000,3,46377.25\n`;
    expect(parsePrices(text, TICK, 'x.csv')).toEqual([
      { timeMs: 1_000, price: 463_850 },
      { timeMs: 61_000, price: 463_773 },
      { timeMs: 121_000, price: 463_773 },
    ]);
  });

  test.each([
    ['a,b\n', 'x.csv: expected a header with time_ms and close, got "a,b"'],
    [`${HEADER}\n1000,1,2\n1000,1,2\n`, 'x.csv line 3, time_ms: expected times that rise, got "1000"'],
    [`${HEADER}\nx,1,2\n`, 'x.csv line 2, time_ms: expected milliseconds since 1970, got "x"'],
    [`${HEADER}\n1000,1,-2\n`, 'x.csv line 2, close: expected a price from 1 to 4294967295 ticks, got "-2"'],
    [`${HEADER}\n1000,1,0.01\n`, 'x.csv line 2, close: expected a price from 1'],
    [`${HEADER}\n1000,1,2\n`, 'x.csv: expected at least two rows, got 1'],
  ])('%j is refused', (text, sentence) => {
    expect(() => parsePrices(text, TICK, 'x.csv')).toThrow(SeriesError);
    expect(() => parsePrices(text, TICK, 'x.csv')).toThrow(sentence);
  });

  test('falls by 30 % from one row to the next, and stays there', () => {
    const points = Array.from({ length: 10 }, (_, i) => ({ timeMs: i, price: 1_000 }));
    expect(withShock(points).map(({ price }) => price)).toEqual([
      ...Array<number>(6).fill(1_000),
      ...Array<number>(4).fill(700),
    ]);
  });
});

describe('the population', () => {
  test('is the same for the same seed, within its bounds, and of both sides', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.integer({ min: 10, max: 50_000 }), (seed, rows) => {
        const plans = population(60, rows, seed);
        expect(population(60, rows, seed)).toEqual(plans);
        for (const { funding, leverage, firstRow, holdRows, restRows } of plans) {
          expect(funding).toBeGreaterThanOrEqual(200_000_000);
          expect(funding).toBeLessThanOrEqual(20_000_000_000);
          expect(leverage).toBeGreaterThanOrEqual(2);
          expect(leverage).toBeLessThanOrEqual(48);
          expect(firstRow).toBeGreaterThanOrEqual(1);
          expect(firstRow).toBeLessThanOrEqual(Math.max(1, rows / 2));
          expect(Math.min(holdRows, restRows)).toBeGreaterThan(0);
        }
        expect(new Set(plans.map(({ side }) => side)).size).toBe(2);
      }),
      { numRuns: 50 },
    );
  });
});
