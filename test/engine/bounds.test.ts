/** Hostile numbers: nothing that a user sends may leave the bounds of the ledger, stop the engine or lose exactness. */
import { describe, expect, it } from 'vitest';
import { impactFill, premiumPpb } from '#engine/pricing/funding.ts';
import { unsettledFunding } from '#engine/risk/margin.ts';
import { FUNDING_PAYMENT_MAX, QUOTE_MAX, TRADING_CASH_MAX } from '#protocol/limits.ts';
import { encodeMarketConfig, type MarketConfig } from '#protocol/market.ts';
import { QUEUE_CONFIGURE_MARKET } from '#protocol/queue-entry.ts';
import { Reject } from '#protocol/reject.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET } from '../support/exchange.ts';

/** maxPosition · maxPrice · qm is just below 2^48. */
const HUGE: MarketConfig = { ...TEST_MARKET, maxOrderSize: 2_800_000, takerFeePpm: 0, makerFeePpm: 0 };

describe('cash bounds', () => {
  it('an account that keeps winning stops trading before its cash leaves 2^51, and the engine goes on', () => {
    const desk = new Desk({ markets: [HUGE] });
    const winner = desk.deposit(1, 2 ** 50);
    const losers = Array.from({ length: 8 }, (_, n) => desk.deposit(10 + n, 2 ** 50));
    desk.price(0, 50_000_000);
    let stopped = 0;
    for (const loser of losers)
      for (let round = 0; round < 3; round++) {
        // The winner sells at the top and buys back at the bottom: some 2^48 q a round.
        const size = 2_800_000;
        desk.send(winner, sell(size, 100_000_000));
        const first = desk.send(loser, buy(size, 100_000_000, { timeInForce: 2 }));
        desk.send(winner, buy(size, 1));
        const second = desk.send(loser, sell(size, 1, { timeInForce: 2 }));
        for (const removed of only([...first, ...second], 'ORDER_REMOVED'))
          if (removed.account === winner && removed.reason === 13) stopped++;
        desk.send(loser, { kind: 'cancel-all' });
        desk.send(winner, { kind: 'cancel-all' });
      }
    expect(stopped).toBeGreaterThan(0);
    expect(desk.cash(winner)).toBeGreaterThan(TRADING_CASH_MAX);
    expect(desk.cash(winner)).toBeLessThanOrEqual(QUOTE_MAX);
  });

  it('a taker beyond the bound is dropped, its maker stays', () => {
    const desk = new Desk({ markets: [HUGE] });
    const [rich, maker] = [desk.deposit(1, 2 ** 40), desk.deposit(2, 2 ** 40)];
    desk.price(0, 1_000);
    desk.done(maker, sell(10, 1_000));
    desk.state.accounts.cash[rich] = TRADING_CASH_MAX + 1;
    desk.deposited += BigInt(TRADING_CASH_MAX + 1 - 2 ** 40);
    const events = desk.send(rich, buy(5, 1_000));
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ account: rich, reason: 13, rested: 0, size: 5 }]);
    expect(desk.book(1)).toMatchObject([{ account: maker, size: 10 }]);
    expect(desk.book(0)).toEqual([]);
  });

  it('a deposit or transfer that would take cash beyond 2^50 goes back to L1, or is refused', () => {
    const desk = new Desk();
    const account = desk.deposit(1, 2 ** 50);
    desk.deposit(1, 5);
    expect(desk.cash(account)).toBe(2 ** 50);
    expect(desk.state.withdrawnBy(desk.state.accounts.owner(account), 0)).toBe(5n);
    const second = desk.deposit(1, 10, 1);
    expect(desk.code(second, { kind: 'transfer', asset: 0, toAccount: account, amount: 1 })).toBe(
      Reject.AMOUNT_OUT_OF_RANGE,
    );
    expect(desk.code(second, { kind: 'transfer', asset: 0, toAccount: account, amount: 2 ** 53 - 1 })).toBe(
      Reject.AMOUNT_OUT_OF_RANGE,
    );
    expect(desk.code(account, { kind: 'transfer', asset: 0, toAccount: second, amount: 1 })).toBe(0);
  });
});

