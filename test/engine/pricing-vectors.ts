/**
 * The cases of test/vectors/pricing.json: what sequencer/engine/pricing says, at random and at the ends of its ranges, for
 * OraclePrice.sol, MarkPrice.sol, Funding.sol, Depth.sol, Deviation.sol and Validity.sol. `npx tsx test/engine/pricing-vectors.ts` writes the file; a test holds it
 * to this. Every list has one number for each case; numbers are strings where they may leave 2^53.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openInterestRate, sideDepth } from '#engine/pricing/depth.ts';
import { confirmMove } from '#engine/pricing/deviation.ts';
import {
  fundingRatePpb,
  type Impact,
  impactFill,
  impactNotional,
  premiumPpb,
} from '#engine/pricing/funding.ts';
import { emaStep, markPrice } from '#engine/pricing/mark-price.ts';
import { averageIndex, indexOf } from '#engine/pricing/oracle-price.ts';
import {
  mayLiquidate,
  mayMargin,
  mayOpen,
  Validity,
  validityOf,
  validityOfRound,
} from '#engine/pricing/validity.ts';
import { MILLION, PRICE_MAX } from '#protocol/limits.ts';
import type { MarketConfig } from '#protocol/market.ts';
import { BookSide, Levels } from '#state/book-side.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { MarketState } from '#state/market-state.ts';
import { Orders } from '#state/orders.ts';
import { Random, testMarket } from '../state/random-state.ts';

type Value = number | bigint;

/** Columns by name; `add` takes a case's fields. */
class Columns {
  private readonly held = new Map<string, string[]>();

  add(fields: Readonly<Record<string, Value>>): void {
    for (const [name, value] of Object.entries(fields)) {
      const column = this.held.get(name) ?? [];
      column.push(`${value}`);
      this.held.set(name, column);
    }
  }

  columns(): Record<string, string[]> {
    return Object.fromEntries(this.held);
  }
}

const SEED = 41;
let random = new Random(SEED);
/** A whole number of up to so many bits, small ones as likely as large ones. */
const upTo = (bits: number): number => random.below(2 ** random.between(0, bits));

const MOST = 40_000_000;

function emaCases(): Columns {
  const cases = new Columns();
  const add = (ema: bigint, x: bigint, dt: number, tau: number): void =>
    cases.add({ ema, x, dt, tau, result: emaStep(ema, x, { dt, tau }) });
  const far = BigInt(PRICE_MAX) * BigInt(MILLION);
  for (const ema of [0n, 1n, -1n, far, -far])
    for (const x of [0n, 1n, -1n, far, -far])
      for (const [dt, tau] of [
        [0, 1],
        [1, 1],
        [1, 2],
        [1, 86_400_000],
        [2 ** 48 - 1, 1],
        [2 ** 48 - 1, 86_400_000],
      ] as const)
        add(ema, x, dt, tau);
  for (let n = 0; n < 100; n++)
    add(BigInt(random.signed(2 ** 40)), BigInt(random.signed(2 ** 40)), upTo(32), random.between(1, 200_000));
  return cases;
}

