/** `sluice submitter`: posts signed batches to L1 and makes them final. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { accountOf, connectL1, type Hex } from '#settlement/l1/client.ts';
import type { SidecarForm } from '#settlement/l1/kzg.ts';
import type { CarrierChoice } from '#settlement/submitter/carrier.ts';
import type { Submitter } from '#settlement/submitter/submitter.ts';
import { keySigner } from '../../signer.ts';
import { untilStopped } from '../connect.ts';
import { theRollup } from '../connect-l1.ts';
import { DEVELOPMENT_CHAIN_ID, developmentKey } from '../development-keys.ts';
import { UsageError } from '../failure.ts';
import {
  type CommonOptions,
  duration,
  jsonOption,
  type L1FlagOptions,
  url,
  whole,
  withExamples,
  withL1,
} from '../options.ts';
import { facts, printLine } from '../output.ts';
import { startStatusServer } from './status-server.ts';

interface SubmitterRoleOptions extends CommonOptions, L1FlagOptions {
  readonly sequencer: string;
  readonly data: string;
  readonly key?: string;
  readonly keyFile?: string;
  readonly port: number;
  readonly confirmations: number;
  readonly resubmit: number;
  readonly feeCap: number;
  readonly inFlight: number;
  readonly finalize: boolean;
  readonly carrier: CarrierChoice;
  readonly sidecars?: SidecarForm;
  readonly answer: boolean;
}

const WEI_PER_GWEI = 1_000_000_000n;

export const submitterCommand = (): Command =>
  withExamples(
    withL1(
      new Command('submitter')
        .description('post signed batches to L1 and make them final; anyone may')
        .addOption(
          new Option('--sequencer <url>', 'HTTP of the sequencer, which serves signed batches')
            .env('SLUICE_SEQUENCER')
            .default('http://127.0.0.1:9900')
            .argParser(url('http:', 'https:')),
        )
        .addOption(
          new Option('--data <dir>', 'what it will send is stored here first')
            .env('SLUICE_SUBMITTER_DATA')
            .default('data/submitter'),
        )
        .addOption(
          new Option('--key <hex>', 'private key that pays; better: --key-file').env('SLUICE_SUBMITTER_KEY'),
        )
        .addOption(
          new Option(
            '--key-file <path>',
            'file that holds it; no other program may use this key (default on chain 31337: development key 2)',
          ).env('SLUICE_SUBMITTER_KEY_FILE'),
        )
        .addOption(
          new Option('--port <n>', 'HTTP of /health and /status on 127.0.0.1; 0: any free one')
            .env('SLUICE_SUBMITTER_PORT')
            .argParser(whole(0, 65_535))
            .default(9_901),
        )
        .addOption(
          new Option('--confirmations <n>', 'blocks above a transaction before it is forgotten')
            .argParser(whole(0, 1_000))
            .default(10),
        )
        .addOption(
          new Option('--resubmit <duration>', 'send again, dearer, what was not mined for so long')
            .argParser(duration)
            .default(48_000, '48s'),
        )
        .addOption(
          new Option('--fee-cap <gwei>', 'most gwei per gas ever paid')
            .argParser(whole(1, 1_000_000))
            .default(500),
        )
        .addOption(
          new Option('--in-flight <n>', 'transactions under way at once').argParser(whole(1, 64)).default(4),
        )
        .addOption(
          new Option(
            '--carrier <where>',
            'where inputs go: calldata, blobs, off-chain (where the rollup allows it), auto: the cheaper of the first two',
          )
            .env('SLUICE_SUBMITTER_CARRIER')
            .choices(['auto', 'calldata', 'blobs', 'off-chain'])
            .default('auto'),
        )
        .addOption(
          new Option(
            '--sidecars <form>',
            'what nodes of this chain want beside blobs (default: cells; on chain 31337: proofs)',
          ).choices(['proofs', 'cells']),
        )
        .option('--no-answer', 'leave demands for inputs unanswered: each strikes its batch when it is due')
        .option('--no-finalize', 'only post; leave finalizing to others')
        .addOption(jsonOption()),
    ),
    'sluice submitter --sequencer http://127.0.0.1:9900 --l1 http://127.0.0.1:8545',
    'sluice submitter --key-file submitter.key --fee-cap 80 --no-finalize',
  ).action(async (options: SubmitterRoleOptions) => {
    const [{ Submitter: SubmitterProgram }, { HttpBatchSource }] = await Promise.all([
      import('#settlement/submitter/submitter.ts'),
      import('#settlement/submitter/batch-source.ts'),
    ]);
    const { chainId } = await connectL1({ url: options.l1 });
    const key = submitterKey(options, chainId);
    const l1 = await connectL1({ url: options.l1, key });
    const rollup = await theRollup(l1, options);
    const submitter: Submitter = new SubmitterProgram({
      l1,
      rollup,
      source: new HttpBatchSource(options.sequencer),
      directory: options.data,
      confirmations: options.confirmations,
      resubmitMs: options.resubmit,
      feeCapWei: BigInt(options.feeCap) * WEI_PER_GWEI,
      inFlightMax: options.inFlight,
      finalize: options.finalize,
      carrier: options.carrier,
      answer: options.answer,
      ...(options.sidecars === undefined ? {} : { sidecars: options.sidecars }),
      alert: (alert) =>
        printLine(options, { kind: 'alert', ...alert }, () => `alert ${alert.code}: ${alert.message}`),
    });
    const server = await startStatusServer(options.port, () => submitter.status());
    try {
      await submitter.start();
      printLine(
        options,
        {
          kind: 'started',
          status: `${server.url}/status`,
          rollup: rollup.rollup,
          sender: accountOf(l1).address,
        },
        () =>
          facts([
            ['status', `${server.url}/status`],
            ['rollup', rollup.rollup],
            ['sender', accountOf(l1).address],
          ]),
      );
      await untilStopped();
    } finally {
      await server.close();
      await submitter.stop();
    }
  });

function submitterKey(options: SubmitterRoleOptions, chainId: number): Hex {
  let text = options.key;
  if (text === undefined && options.keyFile !== undefined)
    try {
      text = readFileSync(options.keyFile, 'utf8').trim();
    } catch (cause) {
      throw new UsageError(`key file ${options.keyFile}: ${(cause as Error).message}`, { cause });
    }
  if (text === undefined) {
    if (chainId !== DEVELOPMENT_CHAIN_ID)
      throw new UsageError(`key: expected --key-file or SLUICE_SUBMITTER_KEY on chain ${chainId}, got none`);
    return developmentKey('submitter');
  }
  const key = (text.startsWith('0x') ? text : `0x${text}`) as Hex;
  keySigner(key);
  return key;
}
