/**
 * Which code wins. Every rule is broken alone and together with every other one that can be broken in the same
 * breath; the lowest code must come out (reject.ts).
 */
import { describe, expect, it } from 'vitest';
import {
  encodeChainParameters,
  encodeMarketConfig,
  FEED_ONLY,
  ISOLATED_ONLY,
  type MarketConfig,
} from '#protocol/market.ts';
import type { AmendOperation, Operation, PlaceOperation } from '#protocol/operation.ts';
import { QUEUE_CONFIGURE_CHAIN, QUEUE_CONFIGURE_MARKET } from '#protocol/queue-entry.ts';
import { Reject, type RejectName, rejectName } from '#protocol/reject.ts';
import { buy, Desk, order } from '../support/desk.ts';
import { TEST_MARKET, testAddress } from '../support/exchange.ts';

const NOBODY = new Uint8Array(20);

function market(id: number, changes: Partial<MarketConfig> = {}): MarketConfig {
  return {
    ...TEST_MARKET,
    market: id,
    symbol: `M${id}`,
    maxPrice: 10_000,
    maxPosition: 1_000,
    maxOrderSize: 900,
    minNotional: 2_000,
    bandPpm: 100_000,
    tiers: [{ lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 }],
    ...changes,
  };
}

/** Runs `codeOf` for every single rule and every pair that is not in `apart`, and compares with the lowest code. */
function pairs<Name extends RejectName>(
  names: readonly Name[],
  apart: readonly (readonly [Name, Name])[],
  codeOf: (broken: ReadonlySet<Name>) => number,
): void {
  const excluded = (a: Name, b: Name): boolean =>
    apart.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
  for (const name of names)
    it(`${name} alone`, () => {
      expect(rejectName(codeOf(new Set([name])))).toBe(name);
    });
  it('the lowest code of every pair', () => {
    let count = 0;
    for (const [i, a] of names.entries())
      for (const b of names.slice(i + 1)) {
        if (excluded(a, b)) continue;
        count++;
        const expected = rejectName(Math.min(Reject[a], Reject[b]));
        expect(`${a} + ${b}: ${rejectName(codeOf(new Set([a, b])))}`).toBe(`${a} + ${b}: ${expected}`);
      }
    expect(count).toBe((names.length * (names.length - 1)) / 2 - apart.length);
  });
}

/** Which markets take an account at all. */
const ACCESS_RULES = ['MARKET_FEED_ONLY', 'MARKET_ISOLATED_ONLY', 'RISK_POOL_MISMATCH'] as const;
const accessOf = (has: (rule: (typeof ACCESS_RULES)[number]) => boolean): Partial<MarketConfig> => ({
  riskPool: has('RISK_POOL_MISMATCH') ? 1 : 0,
  flags: (has('MARKET_FEED_ONLY') ? FEED_ONLY : 0) | (has('MARKET_ISOLATED_ONLY') ? ISOLATED_ONLY : 0),
});

const PLACE_RULES = [
  'UNKNOWN_MARKET',
  'MARKET_HALTED',
  'MARKET_REDUCE_ONLY',
  'INVALID_TIME_IN_FORCE',
  'INVALID_FLAGS',
  'PRICE_OUT_OF_RANGE',
  'SIZE_OUT_OF_RANGE',
  'NOTIONAL_TOO_SMALL',
  'EXPIRY_IN_PAST',
  'PRICE_OUTSIDE_BAND',
  'DUPLICATE_CLIENT_ID',
  'TOO_MANY_OPEN_ORDERS',
  'TOO_MANY_POSITIONS',
  ...ACCESS_RULES,
  'POST_ONLY_WOULD_CROSS',
  'FOK_NOT_FILLABLE',
  'REDUCE_ONLY_WOULD_INCREASE',
  'ORACLE_STALE',
  'POSITION_TOO_LARGE',
  'OPEN_INTEREST_TOO_LARGE',
  'INSUFFICIENT_MARGIN',
] as const;
type PlaceRule = (typeof PLACE_RULES)[number];

