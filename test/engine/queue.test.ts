/** What L1 asks for: deposits, forced withdrawals and cancels, configuration; every byte string has an outcome. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '#protocol/bytes.ts';
import { nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import {
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  type MarketConfig,
} from '#protocol/market.ts';
import * as queue from '#protocol/queue-entry.ts';
import { rejectName } from '#protocol/reject.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET, testAddress } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`queue properties: SEED=${SEED}`);
const OWNER = testAddress(1);
const NOBODY = new Uint8Array(20);
const money = (amount: number, asset = 0, subaccount = 0): Uint8Array =>
  queue.encodeMoneyPayload({ asset, subaccount, amount });

/** Name of the code with which the entry was processed. */
const processed = (desk: Desk, kind: number, owner: Uint8Array, payload: Uint8Array): string => {
  const [event] = only(desk.queue(kind, owner, payload), 'QUEUE_PROCESSED');
  expect(event!.kind).toBe(kind);
  return rejectName(Number(event!.code));
};

describe('deposits', () => {
  it('create the account of (owner, subaccount) once and credit it', () => {
    const desk = new Desk();
    desk.deposited += 70n;
    const first = desk.queue(queue.QUEUE_DEPOSIT, OWNER, money(70, 0, 255));
    expect(first.map((e) => e.event)).toEqual(['ACCOUNT_CREATED', 'DEPOSIT', 'QUEUE_PROCESSED']);
    expect(first[0]).toMatchObject({ account: 1, subaccount: 255 });
    desk.deposited += 30n;
    const second = desk.queue(queue.QUEUE_DEPOSIT, OWNER, money(30, 0, 255));
    expect(second.map((e) => e.event)).toEqual(['DEPOSIT', 'QUEUE_PROCESSED']);
    expect(second[0]).toMatchObject({ account: 1, amount: 30, queueIndex: desk.state.queueNext - 1 });
    expect(desk.cash(1)).toBe(100);
    expect(desk.state.accounts.count).toBe(1);
  });

  it('of another asset go back to the owner on L1', () => {
    const desk = new Desk();
    desk.deposited += 70n;
    expect(processed(desk, queue.QUEUE_DEPOSIT, OWNER, money(70, 3))).toBe('UNKNOWN_ASSET');
    expect(desk.state.withdrawnBy(OWNER, 3)).toBe(70n);
    expect(desk.state.withdrawnBy(OWNER, 0)).toBe(0n);
    expect(desk.cash(1)).toBe(0);
  });
});

describe('forced withdrawals', () => {
  it('pay the least of what is asked and what may go, and say so', () => {
    const desk = new Desk();
    const account = desk.deposit(1, 1_000);
    const events = desk.queue(queue.QUEUE_WITHDRAW, OWNER, money(400));
    expect(only(events, 'WITHDRAWAL')).toMatchObject([{ account, amount: 400, asset: 0, forced: 1 }]);
    expect(only(desk.queue(queue.QUEUE_WITHDRAW, OWNER, money(2 ** 53 - 1)), 'WITHDRAWAL')).toMatchObject([
      { amount: 600 },
    ]);
    expect(desk.cash(account)).toBe(0);
    expect(desk.state.withdrawnBy(OWNER, 0)).toBe(1_000n);
    expect(processed(desk, queue.QUEUE_WITHDRAW, OWNER, money(1))).toBe('INSUFFICIENT_FREE_COLLATERAL');
  });

  it('leave initial margin and the floor of a tenth of notional behind', () => {
    const desk = new Desk();
    const [account, other] = [desk.deposit(1, 1_000_000), desk.deposit(2, 1_000_000)];
    desk.price(0, 1_000);
    desk.trade(account, other, 1_000, 1_000);
    const fee = 500;
    expect(only(desk.queue(queue.QUEUE_WITHDRAW, OWNER, money(1_000_000)), 'WITHDRAWAL')).toMatchObject([
      { amount: 1_000_000 - fee - 100_000 },
    ]);
  });

  it('need the account, a fresh index where it has risk, the asset, an amount: in the order of the codes', () => {
    const desk = new Desk();
    const account = desk.deposit(1, 1_000);
    const ask = (payload: Uint8Array, owner = OWNER): string =>
      processed(desk, queue.QUEUE_WITHDRAW, owner, payload);
    expect(ask(money(1, 1, 9))).toBe('UNKNOWN_ACCOUNT');
    expect(ask(money(1), testAddress(77))).toBe('UNKNOWN_ACCOUNT');
    expect(ask(money(0, 1))).toBe('UNKNOWN_ASSET');
    expect(ask(money(0))).toBe('AMOUNT_OUT_OF_RANGE');
    desk.price(0, 1_000);
    desk.done(account, buy(1, 900));
    desk.advance(10_001);
    expect(ask(money(1, 1))).toBe('ORACLE_STALE');
    // Canceling what hangs on the void index frees the way, also by force.
    expect(processed(desk, queue.QUEUE_CANCEL_ALL, OWNER, Uint8Array.of(0))).toBe('NONE');
    expect(ask(money(1))).toBe('NONE');
  });
});

