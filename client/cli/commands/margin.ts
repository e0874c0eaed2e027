/** `sluice margin`: quote into an isolated account, and out of it as far as its position allows. */
import { Command, Option } from 'commander';
import { toHex } from '#protocol/bytes.ts';
import { SluiceError } from '../../errors.ts';
import { asTrader } from '../connect.ts';
import { type TraderOptions, whole, withExamples, withTrader } from '../options.ts';
import { print } from '../output.ts';

interface MarginOptions extends TraderOptions {
  readonly isolated: number;
}

export function marginCommand(): Command {
  const command = new Command('margin')
    .description('add margin to an isolated position, or take it back')
    .helpCommand(false);
  command.addCommand(moveCommand('add', 'move quote into an isolated account', addMargin));
  command.addCommand(moveCommand('remove', 'move quote back out of it', removeMargin));
  return withExamples(
    command,
    'sluice margin add 100 --isolated 7',
    'sluice margin remove 15 --isolated 7',
    'sluice margin remove 15 --isolated 7 --account 3   # to account 3',
  );
}

const moveCommand = (
  name: string,
  description: string,
  move: (amount: string, options: MarginOptions) => Promise<void>,
): Command =>
  withTrader(
    new Command(name)
      .description(description)
      .argument('<amount>', 'decimal amount of the quote asset')
      .addOption(
        new Option('--isolated <account>', 'the isolated account')
          .argParser(whole(1, 2 ** 32 - 1))
          .makeOptionMandatory(),
      ),
  ).action(move);

async function addMargin(amount: string, options: MarginOptions): Promise<void> {
  await asTrader(options, async (client) => {
    const outcome = await client.transfer({ toAccount: options.isolated, amount });
    print(options, outcome, () => `added ${amount} to account ${options.isolated}`);
  });
}

/** To `--account`, or else to the owner's first cross account. */
async function removeMargin(amount: string, options: MarginOptions): Promise<void> {
  await asTrader({ ...options, account: options.isolated }, async (client) => {
    const accounts = await client.query('accounts', { owner: toHex(client.session.signer!.address) });
    const toAccount = options.account ?? accounts.find((one) => one.isolatedMarket === null)?.account;
    if (toAccount === undefined)
      throw new SluiceError('NOT_FOUND', '--account: expected one to move margin to, got none');
    const outcome = await client.transfer({ toAccount, amount });
    print(options, outcome, () => `moved ${amount} from account ${options.isolated} to account ${toAccount}`);
  });
}
