/** One market: its configuration, its book, and the sums that funding, mark price and fees live on. */
import { BILLION, MILLION, PUBLISHERS_MAX } from '#protocol/limits.ts';
import { MARKET_HALTED, type MarketConfig, type MarketStatus } from '#protocol/market.ts';
import { BUY, SELL } from '#protocol/units.ts';
import { BookSide, type Levels } from './book-side.ts';
import type { Orders } from './orders.ts';

/** A margin tier with its constants ready: requirement = mulPpmUp(N, rate) - deduction. */
export interface TierRow {
  /** q. */
  readonly lower: number;
  readonly initialPpm: number;
  readonly initialDeduction: number;
  readonly maintenancePpm: number;
  readonly maintenanceDeduction: number;
}

/** d_k = d_{k-1} + lower_k · (r_k - r_{k-1}), whole q because lower_k is whole quote (margin.md section 3). */
export function tierRows(config: MarketConfig): TierRow[] {
  const rows: TierRow[] = [];
  let initialDeduction = 0;
  let maintenanceDeduction = 0;
  config.tiers.forEach((tier, i) => {
    const previous = config.tiers[i - 1];
    if (previous !== undefined) {
      initialDeduction += tier.lower * (tier.initialPpm - previous.initialPpm);
      maintenanceDeduction += tier.lower * (tier.maintenancePpm - previous.maintenancePpm);
    }
    rows.push({
      lower: tier.lower * MILLION,
      initialPpm: tier.initialPpm,
      initialDeduction,
      maintenancePpm: tier.maintenancePpm,
      maintenanceDeduction,
    });
  });
  return rows;
}

export class MarketState {
  config: MarketConfig;
  tiers: TierRow[];
  /** Set when the index leaves the bounds; cleared by the next configuration under which it is inside. */
  halted = false;
  readonly bids: BookSide;
  readonly asks: BookSide;

  /** Lots. */
  openInterest = 0;
  /** q collected, net of rebates. */
  fees = 0;
  /** q; what funding payments have left here, never below zero once all have settled. */
  fundingBalance = 0;

  /** 1e-9 q per lot, cumulative. */
  fundingIndex = 0n;
  /** Funding ticks applied so far. */
  fundingTick = 0;
  /** Σ of premium samples since the last funding tick, ppb, and their number. */
  premiumSum = 0;
  premiumCount = 0;

  /** Ticks; 0 while there was none. */
  index = 0;
  indexTime = 0;
  confidence = 0;
  mark = 0;
  /** Average of the index over `twapTauMs`, ticks, down; 0 while there was none. */
  twap = 0;
  /** The same in 1e-6 ticks. */
  twapFine = 0;
  /** What the last round said when its move was too far to be taken at once, ticks; 0 none. */
  pendingIndex = 0;
  /** Initial rate that open interest asks for, as of the last sample; 0 none. */
  openInterestPpm = 0;
  /** Whole quote within 2 % of the mark on the thinner side, as of the last sample and around the mark before it. */
  depth = 0;
  /** What the last round may be used for (engine/pricing/validity.ts). */
  validity = 0;
  /** Liquidations wait with their slices until then, ms. */
  pacedUntil = 0;
  /** Price of the last trade, ticks; 0 while there was none. */
  lastPrice = 0;
  /** As of the last sample; 0 where missing. */
  sampleTime = 0;
  sampleBid = 0;
  sampleAsk = 0;
  sampleLast = 0;
  /** EMA of mid - index over `indexEmaTauMs`, in 1e-6 ticks. */
  basisEma = 0n;
  /** EMA of median(bid, ask, last) over `markEmaTauMs`, in 1e-6 ticks; -1 while there was none. */
  bookEma = -1n;

  /** Highest sequence taken per publisher. */
  readonly reportSequences = new Float64Array(PUBLISHERS_MAX);

  constructor(config: MarketConfig, levels: Levels, orders: Orders) {
    this.config = config;
    this.tiers = tierRows(config);
    this.bids = new BookSide(BUY, levels, orders);
    this.asks = new BookSide(SELL, levels, orders);
  }

  configure(config: MarketConfig): void {
    this.config = config;
    this.tiers = tierRows(config);
    this.halted = this.index > config.maxPrice;
  }

  status(): MarketStatus {
    return this.halted ? MARKET_HALTED : this.config.status;
  }

  book(side: number): BookSide {
    return side === BUY ? this.bids : this.asks;
  }

  /** q per lot at `price`. */
  lotValue(price: number): number {
    return price * this.config.qm;
  }

  /** The largest funding rate of an interval in ppb: min(4 %, 6 · (IM - MM) / 8) (margin.md section 6). */
  fundingRateMax(): number {
    const tier = this.config.tiers[0]!;
    const spreadPpb = (tier.initialPpm - tier.maintenancePpm) * (BILLION / MILLION);
    return Math.min(40_000_000, Math.floor((6 * spreadPpb) / 8));
  }
}