function placeCode(broken: ReadonlySet<PlaceRule>): number {
  const has = (rule: PlaceRule): boolean => broken.has(rule);
  const desk = new Desk({ markets: Array.from({ length: 17 }, (_, id) => market(id)) });
  const [account, other] = [desk.deposit(1, 100_000_000), desk.deposit(2, 100_000_000)];
  for (let id = 0; id < 17; id++) desk.price(id, 1_000);
  // The account's order in market 1 lets the cap on open orders be one that it has reached.
  for (let id = 1; id <= (has('TOO_MANY_POSITIONS') ? 16 : 1); id++)
    desk.done(account, buy(2, 1_000, { market: id }));
  if (has('DUPLICATE_CLIENT_ID')) desk.done(account, buy(3, 950, { clientId: 7 }));
  if (has('POSITION_TOO_LARGE')) desk.done(account, buy(600, 950));
  if (has('POST_ONLY_WOULD_CROSS')) desk.done(other, order(1, 2, 1_000));

  const fok = has('FOK_NOT_FILLABLE');
  const size = has('NOTIONAL_TOO_SMALL')
    ? has('SIZE_OUT_OF_RANGE')
      ? 0
      : 1
    : has('SIZE_OUT_OF_RANGE')
      ? 901
      : has('POSITION_TOO_LARGE')
        ? 500
        : 10;
  const placed: PlaceOperation = {
    ...buy(size, 1_000),
    market: has('UNKNOWN_MARKET') ? 99 : 0,
    price: has('PRICE_OUT_OF_RANGE') ? 10_001 : has('PRICE_OUTSIDE_BAND') ? 1_101 : 1_000,
    timeInForce: fok ? 3 : has('INVALID_FLAGS') && !has('INVALID_TIME_IN_FORCE') ? 2 : 0,
    marketOrder: has('INVALID_TIME_IN_FORCE'),
    postOnly: has('INVALID_FLAGS') || has('POST_ONLY_WOULD_CROSS'),
    reduceOnly: has('REDUCE_ONLY_WOULD_INCREASE'),
    clientId: 7,
    expiry: has('EXPIRY_IN_PAST') ? desk.now : 0,
  };

  if (has('INSUFFICIENT_MARGIN')) {
    const margin = desk.engine.risk.margin(account);
    const free = margin.equityInitial - Math.max(margin.initial, 0);
    desk.done(account, { kind: 'withdraw', asset: 0, amount: free });
  }
  desk.queue(
    QUEUE_CONFIGURE_CHAIN,
    NOBODY,
    encodeChainParameters({
      ...desk.state.chain,
      openOrdersMax: has('TOO_MANY_OPEN_ORDERS') ? desk.state.accounts.openOrders[account]! : 1_000,
    }),
  );
  desk.queue(
    QUEUE_CONFIGURE_MARKET,
    NOBODY,
    encodeMarketConfig(
      market(0, {
        status: has('MARKET_HALTED') ? 2 : has('MARKET_REDUCE_ONLY') ? 1 : 0,
        maxOpenInterest: has('OPEN_INTEREST_TOO_LARGE') ? 5 : 0,
        ...accessOf(has),
      }),
    ),
  );
  if (has('ORACLE_STALE')) desk.advance(desk.state.chain.voidMs + 1);
  return desk.code(account, placed);
}

describe('PLACE', () => {
  it('breaks nothing: done', () => {
    expect(placeCode(new Set())).toBe(Reject.NONE);
  });

  pairs(
    PLACE_RULES,
    [
      // One status at a time; reduce-only orders pass the second.
      ['MARKET_HALTED', 'MARKET_REDUCE_ONLY'],
      ['MARKET_REDUCE_ONLY', 'REDUCE_ONLY_WOULD_INCREASE'],
      // No market keeps out what only reduces.
      ['MARKET_FEED_ONLY', 'REDUCE_ONLY_WOULD_INCREASE'],
      ['MARKET_ISOLATED_ONLY', 'REDUCE_ONLY_WOULD_INCREASE'],
      ['RISK_POOL_MISMATCH', 'REDUCE_ONLY_WOULD_INCREASE'],
      // Reduce-only orders know no least notional.
      ['NOTIONAL_TOO_SMALL', 'REDUCE_ONLY_WOULD_INCREASE'],
      // A size that is too small is not too large.
      ['NOTIONAL_TOO_SMALL', 'POSITION_TOO_LARGE'],
      ['NOTIONAL_TOO_SMALL', 'OPEN_INTEREST_TOO_LARGE'],
      // These need a record in the market; that one needs none.
      ['DUPLICATE_CLIENT_ID', 'TOO_MANY_POSITIONS'],
      ['POSITION_TOO_LARGE', 'TOO_MANY_POSITIONS'],
      // A market order that may not rest is not fill-or-kill; fill-or-kill never rests and is never post-only.
      ['INVALID_TIME_IN_FORCE', 'FOK_NOT_FILLABLE'],
      ['TOO_MANY_OPEN_ORDERS', 'FOK_NOT_FILLABLE'],
      ['TOO_MANY_OPEN_ORDERS', 'INVALID_FLAGS'],
      ['POST_ONLY_WOULD_CROSS', 'FOK_NOT_FILLABLE'],
    ],
    placeCode,
  );
});

