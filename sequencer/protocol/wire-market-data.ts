/**
 * Market data frames, server → client. Header and rules as in wire.ts; tag 0. Little-endian; offsets count from
 * the start of the frame. Prices in ticks, sizes in lots, 0 where there is none; times in milliseconds.
 *
 *   TICKER 0xa0 (96)                   L1: top of book, last trade, prices, funding
 *      8 u16 market      10 u8 status (market.ts)   11 u8 1 when the index is void
 *     12 u32 bid price   16 u64 bid size      24 u64 ask size      32 u32 ask price    36 u32 last price
 *     40 u64 last size   48 u32 index price   52 u32 mark price    56 i64 funding rate, ppb per interval
 *     64 u64 time of the next funding         72 u64 open interest, lots
 *     80 u64 seq         88 u64 time
 *   BOOK_SNAPSHOT 0xa1 (32 + 12 n)     L2: levels, best first, all bids before all asks; may go on by MORE
 *      8 u16 market      10 u16 bids in this frame  12 u16 asks in this frame         14 u16 0
 *     16 u64 sequence    24 u64 time          32 levels: u32 price ‖ u64 total size
 *   BOOK_DELTA 0xa2 (40 + 16 n)        L2: levels that changed; apply in order
 *      8 u16 market      10 u16 count n       12 u32 0
 *     16 u64 previous    24 u64 sequence      32 u64 time
 *     40 changes: u32 price ‖ u8 side ‖ 3×0 ‖ u64 total size (0: the level is gone)
 *   ORDERS_SNAPSHOT 0xa3 (32 + 32 n)   L3: orders, best price first, in time priority; bids before asks; MORE
 *      8 u16 market      10 u16 count n       12 u32 0              16 u64 sequence    24 u64 time
 *     32 orders: u64 order id ‖ u64 open size ‖ u64 priority ‖ u32 price ‖ u8 side ‖ 3×0
 *   ORDER_DELTA 0xa4 (40 + 32 n)       L3: orders that changed; apply in order
 *      8 u16 market      10 u16 count n       12 u32 0
 *     16 u64 previous    24 u64 sequence      32 u64 time
 *     40 changes: u64 order id ‖ u64 open size (0: gone) ‖ u64 priority ‖ u32 price ‖ u8 side ‖
 *                 u8 cause (OrderChange) ‖ u16 0
 *   TRADE 0xa5 (80)
 *      8 u16 market      10 u8 taker's side   11 u8 0               12 u32 price       16 u64 size
 *     24 u64 trade id    32 u64 maker order id 40 u64 taker order id 48 u64 previous   56 u64 sequence
 *     64 u64 seq         72 u64 time
 *   MARKET_STATUS 0xa6 (32)
 *      8 u16 market      10 u8 status         11 u8 0               12 u32 0           16 u64 seq     24 u64 time
 *
 * Sequences rise per market and channel, not always by one. A delta continues a book exactly when its `previous`
 * is the sequence that the book holds; deltas whose `sequence` is not above it are skipped; anything else is a
 * gap: subscribe again with `fromSeq` (resume) or without (snapshot). Deltas of a slow reader are merged:
 * `previous` of the first, `sequence` of the last.
 */
import { getI64, getU64, setI64, setU64, viewOf } from './bytes.ts';
import { FRAME_BYTES_MAX } from './limits.ts';
import { Reject, type RejectCode } from './reject.ts';
import {
  type Decoded,
  expectFrame,
  FrameType,
  frameBytes,
  frameFlags,
  frameType,
  hasFrame,
  MORE,
  writeFrameHeader,
} from './wire.ts';

const isSafeU64 = (view: DataView, at: number): boolean => view.getUint32(at + 4, true) < 0x20_0000;

export const TICKER_BYTES = 96;

