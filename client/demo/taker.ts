/** A taker of the demo: now and then a limit order, immediate or cancel, into what the makers show. */

import { IOC } from '#protocol/units.ts';
import type { SluiceClient } from '../client.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Tally } from './tally.ts';
import { type MarketBoard, TraderBase } from './trader-base.ts';

export interface TakerStyle {
  readonly periodMs: number;
  /** Quote units of an order, at most. */
  readonly orderQuoteMax: number;
}

/** How far beyond the index an order may trade, millionths. */
const REACH_PPM = 3_000;
/** Position in quote units beyond which a taker only trades back. */
const POSITION_QUOTE_MAX = 200_000;

export class Taker extends TraderBase {
  private readonly style: TakerStyle;

  constructor(
    client: SluiceClient,
    options: { board: MarketBoard; tally: Tally; random: SeededRandom; style: TakerStyle },
  ) {
    super(client, options);
    this.style = options.style;
  }

  override async start(): Promise<void> {
    await this.followAccount();
    this.every(this.style.periodMs, () => this.take());
  }

  override async finish(): Promise<void> {}

  private async take(): Promise<void> {
    const { market, qm } = this.random.pick(this.board.markets);
    const index = this.board.indexOf(market);
    if (index === 0) return;
    const heldQuote = (this.positionOf(market) * index * qm) / 1_000_000;
    const lean = Math.max(-1, Math.min(1, heldQuote / POSITION_QUOTE_MAX));
    const side = this.random.between(-1, 1) > lean ? 0 : 1;
    const reach = side === 0 ? REACH_PPM : -REACH_PPM;
    const quote = this.random.between(0.05, 1) * this.style.orderQuoteMax;
    await this.timed(async () => ({
      outcome: await this.client.sendOperations([
        {
          kind: 'place',
          market,
          side,
          price: Math.round(index * (1 + reach / 1_000_000)),
          size: Math.max(1, Math.round((quote * 1_000_000) / (index * qm))),
          timeInForce: IOC,
        },
      ]),
    }));
  }
}
