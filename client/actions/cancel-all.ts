/** Cancels every resting order of the account, in one market or in all. */
import type { Session } from '../session.ts';
import { type MarketReference, marketIdOf } from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** `canceled` of the outcome is how many orders there were. */
export const cancelAll = async (
  session: Session,
  scope: { readonly market?: MarketReference } = {},
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    scope.market === undefined
      ? { kind: 'cancel-all' }
      : { kind: 'cancel-all', market: marketIdOf(session, scope.market) },
    options,
  );
