/**
 * One account beside the live state, free to be changed: the questions "what would be if" are put to it. What
 * belongs to the account is copied, a market when its price is moved; everything else is read through.
 */
import { mulDivDown } from '#protocol/fixed-point.ts';
import type { ExchangeState } from './exchange-state.ts';
import { MarketState } from './market-state.ts';
import { Positions } from './positions.ts';

/** The id of the account in its copy. */
export const COPIED_ACCOUNT = 1;

/**
 * A state in which the account is COPIED_ACCOUNT and alone. Valid until the next command; only its cash, asset
 * rows, positions and `moveMarket`'s prices may be changed.
 */
export function copyAccount(state: ExchangeState, account: number): ExchangeState {
  const accounts = state.accounts.alone(account);
  const positions = new Positions(accounts.positionCount[COPIED_ACCOUNT]! + 1);
  let previous = -1;
  for (let slot = state.accounts.firstPosition[account]!; slot >= 0; slot = state.positions.next(slot)) {
    const copied = positions.allocate(COPIED_ACCOUNT, state.positions.market(slot));
    positions.copyFrom(copied, state.positions, slot);
    if (previous < 0) accounts.firstPosition[COPIED_ACCOUNT] = copied;
    else positions.setNext(previous, copied);
    previous = copied;
  }
  return Object.assign(Object.create(state) as ExchangeState, {
    accounts,
    positions,
    markets: state.markets.slice(),
  });
}

/**
 * Moves the mark of a market of the copy to `mark` ticks, and its index and their average in proportion (down),
 * so that what is priced by the same index moves with it.
 */
export function moveMarket(copy: ExchangeState, original: MarketState, mark: number): MarketState {
  const { market } = original.config;
  let moved = copy.markets[market]!;
  if (moved === original) {
    moved = Object.assign(Object.create(MarketState.prototype) as MarketState, original);
    copy.markets[market] = moved;
  }
  const scale = (price: number): number =>
    price === 0 || original.mark === 0 ? price : Math.max(1, mulDivDown(price, mark, original.mark));
  moved.mark = mark;
  moved.index = scale(original.index);
  moved.twap = scale(original.twap);
  return moved;
}
