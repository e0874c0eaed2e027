/** Opens a subaccount of the owner: isolated to one market, or a cross account of a risk pool. */
import { RISK_POOL_MAX, SUBACCOUNTS_MAX } from '#protocol/limits.ts';
import type { Session } from '../session.ts';
import { integer, type MarketReference, marketIdOf } from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** Needs the owner's own signature. The account's number is in the answer of the query `accounts` then. */
export const isolate = async (
  session: Session,
  opened: { readonly subaccount: number } & (
    | { readonly market: MarketReference }
    | { readonly riskPool: number }
  ),
  options?: SendOptions,
): Promise<SingleOutcome> => {
  const subaccount = integer('subaccount', opened.subaccount, SUBACCOUNTS_MAX - 1);
  return sendOperation(
    session,
    'market' in opened
      ? { kind: 'isolate', subaccount, market: marketIdOf(session, opened.market) }
      : { kind: 'isolate', subaccount, riskPool: integer('riskPool', opened.riskPool, RISK_POOL_MAX) },
    options,
  );
};
