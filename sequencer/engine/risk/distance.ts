/**
 * How far prices are from making an account liquidatable, and how likely that is (margin.md section 9): one factor
 * with β = 1, and each market alone. Integers only. For warnings; nothing of the exchange's rules rests on it.
 */
import { COPIED_ACCOUNT, copyAccount, moveMarket } from '#state/account-copy.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { Margin, MarginCalculator } from './margin.ts';

/** Every market together, where one is named. */
export const ALL_MARKETS = 0xffff;
/** No move of prices that is worth naming brings the account there. */
export const DISTANCE_MAX_PPM = 100_000_000;

/** Chance of a breach: less than 1 %, from 1 %, from 5 %, from 20 %. */
export type AlertLevel = 0 | 1 | 2 | 3;
/** Squares, times 1e6, of the quantiles 2.576, 1.960 and 1.282: a breach by reflection has twice the tail's chance. */
const QUANTILES_E6 = [6_635_776n, 3_841_600n, 1_643_524n] as const;
export const HORIZONS_H = [1n, 24n] as const;

export interface RiskDistance {
  /** The market whose prices, alone, are the nearest danger, or ALL_MARKETS. */
  readonly market: number;
  /** Of prices (of their logarithm) until V_M is less than MM; 0 when it is. */
  readonly distancePpm: number;
  /** Variance of an hour that belongs to it, in ppm². */
  readonly variance: bigint;
}

/** The highest level of `distancePpm` for a variance of one hour over `hours`: d² < z² · σ² · h. */
export function alertLevel(distancePpm: number, variance: bigint, hours: bigint): AlertLevel {
  const square = BigInt(distancePpm) ** 2n * 1_000_000n;
  let level: AlertLevel = 0;
  QUANTILES_E6.forEach((quantile, i) => {
    if (square < quantile * variance * hours) level = (i + 1) as AlertLevel;
  });
  return level;
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value);

/**
 * The danger that is nearest in deviations: the least d² / σ² over every market alone and all of them together.
 * `varianceOf` a market: of its mark's return in an hour, ppm². Undefined for an account that prices can't hurt.
 */
export function riskDistance(
  state: ExchangeState,
  account: number,
  varianceOf: (market: number) => bigint,
): RiskDistance | undefined {
  const copy = copyAccount(state, account);
  const margins = new MarginCalculator(copy);
  const margin = new Margin();
  const surplus = (): number => {
    margins.compute(margin, COPIED_ACCOUNT);
    return margin.equityMaintenance - margin.maintenance;
  };
  const room = BigInt(Math.max(0, surplus()));
  let together = 0n;
  let weights = 0n;
  let weighed = 0n;
  const dangers: RiskDistance[] = [];
  for (const id of exposedMarkets(copy)) {
    const market = state.markets[id]!;
    const { mark } = market;
    const step = Math.max(1, Math.floor(mark / 100));
    const [low, high] = [Math.max(1, mark - step), mark + step];
    moveMarket(copy, market, low);
    const below = surplus();
    moveMarket(copy, market, high);
    const above = surplus();
    copy.markets[id] = market;
    // ∂(V − M)/∂ln p by a difference of one percent either way.
    const slope = (BigInt(above - below) * BigInt(mark)) / BigInt(high - low);
    const variance = varianceOf(id);
    together += slope;
    weights += abs(slope);
    weighed += abs(slope) * variance;
    dangers.push(danger(id, room, slope, variance));
  }
  if (weights === 0n) return undefined;
  dangers.push(danger(ALL_MARKETS, room, together, weighed / weights));
  return dangers.reduce((worst, next) => (isNearer(next, worst) ? next : worst));
}

/** Markets in which the account has a position, or that price what it holds or owes. */
function exposedMarkets(copy: ExchangeState): number[] {
  const { accounts, positions } = copy;
  const found = new Set<number>();
  for (let slot = accounts.firstPosition[COPIED_ACCOUNT]!; slot >= 0; slot = positions.next(slot))
    if (positions.size(slot) !== 0) found.add(positions.market(slot));
  for (const { asset } of accounts.assetRows(COPIED_ACCOUNT)) {
    const feed = copy.assets[asset]?.config.feed;
    if (feed !== undefined && copy.markets[feed] !== undefined) found.add(feed);
  }
  return [...found].filter((id) => copy.markets[id]!.mark > 0);
}

function danger(market: number, room: bigint, slope: bigint, variance: bigint): RiskDistance {
  const distance = slope === 0n ? BigInt(DISTANCE_MAX_PPM) : (room * 1_000_000n) / abs(slope);
  return { market, distancePpm: Number(distance < DISTANCE_MAX_PPM ? distance : DISTANCE_MAX_PPM), variance };
}

const isNearer = (one: RiskDistance, other: RiskDistance): boolean =>
  BigInt(one.distancePpm) ** 2n * other.variance < BigInt(other.distancePpm) ** 2n * one.variance;