const AMEND_RULES = [
  'UNKNOWN_MARKET',
  'MARKET_HALTED',
  'MARKET_REDUCE_ONLY',
  'PRICE_OUT_OF_RANGE',
  'SIZE_OUT_OF_RANGE',
  'NOTIONAL_TOO_SMALL',
  'PRICE_OUTSIDE_BAND',
  'UNKNOWN_ORDER',
  'NOTHING_TO_AMEND',
  ...ACCESS_RULES,
  'POST_ONLY_WOULD_CROSS',
  'ORACLE_STALE',
  'POSITION_TOO_LARGE',
  'OPEN_INTEREST_TOO_LARGE',
  'INSUFFICIENT_MARGIN',
] as const;
type AmendRule = (typeof AMEND_RULES)[number];

function amendCode(broken: ReadonlySet<AmendRule>): number {
  const has = (rule: AmendRule): boolean => broken.has(rule);
  const desk = new Desk({ markets: [market(0)] });
  const [account, other] = [desk.deposit(1, 100_000_000), desk.deposit(2, 100_000_000)];
  desk.price(0, 1_000);
  if (has('POSITION_TOO_LARGE')) desk.done(account, buy(600, 950));
  const { orderId } = desk.result(account, buy(10, 980, { postOnly: true }));
  if (has('POST_ONLY_WOULD_CROSS')) desk.done(other, order(1, 2, 1_000));
  const size = has('SIZE_OUT_OF_RANGE')
    ? has('NOTIONAL_TOO_SMALL')
      ? 0
      : 901
    : has('NOTIONAL_TOO_SMALL')
      ? 1
      : has('NOTHING_TO_AMEND')
        ? 10
        : has('POSITION_TOO_LARGE')
          ? 500
          : 50;
  const amended: AmendOperation = {
    kind: 'amend',
    market: has('UNKNOWN_MARKET') ? 5 : 0,
    by: 'order',
    id: has('UNKNOWN_ORDER') ? 777 : Number(orderId),
    price: has('PRICE_OUT_OF_RANGE')
      ? 10_001
      : has('PRICE_OUTSIDE_BAND')
        ? 1_101
        : has('NOTHING_TO_AMEND')
          ? 980
          : 1_000,
    size,
  };
  if (has('INSUFFICIENT_MARGIN')) {
    const margin = desk.engine.risk.margin(account);
    desk.done(account, { kind: 'withdraw', asset: 0, amount: margin.equityInitial - margin.initial });
  }
  desk.queue(
    QUEUE_CONFIGURE_MARKET,
    NOBODY,
    encodeMarketConfig(
      market(0, {
        status: has('MARKET_HALTED') ? 2 : has('MARKET_REDUCE_ONLY') ? 1 : 0,
        maxOpenInterest: has('OPEN_INTEREST_TOO_LARGE') ? 5 : 0,
        ...accessOf(has),
        // The order as it stands may be inside no band, so that nothing else differs.
        bandPpm: has('PRICE_OUTSIDE_BAND') ? 100_000 : 0,
      }),
    ),
  );
  if (has('ORACLE_STALE')) desk.advance(desk.state.chain.voidMs + 1);
  return desk.code(account, amended);
}

