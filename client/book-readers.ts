/**
 * Readers of the book channels: they join snapshot frames, apply deltas, and on a gap continue after what they hold;
 * when that does not help they take a new snapshot.
 */
import { FrameType, isReject, type Subscribed } from '#protocol/wire.ts';
import {
  type BookLevel,
  type BookOrder,
  decodeBookDelta,
  decodeBookSnapshot,
  decodeOrderDelta,
  decodeOrdersSnapshot,
  type LevelChange,
  type OrderDeltaEntry,
} from '#protocol/wire-market-data.ts';
import type { SluiceError } from './errors.ts';
import { Listeners } from './listeners.ts';
import { BookL2, BookL3, type DeltaOutcome } from './order-book.ts';
import type { ChannelReader } from './subscriptions.ts';

/** What changed a book: all of it, or these. */
export type BookUpdate<Change> =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'delta'; readonly changes: readonly Change[] };

abstract class BookReader<Book extends { sequence: number }, Change> implements ChannelReader {
  abstract readonly book: Book;
  readonly updates = new Listeners<BookUpdate<Change>>();
  readonly failures = new Listeners<SluiceError>();
  /** Resolves when the first snapshot is in the book, rejects when the server refuses. */
  readonly ready: Promise<void>;
  /** Times that a delta did not continue the book. */
  gapCount = 0;
  /** True while the book waits for a snapshot or for what it missed: it is behind. */
  stale = true;
  private markReady: () => void = () => {};
  private markFailed: (error: SluiceError) => void = () => {};
  private resuming = false;
  private distrusted = false;

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.markReady = resolve;
      this.markFailed = reject;
    });
    this.ready.catch(() => {});
  }

  abstract onFrame(type: number, view: DataView, at: number): boolean;

  resumeAfter(): number | undefined {
    this.stale = true;
    // A second gap without a delta applied in between: what we hold does not help.
    if (this.book.sequence < 0 || this.distrusted) return undefined;
    this.distrusted = true;
    return this.book.sequence;
  }

  onSubscribed(subscribed: Subscribed): void {
    this.resuming = subscribed.resumed;
    if (subscribed.resumed && subscribed.sequence === this.book.sequence) this.stale = false;
  }

  onFailed(error: SluiceError): void {
    this.markFailed(error);
    this.failures.emit(error);
  }

  protected tookSnapshot(): void {
    this.resuming = true;
    this.settle({ kind: 'snapshot' });
    this.markReady();
  }

  /** False: subscribe again. */
  protected tookDelta(outcome: DeltaOutcome, changes: readonly Change[]): boolean {
    if (outcome === 'gap') {
      this.gapCount++;
      return false;
    }
    if (outcome === 'applied') this.settle({ kind: 'delta', changes });
    return true;
  }

  /** Deltas before the snapshot of a fresh subscription belong to nothing. */
  protected get awaitsSnapshot(): boolean {
    return !this.resuming;
  }

  private settle(update: BookUpdate<Change>): void {
    this.stale = false;
    this.distrusted = false;
    this.updates.emit(update);
  }
}

export class BookL2Reader extends BookReader<BookL2, LevelChange> {
  override readonly book: BookL2;
  private bids: BookLevel[] = [];
  private asks: BookLevel[] = [];

  constructor(market: number) {
    super();
    this.book = new BookL2(market);
  }

  override onSubscribed(subscribed: Subscribed): void {
    this.bids = [];
    this.asks = [];
    super.onSubscribed(subscribed);
  }

  override onFrame(type: number, view: DataView, at: number): boolean {
    if (type === FrameType.BOOK_SNAPSHOT) {
      const part = decodeBookSnapshot(view, at);
      if (isReject(part)) return false;
      for (const level of part.bids) this.bids.push(level);
      for (const level of part.asks) this.asks.push(level);
      if (part.more) return true;
      this.book.applySnapshot({ ...part, bids: this.bids, asks: this.asks });
      this.bids = [];
      this.asks = [];
      this.tookSnapshot();
      return true;
    }
    if (this.awaitsSnapshot) return true;
    const delta = decodeBookDelta(view, at);
    return !isReject(delta) && this.tookDelta(this.book.applyDelta(delta), delta.changes);
  }
}

export class BookL3Reader extends BookReader<BookL3, OrderDeltaEntry> {
  override readonly book: BookL3;
  private orders: BookOrder[] = [];

  constructor(market: number) {
    super();
    this.book = new BookL3(market);
  }

  override onSubscribed(subscribed: Subscribed): void {
    this.orders = [];
    super.onSubscribed(subscribed);
  }

  override onFrame(type: number, view: DataView, at: number): boolean {
    if (type === FrameType.ORDERS_SNAPSHOT) {
      const part = decodeOrdersSnapshot(view, at);
      if (isReject(part)) return false;
      for (const order of part.orders) this.orders.push(order);
      if (part.more) return true;
      this.book.applySnapshot({ ...part, orders: this.orders });
      this.orders = [];
      this.tookSnapshot();
      return true;
    }
    if (this.awaitsSnapshot) return true;
    const delta = decodeOrderDelta(view, at);
    return !isReject(delta) && this.tookDelta(this.book.applyDelta(delta), delta.changes);
  }
}
