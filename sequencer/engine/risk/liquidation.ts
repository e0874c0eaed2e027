/** The arithmetic of liquidations on the book (margin.md section 7, step 2), in bigint where products exceed 2^53. */
import { cdiv, divDown, divUp, fdiv, mulDivDown, mulPpmDown } from '#protocol/fixed-point.ts';
import { MILLION } from '#protocol/limits.ts';

/** SMMR and BA of dYdX's fillable price: v4-chain protocol/x/subaccounts, liquidations. */
const SPREAD_PPM = 1_500_000;
const ADJUSTMENT = 1;
/** Of the position, at first and more with each `sliceIntervalMs`. */
const SLICE_PPM = 200_000;
/** Of the depth, that all liquidations of a market may ask for within a second. */
const FLOW_SHARE = 10;

/** CM = ⌊2 · MM / 3⌋, q: below it the book is left for the auction. */
export const closeOut = (maintenance: number): number => divDown(2 * maintenance, 3);

/** A position that is being liquidated, within its account. */
export interface LiquidatedPosition {
  /** Signed lots, never 0. */
  readonly size: number;
  /** Ticks. */
  readonly mark: number;
  /** q per tick and lot. */
  readonly qm: number;
  /** Maintenance margin of this position alone, q. */
  readonly requirement: number;
  /** V and M of the account, q. */
  readonly equity: number;
  readonly maintenance: number;
}

/** Ticks from the mark against the position, `distance` of them; at least 1. */
const against = ({ size, mark }: LiquidatedPosition, distance: number): number =>
  Math.max(1, size > 0 ? mark - distance : mark + distance);

const unitOf = ({ size, qm, maintenance }: LiquidatedPosition): bigint =>
  BigInt(Math.abs(size)) * BigInt(qm) * BigInt(Math.max(1, maintenance));

const zeroDistance = (position: LiquidatedPosition): number =>
  Number(fdiv(BigInt(position.requirement) * BigInt(position.equity), unitOf(position)));

/** p · SMMR · r · clamp(BA · (1 − V/M), 0, 1), ⌊⌋ ticks. */
function fillableDistance(position: LiquidatedPosition, spreadPpm: number, adjustment: number): number {
  const { equity, maintenance, requirement } = position;
  const lacking = Math.min(Math.max(0, adjustment * (maintenance - equity)), maintenance);
  const scaled = BigInt(spreadPpm) * BigInt(requirement) * BigInt(lacking);
  return Number(fdiv(scaled, BigInt(MILLION) * unitOf(position)));
}

/**
 * z = p · (1 − sgn · r · V / M) with r = requirement / N: a fill at z or better keeps V / M. Ticks, up for longs, down for
 * shorts, at least 1.
 */
export const zeroPrice = (position: LiquidatedPosition): number => against(position, zeroDistance(position));

/** dYdX's fillable price. Ticks, up for longs, down for shorts, at least 1. */
export const fillablePrice = (
  position: LiquidatedPosition,
  spreadPpm = SPREAD_PPM,
  adjustment = ADJUSTMENT,
): number => against(position, fillableDistance(position, spreadPpm, adjustment));

/**
 * Worst price of a slice: of z and the fillable price the one nearer to the mark, and from there in equal parts of time to
 * z within `intervalMs`. Ticks; V ≥ 0.
 */
export function slicePrice(
  position: LiquidatedPosition,
  clock: { readonly elapsedMs: number; readonly intervalMs: number },
): number {
  const zero = zeroDistance(position);
  const start = Math.min(zero, fillableDistance(position, SPREAD_PPM, ADJUSTMENT));
  const elapsed = Math.min(clock.elapsedMs, clock.intervalMs);
  return against(position, start + mulDivDown(zero - start, elapsed, clock.intervalMs));
}

/** Lots of a slice: all of a small position, else a share that grows by the time since the phase began. */
export function sliceLots(
  position: LiquidatedPosition,
  clock: { readonly elapsedMs: number; readonly intervalMs: number },
  /** Whole quote: what is smaller goes at once. */
  sliceNotional: number,
): number {
  const held = Math.abs(position.size);
  if (held * position.mark * position.qm < sliceNotional * MILLION) return held;
  const share = Math.min(MILLION, SLICE_PPM * (1 + divDown(clock.elapsedMs, clock.intervalMs)));
  return Number(cdiv(BigInt(held) * BigInt(share), BigInt(MILLION)));
}

/** Lots that `depth`, whole quote, allows within one second, at least 1. */
export const flowLots = (lotValue: number, depth: number): number =>
  Math.max(1, divDown(divDown(depth * MILLION, FLOW_SHARE), lotValue));

/** How long, ms, the market is taken by `lots`. */
export const flowMs = (lots: number, lotValue: number, depth: number): number =>
  divUp(lots * lotValue, divUp(depth * MILLION, FLOW_SHARE * 1_000));

/** What a fill of a slice comes to: lots, 0 when there is to be none, and the fee to the insurance fund, q. */
export interface SliceFill {
  readonly lots: number;
  readonly fee: number;
}

const NO_FILL: SliceFill = { lots: 0, fee: 0 };

/**
 * Of `offered` lots at `price`, as many as bring V to (1 + β) · M, and none at a price beyond z. The fee, min(rate · quote,
 * improvement over z), down.
 */
export function sliceFill(
  position: LiquidatedPosition,
  fill: { readonly offered: number; readonly price: number },
  rates: { readonly feePpm: number; readonly bufferPpm: number },
): SliceFill {
  const lacking = lackingOf(position, rates.bufferPpm);
  if (lacking <= 0n) return NO_FILL;
  const sign = Math.sign(position.size);
  const better = sign * (fill.price - zeroPrice(position));
  if (better < 0) return NO_FILL;
  const lotValue = fill.price * position.qm;
  const feeOf = (lots: number): number =>
    Math.min(mulPpmDown(lots * lotValue, rates.feePpm), lots * better * position.qm);
  const better6 = BigInt(better * position.qm) * BigInt(MILLION);
  const fee6 = BigInt(lotValue) * BigInt(rates.feePpm);
  const lost6 = BigInt(sign * (position.mark - fill.price) * position.qm) * BigInt(MILLION);
  const loss = lost6 + (fee6 < better6 ? fee6 : better6);
  const lots = Math.min(fill.offered, restoringLots(position, loss, rates.bufferPpm));
  return { lots, fee: feeOf(lots) };
}

/** (1 + β) · M − V, 1e-6 q. */
const lackingOf = ({ equity, maintenance }: LiquidatedPosition, bufferPpm: number): bigint =>
  BigInt(MILLION + bufferPpm) * BigInt(maintenance) - BigInt(MILLION) * BigInt(equity);

/**
 * Fewest lots whose sale at a loss of `loss`, 1e-6 q each, brings V to (1 + β) · M, when the requirement goes down in proportion;
 * all of them when that does not.
 */
export function restoringLots(position: LiquidatedPosition, loss: bigint, bufferPpm: number): number {
  const held = BigInt(Math.abs(position.size));
  const gain = BigInt(MILLION + bufferPpm) * BigInt(position.requirement) - loss * held;
  // A position that no margin is held for brings nothing.
  const wanted = cdiv(lackingOf(position, bufferPpm) * held, gain > 0n ? gain : 1n);
  return Number(wanted < held ? wanted : held);
}
