/** Isolated accounts, risk pools, markets that refuse some accounts, and own leverage. */
import { describe, expect, it } from 'vitest';
import { POSITIONS_MAX } from '#protocol/limits.ts';
import { encodeMarketConfig, FEED_ONLY, ISOLATED_ONLY, type MarketConfig } from '#protocol/market.ts';
import { QUEUE_CONFIGURE_MARKET } from '#protocol/queue-entry.ts';
import { Reject } from '#protocol/reject.ts';
import { NOT_ISOLATED } from '#state/accounts.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET, testAddress } from '../support/exchange.ts';

/** 10 % initial, 5 % maintenance, no fees, one q per tick and lot. */
const market = (id: number, change: Partial<MarketConfig> = {}): MarketConfig => ({
  ...TEST_MARKET,
  ...{ market: id, symbol: `M${id}-PERP` },
  ...{ maxPrice: 100_000, maxPosition: 1_000_000, maxOrderSize: 1_000_000, takerFeePpm: 0, makerFeePpm: 0 },
  tiers: [{ lower: 0, initialPpm: 100_000, maintenancePpm: 50_000 }],
  ...change,
});
/** 0 common, 1 of pool 7, 2 for isolated accounts alone, 3 a feed. */
const MARKETS = [
  market(0),
  market(1, { riskPool: 7 }),
  market(2, { flags: ISOLATED_ONLY }),
  market(3, { flags: FEED_ONLY }),
];

function opened(markets: readonly MarketConfig[] = MARKETS) {
  const desk = new Desk({ markets });
  const account = desk.deposit(1, 1_000_000);
  const other = desk.deposit(2, 100_000_000);
  for (const { market: id } of markets) desk.price(id, 1_000);
  const sub = (subaccount: number): number => desk.state.accountOf(testAddress(1), subaccount);
  return { desk, account, other, sub };
}

const transfer = (toAccount: number, amount: number) =>
  ({ kind: 'transfer', asset: 0, toAccount, amount }) as const;

describe('ISOLATE', () => {
  it('opens an account of one market, in the pool of the market, with nothing in it', () => {
    const { desk, account, sub } = opened();
    const events = desk.done(account, { kind: 'isolate', subaccount: 3, market: 1 });
    expect(sub(3)).toBe(3);
    expect(only(events, 'ACCOUNT_CREATED')).toMatchObject([
      { account: 3, subaccount: 3, riskPool: 7, isolatedMarket: 2 },
    ]);
    const { accounts } = desk.state;
    expect([accounts.riskPool[3], accounts.isolatedMarket[3], accounts.cash[3]]).toEqual([7, 1, 0]);
    expect(accounts.owner(3)).toEqual(testAddress(1));
  });

  it('opens a cross account of another pool', () => {
    const { desk, account, sub } = opened();
    desk.done(account, { kind: 'isolate', subaccount: 255, riskPool: 7 });
    const { accounts } = desk.state;
    expect([accounts.riskPool[sub(255)], accounts.isolatedMarket[sub(255)]]).toEqual([7, NOT_ISOLATED]);
  });

  it('refuses what is there, what is no market, and what has no orders', () => {
    const { desk, account } = opened();
    expect(desk.code(account, { kind: 'isolate', subaccount: 0, market: 0 })).toBe(Reject.SUBACCOUNT_EXISTS);
    expect(desk.code(account, { kind: 'isolate', subaccount: 0, market: 3 })).toBe(Reject.MARKET_FEED_ONLY);
    expect(desk.code(account, { kind: 'isolate', subaccount: 1, market: 9 })).toBe(Reject.UNKNOWN_MARKET);
    expect(desk.code(account, { kind: 'isolate', subaccount: 1, market: 0 })).toBe(Reject.NONE);
    expect(desk.code(account, { kind: 'isolate', subaccount: 1, riskPool: 4 })).toBe(
      Reject.SUBACCOUNT_EXISTS,
    );
  });

  it('is not changed by a deposit to it, which is credited', () => {
    const { desk, account, sub } = opened();
    desk.done(account, { kind: 'isolate', subaccount: 1, market: 0 });
    desk.deposit(1, 5_000, 1);
    expect(desk.cash(sub(1))).toBe(5_000);
    expect(desk.state.accounts.isolatedMarket[sub(1)]).toBe(0);
  });
});

