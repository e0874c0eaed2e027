/**
 * Configuration of the sequencer: one table of settings with bounds, defaults and meaning, read from flags, the
 * environment (SLUICE_…) and a YAML or JSON file, in this order of precedence. A file's keys are the flags without
 * the dashes, at its top or under `sequencer:`. Checked before anything starts; `--help` and
 * docs/configuration.md come from the same table.
 */
import { z } from 'zod';

/** A whole number; text from flags and the environment is read as one. */
const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value),
    z.int().min(least).max(most),
  );

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `expected 0x and ${2 * bytes} hexadecimal digits`);
const MEBIBYTE = 1024 * 1024;

const shape = {
  data: z.string().min(1).default('data/sequencer').describe('data directory'),
  host: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  port: whole(0, 65_535).default(9_900).describe('port to listen on; 0: any free one'),
  l1: z
    .string()
    .regex(/^(https?|wss?):\/\//, 'expected an http(s) or ws(s) URL')
    .default('http://127.0.0.1:8545')
    .describe('JSON-RPC of the L1'),
  rollup: hex(20).optional().describe('Rollup contract; found by itself where L1 has only one'),
  confirmations: whole(0, 1_000).default(2).describe('L1 blocks on top before a queue entry is sequenced'),
  l1StaleMs: whole(1_000)
    .default(60_000)
    .describe('silence of L1 after which withdrawals are refused, milliseconds'),
  key: hex(32).optional().describe('private key that signs batches; better: key-file'),
  keyFile: z.string().min(1).optional().describe('file that holds the private key that signs batches'),
  epoch: whole(1, 2 ** 32 - 1)
    .optional()
    .describe('epoch of the batches to sign; default: that of L1'),
  clockStart: whole(1, 2 ** 48 - 1)
    .optional()
    .describe(
      'the clock stands at this time (milliseconds since 1970) and goes on with the newest price report alone: for playing recorded prices, never for an exchange',
    ),
  workers: whole(1, 64).default(2).describe('threads that check signatures'),
  inboxMessages: whole(1, 1_000_000).default(16_384).describe('messages that may wait to be sequenced'),
  markEvery: whole(1).default(100_000).describe('commands between two state marks in the journal'),
  segmentBytes: whole(MEBIBYTE, 2 ** 32)
    .default(64 * MEBIBYTE)
    .describe('length of a journal segment file'),
  batchCommands: whole(1, 1_000_000).default(2_000).describe('commands after which a batch is cut'),
  batchBytes: whole(8_192, 2 * MEBIBYTE)
    .default(84_000)
    .describe('bytes for L1 after which a batch is cut'),
  batchInputBytes: whole(1_024, 757_760)
    .optional()
    .describe(
      'bytes of inputs after which a batch is cut, where the submitter posts these in blobs or not at all; without it they count among batch-bytes',
    ),
  batchMs: whole(1, 86_400_000).default(2_000).describe('age at which a batch is cut, milliseconds'),
  receiptMs: whole(10, 60_000).default(250).describe('least time between two receipts, milliseconds'),
  receiptCommands: whole(16_384, 16_777_216)
    .default(262_144)
    .describe('commands for which receipts can be asked for afterwards; 64 bytes of memory each'),
  snapshotCommands: whole(1).default(250_000).describe('commands between two snapshots'),
  backlogCommands: whole(1)
    .default(500_000)
    .describe('durable commands that the batcher may be behind before messages wait'),
  backlogBatches: whole(1)
    .default(2_000)
    .describe('signed batches that may be missing on L1 before messages wait'),
  collectMs: whole(0, 10_000).default(50).describe('how long a price round waits for the last publishers'),
  roundMs: whole(0, 60_000).default(50).describe('least time between two price rounds of a market'),
  framesPerSecond: whole(1).optional().describe('quota: frames a second and connection'),
  framesBurst: whole(1).optional().describe('quota: frames at once after a rest'),
  bytesPerSecond: whole(1).optional().describe('quota: bytes a second and connection'),
  operationsPerSecondPerAccount: whole(1).optional().describe('quota: operations a second and account'),
  operationsBurstPerAccount: whole(1).optional().describe('quota: operations at once after a rest'),
  subscriptionsPerConnection: whole(1).optional().describe('quota: subscriptions of a connection'),
  connectionsPerAddress: whole(1).optional().describe('quota: connections of a network address'),
  failuresPerMinute: whole(1).optional().describe('quota: bad signatures and frames of an address'),
  inboxFrames: whole(1).optional().describe('quota: frames of a connection that may wait'),
  idleTimeoutSeconds: whole(8, 960).optional().describe('quota: silence after which a connection is closed'),
  backpressureBytesMax: whole(4_096).optional().describe('quota: unread bytes at which it is closed'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('least level of what is logged'),
} as const;

export const configSchema = z.strictObject(shape);
export type SequencerConfig = z.output<typeof configSchema>;
/** What a caller may leave out. */
export type SequencerSettings = z.input<typeof configSchema>;

const QUOTAS = [
  'framesPerSecond',
  'framesBurst',
  'bytesPerSecond',
  'operationsPerSecondPerAccount',
  'operationsBurstPerAccount',
  'subscriptionsPerConnection',
  'connectionsPerAddress',
  'failuresPerMinute',
  'inboxFrames',
  'idleTimeoutSeconds',
  'backpressureBytesMax',
] as const satisfies readonly (keyof SequencerConfig)[];

/** The quotas that were set; the gateway knows the others. */
export function quotasOf(config: SequencerConfig): Partial<Record<(typeof QUOTAS)[number], number>> {
  return Object.fromEntries(
    QUOTAS.flatMap((name) => (config[name] === undefined ? [] : [[name, config[name]]])),
  );
}

/** A configuration that can't be used: one sentence with every field, what was expected and what came. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface ConfigSource {
  /** Where it comes from, for error messages: `flags`, `environment`, a file's name. */
  readonly name: string;
  /** By setting in camel case, flag or variable; what is undefined was not given. */
  readonly values: Readonly<Record<string, unknown>>;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
export const flagOf = (name: string): string => `--${kebab(name)}`;
/** Traders' keys stand in SLUICE_KEY: one environment must not hand the one's key to the other. */
export const variableOf = (name: string): string =>
  `SLUICE_${name.startsWith('key') ? 'SEQUENCER_' : ''}${kebab(name).replaceAll('-', '_').toUpperCase()}`;

/** The settings of an environment: those of its variables that the table knows. */
export function environmentSource(environment: Readonly<Record<string, string | undefined>>): ConfigSource {
  const values = Object.fromEntries(Object.keys(shape).map((name) => [name, environment[variableOf(name)]]));
  return { name: 'environment', values };
}

/** The settings of a parsed file: its keys, or those of its `sequencer` map, which win. */
export function fileSource(file: string, parsed: unknown): ConfigSource {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(parsed))
    throw new ConfigError(`configuration file ${file}: expected a map, got ${typeof parsed}`);
  const own = parsed.sequencer ?? {};
  if (!isMap(own))
    throw new ConfigError(`configuration file ${file}: sequencer: expected a map, got ${typeof own}`);
  const known = new Map(Object.keys(shape).map((name) => [kebab(name), name]));
  const values: Record<string, unknown> = {};
  for (const [key, name] of known) values[name] = own[key] ?? parsed[key];
  for (const key of Object.keys(own))
    if (!known.has(key))
      throw new ConfigError(
        `configuration file ${file}: sequencer: expected one of ${[...known.keys()].join(', ')}, got ${key}`,
      );
  return { name: file, values };
}

/** Joins the sources, the first that gives a setting wins, and checks the whole. Throws ConfigError. */
export function readConfig(sources: readonly ConfigSource[]): SequencerConfig {
  const values: Record<string, unknown> = {};
  const origin = new Map<string, string>();
  for (const source of sources)
    for (const [name, value] of Object.entries(source.values))
      if (value !== undefined && !origin.has(name)) {
        values[name] = value;
        origin.set(name, source.name);
      }
  const parsed = configSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys')
      return `expected settings of the table, got ${issue.keys.join(', ')}`;
    const name = String(issue.path[0]);
    const got = name.startsWith('key') ? 'something else' : JSON.stringify(values[name]);
    return `${kebab(name)} (${origin.get(name) ?? 'default'}): ${expectedOf(issue)}, got ${got}`;
  });
  throw new ConfigError(`configuration: ${problems.join('; ')}`);
}

function expectedOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`;
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.join(', ')}`;
  if (issue.code === 'invalid_type')
    return `expected ${issue.expected === 'int' ? 'a whole number' : issue.expected}`;
  return issue.message;
}

export interface Setting {
  readonly name: keyof SequencerConfig;
  readonly flag: string;
  readonly variable: string;
  /** Empty when there is none. */
  readonly fallback: string;
  readonly description: string;
  /** Not to be shown or logged. */
  readonly isSecret: boolean;
}

/** The table, in the order in which it is to be read. */
export function settings(): Setting[] {
  return Object.entries(shape).map(([name, schema]) => {
    const fallback = schema.safeParse(undefined);
    return {
      name: name as keyof SequencerConfig,
      flag: flagOf(name),
      variable: variableOf(name),
      fallback: fallback.success && fallback.data !== undefined ? String(fallback.data) : '',
      description: schema.description ?? '',
      isSecret: name === 'key',
    };
  });
}

/** The table as docs/configuration.md shows it. */
export function settingsMarkdown(): string {
  const rows = settings().map(
    ({ flag, variable, fallback, description }) =>
      `| \`${flag}\` | \`${variable}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${description} |`,
  );
  return ['| Flag | Variable | Default | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}
