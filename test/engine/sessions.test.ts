/** Random sessions over three markets with jumping prices: conservation and the other invariants after every command. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulPpmDown, mulPpmUp } from '#protocol/fixed-point.ts';
import { NO_MARKET_LIMITS } from '#protocol/market.ts';
import type { Operation } from '#protocol/operation.ts';
import { TEST_MARKET, TestExchange } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`session properties: SEED=${SEED}`);

const markets = [0, 1, 2].map((market) => ({
  ...TEST_MARKET,
  market,
  symbol: `M${market}-PERP`,
  qm: [1, 10, 250][market]!,
  maxPrice: 20_000,
  maxPosition: 1_000_000,
  profitWeightPpm: [1_000_000, 500_000, 0][market]!,
  ...NO_MARKET_LIMITS,
}));

const market = fc.integer({ min: 0, max: 2 });
const placeOp = fc
  .record({
    market,
    side: fc.constantFrom<0 | 1>(0, 1),
    price: fc.integer({ min: 9_900, max: 10_100 }),
    size: fc.integer({ min: 1, max: 2_000 }),
    timeInForce: fc.constantFrom<0 | 2 | 3>(0, 0, 0, 0, 2, 2, 3),
    reduceOnly: fc.constantFrom(false, false, false, false, true),
    postOnly: fc.constant(false),
    selfTradePrevention: fc.constantFrom<0 | 1 | 2 | 3>(0, 1, 2, 3),
    clientId: fc.constantFrom(0, 0, 0, 5, 6),
  })
  .map((o): Operation => ({ kind: 'place', ...o }));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: placeOp },
  {
    weight: 2,
    arbitrary: fc
      .record({ market, id: fc.integer({ min: 1, max: 60 }) })
      .map((o): Operation => ({ kind: 'cancel', by: 'order', ...o })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        market,
        id: fc.integer({ min: 1, max: 60 }),
        price: fc.integer({ min: 9_900, max: 10_100 }),
        size: fc.integer({ min: 1, max: 500 }),
      })
      .map((o): Operation => ({ kind: 'amend', by: 'order', ...o })),
  },
  { weight: 1, arbitrary: market.map((m): Operation => ({ kind: 'cancel-all', market: m })) },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 1, max: 2_000_000_000 })
      .map((amount): Operation => ({ kind: 'withdraw', asset: 0, amount })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        toAccount: fc.integer({ min: 1, max: 6 }),
        amount: fc.integer({ min: 1, max: 1_000_000_000 }),
      })
      .map((o): Operation => ({ kind: 'transfer', asset: 0, ...o })),
  },
);
const action = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      what: fc.constant('send' as const),
      who: fc.nat(4),
      operations: fc.array(operation, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('price' as const),
      market,
      ppm: fc.oneof(
        fc.integer({ min: 990_000, max: 1_010_000 }),
        fc.integer({ min: 500_000, max: 1_500_000 }),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 4_000_000 }) }),
  },
);

describe('random sessions', () => {
  it('conserve money, keep positions zero-sum and totals exact, whatever is sent and however prices jump', () => {
    const codes = new Map<number, number>();
    let trades = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 60, maxLength: 120 }), (actions) => {
        const exchange = new TestExchange({ markets });
        const accounts = [0, 1, 2, 3, 4].map((n) => exchange.deposit(n, [2e7, 5e7, 2e8, 1e9, 1e10][n]!));
        exchange.deposit(0, 1_000_000, 1);
        exchange.deposit(4, 1_000_000, 1);
        for (const m of markets) exchange.price(m.market, 10_000);
        for (const a of actions) {
          if (a.what === 'price')
            exchange.price(a.market, Math.max(1, Math.floor((10_000 * a.ppm) / 1_000_000)));
          else if (a.what === 'time') {
            exchange.advance(a.ms);
            exchange.clock();
            for (const m of markets)
              exchange.price(m.market, Math.max(1, exchange.state.market(m.market)!.index));
          } else {
            const events = exchange.send(accounts[a.who]!, ...a.operations);
            const results = exchange.results(events);
            expect(results.length).toBe(a.operations.length);
            for (const r of results) codes.set(Number(r.code), (codes.get(Number(r.code)) ?? 0) + 1);
            trades += events.filter((e) => e.event === 'TRADE').length;
            // Equity is checked where a withdrawal was the last thing that happened to the account.
            const last = events.at(-2);
            for (const w of last?.event === 'WITHDRAWAL' ? [last] : []) {
              const margin = exchange.engine.risk.margin(Number(w.account));
              expect(margin.equityInitial).toBeGreaterThanOrEqual(
                Math.max(margin.initial, mulPpmUp(margin.notional, exchange.state.chain.withdrawalFloorPpm)),
              );
            }
          }
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
    console.log(
      `trades ${trades}, results by code ${JSON.stringify([...codes].sort((a, b) => a[0] - b[0]))}`,
    );
    expect(trades).toBeGreaterThan(1_000);
    expect(codes.get(403)).toBeGreaterThan(10);
  });
});

describe('mulPpm', () => {
  it('equals bigint arithmetic for every notional below 2^53 and rate up to 1e6', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 1_000_000 }), (n, rate) => {
        const product = BigInt(n) * BigInt(rate);
        expect(BigInt(mulPpmUp(n, rate))).toBe((product + 999_999n) / 1_000_000n);
        expect(BigInt(mulPpmDown(n, rate))).toBe(product / 1_000_000n);
      }),
      { seed: SEED, numRuns: 20_000 },
    );
  });
});
