/** `sluice orders`: what rests, or what became of orders before. */
import { Command, Option } from 'commander';
import { asTrader } from '../connect.ts';
import { type TraderOptions, whole, withExamples, withTrader } from '../options.ts';
import { print, table } from '../output.ts';
import { ORDER_HEADINGS, orderEvent, orderRow } from './show.ts';

interface OrdersOptions extends TraderOptions {
  readonly market?: string;
  readonly history?: boolean;
  readonly limit: number;
}

export const ordersCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('orders')
        .description('show open orders, or the history of orders')
        .option('--market <symbol>', 'only this market')
        .option('--history', 'what happened to orders, newest first')
        .addOption(new Option('--limit <n>', 'rows of history').argParser(whole(1, 1_000)).default(50)),
    ),
    'sluice orders',
    'sluice orders --market BTC-PERP --json',
    'sluice orders --history --limit 200',
  ).action(async (options: OrdersOptions) => {
    await asTrader(options, async (client) => {
      if (options.history) {
        const events = await client.orders({ limit: options.limit });
        print(options, events, () =>
          events.length === 0
            ? 'no orders yet'
            : table(
                ['time', 'order', 'market', 'side', 'what'],
                events.map((event) => orderEvent(client, event)),
              ),
        );
        return;
      }
      const orders = await client.openOrders(options.market === undefined ? {} : { market: options.market });
      print(options, orders, () =>
        orders.length === 0
          ? 'no open orders'
          : table(
              ORDER_HEADINGS,
              orders.map((order) => orderRow(client, order)),
            ),
      );
    });
  });
