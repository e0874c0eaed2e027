/** Changes price and open size of a resting order; it keeps its place only where the size alone gets smaller. */
import type { Session } from '../session.ts';
import {
  type MarketReference,
  marketIdOf,
  type OrderReference,
  priceOf,
  referenceOf,
  sizeOf,
} from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

export const amendOrder = async (
  session: Session,
  order: {
    readonly market: MarketReference;
    readonly price: number | string;
    /** New open size, not original size. */
    readonly size: number | string;
  } & OrderReference,
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    {
      kind: 'amend',
      market: marketIdOf(session, order.market),
      price: priceOf(session, order.market, order.price),
      size: sizeOf(session, order.market, order.size),
      ...referenceOf(order),
    },
    options,
  );
