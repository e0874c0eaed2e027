/** Which leaves have changed since the last look: cheap to mark, each encoded once when they are taken. */
import type { ExchangeState } from './exchange-state.ts';
import * as keys from './keys.ts';
import * as leaves from './leaves.ts';

/** Marks of an order's place hold five numbers: market, side, price, priority, id. */
const PLACE_STRIDE = 5;
const INDEX_STRIDE = 4;
const SIDE_UNIT = 2 ** 32;
const MARKET_UNIT = 2 ** 33;

export type WriteLeaf = (key: Uint8Array, value: leaves.LeafValue) => void;

/** The marking half of `Trace`; the order of marks has no part in any result, because trees are canonical. */
export class DirtyLeaves {
  private readonly state: ExchangeState;
  private isGlobals = false;
  private isCounters = false;
  private isPublishers = false;
  private isQueue = false;
  private readonly registers = new Set<number>();
  private readonly accounts = new Set<number>();
  private readonly owners = new Set<number>();
  private readonly marketConfigs = new Set<number>();
  private readonly marketStates = new Set<number>();
  private readonly priceGroups = new Set<number>();
  private readonly oracles = new Set<number>();
  /** account · 65536 + asset. */
  private readonly withdrawals = new Set<number>();
  private readonly assetConfigs = new Set<number>();
  private readonly pools = new Set<number>();
  private readonly liquidations = new Set<number>();
  private readonly funds = new Set<number>();
  private readonly marketRisks = new Set<number>();
  private readonly levels = new Set<number>();
  private places: number[] = [];
  /** Order id → its last mark in `places`. */
  private readonly placeOf = new Map<number, number>();
  private indexes: number[] = [];
  private readonly indexed = new Set<number>();
  private readonly sessionKeys = new Map<number, Uint8Array[]>();
  private expiries: number[] = [];

  constructor(state: ExchangeState) {
    this.state = state;
  }

  globals(): void {
    this.isGlobals = true;
  }
  counters(): void {
    this.isCounters = true;
  }
  publishers(): void {
    this.isPublishers = true;
  }
  queue(): void {
    this.isQueue = true;
  }
  register(register: number): void {
    this.registers.add(register);
  }
  account(account: number): void {
    this.accounts.add(account);
  }
  owner(account: number): void {
    this.owners.add(account);
  }
  /** A configuration resets the market's halt, and a new market has a row among the prices. */
  marketConfig(market: number): void {
    this.marketConfigs.add(market);
    this.marketState(market);
    this.prices(market);
  }
  marketState(market: number): void {
    this.marketStates.add(market);
  }
  prices(market: number): void {
    this.priceGroups.add(Math.floor(market / keys.PRICES_PER_LEAF));
  }
  oracle(market: number): void {
    this.oracles.add(market);
  }
  withdrawn(account: number, asset: number): void {
    this.withdrawals.add(account * 0x1_0000 + asset);
  }
  /** A new asset has a pool. */
  assetConfig(asset: number): void {
    this.assetConfigs.add(asset);
    this.pool(asset);
  }
  pool(asset: number): void {
    this.pools.add(asset);
  }
  liquidation(account: number): void {
    this.liquidations.add(account);
  }
  fund(riskPool: number): void {
    this.funds.add(riskPool);
  }
  marketRisk(market: number): void {
    this.marketRisks.add(market);
  }
  level(market: number, side: number, price: number): void {
    this.levels.add(market * MARKET_UNIT + side * SIDE_UNIT + price);
  }
  order(market: number, side: number, price: number, priority: number, orderId: number): void {
    const { places } = this;
    const last = this.placeOf.get(orderId);
    if (last !== undefined && places[last + 2] === price && places[last + 3] === priority) return;
    this.placeOf.set(orderId, places.length);
    places.push(market, side, price, priority, orderId);
  }
  /** Account, market and client id of an order never change. */
  orderIndex(account: number, market: number, orderId: number, clientId: number): void {
    if (this.indexed.has(orderId)) return;
    this.indexed.add(orderId);
    this.indexes.push(account, market, orderId, clientId);
  }
  sessionKey(account: number, key: Uint8Array): void {
    const marked = this.sessionKeys.get(account);
    if (marked === undefined) this.sessionKeys.set(account, [key.slice()]);
    else if (!marked.some((other) => other.every((byte, i) => byte === key[i]))) marked.push(key.slice());
  }
  expiry(time: number, kind: number, id: number): void {
    this.expiries.push(time, kind, id);
  }

