/** Market data L3 of one market: orders in priority. Snapshots, and deltas since any sequence that is still held. */

import {
  type BookOrder,
  encodeOrderDelta,
  encodeOrdersSnapshot,
  OrderChange,
  type OrderDeltaEntry,
} from '#protocol/wire-market-data.ts';
import { ChangeRing } from './change-ring.ts';
import type { ChangedOrder, DurableBook } from './durable-book.ts';

/** Fits one ORDER_DELTA frame, so that a delta never has to be cut. */
const CHANGES_KEPT = 2_000;

export class BookViewL3 {
  private readonly market: number;
  private readonly book: DurableBook;
  private readonly ring: ChangeRing;
  /** Seq and time of the last change. */
  sequence: number;
  private time = 0;

  constructor(market: number, book: DurableBook, startSeq: number) {
    this.market = market;
    this.book = book;
    this.sequence = startSeq;
    this.ring = new ChangeRing({ columns: 7, capacity: CHANGES_KEPT }, startSeq);
  }

  onOrder(change: Readonly<ChangedOrder>, time: number): void {
    const { rows } = this.ring;
    const at = this.ring.push(change.seq);
    rows[at + 1] = change.orderId;
    rows[at + 2] = change.size;
    rows[at + 3] = change.priority;
    rows[at + 4] = change.price;
    rows[at + 5] = change.side;
    rows[at + 6] = change.cause;
    this.sequence = change.seq;
    this.time = time;
  }

  /**
   * One frame that leads from `previous` to now; undefined when that is not known any more. Of several changes
   * of one order in one place of the book only their sum is told.
   */
  delta(previous: number): Uint8Array | undefined {
    if (!this.ring.reaches(previous) || previous > this.sequence) return undefined;
    const changes = new Map<string, { first: number; entry: OrderDeltaEntry }>();
    this.ring.since(previous, (rows, at) => {
      const cause = rows[at + 6]!;
      const entry: OrderDeltaEntry = {
        orderId: rows[at + 1]!,
        size: rows[at + 2]!,
        priority: rows[at + 3]!,
        price: rows[at + 4]!,
        side: rows[at + 5]!,
        cause,
      };
      // An amended order takes another place under its own id: both its leaving and its coming count.
      const key = `${entry.orderId}:${entry.priority}`;
      const first = changes.get(key)?.first ?? cause;
      // What came and changed since `previous` has come; what came and went was never there.
      if (first !== OrderChange.ADDED) changes.set(key, { first, entry });
      else if (entry.size > 0) changes.set(key, { first, entry: { ...entry, cause: OrderChange.ADDED } });
      else changes.delete(key);
    });
    const entries = [...changes.values()].map(({ entry }) => entry);
    const { market, sequence, time } = this;
    return encodeOrderDelta({ market, previous, sequence, time, changes: entries });
  }

  snapshot(): Uint8Array[] {
    const { market, sequence, time } = this;
    return encodeOrdersSnapshot({ market, sequence, time, orders: this.orders() });
  }

  private orders(): BookOrder[] {
    const { orders, levels } = this.book;
    const { bids, asks } = this.book.market(this.market);
    const listed: BookOrder[] = [];
    for (const side of [bids, asks])
      for (let n = 0; n < side.depth; n++)
        for (let slot = levels.head(side.levelAt(n)); slot >= 0; slot = orders.next(slot))
          listed.push({
            orderId: orders.id(slot),
            size: orders.size(slot),
            priority: orders.priority(slot),
            price: orders.price(slot),
            side: side.side,
          });
    return listed;
  }
}
