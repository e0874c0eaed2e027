/** `sluice faucet`: test tokens on development chains. */
import { Argument, Command, Option } from 'commander';
import { accountOf } from '#settlement/l1/client.ts';
import type { AssetInfo, RollupContracts } from '#settlement/l1/contracts.ts';
import { mintTestTokens } from '#settlement/l1/vault-actions.ts';
import { parseUnits } from '../../units.ts';
import { amountText, assetNamed } from '../assets.ts';
import { onL1 } from '../connect-l1.ts';
import { DEVELOPMENT_CHAIN_ID } from '../development-keys.ts';
import { UsageError } from '../failure.ts';
import {
  addressText,
  jsonOption,
  type KeyOptions,
  type L1FlagOptions,
  withExamples,
  withKey,
  withL1,
} from '../options.ts';
import { print } from '../output.ts';

interface FaucetOptions extends KeyOptions, L1FlagOptions {
  readonly for?: `0x${string}`;
}

/** About as much money of each. */
const GIFTS: Readonly<Record<string, string>> = { tUSD: '10000', tETH: '3', tBTC: '0.15' };
const OTHER_GIFT = '1000';

export const faucetCommand = (): Command =>
  withExamples(
    withL1(
      withKey(
        new Command('faucet')
          .description('mint test tokens on L1 (chain 31337 only)')
          .addArgument(new Argument('[amount]', 'decimal amount of the asset (default: some of it)'))
          .addArgument(new Argument('[asset]', 'symbol or number (default: every asset)'))
          .addOption(new Option('--for <address>', 'who receives them').argParser(addressText))
          .addOption(jsonOption()),
      ),
    ),
    'sluice faucet                 # some of every asset',
    'sluice faucet 2.5 tETH',
  ).action(async (amount: string | undefined, asset: string | undefined, options: FaucetOptions) => {
    const { l1, rollup } = await onL1(options);
    if (l1.chainId !== DEVELOPMENT_CHAIN_ID)
      throw new UsageError(`faucet: expected chain ${DEVELOPMENT_CHAIN_ID}, got chain ${l1.chainId}`);
    const address = options.for ?? accountOf(l1).address;
    const gifts = giftsOf(rollup, amount, asset);
    const minted = [];
    for (const { info, units } of gifts) {
      const { transactionHash } = await mintTestTokens(l1, rollup, {
        ...{ address, asset: info.asset, amount: units },
      });
      minted.push({ asset: info.asset, symbol: info.symbol, amount: units, transaction: transactionHash });
    }
    print(options, { address, minted }, () =>
      gifts.map(({ info, units }) => `minted ${amountText(info, units)} for ${address}`).join('\n'),
    );
  });

function giftsOf(
  rollup: RollupContracts,
  amount: string | undefined,
  asset: string | undefined,
): { info: AssetInfo; units: number }[] {
  if (amount !== undefined) {
    const info = assetNamed(rollup, asset, 'asset');
    return [{ info, units: parseUnits('amount', amount, info.decimals) }];
  }
  return rollup.assets.map((info) => ({
    info,
    units: parseUnits('amount', GIFTS[info.symbol] ?? OTHER_GIFT, info.decimals),
  }));
}
