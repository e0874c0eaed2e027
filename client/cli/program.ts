/** The whole command line: roles, traders' commands, configuration. */
import { Command, Option } from 'commander';
import { accountCommand } from './commands/account.ts';
import { amendCommand } from './commands/amend.ts';
import { bookCommand } from './commands/book.ts';
import { cancelCommand } from './commands/cancel.ts';
import { depositCommand } from './commands/deposit.ts';
import { fillsCommand } from './commands/fills.ts';
import { finalityCommand } from './commands/finality.ts';
import { marketsCommand } from './commands/markets.ts';
import { orderCommand } from './commands/order.ts';
import { ordersCommand } from './commands/orders.ts';
import { positionsCommand } from './commands/positions.ts';
import { watchCommand } from './commands/watch.ts';
import { withdrawCommand } from './commands/withdraw.ts';
import { applyConfiguration, DEFAULT_FILE } from './configuration.ts';
import { withExamples } from './options.ts';
import { devnetCommand } from './roles/devnet.ts';
import { publisherCommand } from './roles/publisher.ts';

const ROLES = 'Programs:';
const TRADERS = 'For traders:';

/** A new program; its commands throw, nothing exits the process. */
export function createProgram(version: string): Command {
  const program = new Command('sluice')
    .description(
      'Sluice: an off-chain matching layer for perpetual futures, settled and provable on Ethereum',
    )
    .version(version)
    .addOption(
      new Option(
        '--config <file>',
        `configuration file, YAML or JSON (default: ${DEFAULT_FILE} where there is one)`,
      ).env('SLUICE_CONFIG'),
    )
    .showHelpAfterError(false)
    .enablePositionalOptions();
  const add = (heading: string, ...commands: Command[]): void => {
    for (const command of commands) program.addCommand(command.helpGroup(heading));
  };
  add(ROLES, devnetCommand(), publisherCommand());
  add(
    TRADERS,
    marketsCommand(),
    bookCommand(),
    depositCommand(),
    accountCommand(),
    orderCommand(),
    amendCommand(),
    cancelCommand(),
    ordersCommand(),
    positionsCommand(),
    fillsCommand(),
    watchCommand(),
    finalityCommand(),
    withdrawCommand(),
  );
  withExamples(
    program,
    'sluice demo                                    # everything at once, on this machine',
    'sluice deposit 1000 --mint                     # with a development key on chain 31337',
    'sluice order buy 0.01 BTC-PERP 64000',
    'sluice watch BTC-PERP --no-own',
  );
  program.addHelpText(
    'after',
    `
Settings come from flags, then from the environment variables named in each --help, then from the
configuration file (keys are the long flags; a map named after a command is for that command only).

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 unreachable, 4 rejected, 5 verifier found a difference.`,
  );
  for (const command of everyCommand(program)) {
    command.exitOverride();
    command.configureOutput({ writeErr: () => {} });
  }
  program.hook('preAction', (_, command) => {
    applyConfiguration(program, command, program.opts<{ config?: string }>().config);
  });
  return program;
}

function* everyCommand(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* everyCommand(child);
}