export interface Ticker {
  readonly market: number;
  readonly status: number;
  readonly indexVoid: boolean;
  /** 0: the half is empty. */
  readonly bidPrice: number;
  readonly bidSize: number;
  readonly askPrice: number;
  readonly askSize: number;
  readonly lastPrice: number;
  readonly lastSize: number;
  readonly indexPrice: number;
  readonly markPrice: number;
  readonly fundingRatePpb: number;
  readonly nextFundingTime: number;
  readonly openInterest: number;
  readonly seq: number;
  readonly time: number;
}

export function encodeTicker(ticker: Ticker): Uint8Array {
  const bytes = new Uint8Array(TICKER_BYTES);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: TICKER_BYTES, type: FrameType.TICKER, tag: 0 });
  view.setUint16(8, ticker.market, true);
  view.setUint8(10, ticker.status);
  view.setUint8(11, ticker.indexVoid ? 1 : 0);
  view.setUint32(12, ticker.bidPrice, true);
  setU64(view, 16, ticker.bidSize);
  setU64(view, 24, ticker.askSize);
  view.setUint32(32, ticker.askPrice, true);
  view.setUint32(36, ticker.lastPrice, true);
  setU64(view, 40, ticker.lastSize);
  view.setUint32(48, ticker.indexPrice, true);
  view.setUint32(52, ticker.markPrice, true);
  setI64(view, 56, ticker.fundingRatePpb);
  setU64(view, 64, ticker.nextFundingTime);
  setU64(view, 72, ticker.openInterest);
  setU64(view, 80, ticker.seq);
  setU64(view, 88, ticker.time);
  return bytes;
}

export function decodeTicker(view: DataView, at: number): Decoded<Ticker> {
  const code = expectFrame(view, at, FrameType.TICKER, TICKER_BYTES);
  if (code !== 0) return code as RejectCode;
  for (const field of [16, 24, 40, 64, 72, 80, 88])
    if (!isSafeU64(view, at + field)) return Reject.MALFORMED_FRAME;
  const fundingRatePpb = getI64(view, at + 56);
  if (!Number.isSafeInteger(fundingRatePpb)) return Reject.MALFORMED_FRAME;
  return {
    market: view.getUint16(at + 8, true),
    status: view.getUint8(at + 10),
    indexVoid: view.getUint8(at + 11) !== 0,
    bidPrice: view.getUint32(at + 12, true),
    bidSize: getU64(view, at + 16),
    askSize: getU64(view, at + 24),
    askPrice: view.getUint32(at + 32, true),
    lastPrice: view.getUint32(at + 36, true),
    lastSize: getU64(view, at + 40),
    indexPrice: view.getUint32(at + 48, true),
    markPrice: view.getUint32(at + 52, true),
    fundingRatePpb,
    nextFundingTime: getU64(view, at + 64),
    openInterest: getU64(view, at + 72),
    seq: getU64(view, at + 80),
    time: getU64(view, at + 88),
  };
}

// L2 -------------------------------------------------------------------------------------------------------

const SNAPSHOT_HEADER_BYTES = 32;
const DELTA_HEADER_BYTES = 40;
const LEVEL_BYTES = 12;
const LEVEL_CHANGE_BYTES = 16;
const ORDER_BYTES = 32;
export const SNAPSHOT_LEVELS_MAX = Math.floor((FRAME_BYTES_MAX - SNAPSHOT_HEADER_BYTES) / LEVEL_BYTES);
export const DELTA_CHANGES_MAX = Math.floor((FRAME_BYTES_MAX - DELTA_HEADER_BYTES) / LEVEL_CHANGE_BYTES);
export const SNAPSHOT_ORDERS_MAX = Math.floor((FRAME_BYTES_MAX - SNAPSHOT_HEADER_BYTES) / ORDER_BYTES);
export const DELTA_ORDERS_MAX = Math.floor((FRAME_BYTES_MAX - DELTA_HEADER_BYTES) / ORDER_BYTES);

export interface BookLevel {
  readonly price: number;
  /** Total open lots. */
  readonly size: number;
}

export interface BookSnapshot {
  readonly market: number;
  readonly sequence: number;
  readonly time: number;
  /** Best first. */
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
}

