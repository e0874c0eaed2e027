/** The arithmetic of liquidations on the book: published vectors, and what must hold of any position. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  closeOut,
  fillablePrice,
  flowLots,
  flowMs,
  type LiquidatedPosition,
  restoringLots,
  sliceFill,
  sliceLots,
  slicePrice,
  zeroPrice,
} from '#engine/risk/liquidation.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_122);
console.log(`liquidation arithmetic: SEED=${SEED}`);

/** Ticks of 1, lots of 1e-6: qm 1, so a lot at 100,000 is 100,000 q. */
const BTC = 1_000_000;
const position = (change: Partial<LiquidatedPosition>): LiquidatedPosition => ({
  size: BTC,
  mark: 100_000,
  qm: 1,
  requirement: 1_200_000_000,
  equity: 0,
  maintenance: 1_200_000_000,
  ...change,
});

describe('vectors', () => {
  it('vector 10: .1 BTC long at 50,000 with -4,501: fillable at 49,999, with BA 2 at 49,998', () => {
    const long = position({
      size: BTC / 10,
      mark: 50_000,
      requirement: 500_000_000,
      equity: 499_000_000,
      maintenance: 500_000_000,
    });
    expect(fillablePrice(long, 100_000, 1)).toBe(49_999);
    expect(fillablePrice(long, 100_000, 2)).toBe(49_998);
    expect(fillablePrice({ ...long, size: -BTC / 10 }, 100_000, 2)).toBe(50_002);
  });

  it('vector 17: 1 BTC at 100,000, 1.2 %: z for AV of 1,000, 500, 0 and -300; shorts mirrored', () => {
    const equities = [1_000, 500, 0, -300].map((whole) => whole * 1_000_000);
    const z = (size: number) => equities.map((equity) => zeroPrice(position({ size, equity })));
    expect(z(BTC)).toEqual([99_000, 99_500, 100_000, 100_300]);
    expect(z(-BTC)).toEqual([101_000, 100_500, 100_000, 99_700]);
  });

  it('vector 18: +1 BTC at 100,000, -20 ETH at 4,000, AV 1,500: z 99,166.7 and 4,033.33, after both .10 is left', () => {
    const equity = 1_500_000_000;
    const maintenance = 1_200_000_000 + 960_000_000;
    // Ticks of .1 and .01, lots of 1e-5.
    const btc = zeroPrice({
      size: 100_000,
      mark: 1_000_000,
      qm: 1,
      requirement: 1_200_000_000,
      equity,
      maintenance,
    });
    expect(btc).toBe(991_667);
    const eth = zeroPrice({
      ...{ size: -20 * 10_000, mark: 400_000, qm: 1, requirement: 960_000_000 },
      ...{ equity, maintenance },
    });
    expect(eth).toBe(403_333);
    expect(equity - 100_000 * (1_000_000 - btc) - 200_000 * (eth - 400_000)).toBe(100_000);
  });

  it('vector 19: shortage 10 at 100 and 10 %: 1.0, 1.1111…, 1.25 base at losses of 0, 1 and 2 %', () => {
    // Lots of 1e-9 at 100,000 q each would be too fine: 1e-6 base, price 100, qm 1.
    const long = position({
      size: 10_000_000,
      mark: 100,
      requirement: 100_000_000,
      equity: 90_000_000,
      maintenance: 100_000_000,
    });
    expect([0n, 1n, 2n].map((loss) => restoringLots(long, loss * 1_000_000n, 0))).toEqual([
      1_000_000, 1_111_112, 1_250_000,
    ]);
  });
});

