/** A trader of a price replay: opens with leverage, holds, closes, rests, and begins again while there is money. */
import type { MarketConfig } from '#protocol/market.ts';
import { IOC, oppositeSide, signOf } from '#protocol/units.ts';
import type { Identity } from '../../session.ts';
import type { TraderPlan } from './population.ts';
import type { Venue } from './venue.ts';

/** Smaller positions are tried, each of this share of the one before, before the trader gives up. */
const ATTEMPTS_MAX = 8;
const SMALLER = 0.75;
/** The worst price of an opening order: margin is asked for what it may cost. */
const SLIPPAGE_PPM = 4_000;
/** Of what the leverage would allow, so that fees and spread fit in. */
const SHARE = 0.92;

export class LeveragedTrader {
  readonly identity: Identity;
  private readonly plan: TraderPlan;
  private readonly market: MarketConfig;
  /** q that the trader thinks to have; the exchange knows better. */
  private purse: number;
  private size = 0;
  private entry = 0;
  private isRuined = false;

  constructor(identity: Identity, plan: TraderPlan, market: MarketConfig) {
    this.identity = identity;
    this.plan = plan;
    this.market = market;
    this.purse = plan.funding;
  }

  /** Acts once at `index`; resolves with the rows until it wants to act again, undefined when it is done for good. */
  async act(venue: Venue, index: number): Promise<number | undefined> {
    if (this.isRuined) return undefined;
    return this.size === 0 ? this.open(venue, index) : this.close(venue, index);
  }

  private async open(venue: Venue, index: number): Promise<number | undefined> {
    const { leverage, side, holdRows, restRows } = this.plan;
    const price = Math.round(index * (1 + (signOf(side) * SLIPPAGE_PPM) / 1_000_000));
    let wanted = this.purse * leverage * SHARE;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++, wanted *= SMALLER) {
      const size = Math.floor(wanted / (index * this.market.qm));
      if (size < 1) break;
      const outcome = await venue.send(this.identity, [
        { kind: 'place', market: this.market.market, side, price, size, timeInForce: IOC },
      ]);
      const result = outcome?.results[0];
      if (result === undefined) return restRows;
      if (result.filledSize > 0) {
        this.size = result.filledSize;
        this.entry = index;
        return holdRows;
      }
      // An empty book: later. Anything else: a smaller position.
      if (result.code === undefined) return restRows;
    }
    this.isRuined = true;
    return undefined;
  }

  private async close(venue: Venue, index: number): Promise<number> {
    const { side, restRows } = this.plan;
    const outcome = await venue.send(this.identity, [
      {
        kind: 'place',
        market: this.market.market,
        side: oppositeSide(side),
        price: 0,
        size: this.size,
        timeInForce: IOC,
        marketOrder: true,
        reduceOnly: true,
      },
    ]);
    const result = outcome?.results[0];
    if (result === undefined) return 1;
    const won = (index - this.entry) * signOf(side) * this.market.qm;
    if (result.code !== undefined) {
      // Nothing left to reduce: the position was liquidated, and what it was opened with went with it.
      this.purse *= result.code === 'REDUCE_ONLY_WOULD_INCREASE' ? 0.1 : 1;
      this.size = result.code === 'REDUCE_ONLY_WOULD_INCREASE' ? 0 : this.size;
      return restRows;
    }
    this.purse = Math.max(0, this.purse + won * result.filledSize);
    this.size -= result.filledSize;
    return this.size === 0 ? restRows : 5;
  }
}
