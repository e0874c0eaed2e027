/**
 * The whole command line: every command with its one-line description, and the file that holds it. Only the command
 * that runs is loaded, so that asking for a book does not wait for a compiler of contracts.
 */
import { Command, Option } from 'commander';
import { applyConfiguration, DEFAULT_FILE } from './configuration.ts';
import { withExamples } from './options.ts';

interface Entry {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<Command>;
}

const ROLES: readonly Entry[] = [
  {
    name: 'demo',
    description: 'run everything on this machine (npm start)',
    load: async () => (await import('./roles/demo.ts')).demoCommand(),
  },
  {
    name: 'replay',
    description: 'play a recorded order flow through everything',
    load: async () => (await import('./roles/replay.ts')).replayCommand(),
  },
  {
    name: 'devnet',
    description: 'run a local L1 with the contracts deployed',
    load: async () => (await import('./roles/devnet.ts')).devnetCommand(),
  },
  {
    name: 'sequencer',
    description: 'match, journal, batch, and serve clients',
    load: async () => (await import('./roles/sequencer.ts')).sequencerCommand(),
  },
  {
    name: 'recover',
    description: 'after a strike: bring the data of a sequencer into the new epoch',
    load: async () => (await import('./roles/recover.ts')).recoverCommand(),
  },
  {
    name: 'bond',
    description: "show the sequencer's bond on L1, or add to it",
    load: async () => (await import('./commands/bond.ts')).bondCommand(),
  },
  {
    name: 'submitter',
    description: 'post signed batches to L1 and make them final',
    load: async () => (await import('./roles/submitter.ts')).submitterCommand(),
  },
  {
    name: 'verifier',
    description: 're-execute every batch from L1 alone',
    load: async () => (await import('./roles/verifier.ts')).verifierCommand(),
  },
  {
    name: 'publisher',
    description: 'report signed prices to the sequencer',
    load: async () => (await import('./roles/publisher.ts')).publisherCommand(),
  },
];

const TRADERS: readonly Entry[] = [
  {
    name: 'markets',
    description: 'list the markets',
    load: async () => (await import('./commands/markets.ts')).marketsCommand(),
  },
  {
    name: 'book',
    description: 'show the order book of a market',
    load: async () => (await import('./commands/book.ts')).bookCommand(),
  },
  {
    name: 'deposit',
    description: 'deposit tokens from L1',
    load: async () => (await import('./commands/deposit.ts')).depositCommand(),
  },
  {
    name: 'faucet',
    description: 'mint test tokens on a development chain',
    load: async () => (await import('./commands/faucet.ts')).faucetCommand(),
  },
  {
    name: 'vault',
    description: 'show what the vault on L1 holds, and what you have there',
    load: async () => (await import('./commands/vault.ts')).vaultCommand(),
  },
  {
    name: 'account',
    description: 'show an account; manage its keys and sub-accounts',
    load: async () => (await import('./commands/account.ts')).accountCommand(),
  },
  {
    name: 'order',
    description: 'place an order',
    load: async () => (await import('./commands/order.ts')).orderCommand(),
  },
  {
    name: 'amend',
    description: 'change a resting order',
    load: async () => (await import('./commands/amend.ts')).amendCommand(),
  },
  {
    name: 'cancel',
    description: 'cancel orders',
    load: async () => (await import('./commands/cancel.ts')).cancelCommand(),
  },
  {
    name: 'orders',
    description: 'show open orders, or the history of orders',
    load: async () => (await import('./commands/orders.ts')).ordersCommand(),
  },
  {
    name: 'positions',
    description: 'show open positions',
    load: async () => (await import('./commands/positions.ts')).positionsCommand(),
  },
  {
    name: 'what-if',
    description: 'show margin and liquidation prices as they would be; nothing is placed',
    load: async () => (await import('./commands/what-if.ts')).whatIfCommand(),
  },
  {
    name: 'fills',
    description: 'show fills',
    load: async () => (await import('./commands/fills.ts')).fillsCommand(),
  },
  {
    name: 'leverage',
    description: 'set the leverage of the account in a market',
    load: async () => (await import('./commands/leverage.ts')).leverageCommand(),
  },
  {
    name: 'isolate',
    description: 'open an isolated account, or one of another risk pool',
    load: async () => (await import('./commands/isolate.ts')).isolateCommand(),
  },
  {
    name: 'margin',
    description: 'add margin to an isolated position, or take it back',
    load: async () => (await import('./commands/margin.ts')).marginCommand(),
  },
  {
    name: 'watch',
    description: 'follow trades, market status and the account',
    load: async () => (await import('./commands/watch.ts')).watchCommand(),
  },
  {
    name: 'finality',
    description: 'how far an order has come on its way to L1',
    load: async () => (await import('./commands/finality.ts')).finalityCommand(),
  },
  {
    name: 'receipts',
    description: 'keep the signed receipts of the sequencer and hold them against L1',
    load: async () => (await import('./commands/receipts.ts')).receiptsCommand(),
  },
  {
    name: 'withdraw',
    description: 'withdraw to L1',
    load: async () => (await import('./commands/withdraw.ts')).withdrawCommand(),
  },
  {
    name: 'exit',
    description: 'leave with everything, needing nothing but an L1',
    load: async () => (await import('./commands/exit.ts')).exitCommand(),
  },
];

