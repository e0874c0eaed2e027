/** Fill-or-kill looks at price levels before anything trades. */
import { DEPTH_LEVELS_MAX } from '#protocol/limits.ts';
import { STP_EXPIRE_BOTH, STP_EXPIRE_TAKER } from '#protocol/units.ts';
import type { BookSide } from '#state/book-side.ts';
import type { ExchangeState } from '#state/exchange-state.ts';

export interface FillOrKill {
  account: number;
  market: number;
  side: number;
  price: number;
  size: number;
  selfTradePrevention: number;
  reduceOnly: boolean;
}

/**
 * True when `size` lots rest at `price` or better within the best 32 levels, not counting the account's own
 * orders. Own orders are taken off by their total on that side, wherever they rest, because a proof sees
 * levels and the account but not whose orders stand at a level; so the answer errs on the side of "no". Orders of
 * the owner's other accounts can't be seen this way: they count here, and are met by self-trade prevention.
 * A reduce-only order must find a position of its size to reduce.
 */
export function isFillable(state: ExchangeState, opposite: BookSide, order: FillOrKill): boolean {
  const slot = state.findPosition(order.account, order.market);
  let own = 0;
  if (order.reduceOnly) {
    const size = slot < 0 ? 0 : state.positions.size(slot);
    if (order.size > (order.side === 0 ? -size : size)) return false;
  }
  if (slot >= 0) {
    const { positions } = state;
    own =
      (order.side === 0 ? positions.askLots(slot) : positions.bidLots(slot)) + positions.reduceOnlyLots(slot);
  }
  const stp = order.selfTradePrevention;
  if (own > 0 && (stp === STP_EXPIRE_TAKER || stp === STP_EXPIRE_BOTH)) return false;
  const needed = order.size + own;
  const levels = Math.min(opposite.depth, DEPTH_LEVELS_MAX);
  let available = 0;
  for (let n = 0; n < levels; n++) {
    const price = opposite.priceAt(n);
    if (order.side === 0 ? price > order.price : price < order.price) break;
    available += state.levels.size(opposite.levelAt(n));
    if (available >= needed) return true;
  }
  return false;
}
