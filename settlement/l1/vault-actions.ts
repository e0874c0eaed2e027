/**
 * What users do on L1: deposit, forced requests, withdrawal with a proof, balances. Amounts are ledger units (millionths
 * of the quote asset for asset 0) but where they are called token units. Everything rejects with `L1Error`.
 */

import { type Address, encodeFunctionData, parseEventLogs, type TransactionReceipt } from 'viem';
import { toHex } from '#protocol/bytes.ts';
import {
  encodeEvaluatePayload,
  encodeMoneyPayload,
  encodeReduceOnlyPayload,
  QUEUE_CANCEL_ALL,
  QUEUE_DEPOSIT,
  QUEUE_EVALUATE_LIQUIDATION,
  QUEUE_REDUCE_ONLY_IOC,
  QUEUE_WITHDRAW,
  type ReduceOnlyRequest,
} from '#protocol/queue-entry.ts';
import { queueAbi, rollupAbi, tokenAbi, vaultAbi } from './abi.ts';
import { accountOf, type L1Client, send } from './client.ts';
import type { AssetInfo, RollupContracts } from './contracts.ts';
import { L1Error, l1Error } from './errors.ts';

export interface Money {
  readonly asset: number;
  /** Ledger units. */
  readonly amount: number;
  readonly subaccount: number;
}

/** Where an entry stands in the queue. */
export interface Queued {
  readonly index: number;
  /** It must be in a committed batch by then, milliseconds. */
  readonly deadlineMs: number;
  readonly receipt: TransactionReceipt;
}

/** Gives test tokens to anyone; development chains only. `amount`: ledger units. */
export async function mintTestTokens(
  l1: L1Client,
  rollup: RollupContracts,
  to: { readonly address: Address; readonly amount: number; readonly asset?: number },
): Promise<TransactionReceipt> {
  const { token, scale } = assetOf(rollup, to.asset ?? 0);
  return send(l1, {
    to: token,
    data: encodeFunctionData({
      abi: tokenAbi,
      functionName: 'mint',
      args: [to.address, BigInt(to.amount) * scale],
    }),
    doing: 'mint test tokens',
  });
}

/** Lets the vault take up to `amount` (default: any amount) of the sender's tokens. */
export async function approveVault(
  l1: L1Client,
  rollup: RollupContracts,
  allowance: { readonly asset: number; readonly amount?: number },
): Promise<TransactionReceipt> {
  const { token, scale } = assetOf(rollup, allowance.asset);
  const amount = allowance.amount === undefined ? 2n ** 256n - 1n : BigInt(allowance.amount) * scale;
  return send(l1, {
    to: token,
    data: encodeFunctionData({ abi: tokenAbi, functionName: 'approve', args: [rollup.vault, amount] }),
    doing: 'approve the vault',
  });
}

/** Deposits to the sender's sub-account, or to `owner`'s. The vault needs an allowance (`approveVault`). */
export async function deposit(
  l1: L1Client,
  rollup: RollupContracts,
  money: Money & { readonly owner?: Address },
): Promise<Queued> {
  const amount = BigInt(money.amount);
  return enqueue(l1, rollup, {
    kind: QUEUE_DEPOSIT,
    data:
      money.owner === undefined
        ? encodeFunctionData({
            abi: queueAbi,
            functionName: 'deposit',
            args: [money.asset, money.subaccount, amount],
          })
        : encodeFunctionData({
            abi: queueAbi,
            functionName: 'depositFor',
            args: [money.owner, money.asset, money.subaccount, amount],
          }),
    doing: 'deposit',
  });
}

/** Demands a withdrawal through L1: the sequencer must take it up before the deadline. Pays the queue's fee. */
export async function forceWithdraw(l1: L1Client, rollup: RollupContracts, money: Money): Promise<Queued> {
  return requestForced(l1, rollup, QUEUE_WITHDRAW, encodeMoneyPayload(money));
}

