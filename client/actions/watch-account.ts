/** The private stream of an account: execution reports, fills, money. Needs a login. */
import { type AccountEvent, type ExecutionReport, ReportKind } from '#protocol/wire.ts';
import type { Session } from '../session.ts';
import { AccountReader, type StreamGap } from '../stream-readers.ts';
import { hold } from '../streams.ts';
import type { Watch } from './watch-market.ts';

export interface AccountWatch extends Watch {
  /** Give it as `after` to continue from here in another process. */
  readonly lastReportSequence: number | undefined;
}

/** Whether a fill made or took liquidity. */
export interface Fill {
  readonly reportSequence: number;
  readonly seq: number;
  readonly time: number;
  readonly market: number;
  readonly side: number;
  readonly orderId: number;
  readonly clientId: number;
  readonly tradeId: number;
  /** Ticks. */
  readonly price: number;
  /** Lots. */
  readonly size: number;
  readonly remainingSize: number;
  /** q; negative is a rebate. */
  readonly fee: number;
  readonly liquidity: 'maker' | 'taker';
}

const MAKER = 1;

/**
 * Every report of the account once and in order, also across reconnects. `after`: the last report sequence that
 * the program has from an earlier run (only the first watch of an account on a client sets it). `onGap`: reports
 * that the server no longer has; query the history.
 */
export async function watchAccount(
  session: Session,
  watch: {
    readonly onReport?: (report: ExecutionReport) => void;
    readonly onFill?: (fill: Fill) => void;
    readonly onEvent?: (event: AccountEvent) => void;
    readonly onGap?: (gap: StreamGap) => void;
    readonly after?: number;
  },
): Promise<AccountWatch> {
  const { account } = session.identity();
  const { onReport, onFill, onEvent, onGap } = watch;
  const { reader, release } = await hold(
    session,
    { channel: 'account', account },
    () => new AccountReader(watch.after),
    (stream) => [
      onReport && stream.reports.add(onReport),
      onFill &&
        stream.reports.add((report) => {
          if (report.kind === ReportKind.TRADE) onFill(fillOf(report));
        }),
      onEvent && stream.events.add(onEvent),
      onGap && stream.gaps.add(onGap),
    ],
  );
  return {
    close: release,
    get lastReportSequence() {
      return reader.lastSequence;
    },
  };
}

export const fillOf = (report: ExecutionReport): Fill => ({
  reportSequence: report.reportSequence,
  seq: report.seq,
  time: report.time,
  market: report.market,
  side: report.side,
  orderId: report.orderId,
  clientId: report.clientId,
  tradeId: report.tradeId,
  price: report.lastPrice,
  size: report.lastSize,
  remainingSize: report.remainingSize,
  fee: report.fee,
  liquidity: report.liquidity === MAKER ? 'maker' : 'taker',
});
