/** Asks what the account would be after moves of prices, money in or out, fills and open orders. Changes nothing. */
import type { WhatIfView } from '#protocol/query.ts';
import { invalidArgument } from '../errors.ts';
import type { Session } from '../session.ts';
import { parseQuote } from '../units.ts';
import { type MarketReference, marketIdOf, priceOf, type SideName, sideOf, sizeOf } from './order-form.ts';

export interface SupposedOrderForm {
  readonly market: MarketReference;
  readonly side: SideName;
  /** Ticks, or decimal text. */
  readonly price: number | string;
  /** Lots, or decimal text. */
  readonly size: number | string;
  readonly reduceOnly?: boolean;
  /** Filled whole at the price, instead of resting. */
  readonly filled?: boolean;
}

export interface WhatIf {
  /** A mark in ticks or decimal text, or a move of the mark in percent such as `-10%`. */
  readonly prices?: readonly { readonly market: MarketReference; readonly to: number | string }[];
  /** q or decimal text; negative goes out. */
  readonly cash?: number | string;
  readonly orders?: readonly SupposedOrderForm[];
}

export async function whatIf(session: Session, account: number, question: WhatIf): Promise<WhatIfView> {
  const marks = new Map<number, number>();
  const moved = (question.prices ?? []).filter(({ to }) => isPercent(to));
  if (moved.length > 0)
    for (const { config, markPrice } of await session.query('markets', {}))
      marks.set(config.market, markPrice);
  return session.query('what-if', {
    account,
    prices: (question.prices ?? []).map(({ market, to }) => {
      const id = marketIdOf(session, market);
      const price = isPercent(to) ? afterMove(marks.get(id) ?? 0, to) : priceOf(session, market, to);
      return { market: id, price };
    }),
    cash: typeof question.cash === 'string' ? parseQuote(question.cash, 'cash') : (question.cash ?? 0),
    orders: (question.orders ?? []).map((order) => ({
      market: marketIdOf(session, order.market),
      side: sideOf(order.side),
      price: priceOf(session, order.market, order.price),
      size: sizeOf(session, order.market, order.size),
      reduceOnly: order.reduceOnly ?? false,
      filled: order.filled ?? false,
    })),
  });
}

const isPercent = (to: number | string): to is string => typeof to === 'string' && to.endsWith('%');

/** The mark after a move of at most four decimals of a percent, rounded to the tick towards the old one. */
function afterMove(mark: number, move: string): number {
  const match = /^([+-]?)(\d{1,4})(?:\.(\d{1,4}))?%$/.exec(move);
  if (match === null) throw invalidArgument('price', 'a move such as -10% or +2.5%', move);
  const ppm = BigInt(match[2]! + (match[3] ?? '').padEnd(4, '0'));
  const change = (BigInt(mark) * ppm) / 1_000_000n;
  return Math.max(1, Number(match[1] === '-' ? BigInt(mark) - change : BigInt(mark) + change));
}
