/** Cancels one resting order. */
import type { Session } from '../session.ts';
import { type MarketReference, marketIdOf, type OrderReference, referenceOf } from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** Throws UNKNOWN_ORDER when it does not rest (any more). */
export const cancelOrder = async (
  session: Session,
  order: { readonly market: MarketReference } & OrderReference,
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    { kind: 'cancel', market: marketIdOf(session, order.market), ...referenceOf(order) },
    options,
  );
