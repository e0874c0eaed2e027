/**
 * The contracts of one rollup, found from an L1 alone: Rollup announces itself with RollupCreated, and everything
 * else is read from it.
 *
 *   const rollup = await findRollup(l1);                  // the only one on this chain, or an L1Error
 *   const domain = new SigningDomain(rollup.domain, keccak);
 */

import { type Address, getAddress, type Log, parseEventLogs } from 'viem';
import { fromHex } from '#protocol/bytes.ts';
import type { Domain } from '#protocol/signing.ts';
import { queueAbi, rollupAbi, tokenAbi, vaultAbi } from './abi.ts';
import type { L1Client } from './client.ts';
import { L1Error, l1Error } from './errors.ts';
import { scanLogs } from './logs.ts';
import { ledgerDecimals } from './vault-asset.ts';

export interface AssetInfo {
  /** Place in the vault's list; 0 is the quote asset. */
  readonly asset: number;
  readonly token: Address;
  /** As the token says. */
  readonly symbol: string;
  /** One whole is 10^decimals ledger units; all amounts on the exchange and of the vault are such units. */
  readonly decimals: number;
  /** One whole is 10^tokenDecimals units of the token, as wallets count. */
  readonly tokenDecimals: number;
  /** Token units in a ledger unit. */
  readonly scale: bigint;
  /** Ledger units. */
  readonly depositMin: number;
  readonly cap: number;
}

export interface RollupContracts {
  readonly chainId: number;
  readonly rollup: Address;
  readonly queue: Address;
  readonly vault: Address;
  readonly challenges: Address;
  readonly demands: Address;
  readonly equivocation: Address;
  readonly escapeHatch: Address;
  readonly sequencer: Address;
  /** Block that created the rollup; the queue's genesis entries lie at or shortly before it. */
  readonly createdBlock: number;
  /** First block that can hold an event of queue or vault. */
  readonly firstBlock: number;
  /** Configuration entries with which the queue begins. */
  readonly genesisEntries: number;
  readonly windowSeconds: number;
  readonly livenessSeconds: number;
  readonly bondWei: bigint;
  readonly inclusionMs: number;
  /** Batches may be committed without their inputs on L1. */
  readonly inputsOffChain: boolean;
  /** Who may put inputs elsewhere than in calldata; the zero address: nobody. The sequencer can change it. */
  readonly submitter: Address;
  readonly assets: readonly AssetInfo[];
  /** EIP-712 domain of everything that is signed for this rollup. */
  readonly domain: Domain;
}

/**
 * Finds the rollup at `address`, or the only one on the chain. Rejects with `L1Error` code `no-rollup`,
 * `ambiguous-rollup` (the message lists them) or `unreachable`.
 */
export async function findRollup(
  l1: L1Client,
  options: { readonly address?: Address; readonly fromBlock?: number } = {},
): Promise<RollupContracts> {
  const created = await createdEvents(l1, options);
  const event = created[0];
  if (event === undefined)
    throw new L1Error(
      'no-rollup',
      `l1 ${l1.url}: expected a RollupCreated event${options.address === undefined ? '' : ` of ${options.address}`}, got none`,
    );
  if (created.length > 1)
    throw new L1Error(
      'ambiguous-rollup',
      `l1 ${l1.url}: expected one rollup, got ${created.length}: name one of ${created.map((one) => getAddress(one.address)).join(', ')}`,
    );
  return describe(l1, event);
}

async function createdEvents(l1: L1Client, options: { address?: Address; fromBlock?: number }) {
  try {
    const latest = Number(await l1.public.getBlockNumber());
    const logs: Log[] = [];
    const range = { fromBlock: options.fromBlock ?? 0, toBlock: latest };
    const filter = {
      abi: rollupAbi,
      eventName: 'RollupCreated',
      ...(options.address === undefined ? {} : { address: options.address }),
    } as const;
    for await (const part of scanLogs(l1, filter, range)) logs.push(...part.logs);
    return parseEventLogs({ abi: rollupAbi, eventName: 'RollupCreated', logs });
  } catch (error) {
    throw l1Error(error, `l1 ${l1.url}: RollupCreated`);
  }
}

async function describe(
  l1: L1Client,
  event: Awaited<ReturnType<typeof createdEvents>>[number],
): Promise<RollupContracts> {
  const { queue, vault, sequencer, window, livenessLimit, bond, queueLength } = event.args;
  const rollup = getAddress(event.address);
  try {
    const part = (functionName: 'challenges' | 'demands' | 'equivocation' | 'escape') =>
      l1.public.readContract({ address: rollup, abi: rollupAbi, functionName });
    const [challenges, demands, equivocation, escapeHatch] = await Promise.all([
      part('challenges'),
      part('demands'),
      part('equivocation'),
      part('escape'),
    ]);
    const [assetCount, inclusionMs, firstEntry, inputsOffChain, submitter] = await Promise.all([
      l1.public.readContract({ address: vault, abi: vaultAbi, functionName: 'assetCount' }),
      l1.public.readContract({ address: queue, abi: queueAbi, functionName: 'inclusionMs' }),
      l1.public.readContract({ address: queue, abi: queueAbi, functionName: 'entries', args: [0n] }),
      l1.public.readContract({ address: rollup, abi: rollupAbi, functionName: 'inputsOffChain' }),
      l1.public.readContract({ address: rollup, abi: rollupAbi, functionName: 'submitter' }),
    ]);
    const assets = await Promise.all(
      Array.from({ length: assetCount }, (_, asset) => readAsset(l1, vault, asset)),
    );
    return {
      chainId: l1.chainId,
      rollup,
      queue,
      vault,
      challenges,
      demands,
      equivocation,
      escapeHatch,
      sequencer,
      createdBlock: Number(event.blockNumber),
      firstBlock: Number(firstEntry[2]),
      genesisEntries: Number(queueLength),
      windowSeconds: Number(window),
      livenessSeconds: Number(livenessLimit),
      bondWei: bond,
      inclusionMs: Number(inclusionMs),
      inputsOffChain,
      submitter,
      assets,
      domain: { chainId: l1.chainId, verifyingContract: fromHex(rollup) },
    };
  } catch (error) {
    throw l1Error(error, `rollup ${rollup}`);
  }
}

async function readAsset(l1: L1Client, vault: Address, asset: number): Promise<AssetInfo> {
  const [token, scale, depositMin, cap] = await l1.public.readContract({
    address: vault,
    abi: vaultAbi,
    functionName: 'assets',
    args: [asset],
  });
  const [symbol, tokenDecimals] = await Promise.all([
    l1.public.readContract({ address: token, abi: tokenAbi, functionName: 'symbol' }),
    l1.public.readContract({ address: token, abi: tokenAbi, functionName: 'decimals' }),
  ]);
  return {
    asset,
    token,
    symbol,
    decimals: ledgerDecimals({ asset, symbol, tokenDecimals, scale }),
    tokenDecimals,
    scale,
    depositMin: Number(depositMin),
    cap: Number(cap),
  };
}
