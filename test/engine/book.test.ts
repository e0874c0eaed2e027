import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DecodedEvent } from '#protocol/event.ts';
import type { AmendOperation, Operation, PlaceOperation } from '#protocol/operation.ts';
import { NaiveBook } from '../reference/naive-book.ts';
import { TEST_MARKET, TestExchange } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`book properties: SEED=${SEED}`);

/** Rich accounts and no fees, so that only book rules decide. */
const market = {
  ...TEST_MARKET,
  takerFeePpm: 0,
  makerFeePpm: 0,
  tiers: [{ lower: 0, initialPpm: 10_000, maintenancePpm: 5_000 }],
};

function rich(): { exchange: TestExchange; accounts: number[] } {
  const exchange = new TestExchange({ markets: [market] });
  // The third is another account of the first one's owner.
  const accounts = (
    [
      [1, 0],
      [2, 0],
      [1, 1],
    ] as const
  ).map(([n, subaccount]) => exchange.deposit(n, 1_000_000_000_000_000, subaccount));
  exchange.price(0, 1000);
  return { exchange, accounts };
}

function book(
  exchange: TestExchange,
  side: 0 | 1,
): { id: number; price: number; size: number; account: number }[] {
  const rows = [];
  const { orders, levels } = exchange.state;
  const half = exchange.state.market(0)!.book(side);
  for (let n = 0; n < half.depth; n++)
    for (let slot = levels.head(half.levelAt(n)); slot >= 0; slot = orders.next(slot))
      rows.push({
        id: orders.id(slot),
        price: orders.price(slot),
        size: orders.size(slot),
        account: orders.account(slot),
      });
  return rows;
}

const side = fc.constantFrom<0 | 1>(0, 1);
const price = fc.integer({ min: 985, max: 1015 });
const who = fc.integer({ min: 0, max: 2 });
const place = fc.record({
  what: fc.constant('place' as const),
  who,
  side,
  price,
  size: fc.integer({ min: 1, max: 20 }),
  timeInForce: fc.constantFrom<0 | 2 | 3>(0, 0, 0, 2, 3),
  postOnly: fc.boolean(),
  selfTradePrevention: fc.constantFrom<0 | 1 | 2 | 3>(0, 1, 2, 3),
  clientId: fc.constantFrom(0, 0, 1, 2, 3),
});
const cancel = fc.record({ what: fc.constant('cancel' as const), who, pick: fc.nat(200) });
const amend = fc.record({
  what: fc.constant('amend' as const),
  who,
  pick: fc.nat(200),
  price,
  size: fc.integer({ min: 1, max: 25 }),
  byClient: fc.boolean(),
});
const session = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: place },
    { weight: 2, arbitrary: cancel },
    { weight: 3, arbitrary: amend },
  ),
  {
    minLength: 1,
    maxLength: 120,
  },
);

describe('the book against the naive one', () => {
  it('gives the same trades, ids, refusals and books in random sessions', () => {
    fc.assert(
      fc.property(session, (actions) => {
        const { exchange, accounts } = rich();
        const naive = new NaiveBook((account) => (account === accounts[2] ? accounts[0]! : account));
        for (const action of actions) {
          const account = accounts[action.who]!;
          let expected: boolean;
          let operation: Operation;
          const tradesBefore = naive.trades.length;
          if (action.what === 'place') {
            const immediate = action.timeInForce >= 2;
            const op: PlaceOperation = {
              kind: 'place',
              market: 0,
              side: action.side,
              price: action.price,
              size: action.size,
              timeInForce: action.timeInForce,
              postOnly: action.postOnly && !immediate,
              selfTradePrevention: action.selfTradePrevention,
              clientId: action.clientId,
            };
            operation = op;
            expected = naive.place(account, op) !== undefined;
          } else {
            const pool = naive.orders.filter((o) => o.account === account);
            const target = pool.length > 0 ? pool[action.pick % pool.length]! : undefined;
            if (action.what === 'cancel') {
              operation = { kind: 'cancel', market: 0, by: 'order', id: target?.id ?? 999_999 };
              expected = naive.cancel(account, operation.id);
            } else {
              const byClient = action.byClient && (target?.clientId ?? 0) !== 0;
              const op: AmendOperation = {
                kind: 'amend',
                market: 0,
                by: byClient ? 'client' : 'order',
                id: byClient ? target!.clientId : (target?.id ?? 999_999),
                price: action.price,
                size: action.size,
              };
              operation = op;
              // An amended order keeps the self-trade choice it was placed with; the naive book knows expire-maker.
              if (target !== undefined && naive.meetsOwn(target, op.price)) continue;
              expected = naive.amend(account, op);
            }
          }
          const events = exchange.send(account, operation);
          expect(exchange.results(events)[0]!.code === 0).toBe(expected);
          const trades = events
            .filter((event: DecodedEvent) => event.event === 'TRADE')
            .map((t) => ({ maker: t.makerOrderId, taker: t.takerOrderId, price: t.price, size: t.size }));
          expect(trades).toEqual(naive.trades.slice(tradesBefore));
          for (const half of [0, 1] as const)
            expect(book(exchange, half)).toEqual(
              naive.side(half).map((o) => ({ id: o.id, price: o.price, size: o.size, account: o.account })),
            );
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

describe('time in force and priority', () => {
  it('expires the rest of an IOC and rests the rest of a GTC', () => {
    const { exchange, accounts } = rich();
    const [a, b] = accounts as [number, number];
    exchange.place(a, { side: 1, price: 1000, size: 5 });
    expect(exchange.place(b, { side: 0, price: 1000, size: 8, timeInForce: 2 })).toMatchObject({
      code: 0,
      filled: 5,
      remaining: 0,
    });
    exchange.place(a, { side: 1, price: 1000, size: 5 });
    expect(exchange.place(b, { side: 0, price: 1000, size: 8 })).toMatchObject({ filled: 5, remaining: 3 });
    expect(book(exchange, 0)).toMatchObject([{ price: 1000, size: 3 }]);
  });

  it('expires a GTD order at its time, before anything can trade with it', () => {
    const { exchange, accounts } = rich();
    const [a, b] = accounts as [number, number];
    exchange.place(a, { side: 1, price: 1000, size: 5, timeInForce: 1, expiry: exchange.now + 500 });
    exchange.advance(499);
    expect(exchange.place(b, { side: 0, price: 1000, size: 1, timeInForce: 2 }).filled).toBe(1);
    exchange.advance(1);
    expect(exchange.place(b, { side: 0, price: 1000, size: 1, timeInForce: 2 }).filled).toBe(0);
    expect(book(exchange, 1)).toEqual([]);
  });

  it('runs the dead-man timer and cancel-all walks in order of market and id', () => {
    const { exchange, accounts } = rich();
    const a = accounts[0]!;
    for (const p of [990, 995, 980]) exchange.place(a, { side: 0, price: p, size: 1 });
    exchange.send(a, { kind: 'cancel-after', deadline: exchange.now + 2_000 });
    exchange.advance(2_000);
    const events = exchange.clock();
    expect(events.filter((e) => e.event === 'ORDER_REMOVED').map((e) => [e.price, e.reason])).toEqual([
      [990, 8],
      [995, 8],
      [980, 8],
    ]);
  });
});
