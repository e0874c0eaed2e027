/**
 * The values of the leaves (keys.ts): one canonical, fixed-width, big-endian encoding per noun. Every field of
 * the state that reaches a later result stands in exactly one leaf (what follows from others, like the lists
 * of an account's orders, in none). A function gives `undefined` where the leaf is absent. load-leaves.ts reads
 * them back; the Solidity twin reads the same bytes.
 *
 * Ledger
 *   GLOBALS        absent before the first command; 146 bytes
 *      0 u64 seq                8 u48 now              14 u32 engineVersion      18 u32 accounts
 *     22 u16 markets (highest id + 1)                  24 u48 nextSampleTime     30 u48 nextFundingTime
 *     36 u16 sampleCursor      38 u16 fundingCursor    40 96  chain parameters (protocol/market.ts)
 *    136 u48 nextAccrualTime  142 u16 accrualCursor   144 u16 assets (highest id + 1)
 *   ACCOUNT        96 bytes, 78 a position, by ascending market, at most 16, and 26 an asset, ascending, at most 8
 *      0 20  owner             20 u8  subaccount       21 i64 cash, q            29 u64 highest nonce
 *     37 32  nonce bits: bit n (0 = least significant) = nonce `highest - n` is used
 *     69 u48 dead-man deadline, ms                     75 u48 cancel-on-disconnect grace, ms + 1; 0 off
 *     81 u32 open orders       85 u16 session keys     87 u8  positions           88 u8  assets
 *     89 u8  risk pool         90 u8  flags            91 u16 isolated market, 65535 none                93 3 zeros
 *     each:  0 u16 market       2 i64 s, lots          10 i64 v, q               18 i128 funding index, settled
 *           34 u64 bidLots     42 u64 askLots          50 u64 bidQuote, q        58 u64 askQuote, q
 *           66 u64 reduceOnlyLots                      74 u32 leverage: own floor of the initial rate, ppm; 0 none
 *     asset: 0 u16 asset        2 u64 balance, units   10 u64 supply shares      18 u64 debt shares
 *   OWNER          0 u32 account
 *   MARKET_CONFIG  the packed configuration (protocol/market.ts), 128 bytes and 16 a tier
 *   MARKET_STATE   95 bytes
 *      0 u8  halted             1 u64 open interest, lots                         9 i64 fees, q
 *     17 i64 funding balance, q                        25 u32 funding ticks      29 i64 Σ premiums, ppb
 *     37 u32 premiums          41 u32 last price       45 u48 sample time        51 u32 sample bid
 *     55 u32 sample ask        59 u32 sample last      63 i128 basis EMA, 1e-6 ticks
 *     79 i128 book EMA, 1e-6 ticks; -1 none
 *   PRICES         4 rows of 48 bytes, row = market mod 4, zeros where there is no market
 *      0 u32 index              4 u32 mark              8 u48 index time         14 u32 confidence
 *     18 i128 funding index, 1e-9 q a lot              34 u32 average index      38 u32 initial rate of open interest, ppm
 *     42 u32 depth, whole quote                        46 u8  validity           47 u8  0
 *   PUBLISHERS     16 rows of 24 bytes: 20 address ‖ u32 weight; zeros where there was never one
 *   ORACLE         140 bytes; absent while all are 0
 *      0 16 × u64: highest sequence taken per publisher
 *    128 u64 average index, 1e-6 ticks                136 u32 index that waits to be repeated; 0 none
 *   WITHDRAWN      u128 units of the asset, never 0 (contracts read this leaf)
 *   WITHDRAWN_TOTAL u128 sum of the WITHDRAWN leaves of one asset, never 0
 *   ASSET_CONFIG   the packed configuration (protocol/asset.ts), 144 bytes
 *   POOL           82 bytes
 *      0 u128 supply index     16 u128 borrow index    32 u64 supply shares      40 u64 debt shares
 *     48 u64 cash, units       56 u64 reserve, units   64 u48 accrued to         70 u32 rate, ppm
 *     74 u64 collateral, units
 *   FUND           i64 q, never 0
 *   MARKET_RISK    0 u48 slices wait until, ms
 *   LIQUIDATION    37 bytes
 *      0 u8  phase              1 u48 phase began       7 u48 began              13 u16 market of the last slice
 *     15 u48 time of the last slice                    21 16  zeros
 *   QUEUE          0 u64 next index   8 b32 prefix hash; absent before the first entry
 *
 * Book
 *   COUNTERS       0 u64 next order id   8 u64 next trade id; absent while both are 1
 *   ORDER          35 bytes
 *      0 u64 id                 8 u32 account          12 u64 size, open lots    20 u64 client id
 *     28 u48 expiry, ms        34 u8  flags of PLACE
 *   LEVEL          u64 lots
 *   ORDER_INDEX    0 u8 side   1 u32 price   5 u64 priority
 *   CLIENT_INDEX   u64 order id
 *   SESSION_KEY    0 u8 scope   1 u64 expiry, ms; 0 ended   9 u64 highest nonce   17 32 nonce bits
 *   EXPIRY         empty
 *   REGISTER       absent while inactive
 *     message      0 b32 keccak256 of the signed message   32 u32 account   36 u8 scope   37 u8 count
 *                 38 u8  next operation   39 u16 its offset
 *     incoming     0 u32 account   4 u16 market   6 u8 flags   7 u32 price   11 u64 size   19 u64 remaining
 *                 27 u64 order id   35 u64 priority   43 u64 client id   51 u48 expiry
 *                 57 u8  bit 0 reducing, bit 1 amended, bit 2 forced, bit 3 liquidation   58 u64 filled   66 u64 filledQuote, q
 *     walk         0 u32 account   4 u16 market, 65535 every   6 u8 reason   7 u32 canceled   11 u8 of a message
 *     record       0 b32 keccak256 of the record whose ticks run and whose own step is still to come
 */
