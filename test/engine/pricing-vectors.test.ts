/** The vector file that the pricing libraries in Solidity are tested against says what the engine's pricing says now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PRICING_FILE, pricingVectors } from './pricing-vectors.ts';

const vectors = pricingVectors();

test('the file is what is built now', () => {
  expect(JSON.parse(readFileSync(PRICING_FILE, 'utf8'))).toEqual(vectors);
});

test('covers both signs, clamps and missing sides', () => {
  const values = (list: string, column: string): bigint[] => vectors[list]![column]!.map(BigInt);
  for (const [list, column] of [
    ['ema', 'result'],
    ['rate', 'rate'],
    ['premium', 'result'],
  ] as const) {
    expect(values(list, column).some((value) => value < 0n)).toBe(true);
    expect(values(list, column).some((value) => value > 0n)).toBe(true);
  }
  expect(values('premium', 'result')).toContain(4_000_000_000n);
  expect(values('rate', 'rate')).toContain(-40_000_000n);
  expect(values('rateMax', 'most')).toContain(40_000_000n);
  expect(values('mark', 'mark')).toContain(0n);
  expect(values('impact', 'lots')).toContain(0n);
  expect(values('index', 'confidence')).toContain(2n ** 32n - 1n);
});
