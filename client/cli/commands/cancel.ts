/** `sluice cancel`: orders by id, by client id, of a market, or all. */
import { Command, Option } from 'commander';
import { MESSAGE_OPERATIONS_MAX } from '#protocol/limits.ts';
import type { Operation } from '#protocol/operation.ts';
import { RejectedError, SluiceError } from '../../errors.ts';
import { asTrader } from '../connect.ts';
import { type TraderOptions, whole, withExamples, withTrader } from '../options.ts';
import { print } from '../output.ts';

interface CancelOptions extends TraderOptions {
  readonly all?: boolean;
  readonly clientId?: number;
  readonly market?: string;
}

export const cancelCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('cancel')
        .description('cancel orders')
        .argument('[orders...]', 'order ids', (text: string, previous: number[] | undefined) => [
          ...(previous ?? []),
          whole(1)(text),
        ])
        .addOption(new Option('--all', 'every order, or every one in --market'))
        .addOption(new Option('--client-id <n>', 'by your own number; needs --market').argParser(whole(1)))
        .option('--market <symbol>', 'market of --all or --client-id'),
    ),
    'sluice cancel 1234 1240',
    'sluice cancel --client-id 42 --market BTC-PERP',
    'sluice cancel --all',
  ).action(async (orders: number[], options: CancelOptions, command: Command) => {
    const ways = [orders.length > 0, options.all === true, options.clientId !== undefined].filter(Boolean);
    if (ways.length !== 1)
      command.error('error: expected order ids, --all or --client-id, and only one of them');
    if (options.clientId !== undefined && options.market === undefined)
      command.error('error: --client-id: expected --market beside it, got none');
    await asTrader(options, async (client) => {
      if (options.all) {
        const outcome = await client.cancelAll(
          options.market === undefined ? {} : { market: options.market },
        );
        print(options, outcome, () => `canceled ${outcome.canceled} orders`);
        return;
      }
      if (options.clientId !== undefined) {
        const outcome = await client.cancelOrder({ market: options.market!, clientId: options.clientId });
        print(options, outcome, () => `canceled the order with client id ${options.clientId}`);
        return;
      }
      // An id alone does not say in which market; the open orders do.
      const markets = new Map((await client.openOrders()).map((order) => [order.orderId, order.market]));
      const missing = orders.find((id) => !markets.has(id));
      if (missing !== undefined)
        throw new SluiceError('NOT_FOUND', `order: expected one of this account that rests, got ${missing}`);
      if (orders.length > MESSAGE_OPERATIONS_MAX)
        throw new SluiceError(
          'INVALID_ARGUMENT',
          `orders: expected at most ${MESSAGE_OPERATIONS_MAX}, got ${orders.length}`,
        );
      const { seq, results } = await client.sendOperations(
        orders.map((id): Operation => ({ kind: 'cancel', market: markets.get(id)!, by: 'order', id })),
      );
      const refused = results.find((result) => result.code !== undefined);
      if (refused !== undefined && results.length === 1) throw new RejectedError(refused.rejectCode, '');
      print(options, { seq, results }, () =>
        orders.map((id, i) => `order ${id} ${results[i]!.code ?? 'canceled'}`).join('\n'),
      );
    });
  });