describe('an isolated account', () => {
  it('trades its own market and no other', () => {
    const { desk, account, sub } = opened();
    desk.done(account, { kind: 'isolate', subaccount: 1, market: 0 });
    desk.done(account, transfer(sub(1), 100_000));
    expect(desk.code(sub(1), buy(1_000, 1_000))).toBe(Reject.NONE);
    for (const id of [1, 2])
      expect(desk.code(sub(1), buy(1, 1_000, { market: id }))).toBe(Reject.ACCOUNT_ISOLATED);
    expect(desk.code(sub(1), buy(1, 1_000, { market: 3 }))).toBe(Reject.MARKET_FEED_ONLY);
  });

  it('stands on its own margin: what the owner has elsewhere does not count, and is not lost', () => {
    const { desk, account, other, sub } = opened();
    desk.done(account, { kind: 'isolate', subaccount: 1, market: 0 });
    desk.done(account, transfer(sub(1), 100_000));
    expect(desk.code(sub(1), buy(1_001, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
    desk.trade(sub(1), other, 1_000, 1_000);
    desk.price(0, 700);
    expect(desk.engine.risk.margin(sub(1)).equityMaintenance).toBe(-200_000);
    expect(desk.engine.risk.margin(account)).toMatchObject({ equityMaintenance: 900_000, maintenance: 0 });
    expect(desk.code(account, { kind: 'withdraw', asset: 0, amount: 900_000 })).toBe(Reject.NONE);
  });

  it('takes margin in at any time, and gives it back as far as its requirement and the floor allow', () => {
    const { desk, account, other, sub } = opened();
    desk.done(account, { kind: 'isolate', subaccount: 1, market: 0 });
    const isolated = sub(1);
    desk.done(account, transfer(isolated, 100_000));
    desk.trade(isolated, other, 1_000, 1_000);
    expect(desk.code(isolated, transfer(account, 1))).toBe(Reject.INSUFFICIENT_FREE_COLLATERAL);
    desk.price(0, 950);
    expect(desk.code(account, transfer(isolated, 60_000))).toBe(Reject.NONE);
    // 110,000 of equity; 95,000 stay.
    expect(desk.code(isolated, transfer(account, 15_001))).toBe(Reject.INSUFFICIENT_FREE_COLLATERAL);
    expect(desk.code(isolated, transfer(account, 15_000))).toBe(Reject.NONE);
  });
});

describe('markets', () => {
  it('for isolated accounts refuse all others, but not what only reduces', () => {
    const { desk, account, other } = opened();
    expect(desk.code(account, buy(1, 1_000, { market: 2 }))).toBe(Reject.MARKET_ISOLATED_ONLY);
    desk.trade(account, other, 10, 1_000);
    desk.queue(
      QUEUE_CONFIGURE_MARKET,
      new Uint8Array(20),
      encodeMarketConfig(market(0, { flags: ISOLATED_ONLY })),
    );
    expect(desk.code(account, sell(1, 1_000))).toBe(Reject.MARKET_ISOLATED_ONLY);
    expect(desk.code(account, sell(1, 1_000, { reduceOnly: true }))).toBe(Reject.NONE);
  });

  it('that are feeds take no order: there is nothing to reduce', () => {
    const { desk, account } = opened();
    expect(desk.code(account, buy(1, 1_000, { market: 3 }))).toBe(Reject.MARKET_FEED_ONLY);
    expect(desk.code(account, buy(1, 1_000, { market: 3, reduceOnly: true }))).toBe(
      Reject.REDUCE_ONLY_WOULD_INCREASE,
    );
  });

  it('of a risk pool refuse accounts of others', () => {
    const { desk, account, sub } = opened();
    desk.done(account, { kind: 'isolate', subaccount: 1, riskPool: 7 });
    desk.done(account, transfer(sub(1), 500_000));
    expect(desk.code(account, buy(1, 1_000, { market: 1 }))).toBe(Reject.RISK_POOL_MISMATCH);
    expect(desk.code(sub(1), buy(1, 1_000))).toBe(Reject.RISK_POOL_MISMATCH);
    expect(desk.code(sub(1), buy(1, 1_000, { market: 1 }))).toBe(Reject.NONE);
  });

  it('that moved to another pool keep resting orders, which may shrink and not grow', () => {
    const { desk, account } = opened();
    const id = Number(desk.result(account, buy(10, 900)).orderId);
    desk.queue(QUEUE_CONFIGURE_MARKET, new Uint8Array(20), encodeMarketConfig(market(0, { riskPool: 9 })));
    const amend = (size: number) =>
      desk.code(account, { kind: 'amend', market: 0, by: 'order', id, price: 900, size });
    expect(amend(11)).toBe(Reject.RISK_POOL_MISMATCH);
    expect(amend(9)).toBe(Reject.NONE);
  });
});

describe('SET_LEVERAGE', () => {
  const leverage = (initialPpm: number, id = 0) =>
    ({ kind: 'set-leverage', market: id, initialPpm }) as const;

  it('asks more of new orders in its market, and of no other account', () => {
    const { desk, account, other } = opened();
    const events = desk.done(account, leverage(500_000));
    expect(only(events, 'LEVERAGE_SET')).toMatchObject([{ account, market: 0, initialPpm: 500_000 }]);
    expect(desk.code(account, buy(2_001, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.code(account, buy(2_000, 1_000))).toBe(Reject.NONE);
    expect(desk.code(other, sell(100_000, 1_100))).toBe(Reject.NONE);
    expect(desk.engine.risk.margin(account).initial).toBe(1_000_000);
  });

  it('never asks for less than the market does', () => {
    const { desk, account } = opened();
    desk.done(account, leverage(10_000));
    expect(desk.code(account, buy(10_001, 1_000))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.code(account, buy(10_000, 1_000))).toBe(Reject.NONE);
  });

  it('is refused where the account lacks what it would ask for, and may always come down', () => {
    const { desk, account, other } = opened();
    desk.trade(account, other, 4_000, 1_000);
    expect(desk.code(account, leverage(250_001))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.code(account, leverage(250_000))).toBe(Reject.NONE);
    desk.price(0, 950);
    // Below what it asked of itself: not higher, but lower, and not at all.
    expect(desk.code(account, leverage(250_001))).toBe(Reject.INSUFFICIENT_MARGIN);
    expect(desk.code(account, leverage(240_000))).toBe(Reject.NONE);
    expect(desk.code(account, leverage(0))).toBe(Reject.NONE);
    expect(desk.engine.risk.margin(account).initial).toBe(380_000);
  });

  it('may be below the rate of the market in an account that is short of margin: it raises nothing', () => {
    const { desk, account, other } = opened();
    desk.trade(account, other, 10_000, 1_000);
    desk.price(0, 950);
    expect(desk.code(account, leverage(100_000))).toBe(Reject.NONE);
    expect(desk.code(account, leverage(100_001))).toBe(Reject.INSUFFICIENT_MARGIN);
  });

  it('keeps its record without a position, and lets it go when it is removed', () => {
    const { desk, account, other } = opened();
    desk.done(account, leverage(200_000));
    expect(desk.state.accounts.positionCount[account]).toBe(1);
    desk.trade(account, other, 10, 1_000);
    desk.trade(other, account, 10, 1_000);
    expect(desk.state.accounts.positionCount[account]).toBe(1);
    desk.done(account, leverage(0));
    expect(desk.state.accounts.positionCount[account]).toBe(0);
    expect(desk.code(account, leverage(0))).toBe(Reject.NONE);
  });

  it('is refused for unknown markets, beyond 100 %, and where the account may not trade', () => {
    const { desk, account } = opened();
    expect(desk.code(account, leverage(1, 9))).toBe(Reject.UNKNOWN_MARKET);
    expect(desk.code(account, leverage(1_000_001))).toBe(Reject.INVALID_LEVERAGE);
    expect(desk.code(account, leverage(1_000_000))).toBe(Reject.NONE);
    expect(desk.code(account, leverage(1, 1))).toBe(Reject.RISK_POOL_MISMATCH);
    expect(desk.code(account, leverage(1, 2))).toBe(Reject.MARKET_ISOLATED_ONLY);
    expect(desk.code(account, leverage(1, 3))).toBe(Reject.MARKET_FEED_ONLY);
  });

  it('counts as a record of the account, of which there are sixteen', () => {
    const many = Array.from({ length: POSITIONS_MAX + 1 }, (_, id) => market(id));
    const { desk, account } = opened(many);
    for (let id = 0; id < POSITIONS_MAX; id++) desk.done(account, leverage(200_000, id));
    expect(desk.code(account, leverage(200_000, POSITIONS_MAX))).toBe(Reject.TOO_MANY_POSITIONS);
    expect(desk.code(account, buy(1, 1_000, { market: POSITIONS_MAX }))).toBe(Reject.TOO_MANY_POSITIONS);
    desk.done(account, leverage(0, 3));
    expect(desk.code(account, leverage(200_000, POSITIONS_MAX))).toBe(Reject.NONE);
  });
});

describe('open interest against supply', () => {
  it('stays below its cap, so that a market can not be cornered with borrowed size', () => {
    const { desk, account, other } = opened([market(0, { maxOpenInterest: 500 })]);
    desk.trade(account, other, 400, 1_000);
    expect(desk.code(other, sell(101, 1_000))).toBe(Reject.OPEN_INTEREST_TOO_LARGE);
    expect(desk.code(other, sell(100, 1_000))).toBe(Reject.NONE);
    desk.done(account, buy(100, 1_000, { timeInForce: 2 }));
    expect(desk.state.market(0)!.openInterest).toBe(500);
    for (const who of [account, other])
      expect(desk.code(who, buy(1, 900))).not.toBe(Reject.INSUFFICIENT_MARGIN);
    // At the cap positions can still be closed.
    desk.trade(other, account, 100, 1_000);
    expect(desk.state.market(0)!.openInterest).toBe(400);
  });
});
