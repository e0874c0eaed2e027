/** Places one order and waits until it is executed and durable. */
import type { Session } from '../session.ts';
import { type OrderForm, placeOperation } from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** Throws a RejectedError, keyed by the name of the reject code, when the order is refused. */
export const placeOrder = async (
  session: Session,
  form: OrderForm,
  options?: SendOptions,
): Promise<SingleOutcome> => sendOperation(session, placeOperation(session, form), options);
