/** What falls due by time: expiries, dead-man timers, disconnects, samples, funding; on the dot, in order, once. */
import { describe, expect, it } from 'vitest';
import { nextAligned } from '#engine/handlers/ticks.ts';
import { encodeChainParameters } from '#protocol/market.ts';
import { QUEUE_CONFIGURE_CHAIN } from '#protocol/queue-entry.ts';
import { Reject, rejectName } from '#protocol/reject.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET } from '../support/exchange.ts';

const gtd = (expiry: number): { timeInForce: 1; expiry: number } => ({ timeInForce: 1, expiry });

function funded(...deposits: number[]): { desk: Desk; a: number[] } {
  const desk = new Desk();
  const a = deposits.map((amount, n) => desk.deposit(n + 1, amount));
  desk.price(0, 1_000);
  return { desk, a };
}

describe('GTD', () => {
  it('is gone at its expiry, before the command that brings the time, earliest first', () => {
    const { desk, a } = funded(1e9, 1e9);
    const t = desk.now;
    desk.done(a[0]!, sell(1, 1_003, gtd(t + 300)));
    desk.done(a[0]!, sell(1, 1_001, gtd(t + 100)));
    desk.done(a[0]!, sell(1, 1_002, gtd(t + 100)));
    desk.done(a[0]!, sell(1, 1_004, gtd(t + 301)));
    desk.advance(300);
    const events = desk.done(a[1]!, buy(5, 1_010, { timeInForce: 2 }));
    expect(events.map((e) => [e.event, e.event === 'TRADE' ? e.price : e.orderId]).slice(0, 4)).toEqual([
      ['ORDER_REMOVED', 2],
      ['ORDER_REMOVED', 3],
      ['ORDER_REMOVED', 1],
      ['TRADE', 1_004],
    ]);
    expect(only(events, 'ORDER_REMOVED').map((e) => e.reason)).toEqual([3, 3, 3, 4]);
  });

  it('must expire in the future, and other orders must not', () => {
    const { desk, a } = funded(1e9);
    const code = (extras: object): string => rejectName(desk.code(a[0]!, buy(1, 900, extras)));
    expect(code(gtd(desk.now))).toBe('EXPIRY_IN_PAST');
    expect(code(gtd(0))).toBe('EXPIRY_IN_PAST');
    expect(code(gtd(2 ** 48))).toBe('EXPIRY_IN_PAST');
    expect(code(gtd(2 ** 48 - 1))).toBe('NONE');
    expect(code(gtd(desk.now + 1))).toBe('NONE');
    for (const timeInForce of [0, 2, 3] as const)
      expect(code({ timeInForce, expiry: desk.now + 10 })).toBe('EXPIRY_IN_PAST');
  });

  it('keeps its expiry through amends, and expires once', () => {
    const { desk, a } = funded(1e9);
    const expiry = desk.now + 500;
    const id = Number(desk.result(a[0]!, buy(5, 900, gtd(expiry))).orderId);
    const amend = (price: number, size: number): void => {
      desk.done(a[0]!, { kind: 'amend', market: 0, by: 'order', id, price, size });
    };
    amend(901, 5);
    amend(901, 7);
    amend(901, 3);
    expect(desk.book(0)).toMatchObject([{ id, price: 901, size: 3 }]);
    desk.advance(500);
    const events = desk.clock();
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([{ orderId: id, reason: 3, size: 3 }]);
    desk.advance(10_000);
    expect(only(desk.clock(), 'ORDER_REMOVED')).toEqual([]);
    expect(desk.state.expiries.peek()).toBeUndefined();
  });

  it('a filled or canceled one is not expired again', () => {
    const { desk, a } = funded(1e9, 1e9);
    desk.done(a[0]!, buy(1, 900, gtd(desk.now + 100)));
    desk.done(a[0]!, buy(1, 901, gtd(desk.now + 100)));
    desk.done(a[1]!, sell(1, 901));
    desk.done(a[0]!, { kind: 'cancel-all' });
    desk.advance(100);
    expect(only(desk.clock(), 'ORDER_REMOVED')).toEqual([]);
  });
});

