/**
 * Money in and out: deposits on L1 until they are credited on the exchange, withdrawals until the tokens are paid.
 * The proof for a payment comes from the sequencer, or from any verifier: the vault checks it, so it needs no trust.
 */
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { WithdrawalProofView } from '#protocol/query.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import { type Address, accountOf, type L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import {
  approveVault,
  assetOf,
  deposit as depositOnL1,
  type Queued,
  tokenBalance,
  vaultTotals,
  type WithdrawalProof,
  withdraw as withdrawOnL1,
} from '#settlement/l1/vault-actions.ts';
import type { SingleOutcome } from './actions/send-operations.ts';
import { withdraw } from './actions/withdraw.ts';
import { SluiceError } from './errors.ts';
import type { Session } from './session.ts';
import { formatUnits } from './units.ts';

export interface Patience {
  /** Default 500. */
  readonly pollMs?: number;
  /** Default 10 minutes; TIMEOUT afterwards. */
  readonly timeoutMs?: number;
}

const POLL_MS = 500;
const TIMEOUT_MS = 600_000;

/** Approves the vault where it is not allowed to take so much yet, and deposits. `amount`: ledger units. */
export async function deposit(
  l1: L1Client,
  rollup: RollupContracts,
  money: {
    readonly amount: number;
    readonly asset?: number;
    readonly subaccount?: number;
    /** Whose account it is for; default the sender's. */
    readonly owner?: Address;
  },
): Promise<Queued> {
  const asset = money.asset ?? QUOTE_ASSET;
  const held = await tokenBalance(l1, rollup, { address: accountOf(l1).address, asset });
  const { tokenDecimals, symbol, scale } = assetOf(rollup, asset);
  const needed = BigInt(money.amount) * scale;
  const shown = (tokens: bigint): string => `${formatUnits(tokens, tokenDecimals)} ${symbol}`;
  if (held < needed)
    throw new SluiceError(
      'L1_FAILED',
      `deposit: expected at least ${shown(needed)} on L1 at ${accountOf(l1).address}, got ${shown(held)}`,
      {
        details: { asset, expected: money.amount, got: held, address: accountOf(l1).address },
      },
    );
  // The allowance is for this amount, so that nothing stays open behind the deposit.
  await approveVault(l1, rollup, { asset, amount: money.amount });
  return depositOnL1(l1, rollup, {
    asset,
    amount: money.amount,
    subaccount: money.subaccount ?? 0,
    ...(money.owner === undefined ? {} : { owner: money.owner }),
  });
}

/** Resolves with the account when the exchange has credited queue entry `index` (it waits for L1 blocks first). */
export async function untilCredited(
  session: Session,
  deposited: { readonly owner: string; readonly subaccount: number; readonly index: number },
  patience: Patience = {},
): Promise<number> {
  return poll(`deposit ${deposited.index} to be credited`, patience, async () => {
    const accounts = await session.query('accounts', { owner: deposited.owner });
    const account = accounts.find((one) => one.subaccount === deposited.subaccount)?.account;
    if (account === undefined) return undefined;
    const { queueNext } = await session.query('chain', {});
    return queueNext > deposited.index ? account : undefined;
  });
}

/** Proof of everything that `owner` has withdrawn up to the newest final batch; undefined while there is none. */
export async function withdrawalProof(
  session: Session,
  owner: string,
  asset: number = QUOTE_ASSET,
): Promise<WithdrawalProof | undefined> {
  const view = await session.query('withdrawal-proof', { owner, asset });
  return view === null ? undefined : proofOf(owner, asset, view);
}

/**
 * The same proof from a verifier (`sluice verifier`), for when the sequencer does not answer: a verifier has it from
 * L1 alone. `url`: its HTTP address.
 */
export async function withdrawalProofFrom(
  url: string,
  owner: string,
  asset: number = QUOTE_ASSET,
): Promise<WithdrawalProof | undefined> {
  const address = `${url.replace(/\/$/, '')}/withdrawal-proof?owner=${owner}&asset=${asset}`;
  let response: Response;
  try {
    response = await fetch(address);
  } catch (cause) {
    throw new SluiceError('CONNECT_FAILED', `could not reach the verifier at ${url}`, { cause });
  }
  if (response.status === 404) return undefined;
  if (!response.ok)
    throw new SluiceError(
      'NOT_FOUND',
      `verifier: expected a proof at ${address}, got status ${response.status}`,
    );
  return proofOf(owner, asset, (await response.json()) as WithdrawalProofView);
}

