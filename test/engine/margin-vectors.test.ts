/** The vectors of the margin specification that touch what is built, named by their numbers. */
import { describe, expect, it } from 'vitest';
import { fundingRatePpb, impactFill, premiumPpb } from '#engine/pricing/funding.ts';
import { lowerWeightedMedian } from '#engine/pricing/oracle-price.ts';
import {
  addExposure,
  Exposure,
  initialRequirement,
  Margin,
  maintenanceRequirement,
  openLoss,
} from '#engine/risk/margin.ts';
import { fdiv, mulPpmUp } from '#protocol/fixed-point.ts';
import { Levels } from '#state/book-side.ts';
import { MarketState, tierRows } from '#state/market-state.ts';
import { Orders } from '#state/orders.ts';
import { TEST_MARKET, TestExchange } from '../support/exchange.ts';

const MILLION = 1_000_000;
/** Hyperliquid's BTC tiers: 40x below 150M, 20x above; maintenance is half. */
const BTC_TIERS = tierRows({
  ...TEST_MARKET,
  tiers: [
    { lower: 0, initialPpm: 25_000, maintenancePpm: 12_500 },
    { lower: 150 * MILLION, initialPpm: 50_000, maintenancePpm: 25_000 },
  ],
});

describe('margin tiers', () => {
  it('vector 1: BTC, notional 200M: IM 6.25M, MM 3.125M', () => {
    expect(initialRequirement(BTC_TIERS, 200 * MILLION * MILLION)).toBe(6_250_000 * MILLION);
    expect(maintenanceRequirement(BTC_TIERS, 200 * MILLION * MILLION)).toBe(3_125_000 * MILLION);
  });

  it('vector 2: 150M: MM 1.875M; 1B: MM 23.125M', () => {
    expect(maintenanceRequirement(BTC_TIERS, 150 * MILLION * MILLION)).toBe(1_875_000 * MILLION);
    expect(maintenanceRequirement(BTC_TIERS, 1000 * MILLION * MILLION)).toBe(23_125_000 * MILLION);
  });

  it('vector 8: 56.7243 % of 123,456 is 70,030; 10 % of 1 is 1, rounded up', () => {
    expect(mulPpmUp(123_456, 567_243)).toBe(70_030);
    expect(mulPpmUp(1, 100_000)).toBe(1);
  });

  it('vector 41: long 1 BTC, bids 0.5 at 100,100, asks 3, mark 100k, 2.5 %: IM 5,000 + open loss 50', () => {
    const market = new MarketState(
      { ...TEST_MARKET, tiers: [{ lower: 0, initialPpm: 25_000, maintenancePpm: 12_500 }] },
      new Levels(),
      new Orders(),
    );
    market.mark = 1_000_000; // 100,000.0 in ticks of 0.1; lots of 1e-5 BTC; qm 1
    const exposure = new Exposure();
    exposure.size = 100_000;
    exposure.v = -100_000 * 1_000_000;
    exposure.bidLots = 50_000;
    exposure.bidQuote = 50_000 * 1_001_000;
    exposure.askLots = 300_000;
    exposure.askQuote = 300_000 * 1_000_000;
    expect(openLoss(exposure, market.lotValue(market.mark))).toBe(50 * MILLION);
    const margin = new Margin();
    margin.reset(0);
    addExposure(margin, market, exposure);
    expect(margin.initial).toBe(5_050 * MILLION);
    expect(margin.notional).toBe(100_000 * MILLION);
  });
});

describe('oracle', () => {
  it('vector 43: the lower weighted median of five reports is 100,000', () => {
    const items = [
      [100_010, 3],
      [99_990, 2],
      [100_000, 2],
      [120_000, 1],
      [99_950, 1],
    ].map(([value, weight]) => ({ value: value!, weight: weight! }));
    expect(lowerWeightedMedian(items)).toBe(100_000);
    expect(lowerWeightedMedian([...items].reverse())).toBe(100_000);
  });
});

