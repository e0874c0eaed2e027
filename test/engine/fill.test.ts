/** The arithmetic of a fill against exact fractions, and a long life of fills against conservation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FillOutcome, fillOutcome } from '#engine/risk/fill.ts';
import { cdiv, divDown, divUp, fdiv, median3, mulDivDown } from '#protocol/fixed-point.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`fill properties: SEED=${SEED}`);

/** margin.md section 1, word by word, in bigint. */
function reference(size: bigint, v: bigint, delta: bigint, lotValue: bigint) {
  let realized = 0n;
  const opposite = size !== 0n && size > 0n !== delta > 0n;
  if (opposite) {
    const abs = (x: bigint): bigint => (x < 0n ? -x : x);
    const reducing = BigInt(Math.min(Number(abs(delta)), Number(abs(size))));
    const signed = delta > 0n ? reducing : -reducing;
    const share = fdiv(v * reducing, abs(size));
    realized += share - signed * lotValue;
    v -= share;
    size += signed;
    delta -= signed;
    if (size === 0n) {
      realized += v;
      v = 0n;
    }
  }
  size += delta;
  v -= delta * lotValue;
  return { size, v, realized };
}

const fill = (size: number, v: number, side: 0 | 1, lots: number, lotValue: number) =>
  fillOutcome(new FillOutcome(), { size, v }, { side, lots, lotValue });

describe('a fill', () => {
  it('equals the specification in exact arithmetic, at any size', () => {
    const small = fc.integer({ min: -50, max: 50 });
    const large = fc.integer({ min: -(2 ** 24), max: 2 ** 24 });
    fc.assert(
      fc.property(
        fc.oneof(small, large),
        fc.integer({ min: 1, max: 2 ** 24 }),
        fc.nat(100),
        fc.constantFrom<0 | 1>(0, 1),
        fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2 ** 24 })),
        fc.integer({ min: 1, max: 2 ** 24 }),
        (size, entry, residue, side, lots, lotValue) => {
          const v = size === 0 ? 0 : -size * entry + residue;
          const out = fill(size, v, side, lots, lotValue);
          const expected = reference(
            BigInt(size),
            BigInt(v),
            BigInt(side === 0 ? lots : -lots),
            BigInt(lotValue),
          );
          expect([out.size, out.v, out.realized].map((x) => BigInt(x))).toEqual([
            expected.size,
            expected.v,
            expected.realized,
          ]);
          for (const value of [out.size, out.v, out.realized]) expect(Object.is(value, -0)).toBe(false);
          // What moves is exactly the cost.
          const cost = (side === 0 ? 1 : -1) * lots * lotValue;
          expect(out.v + out.realized).toBe(v - cost);
        },
      ),
      { seed: SEED, numRuns: 5_000 },
    );
  });

  it('by hand: 3 lots for 100 in all, sold one by one at 40', () => {
    let at = { size: 3, v: -100, realized: 0 };
    const realized: number[] = [];
    for (let n = 0; n < 3; n++) {
      at = { ...fill(at.size, at.v, 1, 1, 40) };
      realized.push(at.realized);
    }
    // Costs 34, 33, 33: floor(-100/3) = -34, floor(-66/2) = -33, the rest.
    expect(realized).toEqual([6, 7, 7]);
    expect([at.size, at.v]).toEqual([0, 0]);
  });

  it('a trade through zero is a reduction and an opening', () => {
    expect(fill(2, -200, 1, 5, 110)).toEqual({ size: -3, v: 330, realized: 20 });
    expect(fill(-2, 200, 0, 5, 110)).toEqual({ size: 3, v: -330, realized: -20 });
  });
});

describe('fixed point', () => {
  it('mulDivDown floors also below zero and beyond 2^53', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
        fc.integer({ min: 1, max: 2 ** 48 }),
        fc.integer({ min: 1, max: 2 ** 48 }),
        (a, b, d) => {
          const [lesser, larger] = b < d ? [b, d] : [d, b];
          expect(BigInt(mulDivDown(a, lesser, larger))).toBe(
            fdiv(BigInt(a) * BigInt(lesser), BigInt(larger)),
          );
        },
      ),
      { seed: SEED, numRuns: 5_000 },
    );
    expect([mulDivDown(-1, 1, 3), mulDivDown(-3, 1, 3), mulDivDown(1, 1, 3)]).toEqual([-1, -1, 0]);
  });

  it('divDown, divUp, fdiv and cdiv round as they say', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 40 }), (a, b) => {
        expect(BigInt(divDown(a, b))).toBe(BigInt(a) / BigInt(b));
        expect(BigInt(divUp(a, b))).toBe((BigInt(a) + BigInt(b) - 1n) / BigInt(b));
      }),
      { seed: SEED, numRuns: 5_000 },
    );
    expect([fdiv(-7n, 2n), fdiv(7n, 2n), fdiv(-8n, 2n)]).toEqual([-4n, 3n, -4n]);
    expect([cdiv(-7n, 2n), cdiv(7n, 2n), cdiv(8n, 2n)]).toEqual([-3n, 4n, 4n]);
  });

  it('median3 is the one in the middle', () => {
    fc.assert(
      fc.property(fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)), (three) => {
        expect(median3(...three)).toBe([...three].sort((a, b) => a - b)[1]);
      }),
      { seed: SEED },
    );
  });
});
