/**
 * Decimal text ↔ ticks, lots and units of the quote asset: exact, by integers only. Text that is not a whole
 * number of ticks or lots is refused, never rounded.
 */
import { PRICE_MAX, SIZE_MAX } from '#protocol/limits.ts';
import type { MarketConfig } from '#protocol/market.ts';
import { SluiceError } from './errors.ts';

/** Decimals of the quote asset: q = 1e-6. */
export const QUOTE_DECIMALS = 6;
/** tickSizeE9 counts 1e-9 quote. */
const TICK_DECIMALS = 9;

/** A decimal number as digits / 10^scale. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

function parseDecimal(field: string, text: string): Decimal {
  const match = /^([+-]?)(\d{1,40})(?:\.(\d{1,40}))?$/.exec(text.trim().replaceAll('_', ''));
  if (match === null) throw invalidDecimal(field, 'a decimal number such as 12.5', text);
  const fraction = match[3] ?? '';
  const magnitude = BigInt(match[2]! + fraction);
  return { digits: match[1] === '-' ? -magnitude : magnitude, scale: fraction.length };
}

const invalidDecimal = (field: string, expected: string, got: string): SluiceError =>
  new SluiceError('INVALID_DECIMAL', `${field}: expected ${expected}, got ${JSON.stringify(got)}`, {
    details: { field, expected, got },
  });

/** digits / 10^decimals as text without trailing zeros: `formatUnits(1500000, 6)` is `1.5`. */
export function formatUnits(units: number | bigint, decimals: number): string {
  const value = BigInt(units);
  const magnitude = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const whole = magnitude.slice(0, magnitude.length - decimals);
  const fraction = magnitude.slice(magnitude.length - decimals).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Units of an asset with `decimals`; INVALID_DECIMAL when there are more decimals, or it is beyond 2^53. */
export function parseUnits(field: string, text: string, decimals: number): number {
  const { digits, scale } = parseDecimal(field, text);
  const [units, rest] = divide(digits * 10n ** BigInt(decimals), 10n ** BigInt(scale));
  if (rest !== 0n) throw invalidDecimal(field, `at most ${decimals} decimals`, text);
  return safe(field, units, text);
}

/** Money as text → q. */
export const parseQuote = (text: string, field = 'amount'): number => parseUnits(field, text, QUOTE_DECIMALS);
/** q → money as text. */
export const formatQuote = (q: number | bigint): string => formatUnits(q, QUOTE_DECIMALS);

/** Price text → ticks of a market. */
export function parsePrice(market: MarketConfig, text: string, field = 'price'): number {
  requireTick(market);
  const { digits, scale } = parseDecimal(field, text);
  const tick = BigInt(market.tickSizeE9);
  const [ticks, rest] = divide(digits * 10n ** BigInt(TICK_DECIMALS), 10n ** BigInt(scale) * tick);
  if (rest !== 0n)
    throw invalidDecimal(
      field,
      `a multiple of the ${market.symbol} tick ${formatUnits(market.tickSizeE9, TICK_DECIMALS)}`,
      text,
    );
  if (ticks < 1n || ticks > BigInt(PRICE_MAX))
    throw invalidDecimal(field, `from 1 to ${PRICE_MAX} ticks of ${market.symbol}`, text);
  return Number(ticks);
}

/** Ticks → price text; `19201 ticks` where the market has no tick size for display. */
export const formatPrice = (market: MarketConfig, ticks: number): string =>
  market.tickSizeE9 === 0
    ? `${ticks} ticks`
    : formatUnits(BigInt(ticks) * BigInt(market.tickSizeE9), TICK_DECIMALS);

/**
 * Size text → lots of a market. A lot is qm · 1e-6 / tick = qm · 1000 / tickSizeE9 of the base, so
 * lots = size · tickSizeE9 / (1000 · qm).
 */
export function parseSize(market: MarketConfig, text: string, field = 'size'): number {
  requireTick(market);
  const { digits, scale } = parseDecimal(field, text);
  const [lots, rest] = divide(
    digits * BigInt(market.tickSizeE9),
    10n ** BigInt(scale) * 1000n * BigInt(market.qm),
  );
  if (rest !== 0n)
    throw invalidDecimal(field, `a multiple of the ${market.symbol} lot ${formatSize(market, 1)}`, text);
  if (lots < 1n || lots > BigInt(SIZE_MAX))
    throw invalidDecimal(field, `from 1 to ${SIZE_MAX} lots of ${market.symbol}`, text);
  return Number(lots);
}

/** Signed lots → size text; `37 lots` where the size is no finite decimal or the market has no tick size. */
export function formatSize(market: MarketConfig, lots: number): string {
  if (market.tickSizeE9 === 0) return `${lots} lots`;
  let numerator = BigInt(lots) * 1000n * BigInt(market.qm);
  let denominator = BigInt(market.tickSizeE9);
  const common = gcd(numerator < 0n ? -numerator : numerator, denominator);
  numerator /= common;
  denominator /= common;
  let decimals = 0;
  let rest = denominator;
  for (const prime of [2n, 5n]) {
    let power = 0;
    while (rest % prime === 0n) {
      rest /= prime;
      power++;
    }
    decimals = Math.max(decimals, power);
  }
  if (rest !== 1n) return `${lots} lots`;
  return formatUnits((numerator * 10n ** BigInt(decimals)) / denominator, decimals);
}

/** q of `lots` at `price` ticks, exact. */
export const notional = (market: MarketConfig, price: number, lots: number): bigint =>
  BigInt(price) * BigInt(lots) * BigInt(market.qm);

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a === 0n ? 1n : a) : gcd(b, a % b));
const divide = (a: bigint, b: bigint): [bigint, bigint] => [a / b, a % b];

function safe(field: string, units: bigint, text: string): number {
  const value = Number(units);
  if (!Number.isSafeInteger(value)) throw invalidDecimal(field, 'less than 2^53 units', text);
  return value;
}

function requireTick(market: MarketConfig): void {
  if (market.tickSizeE9 === 0)
    throw new SluiceError(
      'INVALID_DECIMAL',
      `market ${market.symbol} has no tick size for decimal text: give prices in ticks and sizes in lots`,
      { details: { market: market.market } },
    );
}
