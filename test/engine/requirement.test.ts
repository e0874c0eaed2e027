/** The initial requirement of a position: tier, open interest, own leverage, concentration, capped profit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addExposure,
  concentrationPpm,
  countedProfit,
  Exposure,
  initialRequirement,
  Margin,
  positionRequirement,
} from '#engine/risk/margin.ts';
import { cdiv } from '#protocol/fixed-point.ts';
import { MILLION, NOTIONAL_MAX, POSITIONS_MAX, WHOLE_QUOTE_MAX } from '#protocol/limits.ts';
import type { MarketConfig } from '#protocol/market.ts';
import { Reject } from '#protocol/reject.ts';
import { Levels } from '#state/book-side.ts';
import { MarketState } from '#state/market-state.ts';
import { Orders } from '#state/orders.ts';
import { buy, Desk, sell } from '../support/desk.ts';
import { PLAIN_MARKET } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`requirement properties: SEED=${SEED}`);

interface Sampled {
  readonly openInterestPpm?: number;
  /** Whole quote. */
  readonly depth?: number;
}

function marketOf(change: Partial<MarketConfig>, sampled: Sampled = {}): MarketState {
  const market = new MarketState({ ...PLAIN_MARKET, ...change }, new Levels(), new Orders());
  market.openInterestPpm = sampled.openInterestPpm ?? 0;
  market.depth = sampled.depth ?? 0;
  return market;
}

/** In quote. */
const required = (market: MarketState, notional: number, leveragePpm = 0): number =>
  positionRequirement(market, notional * MILLION, leveragePpm) / MILLION;

