/** `sluice amend`: another price or open size for a resting order. */
import { Argument, Command } from 'commander';
import { SluiceError } from '../../errors.ts';
import { asTrader } from '../connect.ts';
import { type TraderOptions, whole, withExamples, withTrader } from '../options.ts';
import { print } from '../output.ts';
import { outcomeLine } from './show.ts';

export const amendCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('amend')
        .description('change a resting order; only a smaller size at the same price keeps its place')
        .addArgument(new Argument('<order>', 'order id').argParser(whole(1)))
        .option('--price <price>', 'new limit price (default: as it is)')
        .option('--size <size>', 'new open size (default: as it is)'),
    ),
    'sluice amend 1234 --price 64010',
    'sluice amend 1234 --size 0.005',
  ).action(
    async (orderId: number, options: TraderOptions & { price?: string; size?: string }, command: Command) => {
      if (options.price === undefined && options.size === undefined)
        command.error('error: expected --price or --size, got neither');
      await asTrader(options, async (client) => {
        const order = await client.query('order', { account: client.account!, orderId });
        if (order === null)
          throw new SluiceError('NOT_FOUND', `order: expected one that rests, got ${orderId}`);
        const outcome = await client.amendOrder({
          market: order.market,
          orderId,
          price: options.price ?? order.price,
          size: options.size ?? order.size,
        });
        print(options, outcome, () => outcomeLine(client, order.market, outcome));
      });
    },
  );
