/** Auctions of accounts under liquidation: the specification's vectors, and what must hold of any round. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuctionScope,
  allotted,
  auctionBonus,
  auctionSubsidy,
  auctionTerms,
  fractionCap,
  paidFor,
  portion,
  priceOf,
  roundEnd,
  roundedUp,
} from '#engine/risk/auction.ts';
import { DEFAULT_CHAIN_PARAMETERS } from '#protocol/market.ts';

const MILLION = 1_000_000;
const CHAIN = { ...DEFAULT_CHAIN_PARAMETERS, smallNotional: 0 };
const quote = (scope: Partial<AuctionScope>): AuctionScope => ({
  equity: (scope.equity ?? 0) * MILLION,
  maintenance: (scope.maintenance ?? 0) * MILLION,
  notional: (scope.notional ?? 0) * MILLION,
  assets: (scope.assets ?? 0) * MILLION,
});
const at = (seconds: number, auctionMs = CHAIN.auctionMs) => ({
  elapsed: seconds * 1_000,
  auctionMs,
  discountStartPpm: CHAIN.discountStartPpm,
});

describe('the price is set by the clock', () => {
  it('vector 40: N 100k, M 1,200, V 700: bonus 250, 487.5, 700 after 0, 15, 30 s; f* .579440, .744745, 1', () => {
    const scope = quote({ notional: 100_000, maintenance: 1_200, equity: 700 });
    const bonuses = [0, 15, 30].map((seconds) => auctionBonus(scope, at(seconds)));
    expect(bonuses).toEqual([250 * MILLION, 487.5 * MILLION, 700 * MILLION]);
    expect(bonuses.map((bonus) => fractionCap(scope, bonus, CHAIN))).toEqual([579_440, 744_745, 1_000_000]);
  });

  it('vector 24: V 300, M 400, beta .1: f .31818 without a discount, .34146 with 10 %, which costs 92.195', () => {
    const scope = quote({ equity: 300, maintenance: 400, notional: 10_000 });
    expect(fractionCap(scope, 0, CHAIN)).toBe(318_182);
    const fraction = fractionCap(scope, 30 * MILLION, CHAIN);
    expect(fraction).toBe(341_464);
    expect(priceOf(fraction, 270 * MILLION) / MILLION).toBeCloseTo(92.195, 3);
  });

  it('vector 26: V -100, M 200, 600 s: who takes it on is paid 100, 104, 200 after 0, 12, 300 s', () => {
    const scope = quote({ equity: -100, maintenance: 200, notional: 10_000 });
    const paid = [0, 12, 300, 600, 900].map((seconds) => auctionSubsidy(scope, at(seconds, 600_000)));
    expect(paid).toEqual([100, 104, 200, 300, 300].map((amount) => amount * MILLION));
    expect(auctionBonus(scope, at(300))).toBe(0);
    expect(fractionCap(scope, 0, CHAIN)).toBe(MILLION);
  });

  it('sells small accounts as a whole', () => {
    const scope = quote({ equity: 9, maintenance: 10, notional: 999 });
    expect(fractionCap(scope, 0, { ...CHAIN, smallNotional: 1_000 })).toBe(MILLION);
    expect(fractionCap({ ...scope, notional: 1_000 * MILLION }, 0, { ...CHAIN, smallNotional: 1_000 })).toBe(
      181_819,
    );
  });
});

const scopes = fc
  .record({
    maintenance: fc.integer({ min: 1, max: 2 ** 45 }),
    notional: fc.integer({ min: 0, max: 2 ** 47 }),
    below: fc.integer({ min: 1, max: 2 ** 46 }),
    assets: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
  })
  .map(({ maintenance, notional, below, assets }) => ({
    maintenance,
    notional: notional + maintenance,
    equity: maintenance - below,
    assets,
  }));
const seconds = fc.integer({ min: 0, max: 200 });

describe('any auction', () => {
  it('rises with the clock, and never beyond the equity of a solvent account', () => {
    fc.assert(
      fc.property(scopes, seconds, seconds, (scope, a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((time) => auctionBonus(scope, at(time)));
        if (CHAIN.discountStartPpm * scope.notional <= MILLION * scope.maintenance)
          expect(late!).toBeGreaterThanOrEqual(early!);
        expect(late!).toBeLessThanOrEqual(Math.max(0, scope.equity));
      }),
    );
  });

  it('leaves the seller at least (1 + beta) of its margin once f* is sold, and never without equity', () => {
    fc.assert(
      fc.property(scopes, seconds, (scope, time) => {
        fc.pre(scope.equity >= 0);
        const { cap } = auctionTerms({ ...scope, assets: 0 }, at(time), CHAIN);
        const bonus = auctionBonus(scope, at(time));
        const left = scope.equity + priceOf(cap, -bonus);
        expect(left).toBeGreaterThanOrEqual(0);
        const wanted = (1 + CHAIN.liquidationBufferPpm / MILLION) * scope.maintenance * (1 - cap / MILLION);
        // One ppm of the margin and a unit of rounding.
        expect(left).toBeGreaterThanOrEqual(wanted - scope.maintenance / 1e5 - 2);
      }),
    );
  });

  it('is dearer for the buyer than exact fractions, and the parts of a round pay the hole of an insolvent one', () => {
    fc.assert(
      fc.property(
        scopes,
        fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 4 }),
        (scope, parts) => {
          fc.pre(scope.equity < 0);
          const last = MILLION - parts.reduce((sum, part) => sum + part, 0);
          const all = [...parts, last];
          const { base, subsidy } = auctionTerms(scope, at(0), CHAIN);
          const paid = all.reduce((sum, part) => sum + priceOf(part, base), 0);
          expect(paid).toBeGreaterThanOrEqual(scope.assets - scope.equity);
          expect(all.reduce((sum, part) => sum + paidFor(part, subsidy), 0)).toBeLessThanOrEqual(subsidy);
        },
      ),
    );
  });
});

describe('a round', () => {
  const fractions = fc.array(fc.integer({ min: 1, max: MILLION }), { minLength: 1, maxLength: 64 });

  it('is served whole while it asks for no more than is for sale', () => {
    expect(roundedUp([400_000, 200_000], 600_000)).toBe(0n);
    expect(allotted(400_000, { total: 600_000, cap: 600_000, up: 0n }, 0)).toBe(400_000);
  });

  it('goes pro rata, then by the largest remainder, then by id', () => {
    const bids = [3, 3, 3, 1];
    const round = { total: 10, cap: 5, up: roundedUp(bids, 5) };
    // Exact shares 1.5, 1.5, 1.5, 0.5: two of four halves are rounded up, those of the lowest ids.
    expect(bids.map((bid, i) => allotted(bid, round, i))).toEqual([2, 2, 1, 0]);
  });

  it('gives out exactly what is for sale, nobody more than it asked for nor a unit off its share', () => {
    fc.assert(
      fc.property(fractions, fc.integer({ min: 0, max: MILLION }), (bids, cap) => {
        const total = bids.reduce((sum, bid) => sum + bid, 0);
        const up = roundedUp(bids, cap);
        const got = bids.map((bid, i) => allotted(bid, { total, cap, up }, i));
        expect(got.reduce((sum, part) => sum + part, 0)).toBe(Math.min(total, cap));
        got.forEach((part, i) => {
          expect(part).toBeLessThanOrEqual(bids[i]!);
          expect(Math.abs(part - (bids[i]! * Math.min(cap, total)) / total)).toBeLessThan(1);
        });
      }),
    );
  });

  it('splits lots so that the last fraction takes all that is left', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 48 }),
        fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 9 }),
        (lots, parts) => {
          let held = lots;
          let rest = MILLION;
          for (const part of parts) {
            const taken = portion(held, part, rest);
            expect(Math.abs(taken - (lots * part) / MILLION)).toBeLessThan(parts.length + 1);
            held -= taken;
            rest -= part;
          }
          expect(portion(held, rest, rest)).toBe(held);
        },
      ),
    );
  });

  it('ends at a whole number of rounds after the auction began', () => {
    expect([0, 1, 499, 500, 501, 999].map((after) => roundEnd(10_000, 10_000 + after, 500))).toEqual([
      10_500, 10_500, 10_500, 11_000, 11_000, 11_000,
    ]);
  });
});
