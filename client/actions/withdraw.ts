/** Withdraws from the account on the exchange; the tokens are paid on L1 once the batch is final (exit.ts). */
import { QUOTE_ASSET } from '#protocol/units.ts';
import type { Session } from '../session.ts';
import { parseQuote } from '../units.ts';
import { integer } from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** Needs the owner's own signature. `amount`: units of the asset, or decimal text for the quote asset. */
export const withdraw = async (
  session: Session,
  money: { readonly amount: number | string; readonly asset?: number },
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    { kind: 'withdraw', asset: money.asset ?? QUOTE_ASSET, amount: amountOf(money.amount) },
    options,
  );

export const amountOf = (amount: number | string): number =>
  typeof amount === 'string' ? parseQuote(amount) : integer('amount', amount);