/** As many frames as the levels need, MORE set on all but the last; an empty book is one frame. */
export function encodeBookSnapshot(snapshot: BookSnapshot): Uint8Array[] {
  const { bids, asks } = snapshot;
  const total = bids.length + asks.length;
  const frames: Uint8Array[] = [];
  for (let first = 0; first === 0 || first < total; first += SNAPSHOT_LEVELS_MAX) {
    const end = Math.min(first + SNAPSHOT_LEVELS_MAX, total);
    const bytes = new Uint8Array(SNAPSHOT_HEADER_BYTES + (end - first) * LEVEL_BYTES);
    const view = viewOf(bytes);
    writeFrameHeader(view, 0, {
      bytes: bytes.length,
      type: FrameType.BOOK_SNAPSHOT,
      tag: 0,
      flags: end < total ? MORE : 0,
    });
    const bidsHere = Math.max(0, Math.min(end, bids.length) - first);
    view.setUint16(8, snapshot.market, true);
    view.setUint16(10, bidsHere, true);
    view.setUint16(12, end - first - bidsHere, true);
    setU64(view, 16, snapshot.sequence);
    setU64(view, 24, snapshot.time);
    for (let i = first; i < end; i++) {
      const level = i < bids.length ? bids[i]! : asks[i - bids.length]!;
      const at = SNAPSHOT_HEADER_BYTES + (i - first) * LEVEL_BYTES;
      view.setUint32(at, level.price, true);
      setU64(view, at + 4, level.size);
    }
    frames.push(bytes);
  }
  return frames;
}

/** One frame; the caller joins those with `more`. */
export function decodeBookSnapshot(view: DataView, at: number): Decoded<BookSnapshot & { more: boolean }> {
  if (!hasFrame(view, at) || frameBytes(view, at) < SNAPSHOT_HEADER_BYTES) return Reject.MALFORMED_FRAME;
  const bidCount = view.getUint16(at + 10, true);
  const count = bidCount + view.getUint16(at + 12, true);
  const bytes = SNAPSHOT_HEADER_BYTES + count * LEVEL_BYTES;
  const code = expectFrame(view, at, FrameType.BOOK_SNAPSHOT, bytes);
  if (code !== 0) return code as RejectCode;
  if (!isSafeU64(view, at + 16) || !isSafeU64(view, at + 24)) return Reject.MALFORMED_FRAME;
  const bids: BookLevel[] = [];
  const asks: BookLevel[] = [];
  for (let i = 0; i < count; i++) {
    const from = at + SNAPSHOT_HEADER_BYTES + i * LEVEL_BYTES;
    if (!isSafeU64(view, from + 4)) return Reject.MALFORMED_FRAME;
    (i < bidCount ? bids : asks).push({ price: view.getUint32(from, true), size: getU64(view, from + 4) });
  }
  return {
    market: view.getUint16(at + 8, true),
    sequence: getU64(view, at + 16),
    time: getU64(view, at + 24),
    bids,
    asks,
    more: (frameFlags(view, at) & MORE) !== 0,
  };
}

export interface LevelChange extends BookLevel {
  readonly side: number;
}

export interface BookDelta {
  readonly market: number;
  /** Sequence that this delta continues. */
  readonly previous: number;
  readonly sequence: number;
  readonly time: number;
  readonly changes: readonly LevelChange[];
}

/** What deltas and their snapshots share, whatever they list. */
interface DeltaHead {
  readonly market: number;
  readonly previous: number;
  readonly sequence: number;
  readonly time: number;
}

function beginDelta(
  type: number,
  head: DeltaHead,
  shape: { count: number; bytesEach: number; countMax: number },
): { bytes: Uint8Array; view: DataView } {
  if (shape.count > shape.countMax)
    throw new Error(`delta: expected at most ${shape.countMax} changes, got ${shape.count}`);
  const bytes = new Uint8Array(DELTA_HEADER_BYTES + shape.count * shape.bytesEach);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: bytes.length, type, tag: 0 });
  view.setUint16(8, head.market, true);
  view.setUint16(10, shape.count, true);
  setU64(view, 16, head.previous);
  setU64(view, 24, head.sequence);
  setU64(view, 32, head.time);
  return { bytes, view };
}

