/**
 * Where a rollup stands on its way from running to settled and paid out, read from L1 as of one block. Rejects with
 * `L1Error`.
 */
import type { Address } from 'viem';
import { fromHex } from '#protocol/bytes.ts';
import type { Hash } from '#protocol/units.ts';
import { queueAbi, rollupAbi, vaultAbi } from './abi.ts';
import type { L1Client } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { l1Error } from './errors.ts';
import { escapeAbi } from './escape-abi.ts';

/** An asset of the vault, ledger units. */
export interface AssetState {
  /** Deposits less payments. */
  readonly held: bigint;
  /** Set aside for refunds that are not paid yet. */
  readonly reserved: bigint;
  /** Released by final batches and not paid. */
  readonly withdrawalsDue: bigint;
  /** What claims share, once payments have begun. */
  readonly pool: bigint;
  /** Sum of all claims that are registered, and those of the owner asked about. */
  readonly claimTotal: bigint;
  readonly claim: bigint;
  /** What it is worth in the exit is proven. */
  readonly isProven: boolean;
  /** Paid to the owner asked about, of what the ledger says was withdrawn. */
  readonly withdrawnPaid: bigint;
  readonly claimPaid: boolean;
}

/** After `settle`. */
export interface SettledState {
  readonly claimsUntil: number;
  readonly counted: number;
  readonly distributing: boolean;
  /** q. */
  readonly deficitTotal: bigint;
}

export interface EscapeState {
  /** Time of the block that was read, seconds. */
  readonly now: number;
  readonly frozen: boolean;
  readonly committedId: number;
  readonly finalId: number;
  /** Of the last final batch; zero before the first. */
  readonly ledgerRoot: Hash;
  /** First queue entry that no final batch has taken up. */
  readonly queueNext: number;
  readonly queueLength: number;
  /** First entry that no committed batch has taken up, and when it is overdue (ms); undefined when there is none. */
  readonly due: { readonly index: number; readonly deadlineMs: number } | undefined;
  /** When the sequencer was last heard of, and when it counts as silent, seconds. */
  readonly committedAt: number;
  readonly silentFrom: number;
  readonly claimPeriod: number;
  readonly settled: SettledState | undefined;
  readonly assets: readonly AssetState[];
}

export async function readEscapeState(
  l1: L1Client,
  rollup: RollupContracts,
  owner: Address,
): Promise<EscapeState> {
  try {
    const block = await l1.public.getBlock({ blockTag: 'latest' });
    const at = { blockNumber: block.number } as const;
    const chain = { address: rollup.rollup, abi: rollupAbi, ...at } as const;
    const queue = { address: rollup.queue, abi: queueAbi, ...at } as const;
    const [head, final, frozen, queueLength] = await Promise.all([
      l1.public.readContract({ ...chain, functionName: 'head' }),
      l1.public.readContract({ ...chain, functionName: 'finalHead' }),
      l1.public.readContract({ ...chain, functionName: 'frozen' }),
      l1.public.readContract({ ...queue, functionName: 'length' }),
    ]);
    const [cursor, hatch, assets] = await Promise.all([
      l1.public.readContract({ ...queue, functionName: 'cursorAt', args: [head.queueNext] }),
      readSettled(l1, rollup, block.number),
      Promise.all(rollup.assets.map(({ asset }) => readAsset(l1, rollup, owner, asset, block.number))),
    ]);
    return {
      now: Number(block.timestamp),
      frozen,
      committedId: Number(head.id),
      finalId: Number(final.id),
      ledgerRoot: fromHex(final.ledgerRoot),
      queueNext: Number(final.queueNext),
      queueLength: Number(queueLength),
      due:
        head.queueNext < queueLength
          ? { index: Number(head.queueNext), deadlineMs: Number(cursor[2]) }
          : undefined,
      committedAt: Number(head.committedAt),
      silentFrom: Number(head.committedAt) + rollup.livenessSeconds,
      ...hatch,
      assets,
    };
  } catch (error) {
    throw l1Error(error, `rollup ${rollup.rollup}`);
  }
}

