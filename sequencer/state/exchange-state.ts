/**
 * The whole state of the exchange in memory. The engine changes it, leaves.ts maps it to the leaves of the
 * trees, snapshot.ts saves and loads it. Everything that iterates does so in an order that is part of the
 * result: ids ascending, books by priority.
 */
import { assert } from '#protocol/assert.ts';
import type { AssetConfig } from '#protocol/asset.ts';
import { compareBytes, toHex } from '#protocol/bytes.ts';
import { type Keccak, nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import { MARKETS_MAX } from '#protocol/limits.ts';
import { type ChainParameters, DEFAULT_CHAIN_PARAMETERS, type MarketConfig } from '#protocol/market.ts';
import { Accounts, type NonceWindow } from './accounts.ts';
import { AssetState } from './asset-state.ts';
import { Levels } from './book-side.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import { EXPIRY_ORDER } from './keys.ts';
import type { Liquidation } from './liquidation-state.ts';
import { MarketState } from './market-state.ts';
import { ClientIndex, Orders } from './orders.ts';
import { Positions } from './positions.ts';
import { IncomingRegister, MessageRegister, RecordRegister, WalkRegister } from './registers.ts';

export interface Publisher {
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** 0: not a publisher any more. */
  readonly weight: number;
}

/** A key that an owner lets sign for an account. Kept after its end, so that its nonces stay used. */
export interface SessionKey {
  readonly key: Uint8Array;
  scope: number;
  /** ms; 0 ended. */
  expiry: number;
  readonly nonces: NonceWindow;
}

export const ENGINE_VERSION = 1;

export class ExchangeState {
  readonly keccak: Keccak;

  /** Commands applied. */
  seq = 0;
  /** Time of the last command, ms. */
  now = 0;
  engineVersion = ENGINE_VERSION;
  chain: ChainParameters = DEFAULT_CHAIN_PARAMETERS;
  /** When the next sample and funding ticks are due, ms; the same for every market. */
  nextSampleTime = 0;
  nextFundingTime = 0;
  /** Market whose sample or funding is next while a round of ticks runs, else 0. */
  sampleCursor = 0;
  fundingCursor = 0;
  /** When interest of every asset is next brought up to date, ms; 0 while there is no asset. The cursor as above. */
  nextAccrualTime = 0;
  accrualCursor = 0;

  /** Order ids and priorities come from one counter. */
  nextOrderId = 1;
  nextTradeId = 1;

  queueNext = 0;
  queueHash: Uint8Array = ZERO_HASH;

  readonly publishers: (Publisher | undefined)[] = [];

  /** By id; holes are markets that were never configured. */
  readonly markets: (MarketState | undefined)[] = [];
  /** By id, without holes. */
  readonly assets: AssetState[] = [];
  readonly accounts = new Accounts();
  readonly positions = new Positions();
  readonly orders = new Orders();
  readonly levels = new Levels();
  readonly clientIds = new ClientIndex(this.orders);
  /** By account, ascending by key. */
  readonly sessionKeys = new Map<number, SessionKey[]>();
  /** Of the accounts whose flag LIQUIDATING is set. */
  readonly liquidations = new Map<number, Liquidation>();
  /** Insurance fund by risk pool, q; pools without money have none. */
  readonly funds = new Map<number, number>();
  /** Owner and subaccount (hex) → account. */
  private readonly owners = new Map<string, number>();
  /** Owner and asset (hex) → cumulative amount withdrawn. */
  readonly withdrawn = new Map<string, bigint>();
  /** Asset → the sum of it over all owners: what a batch released shows in one leaf. */
  readonly withdrawnTotals = new Map<number, bigint>();
  readonly expiries = new ExpiryQueue((due) =>
    due.kind === EXPIRY_ORDER
      ? this.orderExpiry(due.id) === due.time
      : this.accounts.deadMan[due.id] === due.time,
  );

  readonly record = new RecordRegister();
  readonly message = new MessageRegister();
  readonly incoming = new IncomingRegister();
  readonly walk = new WalkRegister();

  constructor(keccak: Keccak = nobleKeccak) {
    this.keccak = keccak;
  }

  market(id: number): MarketState | undefined {
    return this.markets[id];
  }

  /** Adds or reconfigures a market. */
  configureMarket(config: MarketConfig): void {
    assert(config.market < MARKETS_MAX, 'market id within bounds');
    const existing = this.markets[config.market];
    if (existing !== undefined) existing.configure(config);
    else {
      while (this.markets.length < config.market) this.markets.push(undefined);
      this.markets[config.market] = new MarketState(config, this.levels, this.orders);
    }
  }

  /** Adds or reconfigures an asset; ids have no gaps. */
  configureAsset(config: AssetConfig): void {
    assert(config.asset <= this.assets.length, 'asset ids have no gaps');
    const existing = this.assets[config.asset];
    if (existing === undefined) this.assets.push(new AssetState(config, this.now));
    else existing.config = config;
  }

  /** Account of (owner, subaccount), 0 when there is none. */
  accountOf(owner: Uint8Array, subaccount: number): number {
    return this.owners.get(ownerId(owner, subaccount)) ?? 0;
  }

  createAccount(owner: Uint8Array, subaccount: number): number {
    const id = this.accounts.create(owner, subaccount);
    this.owners.set(ownerId(owner, subaccount), id);
    return id;
  }

  withdrawnBy(owner: Uint8Array, asset: number): bigint {
    return this.withdrawn.get(withdrawnId(owner, asset)) ?? 0n;
  }

  /** Moves money into the insurance fund of a pool, or out of it. */
  addToFund(riskPool: number, amount: number): void {
    const after = (this.funds.get(riskPool) ?? 0) + amount;
    if (after === 0) this.funds.delete(riskPool);
    else this.funds.set(riskPool, after);
  }

  setWithdrawn(owner: Uint8Array, asset: number, total: bigint): void {
    const before = this.withdrawnBy(owner, asset);
    this.withdrawn.set(withdrawnId(owner, asset), total);
    this.withdrawnTotals.set(asset, (this.withdrawnTotals.get(asset) ?? 0n) + total - before);
  }

  sessionKey(account: number, key: Uint8Array): SessionKey | undefined {
    return this.sessionKeys.get(account)?.find((held) => compareBytes(held.key, key) === 0);
  }

  addSessionKey(account: number, sessionKey: SessionKey): void {
    const keys = this.sessionKeys.get(account) ?? [];
    keys.push(sessionKey);
    keys.sort((a, b) => compareBytes(a.key, b.key));
    this.sessionKeys.set(account, keys);
    this.accounts.sessionKeys[account] = keys.length;
  }

  /** Position record of (account, market), -1 when there is none. */
  findPosition(account: number, market: number): number {
    const { positions } = this;
    let slot = this.accounts.firstPosition[account]!;
    while (slot >= 0) {
      const at = positions.market(slot);
      if (at === market) return slot;
      if (at > market) return -1;
      slot = positions.next(slot);
    }
    return -1;
  }

  /** Position record of (account, market), created in its place when there is none. */
  ensurePosition(account: number, market: number): number {
    const { positions, accounts } = this;
    let previous = -1;
    let slot = accounts.firstPosition[account]!;
    while (slot >= 0) {
      const at = positions.market(slot);
      if (at === market) return slot;
      if (at > market) break;
      previous = slot;
      slot = positions.next(slot);
    }
    const created = positions.allocate(account, market);
    positions.setNext(created, slot);
    if (previous < 0) accounts.firstPosition[account] = created;
    else positions.setNext(previous, created);
    accounts.positionCount[account] = accounts.positionCount[account]! + 1;
    const state = this.markets[market]!;
    positions.fundingIndex[created] = state.fundingIndex;
    positions.setFundingTick(created, state.fundingTick);
    return created;
  }

  /** Drops the record when it holds neither a position, an order nor a setting. */
  releasePosition(account: number, slot: number): void {
    const { positions, accounts } = this;
    if (positions.size(slot) !== 0 || positions.ownHead(slot) >= 0 || positions.leveragePpm(slot) !== 0)
      return;
    let previous = -1;
    let at = accounts.firstPosition[account]!;
    while (at !== slot) {
      previous = at;
      at = positions.next(at);
    }
    if (previous < 0) accounts.firstPosition[account] = positions.next(slot);
    else positions.setNext(previous, positions.next(slot));
    accounts.positionCount[account] = accounts.positionCount[account]! - 1;
    positions.free(slot);
  }

  private orderExpiry(orderId: number): number {
    const slot = this.orders.find(orderId);
    return slot < 0 ? 0 : this.orders.expiry(slot);
  }
}

const ownerId = (owner: Uint8Array, subaccount: number): string => `${toHex(owner)}:${subaccount}`;
const withdrawnId = (owner: Uint8Array, asset: number): string => `${toHex(owner)}:${asset}`;
