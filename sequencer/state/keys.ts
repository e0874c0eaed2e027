/**
 * The key space of the two trees: 32 bytes, big-endian, kind byte first, zero padded at the end.
 *
 * Ledger (kinds below 0x40; every change is in the published diff):
 *   01 GLOBALS                                                   clock, counters, chain parameters
 *   02 ACCOUNT        u32 account
 *   03 OWNER          20 owner ‖ u8 subaccount                   → account
 *   04 MARKET_CONFIG  u16 market
 *   05 MARKET_STATE   u16 market                                 open interest, fees, funding sums, sample
 *   06 PRICES         u16 group (4 markets a leaf)               index, mark, funding index
 *   07 PUBLISHERS                                                addresses and weights
 *   08 ORACLE         u16 market                                 last sequence per publisher, average index
 *   09 WITHDRAWN      20 owner ‖ u16 asset                       → u128 cumulative amount withdrawn
 *   0a QUEUE                                                     next index, prefix hash
 *   0b WITHDRAWN_TOTAL u16 asset                                → u128 sum over all owners of what they have withdrawn
 *   0c ASSET_CONFIG   u16 asset
 *   0d POOL           u16 asset                                  lending pool, sum of balances
 *   0e FUND           u8 risk pool                               insurance fund; absent while empty
 *   0f MARKET_RISK    u16 market                                 pacing of liquidations; absent before the first
 *   10 LIQUIDATION    u32 account                                phase and times; absent while there is none
 *
 * Book (kinds from 0x40; void after a freeze, in no diff):
 *   40 COUNTERS                                                  next order and trade ids
 *   41 ORDER          u16 market ‖ u8 side ‖ u32 priority price ‖ u64 priority
 *   42 LEVEL          u16 market ‖ u8 side ‖ u32 priority price
 *   43 ORDER_INDEX    u32 account ‖ u16 market ‖ u64 order id
 *   44 CLIENT_INDEX   u32 account ‖ u16 market ‖ u64 client id
 *   45 SESSION_KEY    u32 account ‖ 20 key
 *   46 EXPIRY         u48 time ‖ u8 kind (0 order, 1 dead-man) ‖ u64 order id or account
 *   47 REGISTER       u8 register (0 message, 1 incoming order, 2 walk, 3 record)
 *
 * Priority price: the price for asks, 2^32 - 1 - price for bids, so that the first key under
 * (market, side) is the order with the best price and the earliest priority. Zero padding keeps keys of one
 * kind at one length, so no key is a prefix of another.
 */
import { setU48be, setU64be, viewOf } from '#protocol/bytes.ts';
import { BUY } from '#protocol/units.ts';

export const KEY_BYTES = 32;

export const KeyKind = {
  GLOBALS: 0x01,
  ACCOUNT: 0x02,
  OWNER: 0x03,
  MARKET_CONFIG: 0x04,
  MARKET_STATE: 0x05,
  PRICES: 0x06,
  PUBLISHERS: 0x07,
  ORACLE: 0x08,
  WITHDRAWN: 0x09,
  QUEUE: 0x0a,
  WITHDRAWN_TOTAL: 0x0b,
  ASSET_CONFIG: 0x0c,
  POOL: 0x0d,
  FUND: 0x0e,
  MARKET_RISK: 0x0f,
  LIQUIDATION: 0x10,
  COUNTERS: 0x40,
  ORDER: 0x41,
  LEVEL: 0x42,
  ORDER_INDEX: 0x43,
  CLIENT_INDEX: 0x44,
  SESSION_KEY: 0x45,
  EXPIRY: 0x46,
  REGISTER: 0x47,
} as const;

export const BOOK_KINDS_FROM = 0x40;
export const isBookKey = (key: Uint8Array): boolean => key[0]! >= BOOK_KINDS_FROM;

export const REGISTER_MESSAGE = 0;
export const REGISTER_INCOMING = 1;
export const REGISTER_WALK = 2;
export const REGISTER_RECORD = 3;

export const EXPIRY_ORDER = 0;
export const EXPIRY_DEAD_MAN = 1;

const PRIORITY_BASE = 2 ** 32 - 1;
export const priorityPrice = (side: number, price: number): number =>
  side === BUY ? PRIORITY_BASE - price : price;

function key(kind: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(KEY_BYTES);
  bytes[0] = kind;
  return { bytes, view: viewOf(bytes) };
}