describe('AMEND', () => {
  it('breaks nothing: done', () => {
    expect(amendCode(new Set())).toBe(Reject.NONE);
  });

  pairs(
    AMEND_RULES,
    [
      ['MARKET_HALTED', 'MARKET_REDUCE_ONLY'],
      // What is known of an order needs the order.
      ['UNKNOWN_ORDER', 'MARKET_REDUCE_ONLY'],
      // The same price and size are those of an order that was good.
      ['NOTHING_TO_AMEND', 'PRICE_OUT_OF_RANGE'],
      ['NOTHING_TO_AMEND', 'SIZE_OUT_OF_RANGE'],
      ['NOTHING_TO_AMEND', 'NOTIONAL_TOO_SMALL'],
      ['NOTHING_TO_AMEND', 'PRICE_OUTSIDE_BAND'],
      // A size that is too small is not too large.
      ['NOTIONAL_TOO_SMALL', 'POSITION_TOO_LARGE'],
      ['NOTIONAL_TOO_SMALL', 'OPEN_INTEREST_TOO_LARGE'],
    ],
    amendCode,
  );
});

const AUTHENTICATION_RULES = [
  'MALFORMED_MESSAGE',
  'UNKNOWN_OPERATION',
  'MALFORMED_OPERATION',
  'TOO_MANY_OPERATIONS',
  'BAD_SIGNATURE',
  'UNKNOWN_ACCOUNT',
  'SIGNER_NOT_AUTHORIZED',
  'SESSION_KEY_EXPIRED',
  'MESSAGE_EXPIRED',
  'NONCE_TOO_OLD',
  'NONCE_USED',
  'NONCE_TOO_FAR_AHEAD',
  'SCOPE_NOT_ALLOWED',
] as const;
type AuthenticationRule = (typeof AUTHENTICATION_RULES)[number];

function authenticationCode(broken: ReadonlySet<AuthenticationRule>): number {
  const has = (rule: AuthenticationRule): boolean => broken.has(rule);
  const desk = new Desk();
  const account = desk.deposit(1, 1_000_000);
  const key = testAddress(50);
  desk.done(account, {
    kind: 'session-key',
    key,
    // A key that may only cancel, and the message places.
    scope: has('SCOPE_NOT_ALLOWED') ? 2 : 3,
    expiry: desk.now + (has('SESSION_KEY_EXPIRED') ? 10 : 10_000),
  });
  for (const nonce of [1_000, 900])
    desk.apply(desk.messageCommand(account, [{ kind: 'cancel-all' }], { signer: key, nonce }));
  desk.advance(100);
  const operations: Operation[] = [buy(1, 100)];
  const command = desk.messageCommand(account, operations, {
    signer: has('BAD_SIGNATURE') ? new Uint8Array(0) : has('SIGNER_NOT_AUTHORIZED') ? testAddress(51) : key,
    nonce: has('NONCE_TOO_OLD')
      ? 744
      : has('NONCE_USED')
        ? 900
        : has('NONCE_TOO_FAR_AHEAD')
          ? desk.now + 86_400_001
          : 1_001,
    validUntil: has('MESSAGE_EXPIRED') ? desk.now - 1 : desk.now,
  });
  const { record } = command;
  const operationAt = 12 + 24;
  if (has('UNKNOWN_ACCOUNT')) record[12 + 4] = 99;
  if (has('TOO_MANY_OPERATIONS')) {
    record[12] = 2;
    record[13] = 51;
  }
  if (has('UNKNOWN_OPERATION')) record[operationAt] = 10;
  // The high bits of a size that is no safe integer.
  if (has('MALFORMED_OPERATION')) record[operationAt + 15] = 0xff;
  if (has('MALFORMED_MESSAGE')) record[12] = 9;
  return desk.engine.admit(command, desk.now);
}

describe('MESSAGE', () => {
  it('breaks nothing: admitted', () => {
    expect(authenticationCode(new Set())).toBe(Reject.NONE);
  });

  pairs(
    AUTHENTICATION_RULES,
    [
      // One nonce, one signer, one kind byte at a time.
      ['NONCE_TOO_OLD', 'NONCE_USED'],
      ['NONCE_TOO_OLD', 'NONCE_TOO_FAR_AHEAD'],
      ['NONCE_USED', 'NONCE_TOO_FAR_AHEAD'],
      // Too many operations are counted before they are read.
      ['UNKNOWN_OPERATION', 'TOO_MANY_OPERATIONS'],
      ['MALFORMED_OPERATION', 'TOO_MANY_OPERATIONS'],
    ],
    authenticationCode,
  );

  it('form is judged in reading order: the first bad operation decides, and the count before any', () => {
    const desk = new Desk();
    const account = desk.deposit(1, 1_000_000);
    const judge = (change: (record: Uint8Array) => void): string => {
      const command = desk.messageCommand(account, [buy(1, 100), buy(1, 100)]);
      change(command.record);
      return rejectName(desk.engine.admit(command, desk.now));
    };
    const second = 12 + 24 + 32;
    expect(judge((r) => (r[second] = 99))).toBe('UNKNOWN_OPERATION');
    expect(
      judge((r) => {
        r[second] = 99;
        r[second - 17] = 0xff;
      }),
    ).toBe('MALFORMED_OPERATION');
    expect(
      judge((r) => {
        r[second] = 99;
        r[13] = 51;
      }),
    ).toBe('TOO_MANY_OPERATIONS');
    expect(judge((r) => (r[13] = 1))).toBe('MALFORMED_MESSAGE');
    expect(judge((r) => (r[13] = 0))).toBe('MALFORMED_MESSAGE');
  });
});

