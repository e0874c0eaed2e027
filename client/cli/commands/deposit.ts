/** `sluice deposit`: tokens from L1 to the exchange. */
import { Command, Option } from 'commander';
import { toHex } from '#protocol/bytes.ts';
import { accountOf } from '#settlement/l1/client.ts';
import { mintTestTokens } from '#settlement/l1/vault-actions.ts';
import { deposit, untilCredited } from '../../exit.ts';
import { parseUnits } from '../../units.ts';
import { amountText, assetNamed, assetOption } from '../assets.ts';
import { asTrader } from '../connect.ts';
import { onL1 } from '../connect-l1.ts';
import { DEVELOPMENT_CHAIN_ID } from '../development-keys.ts';
import { UsageError } from '../failure.ts';
import {
  addressText,
  type L1FlagOptions,
  type TraderOptions,
  whole,
  withExamples,
  withL1,
  withTrader,
} from '../options.ts';
import { print } from '../output.ts';

interface DepositOptions extends TraderOptions, L1FlagOptions {
  readonly asset?: string;
  readonly subaccount: number;
  readonly for?: `0x${string}`;
  readonly mint?: boolean;
  readonly wait: boolean;
}

export const depositCommand = (): Command =>
  withExamples(
    withL1(
      withTrader(
        new Command('deposit')
          .description('deposit tokens from L1; creates the account at the first time')
          .argument('<amount>', 'decimal amount of the asset')
          .addOption(assetOption())
          .addOption(
            new Option('--subaccount <n>', 'sub-account of the owner').argParser(whole(0, 255)).default(0),
          )
          .addOption(new Option('--for <address>', 'owner to deposit for').argParser(addressText))
          .option('--mint', 'mint the tokens first (chain 31337 only)')
          .option('--no-wait', 'return when L1 has it, before the exchange credits it'),
      ),
    ),
    'sluice deposit 1000 --mint',
    'sluice deposit 1.5 --asset tETH',
    'sluice deposit 250 --subaccount 1',
  ).action(async (text: string, options: DepositOptions) => {
    const { l1, rollup } = await onL1(options);
    const info = assetNamed(rollup, options.asset);
    const { asset } = info;
    const amount = parseUnits('amount', text, info.decimals);
    const sender = accountOf(l1).address;
    if (options.mint) {
      if (l1.chainId !== DEVELOPMENT_CHAIN_ID)
        throw new UsageError(`--mint: expected chain ${DEVELOPMENT_CHAIN_ID}, got chain ${l1.chainId}`);
      await mintTestTokens(l1, rollup, { address: sender, amount, asset });
    }
    const queued = await deposit(l1, rollup, {
      amount,
      asset,
      subaccount: options.subaccount,
      ...(options.for === undefined ? {} : { owner: options.for }),
    });
    const facts = {
      amount,
      asset,
      queueIndex: queued.index,
      transaction: queued.receipt.transactionHash,
    };
    if (!options.wait) {
      print(
        options,
        facts,
        () =>
          `deposited ${amountText(info, amount)}: queue entry ${queued.index}, transaction ${facts.transaction}`,
      );
      return;
    }
    await asTrader(
      options,
      async (client) => {
        const owner = options.for ?? toHex(client.session.signer!.address);
        const account = await untilCredited(client.session, {
          owner,
          subaccount: options.subaccount,
          index: queued.index,
        });
        print(
          options,
          { ...facts, account },
          () => `deposited ${amountText(info, amount)} to account ${account} (queue entry ${queued.index})`,
        );
      },
      { login: false },
    );
  });
