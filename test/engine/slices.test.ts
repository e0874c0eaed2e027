/** Liquidation on the book: which slice is sent, at what it may fill, where the fee goes, and when it stops. */
import { describe, expect, it } from 'vitest';
import type { DecodedEvent } from '#protocol/event.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET } from '../support/exchange.ts';

const TIERS = [{ lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 }];
const MARKET = { ...TEST_MARKET, takerFeePpm: 500, makerFeePpm: -100, tiers: TIERS };
const ETH = { ...MARKET, market: 1, symbol: 'ETH-PERP' };

/**
 * An account that is long 10,000 lots from 100,000, and 1,000 ETH lots from 10,000; the index of the first falls to 99,000.
 * Then V is 20,900,000 - 10,000,000 - fees of 505,000 and M 11,880,000 + 120,000.
 */
function setUp(chain = {}) {
  const desk = new Desk({ markets: [MARKET, ETH], chain: { voidMs: 3_600_000, ...chain } });
  const rich = desk.deposit(1, 1e11);
  const account = desk.deposit(2, 20_900_000 + 505_000);
  const maker = desk.deposit(3, 1e11);
  desk.price(0, 100_000);
  desk.price(1, 10_000);
  desk.trade(account, rich, 10_000, 100_000);
  desk.trade(account, rich, 1_000, 10_000, 1);
  desk.price(0, 99_000);
  const evaluate = (): DecodedEvent[] => desk.evaluate(account);
  const margin = () => {
    const { equityMaintenance: equity, maintenance } = desk.engine.risk.margin(account);
    return { equity, maintenance };
  };
  expect(margin()).toEqual({ equity: 10_900_000, maintenance: 12_000_000 });
  evaluate();
  return { desk, rich, account, maker, evaluate, margin };
}