describe('forced reduce-only orders', () => {
  const reduce = (request: Partial<queue.ReduceOnlyRequest>): Uint8Array =>
    queue.encodeReduceOnlyPayload({ market: 0, subaccount: 0, side: 1, price: 0, size: 1, ...request });
  const exchange = () => {
    const desk = new Desk();
    const [account, maker] = [desk.deposit(1, 1e9), desk.deposit(2, 1e9)];
    desk.price(0, 1_000);
    desk.trade(account, maker, 5, 1_000);
    return { desk, account, maker };
  };

  it('close a position at what the book holds, through own orders, and never turn it', () => {
    const { desk, account, maker } = exchange();
    desk.done(account, buy(2, 999));
    desk.done(maker, buy(9, 998));
    const events = desk.queue(queue.QUEUE_REDUCE_ONLY_IOC, OWNER, reduce({ size: 9 }));
    expect(only(events, 'QUEUE_PROCESSED')).toMatchObject([{ code: 0 }]);
    expect(only(events, 'TRADE')).toMatchObject([{ price: 998, size: 5, takerAccount: account }]);
    expect(desk.position(account)).toBe(0);
    expect(desk.position(maker)).toBe(0);
    // No message is open: nobody is told the result of an operation.
    expect(desk.results(events)).toEqual([]);
    expect(desk.state.incoming.active).toBe(false);
  });

  it('keep to their price and leave nothing resting', () => {
    const { desk, account, maker } = exchange();
    desk.done(maker, buy(1, 998));
    desk.done(maker, buy(1, 997));
    const events = desk.queue(queue.QUEUE_REDUCE_ONLY_IOC, OWNER, reduce({ size: 3, price: 998 }));
    expect(only(events, 'TRADE')).toHaveLength(1);
    expect(desk.position(account)).toBe(4);
    expect(desk.book(1)).toEqual([]);
  });

  it('are refused like placed orders, and when nothing is to be reduced', () => {
    const { desk } = exchange();
    const ask = (payload: Uint8Array, owner = OWNER): string =>
      processed(desk, queue.QUEUE_REDUCE_ONLY_IOC, owner, payload);
    expect(ask(reduce({ market: 7 }))).toBe('UNKNOWN_MARKET');
    expect(ask(reduce({ size: 0 }))).toBe('SIZE_OUT_OF_RANGE');
    expect(ask(reduce({ side: 0 }))).toBe('REDUCE_ONLY_WOULD_INCREASE');
    expect(ask(reduce({ subaccount: 3 }))).toBe('UNKNOWN_ACCOUNT');
    expect(ask(reduce({}), testAddress(77))).toBe('UNKNOWN_ACCOUNT');
    expect(ask(reduce({}).slice(1))).toBe('QUEUE_ENTRY_INVALID');
    expect(ask(reduce({ side: 2 as 0 }))).toBe('QUEUE_ENTRY_INVALID');
  });
});

describe('forced cancels', () => {
  it('cancel every order of the one subaccount', () => {
    const desk = new Desk();
    const [account, sibling] = [desk.deposit(1, 1e6), desk.deposit(1, 1e6, 1)];
    desk.price(0, 1_000);
    for (const who of [account, account, sibling]) desk.done(who, buy(1, 900));
    const events = desk.queue(queue.QUEUE_CANCEL_ALL, OWNER, Uint8Array.of(0));
    expect(only(events, 'ORDER_REMOVED')).toMatchObject([
      { account, reason: 10 },
      { account, reason: 10 },
    ]);
    expect(desk.book(0)).toMatchObject([{ account: sibling }]);
    expect(processed(desk, queue.QUEUE_CANCEL_ALL, OWNER, Uint8Array.of(7))).toBe('UNKNOWN_ACCOUNT');
    expect(processed(desk, queue.QUEUE_CANCEL_ALL, OWNER, new Uint8Array(0))).toBe('QUEUE_ENTRY_INVALID');
    expect(processed(desk, queue.QUEUE_CANCEL_ALL, OWNER, new Uint8Array(2))).toBe('QUEUE_ENTRY_INVALID');
  });
});

