/** Book rules by hand: priority, amends (the rules of the recorded opening's README), self-trade prevention, walks. */
import { describe, expect, it } from 'vitest';
import type { Operation } from '#protocol/operation.ts';
import { Reject, rejectName } from '#protocol/reject.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET } from '../support/exchange.ts';

const PLAIN = { ...TEST_MARKET, takerFeePpm: 0, makerFeePpm: 0 };

function three(): { desk: Desk; a: number; b: number; c: number } {
  const desk = new Desk({ markets: [PLAIN, { ...PLAIN, market: 1, symbol: 'TWO' }] });
  const [a, b, c] = [1, 2, 3].map((n) => desk.deposit(n, 1e12)) as [number, number, number];
  desk.price(0, 1_000);
  desk.price(1, 1_000);
  return { desk, a, b, c };
}

const amend = (id: number, price: number, size: number, by: 'order' | 'client' = 'order'): Operation => ({
  kind: 'amend',
  market: 0,
  by,
  id,
  price,
  size,
});
const ids = (desk: Desk, side: 0 | 1): number[] => desk.book(side).map((row) => row.id);

describe('priority', () => {
  it('the better price first, at one price the older order first, every trade at the resting price', () => {
    const { desk, a, b, c } = three();
    desk.done(a, sell(1, 1_002));
    desk.done(b, sell(2, 1_001));
    desk.done(a, sell(3, 1_001));
    desk.done(b, sell(4, 1_003));
    const events = desk.done(c, buy(7, 1_002));
    expect(only(events, 'TRADE').map((t) => [t.makerOrderId, t.price, t.size, t.tradeId])).toEqual([
      [2, 1_001, 2, 1],
      [3, 1_001, 3, 2],
      [1, 1_002, 1, 3],
    ]);
    expect(desk.results(events)[0]).toMatchObject({
      filled: 6,
      remaining: 1,
      filledQuote: 5 * 1_001 + 1_002,
    });
    expect(desk.book(0)).toMatchObject([{ price: 1_002, size: 1 }]);
  });

  it('a partly filled order keeps its place', () => {
    const { desk, a, b, c } = three();
    desk.done(a, buy(5, 1_000));
    desk.done(b, buy(5, 1_000));
    desk.done(c, sell(2, 1_000));
    expect(desk.book(0)).toMatchObject([
      { id: 1, size: 3 },
      { id: 2, size: 5 },
    ]);
  });

  it('an order does not take more levels than its price allows', () => {
    const { desk, a, b } = three();
    for (const price of [1_001, 1_002, 1_003]) desk.done(a, sell(1, price));
    const events = desk.done(b, buy(9, 1_002, { timeInForce: 2 }));
    expect(only(events, 'TRADE').map((t) => t.price)).toEqual([1_001, 1_002]);
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ reason: 4, size: 7, rested: 0 }]);
    expect(ids(desk, 1)).toEqual([3]);
  });
});