describe('the requirement of a position', () => {
  it('is that of its tier while nothing else asks for more', () => {
    const market = marketOf({ concentrationPpm: MILLION }, { openInterestPpm: 90_000, depth: 1_000 });
    expect(required(market, 1_000)).toBe(100);
    expect(required(market, 1_000, 100_000)).toBe(100);
  });

  it('is what open interest asks for where that is more, and what the account asks of itself where that is', () => {
    const market = marketOf({}, { openInterestPpm: 250_000 });
    expect(required(market, 1_000)).toBe(250);
    expect(required(market, 1_000, 200_000)).toBe(250);
    expect(required(market, 1_000, 500_000)).toBe(500);
  });

  it('vector 7, its second half: 38.7653 % of a notional where open interest has come to that', () => {
    const market = marketOf({}, { openInterestPpm: 387_653 });
    expect(required(market, 1_000)).toBe(387.653);
    expect(positionRequirement(market, 1, 0)).toBe(1);
  });

  it('rises with notional beyond the depth of the book, to three times at most', () => {
    const market = marketOf({ concentrationPpm: 500_000 }, { depth: 1_000 });
    expect(required(market, 1_000)).toBe(100);
    // Twice the depth: ×1.5. Five times: ×3. Beyond: still ×3.
    expect(required(market, 2_000)).toBe(300);
    expect(required(market, 5_000)).toBe(1_500);
    expect(required(market, 50_000)).toBe(15_000);
    expect(concentrationPpm(market, 5_000 * MILLION)).toBe(2 * MILLION);
  });

  it('raises what open interest and leverage ask for too', () => {
    const market = marketOf({ concentrationPpm: MILLION }, { depth: 1_000, openInterestPpm: 400_000 });
    expect(required(market, 2_000)).toBe(1_600);
    expect(required(market, 2_000, 600_000)).toBe(2_400);
  });

  it('knows no concentration without a factor or without a depth', () => {
    expect(required(marketOf({}, { depth: 1 }), 1_000)).toBe(100);
    expect(required(marketOf({ concentrationPpm: MILLION }), 1_000)).toBe(100);
  });

  it('is what bigints make of it, for any numbers within bounds', () => {
    const one = fc.record({
      notional: fc.oneof(
        fc.nat(10_000),
        fc.maxSafeNat().map((n) => n % (NOTIONAL_MAX + 1)),
        fc.constant(NOTIONAL_MAX),
      ),
      initialPpm: fc.integer({ min: 1, max: MILLION }),
      openInterestPpm: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: MILLION })),
      leveragePpm: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: MILLION })),
      depth: fc.oneof(fc.nat(1_000), fc.nat(2 ** 32 - 1)),
      factor: fc.oneof(fc.constantFrom(0, 1, 10 * MILLION), fc.nat(10 * MILLION)),
    });
    let raised = 0;
    let bounded = 0;
    fc.assert(
      fc.property(one, ({ notional, initialPpm, openInterestPpm, leveragePpm, depth, factor }) => {
        const tiers = [{ lower: 0, initialPpm, maintenancePpm: 1 }];
        const market = marketOf({ concentrationPpm: factor, tiers }, { openInterestPpm, depth });
        const million = BigInt(MILLION);
        const rate = BigInt(Math.max(initialPpm, openInterestPpm, leveragePpm));
        const base = cdiv(BigInt(notional) * rate, million);
        let extra = 0n;
        if (factor > 0 && depth > 0) {
          const beyond = cdiv(BigInt(notional), BigInt(depth)) - million;
          if (beyond > 0n) extra = cdiv(beyond * BigInt(factor), million);
          if (extra > 2n * million) extra = 2n * million;
        }
        const full = cdiv(base * (million + extra), million);
        const most = base > BigInt(NOTIONAL_MAX) ? base : BigInt(NOTIONAL_MAX);
        if (extra > 0n) raised++;
        if (full > most) bounded++;
        const got = positionRequirement(market, notional, leveragePpm);
        expect(BigInt(got)).toBe(full > most ? most : full);
        expect(got).toBeGreaterThanOrEqual(initialRequirement(market.tiers, notional));
      }),
      { seed: SEED, numRuns: 5_000 },
    );
    expect(raised).toBeGreaterThan(500);
    expect(bounded).toBeGreaterThan(50);
  });

  it('never falls as the notional grows', () => {
    const one = fc.record({
      from: fc.nat(2_000 * MILLION),
      more: fc.nat(1_000_000),
      depth: fc.nat(2_000),
      factor: fc.nat(3 * MILLION),
      openInterestPpm: fc.nat(MILLION),
    });
    fc.assert(
      fc.property(one, ({ from, more, depth, factor, openInterestPpm }) => {
        const tiers = [
          { lower: 0, initialPpm: 50_000, maintenancePpm: 20_000 },
          { lower: 700, initialPpm: 150_000, maintenancePpm: 60_000 },
        ];
        const market = marketOf({ concentrationPpm: factor, tiers }, { openInterestPpm, depth });
        expect(positionRequirement(market, from + more, 0)).toBeGreaterThanOrEqual(
          positionRequirement(market, from, 0),
        );
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('keeps the sum over a full account of the largest positions within safe integers', () => {
    const market = marketOf(
      { concentrationPpm: 10 * MILLION, maxPrice: 2 ** 24, maxPosition: 2 ** 24 },
      { depth: 1, openInterestPpm: MILLION },
    );
    market.mark = 2 ** 24;
    const exposure = new Exposure();
    exposure.size = 2 ** 24;
    exposure.v = -NOTIONAL_MAX;
    const margin = new Margin();
    margin.reset(0);
    for (let n = 0; n < POSITIONS_MAX; n++) addExposure(margin, market, exposure);
    expect(margin.initial).toBe(POSITIONS_MAX * NOTIONAL_MAX);
    expect(Number.isSafeInteger(margin.initial)).toBe(true);
  });
});

describe('profit that counts', () => {
  it('is weighted, then capped; whole quote', () => {
    const market = marketOf({ profitWeightPpm: 500_000, profitCap: 100 });
    expect(countedProfit(market, 199 * MILLION + 1)).toBe(99_500_000);
    expect(countedProfit(market, 200 * MILLION)).toBe(100 * MILLION);
    expect(countedProfit(market, 300 * MILLION)).toBe(100 * MILLION);
    expect(countedProfit(marketOf({ profitCap: WHOLE_QUOTE_MAX }), NOTIONAL_MAX)).toBe(
      WHOLE_QUOTE_MAX * MILLION,
    );
    expect(countedProfit(marketOf({}), NOTIONAL_MAX)).toBe(NOTIONAL_MAX);
  });

  it('opens no more than the cap allows, and pays out no more, however far the price has gone', () => {
    const desk = new Desk({ markets: [{ ...PLAIN_MARKET, profitCap: 1 }] });
    const [a, b] = [desk.deposit(1, 100_000), desk.deposit(2, 100_000_000)];
    desk.price(0, 1_000);
    desk.trade(a, b, 1_000, 1_000);
    desk.price(0, 3_000);
    // 2,000,000 q of profit, of which 1,000,000 count; the position asks for 300,000.
    expect(desk.engine.risk.margin(a)).toMatchObject({
      equityInitial: 1_100_000,
      equityMaintenance: 2_100_000,
      initial: 300_000,
    });
    expect(desk.code(a, buy(2_667, 3_000))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.code(a, buy(2_666, 3_000))).toBe(Reject.NONE);
    // Losses are never capped.
    desk.price(0, 900);
    expect(desk.engine.risk.margin(a)).toMatchObject({ equityInitial: 0, equityMaintenance: 0 });
  });
});

describe('in the engine', () => {
  it('asks new orders for the risen rate, and leaves maintenance alone', () => {
    const desk = new Desk({ markets: [PLAIN_MARKET] });
    const [a, b] = [desk.deposit(1, 150_000), desk.deposit(2, 100_000_000)];
    desk.price(0, 1_000);
    desk.trade(a, b, 1_000, 1_000);
    desk.state.market(0)!.openInterestPpm = 140_000;
    expect(desk.engine.risk.margin(a)).toMatchObject({ initial: 140_000, maintenance: 50_000 });
    expect(desk.code(a, buy(72, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.code(a, buy(71, 1_000))).toBe(Reject.NONE);
    desk.done(a, { kind: 'cancel-all' });
    // Above what it has: it may reduce, and nothing else.
    desk.state.market(0)!.openInterestPpm = 500_000;
    expect(desk.code(a, buy(1, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.code(a, sell(1_000, 1_000))).toBe(Reject.NONE);
    expect(desk.code(a, { kind: 'withdraw', asset: 0, amount: 1 })).toBe(Reject.INSUFFICIENT_FREE_COLLATERAL);
  });

  it('counts open orders in the notional that is held against the depth', () => {
    const desk = new Desk({ markets: [{ ...PLAIN_MARKET, concentrationPpm: MILLION }] });
    const a = desk.deposit(1, 400_000);
    desk.price(0, 1_000);
    desk.state.market(0)!.depth = 1;
    expect(desk.code(a, buy(1_000, 1_000))).toBe(Reject.NONE);
    // 2,000 lots are twice the depth: 200,000 doubled.
    expect(desk.code(a, buy(1_001, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.code(a, buy(1_000, 1_000))).toBe(Reject.NONE);
    expect(desk.engine.risk.margin(a).initial).toBe(400_000);
  });
});