describe('configuration', () => {
  const configure = (desk: Desk, changes: Partial<MarketConfig>): string =>
    processed(desk, queue.QUEUE_CONFIGURE_MARKET, NOBODY, encodeMarketConfig({ ...TEST_MARKET, ...changes }));

  it('markets come without gaps and keep their unit', () => {
    const desk = new Desk();
    expect(configure(desk, { market: 2 })).toBe('CONFIGURATION_INVALID');
    expect(configure(desk, { market: 1, qm: 10, maxPosition: 1_000 })).toBe('NONE');
    expect(configure(desk, { market: 1, qm: 20, maxPosition: 1_000 })).toBe('CONFIGURATION_INVALID');
    expect(configure(desk, { market: 1, qm: 10, maxPosition: 2_000 })).toBe('NONE');
    expect(desk.state.market(1)!.config.maxPosition).toBe(2_000);
    expect(desk.state.markets).toHaveLength(2);
  });

  const bad: readonly [string, Partial<MarketConfig>][] = [
    ['position · price · qm beyond 2^48', { maxPosition: 2_814_750 }],
    ['a status that does not exist', { status: 3 as 0 }],
    ['no unit', { qm: 0 }],
    ['a rebate above the taker fee', { takerFeePpm: 100, makerFeePpm: -101 }],
    ['a taker fee above 10 %', { takerFeePpm: 100_001 }],
    ['a symbol with other letters', { symbol: 'btc' }],
    ['no symbol', { symbol: '' }],
    ['no tier', { tiers: [] }],
    ['a first tier above 0', { tiers: [{ lower: 1, initialPpm: 2, maintenancePpm: 1 }] }],
    ['maintenance above initial', { tiers: [{ lower: 0, initialPpm: 1, maintenancePpm: 2 }] }],
    ['no maintenance', { tiers: [{ lower: 0, initialPpm: 1, maintenancePpm: 0 }] }],
    ['initial above 100 %', { tiers: [{ lower: 0, initialPpm: 1_000_001, maintenancePpm: 1 }] }],
    [
      'rates that fall',
      {
        tiers: [
          { lower: 0, initialPpm: 9, maintenancePpm: 5 },
          { lower: 5, initialPpm: 8, maintenancePpm: 5 },
        ],
      },
    ],
    [
      'tiers that do not rise',
      {
        tiers: [
          { lower: 0, initialPpm: 9, maintenancePpm: 5 },
          { lower: 0, initialPpm: 9, maintenancePpm: 5 },
        ],
      },
    ],
    [
      'nine tiers',
      { tiers: Array.from({ length: 9 }, (_, n) => ({ lower: n, initialPpm: 9, maintenancePpm: 5 })) },
    ],
  ];
  for (const [what, changes] of bad)
    it(`refuses ${what}`, () => {
      const desk = new Desk();
      const before = desk.state.market(0)!.config;
      expect(configure(desk, changes)).toBe('CONFIGURATION_INVALID');
      expect(desk.state.market(0)!.config).toBe(before);
    });

  it('a new configuration holds at once: status, fees, tiers', () => {
    const desk = new Desk();
    const [a, b] = [desk.deposit(1, 1e9), desk.deposit(2, 1e9)];
    desk.price(0, 1_000);
    desk.done(a, buy(100, 1_000));
    expect(configure(desk, { takerFeePpm: 10_000, makerFeePpm: 0 })).toBe('NONE');
    expect(only(desk.done(b, sell(100, 1_000)), 'TRADE')).toMatchObject([{ takerFee: 1_000, makerFee: 0 }]);
    const before = desk.engine.risk.margin(a).initial;
    const tiers = [{ lower: 0, initialPpm: 500_000, maintenancePpm: 1 }];
    expect(configure(desk, { status: 1, tiers })).toBe('NONE');
    expect(before).toBe(2_000);
    expect(desk.engine.risk.margin(a).initial).toBe(50_000);
    expect(rejectName(desk.code(a, buy(1, 900)))).toBe('MARKET_REDUCE_ONLY');
    expect(rejectName(desk.code(a, sell(1, 1_100, { reduceOnly: true })))).toBe('NONE');
  });

  it('reduce-only markets let orders shrink and reduce-only orders move, nothing else', () => {
    const desk = new Desk();
    const [a, b] = [desk.deposit(1, 1e9), desk.deposit(2, 1e9)];
    desk.price(0, 1_000);
    desk.trade(a, b, 100, 1_000);
    const plain = Number(desk.result(a, buy(10, 900)).orderId);
    const reducing = Number(desk.result(a, sell(10, 1_100, { reduceOnly: true })).orderId);
    configure(desk, { status: 1 });
    const amend = (id: number, price: number, size: number): string =>
      rejectName(desk.code(a, { kind: 'amend', market: 0, by: 'order', id, price, size }));
    expect(amend(plain, 900, 11)).toBe('MARKET_REDUCE_ONLY');
    expect(amend(plain, 901, 5)).toBe('MARKET_REDUCE_ONLY');
    expect(amend(plain, 900, 5)).toBe('NONE');
    expect(amend(reducing, 1_101, 20)).toBe('NONE');
  });

  it('refuses chain parameters and publishers out of bounds', () => {
    const desk = new Desk();
    const chain = (changes: object): string =>
      processed(
        desk,
        queue.QUEUE_CONFIGURE_CHAIN,
        NOBODY,
        encodeChainParameters({ ...DEFAULT_CHAIN_PARAMETERS, ...changes }),
      );
    expect(chain({ stalenessMs: 99 })).toBe('CONFIGURATION_INVALID');
    expect(chain({ voidMs: 2_999 })).toBe('CONFIGURATION_INVALID');
    expect(chain({ openOrdersMax: 10_001 })).toBe('CONFIGURATION_INVALID');
    expect(chain({ withdrawalFloorPpm: 1_000_001 })).toBe('CONFIGURATION_INVALID');
    expect(chain({ voidMs: 3_000 })).toBe('NONE');
    expect(desk.state.chain.voidMs).toBe(3_000);
    const publisher = (index: number, weight: number): string =>
      processed(
        desk,
        queue.QUEUE_CONFIGURE_PUBLISHER,
        NOBODY,
        encodePublisher({ index, weight, address: OWNER }),
      );
    expect(publisher(16, 1)).toBe('CONFIGURATION_INVALID');
    expect(publisher(15, 1_000_001)).toBe('CONFIGURATION_INVALID');
    expect(publisher(15, 1_000_000)).toBe('NONE');
    expect(desk.state.publishers).toHaveLength(16);
  });
});

