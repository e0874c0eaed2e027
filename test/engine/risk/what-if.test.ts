/** What-if: the answer equals what really happens when the same is done, and asking changes nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccountQueries } from '#feed/account-queries.ts';
import { stateDigest } from '#pipeline/state-digest.ts';
import { Reject } from '#protocol/reject.ts';
import { copyAccount } from '#state/account-copy.ts';
import { Accounts } from '#state/accounts.ts';
import { buy, Desk, sell } from '../../support/desk.ts';
import { TEST_MARKET } from '../../support/exchange.ts';

const NOTHING = { prices: [], cash: 0, orders: [] } as const;

function desk() {
  const exchange = new Desk({
    markets: [TEST_MARKET, { ...TEST_MARKET, market: 1, symbol: 'ETH-PERP', profitWeightPpm: 500_000 }],
  });
  exchange.price(0, 1_000_000);
  exchange.price(1, 50_000);
  const account = exchange.deposit(1, 100_000_000_000);
  const other = exchange.deposit(2, 100_000_000_000);
  exchange.trade(account, other, 30_000, 50_000, 1);
  exchange.done(account, buy(1_000, 990_000));
  return { exchange, account, other, queries: new AccountQueries(exchange.state) };
}

describe('what-if', () => {
  it('says nothing new when nothing is supposed', () => {
    const { account, queries } = desk();
    const { before, after, codes } = queries.whatIf(account, NOTHING);
    expect(after).toEqual(before);
    expect(codes).toEqual([]);
    const view = queries.account(account)!;
    expect(view).toMatchObject(before);
  });

  it('never touches the live state', () => {
    const { exchange, account, queries } = desk();
    const before = stateDigest(exchange.state);
    queries.whatIf(account, {
      prices: [{ market: 0, price: 700_000 }],
      cash: -5_000_000,
      orders: [
        { market: 0, side: 0, price: 690_000, size: 50, reduceOnly: false, filled: true },
        { market: 1, side: 1, price: 50_000, size: 50, reduceOnly: true, filled: false },
        { market: 1, side: 1, price: 50_000, size: 50, reduceOnly: false, filled: false },
      ],
    });
    expect(stateDigest(exchange.state)).toEqual(before);
  });

  it('tells the figures that orders, fills and deposits really lead to', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<0 | 1>(0, 1),
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 970_000, max: 1_030_000 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 1_000_000_000 }),
        (side, size, price, filled, cash) => {
          const { exchange, account, other, queries } = desk();
          exchange.done(account, { kind: 'cancel-all' });
          const order = { market: 0, side, price, size, reduceOnly: false, filled };
          const { after, codes } = queries.whatIf(account, { prices: [], cash, orders: [order] });
          if (cash > 0) exchange.deposit(1, cash);
          if (filled) exchange.done(other, (side === 0 ? sell : buy)(size, price));
          const code = exchange.code(
            account,
            (side === 0 ? buy : sell)(size, price, { timeInForce: filled ? 2 : 0 }),
          );
          expect(codes).toEqual([code]);
          expect(queries.account(account)).toMatchObject(after);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('tells the figures after a move of prices as they are once the mark is there', () => {
    const { exchange, account, queries } = desk();
    const { after, before } = queries.whatIf(account, {
      ...NOTHING,
      prices: [{ market: 1, price: 45_000 }],
    });
    expect(after.equity - before.equity).toBe(-5_000 * 30_000);
    exchange.state.market(1)!.mark = 45_000;
    exchange.state.market(1)!.index = Math.floor((exchange.state.market(1)!.index * 45_000) / 50_000);
    expect(queries.account(account)).toMatchObject(after);
  });

  it('includes open orders, of the book and supposed ones', () => {
    const { account, queries } = desk();
    const order = {
      market: 0,
      side: 0,
      price: 990_000,
      size: 1_000,
      reduceOnly: false,
      filled: false,
    } as const;
    const { before, after } = queries.whatIf(account, { ...NOTHING, orders: [order, order] });
    expect(before.positions[0]).toMatchObject({ market: 0, size: 0, bidSize: 1_000 });
    expect(after.positions[0]).toMatchObject({ market: 0, size: 0, bidSize: 3_000 });
    // 2 % of 1,000 lots at the mark of 1,000,000 for each; up to 1,000,000 whole quote nothing more.
    expect(after.initialMargin - before.initialMargin).toBe(2 * 20_000_000);
  });

  it('leaves out what margin refuses, and says why', () => {
    const { account, queries } = desk();
    const huge = {
      market: 0,
      side: 0,
      price: 1_000_000,
      size: 2_000_000,
      reduceOnly: false,
      filled: true,
    } as const;
    const poorer = { ...NOTHING, cash: -50_000_000_000 };
    const { after, codes } = queries.whatIf(account, { ...poorer, orders: [huge] });
    expect(codes).toEqual([Reject.INSUFFICIENT_MARGIN]);
    expect(after).toEqual(queries.whatIf(account, poorer).after);
  });
});

describe('the copy of an account', () => {
  it('holds every column of the account', () => {
    const { exchange, account } = desk();
    const { accounts } = exchange.state;
    const columns = Object.entries(accounts).filter(([, column]) => ArrayBuffer.isView(column));
    const capacity = accounts.cash.length;
    for (const [name, column] of columns as [string, Uint8Array][]) {
      const width = column.length / capacity;
      column.fill(7, account * width, account * width + width);
      expect(Number.isInteger(width), name).toBe(true);
    }
    const copy = accounts.alone(account) as unknown as Record<string, Uint8Array>;
    for (const [name, column] of columns as [string, Uint8Array][]) {
      const width = column.length / capacity;
      expect(copy[name]!.subarray(width, 2 * width), name).toEqual(
        column.subarray(account * width, account * width + width),
      );
    }
    expect(copy).toBeInstanceOf(Accounts);
  });

  it('holds positions in their order', () => {
    const { exchange, account } = desk();
    const copy = copyAccount(exchange.state, account);
    expect(copy.positions.size(copy.findPosition(1, 1))).toBe(30_000);
    expect(copy.positions.bidLots(copy.findPosition(1, 0))).toBe(1_000);
    expect(copy.findPosition(1, 2)).toBe(-1);
  });
});