describe('a slice', () => {
  const long = position({ equity: 1_000_000_000 });

  it('begins at the fillable price and comes to the zero price within the interval', () => {
    const at = (elapsedMs: number) => slicePrice(long, { elapsedMs, intervalMs: 10_000 });
    expect(at(0)).toBe(fillablePrice(long));
    expect(at(0)).toBe(99_700);
    expect(at(5_000)).toBe(99_350);
    expect([10_000, 90_000].map(at)).toEqual([99_000, 99_000]);
    expect(zeroPrice(long)).toBe(99_000);
  });

  it('never begins behind the zero price', () => {
    const poor = position({ equity: 500_000_000 });
    expect(slicePrice(poor, { elapsedMs: 0, intervalMs: 10_000 })).toBe(zeroPrice(poor));
  });

  it('is all of a small position, else a fifth, and a fifth more with each interval', () => {
    const lots = (elapsedMs: number, notional = 100_000) =>
      sliceLots(long, { elapsedMs, intervalMs: 10_000 }, notional);
    expect([0, 9_999, 10_000, 25_000, 45_000, 1e6].map((ms) => lots(ms))).toEqual([
      200_000, 200_000, 400_000, 600_000, 1_000_000, 1_000_000,
    ]);
    expect(lots(0, 100_001)).toBe(1_000_000);
  });

  it('takes no more than a tenth of the depth a second', () => {
    // 1,000,000 quote deep: 100,000 quote a second, 1 BTC.
    expect(flowLots(100_000, 1_000_000)).toBe(1_000_000);
    expect(flowMs(500_000, 100_000, 1_000_000)).toBe(500);
    expect([flowLots(100_000, 0), flowMs(1, 100_000, 1)]).toEqual([1, 1_000]);
  });

  it('charges 1 % of the quote, or what it fetched above the zero price when that is less', () => {
    const rates = { feePpm: 10_000, bufferPpm: 100_000 };
    const at = (price: number) => sliceFill(long, { offered: 10, price }, rates);
    expect(at(100_000)).toEqual({ lots: 10, fee: 10_000 });
    expect(at(99_001)).toEqual({ lots: 10, fee: 10 });
    expect(at(99_000)).toEqual({ lots: 10, fee: 0 });
    expect(at(98_999)).toEqual({ lots: 0, fee: 0 });
    expect(sliceFill({ ...long, equity: 1_320_000_000 }, { offered: 10, price: 100_000 }, rates).lots).toBe(
      0,
    );
  });
});

const positions = fc
  .record({
    held: fc.integer({ min: 1, max: 1_000_000 }),
    isLong: fc.boolean(),
    mark: fc.integer({ min: 100, max: 1_000_000 }),
    qm: fc.constantFrom(1, 10, 250),
    ratePpm: fc.integer({ min: 1_000, max: 200_000 }),
    otherMaintenance: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1e12 })),
    ratio: fc.integer({ min: 666_667, max: 1_099_999 }),
  })
  .map(({ held, isLong, mark, qm, ratePpm, otherMaintenance, ratio }) => {
    const notional = held * mark * qm;
    const requirement = Math.ceil((notional * ratePpm) / 1e6);
    const maintenance = requirement + otherMaintenance;
    const equity = Math.floor((maintenance * ratio) / 1e6);
    return { ratePpm, at: { size: isLong ? held : -held, mark, qm, requirement, equity, maintenance } };
  });

describe('any fill of a slice', () => {
  const rates = { feePpm: 10_000, bufferPpm: 100_000 };

  it('keeps V / M, fee included, and restores no more than the buffer and a lot', () => {
    fc.assert(
      fc.property(
        positions,
        fc.nat(),
        fc.integer({ min: -40, max: 40 }),
        ({ ratePpm, at }, offer, percent) => {
          const offered = 1 + (offer % Math.abs(at.size));
          const price = Math.max(1, Math.round(at.mark * (1 + percent / 1_000)));
          const { lots, fee } = sliceFill(at, { offered, price }, rates);
          if (lots === 0) return;
          const sign = Math.sign(at.size);
          const equity = at.equity + sign * (price - at.mark) * at.qm * lots - fee;
          const rest = (Math.abs(at.size) - lots) * at.mark * at.qm;
          const others = at.maintenance - at.requirement;
          const maintenance = others + Math.ceil((rest * ratePpm) / 1e6);
          // Few units: the requirement rounds up.
          expect(BigInt(equity + 2) * BigInt(at.maintenance)).toBeGreaterThanOrEqual(
            BigInt(at.equity) * BigInt(maintenance),
          );
          if (lots === 1) return;
          const less = sliceFill(at, { offered: lots - 1, price }, rates);
          const before = at.equity + sign * (price - at.mark) * at.qm * less.lots - less.fee;
          const heldBefore = others + Math.ceil(((rest + at.mark * at.qm) * ratePpm) / 1e6);
          // Fees of single lots round down.
          expect(before).toBeLessThan(1.1 * heldBefore + 2 + lots);
        },
      ),
      { seed: SEED, numRuns: 3_000 },
    );
  });
});

it('close-out margin is two thirds, down', () => {
  expect([0, 1, 2, 3, 1_188_000].map(closeOut)).toEqual([0, 0, 1, 2, 792_000]);
});