describe('funding bounds', () => {
  it('a year of extreme rates on a position at its bound settles within the bounds and conserves money', () => {
    const desk = new Desk({ markets: [HUGE] });
    const [long, short] = [desk.deposit(1, 2 ** 50), desk.deposit(2, 2 ** 50)];
    desk.price(0, 90_000_000);
    desk.trade(long, short, 2_800_000, 90_000_000);
    const market = desk.state.market(0)!;
    market.fundingIndex += 40_000_000n * 90_000_000n * 8_760n;
    market.fundingTick++;
    const slots = [long, short].map((account) => desk.state.findPosition(account, 0));
    expect(slots.map((slot) => unsettledFunding(desk.state, slot))).toEqual([
      -FUNDING_PAYMENT_MAX,
      FUNDING_PAYMENT_MAX,
    ]);
    desk.price(0, 90_000_000);
    // The short has the means; its withdrawal settles it.
    desk.done(short, { kind: 'withdraw', asset: 0, amount: 1 });
    expect(desk.cash(short)).toBe(2 ** 50 + FUNDING_PAYMENT_MAX - 1);
    expect(market.fundingBalance).toBe(-FUNDING_PAYMENT_MAX);
    for (let again = 0; again < 9; again++) {
      market.fundingIndex += 40_000_000n * 90_000_000n * 8_760n;
      market.fundingTick++;
      desk.done(short, { kind: 'withdraw', asset: 0, amount: 1 });
    }
    expect(desk.cash(short)).toBeGreaterThan(TRADING_CASH_MAX - 10);
    expect(desk.cash(short)).toBeLessThanOrEqual(TRADING_CASH_MAX);
  });

  it('a premium sample is capped, so that a day of them sums exactly', () => {
    const absurd = premiumPpb({ lots: 1, quote: 4_294_967_295 }, { lots: 0, quote: 0 }, 1, 1);
    expect(absurd).toBe(4_000_000_000);
    expect(Number.isSafeInteger(absurd * 864_000)).toBe(true);
    expect(premiumPpb({ lots: 0, quote: 0 }, { lots: 1, quote: 1 }, 4_294_967_295, 1)).toBe(-999_999_999);
  });

  it('the impact price rounds its last level up to a whole lot and stops where the notional is reached', () => {
    const desk = new Desk({ markets: [HUGE] });
    const account = desk.deposit(1, 2 ** 50);
    desk.price(0, 1_000);
    desk.done(account, buy(10, 1_000));
    desk.done(account, buy(10, 999));
    const { bids } = desk.state.market(0)!;
    expect(impactFill(bids, desk.state.levels, 10_000, 1)).toEqual({ lots: 10, quote: 10_000 });
    expect(impactFill(bids, desk.state.levels, 10_001, 1)).toEqual({ lots: 11, quote: 10_999 });
    expect(impactFill(bids, desk.state.levels, 19_990, 1)).toEqual({ lots: 20, quote: 19_990 });
    expect(impactFill(bids, desk.state.levels, 19_991, 1)).toEqual({ lots: 0, quote: 0 });
  });
});

describe('extreme prices', () => {
  it('orders, books and fills at price 2^32 - 1 are exact', () => {
    const top = 2 ** 32 - 1;
    const desk = new Desk({
      markets: [{ ...HUGE, maxPrice: top, maxPosition: 65_536, maxOrderSize: 65_536 }],
    });
    const [a, b] = [desk.deposit(1, 2 ** 50), desk.deposit(2, 2 ** 50)];
    desk.price(0, top);
    desk.done(a, buy(65_536, top));
    desk.done(a, sell(1, top, { selfTradePrevention: 1 }));
    expect(desk.book(0)).toMatchObject([{ price: top, size: 65_536 }]);
    const result = desk.result(b, sell(65_536, top, { timeInForce: 3 }));
    expect(result).toMatchObject({ code: 0, filled: 65_536, filledQuote: top * 65_536 });
    expect(desk.state.positions.v(desk.state.findPosition(a, 0))).toBe(-top * 65_536);
    desk.done(b, buy(3, 1));
    desk.done(a, sell(3, top));
    expect(desk.book(0)).toMatchObject([{ price: 1 }]);
    expect(desk.book(1)).toMatchObject([{ price: top }]);
  });

  it('an index above maxPrice halts the market until a configuration under which it is inside', () => {
    const desk = new Desk();
    const [a] = [desk.deposit(1, 10_000_000_000)];
    desk.price(0, 1_000);
    desk.done(a!, buy(1, 900));
    expect(desk.price(0, TEST_MARKET.maxPrice + 1)).toMatchObject([
      { event: 'PRICE', code: Reject.MARKET_HALTED, index: 1_000 },
    ]);
    expect(desk.code(a!, buy(1, 900))).toBe(Reject.MARKET_HALTED);
    expect(desk.code(a!, { kind: 'amend', market: 0, by: 'order', id: 1, price: 900, size: 1 })).toBe(
      Reject.MARKET_HALTED,
    );
    desk.price(0, 1_100);
    expect(desk.code(a!, buy(1, 900))).toBe(Reject.MARKET_HALTED);
    expect(desk.code(a!, { kind: 'cancel', market: 0, by: 'order', id: 1 })).toBe(0);
    const configure = (maxPrice: number): void => {
      desk.queue(
        QUEUE_CONFIGURE_MARKET,
        new Uint8Array(20),
        encodeMarketConfig({ ...TEST_MARKET, maxPrice }),
      );
    };
    configure(1_099);
    expect(desk.code(a!, buy(1, 900))).toBe(Reject.MARKET_HALTED);
    configure(1_100);
    expect(desk.code(a!, buy(1, 900))).toBe(0);
  });
});

describe('rebates', () => {
  it('a rebate of nothing is 0 and not -0, in the event and in the ledger', () => {
    const desk = new Desk();
    const [maker, taker] = [desk.deposit(1, 1_000_000), desk.deposit(2, 1_000_000)];
    desk.price(0, 100);
    desk.done(maker, buy(1, 100));
    const [trade] = only(desk.done(taker, sell(1, 100)), 'TRADE');
    expect(Object.is(trade!.makerFee, 0)).toBe(true);
    expect(trade!.takerFee).toBe(1);
    expect(Object.is(desk.cash(maker), 1_000_000)).toBe(true);
  });
});