function markCases(): Columns {
  const cases = new Columns();
  const add = (index: number, maxPrice: number, clampPpm: number, book: readonly Value[]): void => {
    const config: MarketConfig = { ...testMarket(0), maxPrice };
    const market = new MarketState(config, new Levels(), new Orders());
    const [bid, ask, last, basisEma, bookEma] = book as [number, number, number, bigint, bigint];
    Object.assign(market, { index, sampleBid: bid, sampleAsk: ask, sampleLast: last, basisEma, bookEma });
    const mark = markPrice(market, clampPpm);
    cases.add({ index, maxPrice, clampPpm, bid, ask, last, basisEma, bookEma, mark });
  };
  for (const index of [0, 1, 100, PRICE_MAX])
    for (const clampPpm of [0, 5_000, MILLION])
      for (const basisEma of [0n, 1n, -1n, 10n ** 20n, -(10n ** 20n)])
        for (const bookEma of [-1n, 0n, 99_999_999n, 10n ** 16n])
          add(index, index === PRICE_MAX ? 200 : PRICE_MAX, clampPpm, [99, 102, 0, basisEma, bookEma]);
  for (const [bid, ask, last] of [
    [0, 0, 0],
    [0, 5, 5],
    [5, 0, 5],
    [1, 2, 0],
    [1, 2, 3],
    [3, 3, 3],
    [PRICE_MAX, PRICE_MAX, 0],
    [PRICE_MAX, PRICE_MAX, 1],
  ] as const)
    for (const bookEma of [-1n, 0n, 2_999_999n, 10n ** 16n])
      add(4, PRICE_MAX, MILLION, [bid, ask, last, 0n, bookEma]);
  for (let n = 0; n < 100; n++)
    add(upTo(32), random.between(1, 50_000), random.below(20_000), [
      ...[upTo(16), upTo(16), upTo(16)],
      ...[BigInt(random.signed(2 ** 36)), BigInt(random.signed(2 ** 36))],
    ]);
  return cases;
}

function rateCases(): Columns {
  const cases = new Columns();
  const premiums = [
    0, 1, -1, 99_999, 400_000, -400_000, 600_000, 600_001, -400_001, 4e9, -4e9, 320_000_000, -319_500_000,
  ];
  for (const premium of premiums)
    for (const most of [0, 1, 12_345, MOST])
      cases.add({ premium, most, rate: fundingRatePpb(premium, most) });
  for (let n = 0; n < 100; n++) {
    const premium = random.signed(2 ** random.between(1, 32));
    cases.add({ premium, most: MOST, rate: fundingRatePpb(premium, MOST) });
  }
  return cases;
}

function rateMaxCases(): Columns {
  const cases = new Columns();
  for (const initial of [1, 2, 3, 20_000, 53_333, 53_334, 53_335, MILLION])
    for (const spread of [0, 1, 2, 3, 8_000, 53_333, 53_334, MILLION]) {
      if (spread >= initial) continue;
      const tiers = [{ lower: 0, initialPpm: initial, maintenancePpm: initial - spread }];
      const market = new MarketState({ ...testMarket(0), tiers }, new Levels(), new Orders());
      cases.add({
        ...{ initial, maintenance: initial - spread },
        ...{ most: market.fundingRateMax(), notional: impactNotional(initial) },
      });
    }
  return cases;
}

function premiumCases(): Columns {
  const cases = new Columns();
  const add = (bid: Impact, ask: Impact, index: number, qm: number): void =>
    cases.add({
      ...{ bidLots: bid.lots, bidQuote: bid.quote, askLots: ask.lots, askQuote: ask.quote, index, qm },
      result: premiumPpb(bid, ask, index, qm),
    });
  const none = { lots: 0, quote: 0 };
  const at = (lots: number, price: number, qm: number): Impact => ({ lots, quote: lots * price * qm });
  add(none, none, 1, 1);
  for (const price of [1, 99, 100, 101, 499, 500, 501, 2 ** 32 - 1]) {
    add(at(10, price, 3), none, 100, 3);
    add(none, at(10, price, 3), 100, 3);
    add(at(10, price, 3), at(7, price, 3), 100, 3);
  }
  add(at(1, 2 ** 24, 2 ** 24), none, 1, 2 ** 24);
  add({ lots: 3, quote: 1_000 }, { lots: 3, quote: 899 }, 100, 3);
  for (let n = 0; n < 100; n++) {
    const impact = (): Impact => ({ lots: random.between(1, 2 ** 20), quote: upTo(48) });
    add(impact(), impact(), random.between(1, 2 ** 16), random.between(1, 250));
  }
  return cases;
}

type Book = readonly (readonly [price: number, lots: number])[];

