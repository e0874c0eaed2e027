/**
 * ISOLATE: opens a subaccount of the owner, isolated to one market or as a cross account of a risk pool. Margin is added
 * to it and removed by transfers.
 */
import { ACCOUNT_CREATED, EventKind } from '#protocol/event.ts';
import { FEED_ONLY } from '#protocol/market.ts';
import { NO_MARKET } from '#protocol/operation.ts';
import { Reject } from '#protocol/reject.ts';
import { StepKind } from '#state/trace.ts';
import { type Core, finishOperation } from '../core.ts';

export function isolate(core: Core, view: DataView, at: number): void {
  const { state } = core;
  core.step(StepKind.ISOLATE);
  const { account } = state.message;
  const subaccount = view.getUint8(at + 1);
  const marketId = view.getUint16(at + 2, true);
  // A copy: accounts may move when there is one more.
  const owner = state.accounts.owner(account).slice();
  let riskPool = view.getUint32(at + 4, true);
  let code: number = Reject.NONE;
  if (marketId !== NO_MARKET) {
    const config = state.market(marketId)?.config;
    if (config === undefined) code = Reject.UNKNOWN_MARKET;
    else if ((config.flags & FEED_ONLY) !== 0) code = Reject.MARKET_FEED_ONLY;
    else riskPool = config.riskPool;
  }
  if (code === Reject.NONE && state.accountOf(owner, subaccount) !== 0) code = Reject.SUBACCOUNT_EXISTS;
  if (code === Reject.NONE) openAccount(core, owner, { subaccount, riskPool, isolatedMarket: marketId });
  finishOperation(core, { code });
}

/** Creates the account of (owner, subaccount), which must not be there, and returns its id. */
export function openAccount(
  core: Core,
  owner: Uint8Array,
  opened: { subaccount: number; riskPool: number; isolatedMarket: number },
): number {
  const { state, trace, events } = core;
  const { subaccount, riskPool, isolatedMarket } = opened;
  const account = state.createAccount(owner, subaccount);
  state.accounts.riskPool[account] = riskPool;
  state.accounts.isolatedMarket[account] = isolatedMarket;
  trace.owner(account);
  trace.account(account);
  trace.globals();
  const row = events.add(EventKind.ACCOUNT_CREATED);
  events.data[row + ACCOUNT_CREATED.account] = account;
  events.data[row + ACCOUNT_CREATED.subaccount] = subaccount;
  events.data[row + ACCOUNT_CREATED.riskPool] = riskPool;
  events.data[row + ACCOUNT_CREATED.isolatedMarket] = isolatedMarket === NO_MARKET ? 0 : isolatedMarket + 1;
  return account;
}
