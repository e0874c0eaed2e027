/** Accounts and their orders as query answers, computed from the live state by the engine's own margin code. */

import { liquidationPrices, NO_LIQUIDATION } from '#engine/risk/liquidation-price.ts';
import { Margin, MarginCalculator, unsettledFunding } from '#engine/risk/margin.ts';
import { type Supposition, suppose } from '#engine/risk/what-if.ts';
import { withdrawable } from '#engine/risk/withdrawable.ts';
import { toHex } from '#protocol/bytes.ts';
import { POST_ONLY_BIT, REDUCE_ONLY_BIT, timeInForceOfFlags } from '#protocol/operation.ts';
import type {
  AccountView,
  OpenOrderView,
  PositionView,
  RiskView,
  SubaccountView,
  WhatIfView,
} from '#protocol/query.ts';
import type { AccountId } from '#protocol/units.ts';
import { COPIED_ACCOUNT } from '#state/account-copy.ts';
import { NOT_ISOLATED } from '#state/accounts.ts';
import type { ExchangeState } from '#state/exchange-state.ts';

export class AccountQueries {
  private readonly state: ExchangeState;

  constructor(state: ExchangeState) {
    this.state = state;
  }

  /** Undefined for an account that does not exist. */
  account(account: AccountId): AccountView | undefined {
    const { state } = this;
    const { accounts } = state;
    if (!accounts.has(account)) return undefined;
    return {
      account,
      owner: toHex(accounts.owner(account)),
      subaccount: accounts.subaccount(account),
      riskPool: accounts.riskPool[account]!,
      isolatedMarket: this.isolatedMarket(account),
      seq: state.seq,
      ...riskView(state, account),
      openOrders: accounts.openOrders[account]!,
      nonce: accounts.nonce(account).high,
      sessionKeys: (state.sessionKeys.get(account) ?? []).map(({ key, scope, expiry, nonces }) => ({
        key: toHex(key),
        scope,
        expiry,
        nonce: nonces.high,
      })),
      cancelAfter: accounts.deadMan[account]!,
      cancelOnDisconnect: accounts.disconnectGrace[account]! - 1,
      locked: accounts.isLocked(account),
    };
  }

  /** The account as it is and as it would be; it must exist, as must the markets. */
  whatIf(account: AccountId, supposition: Supposition): WhatIfView {
    const { state } = this;
    const { copy, codes } = suppose(state, account, supposition);
    return {
      seq: state.seq,
      before: riskView(state, account),
      after: riskView(copy, COPIED_ACCOUNT),
      codes,
    };
  }

  /** By market and order id. */
  openOrders(account: AccountId, market?: number): OpenOrderView[] {
    const { state } = this;
    if (!state.accounts.has(account)) return [];
    const { positions, orders } = state;
    const open: OpenOrderView[] = [];
    for (const slot of slotsOf(state, account)) {
      if (market !== undefined && positions.market(slot) !== market) continue;
      for (let order = positions.ownHead(slot); order >= 0; order = orders.ownNext(order))
        open.push(this.order(order));
    }
    return open;
  }

  /** A resting order of the account, by its id or by market and client id; null when there is none. */
  find(
    account: AccountId,
    by: { orderId?: number; market?: number; clientId?: number },
  ): OpenOrderView | null {
    const { state } = this;
    const slot =
      by.orderId !== undefined
        ? state.orders.find(by.orderId)
        : state.clientIds.find(account, by.market ?? 0, by.clientId ?? 0);
    if (slot < 0 || state.orders.account(slot) !== account) return null;
    return this.order(slot);
  }

  /** Accounts of an owner, by subaccount. */
  accountsOf(owner: Uint8Array, subaccountsMax: number): SubaccountView[] {
    const found: SubaccountView[] = [];
    for (let subaccount = 0; subaccount < subaccountsMax; subaccount++) {
      const account = this.state.accountOf(owner, subaccount);
      if (account === 0) continue;
      const riskPool = this.state.accounts.riskPool[account]!;
      found.push({ account, subaccount, riskPool, isolatedMarket: this.isolatedMarket(account) });
    }
    return found;
  }

  private isolatedMarket(account: AccountId): number | null {
    const market = this.state.accounts.isolatedMarket[account]!;
    return market === NOT_ISOLATED ? null : market;
  }

  private order(slot: number): OpenOrderView {
    const { orders } = this.state;
    const flags = orders.flags(slot);
    return {
      market: orders.market(slot),
      orderId: orders.id(slot),
      clientId: orders.clientId(slot),
      side: orders.side(slot),
      price: orders.price(slot),
      size: orders.size(slot),
      timeInForce: timeInForceOfFlags(flags),
      postOnly: (flags & POST_ONLY_BIT) !== 0,
      reduceOnly: (flags & REDUCE_ONLY_BIT) !== 0,
      expiry: orders.expiry(slot),
      priority: orders.priority(slot),
    };
  }
}

function slotsOf(state: ExchangeState, account: AccountId): number[] {
  const { accounts, positions } = state;
  const slots: number[] = [];
  for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot)) slots.push(slot);
  return slots;
}

function riskView(state: ExchangeState, account: AccountId): RiskView {
  const margin = new MarginCalculator(state).compute(new Margin(), account);
  return {
    cash: state.accounts.cash[account]!,
    equity: margin.equityMaintenance,
    initialMargin: margin.initial,
    maintenanceMargin: margin.maintenance,
    freeCollateral: withdrawable(state, account, margin),
    positions: slotsOf(state, account).map((slot) => positionView(state, account, slot)),
  };
}

function positionView(state: ExchangeState, account: AccountId, slot: number): PositionView {
  const { positions } = state;
  const market = state.market(positions.market(slot))!;
  const size = positions.size(slot);
  // A market with open orders alone has nothing that could be liquidated by its price.
  const { below, above } =
    size === 0 ? NO_LIQUIDATION : liquidationPrices(state, account, market.config.market);
  return {
    market: market.config.market,
    size,
    v: positions.v(slot),
    markPrice: market.mark,
    unrealizedPnl: size * market.lotValue(market.mark) + positions.v(slot),
    unsettledFunding: unsettledFunding(state, slot),
    bidSize: positions.bidLots(slot),
    askSize: positions.askLots(slot),
    reduceOnlySize: positions.reduceOnlyLots(slot),
    leveragePpm: positions.leveragePpm(slot),
    liquidationBelow: below,
    liquidationAbove: above,
  };
}
