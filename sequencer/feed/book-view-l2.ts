/** Market data L2 of one market: levels by price. Snapshots, and deltas since any sequence that is still held. */

import type { Side } from '#protocol/units.ts';
import {
  type BookLevel,
  encodeBookDelta,
  encodeBookSnapshot,
  type LevelChange,
} from '#protocol/wire-market-data.ts';
import type { BookSide } from '#state/book-side.ts';
import { ChangeRing } from './change-ring.ts';
import type { ChangedOrder, DurableBook } from './durable-book.ts';

/** Fits one BOOK_DELTA frame, so that a delta never has to be cut. */
const CHANGES_KEPT = 2_048;
const PRICES = 2 ** 32;

export class BookViewL2 {
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
    this.ring = new ChangeRing({ columns: 3, capacity: CHANGES_KEPT }, startSeq);
  }

  onLevel(change: Readonly<ChangedOrder>, time: number): void {
    const { rows } = this.ring;
    const at = this.ring.push(change.seq);
    rows[at + 1] = change.side;
    rows[at + 2] = change.price;
    this.sequence = change.seq;
    this.time = time;
  }

  /** One frame with every level that changed after `previous`; undefined when that is not known any more. */
  delta(previous: number): Uint8Array | undefined {
    if (!this.ring.reaches(previous) || previous > this.sequence) return undefined;
    const changed = new Map<number, LevelChange>();
    this.ring.since(previous, (rows, at) => {
      const side = rows[at + 1]! as Side;
      const price = rows[at + 2]!;
      const key = side * PRICES + price;
      if (!changed.has(key))
        changed.set(key, { side, price, size: this.book.levelSize(this.market, side, price) });
    });
    const { market, sequence, time } = this;
    return encodeBookDelta({ market, previous, sequence, time, changes: [...changed.values()] });
  }

  snapshot(): Uint8Array[] {
    const { bids, asks } = this.book.market(this.market);
    const { market, sequence, time } = this;
    return encodeBookSnapshot({ market, sequence, time, bids: this.levels(bids), asks: this.levels(asks) });
  }

  private levels(side: BookSide): BookLevel[] {
    const levels: BookLevel[] = [];
    for (let n = 0; n < side.depth; n++)
      levels.push({ price: side.priceAt(n), size: this.book.levels.size(side.levelAt(n)) });
    return levels;
  }
}
