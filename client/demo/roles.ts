/** How the roles of the program are called: arguments, environment and health endpoint of each. */
import type { RoleSpec } from './child-process.ts';
import type { Carrier } from './flags.ts';

interface Common {
  readonly data: string;
  readonly log: string;
  readonly l1: string;
  readonly rollup: string;
  /** HTTP of the sequencer. */
  readonly sequencer: string;
  readonly port: number;
}

/** Cut often, so that a demo's batches are final within seconds. */
const BATCH_MS = 1_500;
const QUOTA = '100000000';

const chainOf = (common: Common): string[] => [
  '--data',
  common.data,
  '--l1',
  common.l1,
  '--rollup',
  common.rollup,
];
const health = (port: number): string => `http://127.0.0.1:${port}/health`;

/** The clock follows the reports, and quotas, which count by the machine's clock, are out of the way. */
const pricesArguments = (clockStartMs: number): string[] => [
  '--clock-start',
  String(clockStartMs),
  ...['frames-per-second', 'frames-burst', 'bytes-per-second'].flatMap((quota) => [`--${quota}`, QUOTA]),
  ...['operations-per-second-per-account', 'operations-burst-per-account'].flatMap((quota) => [
    `--${quota}`,
    QUOTA,
  ]),
];

export const sequencerRole = (
  common: Common & { readonly keyFile: string; readonly clockStartMs: number | undefined },
): RoleSpec => ({
  name: 'sequencer',
  arguments: [
    'sequencer',
    ...chainOf(common),
    '--port',
    String(common.port),
    '--key-file',
    common.keyFile,
    // A batch may not name the very block that takes it.
    '--confirmations',
    '1',
    '--batch-ms',
    String(BATCH_MS),
    '--workers',
    '1',
    ...(common.clockStartMs === undefined ? [] : pricesArguments(common.clockStartMs)),
  ],
  health: `http://127.0.0.1:${common.port}/ready`,
  logFile: common.log,
});

export const submitterRole = (
  common: Common & { readonly keyFile: string; readonly carrier: Carrier },
): RoleSpec => ({
  name: 'submitter',
  arguments: [
    'submitter',
    ...chainOf(common),
    '--sequencer',
    common.sequencer,
    '--key-file',
    common.keyFile,
    // A replay at full speed makes batches faster than one a block.
    '--in-flight',
    '16',
    '--carrier',
    common.carrier,
    '--port',
    String(common.port),
  ],
  health: health(common.port),
  logFile: common.log,
});

export const verifierRole = (common: Common): RoleSpec => ({
  name: 'verifier',
  arguments: ['verifier', ...chainOf(common), '--port', String(common.port)],
  health: health(common.port),
  logFile: common.log,
});

export const publisherRole = (options: {
  readonly url: string;
  readonly keys: readonly string[];
  readonly seed: number;
  /** Symbol → decimal price. */
  readonly startPrices: ReadonlyMap<string, string>;
  readonly log: string;
}): RoleSpec => ({
  name: 'publisher',
  arguments: [
    'publisher',
    '--url',
    options.url,
    '--source',
    'walk',
    '--seed',
    String(options.seed),
    ...[...options.startPrices].flatMap(([symbol, price]) => ['--price', `${symbol}=${price}`]),
  ],
  environment: { SLUICE_PUBLISHER_KEYS: options.keys.join(',') },
  logFile: options.log,
});
