/** `sluice vault`: what the vault on L1 holds of every asset, and what an owner has there. */
import { Command, Option } from 'commander';
import { type Address, accountOf } from '#settlement/l1/client.ts';
import { tokenBalance, vaultTotals } from '#settlement/l1/vault-actions.ts';
import { formatUnits } from '../../units.ts';
import { onL1 } from '../connect-l1.ts';
import {
  addressText,
  jsonOption,
  type KeyOptions,
  type L1FlagOptions,
  withExamples,
  withKey,
  withL1,
} from '../options.ts';
import { print, table } from '../output.ts';

interface VaultOptions extends KeyOptions, L1FlagOptions {
  readonly for?: Address;
}

export const vaultCommand = (): Command =>
  withExamples(
    withL1(
      withKey(
        new Command('vault')
          .description('show what the vault holds of every asset, and what you have on L1')
          .addOption(new Option('--for <address>', 'whose tokens and payments').argParser(addressText))
          .addOption(jsonOption()),
      ),
    ),
    'sluice vault',
    'sluice vault --for 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --json',
  ).action(async (options: VaultOptions) => {
    const { l1, rollup } = await onL1(options);
    const owner = options.for ?? accountOf(l1).address;
    const rows = await Promise.all(
      rollup.assets.map(async ({ asset, ...info }) => {
        const [totals, tokens] = await Promise.all([
          vaultTotals(l1, rollup, { asset, owner }),
          tokenBalance(l1, rollup, { address: owner, asset }),
        ]);
        return { asset, ...info, ...totals, tokens };
      }),
    );
    print(options, { vault: rollup.vault, owner, assets: rows }, () =>
      [
        `vault ${rollup.vault}`,
        `owner ${owner}`,
        '',
        table(
          [
            'asset',
            'number>',
            'held>',
            'at most>',
            'paid out>',
            'paid to the owner>',
            "owner's on L1>",
            'token',
          ],
          rows.map((row) => [
            row.symbol,
            row.asset,
            ...[row.held, row.cap, row.paidTotal, row.paidToOwner].map((units) =>
              formatUnits(units, row.decimals),
            ),
            formatUnits(row.tokens, row.tokenDecimals),
            row.token,
          ]),
        ),
      ].join('\n'),
    );
  });