export const globalsKey = (): Uint8Array => key(KeyKind.GLOBALS).bytes;
export const publishersKey = (): Uint8Array => key(KeyKind.PUBLISHERS).bytes;
export const queueKey = (): Uint8Array => key(KeyKind.QUEUE).bytes;
export const countersKey = (): Uint8Array => key(KeyKind.COUNTERS).bytes;

function holderKey(kind: number, account: number): Uint8Array {
  const { bytes, view } = key(kind);
  view.setUint32(1, account);
  return bytes;
}
export const accountKey = (account: number): Uint8Array => holderKey(KeyKind.ACCOUNT, account);
export const liquidationKey = (account: number): Uint8Array => holderKey(KeyKind.LIQUIDATION, account);

export function ownerKey(owner: Uint8Array, subaccount: number): Uint8Array {
  const { bytes } = key(KeyKind.OWNER);
  bytes.set(owner, 1);
  bytes[21] = subaccount;
  return bytes;
}

/** Of a market or an asset. */
function marketKey(kind: number, id: number): Uint8Array {
  const { bytes, view } = key(kind);
  view.setUint16(1, id);
  return bytes;
}
export const marketConfigKey = (market: number): Uint8Array => marketKey(KeyKind.MARKET_CONFIG, market);
export const marketStateKey = (market: number): Uint8Array => marketKey(KeyKind.MARKET_STATE, market);
export const oracleKey = (market: number): Uint8Array => marketKey(KeyKind.ORACLE, market);
export const PRICES_PER_LEAF = 4;
/** The leaf that holds the prices of `market`. */
export const pricesKey = (market: number): Uint8Array =>
  marketKey(KeyKind.PRICES, Math.floor(market / PRICES_PER_LEAF));

export function withdrawnKey(owner: Uint8Array, asset: number): Uint8Array {
  const { bytes, view } = key(KeyKind.WITHDRAWN);
  bytes.set(owner, 1);
  view.setUint16(21, asset);
  return bytes;
}

export const withdrawnTotalKey = (asset: number): Uint8Array => marketKey(KeyKind.WITHDRAWN_TOTAL, asset);
export const assetConfigKey = (asset: number): Uint8Array => marketKey(KeyKind.ASSET_CONFIG, asset);
export const poolKey = (asset: number): Uint8Array => marketKey(KeyKind.POOL, asset);

export const marketRiskKey = (market: number): Uint8Array => marketKey(KeyKind.MARKET_RISK, market);

export function fundKey(riskPool: number): Uint8Array {
  const { bytes } = key(KeyKind.FUND);
  bytes[1] = riskPool;
  return bytes;
}

export function orderKey(market: number, side: number, price: number, priority: number): Uint8Array {
  const bytes = levelKey(market, side, price);
  bytes[0] = KeyKind.ORDER;
  setU64be(viewOf(bytes), 8, priority);
  return bytes;
}

export function levelKey(market: number, side: number, price: number): Uint8Array {
  const { bytes, view } = key(KeyKind.LEVEL);
  view.setUint16(1, market);
  bytes[3] = side;
  view.setUint32(4, priorityPrice(side, price));
  return bytes;
}

function indexKey(kind: number, account: number, market: number, id: number): Uint8Array {
  const { bytes, view } = key(kind);
  view.setUint32(1, account);
  view.setUint16(5, market);
  setU64be(view, 7, id);
  return bytes;
}
export const orderIndexKey = (account: number, market: number, orderId: number): Uint8Array =>
  indexKey(KeyKind.ORDER_INDEX, account, market, orderId);
export const clientIndexKey = (account: number, market: number, clientId: number): Uint8Array =>
  indexKey(KeyKind.CLIENT_INDEX, account, market, clientId);

export function sessionKeyKey(account: number, sessionKey: Uint8Array): Uint8Array {
  const { bytes, view } = key(KeyKind.SESSION_KEY);
  view.setUint32(1, account);
  bytes.set(sessionKey, 5);
  return bytes;
}

export function expiryKey(time: number, kind: number, id: number): Uint8Array {
  const { bytes, view } = key(KeyKind.EXPIRY);
  setU48be(view, 1, time);
  bytes[7] = kind;
  setU64be(view, 8, id);
  return bytes;
}

export function registerKey(register: number): Uint8Array {
  const { bytes } = key(KeyKind.REGISTER);
  bytes[1] = register;
  return bytes;
}
