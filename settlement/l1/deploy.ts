/**
 * Deploys a rollup: a token (where none is named), Vault, Queue with its genesis configuration, the judges, the escape
 * hatch, and Rollup last. They name each other; their addresses follow from the deployer's nonce, and Rollup's
 * constructor checks the wiring.
 *
 *   const contracts = await deployRollup(l1, { sequencer, chain, markets, publishers, windowSeconds: 10 });
 *   const tokens = await deployTestTokens(l1);                 // and with several assets:
 *   const contracts = await deployRollup(l1, { ..., tokens, assets: [quoteConfig, ethConfig, btcConfig] });
 */

import { type Address, encodeDeployData, getContractAddress, type Hex, zeroAddress } from 'viem';
import { type AssetConfig, assetConfigProblem, encodeAssetConfig } from '#protocol/asset.ts';
import { toHex } from '#protocol/bytes.ts';
import { ASSETS_MAX, PUBLISHERS_MAX, PUBLISHERS_MIN } from '#protocol/limits.ts';
import {
  type ChainParameters,
  chainParametersProblem,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  type MarketConfig,
  marketConfigProblem,
} from '#protocol/market.ts';
import {
  QUEUE_CONFIGURE_ASSET,
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
} from '#protocol/queue-entry.ts';
import { tokenAbi } from './abi.ts';
import { accountOf, type L1Client, send } from './client.ts';
import { type Artifacts, compileContracts } from './compile.ts';
import { findRollup, type RollupContracts } from './contracts.ts';
import { L1Error, l1Error } from './errors.ts';
import { deployStepProver } from './step-prover.ts';
import { deployTestTokens, TEST_USD } from './test-tokens.ts';
import { ledgerDecimals, type VaultAsset } from './vault-asset.ts';

export interface PublisherConfig {
  /** 20 bytes, or as text. */
  readonly address: Uint8Array | Address;
  readonly weight: number;
}

export interface Genesis {
  readonly chain: ChainParameters;
  readonly markets: readonly MarketConfig[];
  readonly publishers: readonly PublisherConfig[];
  /** Collateral values and lending terms of the vault's assets, from asset 0 on; default none: cash alone counts. */
  readonly assets?: readonly AssetConfig[];
}

export interface DeployOptions extends Genesis {
  /** Address of the sequencer's key. */
  readonly sequencer: Address;
  /** What the vault takes, the quote asset first; default: a new TestToken as the quote asset. */
  readonly tokens?: readonly VaultAsset[];
  /** Seconds between commit and finality. */
  readonly windowSeconds: number;
  /** Default 7 days. */
  readonly livenessSeconds?: number;
  /** Default 1 ether; paid by the deployer. */
  readonly bondWei?: bigint;
  /** Default 24 hours. */
  readonly inclusionMs?: number;
  /** Default 1,000. */
  readonly intervalMs?: number;
  /** Fee of a forced request in an empty queue, wei; default 0.0005 ether. */
  readonly baseFeeWei?: bigint;
  /** Default 10 minutes. */
  readonly feeDoublingMs?: number;
  /** Who may propose configuration; default nobody: the genesis configuration stays for good. */
  readonly configurator?: Address;
  /** Between proposal and entry; default the least that the contracts allow, window and inclusion delay together. */
  readonly timelockMs?: number;
  /** Between settlement of a frozen rollup and the payment of claims; default 14 days, the least on mainnet. */
  readonly claimPeriodSeconds?: number;
  /** Whose attestation makes a batch final at once; default nobody's. Deploys StubVerifier. */
  readonly attester?: Address;
  /** Batches may be committed without their inputs on L1; default false. */
  readonly inputsOffChain?: boolean;
  /** Who may commit batches with their inputs in blobs or off chain; default nobody: all inputs stand in calldata. */
  readonly submitter?: Address;
  /** What a demand for inputs costs, and how long an answer may take; default an eighth of the window. */
  readonly demands?: { readonly feeWei?: bigint; readonly answerSeconds?: number };
  /** A StepProver that stands on this chain; default a new one. */
  readonly stepProver?: Address;
  /** Default: `compileContracts()`. */
  readonly artifacts?: Artifacts;
}

