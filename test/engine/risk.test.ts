/** Who may take on what: initial margin with open orders, reducing under margin, reduce-only, fees, caps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulPpmDown, mulPpmUp } from '#protocol/fixed-point.ts';
import type { MarketConfig } from '#protocol/market.ts';
import { Reject } from '#protocol/reject.ts';
import { buy, Desk, only, order, sell } from '../support/desk.ts';
import { PLAIN_MARKET } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`risk properties: SEED=${SEED}`);

function desk(market: Partial<MarketConfig> = {}, ...deposits: number[]): { d: Desk; a: number[] } {
  const d = new Desk({ markets: [{ ...PLAIN_MARKET, ...market }] });
  const a = deposits.map((amount, n) => d.deposit(n + 1, amount));
  d.price(0, 1_000);
  return { d, a };
}

describe('admission', () => {
  it('takes an order whose initial margin is met to the last q, and not one q less', () => {
    const { d, a } = desk({}, 100_000, 99_999);
    expect(d.code(a[0]!, buy(1_000, 1_000))).toBe(Reject.NONE);
    expect(d.code(a[1]!, buy(1_000, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
  });

  it('fills a resting order whose owner has the margin for it to the last q', () => {
    const { d, a } = desk({}, 100_000, 1_000_000);
    d.done(a[0]!, buy(1_000, 1_000));
    const events = d.done(a[1]!, sell(1_000, 1_000));
    expect(only(events, 'TRADE')).toMatchObject([{ makerAccount: a[0], size: 1_000 }]);
    // One lot at a better price would need more; the other side stays free.
    expect(d.code(a[0]!, buy(1, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(d.code(a[0]!, sell(1_000, 1_100))).toBe(Reject.NONE);
  });

  it('rounds the requirement up', () => {
    const { d, a } = desk({ minNotional: 0 }, 101, 100);
    d.price(0, 1_001);
    expect(d.code(a[0]!, buy(1, 1_001))).toBe(Reject.NONE);
    expect(d.code(a[1]!, buy(1, 1_001))).toBe(Reject.INSUFFICIENT_MARGIN);
  });

  it('reserves the taker fee, rounded up, though the order may rest', () => {
    const { d, a } = desk({ takerFeePpm: 501 }, 100_501, 100_500);
    expect(d.code(a[0]!, buy(1_000, 1_000))).toBe(Reject.NONE);
    expect(d.code(a[1]!, buy(1_000, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
  });

  it('charges what an order would lose against the mark at its price, on either side', () => {
    // 1,000 lots 10 ticks beyond the mark lose 10,000; they count once as open loss and once as crossing loss.
    const { d, a } = desk({}, 120_000, 119_999, 120_000, 119_999);
    expect(d.code(a[0]!, buy(1_000, 1_010))).toBe(Reject.NONE);
    expect(d.code(a[1]!, buy(1_000, 1_010))).toBe(Reject.INSUFFICIENT_MARGIN);
    d.done(a[0]!, { kind: 'cancel-all' });
    expect(d.code(a[2]!, sell(1_000, 990))).toBe(Reject.NONE);
    expect(d.code(a[3]!, sell(1_000, 990))).toBe(Reject.INSUFFICIENT_MARGIN);
  });

  it('charges an amended order for what it becomes, free of what it was', () => {
    for (const [deposit, code] of [
      [120_000, Reject.NONE],
      [119_999, Reject.INSUFFICIENT_MARGIN],
    ] as const) {
      const { d, a } = desk({}, deposit, deposit);
      const bid = Number(d.result(a[0]!, buy(1_000, 900)).orderId);
      const amend = (account: number, id: number, price: number): number =>
        d.code(account, { kind: 'amend', market: 0, by: 'order', id, price, size: 1_000 });
      expect(amend(a[0]!, bid, 1_010)).toBe(code);
      d.done(a[0]!, { kind: 'cancel-all' });
      const ask = Number(d.result(a[1]!, sell(1_000, 1_100)).orderId);
      expect(amend(a[1]!, ask, 990)).toBe(code);
    }
  });

  it('counts the worse side of the open orders, not both', () => {
    const { d, a } = desk({}, 100_000);
    expect(d.code(a[0]!, buy(1_000, 900))).toBe(Reject.NONE);
    expect(d.code(a[0]!, sell(1_000, 1_100))).toBe(Reject.NONE);
    expect(d.code(a[0]!, sell(1, 1_100))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(d.code(a[0]!, buy(1, 900))).toBe(Reject.INSUFFICIENT_MARGIN);
  });

  it('far orders do not hide the crossing loss of a new one', () => {
    const { d, a } = desk({}, 110_000, 1_000_000);
    d.done(a[0]!, buy(500, 500));
    // Open loss of both together is below zero; the new order still loses 500 · 30.
    expect(d.code(a[0]!, buy(500, 1_030))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(d.code(a[0]!, buy(500, 1_020))).toBe(Reject.NONE);
  });

  it('counts profit for new risk at the market weight, losses in full', () => {
    const { d, a } = desk({ profitWeightPpm: 500_000 }, 20_000, 1_000_000);
    d.trade(a[0]!, a[1]!, 100, 1_000);
    d.price(0, 1_100);
    // Equity for new risk: 20,000 + half of 10,000; the position takes 11,000, so 127 lots at 110 each remain.
    expect(d.engine.risk.margin(a[0]!)).toMatchObject({ equityInitial: 25_000, equityMaintenance: 30_000 });
    expect(d.code(a[0]!, buy(128, 1_100))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(d.code(a[0]!, buy(127, 1_100))).toBe(Reject.NONE);
    d.price(0, 900);
    expect(d.engine.risk.margin(a[0]!)).toMatchObject({ equityInitial: 10_000, equityMaintenance: 10_000 });
  });

  it('rounds weighted profit down', () => {
    const { d, a } = desk({ profitWeightPpm: 500_000 }, 20_000, 1_000_000);
    d.trade(a[0]!, a[1]!, 101, 1_000);
    d.price(0, 1_001);
    expect(d.engine.risk.margin(a[0]!)).toMatchObject({ equityInitial: 20_050, equityMaintenance: 20_101 });
  });

  it('keeps the worst position of each side within the cap', () => {
    const { d, a } = desk({ maxPosition: 100, maxOrderSize: 100 }, 10_000_000, 10_000_000);
    d.trade(a[0]!, a[1]!, 60, 1_000);
    expect(d.code(a[0]!, buy(41, 900))).toBe(Reject.POSITION_TOO_LARGE);
    expect(d.code(a[0]!, buy(40, 900))).toBe(Reject.NONE);
    expect(d.code(a[0]!, buy(1, 900))).toBe(Reject.POSITION_TOO_LARGE);
    // A long position of 60 does not make room for more than 100 lots on offer.
    expect(d.code(a[0]!, sell(100, 1_100))).toBe(Reject.NONE);
    expect(d.code(a[0]!, sell(1, 1_100))).toBe(Reject.POSITION_TOO_LARGE);
  });

  it('keeps open interest at its cap, whoever makes and takes', () => {
    const actions = fc.array(
      fc.record({
        who: fc.nat(3),
        side: fc.constantFrom<0 | 1>(0, 1),
        size: fc.integer({ min: 1, max: 60 }),
        price: fc.integer({ min: 995, max: 1_005 }),
        timeInForce: fc.constantFrom<0 | 2>(0, 2),
      }),
      { minLength: 40, maxLength: 80 },
    );
    let refused = 0;
    fc.assert(
      fc.property(actions, (list) => {
        const { d, a } = desk({ maxOpenInterest: 100 }, ...Array<number>(4).fill(1e9));
        for (const { who, side, size, price, timeInForce } of list) {
          const code = d.code(a[who]!, order(side, size, price, { timeInForce }));
          if (code === Reject.OPEN_INTEREST_TOO_LARGE) refused++;
          expect(d.state.market(0)!.openInterest).toBeLessThanOrEqual(100);
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('leaves an account that traded with initial margin, up to the fee on a better price', () => {
    const actions = fc.array(
      fc.record({
        who: fc.nat(3),
        side: fc.constantFrom<0 | 1>(0, 1),
        size: fc.integer({ min: 1, max: 400 }),
        price: fc.integer({ min: 960, max: 1_040 }),
        timeInForce: fc.constantFrom<0 | 2>(0, 2),
        mark: fc.integer({ min: 970, max: 1_030 }),
      }),
      { minLength: 30, maxLength: 60 },
    );
    let checked = 0;
    fc.assert(
      fc.property(actions, (list) => {
        const { d, a } = desk({ takerFeePpm: 500, makerFeePpm: -100 }, 20_000, 40_000, 60_000, 90_000);
        for (const { who, side, size, price, timeInForce, mark } of list) {
          const account = a[who]!;
          const events = d.send(account, order(side, size, price, { timeInForce }));
          const trades = only(events, 'TRADE');
          const position = d.position(account);
          const grew = trades.length > 0 && Math.sign(position) === (side === 0 ? 1 : -1);
          if (grew) {
            const margin = d.engine.risk.margin(account);
            const fees = trades.reduce((sum, trade) => sum + Number(trade.takerFee), 0);
            expect(margin.equityInitial + fees).toBeGreaterThanOrEqual(margin.initial);
            checked++;
          }
          for (const trade of trades) {
            // A maker that ends larger than before had the margin for it when it was met.
            const maker = Number(trade.makerAccount);
            const margin = d.engine.risk.margin(maker);
            expect(margin.equityMaintenance).toBeGreaterThanOrEqual(0);
          }
          d.price(0, mark);
        }
      }),
      { seed: SEED, numRuns: 120 },
    );
    expect(checked).toBeGreaterThan(300);
  });
});

describe('under initial margin', () => {
  /** A long of 100 at 1,000 on 10,000 q; the mark falls until it has less than initial margin. */
  function pressed(mark: number): { d: Desk; a: number[] } {
    const made = desk({}, 10_000, 1_000_000, 1_000_000);
    made.d.trade(made.a[0]!, made.a[1]!, 100, 1_000);
    made.d.price(0, mark);
    return made;
  }

  it('refuses what grows, takes what only reduces and keeps equity over maintenance margin', () => {
    const { d, a } = pressed(950);
    expect(d.code(a[0]!, buy(1, 940))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(d.code(a[0]!, sell(101, 950))).toBe(Reject.INSUFFICIENT_MARGIN);
    d.done(a[2]!, buy(100, 950));
    const before = { ...d.engine.risk.margin(a[0]!) };
    const events = d.done(a[0]!, sell(40, 950));
    expect(only(events, 'TRADE')).toHaveLength(1);
    const after = d.engine.risk.margin(a[0]!);
    expect(after.equityMaintenance * before.maintenance).toBeGreaterThanOrEqual(
      before.equityMaintenance * after.maintenance,
    );
    expect(d.position(a[0]!)).toBe(60);
  });

  it('drops a reducing order that would sell below what keeps the ratio, and leaves the maker', () => {
    const { d, a } = pressed(950);
    // V 5,000 and M 4,750 for 100 lots: selling 10 below 900 lowers V over M.
    d.done(a[2]!, buy(100, 899));
    const events = d.send(a[0]!, sell(10, 890));
    expect(only(events, 'TRADE')).toEqual([]);
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ account: a[0], reason: 7, rested: 0, size: 10 }]);
    expect(d.book(0)).toMatchObject([{ account: a[2], size: 100 }]);
    d.done(a[2]!, { kind: 'cancel-all' });
    d.done(a[2]!, buy(100, 900));
    expect(only(d.send(a[0]!, sell(10, 890)), 'TRADE')).toHaveLength(1);
  });

  it('an amended order that only reduces is checked again at each fill, like a new one', () => {
    const { d, a } = pressed(950);
    const { orderId } = d.result(a[0]!, sell(10, 1_100));
    d.done(a[2]!, buy(100, 899));
    const amended = {
      kind: 'amend',
      market: 0,
      by: 'order',
      id: Number(orderId),
      price: 890,
      size: 10,
    } as const;
    const events = d.send(a[0]!, amended);
    expect(only(events, 'TRADE')).toEqual([]);
    expect(only(events, 'ORDER_REMOVED').map((e) => e.reason)).toEqual([11, 7]);
    expect(d.position(a[0]!)).toBe(100);
  });

  it('an order may always shrink: without margin, and while the index is void', () => {
    const { d, a } = desk({}, 100_000);
    const { orderId } = d.result(a[0]!, buy(1_000, 1_000));
    const shrink = (size: number): number =>
      d.code(a[0]!, { kind: 'amend', market: 0, by: 'order', id: Number(orderId), price: 1_000, size });
    d.price(0, 900);
    expect(d.code(a[0]!, buy(1, 800))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(shrink(900)).toBe(Reject.NONE);
    d.advance(10_001);
    expect(shrink(800)).toBe(Reject.NONE);
    expect(shrink(801)).toBe(Reject.ORACLE_STALE);
    expect(d.book(0)).toMatchObject([{ size: 800 }]);
  });

  it('an order that reduced when it came may not grow the other way when it is met', () => {
    const { d, a } = pressed(950);
    d.done(a[0]!, sell(100, 960));
    d.done(a[2]!, buy(100, 950));
    d.done(a[0]!, sell(100, 950, { timeInForce: 2, reduceOnly: true }));
    expect(d.position(a[0]!)).toBe(0);
    // Flat with 5,000 q and 100 lots on offer: 4,800 q of margin at 480.
    d.price(0, 480);
    d.price(0, 960);
    const events = d.send(a[1]!, buy(100, 960));
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ account: a[0], reason: 7, rested: 1, size: 100 }]);
  });

  it('a maker that can not carry the fill goes, the taker meets the next one', () => {
    const { d, a } = desk({}, 10_000, 1_000_000, 1_000_000);
    d.done(a[0]!, buy(100, 1_000));
    d.done(a[1]!, buy(50, 990));
    d.price(0, 900);
    const events = d.send(a[2]!, sell(50, 900, { timeInForce: 2 }));
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ account: a[0], reason: 7, rested: 1, size: 100 }]);
    expect(only(events, 'TRADE')).toMatchObject([{ makerAccount: a[1], price: 990, size: 50 }]);
  });

  it('counts the fee of the fill when a maker is met', () => {
    const { d, a } = desk({ makerFeePpm: 10_000 }, 100_000, 109_000, 1_000_000);
    d.done(a[0]!, buy(1_000, 1_000));
    const events = d.send(a[2]!, sell(1_000, 1_000, { timeInForce: 2 }));
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ account: a[0], reason: 7, rested: 1 }, {}]);
    d.done(a[1]!, buy(990, 1_000));
    expect(only(d.send(a[2]!, sell(990, 1_000, { timeInForce: 2 })), 'TRADE')).toHaveLength(1);
  });

  it('a maker without initial margin does not grow, not even at a price that helps it', () => {
    const { d, a } = desk({}, 11_000, 1_000_000);
    d.trade(a[0]!, a[1]!, 100, 1_000);
    d.done(a[0]!, buy(1, 500));
    d.price(0, 950);
    const events = d.send(a[1]!, sell(1, 500, { timeInForce: 2 }));
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ account: a[0], reason: 7, rested: 1 }, {}]);
    expect(d.position(a[0]!)).toBe(100);
  });

  it('a maker without initial margin does not turn its position, though it gets smaller', () => {
    const d = new Desk({ markets: [PLAIN_MARKET, { ...PLAIN_MARKET, market: 1, symbol: 'TWO' }] });
    const [account, other] = [d.deposit(1, 22_000), d.deposit(2, 10_000_000)];
    for (const market of [0, 1]) {
      d.price(market, 1_000);
      d.trade(account, other, 100, 1_000, market);
    }
    d.done(account, sell(150, 1_000));
    d.price(1, 880);
    // V 10,000 against 18,800; after selling 150 against 13,800.
    const events = d.send(other, buy(150, 1_000, { timeInForce: 2 }));
    expect(only(events, 'TRADE')).toEqual([]);
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ account, reason: 7, rested: 1 }, {}]);
    d.done(account, sell(100, 1_000));
    expect(only(d.send(other, buy(100, 1_000, { timeInForce: 2 })), 'TRADE')).toHaveLength(1);
  });

  it('a fill-or-kill order whose maker can not carry the fill is partly filled; its rest expires', () => {
    const { d, a } = desk({}, 10_000, 1_000_000, 1_000_000);
    d.done(a[1]!, buy(10, 1_000));
    d.done(a[0]!, buy(100, 1_000));
    d.price(0, 900);
    const events = d.send(a[2]!, sell(50, 900, { timeInForce: 3 }));
    expect(d.results(events)[0]).toMatchObject({ code: 0, filled: 10, remaining: 0 });
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([
      { account: a[0], reason: 7, rested: 1 },
      { account: a[2], reason: 4, rested: 0, size: 40 },
    ]);
    expect(d.book(1)).toEqual([]);
  });

  it('reducing stays possible while the index is void, new risk does not', () => {
    const { d, a } = desk({}, 100_000, 1_000_000, 1_000_000);
    d.trade(a[0]!, a[1]!, 100, 1_000);
    d.done(a[2]!, buy(100, 1_000));
    d.advance(10_000);
    expect(d.code(a[2]!, buy(1, 500))).toBe(Reject.NONE);
    d.advance(1);
    expect(d.code(a[2]!, buy(1, 500))).toBe(Reject.ORACLE_STALE);
    // Also for an account that has nothing in the market yet.
    expect(d.code(d.deposit(9, 1_000_000), buy(1, 500))).toBe(Reject.ORACLE_STALE);
    expect(d.code(a[0]!, sell(101, 1_000))).toBe(Reject.ORACLE_STALE);
    expect(d.result(a[0]!, sell(100, 1_000))).toMatchObject({ code: 0, filled: 100 });
    expect(d.code(a[0]!, { kind: 'withdraw', asset: 0, amount: 1 })).toBe(Reject.NONE);
    expect(d.code(a[1]!, { kind: 'withdraw', asset: 0, amount: 1 })).toBe(Reject.ORACLE_STALE);
  });

  it('a void index of another market the account is in bars new risk here', () => {
    const d = new Desk({ markets: [PLAIN_MARKET, { ...PLAIN_MARKET, market: 1, symbol: 'TWO' }] });
    const [account, other] = [d.deposit(1, 1_000_000), d.deposit(2, 1_000_000)];
    d.price(0, 1_000);
    d.price(1, 1_000);
    d.done(account, buy(1, 900, { market: 1 }));
    d.advance(10_001);
    d.price(0, 1_000);
    expect(d.code(account, buy(1, 900))).toBe(Reject.ORACLE_STALE);
    expect(d.code(other, buy(1, 900))).toBe(Reject.NONE);
  });
});