describe('fill-or-kill', () => {
  it('fills whole or changes nothing', () => {
    const { desk, a, b } = three();
    desk.done(a, sell(5, 1_000));
    desk.done(a, sell(5, 1_001));
    const fok = { timeInForce: 3 } as const;
    const refused = desk.send(b, buy(10, 1_000, fok));
    expect(refused.map((e) => [e.event, rejectName(Number(e.code))])).toEqual([
      ['OPERATION_RESULT', 'FOK_NOT_FILLABLE'],
    ]);
    expect(desk.code(b, buy(11, 1_001, fok))).toBe(Reject.FOK_NOT_FILLABLE);
    expect(desk.result(b, buy(10, 1_001, fok))).toMatchObject({ code: 0, filled: 10, remaining: 0 });
  });

  it('reads 32 levels and no more', () => {
    const { desk, a, b } = three();
    for (let n = 0; n < 33; n++) desk.done(a, sell(1, 1_000 + n));
    const fok = { timeInForce: 3 } as const;
    expect(desk.code(b, buy(33, 1_100, fok))).toBe(Reject.FOK_NOT_FILLABLE);
    expect(desk.result(b, buy(32, 1_100, fok))).toMatchObject({ code: 0, filled: 32 });
  });

  it('does not count the own orders on the other side', () => {
    const { desk, a, b } = three();
    desk.done(a, sell(5, 1_000));
    desk.done(b, sell(5, 1_000));
    const fok = { timeInForce: 3 } as const;
    expect(desk.code(b, buy(6, 1_000, fok))).toBe(Reject.FOK_NOT_FILLABLE);
    for (const selfTradePrevention of [1, 2] as const)
      expect(desk.code(b, buy(1, 1_000, { ...fok, selfTradePrevention }))).toBe(Reject.FOK_NOT_FILLABLE);
    expect(desk.result(b, buy(5, 1_000, fok))).toMatchObject({ code: 0, filled: 5 });
    // Long 5 now; a reduce-only offer of its own does not count either.
    desk.done(b, { kind: 'cancel-all' });
    desk.done(b, sell(5, 1_000, { reduceOnly: true }));
    desk.done(a, sell(5, 1_000));
    expect(desk.code(b, buy(6, 1_000, fok))).toBe(Reject.FOK_NOT_FILLABLE);
  });
});

describe('post-only', () => {
  it('rests or is refused, never takes', () => {
    const { desk, a, b } = three();
    desk.done(a, sell(1, 1_001));
    expect(desk.code(b, buy(1, 1_001, { postOnly: true }))).toBe(Reject.POST_ONLY_WOULD_CROSS);
    expect(desk.result(b, buy(1, 1_000, { postOnly: true }))).toMatchObject({ filled: 0, remaining: 1 });
    const id = Number(desk.result(b, buy(1, 999, { postOnly: true })).orderId);
    expect(desk.code(b, amend(id, 1_001, 1))).toBe(Reject.POST_ONLY_WOULD_CROSS);
    expect(ids(desk, 0)).toEqual([2, id]);
  });
});

