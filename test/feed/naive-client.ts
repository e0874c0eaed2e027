/** Readers of market data as slow and obvious as possible: what a client must be able to rebuild from the frames. */
import { viewOf } from '#protocol/bytes.ts';
import { FrameType, frameBytes, frameType, isReject } from '#protocol/wire.ts';
import {
  decodeBookDelta,
  decodeBookSnapshot,
  decodeOrderDelta,
  decodeOrdersSnapshot,
} from '#protocol/wire-market-data.ts';

/** Whole frames of a packet, one after the other. */
export function* framesOf(packet: Uint8Array): Generator<DataView> {
  const view = viewOf(packet);
  for (let at = 0; at < packet.length; ) {
    const bytes = frameBytes(view, at);
    if (bytes < 8 || at + bytes > packet.length) throw new Error(`frame at ${at}: expected a whole one`);
    yield viewOf(packet.subarray(at, at + bytes));
    at += bytes;
  }
}

function decoded<Value extends object>(value: Value | number): Value {
  if (isReject(value as never)) throw new Error(`frame: expected a whole one, got code ${value}`);
  return value as Value;
}

/** Levels by side and price, from BOOK_SNAPSHOT and BOOK_DELTA. */
export class NaiveBookL2 {
  sequence = -1;
  readonly levels = new Map<string, number>();
  private isOpen = false;

  take(packet: Uint8Array): void {
    for (const view of framesOf(packet)) {
      if (frameType(view, 0) === FrameType.BOOK_SNAPSHOT) {
        const part = decoded(decodeBookSnapshot(view, 0));
        if (!this.isOpen) this.levels.clear();
        this.isOpen = part.more;
        this.sequence = part.sequence;
        for (const [side, levels] of [part.bids, part.asks].entries())
          for (const { price, size } of levels) this.levels.set(`${side}:${price}`, size);
      } else {
        const delta = decoded(decodeBookDelta(view, 0));
        if (delta.sequence <= this.sequence) continue;
        if (delta.previous !== this.sequence)
          throw new Error(`L2: expected a delta after ${this.sequence}, got one after ${delta.previous}`);
        for (const { side, price, size } of delta.changes)
          if (size === 0) this.levels.delete(`${side}:${price}`);
          else this.levels.set(`${side}:${price}`, size);
        this.sequence = delta.sequence;
      }
    }
  }

  sorted(): string[] {
    return [...this.levels].map(([level, size]) => `${level}=${size}`).sort();
  }
}

/** Orders by id with their place, from ORDERS_SNAPSHOT and ORDER_DELTA; strict about what a change presumes. */
export class NaiveBookL3 {
  sequence = -1;
  readonly orders = new Map<number, { side: number; price: number; priority: number; size: number }>();
  private isOpen = false;

  take(packet: Uint8Array): void {
    for (const view of framesOf(packet)) {
      if (frameType(view, 0) === FrameType.ORDERS_SNAPSHOT) {
        const part = decoded(decodeOrdersSnapshot(view, 0));
        if (!this.isOpen) this.orders.clear();
        this.isOpen = part.more;
        this.sequence = part.sequence;
        for (const { orderId, ...order } of part.orders) this.orders.set(orderId, order);
      } else {
        const delta = decoded(decodeOrderDelta(view, 0));
        if (delta.sequence <= this.sequence) continue;
        if (delta.previous !== this.sequence)
          throw new Error(`L3: expected a delta after ${this.sequence}, got one after ${delta.previous}`);
        for (const { orderId, cause, ...order } of delta.changes) {
          const held = this.orders.get(orderId);
          if (cause === 1 ? held !== undefined : held?.priority !== order.priority)
            throw new Error(`L3: change ${cause} of order ${orderId} does not fit what is held`);
          if (order.size === 0) this.orders.delete(orderId);
          else this.orders.set(orderId, order);
        }
        this.sequence = delta.sequence;
      }
    }
  }

  /** By side, price and priority. */
  sorted(): string[] {
    return [...this.orders]
      .map(([id, { side, price, priority, size }]) => `${side}:${price}:${priority}:${id}=${size}`)
      .sort();
  }
}
