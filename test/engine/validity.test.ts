/** What a round's price is worth, what it allows, and how the deviation guard lets the index follow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confirmMove } from '#engine/pricing/deviation.ts';
import { mayLiquidate, mayMargin, mayOpen, Validity, validityOf } from '#engine/pricing/validity.ts';
import { encodeMarketConfig, encodePublisher } from '#protocol/market.ts';
import { QUEUE_CONFIGURE_MARKET, QUEUE_CONFIGURE_PUBLISHER } from '#protocol/queue-entry.ts';
import { rejectName } from '#protocol/reject.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET, testAddress } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`validity properties: SEED=${SEED}`);
const GUARDED = { ...TEST_MARKET, deviationPpm: 10_000, confidenceMaxPpm: 20_000 };
const NOBODY = new Uint8Array(20);

const desk = (): Desk => {
  const made = new Desk({ markets: [GUARDED] });
  made.price(0, 10_000);
  return made;
};
const may = ({ state }: Desk): string => {
  const market = state.market(0)!;
  const words = [
    mayLiquidate(state, market) ? 'liquidate' : '',
    mayMargin(state, market) ? 'margin' : '',
    mayOpen(state, market) ? 'open' : '',
  ];
  return words.filter((word) => word !== '').join(' ');
};
const held = ({ state }: Desk): number[] => {
  const { index, pendingIndex, validity } = state.market(0)!;
  return [index, pendingIndex, validity];
};
const five = (price: number, confidence = 1): { price: number; confidence: number }[] =>
  Array.from({ length: 5 }, () => ({ price, confidence }));

describe('the ladder and what each rung allows', () => {
  it('nothing while there was no round, everything after it, nothing once it is too old', () => {
    const exchange = new Desk({ markets: [GUARDED] });
    const market = exchange.state.market(0)!;
    expect(validityOf(exchange.state, market)).toBe(Validity.VOID);
    expect(may(exchange)).toBe('');
    exchange.price(0, 10_000);
    exchange.advance(10_000);
    exchange.clock();
    expect(may(exchange)).toBe('liquidate margin open');
    exchange.advance(1);
    exchange.clock();
    expect(validityOf(exchange.state, market)).toBe(Validity.STALE);
    expect(may(exchange)).toBe('');
  });

  it('an uncertain price may liquidate and no more, up to exactly the share that the market allows', () => {
    const exchange = desk();
    exchange.round(0, five(10_000, 200));
    expect(may(exchange)).toBe('liquidate margin open');
    exchange.round(0, five(10_000, 201));
    expect(held(exchange)).toEqual([10_000, 0, Validity.UNCERTAIN]);
    expect(may(exchange)).toBe('liquidate');
    exchange.price(0, 10_000);
    expect(may(exchange)).toBe('liquidate margin open');
  });

  it('a price six times off its average may nothing, until the average has followed', () => {
    const exchange = desk();
    // Two rounds, so that the guard lets it through.
    exchange.price(0, 60_000);
    exchange.advance(500);
    exchange.price(0, 60_000);
    expect(held(exchange)).toEqual([60_000, 0, Validity.VOLATILE]);
    expect(may(exchange)).toBe('');
    exchange.pass(60_000);
    expect(may(exchange)).toBe('liquidate margin open');
    expect(exchange.state.market(0)!.twap).toBeGreaterThan(10_000);
    exchange.price(0, 1_000);
    exchange.price(0, 1_000);
    expect(held(exchange)).toEqual([1_000, 0, Validity.VOLATILE]);
  });

  it('without limits in the market every round is valid', () => {
    const exchange = new Desk();
    exchange.price(0, 10_000);
    exchange.round(0, five(1_000_000, 900_000));
    expect(held(exchange)).toEqual([1_000_000, 0, Validity.VALID]);
  });

  it('orders that open, withdrawals and transfers wait for a valid price; orders that reduce do not', () => {
    const exchange = desk();
    const [a, b] = [exchange.deposit(1, 1e10), exchange.deposit(2, 1e10)];
    exchange.trade(a, b, 10, 10_000);
    exchange.round(0, five(10_000, 5_000));
    const code = (account: number, operation: Parameters<Desk['code']>[1]): string =>
      rejectName(exchange.code(account, operation));
    expect(code(a, buy(1, 10_000))).toBe('ORACLE_STALE');
    expect(code(a, { kind: 'withdraw', asset: 0, amount: 1 })).toBe('ORACLE_STALE');
    expect(code(a, { kind: 'transfer', asset: 0, amount: 1, toAccount: b })).toBe('ORACLE_STALE');
    expect(code(a, sell(1, 10_000))).toBe('NONE');
    expect(code(b, buy(1, 10_000, { reduceOnly: true, timeInForce: 2 }))).toBe('NONE');
    expect(exchange.position(a)).toBe(9);
  });

  it('accounts are looked at by the price that may liquidate: one round far off does not, its repetition does', () => {
    const exchange = desk();
    const [a, b] = [exchange.deposit(1, 10_000), exchange.deposit(2, 1e10)];
    exchange.trade(a, b, 30, 10_000);
    const starts = (): number => only(exchange.evaluate(a), 'LIQUIDATION_STARTED').length;
    exchange.price(0, 9_700);
    expect(starts()).toBe(0);
    exchange.round(0, five(9_900, 9_000));
    expect(may(exchange)).toBe('liquidate');
    expect(starts()).toBe(0);
    exchange.price(0, 9_700);
    expect(starts()).toBe(0);
    // The guard lets through what two rounds said; nobody is sure of it, and it liquidates all the same.
    exchange.round(0, five(9_700, 9_000));
    expect(held(exchange)).toEqual([9_700, 0, Validity.UNCERTAIN]);
    expect(starts()).toBe(1);
  });

  it('nobody is looked at by a volatile or a stale price', () => {
    const exchange = desk();
    const [a, b] = [exchange.deposit(1, 10_000), exchange.deposit(2, 1e10)];
    exchange.trade(a, b, 30, 10_000);
    exchange.price(0, 1_000);
    exchange.price(0, 1_000);
    expect(validityOf(exchange.state, exchange.state.market(0)!)).toBe(Validity.VOLATILE);
    expect(only(exchange.evaluate(a), 'LIQUIDATION_STARTED')).toEqual([]);
    exchange.advance(60_000);
    exchange.clock();
    expect(only(exchange.evaluate(a), 'LIQUIDATION_STARTED')).toEqual([]);
    exchange.pass(240_000);
    expect(only(exchange.evaluate(a), 'LIQUIDATION_STARTED').length).toBe(1);
  });

  it('funding goes on at an uncertain price, and pauses at a volatile one', () => {
    const pausedAt = (...prices: { price: number; confidence: number }[]): unknown => {
      const exchange = desk();
      exchange.now = exchange.state.nextFundingTime - 1_000;
      exchange.clock();
      // After so long a pause the average is where the index is.
      for (const one of [...five(10_000).slice(0, 1), ...prices])
        exchange.round(0, five(one.price, one.confidence));
      exchange.now = exchange.state.nextFundingTime;
      return only(exchange.clock(), 'FUNDING_RATE')[0]!.paused;
    };
    expect(pausedAt()).toBe(0);
    expect(pausedAt({ price: 10_000, confidence: 9_000 })).toBe(0);
    expect(pausedAt({ price: 60_000, confidence: 1 }, { price: 60_000, confidence: 1 })).toBe(1);
  });
});

describe('deviation guard', () => {
  it('takes what lies within the bound at once, and holds back what does not until it is repeated', () => {
    const exchange = desk();
    exchange.price(0, 10_100);
    expect(held(exchange)).toEqual([10_100, 0, Validity.VALID]);
    exchange.price(0, 10_202);
    expect(held(exchange)).toEqual([10_100, 10_202, Validity.UNREPEATED]);
    expect(may(exchange)).toBe('liquidate');
    exchange.price(0, 10_203);
    expect(held(exchange)).toEqual([10_203, 0, Validity.VALID]);
    expect(may(exchange)).toBe('liquidate margin open');
  });

  it('a spike of one round is forgotten with the next', () => {
    const exchange = desk();
    const { state } = exchange;
    exchange.price(0, 30_000);
    expect([state.market(0)!.mark, ...held(exchange)]).toEqual([10_000, 10_000, 30_000, Validity.UNREPEATED]);
    exchange.price(0, 10_001);
    expect(held(exchange)).toEqual([10_001, 0, Validity.VALID]);
  });

  it('two spikes to different sides repeat nothing', () => {
    const exchange = desk();
    exchange.price(0, 20_000);
    exchange.price(0, 5_000);
    expect(held(exchange)).toEqual([10_000, 5_000, Validity.UNREPEATED]);
    exchange.price(0, 20_000);
    expect(held(exchange)).toEqual([10_000, 20_000, Validity.UNREPEATED]);
  });

  it('a crash is followed one round behind', () => {
    const exchange = desk();
    const seen = [9_500, 9_000, 8_500, 8_490].map((price) => {
      exchange.price(0, price);
      return held(exchange);
    });
    expect(seen).toEqual([
      [10_000, 9_500, Validity.UNREPEATED],
      [9_500, 9_000, Validity.UNREPEATED],
      [9_000, 8_500, Validity.UNREPEATED],
      [8_490, 0, Validity.VALID],
    ]);
  });

  it('an index beyond what the market may have halts it only once it is repeated', () => {
    const exchange = new Desk({ markets: [{ ...GUARDED, maxPrice: 20_000, maxPosition: 1_000 }] });
    exchange.price(0, 10_000);
    exchange.price(0, 30_000);
    expect(exchange.state.market(0)!.halted).toBe(false);
    exchange.price(0, 10_000);
    exchange.price(0, 30_000);
    exchange.price(0, 31_000);
    expect(exchange.state.market(0)!.halted).toBe(true);
    expect(held(exchange)).toEqual([10_000, 30_000, Validity.UNREPEATED]);
  });

  it('never lets the index go further than some round of the last two said, nor past both', () => {
    const price = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(
        price,
        price,
        price,
        fc.integer({ min: 1, max: 1_000_000 }),
        (start, first, second, ppm) => {
          const one = confirmMove(first, start, 0, ppm);
          const limit = (start * ppm) / 1_000_000;
          expect(Math.abs(one.index - start)).toBeLessThanOrEqual(limit);
          const two = confirmMove(second, one.index, one.pending, ppm);
          const said = [start, first, second, one.index];
          expect(two.index).toBeGreaterThanOrEqual(Math.min(...said));
          expect(two.index).toBeLessThanOrEqual(Math.max(...said));
          // Who moves the index further than the bound has two rounds on that side.
          if (Math.abs(two.index - start) > 2 * limit && one.pending !== 0)
            expect(Math.sign(first - start)).toBe(Math.sign(second - start));
        },
      ),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it('a guard that is taken away lets the next round through', () => {
    const exchange = desk();
    exchange.price(0, 20_000);
    exchange.queue(
      QUEUE_CONFIGURE_MARKET,
      NOBODY,
      encodeMarketConfig({ ...GUARDED, deviationPpm: 0, confidenceMaxPpm: 0 }),
    );
    exchange.price(0, 20_000);
    expect(held(exchange)).toEqual([20_000, 0, Validity.VALID]);
  });
});

describe('average of the index', () => {
  it('moves at steps that are smaller than a tick of the average, and meets the index in the end', () => {
    const exchange = new Desk();
    exchange.price(0, 10_000);
    const market = exchange.state.market(0)!;
    expect([market.twap, market.twapFine]).toEqual([10_000, 10_000_000_000]);
    for (let n = 0; n < 600; n++) {
      exchange.advance(500);
      exchange.price(0, 10_010);
    }
    // One time constant: 1 - 1/e of the way.
    expect(market.twapFine / 1e6).toBeCloseTo(10_010 - 10 / Math.E, 1);
    exchange.advance(86_400_000);
    exchange.price(0, 10_010);
    expect(market.twap).toBe(10_009);
  });
});

describe('a publisher that misbehaves', () => {
  const four = [0, 1, 2, 3].map((publisher) => ({ publisher, price: 10_000 }));

  it.each([
    ['lies', { price: 1 }],
    ['lies upwards', { price: 99_000_000, confidence: 0 }],
    ['is unsure of everything', { confidence: 2 ** 32 - 1 }],
  ])('that %s does not move the price', (_, odd) => {
    const exchange = desk();
    expect(exchange.round(0, [...four, { publisher: 4, price: 10_000, ...odd }])).toMatchObject({
      index: 10_000,
      mark: 10_000,
      reports: 5,
    });
    expect(may(exchange)).toBe('liquidate margin open');
  });

  it('that stalls, replays or goes backwards is left out, and the others go on', () => {
    const exchange = desk();
    exchange.round(0, [...four, { publisher: 4, price: 10_000, sequence: 1_000 }]);
    exchange.advance(500);
    const { now } = exchange;
    for (const odd of [
      { time: now - 3_001, sequence: 1_001 },
      { sequence: 1_000 },
      { sequence: 999 },
      { time: now + 3_001, sequence: 1_002 },
    ])
      expect(exchange.round(0, [...four, { publisher: 4, price: 90_000, ...odd }])).toMatchObject({
        index: 10_000,
        reports: 4,
      });
    expect(exchange.round(0, four)).toMatchObject({ index: 10_000, reports: 4 });
    expect(may(exchange)).toBe('liquidate margin open');
  });

  it('key rotation: the old key stops counting at once, the sequence goes on with the new one', () => {
    const exchange = desk();
    const next = testAddress(9_100);
    exchange.round(0, [...four, { publisher: 4, price: 10_000, sequence: 1_000 }]);
    const rotated = encodePublisher({ index: 4, address: next, weight: 1 });
    exchange.queue(QUEUE_CONFIGURE_PUBLISHER, NOBODY, rotated);
    const reports = (odd: object): unknown =>
      exchange.round(0, [...four, { publisher: 4, price: 10_000, ...odd }]).reports;
    expect(reports({ sequence: 1_001 })).toBe(4);
    expect(reports({ sequence: 1_000, signer: next })).toBe(4);
    expect(reports({ sequence: 1_001, signer: next })).toBe(5);
    // The old key back on its old place is the same as any new one.
    const back = encodePublisher({ index: 4, address: testAddress(9_004), weight: 1 });
    exchange.queue(QUEUE_CONFIGURE_PUBLISHER, NOBODY, back);
    expect(reports({ sequence: 1_002, signer: next })).toBe(4);
    expect(reports({ sequence: 1_002 })).toBe(5);
  });
});