describe('amend', () => {
  /** Orders 1, 2, 3 of size 5 at 1,000 and 4 at 999. */
  function queued(): { desk: Desk; a: number; b: number; c: number } {
    const made = three();
    for (const who of [made.a, made.b, made.a]) made.desk.done(who, buy(5, 1_000));
    made.desk.done(made.b, buy(5, 999));
    return made;
  }

  it('a smaller size at the same price keeps the place', () => {
    const { desk, a } = queued();
    const events = desk.done(a, amend(1, 1_000, 2));
    expect(events).toMatchObject([
      { event: 'ORDER_REDUCED', orderId: 1, oldSize: 5, newSize: 2, cause: 0 },
      { event: 'OPERATION_RESULT', orderId: 1, filled: 0, remaining: 2 },
    ]);
    expect(ids(desk, 0)).toEqual([1, 2, 3, 4]);
  });

  it('a larger size goes to the back of its price', () => {
    const { desk, a } = queued();
    const events = desk.done(a, amend(1, 1_000, 6));
    expect(events).toMatchObject([
      { event: 'ORDER_REMOVED', orderId: 1, reason: 11, rested: 1 },
      { event: 'ORDER_RESTED', orderId: 1, size: 6, amended: 1 },
      { event: 'OPERATION_RESULT', orderId: 1, remaining: 6 },
    ]);
    expect(ids(desk, 0)).toEqual([2, 3, 1, 4]);
  });

  it('a new price goes to the back there, also with a smaller size, and also when it comes back', () => {
    const { desk, a } = queued();
    desk.done(a, amend(1, 999, 1));
    expect(ids(desk, 0)).toEqual([2, 3, 4, 1]);
    desk.done(a, amend(1, 1_000, 1));
    expect(ids(desk, 0)).toEqual([2, 3, 1, 4]);
  });

  it('priority comes from the amend, not from the order id: a later order stands behind an earlier amend', () => {
    const { desk, a, b } = queued();
    desk.done(a, amend(1, 998, 5));
    desk.done(b, buy(5, 998));
    desk.done(a, amend(3, 998, 5));
    expect(ids(desk, 0)).toEqual([2, 4, 1, 5, 3].map((id) => (id === 5 ? 6 : id)));
  });

  it('takes what it crosses at once, and rests with what is left, under its own id and client id', () => {
    const { desk, a, b, c } = three();
    desk.done(a, buy(5, 990, { clientId: 77 }));
    desk.done(b, sell(3, 1_000));
    const events = desk.done(a, amend(77, 1_000, 8, 'client'));
    expect(only(events, 'TRADE')).toMatchObject([
      { makerOrderId: 2, takerOrderId: 1, takerClientId: 77, size: 3, price: 1_000, takerRemaining: 5 },
    ]);
    expect(desk.results(events)[0]).toMatchObject({ orderId: 1, clientId: 77, filled: 3, remaining: 5 });
    expect(desk.book(0)).toMatchObject([{ id: 1, price: 1_000, size: 5 }]);
    desk.done(c, sell(5, 1_000));
    expect(desk.code(a, amend(77, 1_000, 9, 'client'))).toBe(Reject.UNKNOWN_ORDER);
  });

  it('is about own orders in the named market only, and needs a change', () => {
    const { desk, a, b } = queued();
    expect(desk.code(b, amend(1, 1_000, 4))).toBe(Reject.UNKNOWN_ORDER);
    expect(desk.code(a, { ...amend(1, 1_000, 4), market: 1 } as Operation)).toBe(Reject.UNKNOWN_ORDER);
    expect(desk.code(a, amend(0, 1_000, 4, 'client'))).toBe(Reject.UNKNOWN_ORDER);
    expect(desk.code(a, amend(1, 1_000, 5))).toBe(Reject.NOTHING_TO_AMEND);
  });

  it('a refused amend leaves the order as it was', () => {
    const desk = new Desk({ markets: [PLAIN] });
    const a = desk.deposit(1, 1_000);
    desk.price(0, 1_000);
    desk.done(a, buy(10, 1_000));
    expect(desk.code(a, amend(1, 1_000, 51))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.book(0)).toMatchObject([{ id: 1, price: 1_000, size: 10 }]);
    // The margin of what it replaces is free for it.
    expect(desk.code(a, amend(1, 1_000, 50))).toBe(Reject.NONE);
    expect(desk.code(a, amend(1, 990, 50))).toBe(Reject.NONE);
  });
});

