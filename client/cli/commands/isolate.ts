/** `sluice isolate`: opens an isolated account of one market, or a cross account of another risk pool. */
import { Command, Option } from 'commander';
import { toHex } from '#protocol/bytes.ts';
import { RISK_POOL_MAX, SUBACCOUNTS_MAX } from '#protocol/limits.ts';
import { asTrader } from '../connect.ts';
import { type TraderOptions, whole, withExamples, withTrader } from '../options.ts';
import { print } from '../output.ts';

interface IsolateOptions extends TraderOptions {
  readonly subaccount?: number;
  readonly pool?: number;
}

export const isolateCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('isolate')
        .description('open a sub-account that trades one market on margin of its own, or one of a risk pool')
        .argument('[market]', 'its one market, such as BTC-PERP')
        .addOption(
          new Option('--subaccount <n>', 'which one (default: the first that is free)').argParser(
            whole(0, SUBACCOUNTS_MAX - 1),
          ),
        )
        .addOption(
          new Option('--pool <n>', 'instead of a market: a cross account of this risk pool').argParser(
            whole(0, RISK_POOL_MAX),
          ),
        ),
    ),
    'sluice isolate BTC-PERP',
    'sluice isolate --pool 1',
  ).action(async (market: string | undefined, options: IsolateOptions, command: Command) => {
    const { pool } = options;
    if ((market === undefined) === (pool === undefined))
      command.error('error: expected either a market or --pool');
    await asTrader(options, async (client) => {
      const owner = toHex(client.session.signer!.address);
      const taken = new Set((await client.query('accounts', { owner })).map((one) => one.subaccount));
      let subaccount = options.subaccount ?? 0;
      while (options.subaccount === undefined && taken.has(subaccount)) subaccount++;
      const outcome = await client.isolate(
        market === undefined ? { subaccount, riskPool: pool! } : { subaccount, market },
      );
      const account = (await client.query('accounts', { owner })).find(
        (one) => one.subaccount === subaccount,
      )!.account;
      print(options, { ...outcome, account, subaccount }, () =>
        market === undefined
          ? `account ${account} (sub-account ${subaccount}) of risk pool ${pool}`
          : `account ${account} (sub-account ${subaccount}), isolated to ${market}: sluice margin add AMOUNT --isolated ${account}`,
      );
    });
  });
