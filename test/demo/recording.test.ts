/** Recordings are read strictly and written as they were read; a comparison sees every kind of difference. */
import { describe, expect, test } from 'vitest';
import { DEMO_CHAIN, DEMO_MARKETS, REPLAY_CHAIN, replayFunding, replayMarket } from '#client/demo/markets.ts';
import {
  BOOK_HEADER,
  FILLS_HEADER,
  formatBook,
  formatFills,
  numberQueues,
  parseBook,
  parseFills,
  parseReplay,
  REPLAY_HEADER,
  type RecordedRow,
} from '#client/demo/recording.ts';
import { compareReplay, isEqualReplay } from '#client/demo/replay-compare.ts';
import { planReplay } from '#client/demo/replay-plan.ts';
import { QUOTE_MAX } from '#protocol/limits.ts';
import { chainParametersProblem, marketConfigProblem } from '#protocol/market.ts';

const T = '1703545200000000000';
const replay = (...lines: string[]): string => `${[REPLAY_HEADER, ...lines].join('\n')}\n`;

describe('reading a replay', () => {
  test('keeps rows in order and times to the nanosecond', () => {
    const rows = parseReplay(replay(`${T},add,7,buy,100,2`, '1703545200000000001,take,1,sell,100,1'));
    expect(rows).toEqual([
      { timeNs: T, op: 'add', id: 7, side: 0, price: 100, size: 2 },
      { timeNs: '1703545200000000001', op: 'take', id: 1, side: 1, price: 100, size: 1 },
    ]);
  });

  test.each([
    ['another header', 'a,b\n', /expected the header/],
    ['a missing column', replay(`${T},add,7,buy,100`), /line 2, fields: expected 6, got 5/],
    ['an unknown operation', replay(`${T},modify,7,buy,100,2`), /op: expected add, cancel, amend, take/],
    ['an unknown side', replay(`${T},add,7,bid,100,2`), /side: expected buy or sell, got "bid"/],
    ['a size of zero', replay(`${T},add,7,buy,100,0`), /size: expected an integer from 1/],
    ['a price that is no integer', replay(`${T},add,7,buy,1.5,1`), /price_ticks: expected an integer/],
    ['an id beyond 2^53', replay(`${T},add,9007199254740993,buy,100,1`), /id: expected an integer/],
    ['an id used twice', replay(`${T},add,7,buy,1,1`, `${T},add,7,buy,1,1`), /line 3, id: .*not used before/],
    ['a change of an unknown order', replay(`${T},amend,7,buy,1,1`), /an order that is in the book, got 7/],
    [
      'a cancel of a canceled order',
      replay(`${T},add,7,buy,1,1`, `${T},cancel,7,buy,1,1`, `${T},cancel,7,buy,1,1`),
      /line 4/,
    ],
    ['takes out of order', replay(`${T},take,2,buy,1,1`), /id: expected take 1, got 2/],
  ])('refuses %s', (_, text, sentence) => {
    expect(() => parseReplay(text, 'x.csv')).toThrow(sentence);
  });

  test('what is written is read back', () => {
    const fills = [{ timeNs: T, takeId: 1, restingId: 6412777265270, price: 19201, size: 5 }];
    expect(formatFills(fills)).toBe(`${FILLS_HEADER}\n${T},1,6412777265270,19201,5\n`);
    expect(parseFills(formatFills(fills))).toEqual(fills);
    const book = numberQueues([
      { side: 0, price: 100, id: 4, size: 1 },
      { side: 0, price: 100, id: 3, size: 2 },
      { side: 0, price: 99, id: 5, size: 1 },
      { side: 1, price: 99, id: 6, size: 9 },
    ]);
    expect(book.map((order) => order.queuePos)).toEqual([1, 2, 1, 1]);
    expect(formatBook(book).startsWith(`${BOOK_HEADER}\nbuy,100,1,4,1\nbuy,100,2,3,2\n`)).toBe(true);
    expect(parseBook(formatBook(book))).toEqual(book);
  });
});

