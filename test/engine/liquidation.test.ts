/** EVALUATE: when a liquidation starts, what it forbids, which phase follows which, and what ends it. */
import { describe, expect, it } from 'vitest';
import { encodeEvaluatePayload, QUEUE_EVALUATE_LIQUIDATION } from '#protocol/queue-entry.ts';
import { Reject } from '#protocol/reject.ts';
import { LIQUIDATING } from '#state/accounts.ts';
import { allLeaves } from '#state/all-leaves.ts';
import { liquidationKey } from '#state/keys.ts';
import { PHASE_AUCTION, PHASE_BOOK, PHASE_RESTRICTED } from '#state/liquidation-state.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET, testAddress } from '../support/exchange.ts';

const TIERS = [{ lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 }];
const MARKET = { ...TEST_MARKET, takerFeePpm: 0, makerFeePpm: 0, tiers: TIERS };

/** An account that is long 1,000 lots from 100,000 with 2,000,001 q: M = 1,200,000 at 100,000, V = what it paid in. */
function setUp(chain = {}) {
  const desk = new Desk({ markets: [MARKET], chain: { voidMs: 3_600_000, ...chain } });
  const rich = desk.deposit(1, 1e10);
  const account = desk.deposit(2, 2_000_001);
  desk.price(0, 100_000);
  desk.trade(account, rich, 1_000, 100_000);
  return { desk, rich, account };
}

/** The index at which V is about `share` of M. */
const AT = { healthy: 99_300, book: 99_000, auction: 98_500 };

const phaseOf = (desk: Desk, account: number): number | undefined =>
  desk.state.liquidations.get(account)?.phase;

describe('an evaluation', () => {
  it('does nothing to an account whose equity is its maintenance margin or more', () => {
    const { desk, account } = setUp();
    desk.price(0, AT.healthy);
    expect(desk.evaluate(account)).toEqual([]);
    expect(desk.state.accounts.flags[account]).toBe(0);
  });

  it('is admitted for accounts alone, and by its whole body', () => {
    const { desk, account } = setUp();
    const admit = (id: number): number => desk.engine.admit(desk.evaluateCommand(id), desk.now);
    expect([account, 0, 99].map(admit)).toEqual([
      Reject.NONE,
      Reject.UNKNOWN_ACCOUNT,
      Reject.UNKNOWN_ACCOUNT,
    ]);
  });

  it('starts a liquidation below maintenance margin: orders go, the flag and the leaf come', () => {
    const { desk, account } = setUp();
    desk.done(account, sell(10, 120_000));
    desk.done(account, sell(10, 120_001, { reduceOnly: true }));
    desk.price(0, AT.book);
    const events = desk.evaluate(account);
    expect(only(events, 'LIQUIDATION_STARTED')).toMatchObject([
      { account, phase: PHASE_RESTRICTED, equity: 1_000_001, maintenance: 1_188_000 },
    ]);
    expect(only(events, 'ORDER_REMOVED').map(({ reason }) => reason)).toEqual([14, 14]);
    expect(desk.state.accounts.openOrders[account]).toBe(0);
    expect(desk.state.accounts.flags[account]).toBe(LIQUIDATING);
    const key = liquidationKey(account).join();
    expect(allLeaves(desk.state).ledger.filter(([at]) => at.join() === key)).toHaveLength(1);
  });

  it('waits while an index of the account is stale', () => {
    const { desk, account } = setUp({ voidMs: 10_000 });
    desk.price(0, AT.book);
    desk.advance(10_001);
    desk.evaluate(account);
    expect(desk.state.liquidations.size).toBe(0);
  });

  it('asked for through L1 by a stranger does the same', () => {
    const { desk, account } = setUp();
    desk.price(0, AT.book);
    const ask = (payload: Uint8Array) =>
      only(desk.queue(QUEUE_EVALUATE_LIQUIDATION, testAddress(77), payload), 'QUEUE_PROCESSED')[0]!.code;
    expect(ask(encodeEvaluatePayload(account))).toBe(Reject.NONE);
    expect(phaseOf(desk, account)).toBe(PHASE_RESTRICTED);
    expect(ask(encodeEvaluatePayload(99))).toBe(Reject.UNKNOWN_ACCOUNT);
    expect(ask(Uint8Array.of(1, 2, 3))).toBe(Reject.QUEUE_ENTRY_INVALID);
  });
});

describe('a liquidating account', () => {
  it('may only reduce, and pay in', () => {
    const { desk, account, rich } = setUp();
    desk.price(0, AT.book);
    desk.evaluate(account);
    expect(desk.code(account, buy(1, 90_000))).toBe(Reject.LIQUIDATING);
    expect(desk.code(account, sell(1, 110_000))).toBe(Reject.LIQUIDATING);
    expect(desk.code(account, sell(1, 110_000, { reduceOnly: true }))).toBe(Reject.NONE);
    expect(desk.code(account, { kind: 'withdraw', asset: 0, amount: 1 })).toBe(Reject.LIQUIDATING);
    const transfer = { kind: 'transfer', asset: 0, toAccount: rich, amount: 1 } as const;
    expect(desk.code(account, transfer)).toBe(Reject.LIQUIDATING);
    desk.deposit(2, 5);
  });

  it('is ended by a better price, or by a deposit', () => {
    const { desk, account } = setUp();
    desk.price(0, AT.book);
    desk.evaluate(account);
    desk.price(0, AT.healthy);
    expect(only(desk.evaluate(account), 'LIQUIDATION_ENDED')).toMatchObject([{ account, phase: 1 }]);
    expect(desk.state.liquidations.size).toBe(0);
    expect(desk.code(account, sell(1, 110_000))).toBe(Reject.NONE);
    desk.price(0, AT.book);
    desk.evaluate(account);
    desk.deposit(2, 1_000_000);
    expect(only(desk.evaluate(account), 'LIQUIDATION_ENDED')).toHaveLength(1);
  });
});

describe('phases', () => {
  it('the book for bookPhaseMs, then the auction', () => {
    const { desk, account } = setUp({ bookPhaseMs: 15_000 });
    desk.price(0, AT.book);
    desk.evaluate(account);
    expect(only(desk.evaluate(account), 'LIQUIDATION_PHASE')).toMatchObject([{ phase: PHASE_BOOK }]);
    desk.advance(14_999);
    desk.evaluate(account);
    expect(phaseOf(desk, account)).toBe(PHASE_BOOK);
    desk.advance(1);
    expect(only(desk.evaluate(account), 'LIQUIDATION_PHASE')).toMatchObject([{ phase: PHASE_AUCTION }]);
    desk.evaluate(account);
    expect(phaseOf(desk, account)).toBe(PHASE_AUCTION);
  });

  it('below close-out the book is passed over, or left', () => {
    const { desk, account } = setUp();
    desk.price(0, AT.auction);
    desk.evaluate(account);
    desk.evaluate(account);
    expect(phaseOf(desk, account)).toBe(PHASE_AUCTION);
    const other = setUp();
    other.desk.price(0, AT.book);
    other.desk.evaluate(other.account);
    other.desk.evaluate(other.account);
    other.desk.price(0, AT.auction);
    other.desk.evaluate(other.account);
    expect(phaseOf(other.desk, other.account)).toBe(PHASE_AUCTION);
  });

  it('the auction is not left for the book when equity recovers to between', () => {
    const { desk, account } = setUp();
    desk.price(0, AT.auction);
    desk.evaluate(account);
    desk.evaluate(account);
    desk.price(0, AT.book);
    desk.evaluate(account);
    expect(phaseOf(desk, account)).toBe(PHASE_AUCTION);
  });
});
