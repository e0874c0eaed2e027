/**
 * The feed: is given the events of durable commands, keeps the views, and tells the gateway what its readers
 * want to hear. One publication per group commit and stream; whoever was slow asks for the sum of what it missed.
 */

import type { EventConsumer, EventRows, FeedListener, FeedSource, StreamStart } from '#pipeline/ports.ts';
import { EVENT_STRIDE, EventKind, OPERATION_RESULT, TRADE } from '#protocol/event.ts';
import { PLACE } from '#protocol/operation.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { Seq, TimeMs } from '#protocol/units.ts';
import type { Channel, SubscribeRequest } from '#protocol/wire.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { AccountView, firstReportSequence } from './account-view.ts';
import { BookViewL2 } from './book-view-l2.ts';
import { BookViewL3 } from './book-view-l3.ts';
import { type ChangedOrder, DurableBook } from './durable-book.ts';
import { RiskWatch } from './risk-watch.ts';
import { TickerView } from './ticker.ts';
import { TradeView } from './trade-view.ts';

const NOBODY: FeedListener = { wants: () => false, onFrames() {}, onEndOfBatch() {} };

/** The streams of one market, and how far the listener was told. */
interface MarketStreams {
  readonly l2: BookViewL2;
  readonly l3: BookViewL3;
  readonly trades: TradeView;
  toldL2: Seq;
  toldL3: Seq;
  isDirty: boolean;
}

export class Publisher implements EventConsumer, FeedSource {
  readonly name = 'feed';
  readonly book: DurableBook;
  readonly ticker: TickerView;
  readonly accounts: AccountView;
  readonly risk: RiskWatch;
  acknowledgedSeq: Seq;
  /** Since the start. */
  readonly totals = { trades: 0, operations: 0, orders: 0 };

  private readonly startSeq: Seq;
  private readonly startTradeId: number;
  private readonly markets: (MarketStreams | undefined)[] = [];
  private readonly dirty: number[] = [];
  private listener: FeedListener = NOBODY;
  private rowTime: TimeMs = 0;
  /** Something was taken in and not published. */
  private isPending = false;

  /** Starts as `state`, all of which must be durable; `startMs`: the clock at the start. */
  constructor(state: ExchangeState, startMs: TimeMs) {
    this.acknowledgedSeq = state.seq;
    this.startSeq = state.seq;
    this.startTradeId = state.nextTradeId - 1;
    this.book = new DurableBook(state, { onOrder: (change) => this.onOrder(change) });
    this.ticker = new TickerView(state, this.book);
    this.risk = new RiskWatch(state);
    this.accounts = new AccountView(firstReportSequence(Math.max(startMs, state.now)));
  }

  // EventConsumer -------------------------------------------------------------------------------------------

  onEvents(rows: EventRows, throughSeq: Seq, endOfBatch: boolean): void {
    const { data } = rows;
    for (let row = 0; row < rows.count; row++) {
      const at = row * EVENT_STRIDE;
      this.rowTime = data[at + 2]!;
      this.book.onRow(data, at);
      this.ticker.onRow(data, at);
      this.accounts.onRow(data, at);
      this.risk.onRow(data, at);
      if (data[at] === EventKind.TRADE) {
        this.totals.trades++;
        const market = data[at + TRADE.market]!;
        this.touch(market).trades.onTrade(data, at);
      } else if (data[at] === EventKind.OPERATION_RESULT) {
        this.totals.operations++;
        if (data[at + OPERATION_RESULT.operation] === PLACE) this.totals.orders++;
      }
    }
    this.acknowledgedSeq = throughSeq;
    this.isPending = true;
    if (endOfBatch) this.publish();
  }

  // FeedSource ----------------------------------------------------------------------------------------------

  listen(listener: FeedListener): void {
    this.listener = listener;
  }

