/** `sluice withdraw`: from the account to the owner's tokens on L1. */
import { Command, Option } from 'commander';
import { toHex } from '#protocol/bytes.ts';
import { accountOf } from '#settlement/l1/client.ts';
import { forceWithdraw, type WithdrawalProof } from '#settlement/l1/vault-actions.ts';
import { SluiceError } from '../../errors.ts';
import { claim, exit, withdrawalProof, withdrawalProofFrom } from '../../exit.ts';
import { parseUnits } from '../../units.ts';
import { amountText, assetNamed, assetOption } from '../assets.ts';
import { asTrader } from '../connect.ts';
import { onL1 } from '../connect-l1.ts';
import { UsageError } from '../failure.ts';
import {
  type L1FlagOptions,
  type TraderOptions,
  url,
  whole,
  withExamples,
  withL1,
  withTrader,
} from '../options.ts';
import { print, printLine } from '../output.ts';

interface WithdrawOptions extends TraderOptions, L1FlagOptions {
  readonly asset?: string;
  readonly wait: boolean;
  readonly claim?: boolean;
  readonly force?: boolean;
  readonly proofs?: string;
  readonly subaccount: number;
}

export const withdrawCommand = (): Command =>
  withExamples(
    withL1(
      withTrader(
        new Command('withdraw')
          .description('withdraw to L1: request, wait until the batch is final, and collect the tokens')
          .argument('[amount]', 'decimal amount, or "all" that is free')
          .addOption(assetOption())
          .option('--no-wait', 'only request; collect later by --claim')
          .option('--claim', 'only collect what earlier requests have made due')
          .addOption(
            new Option(
              '--proofs <url>',
              'take the proof of --claim from this verifier: needs no sequencer',
            ).argParser(url('http:', 'https:')),
          )
          .option('--force', 'demand it through L1: the sequencer must obey')
          .addOption(
            new Option('--subaccount <n>', 'sub-account of --force').argParser(whole(0, 255)).default(0),
          ),
      ),
    ),
    'sluice withdraw 100',
    'sluice withdraw all --no-wait',
    'sluice withdraw 1.5 --asset tETH',
    'sluice withdraw --claim',
    'sluice withdraw --claim --proofs http://127.0.0.1:9902    # no sequencer needed',
    'sluice withdraw 100 --force',
  ).action(async (text: string | undefined, options: WithdrawOptions, command: Command) => {
    if ((text === undefined) !== (options.claim === true))
      command.error('error: expected an amount, or --claim without one');
    if (options.proofs !== undefined && !options.claim)
      command.error('error: --proofs: expected --claim beside it, got none');
    const { l1, rollup } = await onL1(options);
    const info = assetNamed(rollup, options.asset);
    const { asset } = info;
    const shown = (units: number | bigint): string => amountText(info, units);

    if (options.force) {
      if (text === 'all') throw new UsageError('amount: expected a decimal amount with --force, got all');
      const amount = parseUnits('amount', text!, info.decimals);
      const queued = await forceWithdraw(l1, rollup, {
        asset,
        amount,
        subaccount: options.subaccount,
      });
      print(
        options,
        {
          queueIndex: queued.index,
          deadline: queued.deadlineMs,
          transaction: queued.receipt.transactionHash,
        },
        () =>
          `demanded ${shown(amount)}: queue entry ${queued.index}, due by ${new Date(queued.deadlineMs).toISOString()}`,
      );
      return;
    }
    const collect = async (proof: WithdrawalProof | undefined): Promise<void> => {
      if (proof === undefined)
        throw new SluiceError('NOT_FOUND', 'claim: nothing was withdrawn by this key in a final batch yet');
      const paid = await claim(l1, rollup, proof);
      print(options, paid, () => `paid ${shown(paid.amount)} in ${paid.transaction}`);
    };
    if (options.proofs !== undefined) {
      await collect(await withdrawalProofFrom(options.proofs, accountOf(l1).address, asset));
      return;
    }
    await asTrader(
      options,
      async (client) => {
        if (options.claim) {
          const owner = toHex(client.session.signer!.address);
          await collect(await withdrawalProof(client.session, owner, asset));
          return;
        }
        const amount =
          text === 'all'
            ? (await client.accountView()).freeCollateral
            : parseUnits('amount', text!, info.decimals);
        if (!options.wait) {
          const requested = await client.withdraw({ amount, asset });
          print(
            options,
            requested,
            () => `requested ${shown(amount)} (seq ${requested.seq}); later: sluice withdraw --claim`,
          );
          return;
        }
        const { requested, paid } = await exit(
          client.session,
          l1,
          rollup,
          { amount, asset },
          {
            onStage: (stage) => {
              if (!options.json) printLine(options, {}, () => `${stage} ${shown(amount)}`);
            },
          },
        );
        if (options.json) print(options, { amount, seq: requested.seq, paid }, () => '');
      },
      { reconnect: true, ...(options.claim ? { login: false } : {}) },
    );
  });
