/**
 * A feed whose book the test writes itself: one L2 book a market, numbered reports an account, with a short
 * memory. It keeps to the port's contract, so that the gateway is tested against every turn of it at will.
 */
import type { FeedListener, FeedSource, StreamStart } from '#pipeline/ports.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import { encodeAccountEvent, type SubscribeRequest } from '#protocol/wire.ts';
import { encodeBookDelta, encodeBookSnapshot, type LevelChange } from '#protocol/wire-market-data.ts';

interface Market {
  sequence: number;
  readonly levels: Map<string, LevelChange>;
  readonly memory: { readonly sequence: number; readonly changes: readonly LevelChange[] }[];
}

export class LadderFeed implements FeedSource {
  /** Deltas and reports that are remembered. */
  memory = 50;
  readonly starts: SubscribeRequest[] = [];
  private readonly markets = new Map<number, Market>();
  private readonly accounts = new Map<number, Uint8Array[]>();
  private listener: FeedListener | undefined;

  constructor(markets: readonly number[]) {
    for (const market of markets) this.markets.set(market, { sequence: 1, levels: new Map(), memory: [] });
  }

  listen(listener: FeedListener): void {
    this.listener = listener;
  }

  wants(market: number): boolean {
    return this.listener?.wants('bookL2', market) ?? false;
  }

  /** One command that changes levels of a book. */
  change(market: number, changes: readonly LevelChange[]): void {
    const book = this.markets.get(market)!;
    const previous = book.sequence++;
    for (const change of changes) {
      if (change.size === 0) book.levels.delete(`${change.side}:${change.price}`);
      else book.levels.set(`${change.side}:${change.price}`, change);
    }
    book.memory.push({ sequence: book.sequence, changes });
    if (book.memory.length > this.memory) book.memory.shift();
    if (this.wants(market)) {
      const delta = { market, previous, sequence: book.sequence, time: 7, changes };
      this.listener!.onFrames('bookL2', market, encodeBookDelta(delta), book.sequence);
    }
  }

  /** One private report; `amount` marks it. */
  report(account: number, amount: number): void {
    const reports = this.reportsOf(account);
    const reportSequence = reports.length + 1;
    const frame = encodeAccountEvent({
      reportSequence,
      seq: 1,
      time: 7,
      account,
      kind: 1,
      subject: 0,
      amount,
      reference: 0,
    });
    reports.push(frame);
    if (this.listener?.wants('account', account))
      this.listener.onFrames('account', account, frame, reportSequence);
  }

  end(): void {
    this.listener?.onEndOfBatch();
  }

  start(request: SubscribeRequest): StreamStart | RejectCode {
    this.starts.push(request);
    if (request.channel === 'account') return this.startAccount(request.account!, request.fromSeq);
    const book = this.markets.get(request.market ?? -1);
    if (book === undefined) return Reject.UNKNOWN_MARKET;
    const { sequence } = book;
    const { fromSeq } = request;
    const missed = book.memory.filter((delta) => delta.sequence > (fromSeq ?? 0));
    if (fromSeq !== undefined && fromSeq + missed.length === sequence) {
      const changes = missed.flatMap((delta) => delta.changes);
      const delta = { market: request.market!, previous: fromSeq, sequence, time: 7, changes };
      return { sequence, resumed: true, frames: missed.length === 0 ? [] : [encodeBookDelta(delta)] };
    }
    return {
      sequence,
      resumed: false,
      frames: encodeBookSnapshot({
        market: request.market!,
        sequence,
        time: 7,
        ...this.book(request.market!),
      }),
    };
  }

  /** The book as it is, best first. */
  book(market: number): {
    bids: { price: number; size: number }[];
    asks: { price: number; size: number }[];
  } {
    const levels = [...this.markets.get(market)!.levels.values()];
    const half = (side: number, order: number) =>
      levels
        .filter((level) => level.side === side)
        .map(({ price, size }) => ({ price, size }))
        .sort((a, b) => order * (a.price - b.price));
    return { bids: half(0, -1), asks: half(1, 1) };
  }

  private startAccount(account: number, fromSeq: number | undefined): StreamStart {
    const reports = this.reportsOf(account);
    const sequence = reports.length;
    if (fromSeq === undefined || fromSeq > sequence || sequence - fromSeq > this.memory)
      return { sequence, resumed: false, frames: [] };
    return { sequence, resumed: true, frames: reports.slice(fromSeq) };
  }

  private reportsOf(account: number): Uint8Array[] {
    let reports = this.accounts.get(account);
    if (reports === undefined) {
      reports = [];
      this.accounts.set(account, reports);
    }
    return reports;
  }
}
