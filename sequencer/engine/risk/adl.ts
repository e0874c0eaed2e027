/**
 * The arithmetic of auto-deleveraging (margin.md section 7, step 5): at which quote a bankrupt position is closed, who is
 * asked to take part, and for how much. Products go far beyond 2^53, so they are bigint.
 */
import { cdiv, fdiv } from '#protocol/fixed-point.ts';
import { MILLION } from '#protocol/limits.ts';

/** A position that is to be closed, as it stood when the round began. */
export interface BankruptPosition {
  /** Signed lots, never 0. */
  readonly size: number;
  /** q a lot at the mark. */
  readonly lotValue: number;
  /** Maintenance margin of this position alone, q. */
  readonly positionMaintenance: number;
  /** M and V of its account, q; M > 0. */
  readonly maintenance: number;
  readonly equity: number;
}

/**
 * Z(q): what closing the first `lots` of the position is worth, q, so that closing all of the account at it leaves V = 0. It is
 * q·p·qm·(M − sgn·r·V) / M with r = positionMaintenance / N, as one fraction; for the bankrupt: up for longs, which are paid
 * it, down for shorts, which pay it. Of the account's only position all is worth exactly N − sgn · V: the residual quote.
 */
export function zeroQuote(position: BankruptPosition, lots: number): number {
  const held = BigInt(Math.abs(position.size));
  const maintenance = BigInt(position.maintenance);
  const change = BigInt(position.positionMaintenance) * BigInt(position.equity);
  const whole = held * BigInt(position.lotValue) * maintenance;
  const isLong = position.size > 0;
  const scaled = BigInt(lots) * (isLong ? whole - change : whole + change);
  const unit = held * maintenance;
  return Number(isLong ? cdiv(scaled, unit) : fdiv(scaled, unit)) + 0;
}

/** An account with a position in the market, on whichever side. */
export interface Holder {
  readonly size: number;
  readonly v: number;
  /** V and M of its account, q. */
  readonly equity: number;
  readonly maintenance: number;
}

/** Whether the holder is asked: the other side, no loss at Z, E > 0, V > 0 and M > 0. */
export function isCandidate(position: BankruptPosition, holder: Holder): boolean {
  if (holder.size === 0 || holder.size > 0 === position.size > 0) return false;
  if (holder.v === 0 || holder.equity <= 0 || holder.maintenance <= 0) return false;
  const held = Math.abs(position.size);
  const quote = BigInt(zeroQuote(position, held));
  return BigInt(holder.v) * BigInt(held) + BigInt(holder.size) * quote >= 0n;
}

/** (U / E) · (M / V) as a fraction: unrealized profit over entry notional, times how much of the account's equity is used. */
export interface Score {
  readonly numerator: bigint;
  /** > 0. */
  readonly denominator: bigint;
}

export function scoreOf(holder: Holder, lotValue: number): Score {
  const profit = BigInt(holder.size) * BigInt(lotValue) + BigInt(holder.v);
  return {
    numerator: profit * BigInt(holder.maintenance),
    denominator: BigInt(Math.abs(holder.v)) * BigInt(holder.equity),
  };
}

/** Positive when `a` ranks before `b`. */
export function compareScores(a: Score, b: Score): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

/** Lowest score of each band but the last, ppm: band 0 is taken from first. */
const BAND_FROM_PPM = [1_000_000n, 100_000n, 10_000n, 1_000n];
export const BANDS = BAND_FROM_PPM.length + 1;

export function bandOf(score: Score): number {
  const scaled = score.numerator * BigInt(MILLION);
  let band = 0;
  while (band < BAND_FROM_PPM.length && scaled < BAND_FROM_PPM[band]! * score.denominator) band++;
  return band;
}

/** How many lots each band gives, from the first on, until `lots` are found. */
export function takenByBand(sums: readonly number[], lots: number): number[] {
  let left = lots;
  return sums.map((sum) => {
    const taken = Math.min(sum, left);
    left -= taken;
    return taken;
  });
}

/**
 * Of `total` that a band of `sum` gives together, what falls on the next `part` behind `before`: total · C / sum to the nearest
 * (halves up) at its end less that at its start. Parts of a whole band add up to `total`, and none gives more than it has.
 */
export function shareOf(total: number, sum: number, before: number, part: number): number {
  return nearest(total, before + part, sum) - nearest(total, before, sum);
}

function nearest(total: number, count: number, sum: number): number {
  const whole = BigInt(sum);
  return Number((2n * BigInt(total) * BigInt(count) + whole) / (2n * whole));
}

/** A position after `lots` of it (at most what it holds) were closed for `quote` q in all. */
export function closeLots(
  position: { readonly size: number; readonly v: number },
  lots: number,
  quote: number,
): { size: number; v: number; realized: number } {
  const held = Math.abs(position.size);
  const sign = Math.sign(position.size);
  const share = Number(fdiv(BigInt(position.v) * BigInt(lots), BigInt(held)));
  // Long: it is paid the quote; short: it pays it. What is left of v goes with the last lot.
  const v = position.v - share;
  const isClosed = lots === held;
  return {
    size: position.size - sign * lots + 0,
    v: isClosed ? 0 : v + 0,
    realized: share + sign * quote + (isClosed ? v : 0) + 0,
  };
}
