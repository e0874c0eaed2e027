/**
 * Readers of the streams that are no books: trades, ticker, market status, and the private stream of an account.
 * Each delivers every item once and in order, and says so when some are missing for good.
 */
import type { SignedReceipt } from '#protocol/receipt.ts';
import {
  type AccountEvent,
  decodeAccountEvent,
  decodeExecutionReport,
  type ExecutionReport,
  FrameType,
  isReject,
  type Subscribed,
} from '#protocol/wire.ts';
import {
  decodeMarketStatus,
  decodeTicker,
  decodeTrade,
  type MarketStatusEvent,
  type PublicTrade,
  type Ticker,
} from '#protocol/wire-market-data.ts';
import { decodeReceiptFrame } from '#protocol/wire-receipt.ts';
import type { SluiceError } from './errors.ts';
import { Listeners } from './listeners.ts';
import type { ChannelReader } from './subscriptions.ts';

/** Items that will not come: everything after `after` up to and including `through`. History has them. */
export interface StreamGap {
  readonly after: number;
  readonly through: number;
}

/** What all of them share: the sequence held, and the first answer of the server as a promise. */
export abstract class StreamReader implements ChannelReader {
  protected last: number | undefined;
  readonly gaps = new Listeners<StreamGap>();
  readonly failures = new Listeners<SluiceError>();
  /** Resolves at the first SUBSCRIBED, rejects when it is refused. */
  readonly ready: Promise<void>;
  private markReady: () => void = () => {};
  private markFailed: (error: SluiceError) => void = () => {};

  /** `after`: the last sequence that the program has from an earlier run; the stream continues behind it. */
  constructor(after?: number) {
    this.last = after;
    this.ready = new Promise((resolve, reject) => {
      this.markReady = resolve;
      this.markFailed = reject;
    });
    this.ready.catch(() => {});
  }

  abstract onFrame(type: number, view: DataView, at: number): boolean;

  resumeAfter(): number | undefined {
    return this.last;
  }

  /** Sequence of the last item delivered: give it as `after` to continue in another process. */
  get lastSequence(): number | undefined {
    return this.last;
  }

  onSubscribed(subscribed: Subscribed): void {
    if (!subscribed.resumed) {
      if (this.last !== undefined && subscribed.sequence > this.last)
        this.gaps.emit({ after: this.last, through: subscribed.sequence });
      this.last = subscribed.sequence;
    }
    this.markReady();
  }

  onFailed(error: SluiceError): void {
    this.markFailed(error);
    this.failures.emit(error);
  }
}

export class TradesReader extends StreamReader {
  readonly trades = new Listeners<PublicTrade>();

  override onFrame(_type: number, view: DataView, at: number): boolean {
    const trade = decodeTrade(view, at);
    if (isReject(trade)) return false;
    if (this.last !== undefined && trade.sequence <= this.last) return true;
    if (this.last !== undefined && trade.previous > this.last) return false;
    this.last = trade.sequence;
    this.trades.emit(trade);
    return true;
  }
}

/** Conflated by the server: only the newest counts, so there are no gaps. */
export class TickerReader extends StreamReader {
  readonly tickers = new Listeners<Ticker>();
  latest: Ticker | undefined;

  override resumeAfter(): undefined {
    return undefined;
  }

  override onFrame(_type: number, view: DataView, at: number): boolean {
    const ticker = decodeTicker(view, at);
    if (isReject(ticker)) return false;
    this.latest = ticker;
    this.tickers.emit(ticker);
    return true;
  }
}

export class StatusReader extends StreamReader {
  readonly statuses = new Listeners<MarketStatusEvent>();

  override resumeAfter(): undefined {
    return undefined;
  }

  override onFrame(_type: number, view: DataView, at: number): boolean {
    const status = decodeMarketStatus(view, at);
    if (isReject(status)) return false;
    this.statuses.emit(status);
    return true;
  }
}

/** Signatures are not checked here. A second receipt for the last command is told, too: it may say something else. */
export class ReceiptsReader extends StreamReader {
  readonly receipts = new Listeners<SignedReceipt>();

  override onSubscribed(subscribed: Subscribed): void {
    super.onSubscribed(subscribed);
    // The stream begins anew with the last receipt.
    if (!subscribed.resumed) this.last = undefined;
  }

  override onFrame(_type: number, view: DataView, at: number): boolean {
    const frame = decodeReceiptFrame(view, at);
    if (isReject(frame)) return false;
    const { previous, receipt } = frame;
    if (this.last !== undefined && receipt.seq < this.last) return true;
    if (this.last !== undefined && previous > this.last) return false;
    this.last = receipt.seq;
    this.receipts.emit(receipt);
    return true;
  }
}

/** Execution reports and account events share one sequence that rises by one. */
export class AccountReader extends StreamReader {
  readonly reports = new Listeners<ExecutionReport>();
  readonly events = new Listeners<AccountEvent>();

  override onFrame(type: number, view: DataView, at: number): boolean {
    if (type === FrameType.EXECUTION_REPORT) {
      const report = decodeExecutionReport(view, at);
      if (isReject(report)) return false;
      const place = this.place(report.reportSequence);
      if (place === 'next') this.reports.emit(report);
      return place !== 'gap';
    }
    const event = decodeAccountEvent(view, at);
    if (isReject(event)) return false;
    const place = this.place(event.reportSequence);
    if (place === 'next') this.events.emit(event);
    return place !== 'gap';
  }

  private place(sequence: number): 'next' | 'old' | 'gap' {
    if (this.last !== undefined && sequence <= this.last) return 'old';
    if (this.last !== undefined && sequence !== this.last + 1) return 'gap';
    this.last = sequence;
    return 'next';
  }
}
