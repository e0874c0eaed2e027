/** Which lists of history a row belongs to: one table for all kinds of event. */
import {
  DEPOSIT,
  EventKind,
  FUNDING_PAYMENT,
  FUNDING_RATE,
  OPERATION_RESULT,
  ORDER_REDUCED,
  ORDER_REMOVED,
  ORDER_RESTED,
  TRADE,
  TRANSFER,
  WITHDRAWAL,
} from '#protocol/event.ts';

/** Lists of an account, then lists of a market; the numbers are in the keys on disk. */
export const LIST_ORDERS = 1;
export const LIST_FILLS = 2;
export const LIST_FUNDING = 3;
export const LIST_TRANSFERS = 4;
export const LIST_TRADES = 5;
export const LIST_FUNDING_RATES = 6;

/** Column of each list's owner (account or market), by kind. */
const LISTS: readonly (readonly [kind: number, list: number, owner: number])[] = [
  [EventKind.OPERATION_RESULT, LIST_ORDERS, OPERATION_RESULT.account],
  [EventKind.ORDER_RESTED, LIST_ORDERS, ORDER_RESTED.account],
  [EventKind.ORDER_REDUCED, LIST_ORDERS, ORDER_REDUCED.account],
  [EventKind.ORDER_REMOVED, LIST_ORDERS, ORDER_REMOVED.account],
  [EventKind.TRADE, LIST_FILLS, TRADE.makerAccount],
  [EventKind.TRADE, LIST_FILLS, TRADE.takerAccount],
  [EventKind.TRADE, LIST_TRADES, TRADE.market],
  [EventKind.FUNDING_PAYMENT, LIST_FUNDING, FUNDING_PAYMENT.account],
  [EventKind.FUNDING_RATE, LIST_FUNDING_RATES, FUNDING_RATE.market],
  [EventKind.DEPOSIT, LIST_TRANSFERS, DEPOSIT.account],
  [EventKind.WITHDRAWAL, LIST_TRANSFERS, WITHDRAWAL.account],
  [EventKind.TRANSFER, LIST_TRANSFERS, TRANSFER.from],
  [EventKind.TRANSFER, LIST_TRANSFERS, TRANSFER.to],
];

const BY_KIND: readonly (readonly { list: number; owner: number }[])[] = Array.from(
  { length: 1 + Math.max(...Object.values(EventKind)) },
  (_, kind) => LISTS.filter((row) => row[0] === kind).map(([, list, owner]) => ({ list, owner })),
);

/** Lists for rows of `kind`, with the column that names the owner; empty for kinds that are not kept. */
export const listsOf = (kind: number): readonly { list: number; owner: number }[] => BY_KIND[kind] ?? [];
