/** Moves money to another sub-account of the same owner, at once. */
import { QUOTE_ASSET } from '#protocol/units.ts';
import type { Session } from '../session.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';
import { amountOf } from './withdraw.ts';

/** Needs the owner's own signature. `amount`: units of the asset, or decimal text for the quote asset. */
export const transfer = async (
  session: Session,
  money: { readonly toAccount: number; readonly amount: number | string; readonly asset?: number },
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    {
      kind: 'transfer',
      asset: money.asset ?? QUOTE_ASSET,
      toAccount: money.toAccount,
      amount: amountOf(money.amount),
    },
    options,
  );
