/** The flags of `sluice demo` (npm start): what they mean, what they may be, and the sentence when they are not. */
import { z } from 'zod';

/** As the command line gives them: text, or true for a switch; names in camel case. */
export interface DemoFlags {
  readonly data?: string | undefined;
  readonly port?: string | number | undefined;
  readonly l1?: string | undefined;
  readonly replay?: string | undefined;
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
  speed: z.union([z.literal('max'), numeric('a number above 0, or max', 1e-6, 1e9, false)]).optional(),
  duration: numeric('seconds from 1', 1, 31_536_000, false).optional(),
  report: text.optional(),
  fills: text.optional(),
  bookEnd: text.optional(),
  carrier: z.enum(CARRIERS, { error: 'expected calldata, blobs or auto' }).optional(),
  quiet: z.boolean().optional(),
  seed: numeric(`a whole number from 0 to ${SEED_MAX}`, 0, SEED_MAX).optional(),
});

/** Throws FlagError: flag, expected, got. */
export function readDemoFlags(flags: DemoFlags): DemoOptions {
  const parsed = SHAPE.safeParse(flags);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = String(issue.path[0]);
    const expected =
      name === 'speed' ? 'expected a number above 0, or max' : issue.message.replace(/^Invalid input: /, '');
    throw new FlagError(
      `--${name === 'bookEnd' ? 'book-end' : name}: ${expected}, got ${JSON.stringify(flags[name as keyof DemoFlags])}`,
    );
  }
  const { data: given } = parsed;
  for (const name of ['speed', 'fills', 'bookEnd'] as const)
    if (given.replay === undefined && given[name] !== undefined)
      throw new FlagError(
        `--${name === 'bookEnd' ? 'book-end' : name}: expected --replay beside it, got none`,
      );
  if (given.replay !== undefined && given.duration !== undefined)
    throw new FlagError('--duration: expected no --replay beside it, a replay ends by itself; got both');
  return {
    data: given.data ?? (given.replay === undefined ? 'data/demo' : 'data/replay'),
    isDefaultData: given.data === undefined,
    port: given.port ?? 9_900,
    l1: given.l1,
    replay: given.replay,
    speed: given.speed ?? 1,
    duration: given.duration,
    report: given.report,
    fills: given.fills,
    bookEnd: given.bookEnd,
    // An L1 of its own asks next to nothing for blobs, and their proofs take a while.
    carrier: given.carrier ?? 'calldata',
    quiet: given.quiet ?? false,
    seed: given.seed ?? Math.floor(Math.random() * SEED_MAX),
  };
}