import { assert } from '#protocol/assert.ts';
import { encodeAssetConfig } from '#protocol/asset.ts';
import { compareBytes, setU64be, setU128be, viewOf } from '#protocol/bytes.ts';
import {
  ASSET_ROWS_MAX,
  LEAF_VALUE_BYTES_MAX,
  MARKETS_MAX,
  NONCE_WINDOW_BITS,
  POSITIONS_MAX,
  PUBLISHERS_MAX,
  RECORD_HEADER_BYTES,
} from '#protocol/limits.ts';
import { CHAIN_PARAMETERS_BYTES, encodeChainParameters, encodeMarketConfig } from '#protocol/market.ts';
import type { NonceWindow } from './accounts.ts';
import type { ExchangeState } from './exchange-state.ts';
import {
  EXPIRY_ORDER,
  PRICES_PER_LEAF,
  REGISTER_INCOMING,
  REGISTER_MESSAGE,
  REGISTER_RECORD,
  REGISTER_WALK,
} from './keys.ts';
import { LeafWriter } from './leaf-bytes.ts';

export const ADDRESS_BYTES = 20;
export const NONCE_BITS_BYTES = NONCE_WINDOW_BITS / 8;
export const GLOBALS_BYTES = 50 + CHAIN_PARAMETERS_BYTES;
export const ACCOUNT_BYTES = 96;
export const POSITION_BYTES = 78;
export const ASSET_ROW_BYTES = 26;
export const POOL_BYTES = 82;
export const LIQUIDATION_BYTES = 37;
export const MARKET_RISK_BYTES = 6;
export const MARKET_STATE_BYTES = 95;
export const PRICES_ROW_BYTES = 48;
export const ORACLE_BYTES = 8 * PUBLISHERS_MAX + 12;
export const PUBLISHER_ROW_BYTES = ADDRESS_BYTES + 4;
/** A walk's market field when it is over every market. */
export const EVERY_MARKET = 0xffff;

/** Value of a leaf, `undefined` where it is absent. */
export type LeafValue = Uint8Array | undefined;

const NO_BYTES = new Uint8Array(0);

export function globalsLeaf(state: ExchangeState): LeafValue {
  if (state.seq === 0) return undefined;
  return new LeafWriter(GLOBALS_BYTES)
    .u64(state.seq)
    .u48(state.now)
    .u32(state.engineVersion)
    .u32(state.accounts.count)
    .u16(state.markets.length)
    .u48(state.nextSampleTime)
    .u48(state.nextFundingTime)
    .u16(state.sampleCursor)
    .u16(state.fundingCursor)
    .bytes(encodeChainParameters(state.chain))
    .u48(state.nextAccrualTime)
    .u16(state.accrualCursor)
    .u16(state.assets.length)
    .done();
}

