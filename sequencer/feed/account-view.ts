/**
 * Private streams: execution reports and account events, in one report sequence per account that rises by one.
 * The last reports are kept, so that a connection that was cut can continue where it was.
 *
 * Report sequences are not part of the state, so a new process can't know where the last one stopped. It starts
 * above anything that was ever used: at the time of its start in 1/1024 ms, far more than reports can come.
 */

import type { StreamStart } from '#pipeline/ports.ts';
import { AccountEventKind } from '#protocol/account-event.ts';
import {
  ACCOUNT_CREATED,
  DEAD_MAN_SET,
  DEPOSIT,
  EventKind,
  FUNDING_PAYMENT,
  LEVERAGE_SET,
  LOCK_SET,
  OPERATION_RESULT,
  ORDER_REDUCED,
  ORDER_REMOVED,
  ORDER_RESTED,
  SESSION_KEY_SET,
  TRADE,
  TRANSFER,
  WITHDRAWAL,
} from '#protocol/event.ts';
import type { AccountId, TimeMs } from '#protocol/units.ts';
import {
  EXECUTION_REPORT_BYTES,
  type ExecutionReport,
  Liquidity,
  ReportKind,
  writeAccountEvent,
  writeExecutionReport,
} from '#protocol/wire.ts';
import { FrameRing } from './frame-ring.ts';
import type { RiskAlert } from './risk-watch.ts';

/** Reports that are kept per account. */
export const REPORTS_KEPT = 512;

export const firstReportSequence = (startMs: TimeMs): number => startMs * 1024;

/** Filled anew for each report, so that nothing is allocated on the way. */
class Report implements ExecutionReport {
  reportSequence = 0;
  seq = 0;
  time = 0;
  account = 0;
  market = 0;
  kind = 0;
  side = 0;
  orderId = 0;
  clientId = 0;
  price = 0;
  lastPrice = 0;
  size = 0;
  lastSize = 0;
  remainingSize = 0;
  fee = 0;
  tradeId = 0;
  liquidity: number = Liquidity.NONE;
  removeReason = 0;
  code = 0;
  flags = 0;
  operation = 0;

  /** A report of `kind` about an order, with everything else at 0. */
  begin(kind: number, order: { market: number; side: number; orderId: number; clientId: number }): void {
    this.kind = kind;
    this.market = order.market;
    this.side = order.side;
    this.orderId = order.orderId;
    this.clientId = order.clientId;
    this.price = 0;
    this.lastPrice = 0;
    this.size = 0;
    this.lastSize = 0;
    this.remainingSize = 0;
    this.fee = 0;
    this.tradeId = 0;
    this.liquidity = Liquidity.NONE;
    this.removeReason = 0;
    this.code = 0;
    this.flags = 0;
    this.operation = 0;
  }
}

interface Stream {
  readonly ring: FrameRing;
  /** Last sequence that was given to the listener. */
  told: number;
  isDirty: boolean;
}

export class AccountView {
  private readonly before: number;
  private readonly streams = new Map<AccountId, Stream>();
  private readonly dirty: AccountId[] = [];
  private readonly report = new Report();

  /** `before`: the first report of every account is this + 1. */
  constructor(before: number) {
    this.before = before;
  }

  start(account: AccountId, fromSeq?: number): StreamStart {
    const ring = this.streams.get(account)?.ring;
    const sequence = ring?.last ?? this.before;
    if (fromSeq === undefined) return { sequence, resumed: false, frames: [] };
    if (ring === undefined ? fromSeq !== sequence : !ring.reaches(fromSeq))
      return { sequence, resumed: false, frames: [] };
    return { sequence, resumed: true, frames: fromSeq === sequence ? [] : [ring!.since(fromSeq)] };
  }

  /** Visits what was not told yet, account by account. */
  publish(
    wants: (account: AccountId) => boolean,
    tell: (account: AccountId, frames: Uint8Array, sequence: number) => void,
  ): void {
    for (const account of this.dirty) {
      const stream = this.streams.get(account)!;
      if (wants(account)) tell(account, stream.ring.since(stream.told), stream.ring.last);
      stream.told = stream.ring.last;
      stream.isDirty = false;
    }
    this.dirty.length = 0;
  }

  /** Takes one event row at offset `at`; rows that concern no account are passed over. */
  onRow(data: Float64Array, at: number): void {
    switch (data[at]) {
      case EventKind.OPERATION_RESULT:
        if (data[at + OPERATION_RESULT.code] !== 0) this.onRejected(data, at);
        break;
      case EventKind.ORDER_RESTED:
        this.onRested(data, at);
        break;
      case EventKind.TRADE:
        this.onTrade(data, at, true);
        this.onTrade(data, at, false);
        break;
      case EventKind.ORDER_REMOVED:
        this.onRemoved(data, at);
        break;
      case EventKind.ORDER_REDUCED:
        this.onReduced(data, at);
        break;
      default:
        this.onAccountEvent(data, at);
    }
  }