function bookOf(side: 0 | 1, levels: Book): { book: BookSide; held: Levels } {
  const held = new Levels();
  const orders = new Orders();
  const book = new BookSide(side, held, orders);
  levels.forEach(([price, lots], n) => {
    const slot = orders.allocate(n + 1);
    orders.setPrice(slot, price);
    orders.setSize(slot, lots);
    book.append(slot);
  });
  return { book, held };
}

const hex64 = (value: number): string => value.toString(16).padStart(16, '0');
/** Levels from the best: price and lots, both 8 bytes big-endian, as one hexadecimal string. */
const bookText = (levels: Book): string =>
  `0x${levels.map(([price, size]) => hex64(price) + hex64(size)).join('')}`;

const ladder = (side: 0 | 1, count: number, lots: number, step = 1): [number, number][] =>
  Array.from({ length: count }, (_, n) => [side === 0 ? 1_000 - n * step : 1_000 + n * step, lots]);

function impactCases(): { columns: Record<string, string[]>; books: string[] } {
  const cases = new Columns();
  const books: string[] = [];
  const add = (side: 0 | 1, levels: Book, target: number, qm: number): void => {
    const { book, held } = bookOf(side, levels);
    const { lots, quote } = impactFill(book, held, target, qm);
    cases.add({ side, target, qm, lots, quote });
    books.push(bookText(levels));
  };
  for (const side of [0, 1] as const) {
    add(side, [], 1_000, 1);
    for (const target of [1, 999, 1_000, 1_001, 9_999, 10_000, 10_001]) add(side, [[1_000, 10]], target, 1);
    const whole = ladder(side, 32, 10).reduce((sum, [price, lots]) => sum + price * lots * 3, 0);
    for (const count of [31, 32, 33, 40])
      for (const target of [whole, whole + 1, whole - 1]) add(side, ladder(side, count, 10), target, 3);
    add(side, [[2 ** 32 - 1, 2 ** 48]], 5e14, 2 ** 16);
    add(side, [[1, 2 ** 48 - 1]], 5e14, 1);
    add(side, [[2 ** 16, 1]], 5e14, 2 ** 32);
    for (let n = 0; n < 20; n++)
      add(side, ladder(side, random.between(1, 36), random.between(1, 400)), random.between(1, 2 ** 24), 2);
  }
  return { columns: cases.columns(), books };
}

function depthCases(): { columns: Record<string, string[]>; books: string[] } {
  const cases = new Columns();
  const books: string[] = [];
  const add = (side: 0 | 1, levels: Book, mark: number, qm: number): void => {
    const { book, held } = bookOf(side, levels);
    cases.add({ side, mark, qm, depth: sideDepth(book, held, mark, qm) });
    books.push(bookText(levels));
  };
  for (const side of [0, 1] as const) {
    for (const mark of [0, 1, 1_000, PRICE_MAX]) add(side, [], mark, 1);
    for (const mark of [0, 1, 980, 981, 999, 1_000, 1_020, 1_021, PRICE_MAX])
      add(side, [[1_000, 10_000]], mark, 1);
    for (const count of [31, 32, 33, 40]) add(side, ladder(side, count, 500_000), 1_000, 3);
    for (const count of [19, 20, 21, 22, 40]) add(side, ladder(side, count, 77_777), 1_000, 1);
    // Up to what four bytes hold, at the border and beyond.
    const most = 2 ** 32 - 1;
    for (const lots of [most - 1, most, most + 1, 2 ** 48]) add(side, [[1_000, lots]], 1_000, 1_000);
    add(side, ladder(side, 5, most), 1_000, 1_000);
    add(side, [[PRICE_MAX, 2 ** 52]], PRICE_MAX, 2 ** 16);
    for (let n = 0; n < 20; n++)
      add(
        side,
        ladder(side, random.between(1, 40), 1 + upTo(40)),
        random.between(985, 1_015),
        random.between(1, 99),
      );
  }
  return { columns: cases.columns(), books };
}

