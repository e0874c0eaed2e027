/** A market maker of a price replay: one ladder around the index, replaced when the index has moved. */
import type { MarketConfig } from '#protocol/market.ts';
import type { Operation } from '#protocol/operation.ts';
import { BUY, GTC, SELL } from '#protocol/units.ts';
import type { Identity } from '../../session.ts';
import type { Venue } from './venue.ts';

/** From the index, each way, in millionths of it. */
const LEVELS_PPM = [400, 1_200, 2_500, 5_000, 9_000] as const;
/** The ladder stays while the index has moved less. */
const STAY_PPM = 600;
const MILLION = 1_000_000;

export class LadderMaker {
  private readonly venue: Venue;
  private readonly identity: Identity;
  private readonly market: MarketConfig;
  /** q of one level. */
  private readonly levelQuote: number;
  private quotedAt = 0;
  private age = 0;

  constructor(
    venue: Venue,
    options: { readonly identity: Identity; readonly market: MarketConfig; readonly levelQuote: number },
  ) {
    this.venue = venue;
    this.identity = options.identity;
    this.market = options.market;
    this.levelQuote = options.levelQuote;
  }

  /** `rowsMax`: at the latest after so many rows the ladder is made anew, so that what was filled comes back. */
  async follow(index: number, rowsMax: number): Promise<void> {
    this.age++;
    const moved = Math.abs(index - this.quotedAt) * MILLION;
    if (moved < STAY_PPM * index && this.age < rowsMax) return;
    this.quotedAt = index;
    this.age = 0;
    const { market } = this.market;
    const operations: Operation[] = [{ kind: 'cancel-all', market }];
    for (const ppm of LEVELS_PPM)
      for (const side of [BUY, SELL] as const) {
        const away = Math.max(1, Math.round((index * ppm) / MILLION));
        const price = side === BUY ? Math.max(1, index - away) : index + away;
        const size = Math.max(1, Math.floor(this.levelQuote / (price * this.market.qm)));
        operations.push({ kind: 'place', market, side, price, size, timeInForce: GTC, postOnly: true });
      }
    await this.venue.send(this.identity, operations);
  }
}