describe('dead-man timer', () => {
  const cancelAfter = (deadline: number): { kind: 'cancel-after'; deadline: number } => ({
    kind: 'cancel-after',
    deadline,
  });

  it('cancels every order of the account in every market at its deadline, and of nobody else', () => {
    const desk = new Desk({ markets: [TEST_MARKET, { ...TEST_MARKET, market: 1, symbol: 'TWO' }] });
    const [a, b] = [desk.deposit(1, 1e9), desk.deposit(2, 1e9)];
    desk.price(0, 1_000);
    desk.price(1, 1_000);
    desk.done(a, buy(1, 900, { market: 1 }));
    desk.done(a, buy(1, 900));
    desk.done(b, buy(1, 900));
    desk.done(a, cancelAfter(desk.now + 1_000));
    desk.advance(999);
    expect(only(desk.clock(), 'ORDER_REMOVED')).toEqual([]);
    desk.advance(1);
    expect(only(desk.clock(), 'ORDER_REMOVED')).toMatchObject([
      { account: a, market: 0, reason: 8 },
      { account: a, market: 1, reason: 8 },
    ]);
    expect(desk.state.accounts.deadMan[a]).toBe(0);
    expect(desk.book(0)).toMatchObject([{ account: b }]);
    // It fired: orders placed later stay.
    desk.done(a, buy(1, 900));
    desk.advance(60_000);
    expect(only(desk.clock(), 'ORDER_REMOVED')).toEqual([]);
  });

  it('moves with each heartbeat and is disarmed by 0', () => {
    const { desk, a } = funded(1e9);
    desk.done(a[0]!, buy(1, 900));
    for (let beat = 0; beat < 5; beat++) {
      desk.done(a[0]!, cancelAfter(desk.now + 2_000));
      desk.advance(1_500);
      expect(only(desk.clock(), 'ORDER_REMOVED')).toEqual([]);
    }
    const disarmed = desk.done(a[0]!, cancelAfter(0));
    expect(only(disarmed, 'DEAD_MAN_SET')).toMatchObject([{ account: a[0], deadline: 0 }]);
    desk.advance(60_000);
    expect(only(desk.clock(), 'ORDER_REMOVED')).toEqual([]);
  });

  it('disarmed and armed for the same time fires once', () => {
    const { desk, a } = funded(1e9);
    const deadline = desk.now + 2_000;
    for (const d of [deadline, 0, deadline, deadline]) desk.done(a[0]!, cancelAfter(d));
    desk.done(a[0]!, buy(1, 900));
    desk.advance(2_000);
    expect(only(desk.clock(), 'ORDER_REMOVED')).toHaveLength(1);
    desk.done(a[0]!, buy(1, 900));
    desk.advance(1);
    expect(only(desk.clock(), 'ORDER_REMOVED')).toEqual([]);
  });

  it('needs a second of room', () => {
    const { desk, a } = funded(1e9);
    expect(desk.code(a[0]!, cancelAfter(desk.now + 999))).toBe(Reject.INVALID_DEADLINE);
    expect(desk.code(a[0]!, cancelAfter(2 ** 48))).toBe(Reject.INVALID_DEADLINE);
    expect(desk.code(a[0]!, cancelAfter(desk.now + 1_000))).toBe(Reject.NONE);
  });

  it('goes before the message that comes at its deadline', () => {
    const { desk, a } = funded(1e9, 1e9);
    desk.done(a[0]!, sell(1, 1_000));
    desk.done(a[0]!, cancelAfter(desk.now + 1_000));
    desk.advance(1_000);
    const events = desk.done(a[1]!, buy(1, 1_000));
    expect(only(events, 'TRADE')).toEqual([]);
    expect(only(events, 'ORDER_RESTED')).toHaveLength(1);
  });
});

describe('cancel on disconnect', () => {
  const set = (enabled: boolean, graceMs: number) =>
    ({ kind: 'cancel-on-disconnect', enabled, graceMs }) as const;

  it('is a command only while the account asked for it, and cancels all of its orders', () => {
    const { desk, a } = funded(1e9, 1e9);
    const judge = (account: number): string =>
      rejectName(desk.engine.admit(desk.disconnectCommand(account), desk.now));
    desk.done(a[0]!, buy(1, 900));
    desk.done(a[1]!, buy(1, 900));
    expect(judge(a[0]!)).toBe('UNKNOWN_ACCOUNT');
    desk.done(a[0]!, set(true, 0));
    expect(desk.state.accounts.disconnectGrace[a[0]!]).toBe(1);
    expect(judge(a[0]!)).toBe('NONE');
    expect(judge(99)).toBe('UNKNOWN_ACCOUNT');
    expect(only(desk.apply(desk.disconnectCommand(a[0]!)), 'ORDER_REMOVED')).toMatchObject([
      { account: a[0], reason: 9 },
    ]);
    desk.done(a[0]!, set(false, 0));
    expect(judge(a[0]!)).toBe('UNKNOWN_ACCOUNT');
    desk.done(a[0]!, buy(1, 900));
    // An input that was not admissible does nothing but move the clock.
    expect(desk.apply(desk.disconnectCommand(a[0]!))).toEqual([]);
    expect(desk.book(0)).toHaveLength(2);
  });

  it('grants at most ten minutes', () => {
    const { desk, a } = funded(1e9);
    expect(desk.code(a[0]!, set(true, 600_001))).toBe(Reject.INVALID_DEADLINE);
    expect(desk.code(a[0]!, set(true, 600_000))).toBe(Reject.NONE);
    expect(desk.state.accounts.disconnectGrace[a[0]!]).toBe(600_001);
  });
});

