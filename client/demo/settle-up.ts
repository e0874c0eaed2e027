/** The way out at the end of a run: every account withdraws its free collateral, and L1 pays with proofs. */
import { toHex } from '#protocol/bytes.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import { withdrawMany } from '#settlement/l1/bulk-actions.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { tokenBalance, vaultTotals, type WithdrawalProof } from '#settlement/l1/vault-actions.ts';
import { SluiceClient } from '../client.ts';
import { RejectedError, SluiceError } from '../errors.ts';
import { withdrawalProof } from '../exit.ts';
import type { Identity } from '../session.ts';

export interface Requested {
  readonly owner: `0x${string}`;
  /** q. */
  readonly amount: number;
  readonly seq: number;
}

/** Rejects that the next look at the account cures: its margin has moved meanwhile, or L1 was silent for a while. */
const PASSING = ['INSUFFICIENT_FREE_COLLATERAL', 'L1_STALE', 'ORACLE_STALE'];
const ATTEMPTS_MAX = 20;
const PAUSE_MS = 250;

/** Each account asks for all of its free collateral, as the server has it; accounts without any ask for nothing. */
export async function withdrawAll(
  url: string,
  accounts: readonly Identity[],
  share = 1,
): Promise<Requested[]> {
  const requested: Requested[] = [];
  for (const { signer, account } of accounts) {
    const client = await SluiceClient.connect({ url, signer, account, observe: true });
    try {
      const done = await withdrawFree(client, share);
      if (done !== undefined) requested.push({ owner: toHex(signer.address), ...done });
    } finally {
      await client.close();
    }
  }
  return requested;
}

async function withdrawFree(
  client: SluiceClient,
  share: number,
): Promise<{ amount: number; seq: number } | undefined> {
  for (let attempt = 1; ; attempt++) {
    const { freeCollateral } = await client.accountView();
    const amount = Math.floor(freeCollateral * share);
    if (amount < 1) return undefined;
    try {
      return { amount, seq: (await client.withdraw({ amount })).seq };
    } catch (error) {
      if (!(error instanceof RejectedError) || !PASSING.includes(error.code) || attempt === ATTEMPTS_MAX)
        throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/**
 * Pays what final batches owe to these owners; resolves with how many of them hold at least what they had asked for.
 * Every withdrawal must be in a final batch.
 */
export async function payAll(
  url: string,
  l1: L1Client,
  rollup: RollupContracts,
  requested: readonly Requested[],
): Promise<{ paid: number; amount: bigint }> {
  const client = await SluiceClient.connect({ url });
  try {
    const proofs: WithdrawalProof[] = [];
    const due: bigint[] = [];
    for (const { owner, amount } of requested) {
      const proof = await withdrawalProof(client.session, owner);
      if (proof === undefined)
        throw new SluiceError('NOT_FOUND', `withdrawal of ${owner}: expected a proof, got none`);
      const { paidToOwner } = await vaultTotals(l1, rollup, { asset: QUOTE_ASSET, owner });
      if (proof.total - paidToOwner < BigInt(amount))
        throw new SluiceError(
          'NOT_FOUND',
          `withdrawal of ${owner}: expected at least ${amount} due, got ${proof.total - paidToOwner} as of batch ${proof.batchId}`,
        );
      proofs.push(proof);
      due.push(proof.total - paidToOwner);
    }
    const before = await balances(l1, rollup, requested);
    const amounts = await withdrawMany(l1, rollup, proofs);
    const after = await balances(l1, rollup, requested);
    const paid = requested.filter((_, i) => amounts[i] === due[i] && after[i]! - before[i]! === due[i]);
    return { paid: paid.length, amount: amounts.reduce((sum, amount) => sum + amount, 0n) };
  } finally {
    await client.close();
  }
}

const balances = (
  l1: L1Client,
  rollup: RollupContracts,
  requested: readonly Requested[],
): Promise<bigint[]> =>
  Promise.all(requested.map(({ owner }) => tokenBalance(l1, rollup, { address: owner })));
