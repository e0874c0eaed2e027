/** `sluice order`: places one order and says what became of it. */
import { Argument, Command, Option } from 'commander';
import { SELF_TRADE_PREVENTION_NAMES } from '#protocol/units.ts';
import type { OrderForm } from '../../actions/order-form.ts';
import { asTrader } from '../connect.ts';
import { duration, type TraderOptions, whole, withExamples, withTrader } from '../options.ts';
import { print } from '../output.ts';
import { outcomeLine } from './show.ts';

interface OrderOptions extends TraderOptions {
  readonly ioc?: boolean;
  readonly fok?: boolean;
  readonly market?: boolean;
  readonly postOnly?: boolean;
  readonly reduceOnly?: boolean;
  readonly clientId?: number;
  readonly expires?: number;
  readonly stp: (typeof SELF_TRADE_PREVENTION_NAMES)[number];
}

export const orderCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('order')
        .description('place an order; without a price it is a market order')
        .addArgument(new Argument('<side>', 'buy or sell').choices(['buy', 'sell']))
        .argument('<size>', 'decimal size in base')
        .argument('<market>', 'symbol, such as BTC-PERP')
        .argument(
          '[price...]',
          'decimal limit price, with or without @ before it; of a market order: the worst to take',
        )
        .option('--market', 'market order with the price as its bound')
        .addOption(new Option('--ioc', 'immediate or cancel').conflicts(['fok', 'postOnly']))
        .addOption(new Option('--fok', 'fill or kill').conflicts(['postOnly']))
        .option('--post-only', 'reject it rather than take')
        .option('--reduce-only', 'only ever make the position smaller')
        .addOption(new Option('--client-id <n>', 'your own number for the order').argParser(whole(1)))
        .addOption(
          new Option('--expires <duration>', 'good till this long from now')
            .argParser(duration)
            .conflicts(['ioc', 'fok']),
        )
        .addOption(
          new Option('--stp <rule>', 'when it meets an own order')
            .choices(SELF_TRADE_PREVENTION_NAMES)
            .default('expire-maker'),
        ),
    ),
    'sluice order buy 0.01 BTC-PERP @ 64000',
    'sluice order sell 0.5 ETH-PERP                    # market order',
    'sluice order buy 0.01 BTC-PERP 63900 --post-only --client-id 42',
    'sluice order sell 0.01 BTC-PERP 65000 --expires 1h --reduce-only',
  ).action(
    async (
      side: 'buy' | 'sell',
      size: string,
      market: string,
      at: string[],
      options: OrderOptions,
      command: Command,
    ) => {
      const [price, ...rest] = at.flatMap((text) => (text === '@' ? [] : [text.replace(/^@/, '')]));
      if (rest.length > 0) command.error(`error: expected one price, got ${at.join(' ')}`);
      await asTrader(options, async (client) => {
        const form: OrderForm = {
          market,
          side,
          size,
          type: options.market || price === undefined ? 'market' : 'limit',
          selfTradePrevention: options.stp,
          ...(price === undefined ? {} : { price }),
          ...(options.ioc ? { timeInForce: 'IOC' as const } : {}),
          ...(options.fok ? { timeInForce: 'FOK' as const } : {}),
          ...(options.expires === undefined ? {} : { expiry: client.serverNow() + options.expires }),
          ...(options.clientId === undefined ? {} : { clientId: options.clientId }),
          postOnly: options.postOnly ?? false,
          reduceOnly: options.reduceOnly ?? false,
        };
        const outcome = await client.placeOrder(form);
        print(options, outcome, () => outcomeLine(client, client.market(market).market, outcome));
      });
    },
  );
