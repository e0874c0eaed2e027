/** `sluice bond`: the sequencer's bond on L1, and adding to it. */
import { Command } from 'commander';
import { topUpBond } from '#settlement/l1/challenge-actions.ts';
import { connectL1 } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { rollupStatus } from '#settlement/l1/vault-actions.ts';
import { onL1, theRollup } from '../connect-l1.ts';
import { UsageError } from '../failure.ts';
import {
  type CommonOptions,
  jsonOption,
  type KeyOptions,
  type L1FlagOptions,
  withExamples,
  withKey,
  withL1,
} from '../options.ts';
import { facts, print } from '../output.ts';

export function bondCommand(): Command {
  const command = new Command('bond')
    .description("show the sequencer's bond on L1, or add to it")
    .helpCommand(false);
  command.addCommand(showCommand(), { isDefault: true });
  command.addCommand(topUpCommand());
  return withExamples(
    command,
    'sluice bond                          # is it full?',
    'sluice bond top-up                   # pay what is missing',
    'sluice bond top-up 1000000000        # pay so many wei',
  );
}

const shown = (rollup: RollupContracts, bondWei: bigint) => ({
  bondWei,
  requiredWei: rollup.bondWei,
  missingWei: bondWei < rollup.bondWei ? rollup.bondWei - bondWei : 0n,
});

const textOf = ({ bondWei, requiredWei, missingWei }: ReturnType<typeof shown>): string =>
  facts([
    ['bond', `${bondWei} wei`],
    ['required', `${requiredWei} wei`],
    ['', missingWei === 0n ? 'full' : `nothing is committed while ${missingWei} wei are missing`],
  ]);

const showCommand = (): Command =>
  withL1(new Command('show').description('what is there, and what commits need'))
    .addOption(jsonOption())
    .action(async (options: CommonOptions & L1FlagOptions) => {
      const l1 = await connectL1({ url: options.l1 });
      const rollup = await theRollup(l1, options);
      const bond = shown(rollup, (await rollupStatus(l1, rollup)).bondWei);
      print(options, bond, () => textOf(bond));
    });

const topUpCommand = (): Command =>
  withL1(
    withKey(
      new Command('top-up')
        .description('add to the bond; anyone may, and only the sequencer gets it back')
        .argument('[wei]', 'default: what is missing')
        .addOption(jsonOption()),
    ),
  ).action(async (wei: string | undefined, options: KeyOptions & L1FlagOptions) => {
    if (wei !== undefined && !/^[1-9]\d{0,29}$/.test(wei))
      throw new UsageError(`wei: expected a whole number above 0, got ${JSON.stringify(wei)}`);
    const { l1, rollup } = await onL1(options);
    const { missingWei } = shown(rollup, (await rollupStatus(l1, rollup)).bondWei);
    const amount = wei === undefined ? missingWei : BigInt(wei);
    if (amount > 0n) await topUpBond(l1, rollup, amount);
    const bond = shown(rollup, (await rollupStatus(l1, rollup)).bondWei);
    print(options, { paidWei: amount, ...bond }, () => [`paid ${amount} wei`, textOf(bond)].join('\n'));
  });
