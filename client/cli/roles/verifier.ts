/** `sluice verifier`: rebuilds everything from L1, re-executes it, and says what is wrong. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { fromHex } from '#protocol/bytes.ts';
import type { Address } from '#settlement/l1/client.ts';
import { keySigner } from '../../signer.ts';
import { untilStopped } from '../connect.ts';
import { UsageError } from '../failure.ts';
import {
  type CommonOptions,
  jsonOption,
  type L1FlagOptions,
  url,
  whole,
  withExamples,
  withL1,
} from '../options.ts';
import { facts, print, printLine } from '../output.ts';

interface VerifierRoleOptions extends CommonOptions, L1FlagOptions {
  readonly once?: boolean;
  readonly data?: string;
  readonly port: number;
  readonly keyFile?: string;
  readonly workers: number;
  readonly snapshotEvery: number;
  readonly challenge?: boolean;
  readonly challengeKey?: string;
  readonly challengeKeyFile?: string;
  readonly finalize?: boolean;
  readonly finalizeKey?: string;
  readonly finalizeKeyFile?: string;
  readonly alertCommand?: string;
  readonly alertUrl?: string;
  readonly peer?: readonly string[];
  readonly beacon?: string;
  readonly demand: boolean;
}

const httpUrl = url('http:', 'https:');

const DEFAULT_DATA = 'data/verifier';
/** Of --once. */
const EXIT_CODES = { verified: 0, different: 1, unknown: 2 } as const;

