/** The orderly end of a run: everything final and verified, everybody paid, and the books compared with L1. */
import { QUOTE_ASSET } from '#protocol/units.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { assetOf, rollupStatus, tokenBalance, vaultTotals } from '#settlement/l1/vault-actions.ts';
import { SluiceClient } from '../client.ts';
import { SluiceError } from '../errors.ts';
import type { Vitals } from './vitals.ts';

const POLL_MS = 250;
/** Without any batch moving on for so long, waiting is given up. */
const STILL_MS_MAX = 120_000;

export interface WaitOptions {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly vitals: () => Promise<Vitals>;
}

/** Resolves with the batch that holds command `seq` when that batch is final on L1 and verified. */
export async function untilFinalAndVerified(seq: number, options: WaitOptions): Promise<number> {
  const client = await SluiceClient.connect({ url: options.url });
  try {
    let seen = '';
    let seenAt = performance.now();
    for (;;) {
      options.signal.throwIfAborted();
      const { stage, batch } = await client.finality({ seq });
      const vitals = await options.vitals();
      const { verifier, batches, submitter } = vitals;
      if (verifier.mismatches > 0)
        throw new SluiceError('VERIFIER_MISMATCH', `verifier: ${verifier.verdict}`);
      if (stage === 'final' && batch !== undefined && verifier.verified >= batch) return batch;
      const now = JSON.stringify([stage, batches, verifier.verified, verifier.steps]);
      if (now !== seen) {
        seen = now;
        seenAt = performance.now();
      } else if (performance.now() - seenAt > STILL_MS_MAX)
        throw new SluiceError(
          'TIMEOUT',
          `command ${seq}: expected to be final and verified, it is ${stage} and nothing has moved for ${STILL_MS_MAX / 1_000} s (signed ${batches.signed}, committed ${batches.committed}, verified ${verifier.verified}, final ${batches.final}${submitter.alerts[0] === undefined ? '' : `; submitter: ${submitter.alerts[0].message}`})`,
        );
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    await client.close();
  }
}

/** What the vault holds against what the verifier's ledger says it owes, q. */
export async function compareBooks(
  l1: L1Client,
  rollup: RollupContracts,
  ledger: Vitals['verifier']['ledger'],
): Promise<{ vault: number; leftBehind: number; difference: number }> {
  const [balance, { paidTotal }] = await Promise.all([
    tokenBalance(l1, rollup, { address: rollup.vault }),
    vaultTotals(l1, rollup, { asset: QUOTE_ASSET }),
  ]);
  const leftBehind = BigInt(ledger.owed) + BigInt(ledger.withdrawn) - paidTotal;
  const held = balance / assetOf(rollup, QUOTE_ASSET).scale;
  return {
    vault: Number(held),
    leftBehind: Number(leftBehind),
    difference: Number(held - leftBehind),
  };
}

/** Committed and final batches as L1 has them. */
export async function batchesOnL1(
  l1: L1Client,
  rollup: RollupContracts,
): Promise<{ committed: number; final: number }> {
  const { committedId, finalId } = await rollupStatus(l1, rollup);
  return { committed: committedId, final: finalId };
}