const ROWS: RecordedRow[] = [
  { timeNs: T, op: 'add', id: 11, side: 0, price: 100, size: 5 },
  { timeNs: T, op: 'add', id: 12, side: 0, price: 100, size: 5 },
  { timeNs: T, op: 'amend', id: 11, side: 0, price: 100, size: 4 },
  { timeNs: T, op: 'take', id: 1, side: 1, price: 100, size: 4 },
  { timeNs: T, op: 'cancel', id: 12, side: 0, price: 100, size: 5 },
];

describe('the plan of a replay', () => {
  const plan = planReplay(ROWS, { market: 0, makers: 2, takers: 1 });

  test('changes come from the account that added the order, takes from takers', () => {
    expect(plan.operations.map((planned) => planned.sender)).toEqual([0, 1, 0, 2, 1]);
    expect(plan.operations[2]!.operation).toMatchObject({ kind: 'amend', by: 'client', id: 11, size: 4 });
    expect(plan.operations[3]!.operation).toMatchObject({ kind: 'place', timeInForce: 2, side: 1 });
  });

  test('bounds what each account may hold', () => {
    expect(plan.lotsMax).toEqual([9, 5, 4]);
    expect(plan).toMatchObject({ accounts: 3, priceMax: 100, sizeMax: 5 });
  });

  test.each([
    ['small', 100, 5],
    ['an E-mini', 23_170, 500],
    ['dear and large', 4_000_000, 1_000_000],
  ])('its market stays within the bounds of the protocol: %s', (_, price, size) => {
    const large = planReplay([{ ...ROWS[0]!, price, size }], { market: 0 });
    const market = replayMarket(large);
    expect(marketConfigProblem(market)).toBeUndefined();
    expect(market.maxPosition).toBeGreaterThanOrEqual(size);
    expect(replayFunding(large, market) * large.accounts).toBeLessThanOrEqual(QUOTE_MAX);
  });
});

test('configurations of the demo are sound', () => {
  for (const { config, startPrice } of DEMO_MARKETS) {
    expect(marketConfigProblem(config)).toBeUndefined();
    expect(startPrice).toBeLessThan(config.maxPrice);
  }
  expect(chainParametersProblem(DEMO_CHAIN)).toBeUndefined();
  expect(chainParametersProblem(REPLAY_CHAIN)).toBeUndefined();
});

describe('comparing', () => {
  const fills = [
    { timeNs: T, takeId: 1, restingId: 11, price: 100, size: 3 },
    { timeNs: T, takeId: 1, restingId: 12, price: 100, size: 1 },
    { timeNs: T, takeId: 2, restingId: 12, price: 100, size: 1 },
  ];
  const book = numberQueues([
    { side: 0, price: 100, id: 4, size: 1 },
    { side: 0, price: 100, id: 3, size: 2 },
  ]);
  const verdict = (got: Partial<{ fills: typeof fills; book: typeof book }>) =>
    compareReplay(2, { fills, book, ...got }, { fills, book });

  test('equal is equal', () => {
    expect(verdict({})).toEqual({ takes: 2, takesEqual: 2, bookEqual: true, differences: [] });
    expect(isEqualReplay(verdict({}))).toBe(true);
  });

  test.each([
    ['order of fills', { fills: [fills[1]!, fills[0]!, fills[2]!] }, 1, true],
    ['size', { fills: [fills[0]!, fills[1]!, { ...fills[2]!, size: 2 }] }, 1, true],
    ['a missing fill', { fills: fills.slice(0, 2) }, 1, true],
    ['a fill too many', { fills: [...fills, fills[2]!] }, 1, true],
    ['no fills', { fills: [] }, 0, true],
    ['queue places', { book: numberQueues([book[1]!, book[0]!]) }, 2, false],
    ['a missing order', { book: book.slice(0, 1) }, 2, false],
    ['an order too many', { book: numberQueues([...book, book[0]!]) }, 2, false],
  ])('sees: %s', (_, got, takesEqual, bookEqual) => {
    const seen = verdict(got);
    expect(seen).toMatchObject({ takesEqual, bookEqual });
    expect(seen.differences.length).toBeGreaterThan(0);
    expect(isEqualReplay(seen)).toBe(false);
  });

  test('what was not recorded is not judged', () => {
    const alone = compareReplay(2, { fills, book }, { fills: undefined, book: undefined });
    expect(alone).toMatchObject({ takesEqual: undefined, bookEqual: undefined });
    expect(isEqualReplay(alone)).toBe(true);
  });
});
