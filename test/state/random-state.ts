/** A state with something in every field, put there directly; for tests of leaves and snapshots. */

import { setU64be, viewOf } from '#protocol/bytes.ts';
import { type MarketConfig, NO_MARKET_LIMITS } from '#protocol/market.ts';
import { LIQUIDATING, newNonceWindow, useNonce } from '#state/accounts.ts';
import { RAY } from '#state/asset-state.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { EXPIRY_DEAD_MAN, EXPIRY_ORDER } from '#state/keys.ts';
import { Liquidation } from '#state/liquidation-state.ts';
import { TEST_ASSET, TEST_QUOTE_ASSET } from '#test/support/assets.ts';

/** Whole numbers from a seed (mulberry32). */
export class Random {
  private seed: number;

  constructor(seed: number) {
    this.seed = seed | 0;
  }

  /** 0 … bound - 1. */
  below(bound: number): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  signed(bound: number): number {
    return this.below(2 * bound) - bound;
  }
}

export const testMarket = (market: number, symbol = `M${market}-PERP`): MarketConfig => ({
  market,
  symbol,
  status: 0,
  qm: 1,
  maxPrice: 2_000_000,
  maxPosition: 100_000_000,
  maxOpenInterest: 0,
  maxOrderSize: 100_000_000,
  minNotional: 1,
  takerFeePpm: 450,
  makerFeePpm: -50,
  bandPpm: 0,
  profitWeightPpm: 1_000_000,
  ...NO_MARKET_LIMITS,
  tickSizeE9: 100_000_000,
  tiers: [
    { lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 },
    { lower: 100_000, initialPpm: 50_000, maintenancePpm: 30_000 },
  ],
});

/** Orders rest wherever they are put, crossing or not: leaves do not know the rules. */
export function randomState(seed: number, size: { accounts: number; orders: number }): ExchangeState {
  const random = new Random(seed);
  const state = new ExchangeState();
  state.seq = random.between(1, 2 ** 40);
  state.now = random.between(1, 2 ** 42);
  state.nextSampleTime = state.now + random.below(5_000);
  state.nextFundingTime = state.now + random.below(3_600_000);
  state.sampleCursor = random.below(3);
  state.fundingCursor = random.below(3);
  state.queueNext = random.below(1000);
  if (state.queueNext > 0) state.queueHash = random.bytes(32);
  for (let i = random.below(17); i > 0; i--)
    state.publishers[random.below(16)] = { address: random.bytes(20), weight: random.below(3) };
  const markets = [0, 1, 17, 40].filter((id) => id === 0 || random.below(2) === 0);
  for (const id of markets) randomMarket(state, random, id);
  for (let id = random.below(4); id > 0; id--) randomAsset(state, random);
  for (let i = 0; i < size.accounts; i++) randomAccount(state, random, markets);
  for (let i = 0; i < size.orders && size.accounts > 0; i++) randomOrder(state, random, markets, i + 1);
  state.nextOrderId = size.orders + 1;
  state.nextTradeId = random.between(1, 1000);
  return state;
}

function randomMarket(state: ExchangeState, random: Random, id: number): void {
  state.configureMarket(testMarket(id));
  const market = state.market(id)!;
  market.halted = random.below(5) === 0;
  market.openInterest = random.below(1e9);
  market.fees = random.signed(1e12);
  market.fundingBalance = random.signed(1e9);
  market.fundingIndex = BigInt(random.signed(2 ** 52)) * 1_000_003n;
  market.fundingTick = random.below(1000);
  market.premiumSum = random.signed(2 ** 50);
  market.premiumCount = random.below(720);
  market.index = random.below(2 ** 32);
  market.indexTime = random.below(2 ** 42);
  market.confidence = random.below(2 ** 32);
  market.mark = random.below(2 ** 32);
  market.openInterestPpm = random.below(1_000_001);
  market.depth = random.below(2 ** 32);
  market.validity = random.below(7);
  market.lastPrice = random.below(2 ** 32);
  market.pacedUntil = random.below(2) * random.below(2 ** 42);
  market.sampleTime = random.below(2 ** 42);
  market.sampleBid = random.below(2 ** 32);
  market.sampleAsk = random.below(2 ** 32);
  market.sampleLast = random.below(2 ** 32);
  market.basisEma = BigInt(random.signed(2 ** 50));
  market.bookEma = BigInt(random.below(2 ** 50)) - 1n;
  if (random.below(2) === 0) {
    for (let i = 0; i < 16; i++) market.reportSequences[i] = random.below(2 ** 50);
    market.twapFine = random.below(2 ** 32) * 1_000_000 + random.below(1_000_000);
    market.twap = Math.floor(market.twapFine / 1_000_000);
    market.pendingIndex = random.below(2 ** 32);
  }
}