describe('reduce-only', () => {
  function long(size: number): { d: Desk; a: number[] } {
    const made = desk({}, 1_000_000, 1_000_000, 1_000_000);
    made.d.trade(made.a[0]!, made.a[1]!, size, 1_000);
    return made;
  }
  const ro = { reduceOnly: true };

  it('needs a position on the other side', () => {
    const { d, a } = long(10);
    expect(d.code(a[0]!, buy(1, 900, ro))).toBe(Reject.REDUCE_ONLY_WOULD_INCREASE);
    expect(d.code(a[1]!, sell(1, 1_100, ro))).toBe(Reject.REDUCE_ONLY_WOULD_INCREASE);
    expect(d.code(a[2]!, sell(1, 1_100, ro))).toBe(Reject.REDUCE_ONLY_WOULD_INCREASE);
    expect(d.code(a[1]!, buy(1, 900, ro))).toBe(Reject.NONE);
  });

  it('resting ones together are no larger than the position, also after an amend', () => {
    const { d, a } = long(10);
    expect(d.code(a[0]!, sell(11, 1_100, ro))).toBe(Reject.REDUCE_ONLY_WOULD_INCREASE);
    const { orderId } = d.result(a[0]!, sell(6, 1_100, ro));
    expect(d.code(a[0]!, sell(5, 1_200, ro))).toBe(Reject.REDUCE_ONLY_WOULD_INCREASE);
    expect(d.code(a[0]!, sell(4, 1_200, ro))).toBe(Reject.NONE);
    const amend = (size: number, price: number): number =>
      d.code(a[0]!, { kind: 'amend', market: 0, by: 'order', id: Number(orderId), price, size });
    expect(amend(7, 1_100)).toBe(Reject.REDUCE_ONLY_WOULD_INCREASE);
    expect(amend(6, 1_150)).toBe(Reject.NONE);
    expect(amend(3, 1_160)).toBe(Reject.NONE);
    expect(d.code(a[0]!, sell(3, 1_300, ro))).toBe(Reject.NONE);
    // What does not rest may be larger: it closes what there is.
    expect(d.code(a[0]!, sell(999, 1_000, { ...ro, timeInForce: 2 }))).toBe(Reject.NONE);
  });

  it('an immediate one takes what closes the position and not a lot more', () => {
    const { d, a } = long(10);
    d.done(a[2]!, buy(4, 1_000));
    d.done(a[2]!, buy(50, 999));
    const events = d.done(a[0]!, sell(40, 990, { ...ro, timeInForce: 2 }));
    expect(only(events, 'TRADE').map((t) => [t.price, t.size])).toEqual([
      [1_000, 4],
      [999, 6],
    ]);
    expect(d.position(a[0]!)).toBe(0);
    expect(d.results(events)[0]).toMatchObject({ filled: 10, remaining: 0 });
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ account: a[0], reason: 6, size: 30, rested: 0 }]);
  });

  it('a fill-or-kill one needs a position of its size', () => {
    const { d, a } = long(10);
    d.done(a[2]!, buy(50, 1_000));
    expect(d.code(a[0]!, sell(11, 1_000, { ...ro, timeInForce: 3 }))).toBe(Reject.FOK_NOT_FILLABLE);
    expect(d.result(a[0]!, sell(10, 1_000, { ...ro, timeInForce: 3 }))).toMatchObject({ filled: 10 });
    expect(d.code(a[0]!, sell(1, 1_000, { ...ro, timeInForce: 3 }))).toBe(Reject.FOK_NOT_FILLABLE);
  });

  it('a resting one is cut to what is left of the position, and goes when nothing is', () => {
    const { d, a } = long(10);
    d.done(a[0]!, sell(10, 1_050, ro));
    d.trade(a[2]!, a[0]!, 7, 1_000);
    // 3 lots are left; the taker wants 5 and gets 3, then the rest of the reduce-only order goes.
    const events = d.send(a[2]!, buy(5, 1_050, { timeInForce: 2 }));
    expect(only(events, 'TRADE')).toMatchObject([{ size: 3, makerRemaining: 7, takerRemaining: 2 }]);
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([
      { account: a[0], reason: 6, size: 7, rested: 1 },
      { account: a[2], reason: 4, size: 2, rested: 0 },
    ]);
    expect(d.position(a[0]!)).toBe(0);
    expect(d.book(1)).toEqual([]);
  });

  it('a resting one does not grow a position that has turned', () => {
    const { d, a } = long(10);
    d.done(a[0]!, sell(10, 1_050, ro));
    d.trade(a[2]!, a[0]!, 20, 1_000);
    expect(d.position(a[0]!)).toBe(-10);
    const events = d.send(a[2]!, buy(5, 1_050, { timeInForce: 2 }));
    expect(only(events, 'TRADE')).toEqual([]);
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([
      { account: a[0], reason: 6, size: 10, rested: 1 },
      { account: a[2], reason: 4, size: 5, rested: 0 },
    ]);
  });

  it('charges no open-order margin', () => {
    const { d, a } = long(10);
    const before = d.engine.risk.margin(a[0]!).initial;
    d.done(a[0]!, sell(10, 1_000, ro));
    expect(d.engine.risk.margin(a[0]!).initial).toBe(before);
  });
});