describe('funding', () => {
  it('vector 4: impact bid 10,100, index 10,000: F8 0.95 %; 10 BTC pay 118.75 an hour', () => {
    const premium = premiumPpb({ lots: 1, quote: 10_100 }, { lots: 0, quote: 0 }, 10_000, 1);
    expect(premium).toBe(10_000_000);
    const rate = fundingRatePpb(premium, 40_000_000);
    expect(rate).toBe(Math.trunc(9_500_000 / 8));
    // 10 BTC at index 10,000: 100,000 quote of notional, in 1e-9.
    expect((rate * 100_000) / 1e9).toBe(118.75);
  });

  it('rates are truncated toward zero and clamped to what the market allows, on either side', () => {
    expect(fundingRatePpb(-1_000_005, 40_000_000)).toBe(-62_500);
    expect(fundingRatePpb(1_000_005, 40_000_000)).toBe(62_500);
    expect(fundingRatePpb(4_000_000_000, 40_000_000)).toBe(40_000_000);
    expect(fundingRatePpb(-1_000_000_000, 40_000_000)).toBe(-40_000_000);
    expect(fundingRatePpb(4_000_000_000, 6_000_000)).toBe(6_000_000);
    expect(fundingRatePpb(-1_000_000_000, 6_000_000)).toBe(-6_000_000);
    expect(fundingRatePpb(0, 0)).toBe(0);
    // 6 · (2 % - 1.2 %) / 8 is 0.6 %; 4 % caps a wide spread.
    const held = (initialPpm: number, maintenancePpm: number): MarketState =>
      new MarketState(
        { ...TEST_MARKET, tiers: [{ lower: 0, initialPpm, maintenancePpm }] },
        new Levels(),
        new Orders(),
      );
    expect(held(20_000, 12_000).fundingRateMax()).toBe(6_000_000);
    expect(held(500_000, 100_000).fundingRateMax()).toBe(40_000_000);
  });

  it('vector 15: impact bid 9,998.2 against index 9,000: premium 110,911 ppm', () => {
    const premium = premiumPpb({ lots: 1, quote: 99_982 }, { lots: 0, quote: 0 }, 90_000, 1);
    expect(Math.trunc(premium / 1000)).toBe(110_911);
  });

  it('vector 42: s 3, -2, -1; rate 12,500 ppb, index 100,000: -4, +2, +1 q; 1 q of dust stays', () => {
    const delta = 12_500n * 100_000n;
    const payments = [3n, -2n, -1n].map((s) => fdiv(-s * delta, 1_000_000_000n));
    expect(payments).toEqual([-4n, 2n, 1n]);
    expect(payments.reduce((a, b) => a - b, 0n)).toBe(1n);
  });

  it('vector 42, in the engine: three accounts settle against the funding balance', () => {
    const flat = {
      ...TEST_MARKET,
      takerFeePpm: 0,
      makerFeePpm: 0,
      tiers: [{ lower: 0, initialPpm: 100_000, maintenancePpm: 50_000 }],
    };
    const exchange = new TestExchange({
      markets: [flat],
      chain: { fundingIntervalMs: 10_000, sampleIntervalMs: 10_000 },
    });
    const accounts = [1, 2, 3].map((n) => exchange.deposit(n, 1_000_000_000));
    const [long, shortTwo, shortOne] = accounts as [number, number, number];
    exchange.price(0, 100_000);
    exchange.place(shortTwo, { side: 1, price: 100_000, size: 2 });
    exchange.place(shortOne, { side: 1, price: 100_000, size: 1 });
    exchange.place(long, { side: 0, price: 100_000, size: 3, timeInForce: 2 });
    exchange.advance(9_000);
    exchange.price(0, 100_000);
    exchange.advance(1_000);
    // Premium 0: F8 is the interest of 0.01 %, 12,500 ppb an hour.
    const events = exchange.clock();
    expect(events.find((e) => e.event === 'FUNDING_RATE')).toMatchObject({ ratePpb: 12_500, index: 100_000 });
    for (const account of accounts) exchange.send(account, { kind: 'withdraw', asset: 0, amount: 1 });
    expect(accounts.map((a) => exchange.state.accounts.cash[a]! - 999_999_999)).toEqual([-4, 2, 1]);
    expect(exchange.state.market(0)!.fundingBalance).toBe(1);
  });

  it('walks at most 32 levels for the impact price and calls a side that does not hold it missing', () => {
    const exchange = new TestExchange({ markets: [TEST_MARKET] });
    const account = exchange.deposit(1, 1_000_000_000_000);
    exchange.price(0, 1_000_000);
    for (let n = 0; n < 40; n++) exchange.place(account, { side: 0, price: 990_000 - n, size: 10 });
    const { bids } = exchange.state.market(0)!;
    const { levels } = exchange.state;
    const thirtyTwo = Array.from({ length: 32 }, (_, n) => 10 * (990_000 - n)).reduce((a, b) => a + b, 0);
    expect(impactFill(bids, levels, thirtyTwo, 1)).toEqual({ lots: 320, quote: thirtyTwo });
    expect(impactFill(bids, levels, thirtyTwo + 1, 1)).toEqual({ lots: 0, quote: 0 });
  });
});