describe('a slice', () => {
  it('is of the position with the largest maintenance margin, reduce-only, and not kept', () => {
    const { desk, account, evaluate } = setUp();
    const events = evaluate();
    // The fillable price: 99,000 - 1.5 · 1,188 · 1.1 / 12.
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([
      { market: 0, side: 1, price: 98_837, size: 10_000, account, reason: 4, rested: 0 },
    ]);
    expect(desk.state.liquidations.get(account)).toMatchObject({ market: 0, sliceTime: desk.now });
  });

  it('meets bids at its price and better, as far as the buffer asks for; the fee goes to the fund', () => {
    const { desk, account, maker, rich, evaluate, margin } = setUp({ liquidationFeePpm: 1_000 });
    desk.done(maker, buy(300, 98_990));
    desk.done(maker, buy(50_000, 98_900));
    desk.done(rich, buy(9_000, 98_000));
    const { fees, lastPrice } = desk.state.market(0)!;
    const before = margin();
    const events = evaluate();
    const trades = only(events, 'TRADE');
    expect(trades).toMatchObject([
      { price: 98_990, size: 300, takerAccount: account, liquidation: 1 },
      { price: 98_900, takerAccount: account, liquidation: 1 },
    ]);
    const fills = only(events, 'LIQUIDATION_FILL');
    expect(fills.map(({ price, size }) => [price, size])).toEqual(
      trades.map(({ price, size }) => [price, size]),
    );
    // A tenth of a percent; above the zero price of 97,921 the fill fetched more.
    expect(fills[0]).toMatchObject({ account, market: 0, side: 1, fee: 29_697, riskPool: 0 });
    const fund = fills.reduce((sum, { fee }) => sum + Number(fee), 0);
    expect(desk.state.funds.get(0)).toBe(fund);
    const rebates = trades.reduce((sum, { makerFee }) => sum + Number(makerFee), 0);
    expect(desk.state.market(0)!.fees - fees).toBe(rebates);
    // No print for others.
    expect(desk.state.market(0)!.lastPrice).toBe(lastPrice);
    const after = margin();
    expect(after.equity / after.maintenance).toBeGreaterThan(before.equity / before.maintenance);
    expect(after.equity).toBeGreaterThanOrEqual(1.1 * after.maintenance);
    expect(after.equity).toBeLessThan(1.1 * after.maintenance + 1_500);
    expect(only(evaluate(), 'LIQUIDATION_ENDED')).toHaveLength(1);
    expect(desk.position(account)).toBeGreaterThan(0);
  });

  it("at a fee of 1 % closes more, since most of what it fetches above the zero price is the fund's", () => {
    const { desk, account, maker, evaluate, margin } = setUp();
    desk.done(maker, buy(50_000, 98_990));
    expect(only(evaluate(), 'LIQUIDATION_FILL')).toMatchObject([{ size: 7_495, fee: 7_419_300 }]);
    expect(desk.position(account)).toBe(2_505);
    const { equity, maintenance } = margin();
    expect(equity).toBe(10_900_000 - 74_950 - 7_419_300);
    expect(equity).toBeGreaterThanOrEqual(1.1 * maintenance);
  });

  it('of a short buys, from the fillable price up', () => {
    const desk = new Desk({ markets: [MARKET], chain: { voidMs: 3_600_000 } });
    const rich = desk.deposit(1, 1e11);
    const account = desk.deposit(2, 2_050_000);
    desk.price(0, 100_000);
    desk.trade(rich, account, 1_000, 100_000);
    desk.price(0, 101_000);
    desk.evaluate(account);
    desk.done(rich, sell(5, 101_010));
    const events = desk.evaluate(account);
    expect(only(events, 'TRADE')).toMatchObject([{ takerSide: 0, price: 101_010, size: 5 }]);
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ side: 0, size: 995 }]);
  });

  it('waits for a round after the last one, and widens to the zero price within the interval', () => {
    const { desk, evaluate } = setUp();
    const prices: unknown[] = [];
    for (const ms of [0, 499, 1, 4_500, 5_000, 4_000]) {
      desk.advance(ms);
      prices.push(only(evaluate(), 'ORDER_REMOVED')[0]?.price);
    }
    expect(prices).toEqual([98_837, undefined, 98_792, 98_379, 97_921, 97_921]);
  });

  it('grows from a fifth, a fifth more each interval, where the position is large', () => {
    const { desk, evaluate } = setUp({ sliceNotional: 900 });
    const sizes: unknown[] = [];
    for (const ms of [0, 5_000, 5_000]) {
      desk.advance(ms);
      sizes.push(only(evaluate(), 'ORDER_REMOVED')[0]?.size);
    }
    expect(sizes).toEqual([2_000, 2_000, 4_000]);
  });

  it('is not sent into a market that is halted', () => {
    const { desk, evaluate } = setUp();
    desk.state.market(0)!.halted = true;
    expect(only(evaluate(), 'ORDER_REMOVED')).toEqual([]);
  });

  it('keeps to a tenth of the depth a second, together with all others of its market', () => {
    const { desk, account, evaluate } = setUp();
    // 2,000 quote: 200 a second, which is 2,020 lots at 99,000.
    desk.state.market(0)!.depth = 2_000;
    expect(only(evaluate(), 'ORDER_REMOVED')).toMatchObject([{ size: 2_020 }]);
    expect(desk.state.market(0)!.pacedUntil).toBe(desk.now + 1_000);
    desk.advance(999);
    expect(only(evaluate(), 'ORDER_REMOVED')).toEqual([]);
    desk.advance(1);
    desk.state.market(0)!.depth = 2_000;
    expect(only(evaluate(), 'ORDER_REMOVED')).toMatchObject([{ size: 2_020, account }]);
  });

  it('cancels a maker that cannot carry the fill, and goes on', () => {
    const { desk, account, evaluate } = setUp();
    const poor = desk.deposit(9, 1_000_000);
    desk.done(poor, buy(450, 98_999));
    desk.done(poor, { kind: 'withdraw', asset: 0, amount: 1 });
    desk.price(1, 10_000);
    desk.state.accounts.cash[poor] = 100;
    desk.deposited -= 999_899n;
    const events = evaluate();
    expect(only(events, 'ORDER_REMOVED').map(({ account: whose, reason }) => [whose, reason])).toEqual([
      [poor, 7],
      [account, 4],
    ]);
  });
});
