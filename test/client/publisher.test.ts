/** Price sources: the walk is one path for all, the series is what the file says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedSource } from '#client/publisher/price-source.ts';
import { randomWalk } from '#client/publisher/random-walk.ts';
import { parseSeries, recordedSeries } from '#client/publisher/recorded-series.ts';
import { BTC } from './live-exchange.ts';

const startPrices = new Map([[0, 640_000]]);
const now = 1_700_000_000_000;

describe('random walk', () => {
  it('is a function of seed, market and time alone', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 10 ** 10 }), (seed, offset) => {
        const price = () => randomWalk({ seed, startPrices, noisePpm: 0 }).priceAt(0, now + offset);
        expect(price()).toEqual(price());
        expect(randomWalk({ seed, startPrices, noisePpm: 0, publisher: 3 }).priceAt(0, now + offset)).toEqual(
          price(),
        );
        expect(price()!.price).toBeGreaterThan(0);
        expect(Number.isInteger(price()!.price)).toBe(true);
      }),
    );
  });

  it('differs between seeds and between markets', () => {
    const at = (seed: number, market: number) =>
      randomWalk({ seed, startPrices: new Map([[market, 640_000]]) }).priceAt(market, now)!.price;
    expect(new Set([at(1, 0), at(2, 0), at(3, 0), at(1, 1), at(1, 2)]).size).toBe(5);
  });

  it('moves steadily: no jump between neighbours, and as far as its volatility says', () => {
    const walk = randomWalk({ seed: 5, startPrices, noisePpm: 0, volatility: 0.6 });
    const minute = 60_000;
    const moves: number[] = [];
    let last = walk.priceAt(0, now)!.price;
    for (let i = 1; i <= 2_000; i++) {
      const { price } = walk.priceAt(0, now + i * minute)!;
      moves.push(Math.log(price / last));
      last = price;
    }
    const deviation = Math.sqrt(moves.reduce((sum, move) => sum + move * move, 0) / moves.length);
    const expected = 0.6 / Math.sqrt((365 * 86_400_000) / minute);
    expect(deviation / expected).toBeGreaterThan(0.7);
    expect(deviation / expected).toBeLessThan(1.4);
    for (let ms = 0; ms < 20_000; ms += 10) {
      const step = Math.abs(walk.priceAt(0, now + ms + 10)!.price / walk.priceAt(0, now + ms)!.price - 1);
      expect(step).toBeLessThan(0.0005);
    }
  });

  it('gives each publisher a small error of its own', () => {
    const prices = [0, 1, 2, 3, 4].map(
      (publisher) => randomWalk({ seed: 1, startPrices, publisher }).priceAt(0, now)!.price,
    );
    expect(new Set(prices).size).toBeGreaterThan(1);
    expect(Math.max(...prices) / Math.min(...prices)).toBeLessThan(1.001);
  });

  it('has no price for a market that it does not know', () => {
    expect(randomWalk({ seed: 1, startPrices }).priceAt(7, now)).toBeUndefined();
    expect(fixedSource(startPricesFixed).priceAt(7, now)).toBeUndefined();
    expect(fixedSource(startPricesFixed).priceAt(0, now)).toEqual({ price: 5, confidence: 1 });
  });
});
const startPricesFixed = new Map([[0, { price: 5, confidence: 1 }]]);

describe('recorded series', () => {
  it('reads minute bars, rounding to the nearest tick', () => {
    const series = parseSeries(
      'time_ms,open,close\n1000,1,46319\n61000,1,46377.04\n121000,1,46377.06\n',
      BTC,
    );
    expect(series).toEqual([
      { offsetMs: 0, price: 463_190 },
      { offsetMs: 60_000, price: 463_770 },
      { offsetMs: 120_000, price: 463_771 },
    ]);
  });

  it('reads the takes of an order-by-order recording', () => {
    const csv =
      'time_ns,op,id,side,price_ticks,size\n1703545200000000000,add,9,buy,19200,1\n1703545200005000000,take,1,buy,19201,3\n1703545201005000000,take,2,sell,19200,1\n';
    expect(parseSeries(csv, BTC)).toEqual([
      { offsetMs: 0, price: 19_201 },
      { offsetMs: 1_000, price: 19_200 },
    ]);
  });

  it.each([
    ['', 'series line 1: expected columns'],
    ['time_ms,volume\n1,2', 'series line 1: expected columns'],
    ['time_ms,close\n', 'series line 1: expected at least one row'],
    ['time_ms,close\n5,1\n4,1', 'series line 3: expected times that do not fall'],
    ['time_ms,close\nx,1', 'series line 2: expected a time'],
    ['time_ms,close\n1,1e5', 'series line 2: expected a decimal price'],
    ['time_ms,price_ticks\n1,0', 'series line 2: expected ticks from 1'],
  ])('refuses %j', (csv, sentence) => {
    expect(() => parseSeries(csv, BTC)).toThrow(sentence);
  });

  it('plays at its speed, holds the ends, and never looks ahead', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 5_000 }), fc.integer({ min: 1, max: 999 })), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: -500, max: 300_000 }),
        (steps, speed, after) => {
          let offsetMs = 0;
          const points = steps.map(([gap, price], i) => {
            offsetMs += i === 0 ? 0 : gap;
            return { offsetMs, price };
          });
          const source = recordedSeries(new Map([[0, points]]), { startMs: now, speed });
          const naive = points.filter((point) => point.offsetMs <= after * speed).at(-1) ?? points[0]!;
          // Several points of one time: the last of them holds.
          expect(source.priceAt(0, now + after)!.price).toBe(naive.price);
        },
      ),
    );
    expect(recordedSeries(new Map(), { startMs: now }).priceAt(0, now)).toBeUndefined();
  });
});