  private onRejected(data: Float64Array, at: number): void {
    const { report } = this;
    report.begin(ReportKind.REJECTED, {
      market: 0,
      side: 0,
      orderId: data[at + OPERATION_RESULT.orderId]!,
      clientId: data[at + OPERATION_RESULT.clientId]!,
    });
    report.code = data[at + OPERATION_RESULT.code]!;
    report.operation = data[at + OPERATION_RESULT.operation]!;
    this.write(data, at, data[at + OPERATION_RESULT.account]!);
  }

  private onRested(data: Float64Array, at: number): void {
    const { report } = this;
    report.begin(ReportKind.RESTED, {
      market: data[at + ORDER_RESTED.market]!,
      side: data[at + ORDER_RESTED.side]!,
      orderId: data[at + ORDER_RESTED.orderId]!,
      clientId: data[at + ORDER_RESTED.clientId]!,
    });
    report.price = data[at + ORDER_RESTED.price]!;
    report.size = data[at + ORDER_RESTED.size]!;
    report.remainingSize = report.size;
    report.flags = data[at + ORDER_RESTED.flags]!;
    this.write(data, at, data[at + ORDER_RESTED.account]!);
  }

  /** A trade is two reports: the maker's and the taker's. */
  private onTrade(data: Float64Array, at: number, isMaker: boolean): void {
    const { report } = this;
    const takerSide = data[at + TRADE.takerSide]!;
    report.begin(ReportKind.TRADE, {
      market: data[at + TRADE.market]!,
      side: isMaker ? 1 - takerSide : takerSide,
      orderId: data[at + (isMaker ? TRADE.makerOrderId : TRADE.takerOrderId)]!,
      clientId: data[at + (isMaker ? TRADE.makerClientId : TRADE.takerClientId)]!,
    });
    report.lastPrice = data[at + TRADE.price]!;
    report.lastSize = data[at + TRADE.size]!;
    report.tradeId = data[at + TRADE.tradeId]!;
    report.remainingSize = data[at + (isMaker ? TRADE.makerRemaining : TRADE.takerRemaining)]!;
    report.fee = data[at + (isMaker ? TRADE.makerFee : TRADE.takerFee)]!;
    report.liquidity = isMaker ? Liquidity.MAKER : Liquidity.TAKER;
    this.write(data, at, data[at + (isMaker ? TRADE.makerAccount : TRADE.takerAccount)]!);
  }

  private onRemoved(data: Float64Array, at: number): void {
    const { report } = this;
    report.begin(ReportKind.REMOVED, {
      market: data[at + ORDER_REMOVED.market]!,
      side: data[at + ORDER_REMOVED.side]!,
      orderId: data[at + ORDER_REMOVED.orderId]!,
      clientId: data[at + ORDER_REMOVED.clientId]!,
    });
    report.price = data[at + ORDER_REMOVED.price]!;
    report.size = data[at + ORDER_REMOVED.size]!;
    report.removeReason = data[at + ORDER_REMOVED.reason]!;
    this.write(data, at, data[at + ORDER_REMOVED.account]!);
  }

  private onReduced(data: Float64Array, at: number): void {
    const { report } = this;
    report.begin(ReportKind.REDUCED, {
      market: data[at + ORDER_REDUCED.market]!,
      side: data[at + ORDER_REDUCED.side]!,
      orderId: data[at + ORDER_REDUCED.orderId]!,
      clientId: data[at + ORDER_REDUCED.clientId]!,
    });
    report.price = data[at + ORDER_REDUCED.price]!;
    report.size = data[at + ORDER_REDUCED.newSize]!;
    report.remainingSize = report.size;
    this.write(data, at, data[at + ORDER_REDUCED.account]!);
  }

  /** Writes the report as the account's next one. */
  private write(data: Float64Array, at: number, account: AccountId): void {
    const { report } = this;
    const { ring } = this.touch(account);
    report.reportSequence = ring.last + 1;
    report.seq = data[at + 1]!;
    report.time = data[at + 2]!;
    report.account = account;
    const slot = ring.push(report.reportSequence);
    writeExecutionReport(ring.view, slot, report);
  }