export const verifierCommand = (): Command =>
  withExamples(
    withL1(
      new Command('verifier')
        .description(
          'follow L1 and re-execute every batch (--once: exit code 0 verified, 1 the first wrong step is named, 2 cannot tell)',
        )
        .option('--once', 'verify what is on L1 by now, and end')
        .addOption(
          new Option(
            '--data <dir>',
            `where it keeps what L1 said (default: ${DEFAULT_DATA}; with --once: nowhere)`,
          ).env('SLUICE_VERIFIER_DATA'),
        )
        .addOption(
          new Option('--port <n>', 'HTTP of /status, /metrics, proofs on 127.0.0.1; 0: any free one')
            .env('SLUICE_VERIFIER_PORT')
            .argParser(whole(0, 65_535))
            .default(9_902),
        )
        .addOption(
          new Option(
            '--key-file <path>',
            'file that holds a private key: attestations of verified batches are signed',
          ).env('SLUICE_VERIFIER_KEY_FILE'),
        )
        .addOption(
          new Option('--workers <n>', 'threads that recover signatures').argParser(whole(0, 64)).default(1),
        )
        .addOption(
          new Option('--snapshot-every <n>', 'commands between two snapshots')
            .argParser(whole(1))
            .default(50_000),
        )
        .option('--challenge', 'strike what is wrong: prove it on L1 and take the reward')
        .addOption(
          new Option(
            '--challenge-key <hex>',
            'private key that pays for it; better: --challenge-key-file',
          ).env('SLUICE_CHALLENGE_KEY'),
        )
        .addOption(
          new Option(
            '--challenge-key-file <path>',
            'file that holds it; no other program may use this key',
          ).env('SLUICE_CHALLENGE_KEY_FILE'),
        )
        .addOption(
          new Option(
            '--peer <url>',
            'HTTP of the sequencer or another verifier, asked for inputs that are not on L1; may be given again',
          ).argParser((text: string, before: readonly string[] = []) => [...before, httpUrl(text)]),
        )
        .addOption(
          new Option('--beacon <url>', 'HTTP of a beacon node, for inputs in blobs')
            .env('SLUICE_BEACON')
            .argParser(url('http:', 'https:')),
        )
        .option('--no-demand', 'with --challenge: never pay for a demand of inputs that nobody gives')
        .option(
          '--finalize',
          'make verified batches final at once, where the rollup trusts attestations of --key-file',
        )
        .addOption(
          new Option('--finalize-key <hex>', 'private key that pays for it; better: --finalize-key-file').env(
            'SLUICE_FINALIZE_KEY',
          ),
        )
        .addOption(
          new Option(
            '--finalize-key-file <path>',
            'file that holds it; no other program may use this key',
          ).env('SLUICE_FINALIZE_KEY_FILE'),
        )
        .addOption(
          new Option(
            '--alert-command <command>',
            'run by /bin/sh for every difference and challenge, told as JSON on standard input',
          ).env('SLUICE_ALERT_COMMAND'),
        )
        .addOption(
          new Option('--alert-url <url>', 'the same JSON is posted there')
            .env('SLUICE_ALERT_URL')
            .argParser(url('http:', 'https:')),
        )
        .addOption(jsonOption()),
    ),
    'sluice verifier --l1 http://127.0.0.1:8545',
    'sluice verifier --l1 http://127.0.0.1:8545 --once --json',
    'sluice verifier --l1 http://127.0.0.1:8545 --challenge --challenge-key-file challenger.key',
  ).action(async (options: VerifierRoleOptions) => {
    // Loaded here, so that --help does not wait for it.
    const { runVerifier, verifyOnce } = await import('#prover-stub/main.ts');
    const settings = {
      l1: options.l1,
      workers: options.workers,
      snapshotEvery: options.snapshotEvery,
      ...(options.rollup === undefined ? {} : { rollup: options.rollup as Address }),
      ...(options.keyFile === undefined ? {} : { key: keyOf(options.keyFile) }),
      ...(options.peer === undefined ? {} : { peers: options.peer }),
      ...(options.beacon === undefined ? {} : { beacon: options.beacon }),
    };
    if (options.once) {
      const verdict = await verifyOnce({
        ...settings,
        ...(options.data === undefined ? {} : { data: options.data }),
      });
      print(options, verdict, () =>
        verdict.sentence.startsWith(verdict.verdict)
          ? verdict.sentence
          : `${verdict.verdict}: ${verdict.sentence}`,
      );
      process.exitCode = EXIT_CODES[verdict.verdict];
      return;
    }
    const challengeKey = challengeKeyOf(options);
    const finalizeKey = finalizeKeyOf(options);
    const running = await runVerifier({
      ...settings,
      ...(challengeKey === undefined ? {} : { challengeKey, demand: options.demand }),
      ...(finalizeKey === undefined ? {} : { finalizeKey }),
      alerts: {
        ...(options.alertCommand === undefined ? {} : { command: options.alertCommand }),
        ...(options.alertUrl === undefined ? {} : { url: options.alertUrl }),
      },
      data: options.data ?? DEFAULT_DATA,
      port: options.port,
      say: (message) => {
        process.stderr.write(`${message}\n`);
      },
    });
    const challenger = running.challenges()?.address;
    const finalizer = running.proofs()?.address;
    const started = {
      kind: 'started',
      status: `${running.url}/status`,
      rollup: running.rollup,
      ...(challenger === undefined ? {} : { challenger }),
      ...(finalizer === undefined ? {} : { finalizer }),
    };
    printLine(options, started, () =>
      facts([
        ['status', started.status],
        ['rollup', started.rollup],
        ...(challenger === undefined ? [] : [['challenger', challenger] as const]),
        ...(finalizer === undefined ? [] : [['finalizer', finalizer] as const]),
      ]),
    );
    const ended = await Promise.race([untilStopped(), running.failed]);
    await running.stop();
    if (ended instanceof Error) throw ended;
  });

function challengeKeyOf(options: VerifierRoleOptions): Uint8Array | undefined {
  if (options.challenge !== true) return undefined;
  if (options.challengeKey !== undefined) return keyFrom(options.challengeKey);
  if (options.challengeKeyFile !== undefined) return keyOf(options.challengeKeyFile);
  throw new UsageError(
    'challenge: expected --challenge-key-file or SLUICE_CHALLENGE_KEY with a funded key, got none',
  );
}

function finalizeKeyOf(options: VerifierRoleOptions): Uint8Array | undefined {
  if (options.finalize !== true) return undefined;
  if (options.keyFile === undefined)
    throw new UsageError('finalize: expected --key-file with the key that attests batches, got none');
  if (options.finalizeKey !== undefined) return keyFrom(options.finalizeKey);
  if (options.finalizeKeyFile !== undefined) return keyOf(options.finalizeKeyFile);
  throw new UsageError(
    'finalize: expected --finalize-key-file or SLUICE_FINALIZE_KEY with a funded key, got none',
  );
}

function keyOf(path: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new UsageError(`key file ${path}: ${(cause as Error).message}`, { cause });
  }
  return keyFrom(text);
}

function keyFrom(text: string): Uint8Array {
  keySigner(text);
  return fromHex(text);
}
