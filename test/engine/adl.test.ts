/** Auto-deleveraging: the specification's vectors, and a slow reference that must agree on order, bands and lots. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BANDS,
  type BankruptPosition,
  bandOf,
  closeLots,
  compareScores,
  isCandidate,
  scoreOf,
  shareOf,
  takenByBand,
  zeroQuote,
} from '#engine/risk/adl.ts';
import { type NaiveHolder, naiveDeleverage, naiveOrder } from '../reference/naive-adl.ts';

const MILLION = 1_000_000;

/** A position in lots of 1e-8 of the base asset at a price in quote. */
function bankrupt(position: {
  size: number;
  price: number;
  equity: number;
  maintenance: number;
  own?: number;
}): BankruptPosition {
  return {
    size: position.size,
    lotValue: position.price,
    positionMaintenance: (position.own ?? position.maintenance) * MILLION,
    maintenance: position.maintenance * MILLION,
    equity: position.equity * MILLION,
  };
}

describe('the quote at which nothing is left', () => {
  it('vector 11: long .1 BTC at 50,000, cash -4,501: 4,501; short with +5,499: 5,499', () => {
    // Lots of 1e-5 BTC, 0.5 quote each.
    const long = bankrupt({ size: 10_000, price: 500_000, equity: 499, maintenance: 500 });
    expect(zeroQuote(long, 10_000)).toBe(4_501 * MILLION);
    const short = bankrupt({ size: -10_000, price: 500_000, equity: 499, maintenance: 500 });
    expect(zeroQuote(short, 10_000)).toBe(5_499 * MILLION);
  });

  it('vector 12: .004 BTC and .1 ETH long, cash -490: closing the ETH is worth 294', () => {
    const eth = bankrupt({ size: 1_000, price: 300_000, equity: 10, maintenance: 50, own: 30 });
    expect(zeroQuote(eth, 1_000)).toBe(294 * MILLION);
  });

  it('vector 13: 21,347 of 100,000,000 lots, 13 quote of debt: 2,776 up for the long, 2,775 down for the short', () => {
    const size = 100_000_000;
    const price = 500;
    const notional = (size * price) / MILLION;
    const long = bankrupt({ size, price, equity: notional - 13, maintenance: 5_000 });
    expect(zeroQuote(long, 21_347)).toBe(2_776);
    const short = bankrupt({ size: -size, price, equity: 13 - notional, maintenance: 5_000 });
    expect(zeroQuote(short, 21_347)).toBe(2_775);
  });

  it('leaves exactly nothing of an account with one position, in whichever parts it is closed', () => {
    fc.assert(
      fc.property(
        fc.record({
          lots: fc.integer({ min: 1, max: 2 ** 30 }),
          isLong: fc.boolean(),
          lotValue: fc.integer({ min: 1, max: 2 ** 18 }),
          v: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
          cash: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
          maintenance: fc.integer({ min: 1, max: 2 ** 45 }),
        }),
        fc.array(fc.integer({ min: 0, max: 2 ** 30 }), { maxLength: 5 }),
        ({ lots, isLong, lotValue, v, cash, maintenance }, cuts) => {
          const size = isLong ? lots : -lots;
          const equity = cash + size * lotValue + v;
          const position = { size, lotValue, positionMaintenance: maintenance, maintenance, equity };
          const ends = [...cuts.map((cut) => cut % (lots + 1)), lots].sort((a, b) => a - b);
          let held = { size, v };
          let money = cash;
          let done = 0;
          for (const end of ends) {
            const quote = zeroQuote(position, end) - zeroQuote(position, done);
            if (end === done) continue;
            const closed = closeLots(held, end - done, quote);
            money += closed.realized;
            held = closed;
            done = end;
          }
          expect(held.size).toBe(0);
          expect(held.v).toBe(0);
          expect(money).toBe(0);
        },
      ),
    );
  });
});

/** Vector 44 in millionths: U, E, M, V of shorts against a long. */
const HOLDERS = (
  [
    ['A', 20_000, 120_000, 1_200, 30_000],
    ['B', 10, 110, 1.2, 12],
    ['C', 50, 250, 2.4, 400],
    ['D', 5, 105, 1.2, 8],
  ] as const
).map(([name, profit, entry, maintenance, equity]) => {
  // A short with entry v = +E and profit U is worth E − U at the mark.
  const worth = Math.round((entry - profit) * MILLION);
  return {
    name,
    lotValue: worth,
    holder: { size: -1, v: entry * MILLION, equity: equity * MILLION, maintenance: maintenance * MILLION },
  };
});