describe('fees', () => {
  it('the taker pays rounded up, the maker is paid rounded down, the market keeps the rest', () => {
    const fees = fc.record({
      taker: fc.integer({ min: 0, max: 5_000 }),
      rebateShare: fc.integer({ min: -1_000, max: 1_000 }),
      size: fc.integer({ min: 1, max: 5_000 }),
      price: fc.integer({ min: 900, max: 1_100 }),
    });
    fc.assert(
      fc.property(fees, ({ taker, rebateShare, size, price }) => {
        const maker = Math.trunc((taker * rebateShare) / 1_000) + 0;
        const { d, a } = desk({ takerFeePpm: taker, makerFeePpm: maker }, 1e10, 1e10);
        d.done(a[0]!, buy(size, price));
        const [trade] = only(d.done(a[1]!, sell(size, price)), 'TRADE');
        const notional = size * price;
        const makerFee = maker >= 0 ? mulPpmUp(notional, maker) : 0 - mulPpmDown(notional, -maker);
        expect(trade).toMatchObject({ takerFee: mulPpmUp(notional, taker), makerFee });
        expect(d.cash(a[0]!)).toBe(1e10 - makerFee);
        expect(d.cash(a[1]!)).toBe(1e10 - mulPpmUp(notional, taker));
        expect(d.state.market(0)!.fees).toBe(mulPpmUp(notional, taker) + makerFee);
        expect(d.state.market(0)!.fees).toBeGreaterThanOrEqual(0);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('by hand: 1,001 q at 500 ppm cost 1 q, at a rebate of 100 ppm bring 0', () => {
    const { d, a } = desk({ takerFeePpm: 500, makerFeePpm: -100, minNotional: 0 }, 1e6, 1e6);
    d.done(a[0]!, buy(1, 1_001));
    expect(only(d.done(a[1]!, sell(1, 1_001)), 'TRADE')).toMatchObject([{ takerFee: 1, makerFee: 0 }]);
    d.done(a[0]!, buy(20, 1_001));
    expect(only(d.done(a[1]!, sell(20, 1_001)), 'TRADE')).toMatchObject([{ takerFee: 11, makerFee: -2 }]);
  });
});