const proofOf = (owner: string, asset: number, view: WithdrawalProofView): WithdrawalProof => ({
  owner: owner as Address,
  asset,
  total: BigInt(view.total),
  batchId: view.batch,
  path: fromHex(view.proof),
});

/** What the vault still owes for a proof: ledger units. */
export async function unpaid(l1: L1Client, rollup: RollupContracts, proof: WithdrawalProof): Promise<bigint> {
  const { paidToOwner } = await vaultTotals(l1, rollup, { asset: proof.asset, owner: proof.owner });
  return proof.total - paidToOwner;
}

export interface Paid {
  /** Ledger units. */
  readonly amount: bigint;
  readonly transaction: string;
}

/**
 * Lets the vault pay what is proven and not paid yet; anyone may, the tokens go to the owner. Throws NOT_FOUND when
 * nothing is due (yet), L1Error when the vault refuses.
 */
export async function claim(l1: L1Client, rollup: RollupContracts, proof: WithdrawalProof): Promise<Paid> {
  if ((await unpaid(l1, rollup, proof)) <= 0n)
    throw new SluiceError(
      'NOT_FOUND',
      `claim: nothing is due to ${proof.owner} as of batch ${proof.batchId}`,
      {
        details: { owner: proof.owner, asset: proof.asset, batch: proof.batchId },
      },
    );
  const { amount, receipt } = await withdrawOnL1(l1, rollup, proof);
  return { amount, transaction: receipt.transactionHash };
}

/** How far a withdrawal has come. */
export type ExitStage = 'requested' | 'batched' | 'committed' | 'final' | 'paid';

/**
 * The whole way out: withdraws on the exchange, waits until the batch is final, proves, and lets the vault pay.
 * Needs the owner's own signer. `onStage` is told of each step.
 */
export async function exit(
  session: Session,
  l1: L1Client,
  rollup: RollupContracts,
  money: { readonly amount: number | string; readonly asset?: number },
  options: Patience & { readonly onStage?: (stage: ExitStage, facts: Record<string, unknown>) => void } = {},
): Promise<{ readonly requested: SingleOutcome; readonly paid: Paid }> {
  const { signer } = session.identity();
  const requested = await withdraw(session, money);
  options.onStage?.('requested', { seq: requested.seq });
  await untilFinal(session, requested.seq, options);
  const proof = await poll('the withdrawal proof', options, () =>
    withdrawalProof(session, toHex(signer.address), money.asset ?? QUOTE_ASSET),
  );
  const paid = await claim(l1, rollup, proof);
  options.onStage?.('paid', { ...paid });
  return { requested, paid };
}

/** Resolves when the command `seq` is in a final batch. */
export async function untilFinal(
  session: Session,
  seq: number,
  options: Patience & { readonly onStage?: (stage: ExitStage, facts: Record<string, unknown>) => void } = {},
): Promise<void> {
  let told = '';
  await poll(`command ${seq} to be final`, options, async () => {
    const view = await session.query('finality', { seq });
    if (
      view.stage !== told &&
      (view.stage === 'batched' || view.stage === 'committed' || view.stage === 'final')
    )
      options.onStage?.(view.stage, { ...view });
    told = view.stage;
    return view.stage === 'final' ? true : undefined;
  });
}

async function poll<Value>(
  what: string,
  patience: Patience,
  look: () => Promise<Value | undefined>,
): Promise<Value> {
  const timeoutMs = patience.timeoutMs ?? TIMEOUT_MS;
  const until = Date.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() >= until)
      throw new SluiceError('TIMEOUT', `expected ${what} within ${timeoutMs} ms; it may still happen`, {
        details: { timeoutMs },
      });
    await new Promise((resolve) => setTimeout(resolve, patience.pollMs ?? POLL_MS));
  }
}