describe('the queue itself', () => {
  it('takes only the next index, and chains every entry into its hash', () => {
    const desk = new Desk();
    const next = desk.state.queueNext;
    for (const index of [0, next - 1, next + 1, 2 ** 53 - 1]) {
      const command = desk.entryCommand(index, queue.QUEUE_DEPOSIT, OWNER, money(5));
      expect(rejectName(desk.engine.admit(command, desk.now))).toBe('QUEUE_ENTRY_INVALID');
      expect(desk.apply(command)).toEqual([]);
    }
    expect([desk.state.queueNext, desk.state.accounts.count]).toEqual([next, 0]);
    const before = desk.state.queueHash;
    const entry = { kind: queue.QUEUE_DEPOSIT, owner: OWNER, payload: money(5) };
    desk.deposited += 5n;
    desk.queue(entry.kind, entry.owner, entry.payload);
    expect(toHex(desk.state.queueHash)).toBe(toHex(queue.nextQueueHash(nobleKeccak, before, entry)));
    expect(toHex(desk.state.queueHash)).not.toBe(toHex(ZERO_HASH));
  });

  it('an entry of an unknown kind or a payload that does not parse moves the cursor and does nothing else', () => {
    const desk = new Desk();
    const kinds = [0, 1, 2, 3, 4, 5, 6, 15, 16, 17, 18, 19, 255];
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 256 }), (kind, payload) => {
        fc.pre(!(kind === 2 && payload.length === 1) && !(kind < 2 && payload.length === 11));
        fc.pre(!(kind === 5 && payload.length === 4));
        const { queueNext } = desk.state;
        const code = processed(desk, kind, OWNER, payload);
        expect(['QUEUE_ENTRY_INVALID', 'CONFIGURATION_INVALID', 'NONE']).toContain(code);
        if (code === 'NONE') expect([16, 17, 18]).toContain(kind);
        expect(desk.state.queueNext).toBe(queueNext + 1);
        expect(desk.state.accounts.count).toBe(0);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('bodies that are no entry are refused', () => {
    const desk = new Desk();
    const good = desk.entryCommand(desk.state.queueNext, queue.QUEUE_CANCEL_ALL, OWNER, Uint8Array.of(0));
    for (const change of [
      (r: Uint8Array) => r.subarray(0, r.length - 1),
      (r: Uint8Array) => r.subarray(0, 40),
      (r: Uint8Array) => r.subarray(0, 5),
      (r: Uint8Array) => r.map((byte, i) => (i === 12 + 9 ? 1 : byte)),
      (r: Uint8Array) => r.map((byte, i) => (i === 12 + 10 ? 2 : byte)),
      (r: Uint8Array) => r.map((byte, i) => (i === 12 + 7 ? 0xff : byte)),
    ]) {
      const record = change(good.record.slice());
      const code = rejectName(desk.engine.admit({ ...good, record }, desk.now));
      expect(['QUEUE_ENTRY_INVALID', 'MALFORMED_MESSAGE']).toContain(code);
    }
    expect(rejectName(desk.engine.admit(good, desk.now))).toBe('NONE');
  });
});