  start(request: SubscribeRequest): StreamStart | RejectCode {
    const { channel, market = 0, account = 0, fromSeq } = request;
    // Whoever comes now starts after what the others are told.
    if (this.isPending) this.publish();
    if (channel === 'account') {
      this.risk.watch(account);
      return this.accounts.start(account, fromSeq);
    }
    // Receipts are not made of events: whoever makes them stands in front of this feed.
    if (channel === 'receipts') return Reject.UNKNOWN_CHANNEL;
    if (channel === 'status')
      return { sequence: this.acknowledgedSeq, resumed: false, frames: this.ticker.statuses() };
    if (!this.ticker.has(market)) return Reject.UNKNOWN_MARKET;
    const streams = this.streams(market);
    switch (channel) {
      case 'ticker':
        return { sequence: this.ticker.seq, resumed: false, frames: [this.ticker.ticker(market)] };
      case 'bookL2':
        return bookStart(streams.l2, fromSeq);
      case 'bookL3':
        return bookStart(streams.l3, fromSeq);
      case 'trades': {
        const { ring } = streams.trades;
        if (fromSeq === undefined || !ring.reaches(fromSeq))
          return { sequence: ring.last, resumed: false, frames: [] };
        const frames = fromSeq === ring.last ? [] : [ring.since(fromSeq)];
        return { sequence: ring.last, resumed: true, frames };
      }
    }
  }

  // Publication ---------------------------------------------------------------------------------------------

  private publish(): void {
    const { listener } = this;
    this.isPending = false;
    const wants = (account: number): boolean => listener.wants('account', account);
    this.risk.run(this.acknowledgedSeq, wants, (alert) => this.accounts.onAlert(alert));
    this.accounts.publish(wants, (account, frames, sequence) =>
      listener.onFrames('account', account, frames, sequence),
    );
    for (const market of this.dirty) this.publishMarket(market, this.streams(market));
    this.dirty.length = 0;
    this.ticker.publish(
      (market) => {
        if (listener.wants('ticker', market))
          listener.onFrames('ticker', market, this.ticker.ticker(market), this.ticker.seq);
      },
      (market) => {
        if (listener.wants('status', 0))
          listener.onFrames('status', 0, this.ticker.status(market), this.acknowledgedSeq);
      },
    );
    listener.onEndOfBatch();
  }

  private publishMarket(market: number, streams: MarketStreams): void {
    const { l2, l3, trades } = streams;
    streams.isDirty = false;
    if (this.wants('trades', market) && trades.ring.last > trades.told)
      this.listener.onFrames('trades', market, trades.ring.since(trades.told), trades.ring.last);
    if (this.wants('bookL2', market)) this.publishBook('bookL2', market, l2, streams.toldL2);
    if (this.wants('bookL3', market)) this.publishBook('bookL3', market, l3, streams.toldL3);
    trades.told = trades.ring.last;
    streams.toldL2 = l2.sequence;
    streams.toldL3 = l3.sequence;
  }

  /** A delta, or the whole book when so much has changed at once that it is shorter. */
  private publishBook(channel: Channel, market: number, view: BookViewL2 | BookViewL3, told: Seq): void {
    if (view.sequence === told) return;
    const delta = view.delta(told);
    if (delta !== undefined) this.listener.onFrames(channel, market, delta, view.sequence);
    else for (const frame of view.snapshot()) this.listener.onFrames(channel, market, frame, view.sequence);
  }

  private wants(channel: Channel, market: number): boolean {
    return this.listener.wants(channel, market);
  }

  private onOrder(change: Readonly<ChangedOrder>): void {
    const streams = this.touch(change.market);
    streams.l2.onLevel(change, this.rowTime);
    streams.l3.onOrder(change, this.rowTime);
    this.ticker.touchBook(change.market);
  }

  private touch(market: number): MarketStreams {
    const streams = this.streams(market);
    if (!streams.isDirty) {
      streams.isDirty = true;
      this.dirty.push(market);
    }
    return streams;
  }

  private streams(market: number): MarketStreams {
    let streams = this.markets[market];
    if (streams === undefined) {
      // Nothing happened in this market between the start of this process and now.
      const { startSeq } = this;
      streams = {
        l2: new BookViewL2(market, this.book, startSeq),
        l3: new BookViewL3(market, this.book, startSeq),
        trades: new TradeView(this.startTradeId),
        toldL2: startSeq,
        toldL3: startSeq,
        isDirty: false,
      };
      while (this.markets.length < market) this.markets.push(undefined);
      this.markets[market] = streams;
    }
    return streams;
  }
}

function bookStart(view: BookViewL2 | BookViewL3, fromSeq: number | undefined): StreamStart {
  const { sequence } = view;
  const delta = fromSeq === undefined || fromSeq === sequence ? undefined : view.delta(fromSeq);
  if (fromSeq === sequence) return { sequence, resumed: true, frames: [] };
  if (delta !== undefined) return { sequence, resumed: true, frames: [delta] };
  return { sequence, resumed: false, frames: view.snapshot() };
}
