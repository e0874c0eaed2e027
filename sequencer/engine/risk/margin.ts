/**
 * Margin of an account (margin.md sections 2 and 3): cross margin with the quote asset as collateral.
 * Requirements round up, what counts for the account rounds down. All sums stay below 2^53.
 */
import { clamp, divUp, fdiv, mulPpmDown, mulPpmUp } from '#protocol/fixed-point.ts';
import { FUNDING_PAYMENT_MAX, MILLION, NOTIONAL_MAX } from '#protocol/limits.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { MarketState, TierRow } from '#state/market-state.ts';
import { mayLiquidate, mayMargin } from '../pricing/validity.ts';

/** Everything in q. `reset` by the functions that fill it. */
export class Margin {
  /** V_I: cash and positions, profit counted at the market's profit weight. */
  equityInitial = 0;
  /** V_M: the same with profit in full. */
  equityMaintenance = 0;
  /** IM: with open orders and their loss against the mark. */
  initial = 0;
  /** MM: of positions alone. */
  maintenance = 0;
  /** Σ of the positions' notional at the mark. */
  notional = 0;
  /** Some market of the account has no price that money may leave at (pricing/validity.ts). */
  stale = false;
  /** Some market of the account has no price that it may be liquidated at. */
  frozen = false;

  reset(cash: number): void {
    this.equityInitial = cash;
    this.equityMaintenance = cash;
    this.initial = 0;
    this.maintenance = 0;
    this.notional = 0;
    this.stale = false;
    this.frozen = false;
  }
}

const tierOf = (tiers: readonly TierRow[], notional: number): TierRow => {
  let tier = tiers[0]!;
  for (let i = 1; i < tiers.length && tiers[i]!.lower <= notional; i++) tier = tiers[i]!;
  return tier;
};

/** ⌈(N · r_k − d_k) / 1e6⌉ for the tier of N, in q. */
export function initialRequirement(tiers: readonly TierRow[], notional: number): number {
  const tier = tierOf(tiers, notional);
  return mulPpmUp(notional, tier.initialPpm) - tier.initialDeduction;
}

export function maintenanceRequirement(tiers: readonly TierRow[], notional: number): number {
  const tier = tierOf(tiers, notional);
  return mulPpmUp(notional, tier.maintenancePpm) - tier.maintenanceDeduction;
}

/** A position with its open-order totals: what one market adds to an account's margin. */
export class Exposure {
  size = 0;
  v = 0;
  bidLots = 0;
  askLots = 0;
  bidQuote = 0;
  askQuote = 0;
  /** Funding owed to (+) or by (−) the position since its last settlement, q. */
  funding = 0;
  /** The account's own floor of the initial rate; 0 none. */
  leveragePpm = 0;

  clear(): this {
    this.size = 0;
    this.v = 0;
    this.bidLots = 0;
    this.askLots = 0;
    this.bidQuote = 0;
    this.askQuote = 0;
    this.funding = 0;
    this.leveragePpm = 0;
    return this;
  }

  load(state: ExchangeState, slot: number): this {
    if (slot < 0) return this.clear();
    const { positions } = state;
    this.size = positions.size(slot);
    this.v = positions.v(slot);
    this.bidLots = positions.bidLots(slot);
    this.askLots = positions.askLots(slot);
    this.bidQuote = positions.bidQuote(slot);
    this.askQuote = positions.askQuote(slot);
    this.funding = unsettledFunding(state, slot);
    this.leveragePpm = positions.leveragePpm(slot);
    return this;
  }
}

const PAYMENT_MAX = BigInt(FUNDING_PAYMENT_MAX);

/** ⌊−s · (I − I_last) / 1e9⌋ q, within ±FUNDING_PAYMENT_MAX; positive is received. */
export function unsettledFunding(state: ExchangeState, slot: number): number {
  const { positions } = state;
  const size = positions.size(slot);
  const market = state.markets[positions.market(slot)]!;
  if (size === 0 || positions.fundingTick(slot) === market.fundingTick) return 0;
  const owed = fdiv(-BigInt(size) * (market.fundingIndex - positions.fundingIndex[slot]!), 1_000_000_000n);
  return Number(clamp(owed, -PAYMENT_MAX, PAYMENT_MAX));
}

/**
 * Loss against the mark if all bids or all asks fill, whichever is worse, and not less than 0 (margin.md
 * section 3: computed from totals, so that a proof needs the account leaf alone).
 */
export function openLoss(exposure: Exposure, lotValue: number): number {
  return Math.max(
    0,
    exposure.bidQuote - lotValue * exposure.bidLots,
    lotValue * exposure.askLots - exposure.askQuote,
  );
}