describe('self-trade prevention', () => {
  /** Own order of 3 in front of another's 5, all offered at 1,000; buys 4. */
  function meet(choice: 0 | 1 | 2 | 3, size = 4): { desk: Desk; events: ReturnType<Desk['send']> } {
    const { desk, a, b } = three();
    desk.done(a, sell(3, 1_000));
    desk.done(b, sell(5, 1_000));
    return { desk, events: desk.done(a, buy(size, 1_000, { selfTradePrevention: choice })) };
  }
  const told = (events: ReturnType<Desk['send']>): unknown[] =>
    events
      .filter((e) => e.event !== 'OPERATION_RESULT' && e.event !== 'ORDER_RESTED')
      .map((e) => [e.event, e.event === 'TRADE' ? e.makerOrderId : e.orderId, e.size ?? e.newSize]);

  it('expire maker: the resting order goes, the incoming one meets the next', () => {
    const { desk, events } = meet(0);
    expect(told(events)).toEqual([
      ['ORDER_REMOVED', 1, 3],
      ['TRADE', 2, 4],
    ]);
    expect(desk.book(1)).toMatchObject([{ id: 2, size: 1 }]);
  });

  it('expire taker: the incoming order goes, the book stays', () => {
    const { desk, events } = meet(1);
    expect(told(events)).toEqual([['ORDER_REMOVED', 3, 4]]);
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ reason: 5, rested: 0 }]);
    expect(ids(desk, 1)).toEqual([1, 2]);
  });

  it('expire both', () => {
    const { desk, events } = meet(2);
    expect(told(events)).toEqual([
      ['ORDER_REMOVED', 1, 3],
      ['ORDER_REMOVED', 3, 4],
    ]);
    expect(ids(desk, 1)).toEqual([2]);
  });

  it('decrement: both lose the smaller size, the larger goes on', () => {
    const larger = meet(3);
    expect(told(larger.events)).toEqual([
      ['ORDER_REMOVED', 1, 3],
      ['TRADE', 2, 1],
    ]);
    expect(larger.desk.results(larger.events)[0]).toMatchObject({ filled: 1, remaining: 0 });
    const smaller = meet(3, 2);
    expect(told(smaller.events)).toEqual([
      ['ORDER_REDUCED', 1, 1],
      ['ORDER_REMOVED', 3, 2],
    ]);
    expect(smaller.desk.book(1)).toMatchObject([
      { id: 1, size: 1 },
      { id: 2, size: 5 },
    ]);
    const equal = meet(3, 3);
    expect(told(equal.events)).toEqual([
      ['ORDER_REMOVED', 1, 3],
      ['ORDER_REMOVED', 3, 3],
    ]);
    expect(ids(equal.desk, 1)).toEqual([2]);
  });

  it('an amended order acts on the choice that it was placed with', () => {
    const { desk, a } = three();
    desk.done(a, sell(3, 1_000));
    desk.done(a, buy(2, 990, { selfTradePrevention: 1 }));
    const events = desk.send(a, amend(2, 1_000, 2));
    expect(told(events)).toEqual([
      ['ORDER_REMOVED', 2, 2],
      ['ORDER_REMOVED', 2, 2],
    ]);
    expect(only(events, 'ORDER_REMOVED').map((e) => e.reason)).toEqual([11, 5]);
    expect(ids(desk, 1)).toEqual([1]);
  });
});

describe('cancel', () => {
  it('by id, by client id, own orders of the named market only', () => {
    const { desk, a, b } = three();
    desk.done(a, buy(1, 900, { clientId: 5 }));
    desk.done(b, buy(1, 900, { clientId: 5 }));
    const cancel = (by: 'order' | 'client', id: number, market = 0): Operation => ({
      kind: 'cancel',
      market,
      by,
      id,
    });
    expect(desk.code(a, cancel('order', 2))).toBe(Reject.UNKNOWN_ORDER);
    expect(desk.code(a, cancel('order', 1, 1))).toBe(Reject.UNKNOWN_ORDER);
    expect(desk.code(a, cancel('client', 5, 1))).toBe(Reject.UNKNOWN_ORDER);
    expect(desk.code(a, cancel('client', 0))).toBe(Reject.UNKNOWN_ORDER);
    expect(desk.code(a, cancel('order', 1, 9))).toBe(Reject.UNKNOWN_MARKET);
    expect(desk.code(a, { kind: 'cancel-all', market: 9 })).toBe(Reject.UNKNOWN_MARKET);
    expect(desk.result(a, cancel('client', 5))).toMatchObject({ orderId: 1, clientId: 5, canceled: 1 });
    expect(ids(desk, 0)).toEqual([2]);
    // The client id is free again.
    expect(desk.code(a, buy(1, 900, { clientId: 5 }))).toBe(Reject.NONE);
  });

  it('all of a market, all of all, by market and id, and counts them', () => {
    const { desk, a, b } = three();
    for (const market of [1, 0, 1, 0]) desk.done(a, buy(1, 900, { market }));
    desk.done(b, buy(1, 900));
    const one = desk.done(a, { kind: 'cancel-all', market: 1 });
    expect(only(one, 'ORDER_REMOVED').map((e) => [e.market, e.orderId, e.reason])).toEqual([
      [1, 1, 2],
      [1, 3, 2],
    ]);
    expect(desk.results(one)[0]).toMatchObject({ canceled: 2 });
    const all = desk.done(a, { kind: 'cancel-all' });
    expect(only(all, 'ORDER_REMOVED').map((e) => e.orderId)).toEqual([2, 4]);
    expect(desk.result(a, { kind: 'cancel-all' })).toMatchObject({ code: 0, canceled: 0 });
    expect(ids(desk, 0)).toEqual([5]);
  });
});