/** Most significant byte first, so that the highest nonce is bit 0 of a 256-bit word. */
export function encodeNonceBits(window: NonceWindow): Uint8Array {
  const bytes = new Uint8Array(NONCE_BITS_BYTES);
  const view = viewOf(bytes);
  window.bits.forEach((word, i) => {
    view.setUint32(NONCE_BITS_BYTES - 4 - 4 * i, word);
  });
  return bytes;
}

/** Bytes 93 to 95 of an account. */
const NO_ACCOUNT_REST = new Uint8Array(3);

export function accountLeaf(state: ExchangeState, account: number): LeafValue {
  const { accounts, positions } = state;
  if (!accounts.has(account)) return undefined;
  const count = accounts.positionCount[account]!;
  const nonces = accounts.nonce(account);
  const rows = accounts.assetRows(account);
  const writer = new LeafWriter(ACCOUNT_BYTES + count * POSITION_BYTES + rows.length * ASSET_ROW_BYTES)
    .bytes(accounts.owner(account))
    .u8(accounts.subaccount(account))
    .i64(accounts.cash[account]!)
    .u64(nonces.high)
    .bytes(encodeNonceBits(nonces))
    .u48(accounts.deadMan[account]!)
    .u48(accounts.disconnectGrace[account]!)
    .u32(accounts.openOrders[account]!)
    .u16(accounts.sessionKeys[account]!)
    .u8(count)
    .u8(rows.length)
    .u8(accounts.riskPool[account]!)
    .u8(accounts.flags[account]!)
    .u16(accounts.isolatedMarket[account]!)
    .bytes(NO_ACCOUNT_REST);
  for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot))
    writer
      .u16(positions.market(slot))
      .i64(positions.size(slot))
      .i64(positions.v(slot))
      .i128(positions.fundingIndex[slot]!)
      .u64(positions.bidLots(slot))
      .u64(positions.askLots(slot))
      .u64(positions.bidQuote(slot))
      .u64(positions.askQuote(slot))
      .u64(positions.reduceOnlyLots(slot))
      .u32(positions.leveragePpm(slot));
  for (const row of rows) writer.u16(row.asset).u64(row.balance).u64(row.supplyShares).u64(row.debtShares);
  return writer.done();
}

export const ownerLeaf = (account: number): Uint8Array => new LeafWriter(4).u32(account).done();

export function marketConfigLeaf(state: ExchangeState, market: number): LeafValue {
  const held = state.market(market);
  return held === undefined ? undefined : encodeMarketConfig(held.config);
}

export function marketStateLeaf(state: ExchangeState, market: number): LeafValue {
  const held = state.market(market);
  if (held === undefined) return undefined;
  return new LeafWriter(MARKET_STATE_BYTES)
    .u8(held.halted ? 1 : 0)
    .u64(held.openInterest)
    .i64(held.fees)
    .i64(held.fundingBalance)
    .u32(held.fundingTick)
    .i64(held.premiumSum)
    .u32(held.premiumCount)
    .u32(held.lastPrice)
    .u48(held.sampleTime)
    .u32(held.sampleBid)
    .u32(held.sampleAsk)
    .u32(held.sampleLast)
    .i128(held.basisEma)
    .i128(held.bookEma)
    .done();
}

/** The leaf with the prices of markets `group · 4` … `group · 4 + 3`. */
export function pricesLeaf(state: ExchangeState, group: number): LeafValue {
  let present = false;
  const writer = new LeafWriter(PRICES_PER_LEAF * PRICES_ROW_BYTES);
  for (let row = 0; row < PRICES_PER_LEAF; row++) {
    const market = state.market(group * PRICES_PER_LEAF + row);
    if (market !== undefined) present = true;
    writer
      .u32(market?.index ?? 0)
      .u32(market?.mark ?? 0)
      .u48(market?.indexTime ?? 0)
      .u32(market?.confidence ?? 0)
      .i128(market?.fundingIndex ?? 0n)
      .u32(market?.twap ?? 0)
      .u32(market?.openInterestPpm ?? 0)
      .u32(market?.depth ?? 0)
      .u8(market?.validity ?? 0)
      .u8(0);
  }
  return present ? writer.done() : undefined;
}

export function assetConfigLeaf(state: ExchangeState, asset: number): LeafValue {
  const held = state.assets[asset];
  return held === undefined ? undefined : encodeAssetConfig(held.config);
}

