/** What a fill does to one account: position, realized profit, fee (margin.md section 1). */
import { assert } from '#protocol/assert.ts';
import { EventKind, FUNDING_PAYMENT } from '#protocol/event.ts';
import { QUOTE_MAX, TRADING_CASH_MAX } from '#protocol/limits.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { Core } from '../core.ts';
import { fillOutcome } from './fill.ts';
import { unsettledFunding } from './margin.ts';

/** False when the account's cash is so large that one more fill could take it out of bounds. */
export const mayTrade = (state: ExchangeState, account: number): boolean =>
  Math.abs(state.accounts.cash[account]!) <= TRADING_CASH_MAX;

/** As much of a payment as leaves the cash within TRADING_CASH_MAX; what is left stays in the funding balance. */
function withinCash(state: ExchangeState, account: number, payment: number): number {
  const cash = state.accounts.cash[account]!;
  return payment > 0
    ? Math.min(payment, Math.max(0, TRADING_CASH_MAX - cash))
    : Math.max(payment, Math.min(0, -TRADING_CASH_MAX - cash));
}

/** Pays or charges the funding since the last settlement of one position. */
export function settleFunding(core: Core, slot: number): void {
  const { state } = core;
  const { positions } = state;
  const market = state.markets[positions.market(slot)]!;
  if (positions.fundingTick(slot) === market.fundingTick) return;
  const account = positions.account(slot);
  const payment = withinCash(state, account, unsettledFunding(state, slot));
  positions.setFundingTick(slot, market.fundingTick);
  positions.fundingIndex[slot] = market.fundingIndex;
  core.trace.account(account);
  if (positions.size(slot) === 0) return;
  addCash(core, account, payment);
  market.fundingBalance -= payment;
  core.trace.marketState(market.config.market);
  // A payment of nothing is not told: whether a tick passed without moving the index is no part of the state.
  if (payment === 0) return;
  const at = core.events.add(EventKind.FUNDING_PAYMENT);
  const row = core.events.data;
  row[at + FUNDING_PAYMENT.account] = account;
  row[at + FUNDING_PAYMENT.market] = market.config.market;
  row[at + FUNDING_PAYMENT.amount] = payment;
  row[at + FUNDING_PAYMENT.position] = positions.size(slot);
}

export function settleAllFunding(core: Core, account: number): void {
  const { accounts, positions } = core.state;
  for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot))
    settleFunding(core, slot);
}

export function addCash(core: Core, account: number, amount: number): void {
  const { cash } = core.state.accounts;
  const after = cash[account]! + amount;
  assert(Math.abs(after) <= QUOTE_MAX, `cash of account ${account} within 2^51, got ${after}`);
  cash[account] = after;
}

/** Applies a fill to the account: funding first, then position and cash, less `fee` (negative for a rebate). */
export function settleFill(
  core: Core,
  account: number,
  marketId: number,
  fill: { side: number; lots: number; lotValue: number },
  fee: number,
): void {
  const { state } = core;
  const { positions } = state;
  const slot = state.ensurePosition(account, marketId);
  settleFunding(core, slot);
  const before = positions.size(slot);
  const outcome = core.fill;
  fillOutcome(outcome, { size: before, v: positions.v(slot) }, fill);
  positions.setSize(slot, outcome.size);
  positions.setV(slot, outcome.v);
  addCash(core, account, outcome.realized - fee);
  const market = state.markets[marketId]!;
  market.openInterest += Math.max(outcome.size, 0) - Math.max(before, 0);
  core.trace.account(account);
}