/** The next one. */
function randomAsset(state: ExchangeState, random: Random): void {
  const asset = state.assets.length;
  state.configureAsset(asset === 0 ? TEST_QUOTE_ASSET : { ...TEST_ASSET, asset });
  const held = state.assets[asset]!;
  held.supplyIndex = RAY + BigInt(random.below(2 ** 50));
  held.borrowIndex = RAY * BigInt(random.between(1, 1_000));
  held.supplyShares = random.below(2 ** 51);
  held.debtShares = random.below(2 ** 51);
  held.cash = random.below(2 ** 51);
  held.reserve = random.below(2 ** 51);
  held.accrued = random.below(2 ** 42);
  held.ratePpm = random.below(2 ** 32);
  held.collateral = random.below(2 ** 51);
  state.nextAccrualTime = state.now + random.below(3_600_000);
  state.accrualCursor = random.below(asset + 1);
}

function randomAccount(state: ExchangeState, random: Random, markets: readonly number[]): void {
  const { accounts, positions } = state;
  const owner = random.bytes(20);
  const account = state.createAccount(owner, random.below(256));
  accounts.cash[account] = random.signed(2 ** 51);
  for (let i = random.below(5); i > 0; i--) useNonce(accounts.nonce(account), random.below(600) + 1);
  accounts.disconnectGrace[account] = random.below(2 ** 33);
  if (random.below(2) === 0) {
    accounts.deadMan[account] = random.between(1, 2 ** 42);
    state.expiries.push({ time: accounts.deadMan[account]!, kind: EXPIRY_DEAD_MAN, id: account });
  }
  for (let i = random.below(3); i > 0; i--) {
    const nonces = newNonceWindow();
    useNonce(nonces, random.between(1, 2 ** 50));
    const expiry = random.below(2 ** 42);
    state.addSessionKey(account, { key: random.bytes(20), scope: random.below(4), expiry, nonces });
  }
  if (random.below(3) === 0) state.setWithdrawn(owner, random.below(4), BigInt(random.below(2 ** 50)) << 30n);
  accounts.riskPool[account] = random.below(256);
  accounts.flags[account] = random.below(8);
  if ((accounts.flags[account]! & LIQUIDATING) !== 0) {
    const held = new Liquidation(random.below(2 ** 42));
    held.phase = random.between(1, 5);
    held.phaseBegan = random.below(2 ** 42);
    held.market = random.below(1_024);
    held.sliceTime = random.below(2 ** 42);
    state.liquidations.set(account, held);
  }
  if (random.below(3) === 0) accounts.isolatedMarket[account] = random.below(40);
  for (let asset = 0; asset < state.assets.length; asset++) {
    if (random.below(2) === 0) continue;
    const row = accounts.ensureAsset(account, asset);
    row.balance = random.below(2 ** 51) + 1;
    row.supplyShares = random.below(2 ** 51);
    row.debtShares = random.below(2 ** 51);
  }
  for (const market of markets) {
    if (random.below(2) === 0) continue;
    const slot = state.ensurePosition(account, market);
    if (random.below(3) === 0) positions.setLeveragePpm(slot, random.between(1, 1_000_000));
    positions.setSize(slot, random.signed(2 ** 47) || 1);
    positions.setV(slot, random.signed(2 ** 51));
    if (random.below(2) === 0) {
      positions.fundingIndex[slot] = BigInt(random.signed(2 ** 50));
      positions.setFundingTick(slot, -1);
    }
  }
}

function randomOrder(state: ExchangeState, random: Random, markets: readonly number[], id: number): void {
  const { orders, positions, accounts } = state;
  const account = random.between(1, accounts.count);
  const market = markets[random.below(markets.length)]!;
  const flags = random.below(256);
  const lots = random.between(1, 2 ** 40);
  const slot = orders.allocate(id);
  orders.setPriority(slot, id);
  orders.setPrice(slot, random.below(10) === 0 ? random.between(1, 2 ** 32 - 1) : random.between(1000, 1020));
  orders.setAccount(slot, account);
  orders.setSize(slot, lots);
  orders.setClientId(slot, random.below(2) === 0 ? 0 : id * 2 ** 20);
  orders.setExpiry(slot, random.below(3) === 0 ? random.between(1, 2 ** 42) : 0);
  orders.setMarketAndFlags(slot, market, flags);
  state.market(market)!.book(orders.side(slot)).append(slot);
  if (orders.clientId(slot) !== 0) state.clientIds.add(slot);
  const position = state.ensurePosition(account, market);
  const tail = positions.ownTail(position);
  orders.setOwnPrev(slot, tail);
  orders.setOwnNext(slot, -1);
  if (tail < 0) positions.setOwnHead(position, slot);
  else orders.setOwnNext(tail, slot);
  positions.setOwnTail(position, slot);
  positions.addOpen(position, orders.side(slot), lots, random.below(2 ** 45));
  accounts.openOrders[account] = accounts.openOrders[account]! + 1;
  if (orders.expiry(slot) !== 0) state.expiries.push({ time: orders.expiry(slot), kind: EXPIRY_ORDER, id });
}

/** Eight bytes of a number, big-endian. */
export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  setU64be(viewOf(bytes), 0, value);
  return bytes;
}
