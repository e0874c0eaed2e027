/**
 * The books as far as they are durable: rebuilt from events beside the engine's own, so that nothing is shown
 * that a crash could take back. One pool for all markets; the same structures as the engine's.
 */

import { InvariantError } from '#protocol/assert.ts';
import { EventKind, ORDER_REDUCED, ORDER_REMOVED, ORDER_RESTED, TRADE } from '#protocol/event.ts';
import { oppositeSide, type Side } from '#protocol/units.ts';
import { OrderChange } from '#protocol/wire-market-data.ts';
import { BookSide, Levels } from '#state/book-side.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { Orders } from '#state/orders.ts';

/** An order that changed, after it did; one object that is filled anew each time, so that nothing is allocated. */
export class ChangedOrder {
  market = 0;
  side: Side = 0;
  price = 0;
  /** Open lots after it; 0: gone. */
  size = 0;
  priority = 0;
  orderId = 0;
  /** OrderChange of wire-market-data.ts. */
  cause = 0;
  seq = 0;
}

export interface OrderListener {
  onOrder(change: Readonly<ChangedOrder>): void;
}

export interface MarketBook {
  readonly bids: BookSide;
  readonly asks: BookSide;
}

export class DurableBook {
  readonly orders = new Orders();
  readonly levels = new Levels();
  private readonly markets: (MarketBook | undefined)[] = [];
  private readonly listener: OrderListener;
  private readonly changed = new ChangedOrder();

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
    const { changed } = this;
    changed.seq = data[at + 1]!;
    switch (data[at]) {
      case EventKind.ORDER_RESTED:
        changed.market = data[at + ORDER_RESTED.market]!;
        changed.side = data[at + ORDER_RESTED.side]! as Side;
        changed.price = data[at + ORDER_RESTED.price]!;
        changed.size = data[at + ORDER_RESTED.size]!;
        changed.orderId = data[at + ORDER_RESTED.orderId]!;
        changed.priority = data[at + ORDER_RESTED.priority]!;
        changed.cause = OrderChange.ADDED;
        this.add(changed);
        this.listener.onOrder(changed);
        break;
      case EventKind.TRADE:
        changed.market = data[at + TRADE.market]!;
        changed.side = oppositeSide(data[at + TRADE.takerSide]! as Side);
        changed.orderId = data[at + TRADE.makerOrderId]!;
        this.change(data[at + TRADE.makerRemaining]!, OrderChange.FILLED);
        break;
      case EventKind.ORDER_REMOVED:
        if (data[at + ORDER_REMOVED.rested] !== 1) break;
        changed.market = data[at + ORDER_REMOVED.market]!;
        changed.side = data[at + ORDER_REMOVED.side]! as Side;
        changed.orderId = data[at + ORDER_REMOVED.orderId]!;
        this.change(0, OrderChange.REMOVED);
        break;
      case EventKind.ORDER_REDUCED:
        changed.market = data[at + ORDER_REDUCED.market]!;
        changed.side = data[at + ORDER_REDUCED.side]! as Side;
        changed.orderId = data[at + ORDER_REDUCED.orderId]!;
        this.change(data[at + ORDER_REDUCED.newSize]!, OrderChange.REDUCED);
        break;
    }
  }

  private add(order: Omit<ChangedOrder, 'cause' | 'seq'>): void {
    const { orders } = this;
    const slot = orders.allocate(order.orderId);
    orders.setPriority(slot, order.priority);
    orders.setSize(slot, order.size);
    orders.setPrice(slot, order.price);
    orders.setMarketAndFlags(slot, order.market, order.side);
    this.side(order.market, order.side).append(slot);
  }

  /** The order in `changed` now has `size` open lots. */
  private change(size: number, cause: number): void {
    const { orders, changed } = this;
    const slot = orders.find(changed.orderId);
    if (slot < 0) throw new InvariantError(`feed: expected order ${changed.orderId} in the durable book`);
    changed.price = orders.price(slot);
    changed.priority = orders.priority(slot);
    changed.size = size;
    changed.cause = cause;
    const book = this.side(changed.market, changed.side);
    if (size > 0) book.reduce(slot, orders.size(slot) - size);
    else {
      book.remove(slot);
      orders.free(slot);
    }
    this.listener.onOrder(changed);
  }
}
