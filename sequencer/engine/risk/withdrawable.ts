/** What may leave an account: equity after it stays above initial margin and a share of notional (margin.md section 3). */
import { mulPpmUp } from '#protocol/fixed-point.ts';
import { Reject } from '#protocol/reject.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import { LIQUIDATING } from '#state/accounts.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { type Margin, unsettledFunding } from './margin.ts';

/**
 * q that may be withdrawn or transferred now: min(cash with funding settled, V_I − max(IM, floor · ΣN)), not
 * below 0. `margin` is the account's as it stands.
 */
export function withdrawable(state: ExchangeState, account: number, margin: Margin): number {
  const { accounts, positions } = state;
  let cash = accounts.cash[account]!;
  for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot))
    cash += unsettledFunding(state, slot);
  const floor = mulPpmUp(margin.notional, state.chain.withdrawalFloorPpm);
  return Math.max(0, Math.min(cash, margin.equityInitial - Math.max(margin.initial, floor)));
}

/** Reject code for taking `amount` of `asset` out by a message, 0 when it may go. */
export function checkWithdrawal(
  state: ExchangeState,
  account: number,
  margin: Margin,
  money: { asset: number; amount: number },
): number {
  if ((state.accounts.flags[account]! & LIQUIDATING) !== 0) return Reject.LIQUIDATING;
  if (state.accounts.isLocked(account)) return Reject.ACCOUNT_LOCKED;
  if (margin.stale) return Reject.ORACLE_STALE;
  if (money.asset !== QUOTE_ASSET) return Reject.UNKNOWN_ASSET;
  if (money.amount < 1 || !Number.isSafeInteger(money.amount)) return Reject.AMOUNT_OUT_OF_RANGE;
  return money.amount <= withdrawable(state, account, margin)
    ? Reject.NONE
    : Reject.INSUFFICIENT_FREE_COLLATERAL;
}