function readDeltaHead(
  view: DataView,
  at: number,
  type: number,
  bytesEach: number,
): Decoded<DeltaHead & { count: number }> {
  if (!hasFrame(view, at) || frameBytes(view, at) < DELTA_HEADER_BYTES) return Reject.MALFORMED_FRAME;
  const count = view.getUint16(at + 10, true);
  const code = expectFrame(view, at, type, DELTA_HEADER_BYTES + count * bytesEach);
  if (code !== 0) return code as RejectCode;
  for (const field of [16, 24, 32]) if (!isSafeU64(view, at + field)) return Reject.MALFORMED_FRAME;
  return {
    market: view.getUint16(at + 8, true),
    count,
    previous: getU64(view, at + 16),
    sequence: getU64(view, at + 24),
    time: getU64(view, at + 32),
  };
}

/** At most 4,093 changes; throws beyond (send a snapshot instead). */
export function encodeBookDelta(delta: BookDelta): Uint8Array {
  const { bytes, view } = beginDelta(FrameType.BOOK_DELTA, delta, {
    count: delta.changes.length,
    bytesEach: LEVEL_CHANGE_BYTES,
    countMax: DELTA_CHANGES_MAX,
  });
  let at = DELTA_HEADER_BYTES;
  for (const change of delta.changes) {
    view.setUint32(at, change.price, true);
    view.setUint8(at + 4, change.side);
    setU64(view, at + 8, change.size);
    at += LEVEL_CHANGE_BYTES;
  }
  return bytes;
}

export function decodeBookDelta(view: DataView, at: number): Decoded<BookDelta> {
  const head = readDeltaHead(view, at, FrameType.BOOK_DELTA, LEVEL_CHANGE_BYTES);
  if (typeof head === 'number') return head;
  const { count, ...delta } = head;
  const changes: LevelChange[] = [];
  for (let i = 0; i < count; i++) {
    const from = at + DELTA_HEADER_BYTES + i * LEVEL_CHANGE_BYTES;
    const side = view.getUint8(from + 4);
    if (side > 1 || !isSafeU64(view, from + 8)) return Reject.MALFORMED_FRAME;
    changes.push({ price: view.getUint32(from, true), side, size: getU64(view, from + 8) });
  }
  return { ...delta, changes };
}

// L3 -------------------------------------------------------------------------------------------------------

export interface BookOrder {
  readonly orderId: number;
  /** Open lots; 0 in a change: the order is gone. */
  readonly size: number;
  /** Place in time priority: the lower, the earlier within its price. */
  readonly priority: number;
  readonly price: number;
  readonly side: number;
}

export interface OrdersSnapshot {
  readonly market: number;
  readonly sequence: number;
  readonly time: number;
  readonly orders: readonly BookOrder[];
}

function writeOrder(view: DataView, at: number, order: BookOrder, cause: number): void {
  setU64(view, at, order.orderId);
  setU64(view, at + 8, order.size);
  setU64(view, at + 16, order.priority);
  view.setUint32(at + 24, order.price, true);
  view.setUint8(at + 28, order.side);
  view.setUint8(at + 29, cause);
}

function readOrder(view: DataView, at: number): BookOrder | undefined {
  const side = view.getUint8(at + 28);
  if (side > 1 || !isSafeU64(view, at) || !isSafeU64(view, at + 8) || !isSafeU64(view, at + 16))
    return undefined;
  return {
    orderId: getU64(view, at),
    size: getU64(view, at + 8),
    priority: getU64(view, at + 16),
    price: view.getUint32(at + 24, true),
    side,
  };
}

