/** `sluice devnet`: a local L1 (Anvil) with the contracts deployed, for development. */
import { rm } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { toHex } from '#protocol/bytes.ts';
import { type Address, connectL1, type Hex } from '#settlement/l1/client.ts';
import { findRollup } from '#settlement/l1/contracts.ts';
import { DEMO_ASSETS, DEMO_CHAIN, DEMO_MARKETS } from '../../demo/markets.ts';
import { keySigner } from '../../signer.ts';
import { readAssetFile } from '../asset-file.ts';
import { untilStopped } from '../connect.ts';
import { DEVELOPMENT_ROLES, developmentKey, developmentPublisherKeys } from '../development-keys.ts';
import { addressText, type CommonOptions, duration, jsonOption, whole, withExamples } from '../options.ts';
import { facts, printLine } from '../output.ts';

interface DevnetRoleOptions extends CommonOptions {
  readonly port: number;
  readonly data: string;
  readonly fresh?: boolean;
  readonly blockTime: number;
  readonly window: number;
  readonly liveness: number;
  readonly claimPeriod: number;
  readonly assets?: string;
  readonly attester?: Address;
}

const DEFAULT_ASSETS = { tokens: undefined, assets: DEMO_ASSETS } as const;

export const devnetCommand = (): Command =>
  withExamples(
    new Command('devnet')
      .description('run a local L1 with the contracts deployed (development keys, worth nothing)')
      .addOption(
        new Option('--port <n>', 'port of its JSON-RPC; 0: any free one')
          .env('SLUICE_L1_PORT')
          .argParser(whole(0, 65_535))
          .default(8_545),
      )
      .addOption(
        new Option('--data <dir>', 'where its state is kept')
          .env('SLUICE_DEVNET_DATA')
          .default('data/devnet'),
      )
      .option('--fresh', 'begin with an empty chain')
      .addOption(
        new Option('--block-time <duration>', 'between blocks').argParser(duration).default(1_000, '1s'),
      )
      .addOption(
        new Option('--window <duration>', 'challenge window: from commit to final')
          .argParser(duration)
          .default(10_000, '10s'),
      )
      .addOption(
        new Option('--liveness <duration>', 'without a batch for so long, anyone may freeze the rollup')
          .argParser(duration)
          .default(604_800_000, '7d'),
      )
      .addOption(
        new Option('--claim-period <duration>', 'after a freeze: for how long claims are registered')
          .argParser(duration)
          .default(60_000, '1m'),
      )
      .option('--assets <file>', 'tokens to deploy and what they are as collateral: docs/configuration.md')
      .addOption(
        new Option(
          '--attester <address>',
          "whose attestations make batches final at once (default: nobody's): docs/proofs.md",
        ).argParser(addressText),
      )
      .addOption(jsonOption()),
    'sluice devnet',
    'sluice devnet --port 0 --fresh --window 1m',
    'sluice devnet --fresh --assets assets.yaml',
    'sluice devnet --fresh --liveness 1m    # to try the way out: docs/exiting.md',
  ).action(async (options: DevnetRoleOptions) => {
    // Loaded here, so that commands of traders do not pay for the compiler and the node.
    const [{ startDevnet }, { deployRollup }, { deployTestTokens }] = await Promise.all([
      import('#settlement/l1/devnet.ts'),
      import('#settlement/l1/deploy.ts'),
      import('#settlement/l1/test-tokens.ts'),
    ]);
    const markets = DEMO_MARKETS.map((market) => market.config);
    const { tokens, assets } =
      options.assets === undefined ? DEFAULT_ASSETS : readAssetFile(options.assets, markets);
    const stateFile = `${options.data}/l1-state.json`;
    if (options.fresh) await rm(stateFile, { force: true });
    const devnet = await startDevnet({
      port: options.port,
      blockTimeSeconds: Math.max(1, Math.round(options.blockTime / 1_000)),
      stateFile,
    });
    try {
      const l1 = await connectL1({ url: devnet.url, key: developmentKey('deployer') as Hex });
      const rollup = devnet.resumed
        ? await findRollup(l1)
        : await deployRollup(l1, {
            sequencer: toHex(keySigner(developmentKey('sequencer')).address),
            submitter: toHex(keySigner(developmentKey('submitter')).address),
            chain: DEMO_CHAIN,
            markets,
            tokens: await deployTestTokens(l1, tokens),
            assets,
            publishers: developmentPublisherKeys().map((key) => ({
              address: keySigner(key).address,
              weight: 1,
            })),
            windowSeconds: Math.max(1, Math.round(options.window / 1_000)),
            livenessSeconds: Math.max(1, Math.round(options.liveness / 1_000)),
            ...(options.attester === undefined ? {} : { attester: options.attester }),
            claimPeriodSeconds: Math.max(1, Math.round(options.claimPeriod / 1_000)),
          });
      const started = {
        l1: devnet.url,
        chainId: devnet.chainId,
        rollup: rollup.rollup,
        queue: rollup.queue,
        vault: rollup.vault,
        token: rollup.assets[0]?.token,
        tokens: rollup.assets.map(({ symbol, token, tokenDecimals }) => ({
          symbol,
          token,
          decimals: tokenDecimals,
        })),
        resumed: devnet.resumed,
        developmentKeys: DEVELOPMENT_ROLES,
      };
      printLine(options, { kind: 'started', ...started }, () =>
        facts([
          ['L1', `${devnet.url} (chain ${devnet.chainId}${devnet.resumed ? ', resumed' : ''})`],
          ['rollup', rollup.rollup],
          ['queue', rollup.queue],
          ['vault', rollup.vault],
          ...rollup.assets.map(({ symbol, token }) => [symbol, token] as [string, string]),
          ['keys', 'development keys: 0 deployer, 1 sequencer, 2 submitter, 4-8 publishers, 9 trader'],
        ]),
      );
      const ended = await Promise.race([untilStopped(), devnet.ended]);
      if (ended !== 'SIGINT' && ended !== 'SIGTERM') throw new Error(`the L1 ended by itself: ${ended}`);
    } finally {
      await devnet.stop();
    }
  });