  /** Money and rights: rare, so that objects do no harm. */
  private onAccountEvent(data: Float64Array, at: number): void {
    switch (data[at]) {
      case EventKind.DEPOSIT:
        this.tell(data, at, data[at + DEPOSIT.account]!, {
          kind: AccountEventKind.DEPOSIT,
          subject: data[at + DEPOSIT.asset]!,
          amount: data[at + DEPOSIT.amount]!,
          reference: data[at + DEPOSIT.queueIndex]!,
        });
        break;
      case EventKind.WITHDRAWAL:
        this.tell(data, at, data[at + WITHDRAWAL.account]!, {
          kind: AccountEventKind.WITHDRAWAL,
          subject: data[at + WITHDRAWAL.asset]!,
          amount: -data[at + WITHDRAWAL.amount]!,
          reference: data[at + WITHDRAWAL.forced]!,
        });
        break;
      case EventKind.TRANSFER: {
        const transfer = { kind: AccountEventKind.TRANSFER, subject: data[at + TRANSFER.asset]! };
        const amount = data[at + TRANSFER.amount]!;
        const from = data[at + TRANSFER.from]!;
        const to = data[at + TRANSFER.to]!;
        this.tell(data, at, from, { ...transfer, amount: -amount, reference: to });
        this.tell(data, at, to, { ...transfer, amount, reference: from });
        break;
      }
      case EventKind.FUNDING_PAYMENT:
        this.tell(data, at, data[at + FUNDING_PAYMENT.account]!, {
          kind: AccountEventKind.FUNDING_PAYMENT,
          subject: data[at + FUNDING_PAYMENT.market]!,
          amount: data[at + FUNDING_PAYMENT.amount]!,
          reference: data[at + FUNDING_PAYMENT.position]!,
        });
        break;
      case EventKind.ACCOUNT_CREATED:
        this.tell(data, at, data[at + ACCOUNT_CREATED.account]!, {
          kind: AccountEventKind.ACCOUNT_CREATED,
          subject: data[at + ACCOUNT_CREATED.isolatedMarket]!,
          amount: 0,
          reference: data[at + ACCOUNT_CREATED.subaccount]!,
        });
        break;
      case EventKind.SESSION_KEY_SET:
        this.tell(data, at, data[at + SESSION_KEY_SET.account]!, {
          kind: AccountEventKind.SESSION_KEY_SET,
          subject: data[at + SESSION_KEY_SET.scope]!,
          amount: 0,
          reference: data[at + SESSION_KEY_SET.expiry]!,
        });
        break;
      case EventKind.LEVERAGE_SET:
        this.tell(data, at, data[at + LEVERAGE_SET.account]!, {
          kind: AccountEventKind.LEVERAGE_SET,
          subject: data[at + LEVERAGE_SET.market]!,
          amount: 0,
          reference: data[at + LEVERAGE_SET.initialPpm]!,
        });
        break;
      case EventKind.DEAD_MAN_SET:
        this.tell(data, at, data[at + DEAD_MAN_SET.account]!, {
          kind: AccountEventKind.DEAD_MAN_SET,
          subject: 0,
          amount: 0,
          reference: data[at + DEAD_MAN_SET.deadline]!,
        });
        break;
      case EventKind.LOCK_SET:
        this.tell(data, at, data[at + LOCK_SET.account]!, {
          kind: AccountEventKind.LOCK_SET,
          subject: data[at + LOCK_SET.locked]!,
          amount: 0,
          reference: 0,
        });
        break;
    }
  }

  private tell(data: Float64Array, at: number, account: AccountId, fields: AccountFields): void {
    const { ring } = this.touch(account);
    const reportSequence = ring.last + 1;
    const slot = ring.push(reportSequence);
    writeAccountEvent(ring.view, slot, {
      ...fields,
      reportSequence,
      seq: data[at + 1]!,
      time: data[at + 2]!,
      account,
    });
  }

  /** A warning: distance in ppm as the amount; level of an hour, and of a day times 256, as the reference. */
  onAlert({ account, seq, time, market, distancePpm, levels }: RiskAlert): void {
    const { ring } = this.touch(account);
    const reportSequence = ring.last + 1;
    const slot = ring.push(reportSequence);
    writeAccountEvent(ring.view, slot, {
      kind: AccountEventKind.RISK_ALERT,
      subject: market,
      amount: distancePpm,
      reference: levels[0] + 256 * levels[1],
      reportSequence,
      seq,
      time,
      account,
    });
  }

  private touch(account: AccountId): Stream {
    let stream = this.streams.get(account);
    if (stream === undefined) {
      const ring = new FrameRing({ slotBytes: EXECUTION_REPORT_BYTES, slotsMax: REPORTS_KEPT }, this.before);
      stream = { ring, told: this.before, isDirty: false };
      this.streams.set(account, stream);
    }
    if (!stream.isDirty) {
      stream.isDirty = true;
      this.dirty.push(account);
    }
    return stream;
  }
}

interface AccountFields {
  readonly kind: number;
  readonly subject: number;
  readonly amount: number;
  readonly reference: number;
}