const DAY_SECONDS = 86_400;
/** Rewards.sol takes no longer claim period. */
const CLAIM_SECONDS_MAX = 30 * DAY_SECONDS;
/** Rollup's constructor calls all the others, so it comes last but for StubVerifier, which few chains have. */
const ORDER = [
  'Vault',
  'Queue',
  'Challenges',
  'Demands',
  'Equivocation',
  'EscapeHatch',
  'Rollup',
  'StubVerifier',
] as const;

type Deployed = (typeof ORDER)[number];

/** Configuration entries in the order in which they enter the queue: an asset's feed comes before it. Throws a sentence. */
export function genesisEntries(genesis: Genesis): { kind: number; payload: Hex }[] {
  const problem =
    chainParametersProblem(genesis.chain) ??
    genesis.markets.map(marketConfigProblem).find((sentence) => sentence !== undefined) ??
    publishersProblem(genesis.publishers) ??
    assetsProblem(genesis);
  if (problem !== undefined) throw new L1Error('rejected', `genesis: ${problem}`);
  return [
    { kind: QUEUE_CONFIGURE_CHAIN, payload: toHex(encodeChainParameters(genesis.chain)) },
    ...genesis.markets.map((market) => ({
      kind: QUEUE_CONFIGURE_MARKET,
      payload: toHex(encodeMarketConfig(market)),
    })),
    ...genesis.publishers.map((publisher, index) => ({
      kind: QUEUE_CONFIGURE_PUBLISHER,
      payload: toHex(
        encodePublisher({ index, address: addressBytes(publisher.address), weight: publisher.weight }),
      ),
    })),
    ...(genesis.assets ?? []).map((asset) => ({
      kind: QUEUE_CONFIGURE_ASSET,
      payload: toHex(encodeAssetConfig(asset)),
    })),
  ];
}

/** Rejects with `L1Error`; what was deployed before a failure stays behind unused. */
export async function deployRollup(l1: L1Client, options: DeployOptions): Promise<RollupContracts> {
  const entries = genesisEntries(options);
  const artifacts = options.artifacts ?? (await compileContracts());
  const deployer = accountOf(l1).address;
  const tokens = options.tokens ?? (await deployTestTokens(l1, [TEST_USD], artifacts));
  if (tokens.length < 1 || tokens.length > ASSETS_MAX)
    throw new L1Error('rejected', `tokens: expected 1 to ${ASSETS_MAX}, got ${tokens.length}`);
  await requireDecimals(l1, tokens, options.assets ?? []);

  const stepProver = options.stepProver ?? (await deployStepProver(l1, artifacts)).stepProver;
  const nonce = await l1.public
    .getTransactionCount({ address: deployer, blockTag: 'pending' })
    .catch((error) => {
      throw l1Error(error, 'deploy');
    });
  const at = (name: Deployed): Address =>
    getContractAddress({ from: deployer, nonce: BigInt(nonce + ORDER.indexOf(name)) });
  const inclusionMs = options.inclusionMs ?? DAY_SECONDS * 1000;
  const answerSeconds = options.demands?.answerSeconds ?? Math.max(1, Math.floor(options.windowSeconds / 8));
  const bond = options.bondWei ?? 10n ** 18n;
  // The same room for what is censored as the challenge window gives, as far as the contracts allow.
  const claimSeconds = BigInt(Math.min(options.windowSeconds, CLAIM_SECONDS_MAX));
  const rollup = at('Rollup');
  const constructorArguments: Record<Deployed, readonly unknown[]> = {
    Vault: [
      at('Queue'),
      rollup,
      tokens.map(({ token, scale, depositMin, cap }) => ({
        token,
        scale: scale ?? 1n,
        depositMin: BigInt(depositMin),
        cap: BigInt(cap),
      })),
    ],
    Queue: [
      at('Vault'),
      rollup,
      {
        inclusionMs: BigInt(inclusionMs),
        intervalMs: BigInt(options.intervalMs ?? 1_000),
        baseFee: options.baseFeeWei ?? 500_000_000_000_000n,
        feeDoublingMs: BigInt(options.feeDoublingMs ?? 600_000),
        configurator: options.configurator ?? zeroAddress,
        timelockMs: BigInt(options.timelockMs ?? options.windowSeconds * 1000 + inclusionMs),
      },
      entries,
    ],
    Challenges: [rollup, stepProver, claimSeconds],
    Demands: [
      rollup,
      {
        fee: options.demands?.feeWei ?? 10n ** 16n,
        answerWindow: BigInt(answerSeconds),
        answerInterval: BigInt(Math.ceil(answerSeconds / 60)),
        provingPeriod: BigInt(2 * answerSeconds),
      },
    ],
    Equivocation: [rollup, claimSeconds],
    EscapeHatch: [rollup, BigInt(options.claimPeriodSeconds ?? 14 * DAY_SECONDS)],
    Rollup: [
      {
        queue: at('Queue'),
        vault: at('Vault'),
        challenges: at('Challenges'),
        demands: at('Demands'),
        equivocation: at('Equivocation'),
        escape: at('EscapeHatch'),
      },
      {
        sequencer: options.sequencer,
        window: BigInt(options.windowSeconds),
        livenessLimit: BigInt(options.livenessSeconds ?? 7 * DAY_SECONDS),
        bond,
        verifier: options.attester === undefined ? zeroAddress : at('StubVerifier'),
        inputsOffChain: options.inputsOffChain ?? false,
        submitter: options.submitter ?? zeroAddress,
      },
    ],
    StubVerifier: [options.attester ?? zeroAddress, rollup],
  };
  for (const [offset, name] of ORDER.entries()) {
    if (name === 'StubVerifier' && options.attester === undefined) continue;
    const { abi, bytecode } = artifacts[name];
    await send(l1, {
      data: encodeDeployData({ abi, bytecode, args: constructorArguments[name] }),
      value: name === 'Rollup' ? bond : 0n,
      nonce: nonce + offset,
      doing: `deploy ${name}`,
    });
  }
  return findRollup(l1, { address: rollup });
}

