/** `sluice fills`: what an account has traded. */
import { Command, Option } from 'commander';
import type { HistoryEntry } from '#protocol/query.ts';
import type { SluiceClient } from '../../client.ts';
import { asTrader } from '../connect.ts';
import { type TraderOptions, whole, withExamples, withTrader } from '../options.ts';
import { type Cell, print, table, time } from '../output.ts';
import { column, money, price, side, size, symbol } from './show.ts';

export const fillsCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('fills')
        .description('show fills, newest first')
        .addOption(new Option('--limit <n>', 'rows').argParser(whole(1, 1_000)).default(50)),
    ),
    'sluice fills',
    'sluice fills --limit 1000 --json',
  ).action(async (options: TraderOptions & { limit: number }) => {
    await asTrader(options, async (client) => {
      const fills = await client.fills({ limit: options.limit });
      print(options, fills, () =>
        fills.length === 0
          ? 'no fills yet'
          : table(
              ['time', 'market', 'side', 'price>', 'size>', 'as', 'fee>', 'order>', 'trade>'],
              fills.flatMap((fill) => rows(client, fill)),
            ),
      );
    });
  });

/** One row, or two when the account was on both sides. */
function rows(client: SluiceClient, fill: HistoryEntry): Cell[][] {
  const market = column(fill, 'market');
  const taker = column(fill, 'takerSide');
  const row = (as: 'maker' | 'taker'): Cell[] => [
    time(fill.time),
    symbol(client, market),
    side(as === 'taker' ? taker : 1 - taker),
    price(client, market, column(fill, 'price')),
    size(client, market, column(fill, 'size')),
    as,
    money(column(fill, `${as}Fee`)),
    column(fill, `${as}OrderId`),
    column(fill, 'tradeId'),
  ];
  return (['maker', 'taker'] as const)
    .filter((as) => column(fill, `${as}Account`) === client.account)
    .map((as) => row(as));
}
