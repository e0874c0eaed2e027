/** Vectors 4, 7, 9, 15, 16, 28, 42 and 43 of margin.md: funding, open interest, index. */
import { describe, expect, it } from 'vitest';
import { openInterestRate } from '#engine/pricing/depth.ts';
import { fundingRatePpb, premiumPpb } from '#engine/pricing/funding.ts';
import { mulPpmUp } from '#protocol/fixed-point.ts';
import { Levels } from '#state/book-side.ts';
import { MarketState } from '#state/market-state.ts';
import { Orders } from '#state/orders.ts';
import { Desk } from '../support/desk.ts';
import { TEST_MARKET } from '../support/exchange.ts';

const MILLION = 1_000_000;
const RATE_MAX = 40_000_000;
const NO_IMPACT = { lots: 0, quote: 0 };

/** Open interest of so many lots at a mark of 1 tick, 1 q each. */
function openInterest(limits: { lower: number; upper: number; initialPpm: number }, lots: number): number {
  const config = {
    ...TEST_MARKET,
    openInterestLower: limits.lower,
    openInterestUpper: limits.upper,
    tiers: [{ lower: 0, initialPpm: limits.initialPpm, maintenancePpm: limits.initialPpm / 2 }],
  };
  const market = new MarketState(config, new Levels(), new Orders());
  market.openInterest = lots;
  return openInterestRate(market, 1);
}

describe('funding', () => {
  it('vector 4: bid 10,100 on spot 10,000 is 0.95 % in eight hours; 10 BTC pay 118.75 an hour', () => {
    const premium = premiumPpb({ lots: 1, quote: 10_100 }, NO_IMPACT, 10_000, 1);
    expect(premium).toBe(10_000_000);
    const rate = fundingRatePpb(premium, RATE_MAX);
    expect(rate * 8).toBe(9_500_000);
    // 10 BTC at 10,000: 1e11 q.
    expect((rate * 1e11) / 1e9 / MILLION).toBe(118.75);
  });

  it('vector 15: an impact bid of 9,998.2 on an index of 9,000 is 110,911 ppm', () => {
    const premium = premiumPpb({ lots: 10, quote: 99_982 }, NO_IMPACT, 9_000, 1);
    expect(Math.trunc(premium / 1_000)).toBe(110_911);
  });

  it('vector 16: four hours of −1,001,999 ppm in eight, at a price of 100,000', () => {
    // Index units: 1e-9 q a lot here, 1e-8 of that venue's. Our clamp would stop such a rate; the product is the same.
    const hourly = -1_001_999_000n / 8n;
    expect((4n * hourly * 100_000n) / 10n).toBe(-5_009_995_000_000n);
    expect(fundingRatePpb(-1_001_999_000, RATE_MAX)).toBe(-RATE_MAX);
  });

  it('vector 28: bid and ask 6 above 1,500 are 0.0005 an hour, 0.75 a unit; 200 above meets the cap of 0.0075', () => {
    const premium = premiumPpb({ lots: 1, quote: 1_506 }, { lots: 1, quote: 1_506 }, 1_500, 1);
    expect(premium / 8).toBe(500_000);
    expect((premium / 8 / 1e9) * 1_500).toBe(0.75);
    // A spread of 1 % between initial and maintenance margin caps the hour at 6 · 1 % / 8.
    const tiers = [{ lower: 0, initialPpm: 20_000, maintenancePpm: 10_000 }];
    const market = new MarketState({ ...TEST_MARKET, tiers }, new Levels(), new Orders());
    const far = premiumPpb({ lots: 1, quote: 1_700 }, NO_IMPACT, 1_500, 1);
    expect(fundingRatePpb(far, market.fundingRateMax())).toBe(7_500_000);
  });

  it('vector 42: positions of 3, −2, −1 at 12,500 ppb on 100,000 pay 4, receive 2 and 1, and leave 1', () => {
    const desk = new Desk({ markets: [{ ...TEST_MARKET, takerFeePpm: 0, makerFeePpm: 0 }] });
    const [a, b, c] = [desk.deposit(1, 1e9), desk.deposit(2, 1e9), desk.deposit(3, 1e9)];
    desk.price(0, 100_000);
    desk.trade(a, b, 2, 100_000);
    desk.trade(a, c, 1, 100_000);
    const before = [a, b, c].map((account) => desk.cash(account));
    const market = desk.state.market(0)!;
    // No premium: the interest of 0.01 % in eight hours.
    desk.now = desk.state.nextFundingTime;
    desk.price(0, 100_000);
    desk.advance(1);
    desk.now = desk.state.nextFundingTime - 1;
    desk.clock();
    desk.price(0, 100_000);
    desk.now = desk.state.nextFundingTime;
    const start = market.fundingIndex;
    desk.clock();
    expect(market.fundingIndex - start).toBe(12_500n * 100_000n);
    expect(start).toBe(0n);
    for (const account of [a, b, c]) desk.send(account, { kind: 'withdraw', asset: 0, amount: 1 });
    expect([a, b, c].map((account, i) => desk.cash(account) + 1 - before[i]!)).toEqual([-4, 2, 1]);
    expect(market.fundingBalance).toBe(1);
  });
});

describe('open interest', () => {
  it('vector 7: 1,234,567 between 1M and 2M asks for 387,653 ppm instead of 20 %', () => {
    const limits = { lower: 1, upper: 2, initialPpm: 200_000 };
    expect(openInterest(limits, 1_234_567)).toBe(387_653);
    expect(openInterest(limits, 1_000_000)).toBe(200_000);
    expect(openInterest(limits, 2_000_000)).toBe(MILLION);
    expect(openInterest(limits, 9_000_000)).toBe(MILLION);
    expect(openInterest({ ...limits, lower: 0, upper: 0 }, 9_000_000)).toBe(0);
  });

  it('vector 9: a notional of 500,000 then needs 135,697', () => {
    const limits = { lower: 25_000_000, upper: 60_000_000, initialPpm: 200_000 };
    expect(mulPpmUp(500_000, openInterest(limits, 28_123_456_789_123))).toBe(135_697);
  });
});