const GROUPS = [
  ['Programs:', ROLES],
  ['For traders:', TRADERS],
] as const;

export const COMMAND_NAMES: readonly string[] = GROUPS.flatMap(([, entries]) =>
  entries.map(({ name }) => name),
);

/**
 * A new program in which the command that `argv` names is whole and the others have only their description.
 * Its commands throw; nothing exits the process.
 */
export async function createProgram(version: string, argv: readonly string[]): Promise<Command> {
  const program = new Command('sluice')
    .description(
      'Sluice: an off-chain matching layer for perpetual futures, settled and provable on Ethereum',
    )
    .usage('[options] <command>')
    .version(version)
    .addOption(
      new Option(
        '--config <file>',
        `configuration file, YAML or JSON (default: ${DEFAULT_FILE} where there is one)`,
      ).env('SLUICE_CONFIG'),
    )
    .enablePositionalOptions()
    .argument('[command]')
    .action((name: string | undefined) => {
      program.error(
        `error: ${name === undefined ? 'expected a command, got none' : `unknown command '${name}'`}; see sluice --help`,
      );
    });
  const named = commandOf(argv);
  for (const [heading, entries] of GROUPS)
    for (const { name, description, load } of entries) {
      const command = named === name ? await load() : new Command(name).description(description);
      program.addCommand(command.helpGroup(heading));
    }
  program.helpCommand(false);
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

Exit codes: 0 done, 1 failed or a verifier's difference, 2 wrong usage, 3 unreachable, 4 rejected.`,
  );
  for (const command of everyCommand(program)) {
    command.exitOverride();
    command.configureOutput({ writeErr: () => {} });
  }
  program.hook('preAction', async (_, command) => {
    // Its settings have a table and a reader of their own.
    if (command.name() === 'sequencer') return;
    await applyConfiguration(program, command, program.opts<{ config?: string }>().config, everyFlag);
  });
  return program;
}

/** The first argument that is neither a flag of the program nor its value. */
function commandOf(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const text = argv[i]!;
    if (text === '--config') i++;
    else if (!text.startsWith('-')) return text;
  }
  return undefined;
}

/** Long flags of every command, without dashes; loads them all. */
export async function everyFlag(): Promise<Set<string>> {
  const commands = await Promise.all(GROUPS.flatMap(([, entries]) => entries.map(({ load }) => load())));
  const flags = new Set<string>();
  for (const top of commands)
    for (const command of everyCommand(top))
      for (const option of command.options) flags.add(option.long?.replace(/^--(no-)?/, '') ?? '');
  return flags;
}

export function* everyCommand(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* everyCommand(child);
}