const MONEY_RULES = [
  'ORACLE_STALE',
  'UNKNOWN_ASSET',
  'AMOUNT_OUT_OF_RANGE',
  'INSUFFICIENT_FREE_COLLATERAL',
  'TRANSFER_NOT_ALLOWED',
] as const;
type MoneyRule = (typeof MONEY_RULES)[number];

function moneyDesk(broken: ReadonlySet<MoneyRule>): { desk: Desk; account: number; sibling: number } {
  const desk = new Desk();
  const account = desk.deposit(1, 1_000_000);
  const sibling = desk.deposit(1, 1_000, 1);
  desk.deposit(2, 1_000);
  desk.price(0, 1_000);
  desk.done(account, buy(1, 900));
  if (broken.has('ORACLE_STALE')) desk.advance(desk.state.chain.voidMs + 1);
  return { desk, account, sibling };
}

const moneyFields = (broken: ReadonlySet<MoneyRule>): { asset: number; amount: number } => ({
  asset: broken.has('UNKNOWN_ASSET') ? 1 : 0,
  amount: broken.has('AMOUNT_OUT_OF_RANGE')
    ? 0
    : broken.has('INSUFFICIENT_FREE_COLLATERAL')
      ? 1_000_000
      : 500,
});

describe('TRANSFER', () => {
  pairs(MONEY_RULES, [['AMOUNT_OUT_OF_RANGE', 'INSUFFICIENT_FREE_COLLATERAL']], (broken) => {
    const { desk, account, sibling } = moneyDesk(broken);
    const toAccount = broken.has('TRANSFER_NOT_ALLOWED') ? 3 : sibling;
    return desk.code(account, { kind: 'transfer', toAccount, ...moneyFields(broken) });
  });

  it('goes only to another, existing account of the same owner', () => {
    const { desk, account, sibling } = moneyDesk(new Set());
    const to = (toAccount: number): string =>
      rejectName(desk.code(account, { kind: 'transfer', asset: 0, amount: 1, toAccount }));
    expect([account, 0, 3, 4, 2 ** 32 - 1].map(to)).toEqual(Array(5).fill('TRANSFER_NOT_ALLOWED'));
    expect(to(sibling)).toBe('NONE');
  });
});

describe('WITHDRAW', () => {
  pairs(
    ['ORACLE_STALE', 'UNKNOWN_ASSET', 'AMOUNT_OUT_OF_RANGE', 'INSUFFICIENT_FREE_COLLATERAL'] as const,
    [['AMOUNT_OUT_OF_RANGE', 'INSUFFICIENT_FREE_COLLATERAL']],
    (broken) => {
      const { desk, account } = moneyDesk(broken);
      return desk.code(account, { kind: 'withdraw', ...moneyFields(broken) });
    },
  );
});

describe('SESSION_KEY', () => {
  pairs(['TOO_MANY_SESSION_KEYS', 'INVALID_SESSION_KEY'] as const, [], (broken) => {
    const desk = new Desk({ chain: { sessionKeysMax: 1 } });
    const account = desk.deposit(1, 1_000_000);
    const key = (n: number, scope: number): Operation => ({
      kind: 'session-key',
      key: testAddress(n),
      scope,
      expiry: desk.now + 1_000,
    });
    if (broken.has('TOO_MANY_SESSION_KEYS')) desk.done(account, key(60, 1));
    return desk.code(account, key(61, broken.has('INVALID_SESSION_KEY') ? 8 : 1));
  });
});