function openInterestCases(): Columns {
  const cases = new Columns();
  const add = (base: number, lower: number, upper: number, lots: number, mark: number, qm: number): void => {
    const tiers = [{ lower: 0, initialPpm: base, maintenancePpm: 1 }];
    const config = { ...testMarket(0), tiers, qm, openInterestLower: lower, openInterestUpper: upper };
    const market = new MarketState(config, new Levels(), new Orders());
    market.openInterest = lots;
    cases.add({ base, lower, upper, lots, mark, qm, rate: openInterestRate(market, mark) });
  };
  add(20_000, 0, 0, 2 ** 52, PRICE_MAX, 1_000);
  for (const lots of [
    0,
    1,
    999_999,
    1_000_000,
    1_000_001,
    1_234_567,
    1_999_999,
    2_000_000,
    2_000_001,
    2 ** 52,
  ])
    for (const base of [1, 200_000, MILLION]) add(base, 1, 2, lots, 1, 1);
  add(200_000, 25_000_000, 60_000_000, 28_123_456_789_123, 1, 1);
  add(20_000, 0, 1, 1, 0, 1);
  for (let n = 0; n < 60; n++) {
    const lower = upTo(28);
    add(random.between(1, MILLION), lower, lower + 1 + upTo(27), upTo(50), upTo(32), random.between(1, 250));
  }
  return cases;
}

function guardCases(): Columns {
  const cases = new Columns();
  const add = (price: number, index: number, pending: number, deviationPpm: number): void => {
    const after = confirmMove(price, index, pending, deviationPpm);
    cases.add({ price, index, pending, deviationPpm, taken: after.index, waiting: after.pending });
  };
  for (const price of [1, 9_899, 9_900, 10_000, 10_100, 10_101, 10_300, 20_000, PRICE_MAX])
    for (const pending of [0, 1, 9_800, 10_102, 10_199, 10_200, PRICE_MAX])
      for (const [index, ppm] of [
        [10_000, 10_000],
        [10_000, 0],
        [0, 10_000],
        [10_000, MILLION],
      ] as const)
        add(price, index, pending, ppm);
  for (let n = 0; n < 100; n++)
    add(...([1 + upTo(31), upTo(31), random.below(2) * upTo(31), random.below(MILLION)] as const));
  return cases;
}

function validityCases(): Columns {
  const cases = new Columns();
  const add = (index: number, confidence: number, average: number, pending: number, limits: Limits): void => {
    const config = { ...testMarket(0), ...limits };
    const validity = validityOfRound(config, { index, confidence, average, pending });
    cases.add({ index, confidence, average, pending, ...limits, validity });
  };
  type Limits = { deviationPpm: number; confidenceMaxPpm: number };
  for (const average of [0, 1, 1_666, 1_667, 10_000, 59_999, 60_000, PRICE_MAX])
    for (const confidence of [0, 199, 200, 201, PRICE_MAX])
      for (const pending of [0, 11_000])
        for (const deviationPpm of [0, 10_000])
          for (const confidenceMaxPpm of [0, 20_000, MILLION])
            add(10_000, confidence, average, pending, { deviationPpm, confidenceMaxPpm });
  for (let n = 0; n < 60; n++)
    add(1 + upTo(31), upTo(32), upTo(32), upTo(1), { deviationPpm: 1, confidenceMaxPpm: upTo(19) });
  return cases;
}

