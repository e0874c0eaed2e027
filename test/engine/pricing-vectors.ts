/**
 * The cases of test/vectors/pricing.json: what sequencer/engine/pricing says, at random and at the ends of its ranges, for
 * OraclePrice.sol, MarkPrice.sol and Funding.sol. `npx tsx test/engine/pricing-vectors.ts` writes the file; a test holds it
 * to this. Every list has one number for each case; numbers are strings where they may leave 2^53.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  fundingRatePpb,
  type Impact,
  impactFill,
  impactNotional,
  premiumPpb,
} from '#engine/pricing/funding.ts';
import { emaStep, markPrice } from '#engine/pricing/mark-price.ts';
import { indexOf } from '#engine/pricing/oracle-price.ts';
import { MILLION, PRICE_MAX } from '#protocol/limits.ts';
import type { MarketConfig } from '#protocol/market.ts';
import { BookSide, Levels } from '#state/book-side.ts';
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

/** Levels from the best: price and lots, both 8 bytes big-endian, as one hexadecimal string. */
function impactCases(): { columns: Record<string, string[]>; books: string[] } {
  const cases = new Columns();
  const books: string[] = [];
  const add = (
    side: 0 | 1,
    levels: readonly (readonly [price: number, lots: number])[],
    target: number,
    qm: number,
  ) => {
    const held = new Levels();
    const orders = new Orders();
    const book = new BookSide(side, held, orders);
    levels.forEach(([price, lots], n) => {
      const slot = orders.allocate(n + 1);
      orders.setPrice(slot, price);
      orders.setSize(slot, lots);
      book.append(slot);
    });
    const { lots, quote } = impactFill(book, held, target, qm);
    cases.add({ side, target, qm, lots, quote });
    const hex = (value: number): string => value.toString(16).padStart(16, '0');
    books.push(`0x${levels.map(([price, size]) => hex(price) + hex(size)).join('')}`);
  };
  const ladder = (side: 0 | 1, count: number, lots: number): [number, number][] =>
    Array.from({ length: count }, (_, n) => [side === 0 ? 1_000 - n : 1_000 + n, lots]);
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
  return {
    ema: emaCases().columns(),
    mark: markCases().columns(),
    rate: rateCases().columns(),
    rateMax: rateMaxCases().columns(),
    premium: premiumCases().columns(),
    impact: { ...impact.columns, book: impact.books },
    index: { ...index.columns, reports: index.reports },
  };
}

export const PRICING_FILE = fileURLToPath(new URL('../vectors/pricing.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PRICING_FILE, `${JSON.stringify(pricingVectors(), undefined, 1)}\n`);
