/** The leaves and ranges that one step looks at, gathered for its hints; and what several handlers look at together. */

import { compareBytes } from '#protocol/bytes.ts';
import { BY_ORDER_ID } from '#protocol/operation.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import * as keys from '#state/keys.ts';
import type { StateTrees } from '#state/state-root.ts';
import { prefixKey } from '#state/state-tree.ts';
import { keyText } from '../ledger-delta.ts';

/** The first leaves under a prefix. */
export interface RangeRead {
  /** 32 bytes, zeros behind the prefix. */
  readonly prefix: Uint8Array;
  readonly bits: number;
  /** Leaves that are asked for, 1 … 255. */
  readonly max: number;
}

/** What is known before a step begins. */
export interface StepContext {
  /** As the step before left it, registers included. */
  readonly state: ExchangeState;
  /** The same in leaves. */
  readonly trees: StateTrees;
  /** The whole record that is being applied. */
  readonly record: Uint8Array;
  /** Who signed it, 20 bytes a signature; empty where a signature is none. */
  readonly signers: Uint8Array;
}

export class StepReads {
  private readonly held = new Map<string, Uint8Array>();
  private readonly asked = new Map<string, RangeRead>();

  leaf(...wanted: readonly Uint8Array[]): void {
    for (const key of wanted) this.held.set(keyText(key), key);
  }

  range(prefix: Uint8Array, bits: number, max: number): void {
    const whole = prefixKey(prefix, bits);
    const name = `${bits}/${keyText(whole)}`;
    const before = this.asked.get(name);
    if (before === undefined || before.max < max) this.asked.set(name, { prefix: whole, bits, max });
  }

  /** By ascending key, each once. */
  leaves(): Uint8Array[] {
    return [...this.held.values()].sort(compareBytes);
  }

  ranges(): RangeRead[] {
    return [...this.asked.values()];
  }
}

/** Prefix of a side's orders and levels: kind, market, side. */
export const SIDE_BITS = 32;
export const EXPIRY_BITS = 8;
const ACCOUNT_BITS = 40;
const ACCOUNT_MARKET_BITS = 56;

export const sideOrders = (market: number, side: number): Uint8Array => keys.orderKey(market, side, 0, 0);
export const sideLevels = (market: number, side: number): Uint8Array => keys.levelKey(market, side, 0);

/** The first order of an account's, in one market or (-1) in all. */
export function firstOrderOf(reads: StepReads, account: number, market: number): void {
  if (market < 0) reads.range(keys.orderIndexKey(account, 0, 0), ACCOUNT_BITS, 1);
  else reads.range(keys.orderIndexKey(account, market, 0), ACCOUNT_MARKET_BITS, 1);
}

/** Configuration, sums and prices of a market, there or not. */
export function market(reads: StepReads, id: number): void {
  reads.leaf(keys.marketConfigKey(id), keys.marketStateKey(id), keys.pricesKey(id));
}

/** What margin needs of the markets in which the account has a position or an order. */
export function margins(reads: StepReads, state: ExchangeState, account: number): void {
  const { accounts, positions } = state;
  if (!accounts.has(account)) return;
  for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot)) {
    const id = positions.market(slot);
    reads.leaf(keys.marketConfigKey(id), keys.pricesKey(id));
  }
}

/** Where funding of the account's positions is settled. */
export function fundings(reads: StepReads, state: ExchangeState, account: number): void {
  const { accounts, positions } = state;
  if (!accounts.has(account)) return;
  for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot))
    reads.leaf(keys.marketStateKey(positions.market(slot)));
}

/** Everything that goes or changes with a resting order. */
export function restingOrder(reads: StepReads, state: ExchangeState, slot: number): void {
  const { orders } = state;
  const account = orders.account(slot);
  const id = orders.market(slot);
  const side = orders.side(slot);
  const price = orders.price(slot);
  const orderId = orders.id(slot);
  reads.leaf(
    keys.accountKey(account),
    keys.marketConfigKey(id),
    keys.orderKey(id, side, price, orders.priority(slot)),
    keys.levelKey(id, side, price),
    keys.orderIndexKey(account, id, orderId),
  );
  if (orders.clientId(slot) !== 0) reads.leaf(keys.clientIndexKey(account, id, orders.clientId(slot)));
  if (orders.expiry(slot) !== 0) reads.leaf(keys.expiryKey(orders.expiry(slot), keys.EXPIRY_ORDER, orderId));
}

/** The order that a cancel or an amend names, and the indexes on the way to it; -1 when there is none. */
export function namedOrder(
  reads: StepReads,
  state: ExchangeState,
  name: { account: number; market: number; by: number; id: number },
): number {
  const { account, by, id } = name;
  if (id === 0) return -1;
  const { orders } = state;
  let slot: number;
  if (by === BY_ORDER_ID) {
    reads.leaf(keys.orderIndexKey(account, name.market, id));
    slot = orders.find(id);
    if (slot >= 0 && (orders.account(slot) !== account || orders.market(slot) !== name.market)) slot = -1;
  } else {
    reads.leaf(keys.clientIndexKey(account, name.market, id));
    slot = state.clientIds.find(account, name.market, id);
  }
  if (slot >= 0) restingOrder(reads, state, slot);
  return slot;
}
