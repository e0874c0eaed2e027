/**
 * The calls that lead out of a frozen rollup (IEscapeHatch.sol). Anyone may send each; what is paid goes to the owner.
 * Everything rejects with `L1Error`.
 */
import { type Address, encodeFunctionData, type Hex, parseEventLogs, type TransactionReceipt } from 'viem';
import { toHex } from '#protocol/bytes.ts';
import type { QueueEntry } from '#protocol/queue-entry.ts';
import { vaultAbi } from './abi.ts';
import { type L1Client, send } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { L1Error } from './errors.ts';
import { escapeAbi } from './escape-abi.ts';

/** A leaf and its packed path (state/tree-proof.ts) under the settled root. */
export interface ProvenLeaf {
  readonly value: Uint8Array;
  readonly path: Uint8Array;
}

export interface MarketProof {
  readonly market: number;
  readonly config: ProvenLeaf;
  readonly prices: ProvenLeaf;
}

export interface AssetProof {
  readonly asset: number;
  readonly config: ProvenLeaf;
  readonly pool: ProvenLeaf;
}

export interface AccountProof {
  readonly account: number;
  readonly leaf: ProvenLeaf;
}

/** What the vault paid. */
export interface Payment {
  /** Ledger units. */
  readonly amount: bigint;
  readonly receipt: TransactionReceipt;
}

const leafOf = (leaf: ProvenLeaf): { value: Hex; path: Hex } => ({
  value: toHex(leaf.value),
  path: toHex(leaf.path),
});

const call = (l1: L1Client, rollup: RollupContracts, data: Hex, doing: string): Promise<TransactionReceipt> =>
  send(l1, { to: rollup.escapeHatch, data, doing });

/** Fixes the ledger that counts; the rollup must be frozen without pending batches. */
export const settle = (l1: L1Client, rollup: RollupContracts): Promise<TransactionReceipt> =>
  call(l1, rollup, encodeFunctionData({ abi: escapeAbi, functionName: 'settle' }), 'settle');

export async function provePrices(
  l1: L1Client,
  rollup: RollupContracts,
  proof: { readonly globals: ProvenLeaf; readonly markets: readonly MarketProof[] },
): Promise<TransactionReceipt> {
  const markets = proof.markets.map(({ market, config, prices }) => ({
    market,
    config: leafOf(config),
    prices: leafOf(prices),
  }));
  return call(
    l1,
    rollup,
    encodeFunctionData({
      abi: escapeAbi,
      functionName: 'provePrices',
      args: [leafOf(proof.globals), markets],
    }),
    'prove prices',
  );
}

/** What assets are worth; the prices of their feeds must be proven before. */
export async function proveAssets(
  l1: L1Client,
  rollup: RollupContracts,
  assets: readonly AssetProof[],
): Promise<TransactionReceipt> {
  return call(
    l1,
    rollup,
    encodeFunctionData({
      abi: escapeAbi,
      functionName: 'proveAssets',
      args: [
        assets.map(({ asset, config, pool }) => ({ asset, config: leafOf(config), pool: leafOf(pool) })),
      ],
    }),
    'prove assets',
  );
}

export async function registerClaims(
  l1: L1Client,
  rollup: RollupContracts,
  accounts: readonly AccountProof[],
): Promise<TransactionReceipt> {
  return call(
    l1,
    rollup,
    encodeFunctionData({
      abi: escapeAbi,
      functionName: 'registerClaims',
      args: [accounts.map(({ account, leaf }) => ({ account, leaf: leafOf(leaf) }))],
    }),
    'register claims',
  );
}

/** Counts the next entries that the ledger has not taken up; they must follow those counted before. */
export async function countDeposits(
  l1: L1Client,
  rollup: RollupContracts,
  entries: readonly QueueEntry[],
): Promise<TransactionReceipt> {
  return call(
    l1,
    rollup,
    encodeFunctionData({
      abi: escapeAbi,
      functionName: 'countDeposits',
      args: [
        entries.map(({ kind, owner, payload }) => ({ kind, owner: toHex(owner), payload: toHex(payload) })),
      ],
    }),
    'count deposits',
  );
}

/** Pays back a deposit that the ledger has not taken up. */
export async function refund(l1: L1Client, rollup: RollupContracts, entry: QueueEntry): Promise<Payment> {
  const receipt = await call(
    l1,
    rollup,
    encodeFunctionData({
      abi: escapeAbi,
      functionName: 'refund',
      args: [BigInt(entry.index), toHex(entry.owner), toHex(entry.payload)],
    }),
    `refund deposit ${entry.index}`,
  );
  const [event] = parseEventLogs({ abi: vaultAbi, eventName: 'Refunded', logs: onlyVault(rollup, receipt) });
  if (event === undefined) throw new L1Error('malformed', 'refund: expected a Refunded event, got none');
  return { amount: event.args.amount, receipt };
}

/** Pays an owner's share of one token. */
export async function claimShare(
  l1: L1Client,
  rollup: RollupContracts,
  of: { readonly owner: Address; readonly asset: number },
): Promise<Payment> {
  const receipt = await call(
    l1,
    rollup,
    encodeFunctionData({ abi: escapeAbi, functionName: 'claim', args: [of.owner, of.asset] }),
    'claim',
  );
  const [event] = parseEventLogs({ abi: vaultAbi, eventName: 'ClaimPaid', logs: onlyVault(rollup, receipt) });
  if (event === undefined) throw new L1Error('malformed', 'claim: expected a ClaimPaid event, got none');
  return { amount: event.args.amount, receipt };
}

/** The hatch has events of the same names. */
const onlyVault = (rollup: RollupContracts, receipt: TransactionReceipt) =>
  receipt.logs.filter(({ address }) => address.toLowerCase() === rollup.vault.toLowerCase());
