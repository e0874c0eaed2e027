/** `sluice what-if`: margin and liquidation prices as they would be; nothing is placed or moved. */
import { Command, Option } from 'commander';
import type { RiskView } from '#protocol/query.ts';
import { rejectName } from '#protocol/reject.ts';
import type { SupposedOrderForm } from '../../actions/what-if.ts';
import type { SluiceClient } from '../../client.ts';
import { asTrader } from '../connect.ts';
import { UsageError } from '../failure.ts';
import { collect, type TraderOptions, withExamples, withTrader } from '../options.ts';
import { print, table } from '../output.ts';
import { liquidation, money, price, size, symbol } from './show.ts';

interface WhatIfOptions extends TraderOptions {
  readonly order?: string[];
  readonly fill?: string[];
  readonly move?: string[];
  readonly cash?: string;
}

export const whatIfCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('what-if')
        .description('show margin and liquidation prices as they would be; nothing is placed')
        .addOption(new Option('--order <order>', 'an order that rests; may be repeated').argParser(collect))
        .addOption(
          new Option('--fill <order>', 'an order that fills whole; may be repeated').argParser(collect),
        )
        .addOption(
          new Option('--move <market=price>', 'a mark, or a move such as -10%; may be repeated').argParser(
            collect,
          ),
        )
        .option('--cash <amount>', 'money that comes in, or goes out with a minus sign'),
    ),
    "sluice what-if --order 'buy 0.5 BTC-PERP @ 64000'",
    "sluice what-if --fill 'sell 2 ETH-PERP @ 3100' --move BTC-PERP=-10%",
    'sluice what-if --cash=-500 --move BTC-PERP=61000 --move ETH-PERP=-4.5%',
  ).action(async (options: WhatIfOptions) => {
    const prices = (options.move ?? []).map(parseMove);
    const orders = [
      ...(options.fill ?? []).map((text) => parseOrder(text, true)),
      ...(options.order ?? []).map((text) => parseOrder(text, false)),
    ];
    const { cash } = options;
    await asTrader(options, async (client) => {
      const view = await client.whatIf({ prices, orders, ...(cash === undefined ? {} : { cash }) });
      print(options, view, () =>
        [
          ...view.codes.flatMap((code, i) =>
            code === 0 ? [] : [`refused: ${orderText(orders[i]!)}: ${rejectName(code)}`],
          ),
          figures(view.before, view.after),
          '',
          positions(client, view.before, view.after),
        ].join('\n'),
      );
    });
  });

function parseMove(text: string): { market: string; to: string } {
  const match = /^([^=]+)=(\S+)$/.exec(text);
  if (match === null) throw new UsageError(`--move: expected MARKET=PRICE or MARKET=-10%, got ${text}`);
  return { market: match[1]!, to: match[2]! };
}

function parseOrder(text: string, filled: boolean): SupposedOrderForm {
  const match = /^(buy|sell) (\S+) (\S+) @ ?(\S+)( reduce-only)?$/.exec(text.trim().replace(/\s+/g, ' '));
  if (match === null)
    throw new UsageError(
      `--${filled ? 'fill' : 'order'}: expected 'buy 0.5 BTC-PERP @ 64000', got '${text}'`,
    );
  const [, side, amount, market, at, reduceOnly] = match;
  return {
    side: side as 'buy' | 'sell',
    size: amount!,
    market: market!,
    price: at!,
    filled,
    reduceOnly: reduceOnly !== undefined,
  };
}

const orderText = (order: SupposedOrderForm): string =>
  `${order.side} ${order.size} ${order.market} @ ${order.price}`;

const figures = (before: RiskView, after: RiskView): string =>
  table(
    ['', 'now>', 'then>'],
    (
      [
        ['equity', 'equity'],
        ['initial margin', 'initialMargin'],
        ['maintenance margin', 'maintenanceMargin'],
        ['free collateral', 'freeCollateral'],
      ] as const
    ).map(([name, field]) => [name, money(before[field]), money(after[field])]),
  );

/** Positions as they would be; liquidation prices now and then. */
function positions(client: SluiceClient, before: RiskView, after: RiskView): string {
  const held = after.positions.filter((position) => position.size !== 0);
  if (held.length === 0) return 'no positions then';
  return table(
    ['market', 'size>', 'mark>', 'liquidation now>', 'liquidation then>'],
    held.map((position) => {
      const now = before.positions.find(({ market }) => market === position.market);
      return [
        symbol(client, position.market),
        size(client, position.market, position.size),
        price(client, position.market, position.markPrice),
        now === undefined ? '-' : liquidation(client, now),
        liquidation(client, position),
      ];
    }),
  );
}
