/**
 * The arithmetic of auctions (margin.md section 7, step 3): what a fraction of an account under liquidation costs, how
 * much of it is for sale, who gets how much of a round. Fractions in ppm of the whole account.
 *
 * Positions change hands at the mark, so they carry no value of their own: what a bidder gains is the bonus, what it pays
 * is the worth of the assets that come with them. Equity of the liquidated account goes from V to V − f · b.
 */
import { cdiv, divDown, divUp, fdiv, mulDivDown } from '#protocol/fixed-point.ts';
import { MILLION } from '#protocol/limits.ts';

const MILLION_N = BigInt(MILLION);

/** The account for sale, as of the round's end; q. */
export interface AuctionScope {
  /** V. */
  readonly equity: number;
  /** M. */
  readonly maintenance: number;
  /** ΣN. */
  readonly notional: number;
  /** Of V what is neither cash nor positions: assets less debts. */
  readonly assets: number;
}

/** Time since the auction began, and its parameters of the chain. */
export interface AuctionClock {
  readonly elapsed: number;
  readonly auctionMs: number;
  readonly discountStartPpm: number;
}

/** What a round is settled by. */
export interface AuctionTerms {
  /** q that the whole account would cost its buyer; negative: what the buyer would be given. */
  readonly base: number;
  /** q that the insurance fund would pay the buyer of the whole. */
  readonly subsidy: number;
  /** Largest fraction for sale, ppm. */
  readonly cap: number;
}

/** b(t) = min(⌊π(t) · N⌋, max(V, 0)): π rises in a straight line from its start to M / N. */
export function auctionBonus(scope: AuctionScope, clock: AuctionClock): number {
  if (scope.equity <= 0) return 0;
  const duration = BigInt(clock.auctionMs);
  const t = BigInt(Math.min(clock.elapsed, clock.auctionMs));
  const scaled =
    BigInt(clock.discountStartPpm) * BigInt(scope.notional) * (duration - t) +
    MILLION_N * BigInt(scope.maintenance) * t;
  return Math.min(Number(fdiv(scaled, MILLION_N * duration)), scope.equity);
}

/** While V < 0 the fund pays from −V up to M − V: the hole, and ⌊M · t / T⌋ for who takes it on. 0 while V ≥ 0. */
export function auctionSubsidy(scope: AuctionScope, clock: AuctionClock): number {
  if (scope.equity >= 0) return 0;
  const t = Math.min(clock.elapsed, clock.auctionMs);
  return mulDivDown(scope.maintenance, t, clock.auctionMs) - scope.equity;
}

/**
 * f* = ⌈((1 + β) M − V) / ((1 + β) M − b)⌉ in ppm, within 0 … 1e6: after it V − f·b = (1 + β)(1 − f) M. All of it while
 * ΣN is below `smallNotional` (whole quote), so that no dust is left.
 */
export function fractionCap(
  scope: AuctionScope,
  bonus: number,
  chain: { readonly liquidationBufferPpm: number; readonly smallNotional: number },
): number {
  if (scope.notional < chain.smallNotional * MILLION) return MILLION;
  const wanted = BigInt(MILLION + chain.liquidationBufferPpm) * BigInt(scope.maintenance);
  const missing = wanted - MILLION_N * BigInt(scope.equity);
  const gained = wanted - MILLION_N * BigInt(bonus);
  if (missing <= 0n) return 0;
  if (missing >= gained) return MILLION;
  return Number(cdiv(missing * MILLION_N, gained));
}

export function auctionTerms(
  scope: AuctionScope,
  clock: AuctionClock,
  chain: { readonly liquidationBufferPpm: number; readonly smallNotional: number },
): AuctionTerms {
  const bonus = auctionBonus(scope, clock);
  return {
    base: scope.assets - (scope.equity < 0 ? scope.equity : bonus),
    subsidy: auctionSubsidy(scope, clock),
    cap: fractionCap(scope, bonus, chain),
  };
}

/** ⌈f · amount⌉ q: what the buyer of a fraction pays; negative where it is paid. */
export const priceOf = (fractionPpm: number, amount: number): number =>
  Number(cdiv(BigInt(fractionPpm) * BigInt(amount), MILLION_N)) + 0;

/** ⌊f · amount⌋ q: what the fund pays for a fraction. */
export const paidFor = (fractionPpm: number, amount: number): number =>
  mulDivDown(amount, fractionPpm, MILLION);

/**
 * Who among the bids of a round (by ascending bidder) is rounded up: bit i is set for the i-th. A round that asks for more
 * than `cap` is served pro rata, rounded down, and what that leaves goes by one ppm to the largest remainders, among
 * equals to the lowest bidder. At most 64 bids of 1 … 1e6.
 */
export function roundedUp(fractions: readonly number[], cap: number): bigint {
  const total = fractions.reduce((sum, fraction) => sum + fraction, 0);
  if (total <= cap) return 0n;
  const remainders = fractions.map((fraction) => (fraction * cap) % total);
  const left = cap - fractions.reduce((sum, fraction) => sum + divDown(fraction * cap, total), 0);
  let mask = 0n;
  remainders.forEach((remainder, i) => {
    const before = remainders.filter((other, j) => other > remainder || (other === remainder && j < i));
    if (before.length < left) mask |= 1n << BigInt(i);
  });
  return mask;
}

/** Fraction that the i-th bid of a round gets, ppm. */
export function allotted(
  fraction: number,
  round: { readonly total: number; readonly cap: number; readonly up: bigint },
  i: number,
): number {
  if (round.total <= round.cap) return fraction;
  return divDown(fraction * round.cap, round.total) + Number((round.up >> BigInt(i)) & 1n);
}

/**
 * Of `held` (lots, units, shares) what goes with `fraction` when `rest` of the account is still there: rounded down, and all
 * of it with the last fraction, so that nothing is lost however many share.
 */
export const portion = (held: number, fraction: number, rest: number): number =>
  mulDivDown(held, fraction, rest);

/** End of the round in which a bid at `now` takes part. */
export const roundEnd = (began: number, now: number, roundMs: number): number =>
  began + divUp(now - began + 1, roundMs) * roundMs;