/** As many frames as the orders need, MORE set on all but the last; an empty book is one frame. */
export function encodeOrdersSnapshot(snapshot: OrdersSnapshot): Uint8Array[] {
  const total = snapshot.orders.length;
  const frames: Uint8Array[] = [];
  for (let first = 0; first === 0 || first < total; first += SNAPSHOT_ORDERS_MAX) {
    const end = Math.min(first + SNAPSHOT_ORDERS_MAX, total);
    const bytes = new Uint8Array(SNAPSHOT_HEADER_BYTES + (end - first) * ORDER_BYTES);
    const view = viewOf(bytes);
    writeFrameHeader(view, 0, {
      bytes: bytes.length,
      type: FrameType.ORDERS_SNAPSHOT,
      tag: 0,
      flags: end < total ? MORE : 0,
    });
    view.setUint16(8, snapshot.market, true);
    view.setUint16(10, end - first, true);
    setU64(view, 16, snapshot.sequence);
    setU64(view, 24, snapshot.time);
    for (let i = first; i < end; i++)
      writeOrder(view, SNAPSHOT_HEADER_BYTES + (i - first) * ORDER_BYTES, snapshot.orders[i]!, 0);
    frames.push(bytes);
  }
  return frames;
}

/** One frame; the caller joins those with `more`. */
export function decodeOrdersSnapshot(
  view: DataView,
  at: number,
): Decoded<OrdersSnapshot & { more: boolean }> {
  if (!hasFrame(view, at) || frameBytes(view, at) < SNAPSHOT_HEADER_BYTES) return Reject.MALFORMED_FRAME;
  const count = view.getUint16(at + 10, true);
  const bytes = SNAPSHOT_HEADER_BYTES + count * ORDER_BYTES;
  const code = expectFrame(view, at, FrameType.ORDERS_SNAPSHOT, bytes);
  if (code !== 0) return code as RejectCode;
  if (!isSafeU64(view, at + 16) || !isSafeU64(view, at + 24)) return Reject.MALFORMED_FRAME;
  const orders: BookOrder[] = [];
  for (let i = 0; i < count; i++) {
    const order = readOrder(view, at + SNAPSHOT_HEADER_BYTES + i * ORDER_BYTES);
    if (order === undefined) return Reject.MALFORMED_FRAME;
    orders.push(order);
  }
  return {
    market: view.getUint16(at + 8, true),
    sequence: getU64(view, at + 16),
    time: getU64(view, at + 24),
    orders,
    more: (frameFlags(view, at) & MORE) !== 0,
  };
}

/** Why an order changed. */
export const OrderChange = { ADDED: 1, FILLED: 2, REMOVED: 3, REDUCED: 4 } as const;

export interface OrderDeltaEntry extends BookOrder {
  /** OrderChange. */
  readonly cause: number;
}

export interface OrderDelta extends DeltaHead {
  readonly changes: readonly OrderDeltaEntry[];
}

/** At most 2,046 changes; throws beyond (send a snapshot instead). */
export function encodeOrderDelta(delta: OrderDelta): Uint8Array {
  const { bytes, view } = beginDelta(FrameType.ORDER_DELTA, delta, {
    count: delta.changes.length,
    bytesEach: ORDER_BYTES,
    countMax: DELTA_ORDERS_MAX,
  });
  let at = DELTA_HEADER_BYTES;
  for (const change of delta.changes) {
    writeOrder(view, at, change, change.cause);
    at += ORDER_BYTES;
  }
  return bytes;
}

export function decodeOrderDelta(view: DataView, at: number): Decoded<OrderDelta> {
  const head = readDeltaHead(view, at, FrameType.ORDER_DELTA, ORDER_BYTES);
  if (typeof head === 'number') return head;
  const { count, ...delta } = head;
  const changes: OrderDeltaEntry[] = [];
  for (let i = 0; i < count; i++) {
    const from = at + DELTA_HEADER_BYTES + i * ORDER_BYTES;
    const order = readOrder(view, from);
    if (order === undefined) return Reject.MALFORMED_FRAME;
    changes.push({ ...order, cause: view.getUint8(from + 29) });
  }
  return { ...delta, changes };
}

