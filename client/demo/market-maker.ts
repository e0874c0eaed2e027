/**
 * A market maker of the demo: a ladder of several levels a side around the index, moved by what it holds, and
 * replaced as a whole by one signed message.
 */

import type { Ladder, Quote } from '../actions/replace-ladder.ts';
import type { SluiceClient } from '../client.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Tally } from './tally.ts';
import { type MarketBoard, TraderBase } from './trader-base.ts';

export interface MakerStyle {
  /** A side; at most 25, so that a replacement fits into one message. */
  readonly levels: number;
  /** Between two replacements in one market, on average. */
  readonly periodMs: number;
  /** From the fair price to the first level, and between levels, in millionths of the price. */
  readonly halfSpreadPpm: number;
  readonly stepPpm: number;
  /** Quote units of a level, on average. */
  readonly levelQuote: number;
}

/** Position in quote units at which the ladder has moved by its half spread. */
const SKEW_QUOTE = 250_000;

export class MarketMaker extends TraderBase {
  private readonly style: MakerStyle;
  private readonly ladders = new Map<number, Ladder>();
  /** Open lots of orders that were filled since their ladder was sent; 0 when gone. */
  private readonly open = new Map<number, number>();

  constructor(
    client: SluiceClient,
    options: { board: MarketBoard; tally: Tally; random: SeededRandom; style: MakerStyle },
  ) {
    super(client, options);
    this.style = options.style;
  }

  override async start(): Promise<void> {
    await this.followAccount((fill) => this.open.set(fill.orderId, fill.remainingSize));
    // What an earlier run left behind.
    await this.cancelQuotes();
    for (const market of this.board.markets) this.every(this.style.periodMs, () => this.quote(market.market));
  }

  /** Withdraws all quotes. */
  override async finish(): Promise<void> {
    await this.cancelQuotes();
  }

  private async cancelQuotes(): Promise<void> {
    await this.timed(async () => ({
      outcome: await this.client.sendOperations([{ kind: 'cancel-all' }]),
    }));
  }

  private async quote(market: number): Promise<void> {
    const index = this.board.indexOf(market);
    if (index === 0) return;
    const { qm } = this.client.market(market);
    const { style, random } = this;
    const heldQuote = (this.positionOf(market) * index * qm) / 1_000_000;
    const skew = Math.max(-3, Math.min(3, heldQuote / SKEW_QUOTE)) * style.halfSpreadPpm;
    const fair = index * (1 + (random.between(-0.3, 0.3) * style.halfSpreadPpm - skew) / 1_000_000);
    const side = (sign: number): Quote[] => {
      const prices = new Set<number>();
      for (let level = 0; level < style.levels; level++) {
        const ppm = style.halfSpreadPpm + level * style.stepPpm;
        const price = fair * (1 + (sign * ppm) / 1_000_000);
        prices.add(sign < 0 ? Math.floor(price) : Math.ceil(price));
      }
      return [...prices].map((price) => ({
        price,
        size: Math.max(
          1,
          Math.round((style.levelQuote * 1_000_000 * random.between(0.5, 1.5)) / (price * qm)),
        ),
      }));
    };
    const before = this.ladders.get(market);
    const previous = before && { ...before, orders: this.stillOpen(before) };
    const ladder = await this.timed(() =>
      this.client.replaceLadder({
        market,
        bids: side(-1),
        asks: side(1),
        ...(previous === undefined ? {} : { previous }),
      }),
    );
    if (ladder !== undefined) this.ladders.set(market, ladder);
  }

  private stillOpen(ladder: Ladder): Ladder['orders'] {
    return ladder.orders.flatMap((order) => {
      const size = this.open.get(order.orderId);
      if (size === undefined) return [order];
      this.open.delete(order.orderId);
      return size === 0 ? [] : [{ ...order, size }];
    });
  }
}
