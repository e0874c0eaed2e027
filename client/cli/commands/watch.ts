/** `sluice watch`: what happens, line by line: public trades and tickers of markets, and the account's own reports. */
import { Command } from 'commander';
import { ACCOUNT_EVENT_NAMES, AccountEventKind } from '#protocol/account-event.ts';
import { REMOVE_REASON_NAMES } from '#protocol/event.ts';
import { rejectName } from '#protocol/reject.ts';
import { type ExecutionReport, REPORT_KIND_NAMES } from '#protocol/wire.ts';
import type { SluiceClient } from '../../client.ts';
import { formatUnits } from '../../units.ts';
import { asTrader, asVisitor, untilStopped } from '../connect.ts';
import { type TraderOptions, withExamples, withTrader } from '../options.ts';
import { clock, printLine } from '../output.ts';
import { MARKET_STATUS, money, price, side, size, symbol } from './show.ts';

interface WatchOptions extends TraderOptions {
  readonly ticker?: boolean;
  readonly own: boolean;
}

export const watchCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('watch')
        .description('follow trades, market status and the account, until Ctrl-C')
        .argument('[markets...]', 'symbols; all when none is named')
        .option('--ticker', 'also top of book and prices as they change')
        .option('--no-own', 'nothing of an account: needs no key'),
    ),
    'sluice watch',
    'sluice watch BTC-PERP --ticker --no-own',
    'sluice watch --json | jq .kind',
  ).action(async (markets: string[], options: WatchOptions) => {
    const run = async (client: SluiceClient): Promise<void> => {
      const named =
        markets.length > 0 ? markets : (await client.loadMarkets()).map((market) => market.symbol);
      let stopping = false;
      client.onDisconnected((farewell) => {
        if (stopping) return;
        printLine(
          options,
          { kind: 'disconnected', ...farewell },
          () => `disconnected: ${farewell.sentence}; coming back`,
        );
      });
      client.onTrouble((error) =>
        printLine(
          options,
          { kind: 'trouble', code: error.code, message: error.message },
          () => `trouble ${error.code}: ${error.message}`,
        ),
      );
      // Before anything is said: a wrong name is the only answer then.
      for (const market of named) client.market(market);
      if (options.own && client.account !== undefined) await watchOwn(client, options);
      for (const market of named) await watchOne(client, market, options);
      await client.watchMarketStatus({
        onStatus: (status) =>
          printLine(
            options,
            { kind: 'status', ...status },
            () =>
              `${clock(status.time)}  ${symbol(client, status.market)} is ${MARKET_STATUS[status.status]}`,
          ),
      });
      await untilStopped();
      stopping = true;
    };
    if (options.own) await asTrader(options, run, { reconnect: true });
    else await asVisitor(options, run);
  });

async function watchOne(client: SluiceClient, market: string, options: WatchOptions): Promise<void> {
  await client.watchTrades({
    market,
    onTrade: (trade) =>
      printLine(
        options,
        { kind: 'trade', ...trade },
        () =>
          `${clock(trade.time)}  ${symbol(client, trade.market)} trade ${side(trade.takerSide)} ${size(client, trade.market, trade.size)} at ${price(client, trade.market, trade.price)}`,
      ),
    onGap: (gap) =>
      printLine(
        options,
        { kind: 'gap', market, ...gap },
        () => `trades of ${market} missing up to ${gap.through}`,
      ),
  });
  if (options.ticker)
    await client.watchTicker({
      market,
      onTicker: (ticker) =>
        printLine(
          options,
          { kind: 'ticker', ...ticker },
          () =>
            `${clock(ticker.time)}  ${symbol(client, ticker.market)} ${price(client, ticker.market, ticker.bidPrice)} / ${price(client, ticker.market, ticker.askPrice)}, mark ${price(client, ticker.market, ticker.markPrice)}, index ${price(client, ticker.market, ticker.indexPrice)}`,
        ),
    });
}

async function watchOwn(client: SluiceClient, options: WatchOptions): Promise<void> {
  await client.watchAccount({
    onReport: (report) =>
      printLine(
        options,
        { ...report, kind: 'report', report: REPORT_KIND_NAMES[report.kind] },
        () => `${clock(report.time)}  ${reportText(client, report)}`,
      ),
    onEvent: (event) =>
      printLine(options, { ...event, kind: 'account', event: ACCOUNT_EVENT_NAMES[event.kind] }, () =>
        event.kind === AccountEventKind.RISK_ALERT
          ? `${clock(event.time)}  own risk-alert ${alertText(client, event)}`
          : `${clock(event.time)}  own ${ACCOUNT_EVENT_NAMES[event.kind] ?? 'event'} ${money(event.amount)}`,
      ),
    onGap: (gap) =>
      printLine(
        options,
        { kind: 'gap', ...gap },
        () => `own reports ${gap.after + 1} to ${gap.through} are missing: see orders --history and fills`,
      ),
  });
}

function reportText(client: SluiceClient, report: ExecutionReport): string {
  const at = (lots: number, ticks: number): string =>
    `${size(client, report.market, lots)} at ${price(client, report.market, ticks)}`;
  const own = `own ${symbol(client, report.market)} order ${report.orderId} ${side(report.side)}`;
  switch (REPORT_KIND_NAMES[report.kind]) {
    case 'trade':
      return `${own} filled ${at(report.lastSize, report.lastPrice)}, fee ${money(report.fee)}, ${size(client, report.market, report.remainingSize)} left`;
    case 'removed':
      return `${own} removed (${REMOVE_REASON_NAMES[report.removeReason] ?? report.removeReason}) ${at(report.size, report.price)}`;
    case 'rejected':
      return `${own} rejected ${rejectName(report.code)}`;
    default:
      return `${own} ${REPORT_KIND_NAMES[report.kind] ?? report.kind} ${at(report.size, report.price)}`;
  }
}

const CHANCES = ['under 1 %', '1 % or more', '5 % or more', '20 % or more'] as const;

/** What a warning says: how far the nearest danger is, and how likely within an hour and a day. */
function alertText(
  client: SluiceClient,
  { subject, amount, reference }: { subject: number; amount: number; reference: number },
): string {
  const where = subject === 0xffff ? 'all markets together' : symbol(client, subject);
  const [hour, day] = [CHANCES[reference & 0xff], CHANCES[reference >> 8]];
  return `${formatUnits(amount, 4)} % of ${where} from liquidation; within an hour ${hour}, within a day ${day}`;
}