// Trades and status ----------------------------------------------------------------------------------------

export const TRADE_BYTES = 80;

export interface PublicTrade {
  readonly market: number;
  readonly takerSide: number;
  readonly price: number;
  readonly size: number;
  /** Rises by one per trade of the chain. */
  readonly tradeId: number;
  readonly makerOrderId: number;
  readonly takerOrderId: number;
  /** Sequence of the trade before in this market. */
  readonly previous: number;
  readonly sequence: number;
  readonly seq: number;
  readonly time: number;
}

export function encodeTrade(trade: PublicTrade): Uint8Array {
  const bytes = new Uint8Array(TRADE_BYTES);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: TRADE_BYTES, type: FrameType.TRADE, tag: 0 });
  view.setUint16(8, trade.market, true);
  view.setUint8(10, trade.takerSide);
  view.setUint32(12, trade.price, true);
  setU64(view, 16, trade.size);
  setU64(view, 24, trade.tradeId);
  setU64(view, 32, trade.makerOrderId);
  setU64(view, 40, trade.takerOrderId);
  setU64(view, 48, trade.previous);
  setU64(view, 56, trade.sequence);
  setU64(view, 64, trade.seq);
  setU64(view, 72, trade.time);
  return bytes;
}

export function decodeTrade(view: DataView, at: number): Decoded<PublicTrade> {
  const code = expectFrame(view, at, FrameType.TRADE, TRADE_BYTES);
  if (code !== 0) return code as RejectCode;
  for (let field = 16; field < TRADE_BYTES; field += 8)
    if (!isSafeU64(view, at + field)) return Reject.MALFORMED_FRAME;
  if (view.getUint8(at + 10) > 1) return Reject.MALFORMED_FRAME;
  return {
    market: view.getUint16(at + 8, true),
    takerSide: view.getUint8(at + 10),
    price: view.getUint32(at + 12, true),
    size: getU64(view, at + 16),
    tradeId: getU64(view, at + 24),
    makerOrderId: getU64(view, at + 32),
    takerOrderId: getU64(view, at + 40),
    previous: getU64(view, at + 48),
    sequence: getU64(view, at + 56),
    seq: getU64(view, at + 64),
    time: getU64(view, at + 72),
  };
}

export const MARKET_STATUS_BYTES = 32;

export interface MarketStatusEvent {
  readonly market: number;
  /** MARKET_ACTIVE, MARKET_REDUCE_ONLY or MARKET_HALTED. */
  readonly status: number;
  readonly seq: number;
  readonly time: number;
}

export function encodeMarketStatus(event: MarketStatusEvent): Uint8Array {
  const bytes = new Uint8Array(MARKET_STATUS_BYTES);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: MARKET_STATUS_BYTES, type: FrameType.MARKET_STATUS, tag: 0 });
  view.setUint16(8, event.market, true);
  view.setUint8(10, event.status);
  setU64(view, 16, event.seq);
  setU64(view, 24, event.time);
  return bytes;
}

export function decodeMarketStatus(view: DataView, at: number): Decoded<MarketStatusEvent> {
  const code = expectFrame(view, at, FrameType.MARKET_STATUS, MARKET_STATUS_BYTES);
  if (code !== 0) return code as RejectCode;
  if (!isSafeU64(view, at + 16) || !isSafeU64(view, at + 24)) return Reject.MALFORMED_FRAME;
  return {
    market: view.getUint16(at + 8, true),
    status: view.getUint8(at + 10),
    seq: getU64(view, at + 16),
    time: getU64(view, at + 24),
  };
}

/** True for the market data types, all of which can be conflated or asked for again. */
export const isMarketData = (view: DataView, at: number): boolean =>
  frameType(view, at) >= FrameType.TICKER && frameType(view, at) <= FrameType.MARKET_STATUS;
