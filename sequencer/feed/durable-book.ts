/**
 * The books as far as they are durable: rebuilt from events beside the engine's own, so that nothing is shown
 * that a crash could take back. One pool for all markets; the same structures as the engine's.
 */

import { assert } from '#protocol/assert.ts';
import { EventKind, ORDER_REDUCED, ORDER_REMOVED, ORDER_RESTED, TRADE } from '#protocol/event.ts';
import { oppositeSide, type Side } from '#protocol/units.ts';
import { BookSide, Levels } from '#state/book-side.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { Orders } from '#state/orders.ts';

/** Is told of every order that changed, after it did. */
export interface OrderListener {
  /** `size`: open lots after it, 0 when it is gone; `cause`: OrderChange of wire-market-data.ts. */
  onOrder(change: {
    readonly market: number;
    readonly side: Side;
    readonly price: number;
    readonly size: number;
    readonly priority: number;
    readonly orderId: number;
    readonly cause: number;
    readonly seq: number;
  }): void;
}

export interface MarketBook {
  readonly bids: BookSide;
  readonly asks: BookSide;
}

const ADDED = 1;
const FILLED = 2;
const REMOVED = 3;
const REDUCED = 4;

export class DurableBook {
  readonly orders = new Orders();
  readonly levels = new Levels();
  private readonly markets: (MarketBook | undefined)[] = [];
  private readonly listener: OrderListener;

  /** Starts as the books of `state`, all of which must be durable. */
  constructor(state: ExchangeState, listener: OrderListener) {
    this.listener = listener;
    for (const market of state.markets) {
      if (market === undefined) continue;
      const id = market.config.market;
      for (const side of [market.bids, market.asks])
        for (let n = 0; n < side.depth; n++)
          for (let slot = state.levels.head(side.levelAt(n)); slot >= 0; slot = state.orders.next(slot))
            this.add({
              market: id,
              side: side.side,
              price: state.orders.price(slot),
              size: state.orders.size(slot),
              orderId: state.orders.id(slot),
              priority: state.orders.priority(slot),
            });
    }
  }

  market(id: number): MarketBook {
    let book = this.markets[id];
    if (book === undefined) {
      book = {
        bids: new BookSide(0, this.levels, this.orders),
        asks: new BookSide(1, this.levels, this.orders),
      };
      while (this.markets.length < id) this.markets.push(undefined);
      this.markets[id] = book;
    }
    return book;
  }

  side(market: number, side: Side): BookSide {
    const book = this.market(market);
    return side === 0 ? book.bids : book.asks;
  }

  /** Open lots at a price. */
  levelSize(market: number, side: Side, price: number): number {
    const level = this.side(market, side).find(price);
    return level < 0 ? 0 : this.levels.size(level);
  }

  /** Takes one event row at offset `at`; rows that touch no book are passed over. */
  onRow(data: Float64Array, at: number): void {
    switch (data[at]) {
      case EventKind.ORDER_RESTED: {
        const order = {
          market: data[at + ORDER_RESTED.market]!,
          side: data[at + ORDER_RESTED.side]! as Side,
          price: data[at + ORDER_RESTED.price]!,
          size: data[at + ORDER_RESTED.size]!,
          orderId: data[at + ORDER_RESTED.orderId]!,
          priority: data[at + ORDER_RESTED.priority]!,
        };
        this.add(order);
        this.listener.onOrder({ ...order, cause: ADDED, seq: data[at + 1]! });
        break;
      }
      case EventKind.TRADE: {
        const side = oppositeSide(data[at + TRADE.takerSide]! as Side);
        const size = data[at + TRADE.makerRemaining]!;
        this.change(
          { market: data[at + TRADE.market]!, side, orderId: data[at + TRADE.makerOrderId]! },
          size,
          FILLED,
          data[at + 1]!,
        );
        break;
      }
      case EventKind.ORDER_REMOVED:
        if (data[at + ORDER_REMOVED.rested] !== 1) break;
        this.change(
          {
            market: data[at + ORDER_REMOVED.market]!,
            side: data[at + ORDER_REMOVED.side]! as Side,
            orderId: data[at + ORDER_REMOVED.orderId]!,
          },
          0,
          REMOVED,
          data[at + 1]!,
        );
        break;
      case EventKind.ORDER_REDUCED:
        this.change(
          {
            market: data[at + ORDER_REDUCED.market]!,
            side: data[at + ORDER_REDUCED.side]! as Side,
            orderId: data[at + ORDER_REDUCED.orderId]!,
          },
          data[at + ORDER_REDUCED.newSize]!,
          REDUCED,
          data[at + 1]!,
        );
        break;
    }
  }

  private add(order: {
    market: number;
    side: Side;
    price: number;
    size: number;
    orderId: number;
    priority: number;
  }): void {
    const { orders } = this;
    const slot = orders.allocate(order.orderId);
    orders.setPriority(slot, order.priority);
    orders.setSize(slot, order.size);
    orders.setPrice(slot, order.price);
    orders.setMarketAndFlags(slot, order.market, order.side);
    this.side(order.market, order.side).append(slot);
  }

  private change(
    order: { market: number; side: Side; orderId: number },
    size: number,
    cause: number,
    seq: number,
  ): void {
    const { orders } = this;
    const slot = orders.find(order.orderId);
    assert(slot >= 0, `feed: order ${order.orderId} rests in the durable book`);
    const price = orders.price(slot);
    const priority = orders.priority(slot);
    const book = this.side(order.market, order.side);
    if (size > 0) book.reduce(slot, orders.size(slot) - size);
    else {
      book.remove(slot);
      orders.free(slot);
    }
    this.listener.onOrder({ ...order, price, size, priority, cause, seq });
  }
}
