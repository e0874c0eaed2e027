/** Flags that several commands share, with their environment variables, defaults and checks. */
import { type Command, InvalidArgumentError, Option } from 'commander';

export const DEFAULT_URL = 'ws://127.0.0.1:9900';
export const DEFAULT_L1 = 'http://127.0.0.1:8545';

const refuse = (expected: string, got: string): never => {
  throw new InvalidArgumentError(`expected ${expected}, got ${JSON.stringify(got)}`);
};

/** A parser of whole numbers for options and arguments. */
export const whole =
  (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || value < least || value > most)
      return refuse(`a whole number from ${least} to ${most}`, text);
    return value;
  };

/** A decimal number, 0 or more. */
export const decimal = (text: string): number =>
  /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : refuse('a decimal number such as 5 or 2.5', text);

export const url =
  (...schemes: string[]) =>
  (text: string): string => {
    try {
      if (schemes.includes(new URL(text).protocol)) return text;
    } catch {}
    return refuse(`a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`, text);
  };

export const addressText = (text: string): string =>
  /^0x[0-9a-fA-F]{40}$/.test(text) ? text : refuse('an address: 0x and 40 hexadecimal digits', text);

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `30s`, `5m`, `12h`, `7d`, `250ms` → milliseconds. */
export const duration = (text: string): number => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  return match === null
    ? refuse('a duration such as 30s, 5m, 12h or 7d', text)
    : Number(match[1]) * UNITS_MS[match[2]!]!;
};

/** For flags that may be repeated: a list of what was given. */
export const collect = (text: string, previous: string[] | undefined): string[] => [
  ...(previous ?? []),
  text,
];

export const jsonOption = (): Option =>
  new Option('--json', 'print JSON instead of tables').env('SLUICE_JSON');

export const urlOption = (): Option =>
  new Option('--url <url>', 'WebSocket of the sequencer')
    .env('SLUICE_URL')
    .default(DEFAULT_URL)
    .argParser(url('ws:', 'wss:'));

export const l1Option = (): Option =>
  new Option('--l1 <url>', 'JSON-RPC of the L1')
    .env('SLUICE_L1')
    .default(DEFAULT_L1)
    .argParser(url('http:', 'https:', 'ws:', 'wss:'));

export const rollupOption = (): Option =>
  new Option('--rollup <address>', 'Rollup contract; found by itself where L1 has only one')
    .env('SLUICE_ROLLUP')
    .argParser(addressText);

export interface CommonOptions {
  readonly json?: boolean;
}

export interface ConnectionOptions extends CommonOptions {
  readonly url: string;
}

export interface KeyOptions extends CommonOptions {
  readonly key?: string;
  readonly keyFile?: string;
  readonly dev?: number;
}

export interface TraderOptions extends ConnectionOptions, KeyOptions {
  readonly account?: number;
}

export interface L1FlagOptions {
  readonly l1: string;
  readonly rollup?: string;
}

/** For what needs no name: market data, finality. */
export const withConnection = (command: Command): Command =>
  command.addOption(urlOption()).addOption(jsonOption());

/** For what is signed or sent by a key. */
export const withKey = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--key <hex>',
        'private key of the owner or a session key; better: --key-file or SLUICE_KEY',
      ).env('SLUICE_KEY'),
    )
    .addOption(new Option('--key-file <path>', 'file that holds the private key').env('SLUICE_KEY_FILE'))
    .addOption(
      new Option('--dev <n>', 'well-known development key n (chain 31337 only; default 9 there)')
        .env('SLUICE_DEV')
        .argParser(whole(0, 9)),
    );

/** For what is done in a trader's name. */
export const withTrader = (command: Command): Command =>
  withKey(withConnection(command)).addOption(
    new Option('--account <id>', 'account to act for (default: the first that the key owns)')
      .env('SLUICE_ACCOUNT')
      .argParser(whole(1, 2 ** 32 - 1)),
  );

export const withL1 = (command: Command): Command => command.addOption(l1Option()).addOption(rollupOption());

/** Examples at the end of --help. */
export const withExamples = (command: Command, ...examples: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
