/** The public trades of one market; the last ones are kept, so that a reader can continue where it was. */
import { TRADE } from '#protocol/event.ts';
import { encodeTrade, TRADE_BYTES } from '#protocol/wire-market-data.ts';
import { FrameRing } from './frame-ring.ts';

const TRADES_KEPT = 1_024;

export class TradeView {
  /** Sequences are trade ids; `before`: the last one of the chain when this view began. */
  readonly ring: FrameRing;
  /** Last sequence that was given to the listener. */
  told: number;

  constructor(before: number) {
    this.ring = new FrameRing({ slotBytes: TRADE_BYTES, slotsMax: TRADES_KEPT }, before);
    this.told = before;
  }

  /** Takes a TRADE row. */
  onTrade(data: Float64Array, at: number): void {
    const previous = this.ring.last;
    const sequence = data[at + TRADE.tradeId]!;
    const slot = this.ring.push(sequence);
    this.ring.bytes.set(
      encodeTrade({
        market: data[at + TRADE.market]!,
        takerSide: data[at + TRADE.takerSide]!,
        price: data[at + TRADE.price]!,
        size: data[at + TRADE.size]!,
        tradeId: sequence,
        makerOrderId: data[at + TRADE.makerOrderId]!,
        takerOrderId: data[at + TRADE.takerOrderId]!,
        previous,
        sequence,
        seq: data[at + 1]!,
        time: data[at + 2]!,
      }),
      slot,
    );
  }
}
