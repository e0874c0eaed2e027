/** The flags of `sluice demo` (npm start): what they mean, what they may be, and the sentence when they are not. */
import { z } from 'zod';

/** As the command line gives them: text, or true for a switch; names in camel case. */
export interface DemoFlags {
  readonly data?: string | undefined;
  readonly port?: string | number | undefined;
  readonly l1?: string | undefined;
  readonly replay?: string | undefined;
  readonly replayPrices?: string | undefined;
  readonly accounts?: string | number | undefined;
  readonly rows?: string | number | undefined;
  readonly shock?: boolean | undefined;
  readonly speed?: string | number | undefined;
  readonly duration?: string | number | undefined;
  readonly report?: string | undefined;
  readonly fills?: string | undefined;
  readonly bookEnd?: string | undefined;
  readonly carrier?: string | undefined;
  readonly quiet?: boolean | undefined;
  readonly seed?: string | number | undefined;
}

/** Flag, meaning; in the order of the help. */
export const DEMO_FLAGS: readonly (readonly [flags: string, meaning: string])[] = [
  [
    '--data <dir>',
    'what is kept between two starts (default: data/demo; data/replay, emptied, for a replay)',
  ],
  ['--port <n>', 'port of the sequencer; 0: any free one (default: 9900)'],
  ['--l1 <url>', 'use this L1 instead of starting one; SLUICE_L1_KEY pays there'],
  ['--replay <file>', 'play a recorded order flow instead of the traders'],
  [
    '--replay-prices <file>',
    'play recorded prices (CSV: time_ms, close), which leveraged accounts live through',
  ],
  ['--accounts <n>', 'of a price replay: accounts that trade (default: 200)'],
  ['--rows <n>', 'of a price replay: the first so many rows alone (default: all)'],
  ['--shock', 'of a price replay: prices fall by 30 % from one row to the next'],
  ['--speed <n>', 'of a replay: how many times as fast as it was recorded, or max (default: 1)'],
  ['--duration <seconds>', 'end in order after so long: everything final, withdrawn, verified'],
  ['--report <file>', 'write what happened as JSON'],
  ['--fills <file>', 'of a replay: write the fills of every take as CSV'],
  ['--book-end <file>', 'of a replay: write the book at the end as CSV'],
  ['--carrier <where>', 'where inputs go on L1: calldata, blobs or auto, the cheaper (default: calldata)'],
  ['--quiet', 'print the summary at the end and nothing else'],
  ['--seed <n>', 'seed of traders and prices (default: any, printed)'],
];

export class FlagError extends Error {
  override readonly name = 'FlagError';
}

export interface DemoOptions {
  readonly data: string;
  /** The directory was not chosen by the user: a replay may empty it. */
  readonly isDefaultData: boolean;
  readonly port: number;
  readonly l1: string | undefined;
  readonly replay: string | undefined;
  readonly replayPrices: string | undefined;
  readonly accounts: number;
  /** Of a price replay; Infinity for all. */
  readonly rows: number;
  readonly shock: boolean;
  readonly speed: number | 'max';
  /** Seconds. */
  readonly duration: number | undefined;
  readonly report: string | undefined;
  readonly fills: string | undefined;
  readonly bookEnd: string | undefined;
  readonly carrier: Carrier;
  readonly quiet: boolean;
  readonly seed: number;
}

const SEED_MAX = 2 ** 31 - 1;
const CARRIERS = ['calldata', 'blobs', 'auto'] as const;
export type Carrier = (typeof CARRIERS)[number];

const numeric = (expected: string, least: number, most: number, isWhole = true) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value),
    z
      .number({ error: `expected ${expected}` })
      .refine((value) => value >= least && value <= most && (!isWhole || Number.isInteger(value)), {
        error: `expected ${expected}`,
      }),
  );
const text = z.string({ error: 'expected a value' }).min(1, 'expected a value');