/** Demands through L1 that all orders of a sub-account are canceled. */
export async function forceCancelAll(
  l1: L1Client,
  rollup: RollupContracts,
  account: { readonly subaccount: number },
): Promise<Queued> {
  return requestForced(l1, rollup, QUEUE_CANCEL_ALL, Uint8Array.of(account.subaccount));
}

/** Demands through L1 that a position is closed as far as the book holds, up to a price and a size. */
export async function forceReduceOnly(
  l1: L1Client,
  rollup: RollupContracts,
  request: ReduceOnlyRequest,
): Promise<Queued> {
  return requestForced(l1, rollup, QUEUE_REDUCE_ONLY_IOC, encodeReduceOnlyPayload(request));
}

/** Demands through L1 that an account, anyone's, is looked at and liquidated if its margin asks for it. */
export async function forceEvaluate(
  l1: L1Client,
  rollup: RollupContracts,
  request: { readonly account: number },
): Promise<Queued> {
  return requestForced(l1, rollup, QUEUE_EVALUATE_LIQUIDATION, encodeEvaluatePayload(request.account));
}

const DOING: Readonly<Record<number, string>> = {
  [QUEUE_WITHDRAW]: 'forced withdrawal',
  [QUEUE_CANCEL_ALL]: 'forced cancel-all',
  [QUEUE_REDUCE_ONLY_IOC]: 'forced reduce-only order',
  [QUEUE_EVALUATE_LIQUIDATION]: 'forced evaluation',
};

async function requestForced(
  l1: L1Client,
  rollup: RollupContracts,
  kind: number,
  payload: Uint8Array,
): Promise<Queued> {
  return enqueue(l1, rollup, {
    kind,
    data: encodeFunctionData({
      abi: queueAbi,
      functionName: 'requestForced',
      args: [kind, toHex(payload)],
    }),
    doing: DOING[kind]!,
  });
}

/** Fee of the next queue entry of a kind, wei; zero for deposits while the queue is not crowded. */
export async function queueFee(l1: L1Client, rollup: RollupContracts, kind: number): Promise<bigint> {
  try {
    return await l1.public.readContract({
      address: rollup.queue,
      abi: queueAbi,
      functionName: 'feeOf',
      args: [kind],
    });
  } catch (error) {
    throw l1Error(error, 'queue fee');
  }
}

/** Sends what makes a queue entry, with its fee. */
export async function enqueue(
  l1: L1Client,
  rollup: RollupContracts,
  entry: { readonly kind: number; readonly data: `0x${string}`; readonly doing: string },
): Promise<Queued> {
  const fee = await queueFee(l1, rollup, entry.kind);
  const receipt = await send(l1, {
    to: rollup.queue,
    data: entry.data,
    // The fee can double before this is mined; the surplus comes back.
    value: entry.kind === QUEUE_DEPOSIT ? fee : 2n * fee,
    doing: entry.doing,
  });
  const [event] = parseEventLogs({ abi: queueAbi, eventName: 'Enqueued', logs: receipt.logs });
  if (event === undefined)
    throw new L1Error('malformed', `${entry.doing}: expected an Enqueued event, got none`);
  return { index: Number(event.args.index), deadlineMs: Number(event.args.deadline), receipt };
}

/** What the ledger of a final batch says about one owner and asset, and its proof. */
export interface WithdrawalProof {
  readonly owner: Address;
  readonly asset: number;
  /** Cumulative amount in the leaf WITHDRAWN(owner, asset), ledger units. */
  readonly total: bigint;
  /** A final batch under whose ledger root `path` opens. */
  readonly batchId: number;
  /** Packed path (state/tree-proof.ts). */
  readonly path: Uint8Array;
}