describe('who is asked first', () => {
  it('vector 44: U/E/M/V of A, B, C, D: the order is B, D, A, C', () => {
    const order = [...HOLDERS].sort((a, b) =>
      compareScores(scoreOf(b.holder, b.lotValue), scoreOf(a.holder, a.lotValue)),
    );
    expect(order.map(({ name }) => name).join('')).toBe('BDAC');
    expect(HOLDERS.map(({ holder, lotValue }) => bandOf(scoreOf(holder, lotValue)))).toEqual([3, 3, 3, 3]);
  });

  it('vector 44: 151 over 100, 60, 40 of one band: 76, 45, 30', () => {
    expect([shareOf(151, 200, 0, 100), shareOf(151, 200, 100, 60), shareOf(151, 200, 160, 40)]).toEqual([
      76, 45, 30,
    ]);
  });

  it('is no one without profit at the zero quote, without equity, or on the same side', () => {
    const position = bankrupt({ size: 10, price: 100 * MILLION, equity: -50, maintenance: 40 });
    const short = { size: -10, v: 1_100 * MILLION, equity: 500 * MILLION, maintenance: 40 * MILLION };
    expect(isCandidate(position, short)).toBe(true);
    // Z is 1,050: a short that was opened there still has no loss, one opened a unit below has.
    expect(isCandidate(position, { ...short, v: 1_050 * MILLION })).toBe(true);
    expect(isCandidate(position, { ...short, v: 1_050 * MILLION - 1 })).toBe(false);
    expect(isCandidate(position, { ...short, equity: 0 })).toBe(false);
    expect(isCandidate(position, { ...short, size: 10 })).toBe(false);
    expect(isCandidate(position, { ...short, size: 0 })).toBe(false);
  });

  it('ranks a hedged book behind a naked one with the same position', () => {
    const naked = { size: -10, v: 1_500 * MILLION, equity: 600 * MILLION, maintenance: 100 * MILLION };
    const hedged = { ...naked, equity: 60_000 * MILLION };
    const lotValue = 100 * MILLION;
    expect(compareScores(scoreOf(naked, lotValue), scoreOf(hedged, lotValue))).toBeGreaterThan(0);
    expect(bandOf(scoreOf(hedged, lotValue))).toBeGreaterThan(bandOf(scoreOf(naked, lotValue)));
  });
});

/** Holders around the entry at which they begin to be asked. */
const rounds = fc
  .record({
    isLong: fc.boolean(),
    lots: fc.integer({ min: 1, max: 100_000 }),
    lotValue: fc.integer({ min: 1, max: 1_000 }),
    maintenance: fc.integer({ min: 1, max: 2 ** 30 }),
    equity: fc.integer({ min: -(2 ** 26), max: 2 ** 26 }),
    holders: fc.array(
      fc.record({
        lots: fc.integer({ min: -20_000, max: 20_000 }),
        entryPpm: fc.integer({ min: 500_000, max: 2_000_000 }),
        equity: fc.integer({ min: -100, max: 2 ** 30 }),
        maintenance: fc.integer({ min: 0, max: 2 ** 24 }),
      }),
      { maxLength: 30 },
    ),
  })
  .map(({ isLong, lots, lotValue, maintenance, equity, holders }) => ({
    position: {
      size: isLong ? lots : -lots,
      lotValue,
      positionMaintenance: maintenance,
      maintenance,
      equity,
    } satisfies BankruptPosition,
    holders: holders.map(
      (holder, i): NaiveHolder => ({
        id: i + 1,
        size: holder.lots + 0,
        v: -Math.round((holder.lots * lotValue * holder.entryPpm) / MILLION) + 0,
        equity: holder.equity,
        maintenance: holder.maintenance,
      }),
    ),
  }));

/** Two passes over the holders by id, as the steps do it. */
function deleverage(position: BankruptPosition, holders: readonly NaiveHolder[]) {
  const sums = new Array<number>(BANDS).fill(0);
  for (const holder of holders)
    if (isCandidate(position, holder))
      sums[bandOf(scoreOf(holder, position.lotValue))]! += Math.abs(holder.size);
  const taken = takenByBand(sums, Math.abs(position.size));
  const seen = new Array<number>(BANDS).fill(0);
  const fills: { id: number; lots: number; band: number }[] = [];
  for (const holder of holders) {
    if (!isCandidate(position, holder)) continue;
    const band = bandOf(scoreOf(holder, position.lotValue));
    const size = Math.abs(holder.size);
    const lots = shareOf(taken[band]!, sums[band]!, seen[band]!, size);
    seen[band]! += size;
    if (lots > 0) fills.push({ id: holder.id, lots, band });
  }
  return fills;
}

describe('two passes by id', () => {
  it('give what the slow reference gives, never beyond the position nor what a holder has', () => {
    fc.assert(
      fc.property(rounds, ({ position, holders }) => {
        const fills = deleverage(position, holders);
        expect(fills).toEqual(naiveDeleverage(position, holders));
        expect(fills.reduce((sum, { lots }) => sum + lots, 0)).toBeLessThanOrEqual(Math.abs(position.size));
        for (const { id, lots } of fills) expect(lots).toBeLessThanOrEqual(Math.abs(holders[id - 1]!.size));
      }),
      { numRuns: 500 },
    );
  });

  it('ask no one of a lower band while a higher one has lots left', () => {
    fc.assert(
      fc.property(rounds, ({ position, holders }) => {
        const fills = deleverage(position, holders);
        const lowest = Math.max(-1, ...fills.map(({ band }) => band));
        for (const holder of naiveOrder(position, holders)) {
          const band = bandOf(scoreOf(holder, position.lotValue));
          if (band >= lowest) continue;
          expect(fills.find(({ id }) => id === holder.id)?.lots).toBe(Math.abs(holder.size));
        }
      }),
    );
  });
});