/** A whole of an asset must be the same for the vault as for the state machine. */
async function requireDecimals(
  l1: L1Client,
  tokens: readonly VaultAsset[],
  assets: readonly AssetConfig[],
): Promise<void> {
  for (const { asset, decimals } of assets) {
    const held = tokens[asset];
    if (held === undefined)
      throw new L1Error(
        'rejected',
        `genesis: assets: expected at most the ${tokens.length} of the vault, got asset ${asset}`,
      );
    const of = { address: held.token, abi: tokenAbi } as const;
    const [symbol, tokenDecimals] = await Promise.all([
      l1.public.readContract({ ...of, functionName: 'symbol' }),
      l1.public.readContract({ ...of, functionName: 'decimals' }),
    ]).catch((error) => {
      throw l1Error(error, `token ${held.token}`);
    });
    const counted = ledgerDecimals({ asset, symbol, tokenDecimals, scale: held.scale ?? 1n });
    if (counted !== decimals)
      throw new L1Error(
        'rejected',
        `genesis: assets[${asset}].decimals: expected ${counted} (${tokenDecimals} of ${symbol} at a scale of ${held.scale ?? 1n}), got ${decimals}`,
      );
  }
}

function assetsProblem({ assets = [], markets }: Genesis): string | undefined {
  for (const [place, config] of assets.entries()) {
    const problem = assetConfigProblem(config);
    if (problem !== undefined) return problem;
    if (config.asset !== place) return `assets[${place}].asset: expected ${place}, got ${config.asset}`;
    if (place !== 0 && config.feed >= markets.length)
      return `assets[${place}].feed: expected one of ${markets.length} markets, got ${config.feed}`;
  }
  return undefined;
}

function publishersProblem(publishers: readonly PublisherConfig[]): string | undefined {
  if (publishers.length < PUBLISHERS_MIN || publishers.length > PUBLISHERS_MAX)
    return `publishers: expected ${PUBLISHERS_MIN} to ${PUBLISHERS_MAX}, got ${publishers.length}`;
  for (const [index, { address, weight }] of publishers.entries()) {
    if (!Number.isSafeInteger(weight) || weight < 1 || weight > 1_000_000)
      return `publishers[${index}].weight: expected an integer from 1 to 1000000, got ${weight}`;
    if (addressBytes(address).length !== 20)
      return `publishers[${index}].address: expected 20 bytes, got ${addressBytes(address).length}`;
  }
  return undefined;
}

function addressBytes(address: Uint8Array | Address): Uint8Array {
  return typeof address === 'string' ? Uint8Array.from(Buffer.from(address.slice(2), 'hex')) : address;
}
