/**
 * What an account would be after moves of prices, money in or out, fills and open orders. Computed on a copy of
 * the account by the same code that judges real orders; the live state is only read.
 */
import { mulPpmUp } from '#protocol/fixed-point.ts';
import { COPIED_ACCOUNT, copyAccount, moveMarket } from '#state/account-copy.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { MarketState } from '#state/market-state.ts';
import { accessRefusal } from './access.ts';
import { FillOutcome, fillOutcome } from './fill.ts';
import { unsettledFunding } from './margin.ts';
import { RiskChecks } from './pre-trade.ts';

export interface SupposedOrder {
  readonly market: number;
  readonly side: 0 | 1;
  /** Ticks. */
  readonly price: number;
  /** Lots. */
  readonly size: number;
  readonly reduceOnly: boolean;
  /** Filled whole at `price` as the taker, instead of resting in the book. */
  readonly filled: boolean;
}

export interface Supposition {
  /** Marks in ticks; index prices move in proportion. */
  readonly prices: readonly { readonly market: number; readonly price: number }[];
  /** q that come in (+) or go out (−). */
  readonly cash: number;
  /** In turn, each after those before it. */
  readonly orders: readonly SupposedOrder[];
}

export interface Supposed {
  /** The account is COPIED_ACCOUNT of this state. */
  readonly copy: ExchangeState;
  /** What margin says to each order as it comes: 0 or a reject code. One that is refused changes nothing. */
  readonly codes: readonly number[];
}

/** Markets must exist. Prices first, then cash, then orders. */
export function suppose(state: ExchangeState, account: number, supposition: Supposition): Supposed {
  const copy = copyAccount(state, account);
  for (const { market, price } of supposition.prices) moveMarket(copy, state.markets[market]!, price);
  const { cash } = copy.accounts;
  cash[COPIED_ACCOUNT] = cash[COPIED_ACCOUNT]! + supposition.cash;
  const risk = new RiskChecks(copy);
  return { copy, codes: supposition.orders.map((order) => supposeOrder(copy, risk, order)) };
}

function supposeOrder(copy: ExchangeState, risk: RiskChecks, order: SupposedOrder): number {
  const market = copy.markets[order.market]!;
  const refused = order.reduceOnly ? 0 : accessRefusal(copy.accounts, COPIED_ACCOUNT, market.config);
  if (refused !== 0) return refused;
  const code = risk.admit(market, {
    account: COPIED_ACCOUNT,
    side: order.side,
    price: order.price,
    size: order.size,
    reduceOnly: order.reduceOnly,
    rests: !order.filled,
    replacedLots: 0,
    replacedQuote: 0,
  });
  if (code !== 0) return code;
  const slot = copy.ensurePosition(COPIED_ACCOUNT, order.market);
  if (order.filled) fill(copy, market, slot, order);
  else if (order.reduceOnly) copy.positions.addReduceOnly(slot, order.size);
  else copy.positions.addOpen(slot, order.side, order.size, order.size * market.lotValue(order.price));
  return code;
}

/** As a fill settles: funding first, then position and cash, less the taker's fee. */
function fill(copy: ExchangeState, market: MarketState, slot: number, order: SupposedOrder): void {
  const { positions, accounts } = copy;
  const funding = unsettledFunding(copy, slot);
  positions.fundingIndex[slot] = market.fundingIndex;
  positions.setFundingTick(slot, market.fundingTick);
  const lotValue = market.lotValue(order.price);
  const size = positions.size(slot);
  // A reduce-only order fills no more than there is to reduce.
  const lots = order.reduceOnly ? Math.min(order.size, Math.abs(size)) : order.size;
  const fee = mulPpmUp(lots * lotValue, market.config.takerFeePpm);
  const outcome = fillOutcome(
    new FillOutcome(),
    { size, v: positions.v(slot) },
    { side: order.side, lots, lotValue },
  );
  positions.setSize(slot, outcome.size);
  positions.setV(slot, outcome.v);
  accounts.cash[COPIED_ACCOUNT] = accounts.cash[COPIED_ACCOUNT]! + funding + outcome.realized - fee;
}