/** The concentration add-on at its most: initial margin is up to three times what its rate asks. */
export const CONCENTRATION_MAX_PPM = 2 * MILLION;
/** Beyond this even the least factor reaches the most; `mulPpmUp` is exact below it for factors up to ten. */
const BEYOND_DEPTH_MAX = CONCENTRATION_MAX_PPM * MILLION;

/**
 * What initial margin rises by, in ppm: ⌈(⌈N / depth⌉ − 1) · k⌉, 0 … CONCENTRATION_MAX_PPM, for notional beyond what
 * the book holds within 2 % of the mark. 0 while the market has no factor or no depth is known.
 */
export function concentrationPpm(market: MarketState, notional: number): number {
  const { depth } = market;
  const factor = market.config.concentrationPpm;
  if (factor === 0 || depth === 0) return 0;
  // q over whole quote is a ratio in ppm.
  const beyond = divUp(notional, depth) - MILLION;
  if (beyond <= 0) return 0;
  return Math.min(CONCENTRATION_MAX_PPM, mulPpmUp(Math.min(beyond, BEYOND_DEPTH_MAX), factor));
}

/**
 * Initial margin of `notional` q in a market: the highest of its tier, of what open interest asks for and of the
 * account's own floor, raised by concentration (margin.md section 3); each rounded up.
 *
 * The raised requirement stays within NOTIONAL_MAX, or within what it was if that is more. So it is never below what the
 * rates ask, which is at most N, and the sum over a full account has the bound it has without the add-on: no factor of
 * three in the proof of limits.ts. Only a position whose raised requirement passes 281 million of quote meets the bound.
 */
export function positionRequirement(market: MarketState, notional: number, leveragePpm: number): number {
  let required = initialRequirement(market.tiers, notional);
  const floorPpm = Math.max(market.openInterestPpm, leveragePpm);
  if (floorPpm > 0) required = Math.max(required, mulPpmUp(notional, floorPpm));
  const raise = concentrationPpm(market, notional);
  if (raise === 0) return required;
  return Math.min(required + mulPpmUp(required, raise), Math.max(required, NOTIONAL_MAX));
}

/** ⌊profit · weight⌋, within the market's cap: profit that counts for initial margin. */
export function countedProfit(market: MarketState, profit: number): number {
  const { profitWeightPpm, profitCap } = market.config;
  const counted = mulPpmDown(profit, profitWeightPpm);
  return profitCap > 0 ? Math.min(counted, profitCap * MILLION) : counted;
}

/** Adds one market's exposure to `out`. */
export function addExposure(out: Margin, market: MarketState, exposure: Exposure): void {
  const lotValue = market.lotValue(market.mark);
  const profit = exposure.size * lotValue + exposure.v;
  out.equityMaintenance += profit + exposure.funding;
  out.equityInitial += (profit > 0 ? countedProfit(market, profit) : profit) + exposure.funding;
  const notional = Math.abs(exposure.size) * lotValue;
  out.notional += notional;
  out.maintenance += maintenanceRequirement(market.tiers, notional);
  const worst = Math.max(
    Math.abs(exposure.size + exposure.bidLots),
    Math.abs(exposure.size - exposure.askLots),
  );
  out.initial +=
    positionRequirement(market, worst * lotValue, exposure.leveragePpm) + openLoss(exposure, lotValue);
}

/** Computes margins with its own scratch records, so that the hot path allocates nothing. */
export class MarginCalculator {
  private readonly state: ExchangeState;
  private readonly exposure = new Exposure();

  constructor(state: ExchangeState) {
    this.state = state;
  }

  /** The account as it stands; `exceptMarket` (-1: none) is left out, for a caller that adds its own version. */
  compute(out: Margin, account: number, exceptMarket = -1): Margin {
    const { state } = this;
    const { positions } = state;
    out.reset(state.accounts.cash[account]!);
    for (let slot = state.accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot)) {
      const id = positions.market(slot);
      const market = state.markets[id]!;
      if (!mayMargin(state, market)) {
        out.stale = true;
        if (!mayLiquidate(state, market)) out.frozen = true;
      }
      if (id !== exceptMarket) addExposure(out, market, this.exposure.load(state, slot));
    }
    return out;
  }
}

/** V'·M ≥ V·M': a fill that reduces a position must not lower equity over maintenance margin. */
export function keepsRatio(before: Margin, after: Margin): boolean {
  return (
    BigInt(after.equityMaintenance) * BigInt(before.maintenance) >=
    BigInt(before.equityMaintenance) * BigInt(after.maintenance)
  );
}