const SHAPE = z.object({
  data: text.optional(),
  port: numeric('a port from 0 to 65535', 0, 65_535).optional(),
  l1: z
    .string()
    .regex(/^(https?|wss?):\/\/./, 'expected a URL that begins with http://, https://, ws:// or wss://')
    .optional(),
  replay: text.optional(),
  replayPrices: text.optional(),
  accounts: numeric('a whole number from 1 to 100000', 1, 100_000).optional(),
  rows: numeric('a whole number from 2', 2, 1e9).optional(),
  shock: z.boolean().optional(),
  speed: z.union([z.literal('max'), numeric('a number above 0, or max', 1e-6, 1e9, false)]).optional(),
  duration: numeric('seconds from 1', 1, 31_536_000, false).optional(),
  report: text.optional(),
  fills: text.optional(),
  bookEnd: text.optional(),
  carrier: z.enum(CARRIERS, { error: 'expected calldata, blobs or auto' }).optional(),
  quiet: z.boolean().optional(),
  seed: numeric(`a whole number from 0 to ${SEED_MAX}`, 0, SEED_MAX).optional(),
});

/** bookEnd → book-end. */
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Throws FlagError: flag, expected, got. */
export function readDemoFlags(flags: DemoFlags): DemoOptions {
  const parsed = SHAPE.safeParse(flags);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = String(issue.path[0]);
    const expected =
      name === 'speed' ? 'expected a number above 0, or max' : issue.message.replace(/^Invalid input: /, '');
    throw new FlagError(
      `--${kebab(name)}: ${expected}, got ${JSON.stringify(flags[name as keyof DemoFlags])}`,
    );
  }
  const { data: given } = parsed;
  for (const name of ['fills', 'bookEnd'] as const)
    if (given.replay === undefined && given[name] !== undefined)
      throw new FlagError(`--${kebab(name)}: expected --replay beside it, got none`);
  for (const name of ['accounts', 'rows', 'shock'] as const)
    if (given.replayPrices === undefined && given[name] !== undefined)
      throw new FlagError(`--${kebab(name)}: expected --replay-prices beside it, got none`);
  const isReplay = given.replay !== undefined || given.replayPrices !== undefined;
  if (given.replay !== undefined && given.replayPrices !== undefined)
    throw new FlagError('--replay-prices: expected no --replay beside it, got both');
  if (!isReplay && given.speed !== undefined)
    throw new FlagError('--speed: expected --replay or --replay-prices beside it, got none');
  if (given.replayPrices !== undefined && given.speed !== undefined && given.speed !== 'max')
    throw new FlagError(`--speed: expected max for --replay-prices, got ${given.speed}`);
  if (given.replayPrices !== undefined && given.l1 !== undefined)
    throw new FlagError(
      '--l1: expected none beside --replay-prices, whose L1 lives in the time of the prices; got both',
    );
  if (isReplay && given.duration !== undefined)
    throw new FlagError('--duration: expected no replay beside it, which ends by itself; got both');
  return {
    data: given.data ?? (isReplay ? 'data/replay' : 'data/demo'),
    isDefaultData: given.data === undefined,
    port: given.port ?? 9_900,
    l1: given.l1,
    replay: given.replay,
    replayPrices: given.replayPrices,
    accounts: given.accounts ?? 200,
    rows: given.rows ?? Number.POSITIVE_INFINITY,
    shock: given.shock ?? false,
    speed: given.speed ?? 1,
    duration: given.duration,
    report: given.report,
    fills: given.fills,
    bookEnd: given.bookEnd,
    // An L1 of its own asks next to nothing for blobs, and their proofs take a while.
    carrier: given.carrier ?? 'calldata',
    quiet: given.quiet ?? false,
    // A price replay must come out the same when it is played again.
    seed:
      given.seed ??
      (given.replayPrices !== undefined ? 1 : undefined) ??
      Math.floor(Math.random() * SEED_MAX),
  };
}
