/**
 * Private streams: execution reports and account events, in one report sequence per account that rises by one.
 * The last reports are kept, so that a connection that was cut can continue where it was.
 *
 * Report sequences are not part of the state, so a new process can't know where the last one stopped. It starts
 * above anything that was ever used: at the time of its start in 1/1024 ms, far more than reports can come.
 */

import type { StreamStart } from '#pipeline/ports.ts';
import {
  ACCOUNT_CREATED,
  DEAD_MAN_SET,
  DEPOSIT,
  EventKind,
  FUNDING_PAYMENT,
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
  AccountEventKind,
  EXECUTION_REPORT_BYTES,
  type ExecutionReport,
  Liquidity,
  ReportKind,
  writeAccountEvent,
  writeExecutionReport,
} from '#protocol/wire.ts';
import { FrameRing } from './frame-ring.ts';

/** Reports that are kept per account. */
export const REPORTS_KEPT = 512;

export const firstReportSequence = (startMs: TimeMs): number => startMs * 1024;

type Report = Omit<ExecutionReport, 'reportSequence' | 'seq' | 'time' | 'account'>;

const NO_REPORT: Report = {
  market: 0,
  kind: 0,
  side: 0,
  orderId: 0,
  clientId: 0,
  price: 0,
  lastPrice: 0,
  size: 0,
  lastSize: 0,
  remainingSize: 0,
  fee: 0,
  tradeId: 0,
  liquidity: Liquidity.NONE,
  removeReason: 0,
  code: 0,
  flags: 0,
  operation: 0,
};

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
    const seq = data[at + 1]!;
    const time = data[at + 2]!;
    const column = (offset: number): number => data[at + offset]!;
    const report = (account: AccountId, fields: Partial<Report>): void =>
      this.report(account, seq, time, fields);
    const event = (account: AccountId, fields: AccountFields): void => this.event(account, seq, time, fields);
    switch (data[at]) {
      case EventKind.OPERATION_RESULT:
        if (column(OPERATION_RESULT.code) === 0) break;
        report(column(OPERATION_RESULT.account), {
          kind: ReportKind.REJECTED,
          orderId: column(OPERATION_RESULT.orderId),
          clientId: column(OPERATION_RESULT.clientId),
          code: column(OPERATION_RESULT.code),
          operation: column(OPERATION_RESULT.operation),
        });
        break;
      case EventKind.ORDER_RESTED:
        report(column(ORDER_RESTED.account), {
          kind: ReportKind.RESTED,
          market: column(ORDER_RESTED.market),
          side: column(ORDER_RESTED.side),
          orderId: column(ORDER_RESTED.orderId),
          clientId: column(ORDER_RESTED.clientId),
          price: column(ORDER_RESTED.price),
          size: column(ORDER_RESTED.size),
          remainingSize: column(ORDER_RESTED.size),
          flags: column(ORDER_RESTED.flags),
        });
        break;
      case EventKind.TRADE: {
        const trade = {
          kind: ReportKind.TRADE,
          market: column(TRADE.market),
          lastPrice: column(TRADE.price),
          lastSize: column(TRADE.size),
          tradeId: column(TRADE.tradeId),
        };
        const takerSide = column(TRADE.takerSide);
        report(column(TRADE.makerAccount), {
          ...trade,
          side: 1 - takerSide,
          orderId: column(TRADE.makerOrderId),
          clientId: column(TRADE.makerClientId),
          remainingSize: column(TRADE.makerRemaining),
          fee: column(TRADE.makerFee),
          liquidity: Liquidity.MAKER,
        });
        report(column(TRADE.takerAccount), {
          ...trade,
          side: takerSide,
          orderId: column(TRADE.takerOrderId),
          clientId: column(TRADE.takerClientId),
          remainingSize: column(TRADE.takerRemaining),
          fee: column(TRADE.takerFee),
          liquidity: Liquidity.TAKER,
        });
        break;
      }
      case EventKind.ORDER_REMOVED:
        report(column(ORDER_REMOVED.account), {
          kind: ReportKind.REMOVED,
          market: column(ORDER_REMOVED.market),
          side: column(ORDER_REMOVED.side),
          orderId: column(ORDER_REMOVED.orderId),
          clientId: column(ORDER_REMOVED.clientId),
          price: column(ORDER_REMOVED.price),
          size: column(ORDER_REMOVED.size),
          removeReason: column(ORDER_REMOVED.reason),
        });
        break;
      case EventKind.ORDER_REDUCED:
        report(column(ORDER_REDUCED.account), {
          kind: ReportKind.REDUCED,
          market: column(ORDER_REDUCED.market),
          side: column(ORDER_REDUCED.side),
          orderId: column(ORDER_REDUCED.orderId),
          clientId: column(ORDER_REDUCED.clientId),
          price: column(ORDER_REDUCED.price),
          size: column(ORDER_REDUCED.newSize),
          remainingSize: column(ORDER_REDUCED.newSize),
        });
        break;
      case EventKind.DEPOSIT:
        event(column(DEPOSIT.account), {
          kind: AccountEventKind.DEPOSIT,
          subject: column(DEPOSIT.asset),
          amount: column(DEPOSIT.amount),
          reference: column(DEPOSIT.queueIndex),
        });
        break;
      case EventKind.WITHDRAWAL:
        event(column(WITHDRAWAL.account), {
          kind: AccountEventKind.WITHDRAWAL,
          subject: column(WITHDRAWAL.asset),
          amount: -column(WITHDRAWAL.amount),
          reference: column(WITHDRAWAL.forced),
        });
        break;
      case EventKind.TRANSFER: {
        const transfer = { kind: AccountEventKind.TRANSFER, subject: column(TRANSFER.asset) };
        const [from, to, amount] = [column(TRANSFER.from), column(TRANSFER.to), column(TRANSFER.amount)];
        event(from, { ...transfer, amount: -amount, reference: to });
        event(to, { ...transfer, amount, reference: from });
        break;
      }
      case EventKind.FUNDING_PAYMENT:
        event(column(FUNDING_PAYMENT.account), {
          kind: AccountEventKind.FUNDING_PAYMENT,
          subject: column(FUNDING_PAYMENT.market),
          amount: column(FUNDING_PAYMENT.amount),
          reference: column(FUNDING_PAYMENT.position),
        });
        break;
      case EventKind.ACCOUNT_CREATED:
        event(column(ACCOUNT_CREATED.account), {
          kind: AccountEventKind.ACCOUNT_CREATED,
          subject: 0,
          amount: 0,
          reference: column(ACCOUNT_CREATED.subaccount),
        });
        break;
      case EventKind.SESSION_KEY_SET:
        event(column(SESSION_KEY_SET.account), {
          kind: AccountEventKind.SESSION_KEY_SET,
          subject: column(SESSION_KEY_SET.scope),
          amount: 0,
          reference: column(SESSION_KEY_SET.expiry),
        });
        break;
      case EventKind.DEAD_MAN_SET:
        event(column(DEAD_MAN_SET.account), {
          kind: AccountEventKind.DEAD_MAN_SET,
          subject: 0,
          amount: 0,
          reference: column(DEAD_MAN_SET.deadline),
        });
        break;
    }
  }

  private report(account: AccountId, seq: number, time: TimeMs, fields: Partial<Report>): void {
    const { ring } = this.touch(account);
    const reportSequence = ring.last + 1;
    const { view, at } = ring.push(reportSequence);
    writeExecutionReport(view, at, { ...NO_REPORT, ...fields, reportSequence, seq, time, account });
  }

  private event(account: AccountId, seq: number, time: TimeMs, fields: AccountFields): void {
    const { ring } = this.touch(account);
    const reportSequence = ring.last + 1;
    const { view, at } = ring.push(reportSequence);
    writeAccountEvent(view, at, { ...fields, reportSequence, seq, time, account });
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
