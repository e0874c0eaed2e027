/** Accounts and their orders as query answers, computed from the live state by the engine's own margin code. */

import { Margin, MarginCalculator, unsettledFunding } from '#engine/risk/margin.ts';
import { withdrawable } from '#engine/risk/withdrawable.ts';
import { toHex } from '#protocol/bytes.ts';
import { POST_ONLY_BIT, REDUCE_ONLY_BIT, timeInForceOfFlags } from '#protocol/operation.ts';
import type { AccountView, OpenOrderView, PositionView } from '#protocol/query.ts';
import type { AccountId } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';

export class AccountQueries {
  private readonly state: ExchangeState;
  private readonly margins: MarginCalculator;
  private readonly margin = new Margin();

  constructor(state: ExchangeState) {
    this.state = state;
    this.margins = new MarginCalculator(state);
  }

  /** Undefined for an account that does not exist. */
  account(account: AccountId): AccountView | undefined {
    const { state, margin } = this;
    const { accounts } = state;
    if (!accounts.has(account)) return undefined;
    this.margins.compute(margin, account);
    return {
      account,
      owner: toHex(accounts.owner(account)),
      subaccount: accounts.subaccount(account),
      seq: state.seq,
      cash: accounts.cash[account]!,
      equity: margin.equityMaintenance,
      initialMargin: margin.initial,
      maintenanceMargin: margin.maintenance,
      freeCollateral: withdrawable(state, account, margin),
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
      positions: this.slots(account).map((slot) => this.position(slot)),
    };
  }

  /** By market and order id. */
  openOrders(account: AccountId, market?: number): OpenOrderView[] {
    const { state } = this;
    if (!state.accounts.has(account)) return [];
    const { positions, orders } = state;
    const open: OpenOrderView[] = [];
    for (const slot of this.slots(account)) {
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
  accountsOf(owner: Uint8Array, subaccountsMax: number): { account: number; subaccount: number }[] {
    const found: { account: number; subaccount: number }[] = [];
    for (let subaccount = 0; subaccount < subaccountsMax; subaccount++) {
      const account = this.state.accountOf(owner, subaccount);
      if (account !== 0) found.push({ account, subaccount });
    }
    return found;
  }

  private slots(account: AccountId): number[] {
    const { accounts, positions } = this.state;
    const slots: number[] = [];
    for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot))
      slots.push(slot);
    return slots;
  }

  private position(slot: number): PositionView {
    const { state } = this;
    const { positions } = state;
    const market = state.market(positions.market(slot))!;
    const size = positions.size(slot);
    return {
      market: positions.market(slot),
      size,
      v: positions.v(slot),
      markPrice: market.mark,
      unrealizedPnl: size * market.lotValue(market.mark) + positions.v(slot),
      unsettledFunding: unsettledFunding(state, slot),
      bidSize: positions.bidLots(slot),
      askSize: positions.askLots(slot),
      reduceOnlySize: positions.reduceOnlyLots(slot),
    };
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