export function poolLeaf(state: ExchangeState, asset: number): LeafValue {
  const held = state.assets[asset];
  if (held === undefined) return undefined;
  return new LeafWriter(POOL_BYTES)
    .i128(held.supplyIndex)
    .i128(held.borrowIndex)
    .u64(held.supplyShares)
    .u64(held.debtShares)
    .u64(held.cash)
    .u64(held.reserve)
    .u48(held.accrued)
    .u32(held.ratePpm)
    .u64(held.collateral)
    .done();
}

export function fundLeaf(state: ExchangeState, riskPool: number): LeafValue {
  const held = state.funds.get(riskPool);
  return held === undefined ? undefined : new LeafWriter(8).i64(held).done();
}

export function marketRiskLeaf(state: ExchangeState, market: number): LeafValue {
  const pacedUntil = state.market(market)?.pacedUntil ?? 0;
  return pacedUntil === 0 ? undefined : new LeafWriter(MARKET_RISK_BYTES).u48(pacedUntil).done();
}

/** Bytes 21 to 36 of a liquidation. */
const NO_AUCTION = new Uint8Array(16);

export function liquidationLeaf(state: ExchangeState, account: number): LeafValue {
  const held = state.liquidations.get(account);
  if (held === undefined) return undefined;
  return new LeafWriter(LIQUIDATION_BYTES)
    .u8(held.phase)
    .u48(held.phaseBegan)
    .u48(held.began)
    .u16(held.market)
    .u48(held.sliceTime)
    .bytes(NO_AUCTION)
    .done();
}

const NO_ADDRESS = new Uint8Array(ADDRESS_BYTES);

export function publishersLeaf(state: ExchangeState): LeafValue {
  if (state.publishers.every((publisher) => publisher === undefined)) return undefined;
  const writer = new LeafWriter(PUBLISHERS_MAX * PUBLISHER_ROW_BYTES);
  for (let i = 0; i < PUBLISHERS_MAX; i++) {
    const publisher = state.publishers[i];
    writer.bytes(publisher?.address ?? NO_ADDRESS).u32(publisher?.weight ?? 0);
  }
  return writer.done();
}

export function oracleLeaf(state: ExchangeState, market: number): LeafValue {
  const held = state.market(market);
  if (held === undefined) return undefined;
  const { reportSequences, twapFine, pendingIndex } = held;
  if (twapFine + pendingIndex === 0 && reportSequences.every((sequence) => sequence === 0)) return undefined;
  const writer = new LeafWriter(ORACLE_BYTES);
  for (const sequence of reportSequences) writer.u64(sequence);
  return writer.u64(twapFine).u32(pendingIndex).done();
}

export function withdrawnLeaf(total: bigint): LeafValue {
  if (total === 0n) return undefined;
  const value = new Uint8Array(16);
  setU128be(viewOf(value), 0, total);
  return value;
}

export const queueLeaf = (state: ExchangeState): LeafValue =>
  state.queueNext === 0 ? undefined : new LeafWriter(40).u64(state.queueNext).bytes(state.queueHash).done();

export const countersLeaf = (state: ExchangeState): LeafValue =>
  state.nextOrderId === 1 && state.nextTradeId === 1
    ? undefined
    : new LeafWriter(16).u64(state.nextOrderId).u64(state.nextTradeId).done();

/** Slot of the resting order `id` if it stands at this price and priority, else -1. */
function standing(state: ExchangeState, id: number, price: number, priority: number): number {
  const slot = state.orders.find(id);
  if (slot < 0) return -1;
  return state.orders.price(slot) === price && state.orders.priority(slot) === priority ? slot : -1;
}

/** The leaf of an order at one place of the book; absent when the order is gone or stands elsewhere. */
export function orderLeaf(state: ExchangeState, id: number, price: number, priority: number): LeafValue {
  const { orders } = state;
  const slot = standing(state, id, price, priority);
  if (slot < 0) return undefined;
  return new LeafWriter(35)
    .u64(id)
    .u32(orders.account(slot))
    .u64(orders.size(slot))
    .u64(orders.clientId(slot))
    .u48(orders.expiry(slot))
    .u8(orders.flags(slot))
    .done();
}

export function levelLeaf(state: ExchangeState, market: number, side: number, price: number): LeafValue {
  const level = state.market(market)?.book(side).find(price) ?? -1;
  return level < 0 ? undefined : u64Leaf(state.levels.size(level));
}