/** Pays `owner` what the proof shows and was not paid yet; anyone may send it. Resolves with the amount paid. */
export async function withdraw(
  l1: L1Client,
  rollup: RollupContracts,
  proof: WithdrawalProof,
): Promise<{ readonly amount: bigint; readonly receipt: TransactionReceipt }> {
  const receipt = await send(l1, {
    to: rollup.vault,
    data: encodeFunctionData({
      abi: vaultAbi,
      functionName: 'withdraw',
      args: [proof.owner, proof.asset, proof.total, BigInt(proof.batchId), toHex(proof.path)],
    }),
    doing: 'withdraw',
  });
  const [event] = parseEventLogs({ abi: vaultAbi, eventName: 'Withdrawn', logs: receipt.logs });
  if (event === undefined) throw new L1Error('malformed', 'withdraw: expected a Withdrawn event, got none');
  return { amount: event.args.amount, receipt };
}

/** Tokens of an address, token units. */
export async function tokenBalance(
  l1: L1Client,
  rollup: RollupContracts,
  of: { readonly address: Address; readonly asset?: number },
): Promise<bigint> {
  try {
    return await l1.public.readContract({
      address: assetOf(rollup, of.asset ?? 0).token,
      abi: tokenAbi,
      functionName: 'balanceOf',
      args: [of.address],
    });
  } catch (error) {
    throw l1Error(error, 'token balance');
  }
}

/** What the vault holds of an asset, and has paid to everybody and to one owner, ledger units. */
export async function vaultTotals(
  l1: L1Client,
  rollup: RollupContracts,
  of: { readonly asset: number; readonly owner?: Address },
): Promise<{ readonly held: bigint; readonly paidTotal: bigint; readonly paidToOwner: bigint }> {
  const vault = { address: rollup.vault, abi: vaultAbi } as const;
  try {
    const [held, paidTotal, paidToOwner] = await Promise.all([
      l1.public.readContract({ ...vault, functionName: 'held', args: [of.asset] }),
      l1.public.readContract({ ...vault, functionName: 'paidTotal', args: [of.asset] }),
      of.owner === undefined
        ? 0n
        : l1.public.readContract({ ...vault, functionName: 'paid', args: [of.owner, of.asset] }),
    ]);
    return { held, paidTotal, paidToOwner };
  } catch (error) {
    throw l1Error(error, 'vault totals');
  }
}

/** Where the chain of batches stands on L1. */
export interface RollupStatus {
  readonly committedId: number;
  readonly committedHash: `0x${string}`;
  readonly finalId: number;
  readonly epoch: number;
  /** Queue entries taken up by committed batches. */
  readonly queueNext: number;
  readonly frozen: boolean;
  readonly bondWei: bigint;
}

export async function rollupStatus(l1: L1Client, rollup: RollupContracts): Promise<RollupStatus> {
  const contract = { address: rollup.rollup, abi: rollupAbi } as const;
  try {
    const [head, final, frozen, bondWei] = await Promise.all([
      l1.public.readContract({ ...contract, functionName: 'head' }),
      l1.public.readContract({ ...contract, functionName: 'finalHead' }),
      l1.public.readContract({ ...contract, functionName: 'frozen' }),
      l1.public.readContract({ ...contract, functionName: 'bond' }),
    ]);
    return {
      committedId: Number(head.id),
      committedHash: head.hash,
      finalId: Number(final.id),
      epoch: head.epoch,
      queueNext: Number(head.queueNext),
      frozen,
      bondWei,
    };
  } catch (error) {
    throw l1Error(error, 'rollup status');
  }
}

/** Bars further commits when an entry is overdue or the sequencer has been silent for the liveness limit. */
export async function freeze(l1: L1Client, rollup: RollupContracts): Promise<TransactionReceipt> {
  return send(l1, {
    to: rollup.rollup,
    data: encodeFunctionData({ abi: rollupAbi, functionName: 'freeze' }),
    doing: 'freeze',
  });
}

/** Throws `L1Error` code `rejected` when the vault has no such asset. */
export function assetOf(rollup: RollupContracts, asset: number): AssetInfo {
  const info = rollup.assets[asset];
  if (info === undefined)
    throw new L1Error('rejected', `asset: expected 0 to ${rollup.assets.length - 1}, got ${asset}`);
  return info;
}

/** Address of the client's key, for convenience of callers that only pass the client around. */
export const addressOf = (l1: L1Client): Address => accountOf(l1).address;