/** What the clock makes of a validity. */
function agedCases(): Columns {
  const cases = new Columns();
  const state = new ExchangeState();
  const market = new MarketState(testMarket(0), new Levels(), new Orders());
  for (const held of Object.values(Validity))
    for (const index of [0, 1])
      for (const [indexTime, now] of [
        [0, 0],
        [5, 10_005],
        [5, 10_006],
        [5, 1_000_000],
      ] as const) {
        Object.assign(market, { index, indexTime, validity: held });
        const validity = validityOf(state, market, now);
        const may = (what: Check): number => Number(what(state, market, now));
        cases.add({
          ...{ held, index, indexTime, now, validity },
          ...{ liquidate: may(mayLiquidate), margin: may(mayMargin), open: may(mayOpen) },
        });
      }
  return cases;
}
type Check = (state: ExchangeState, market: MarketState, now: number) => boolean;

function averageCases(): Columns {
  const cases = new Columns();
  const add = (average: number, index: number, dt: number, tau: number): void =>
    cases.add({ average, index, dt, tau, result: averageIndex(average, index, { dt, tau }) });
  const far = PRICE_MAX * MILLION;
  for (const average of [0, 1_000_000, 10_000_000_000, far])
    for (const index of [1, 10_000, PRICE_MAX])
      for (const [dt, tau] of [
        [0, 1],
        [1, 86_400_000],
        [500, 300_000],
        [2 ** 48 - 1, 1],
      ] as const)
        add(average, index, dt, tau);
  for (let n = 0; n < 60; n++) add(upTo(51), 1 + upTo(31), upTo(32), random.between(1, 600_000));
  return cases;
}

/** Price, confidence and weight of each report, 4 bytes big-endian each, as one hexadecimal string. */
function indexCases(): { columns: Record<string, string[]>; reports: string[] } {
  const cases = new Columns();
  const reports: string[] = [];
  const add = (used: readonly (readonly [price: number, confidence: number, weight: number])[]): void => {
    const result = indexOf(used.map(([price, confidence, weight]) => ({ price, confidence, weight })));
    cases.add({ index: result.index, confidence: result.confidence });
    reports.push(
      `0x${used
        .flat()
        .map((value) => value.toString(16).padStart(8, '0'))
        .join('')}`,
    );
  };
  add([[7, 3, 1]]);
  add([
    [1, 0, 1],
    [PRICE_MAX, PRICE_MAX, 1],
  ]);
  add([
    [PRICE_MAX, PRICE_MAX, 1],
    [1, PRICE_MAX, 2],
  ]);
  add([
    [1, 1, MILLION],
    [2, 2, MILLION],
    [3, 3, MILLION],
    [4, 4, MILLION],
  ]);
  add([
    [4, 1, 1],
    [3, 2, 1],
    [2, 3, 1],
    [1, 4, 3],
  ]);
  add(Array.from({ length: 16 }, (_, n) => [PRICE_MAX - n, PRICE_MAX, MILLION] as const));
  for (let n = 0; n < 120; n++)
    add(
      Array.from({ length: random.between(1, 16) }, () => {
        const price = random.below(3) === 0 ? random.between(1, 5) : 1 + upTo(31);
        return [price, upTo(32), random.below(2) === 0 ? random.between(1, 3) : 1 + upTo(19)] as const;
      }),
    );
  return { columns: cases.columns(), reports };
}

export function pricingVectors(): Record<string, Record<string, string[]>> {
  random = new Random(SEED);
  const impact = impactCases();
  const index = indexCases();
  const depth = depthCases();
  return {
    ema: emaCases().columns(),
    mark: markCases().columns(),
    rate: rateCases().columns(),
    rateMax: rateMaxCases().columns(),
    premium: premiumCases().columns(),
    impact: { ...impact.columns, book: impact.books },
    index: { ...index.columns, reports: index.reports },
    depth: { ...depth.columns, book: depth.books },
    openInterest: openInterestCases().columns(),
    guard: guardCases().columns(),
    validity: validityCases().columns(),
    aged: agedCases().columns(),
    average: averageCases().columns(),
  };
}

export const PRICING_FILE = fileURLToPath(new URL('../vectors/pricing.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PRICING_FILE, `${JSON.stringify(pricingVectors(), undefined, 1)}\n`);