export function orderIndexLeaf(state: ExchangeState, id: number): LeafValue {
  const { orders } = state;
  const slot = orders.find(id);
  if (slot < 0) return undefined;
  return new LeafWriter(13).u8(orders.side(slot)).u32(orders.price(slot)).u64(orders.priority(slot)).done();
}

export function clientIndexLeaf(
  state: ExchangeState,
  account: number,
  market: number,
  clientId: number,
): LeafValue {
  const slot = state.clientIds.find(account, market, clientId);
  return slot < 0 ? undefined : u64Leaf(state.orders.id(slot));
}

export function sessionKeyLeaf(state: ExchangeState, account: number, key: Uint8Array): LeafValue {
  const held = state.sessionKeys.get(account)?.find((candidate) => compareBytes(candidate.key, key) === 0);
  if (held === undefined) return undefined;
  return new LeafWriter(17 + NONCE_BITS_BYTES)
    .u8(held.scope)
    .u64(held.expiry)
    .u64(held.nonces.high)
    .bytes(encodeNonceBits(held.nonces))
    .done();
}

/** Present while the order rests with that expiry, or the account's deadline is that time. */
export function expiryLeaf(state: ExchangeState, time: number, kind: number, id: number): LeafValue {
  if (kind !== EXPIRY_ORDER)
    return state.accounts.has(id) && state.accounts.deadMan[id] === time && time !== 0 ? NO_BYTES : undefined;
  const slot = state.orders.find(id);
  return slot >= 0 && state.orders.expiry(slot) === time && time !== 0 ? NO_BYTES : undefined;
}

export function registerLeaf(state: ExchangeState, register: number): LeafValue {
  switch (register) {
    case REGISTER_MESSAGE:
      return messageLeaf(state);
    case REGISTER_INCOMING:
      return incomingLeaf(state);
    case REGISTER_WALK:
      return walkLeaf(state);
    case REGISTER_RECORD:
      return state.record.active ? state.keccak(state.record.record) : undefined;
    default:
      throw new Error(`register: expected 0 to 3, got ${register}`);
  }
}

function messageLeaf(state: ExchangeState): LeafValue {
  const { message } = state;
  if (!message.active) return undefined;
  return new LeafWriter(41)
    .bytes(state.keccak(message.record.subarray(RECORD_HEADER_BYTES)))
    .u32(message.account)
    .u8(message.scope)
    .u8(message.count)
    .u8(message.next)
    .u16(message.offset)
    .done();
}

function incomingLeaf(state: ExchangeState): LeafValue {
  const { incoming } = state;
  if (!incoming.active) return undefined;
  return new LeafWriter(74)
    .u32(incoming.account)
    .u16(incoming.market)
    .u8(incoming.flags)
    .u32(incoming.price)
    .u64(incoming.size)
    .u64(incoming.remaining)
    .u64(incoming.orderId)
    .u64(incoming.priority)
    .u64(incoming.clientId)
    .u48(incoming.expiry)
    .u8(
      (incoming.reducing ? 1 : 0) |
        (incoming.amended ? 2 : 0) |
        (incoming.forced ? 4 : 0) |
        (incoming.liquidation ? 8 : 0),
    )
    .u64(incoming.filled)
    .u64(incoming.filledQuote)
    .done();
}

function walkLeaf(state: ExchangeState): LeafValue {
  const { walk } = state;
  if (!walk.active) return undefined;
  return new LeafWriter(12)
    .u32(walk.account)
    .u16(walk.market < 0 ? EVERY_MARKET : walk.market)
    .u8(walk.reason)
    .u32(walk.canceled)
    .u8(walk.ofMessage ? 1 : 0)
    .done();
}

function u64Leaf(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  setU64be(viewOf(bytes), 0, value);
  return bytes;
}

assert(
  ACCOUNT_BYTES + POSITIONS_MAX * POSITION_BYTES + ASSET_ROWS_MAX * ASSET_ROW_BYTES <= LEAF_VALUE_BYTES_MAX,
  'a full account fits a leaf',
);
assert(PUBLISHERS_MAX * PUBLISHER_ROW_BYTES <= LEAF_VALUE_BYTES_MAX, 'the publishers fit a leaf');
assert(MARKETS_MAX < EVERY_MARKET, 'every market id differs from "every market"');