describe('samples and funding', () => {
  it('are due at whole intervals', () => {
    expect(nextAligned(0, 5_000)).toBe(5_000);
    expect(nextAligned(4_999, 5_000)).toBe(5_000);
    expect(nextAligned(5_000, 5_000)).toBe(10_000);
  });

  function ticking(): Desk {
    const desk = new Desk({
      markets: [TEST_MARKET, { ...TEST_MARKET, market: 1, symbol: 'TWO' }],
      chain: { sampleIntervalMs: 1_000, fundingIntervalMs: 10_000 },
    });
    desk.price(0, 1_000);
    desk.price(1, 1_000);
    return desk;
  }

  it('run for every market in turn, samples before funding, once however much time has passed', () => {
    const desk = ticking();
    expect([desk.state.nextSampleTime, desk.state.nextFundingTime]).toEqual([
      desk.now + 1_000,
      desk.now + 10_000,
    ]);
    desk.advance(999);
    expect(desk.clock()).toEqual([]);
    desk.advance(1);
    expect(desk.clock().map((e) => [e.event, e.market])).toEqual([
      ['SAMPLE', 0],
      ['SAMPLE', 1],
    ]);
    expect(desk.clock()).toEqual([]);
    // 25.5 s later: 25 samples and 2 fundings were missed, one of each is made.
    desk.advance(25_500);
    expect(desk.clock().map((e) => [e.event, e.market])).toEqual([
      ['SAMPLE', 0],
      ['SAMPLE', 1],
      ['FUNDING_RATE', 0],
      ['FUNDING_RATE', 1],
    ]);
    expect([desk.state.nextSampleTime - desk.now, desk.state.nextFundingTime - desk.now]).toEqual([
      500, 3_500,
    ]);
  });

  it('a void index takes no sample into the premium and pauses funding', () => {
    const desk = ticking();
    desk.advance(5_000);
    desk.clock();
    expect(desk.state.market(0)!.premiumCount).toBe(1);
    desk.price(1, 1_000);
    desk.advance(5_001);
    const events = desk.clock();
    expect(only(events, 'FUNDING_RATE')).toMatchObject([
      { market: 0, paused: 1, ratePpb: 0 },
      { market: 1, paused: 0, ratePpb: 12_500 },
    ]);
    expect(desk.state.market(0)!.fundingTick).toBe(0);
    expect(desk.state.market(1)!.fundingTick).toBe(1);
    expect([desk.state.market(0)!.premiumCount, desk.state.market(0)!.premiumSum]).toEqual([0, 0]);
  });

  it('premium is the mean of the samples, truncated; the rate is clamped; the index moves by rate · index · qm', () => {
    const desk = new Desk({
      markets: [{ ...TEST_MARKET, qm: 3, maxPrice: 30_000_000, minNotional: 1 }],
      chain: { sampleIntervalMs: 1_000, fundingIntervalMs: 4_000 },
    });
    const [a, b] = [desk.deposit(1, 2 ** 50), desk.deposit(2, 2 ** 50)];
    desk.price(0, 100_000);
    // 500 quote / 2 % = 25,000 quote at 0.3 q a tick: more than 83,333 lots.
    desk.done(a, buy(200_000, 100_300));
    desk.done(b, sell(200_000, 100_500));
    const market = desk.state.market(0)!;
    for (let n = 0; n < 3; n++) {
      desk.advance(1_000);
      desk.clock();
    }
    expect([market.premiumSum, market.premiumCount]).toEqual([9_000_000, 3]);
    desk.done(a, { kind: 'cancel-all' });
    desk.price(0, 100_000);
    desk.advance(1_000);
    const [funding] = only(desk.clock(), 'FUNDING_RATE');
    // (9e6 + 0) / 4 = 2,250,000; plus clamp(1e5 - P, ±5e5): 1,750,000; / 8.
    expect(funding).toMatchObject({ ratePpb: 218_750, index: 100_000, paused: 0 });
    expect(market.fundingIndex).toBe(218_750n * 100_000n * 3n);
  });

  it('each interval has a premium of its own, and a void index adds no sample to it', () => {
    const desk = new Desk({ chain: { sampleIntervalMs: 1_000, fundingIntervalMs: 20_000 } });
    const [a] = [desk.deposit(1, 2 ** 50)];
    desk.price(0, 1_000_000);
    desk.done(a!, buy(30_000, 1_010_000));
    const market = desk.state.market(0)!;
    desk.advance(1_000);
    desk.clock();
    expect([market.premiumSum, market.premiumCount]).toEqual([10_000_000, 1]);
    desk.advance(10_000);
    desk.clock();
    expect([market.premiumSum, market.premiumCount]).toEqual([10_000_000, 1]);
    desk.price(0, 1_000_000);
    desk.done(a!, { kind: 'cancel-all' });
    desk.now = desk.state.nextFundingTime;
    // (1e7 + 0) / 2 samples, less 500,000 of interest, an eighth of it.
    expect(only(desk.clock(), 'FUNDING_RATE')).toMatchObject([{ ratePpb: 562_500, paused: 0 }]);
    desk.advance(19_000);
    desk.price(0, 1_000_000);
    desk.advance(1_000);
    expect(only(desk.clock(), 'FUNDING_RATE')).toMatchObject([{ ratePpb: 12_500, paused: 0 }]);
  });

  it('longs pay shorts when the rate is positive, exactly once per tick, when something touches the account', () => {
    const desk = new Desk({ chain: { sampleIntervalMs: 1_000, fundingIntervalMs: 10_000 } });
    const [long, short, third] = [desk.deposit(1, 1e9), desk.deposit(2, 1e9), desk.deposit(3, 1e9)];
    desk.price(0, 1_000_000);
    desk.trade(long, short, 1_000, 1_000_000);
    const before = [long, short].map((account) => desk.cash(account));
    desk.advance(9_000);
    desk.price(0, 1_000_000);
    desk.advance(1_000);
    desk.clock();
    expect([long, short].map((account) => desk.cash(account))).toEqual(before);
    // 1e9 q of notional at 12,500 ppb.
    const events = [...desk.done(short, { kind: 'withdraw', asset: 0, amount: 1 })];
    expect(only(events, 'FUNDING_PAYMENT')).toMatchObject([
      { account: short, market: 0, amount: 12_500, position: -1_000 },
    ]);
    desk.price(0, 1_000_000);
    desk.done(third, buy(10, 1_000_000));
    const sold = desk.done(long, sell(10, 1_000_000));
    expect(only(sold, 'FUNDING_PAYMENT')).toMatchObject([
      { account: long, amount: -12_500, position: 1_000 },
    ]);
    expect(only(desk.done(short, { kind: 'withdraw', asset: 0, amount: 1 }), 'FUNDING_PAYMENT')).toEqual([]);
    expect(desk.state.market(0)!.fundingBalance).toBe(0);
  });

  it('a position opened after the tick owes nothing for it', () => {
    const desk = new Desk({ chain: { sampleIntervalMs: 1_000, fundingIntervalMs: 10_000 } });
    const [a, b] = [desk.deposit(1, 1e9), desk.deposit(2, 1e9)];
    desk.price(0, 1_000_000);
    desk.done(a, buy(100, 1_000_000));
    desk.advance(9_000);
    desk.price(0, 1_000_000);
    desk.advance(1_000);
    desk.clock();
    const events = desk.done(b, sell(100, 1_000_000));
    expect(only(events, 'FUNDING_PAYMENT')).toEqual([]);
    expect(only(desk.done(a, { kind: 'withdraw', asset: 0, amount: 1 }), 'FUNDING_PAYMENT')).toEqual([]);
  });

  it('new intervals hold from the next tick on', () => {
    const desk = ticking();
    desk.queue(
      QUEUE_CONFIGURE_CHAIN,
      new Uint8Array(20),
      encodeChainParameters({ ...desk.state.chain, sampleIntervalMs: 250 }),
    );
    desk.advance(1_000);
    expect(only(desk.clock(), 'SAMPLE')).toHaveLength(2);
    expect(desk.state.nextSampleTime).toBe(desk.now + 250);
  });
});
