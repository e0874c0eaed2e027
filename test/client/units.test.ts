/** Decimal text ↔ integers: exact both ways, and refused where it is not whole. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '#client/errors.ts';
import {
  formatPrice,
  formatQuote,
  formatSize,
  formatUnits,
  notional,
  parsePrice,
  parseQuote,
  parseSize,
  parseUnits,
} from '#client/units.ts';
import { PRICE_MAX } from '#protocol/limits.ts';
import { type MarketConfig, NO_MARKET_LIMITS } from '#protocol/market.ts';

const market = (tickSizeE9: number, qm: number): MarketConfig => ({
  market: 1,
  symbol: 'BTC-PERP',
  status: 0,
  qm,
  maxPrice: PRICE_MAX,
  maxPosition: 1,
  maxOpenInterest: 0,
  maxOrderSize: 1,
  minNotional: 0,
  takerFeePpm: 0,
  makerFeePpm: 0,
  bandPpm: 0,
  profitWeightPpm: 0,
  ...NO_MARKET_LIMITS,
  tickSizeE9,
  tiers: [{ lower: 0, initialPpm: 1, maintenancePpm: 1 }],
});
/** Tick 0.1, lot 0.00001: one q per tick and lot. */
const BTC = market(100_000_000, 1);

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof SluiceError ? error.code : String(error);
  }
};

describe('prices and sizes', () => {
  it.each([
    ['64000', 640_000],
    ['64000.1', 640_001],
    ['64000.10', 640_001],
    ['64_000.1', 640_001],
    ['0.1', 1],
    ['429496729.5', PRICE_MAX],
  ])('%s is %d ticks of 0.1', (text, ticks) => {
    expect(parsePrice(BTC, text)).toBe(ticks);
  });

  it.each(['64000.15', '0', '-1', '429496729.6', '', '1e5', '1,000', '.5', '5.', 'NaN', '0x10', '１'])(
    '%j is no price',
    (text) => {
      expect(codeOf(() => parsePrice(BTC, text))).toBe('INVALID_DECIMAL');
    },
  );

  it('says what a tick is', () => {
    expect(() => parsePrice(BTC, '64000.15')).toThrow(
      'price: expected a multiple of the BTC-PERP tick 0.1, got "64000.15"',
    );
    expect(() => parseSize(BTC, '0.000001')).toThrow(
      'size: expected a multiple of the BTC-PERP lot 0.00001, got "0.000001"',
    );
  });

  it.each([
    ['1', 100_000],
    ['0.01', 1_000],
    ['0.00001', 1],
    ['123.45678', 12_345_678],
  ])('%s is %d lots of 0.00001', (text, lots) => {
    expect(parseSize(BTC, text)).toBe(lots);
    expect(formatSize(BTC, lots)).toBe(text);
  });

  it('come back as they were, for any tick and lot', () => {
    const config = fc
      .tuple(fc.integer({ min: 1, max: 10 ** 12 }), fc.integer({ min: 1, max: 10 ** 9 }))
      .map(([tick, qm]) => market(tick, qm));
    fc.assert(
      fc.property(
        config,
        fc.integer({ min: 1, max: PRICE_MAX }),
        fc.integer({ min: 1, max: 2 ** 47 }),
        (m, ticks, lots) => {
          expect(parsePrice(m, formatPrice(m, ticks))).toBe(ticks);
          const size = formatSize(m, lots);
          if (!size.endsWith(' lots')) expect(parseSize(m, size)).toBe(lots);
        },
      ),
    );
  });

  it('price × size is the notional to the last q', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 ** 7 }),
        fc.integer({ min: 1, max: 10 ** 7 }),
        (ticks, lots) => {
          // Decimal text multiplied as integers: 0.1 · 0.00001 = 1e-6.
          const price = BigInt(formatPrice(BTC, ticks * 10));
          const size = BigInt(formatSize(BTC, lots * 100_000));
          expect(notional(BTC, ticks * 10, lots * 100_000)).toBe(price * size * 1_000_000n);
        },
      ),
    );
  });

  it('falls back to ticks and lots where there is no decimal', () => {
    expect(formatPrice(market(0, 1), 19_201)).toBe('19201 ticks');
    expect(formatSize(market(0, 1), 7)).toBe('7 lots');
    // Tick 0.3: a lot is a third of something.
    expect(formatSize(market(300_000_000, 1), 1)).toBe('1 lots');
    expect(formatSize(market(300_000_000, 1), 3)).toBe('0.00001');
    expect(codeOf(() => parsePrice(market(0, 1), '5'))).toBe('INVALID_DECIMAL');
  });
});

describe('money', () => {
  it.each([
    [1_500_000, '1.5'],
    [-1, '-0.000001'],
    [0, '0'],
    [2_000_000, '2'],
    [Number.MAX_SAFE_INTEGER, '9007199254.740991'],
  ])('%d q is %s', (q, text) => {
    expect(formatQuote(q)).toBe(text);
    expect(parseQuote(text)).toBe(q);
  });

  it.each(['0.0000001', '9007199254.740992', 'ten'])('%j is refused', (text) => {
    expect(codeOf(() => parseQuote(text))).toBe('INVALID_DECIMAL');
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat({ max: 18 }), (units, decimals) => {
        expect(parseUnits('x', formatUnits(units, decimals), decimals)).toBe(units === 0 ? 0 : units);
      }),
    );
  });
});