  /** Encodes every marked leaf as the state now has it, and forgets the marks. */
  take(write: WriteLeaf): void {
    const { state } = this;
    if (this.isGlobals) write(keys.globalsKey(), leaves.globalsLeaf(state));
    if (this.isCounters) write(keys.countersKey(), leaves.countersLeaf(state));
    if (this.isPublishers) write(keys.publishersKey(), leaves.publishersLeaf(state));
    if (this.isQueue) write(keys.queueKey(), leaves.queueLeaf(state));
    this.isGlobals = this.isCounters = this.isPublishers = this.isQueue = false;
    for (const register of this.registers)
      write(keys.registerKey(register), leaves.registerLeaf(state, register));
    this.registers.clear();
    this.takeAccounts(write);
    this.takeMarkets(write);
    this.takeAssets(write);
    this.takeOrders(write);
  }

  private takeAccounts(write: WriteLeaf): void {
    const { state } = this;
    const { accounts } = state;
    for (const account of this.accounts) write(keys.accountKey(account), leaves.accountLeaf(state, account));
    this.accounts.clear();
    for (const account of this.owners)
      write(keys.ownerKey(accounts.owner(account), accounts.subaccount(account)), leaves.ownerLeaf(account));
    this.owners.clear();
    for (const id of this.withdrawals) {
      const asset = id % 0x1_0000;
      const owner = accounts.owner((id - asset) / 0x1_0000);
      write(keys.withdrawnKey(owner, asset), leaves.withdrawnLeaf(state.withdrawnBy(owner, asset)));
      write(keys.withdrawnTotalKey(asset), leaves.withdrawnLeaf(state.withdrawnTotals.get(asset) ?? 0n));
    }
    this.withdrawals.clear();
    for (const [account, marked] of this.sessionKeys)
      for (const key of marked)
        write(keys.sessionKeyKey(account, key), leaves.sessionKeyLeaf(state, account, key));
    this.sessionKeys.clear();
    for (const account of this.liquidations)
      write(keys.liquidationKey(account), leaves.liquidationLeaf(state, account));
    this.liquidations.clear();
  }

  private takeMarkets(write: WriteLeaf): void {
    const { state } = this;
    for (const market of this.marketConfigs)
      write(keys.marketConfigKey(market), leaves.marketConfigLeaf(state, market));
    this.marketConfigs.clear();
    for (const market of this.marketStates)
      write(keys.marketStateKey(market), leaves.marketStateLeaf(state, market));
    this.marketStates.clear();
    for (const group of this.priceGroups)
      write(keys.pricesKey(group * keys.PRICES_PER_LEAF), leaves.pricesLeaf(state, group));
    this.priceGroups.clear();
    for (const market of this.oracles) write(keys.oracleKey(market), leaves.oracleLeaf(state, market));
    this.oracles.clear();
    for (const market of this.marketRisks)
      write(keys.marketRiskKey(market), leaves.marketRiskLeaf(state, market));
    this.marketRisks.clear();
    for (const riskPool of this.funds) write(keys.fundKey(riskPool), leaves.fundLeaf(state, riskPool));
    this.funds.clear();
  }

  private takeAssets(write: WriteLeaf): void {
    const { state } = this;
    for (const asset of this.assetConfigs)
      write(keys.assetConfigKey(asset), leaves.assetConfigLeaf(state, asset));
    this.assetConfigs.clear();
    for (const asset of this.pools) write(keys.poolKey(asset), leaves.poolLeaf(state, asset));
    this.pools.clear();
  }

  private takeOrders(write: WriteLeaf): void {
    const { state, places, indexes, expiries } = this;
    for (let i = 0; i < places.length; i += PLACE_STRIDE) {
      const price = places[i + 2]!;
      const priority = places[i + 3]!;
      write(
        keys.orderKey(places[i]!, places[i + 1]!, price, priority),
        leaves.orderLeaf(state, places[i + 4]!, price, priority),
      );
    }
    this.places = [];
    this.placeOf.clear();
    for (const packed of this.levels) {
      const price = packed % SIDE_UNIT;
      const side = ((packed - price) / SIDE_UNIT) % 2;
      const market = Math.floor(packed / MARKET_UNIT);
      write(keys.levelKey(market, side, price), leaves.levelLeaf(state, market, side, price));
    }
    this.levels.clear();
    for (let i = 0; i < indexes.length; i += INDEX_STRIDE) {
      const account = indexes[i]!;
      const market = indexes[i + 1]!;
      const clientId = indexes[i + 3]!;
      write(
        keys.orderIndexKey(account, market, indexes[i + 2]!),
        leaves.orderIndexLeaf(state, indexes[i + 2]!),
      );
      if (clientId !== 0)
        write(
          keys.clientIndexKey(account, market, clientId),
          leaves.clientIndexLeaf(state, account, market, clientId),
        );
    }
    this.indexes = [];
    this.indexed.clear();
    for (let i = 0; i < expiries.length; i += 3)
      write(
        keys.expiryKey(expiries[i]!, expiries[i + 1]!, expiries[i + 2]!),
        leaves.expiryLeaf(state, expiries[i]!, expiries[i + 1]!, expiries[i + 2]!),
      );
    this.expiries = [];
  }
}
