/** WITHDRAW and TRANSFER: collateral leaves an account, to L1 or to another account of the same owner. */
import { compareBytes, getU64 } from '#protocol/bytes.ts';
import { EventKind, TRANSFER, WITHDRAWAL } from '#protocol/event.ts';
import { QUOTE_MAX } from '#protocol/limits.ts';
import { Reject } from '#protocol/reject.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import { StepKind } from '#state/trace.ts';
import { type Core, finishOperation } from '../core.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';
import { addCash, settleAllFunding } from '../risk/settle-fill.ts';
import { checkWithdrawal } from '../risk/withdrawable.ts';

export function withdraw(core: Core, risk: RiskChecks, view: DataView, at: number): void {
  const { state } = core;
  core.step(StepKind.WITHDRAW);
  const { account } = state.message;
  const asset = view.getUint16(at + 2, true);
  const amount = getU64(view, at + 8);
  const code = checkWithdrawal(state, account, risk.margin(account), { asset, amount });
  if (code === Reject.NONE) payOut(core, account, amount, false);
  finishOperation(core, { code });
}

/** Moves `amount` from the account to what its owner may withdraw on L1. */
export function payOut(core: Core, account: number, amount: number, forced: boolean): void {
  const { trace, events } = core;
  settleAllFunding(core, account);
  addCash(core, account, -amount);
  creditOwner(core, account, amount);
  trace.account(account);
  const at = events.add(EventKind.WITHDRAWAL);
  events.data[at + WITHDRAWAL.account] = account;
  events.data[at + WITHDRAWAL.asset] = QUOTE_ASSET;
  events.data[at + WITHDRAWAL.amount] = amount;
  events.data[at + WITHDRAWAL.forced] = forced ? 1 : 0;
}

function creditOwner(core: Core, account: number, amount: number): void {
  const { state } = core;
  const owner = state.accounts.owner(account);
  state.setWithdrawn(owner, QUOTE_ASSET, state.withdrawnBy(owner, QUOTE_ASSET) + BigInt(amount));
  core.trace.withdrawn(account, QUOTE_ASSET);
}

export function transfer(core: Core, risk: RiskChecks, view: DataView, at: number): void {
  const { state, trace, events } = core;
  core.step(StepKind.TRANSFER);
  const { account } = state.message;
  const asset = view.getUint16(at + 2, true);
  const to = view.getUint32(at + 4, true);
  const amount = getU64(view, at + 8);
  const code = checkTransfer(core, risk, { account, asset, to, amount });
  if (code === Reject.NONE) {
    settleAllFunding(core, account);
    addCash(core, account, -amount);
    addCash(core, to, amount);
    trace.account(account);
    trace.account(to);
    const row = events.add(EventKind.TRANSFER);
    events.data[row + TRANSFER.from] = account;
    events.data[row + TRANSFER.to] = to;
    events.data[row + TRANSFER.asset] = asset;
    events.data[row + TRANSFER.amount] = amount;
  }
  finishOperation(core, { code });
}

function checkTransfer(
  core: Core,
  risk: RiskChecks,
  transfer: { account: number; asset: number; to: number; amount: number },
): number {
  const { state } = core;
  const { accounts } = state;
  const { account, to, amount } = transfer;
  const money = checkWithdrawal(state, account, risk.margin(account), transfer);
  if (money !== Reject.NONE && money < Reject.AMOUNT_OUT_OF_RANGE) return money;
  if (accounts.has(to) && accounts.cash[to]! + amount > QUOTE_MAX / 2) return Reject.AMOUNT_OUT_OF_RANGE;
  if (money !== Reject.NONE) return money;
  if (!accounts.has(to) || to === account) return Reject.TRANSFER_NOT_ALLOWED;
  if (compareBytes(accounts.owner(to), accounts.owner(account)) !== 0) return Reject.TRANSFER_NOT_ALLOWED;
  return Reject.NONE;
}
