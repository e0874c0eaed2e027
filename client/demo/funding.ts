/** Money for the accounts of a demo: real deposits on L1, waited for on the exchange. */
import { toHex } from '#protocol/bytes.ts';
import { depositTestTokens } from '#settlement/l1/bulk-actions.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { SluiceClient } from '../client.ts';
import { SluiceError } from '../errors.ts';
import type { Identity } from '../session.ts';
import type { KeySigner } from '../signer.ts';

export interface FundingPlace {
  readonly url: string;
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
}

const CREDIT_MS_MAX = 120_000;
const POLL_MS = 100;

/**
 * Deposits `amount` q (or each one's own) for every signer that holds less than half of it, and resolves with the
 * accounts when all of them have it.
 */
export async function fundAccounts(
  place: FundingPlace,
  signers: readonly KeySigner[],
  amount: number | readonly number[],
  signal: AbortSignal,
): Promise<Identity[]> {
  const client = await SluiceClient.connect({ url: place.url });
  try {
    const poor: { readonly signer: KeySigner; readonly amount: number }[] = [];
    const before = new Map<KeySigner, number>();
    for (const [i, signer] of signers.entries()) {
      const own = typeof amount === 'number' ? amount : amount[i]!;
      const cash = await cashOf(place.url, client, signer);
      before.set(signer, cash);
      if (cash < own / 2) poor.push({ signer, amount: own });
    }
    if (poor.length > 0)
      await depositTestTokens(
        place.l1,
        place.rollup,
        poor.map((one) => ({ owner: toHex(one.signer.address), amount: one.amount })),
      );
    const until = performance.now() + CREDIT_MS_MAX;
    for (const { signer, amount: own } of poor)
      while ((await cashOf(place.url, client, signer)) < before.get(signer)! + own / 2) {
        signal.throwIfAborted();
        if (performance.now() > until)
          throw new SluiceError(
            'TIMEOUT',
            `deposit for ${toHex(signer.address)}: expected to be credited within ${CREDIT_MS_MAX / 1_000} s`,
          );
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    const identities: Identity[] = [];
    for (const signer of signers) identities.push({ signer, account: (await accountOf(client, signer))! });
    return identities;
  } finally {
    await client.close();
  }
}

async function accountOf(client: SluiceClient, signer: KeySigner): Promise<number | undefined> {
  const accounts = await client.query('accounts', { owner: toHex(signer.address) });
  return accounts.find((one) => one.subaccount === 0)?.account;
}

/** q; 0 while there is no account. Needs a login, hence a connection of its own. */
async function cashOf(url: string, client: SluiceClient, signer: KeySigner): Promise<number> {
  const account = await accountOf(client, signer);
  if (account === undefined) return 0;
  const own = await SluiceClient.connect({ url, signer, account, observe: true });
  try {
    return (await own.accountView()).cash;
  } finally {
    await own.close();
  }
}
