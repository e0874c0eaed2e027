/** Order books that keep themselves true: snapshot, deltas, gaps found and healed. */
import type { LevelChange, OrderDeltaEntry } from '#protocol/wire-market-data.ts';
import { BookL2Reader, BookL3Reader, type BookUpdate } from '../book-readers.ts';
import type { BookL2, BookL3 } from '../order-book.ts';
import type { Session } from '../session.ts';
import { hold } from '../streams.ts';
import { type MarketReference, marketIdOf } from './order-form.ts';
import type { Watch } from './watch-market.ts';

export interface BookWatch<Book> extends Watch {
  /** Always the present book; the same object throughout. */
  readonly book: Book;
  /** True while it is behind (after a gap or without a connection). */
  readonly stale: boolean;
  /** Gaps seen so far. */
  readonly gapCount: number;
}

/** Levels; resolves when the book is there. */
export async function watchBookL2(
  session: Session,
  watch: {
    readonly market: MarketReference;
    readonly onUpdate?: (book: BookL2, update: BookUpdate<LevelChange>) => void;
  },
): Promise<BookWatch<BookL2>> {
  const market = marketIdOf(session, watch.market);
  const { onUpdate } = watch;
  const { reader, release } = await hold(
    session,
    { channel: 'bookL2', market },
    () => new BookL2Reader(market),
    (stream) => [onUpdate && stream.updates.add((update) => onUpdate(stream.book, update))],
  );
  return bookWatch(session, reader, release);
}

/** Orders; resolves when the book is there. */
export async function watchBookL3(
  session: Session,
  watch: {
    readonly market: MarketReference;
    readonly onUpdate?: (book: BookL3, update: BookUpdate<OrderDeltaEntry>) => void;
  },
): Promise<BookWatch<BookL3>> {
  const market = marketIdOf(session, watch.market);
  const { onUpdate } = watch;
  const { reader, release } = await hold(
    session,
    { channel: 'bookL3', market },
    () => new BookL3Reader(market),
    (stream) => [onUpdate && stream.updates.add((update) => onUpdate(stream.book, update))],
  );
  return bookWatch(session, reader, release);
}

const bookWatch = <Book>(
  session: Session,
  reader: { readonly book: Book; readonly stale: boolean; readonly gapCount: number },
  release: () => void,
): BookWatch<Book> => ({
  book: reader.book,
  get stale() {
    return reader.stale || !session.transport.isOpen;
  },
  get gapCount() {
    return reader.gapCount;
  },
  close: release,
});