describe('a message of many operations', () => {
  it('is done in order, each with its own result; a refused one does not stop the next', () => {
    const { desk, a } = three();
    const events = desk.send(
      a,
      buy(1, 900),
      buy(0, 900),
      { kind: 'cancel', market: 0, by: 'order', id: 1 },
      { kind: 'cancel', market: 0, by: 'order', id: 1 },
      buy(2, 901),
    );
    expect(
      desk.results(events).map((r) => [r.index, r.operation, rejectName(Number(r.code)), r.orderId]),
    ).toEqual([
      [0, 1, 'NONE', 1],
      [1, 1, 'SIZE_OUT_OF_RANGE', 0],
      [2, 2, 'NONE', 1],
      [3, 2, 'UNKNOWN_ORDER', 0],
      [4, 1, 'NONE', 2],
    ]);
  });

  it('fifty replace a ladder of twenty-five levels a side', () => {
    const { desk, a } = three();
    const rungs = Array.from({ length: 25 }, (_, n) => n);
    desk.send(a, ...rungs.map((n) => buy(1, 990 - n, { clientId: n + 1 })));
    desk.send(
      a,
      { kind: 'cancel-all' },
      ...rungs.slice(1).flatMap((n) => [buy(1, 995 - n, { clientId: n }), sell(1, 1_005 + n)]),
    );
    expect(desk.book(0)).toHaveLength(24);
    expect(desk.book(1)).toHaveLength(24);
    expect(desk.state.accounts.openOrders[a]).toBe(48);
  });
});

describe('market orders', () => {
  const market = { timeInForce: 2, marketOrder: true } as const;
  it('take the book up to the band around the mark, and never rest', () => {
    const desk = new Desk({ markets: [{ ...PLAIN, bandPpm: 50_000 }] });
    const [a, b] = [desk.deposit(1, 1e9), desk.deposit(2, 1e9)];
    desk.price(0, 1_010);
    for (const price of [1_010, 1_050, 1_060]) desk.done(a, sell(1, price));
    // floor(1,010 · 1.05) = 1,060.
    const events = desk.done(b, buy(9, 0, market));
    expect(only(events, 'TRADE').map((t) => t.price)).toEqual([1_010, 1_050, 1_060]);
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ price: 1_060, size: 6, reason: 4 }]);
    desk.price(0, 1_050);
    // ceil(1,050 · 0.95) = 998.
    desk.done(a, buy(1, 998));
    expect(desk.code(a, buy(1, 997))).toBe(Reject.PRICE_OUTSIDE_BAND);
    expect(desk.code(a, buy(1, 1_102))).toBe(Reject.NONE);
    expect(desk.code(a, buy(1, 1_103))).toBe(Reject.PRICE_OUTSIDE_BAND);
    expect(desk.result(b, sell(1, 0, market))).toMatchObject({ filled: 1 });
  });

  it('may carry a bound of their own, and a limit order must', () => {
    const { desk, a, b } = three();
    desk.done(a, sell(1, 1_000));
    desk.done(a, sell(1, 1_001));
    expect(desk.result(b, buy(5, 1_000, market))).toMatchObject({ code: 0, filled: 1, remaining: 0 });
    expect(desk.code(b, buy(5, 0, { timeInForce: 2 }))).toBe(Reject.PRICE_OUT_OF_RANGE);
    expect(desk.code(b, buy(5, 0, { ...market, timeInForce: 0 }))).toBe(Reject.INVALID_TIME_IN_FORCE);
    expect(desk.code(b, buy(5, 0, { ...market, postOnly: true }))).toBe(Reject.INVALID_FLAGS);
  });
});