async function readSettled(
  l1: L1Client,
  rollup: RollupContracts,
  blockNumber: bigint,
): Promise<Pick<EscapeState, 'claimPeriod' | 'settled'>> {
  const hatch = { address: rollup.escapeHatch, abi: escapeAbi, blockNumber } as const;
  const [claimPeriod, claimsUntil, counted, distributing, deficitTotal] = await Promise.all([
    l1.public.readContract({ ...hatch, functionName: 'claimPeriod' }),
    l1.public.readContract({ ...hatch, functionName: 'claimsUntil' }),
    l1.public.readContract({ ...hatch, functionName: 'counted' }),
    l1.public.readContract({ ...hatch, functionName: 'distributing' }),
    l1.public.readContract({ ...hatch, functionName: 'deficitTotal' }),
  ]);
  return {
    claimPeriod: Number(claimPeriod),
    settled:
      claimsUntil === 0n
        ? undefined
        : {
            claimsUntil: Number(claimsUntil),
            counted: Number(counted),
            distributing,
            deficitTotal,
          },
  };
}

async function readAsset(
  l1: L1Client,
  rollup: RollupContracts,
  owner: Address,
  asset: number,
  blockNumber: bigint,
): Promise<AssetState> {
  const vault = { address: rollup.vault, abi: vaultAbi, blockNumber } as const;
  const chain = { address: rollup.rollup, abi: rollupAbi, blockNumber } as const;
  const hatch = { address: rollup.escapeHatch, abi: escapeAbi, blockNumber } as const;
  const [held, reserved, paidTotal, withdrawnPaid, released] = await Promise.all([
    l1.public.readContract({ ...vault, functionName: 'held', args: [asset] }),
    l1.public.readContract({ ...vault, functionName: 'reserved', args: [asset] }),
    l1.public.readContract({ ...vault, functionName: 'paidTotal', args: [asset] }),
    l1.public.readContract({ ...vault, functionName: 'paid', args: [owner, asset] }),
    l1.public.readContract({ ...chain, functionName: 'withdrawnTotal', args: [asset] }),
  ]);
  const [pool, claimTotal, claim, { known }, claimPaid] = await Promise.all([
    l1.public.readContract({ ...hatch, functionName: 'pool', args: [asset] }),
    l1.public.readContract({ ...hatch, functionName: 'claimTotal', args: [asset] }),
    l1.public.readContract({ ...hatch, functionName: 'claimOf', args: [owner, asset] }),
    l1.public.readContract({ ...hatch, functionName: 'exitAssets', args: [asset] }),
    l1.public.readContract({ ...hatch, functionName: 'claimPaid', args: [owner, asset] }),
  ]);
  const withdrawalsDue = released - paidTotal;
  return {
    ...{ held, reserved, withdrawalsDue, pool, claimTotal, claim },
    ...{ isProven: known, withdrawnPaid, claimPaid },
  };
}

/** Which of these accounts are registered, and of which markets the price is known. */
export async function readRegistered(
  l1: L1Client,
  rollup: RollupContracts,
  of: { readonly accounts: readonly number[]; readonly markets: readonly number[] },
): Promise<{ readonly accounts: ReadonlySet<number>; readonly markets: ReadonlySet<number> }> {
  const hatch = { address: rollup.escapeHatch, abi: escapeAbi } as const;
  try {
    const [accounts, markets] = await Promise.all([
      Promise.all(
        of.accounts.map((account) =>
          l1.public.readContract({ ...hatch, functionName: 'registered', args: [account] }),
        ),
      ),
      Promise.all(
        of.markets.map((market) =>
          l1.public.readContract({ ...hatch, functionName: 'prices', args: [market] }),
        ),
      ),
    ]);
    return {
      accounts: new Set(of.accounts.filter((_, i) => accounts[i])),
      markets: new Set(of.markets.filter((_, i) => markets[i]!.known)),
    };
  } catch (error) {
    throw l1Error(error, `escape hatch ${rollup.escapeHatch}`);
  }
}

/** Which of these queue entries were refunded. */
export async function readRefunded(
  l1: L1Client,
  rollup: RollupContracts,
  indexes: readonly number[],
): Promise<ReadonlySet<number>> {
  const hatch = { address: rollup.escapeHatch, abi: escapeAbi } as const;
  try {
    const refunded = await Promise.all(
      indexes.map((index) =>
        l1.public.readContract({ ...hatch, functionName: 'refunded', args: [BigInt(index)] }),
      ),
    );
    return new Set(indexes.filter((_, i) => refunded[i]));
  } catch (error) {
    throw l1Error(error, `escape hatch ${rollup.escapeHatch}`);
  }
}
