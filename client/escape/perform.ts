/** Sends one action of the way out, and tells what came of it. */

import type { Keccak } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { encodeFinalizeBatch } from '#settlement/l1/batch-calldata.ts';
import { type L1Client, send } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { L1Error } from '#settlement/l1/errors.ts';
import {
  claimShare,
  countDeposits,
  proveAssets,
  provePrices,
  refund,
  registerClaims,
  settle,
} from '#settlement/l1/escape-actions.ts';
import { fetchPostedBatch } from '#settlement/l1/posted-batch.ts';
import { findCommit, readBatchRecord } from '#settlement/l1/rollup-state.ts';
import { freeze, withdraw } from '#settlement/l1/vault-actions.ts';
import type { ExitAction } from './look.ts';

export interface Performed {
  readonly kind: ExitAction['kind'] | 'demand';
  readonly transaction: `0x${string}`;
  /** Ledger units that the owner was paid. */
  readonly paid?: { readonly asset: number; readonly amount: bigint };
}

/** What a contract answers when somebody else was faster or has a say first: looking again shows what is left. */
const DONE_BY_OTHERS: Readonly<Record<ExitAction['kind'], readonly string[]>> = {
  freeze: ['RollupFrozen'],
  // Held: somebody asks for the inputs of the batch or of one before it.
  finalize: ['WrongField', 'NoSuchBatch', 'BatchHeld'],
  settle: ['AlreadySettled'],
  withdraw: ['NothingToPay'],
  count: ['WrongEntries', 'OutOfRange'],
  refund: ['AlreadyPaid'],
  prices: [],
  assets: [],
  register: [],
  claim: ['AlreadyPaid'],
};

/** Rejects with `L1Error`; resolves with undefined when others were there first. */
export async function perform(
  l1: L1Client,
  rollup: RollupContracts,
  action: ExitAction,
  keccak: Keccak,
): Promise<Performed | undefined> {
  try {
    return { kind: action.kind, ...(await sendAction(l1, rollup, action, keccak)) };
  } catch (error) {
    const name = error instanceof L1Error ? error.revert?.name : undefined;
    if (name !== undefined && DONE_BY_OTHERS[action.kind].includes(name)) return undefined;
    throw error;
  }
}

async function sendAction(
  l1: L1Client,
  rollup: RollupContracts,
  action: ExitAction,
  keccak: Keccak,
): Promise<Omit<Performed, 'kind'>> {
  switch (action.kind) {
    case 'freeze':
      return { transaction: (await freeze(l1, rollup)).transactionHash };
    case 'finalize':
      return { transaction: await finalize(l1, rollup, action.batch, keccak) };
    case 'settle':
      return { transaction: (await settle(l1, rollup)).transactionHash };
    case 'count':
      return { transaction: (await countDeposits(l1, rollup, action.entries)).transactionHash };
    case 'prices':
      return { transaction: (await provePrices(l1, rollup, action)).transactionHash };
    case 'assets':
      return { transaction: (await proveAssets(l1, rollup, action.assets)).transactionHash };
    case 'register':
      return { transaction: (await registerClaims(l1, rollup, action.accounts)).transactionHash };
    case 'withdraw': {
      const { amount, receipt } = await withdraw(l1, rollup, action.proof);
      return { transaction: receipt.transactionHash, paid: { asset: action.proof.asset, amount } };
    }
    case 'refund': {
      const { amount, receipt } = await refund(l1, rollup, action.entry);
      return { transaction: receipt.transactionHash, paid: { asset: action.asset, amount } };
    }
    case 'claim': {
      const { amount, receipt } = await claimShare(l1, rollup, action);
      return { transaction: receipt.transactionHash, paid: { asset: action.asset, amount } };
    }
  }
}

/** Anyone can: what it takes stands in the transaction that committed the batch. */
async function finalize(
  l1: L1Client,
  rollup: RollupContracts,
  id: number,
  keccak: Keccak,
): Promise<`0x${string}`> {
  const { committedBlock } = await readBatchRecord(l1, rollup, id);
  const commit = await findCommit(l1, rollup, { id, block: committedBlock });
  if (commit === undefined)
    throw new L1Error(
      'malformed',
      `finalize: expected the commit of batch ${id} in block ${committedBlock}, got none`,
    );
  const batch = await fetchPostedBatch(l1, commit, new SigningDomain(rollup.domain, keccak), keccak);
  const receipt = await send(l1, {
    to: rollup.rollup,
    data: encodeFinalizeBatch(batch),
    doing: `finalize batch ${id}`,
  });
  return receipt.transactionHash;
}
