/** Reads what a `what-if` supposes; it names markets that exist, with a price, and stays within what they allow. */
import type { SupposedOrder, Supposition } from '#engine/risk/what-if.ts';
import { MARKETS_MAX, QUOTE_MAX } from '#protocol/limits.ts';
import { WHAT_IF_ORDERS_MAX, WHAT_IF_PRICES_MAX } from '#protocol/query.ts';
import { Reject } from '#protocol/reject.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { MarketState } from '#state/market-state.ts';
import {
  integer,
  list,
  optionalBoolean,
  optionalInteger,
  type Parameters,
  QueryRefusal,
} from './parameters.ts';

/** Money of one question: far below where sums could leave the exact numbers. */
const CASH_MAX = QUOTE_MAX / 2;

export function supposition(parameters: Parameters, state: ExchangeState): Supposition {
  const price = (fields: Parameters, market: MarketState): number =>
    integer(fields, 'price', { min: 1, max: market.config.maxPrice });
  return {
    prices: list(parameters, 'prices', WHAT_IF_PRICES_MAX).map((fields) => {
      const market = marketOf(fields, state);
      return { market: market.config.market, price: price(fields, market) };
    }),
    cash: optionalInteger(parameters, 'cash', { min: -CASH_MAX, max: CASH_MAX }) ?? 0,
    orders: list(parameters, 'orders', WHAT_IF_ORDERS_MAX).map((fields): SupposedOrder => {
      const market = marketOf(fields, state);
      return {
        market: market.config.market,
        side: integer(fields, 'side', { max: 1 }) as 0 | 1,
        price: price(fields, market),
        size: integer(fields, 'size', { min: 1, max: market.config.maxPosition }),
        reduceOnly: optionalBoolean(fields, 'reduceOnly'),
        filled: optionalBoolean(fields, 'filled'),
      };
    }),
  };
}

function marketOf(fields: Parameters, state: ExchangeState): MarketState {
  const id = integer(fields, 'market', { max: MARKETS_MAX - 1 });
  const market = state.market(id);
  if (market === undefined || market.mark === 0)
    throw new QueryRefusal(Reject.UNKNOWN_MARKET, `market: expected one that has a price, got ${id}`);
  return market;
}
