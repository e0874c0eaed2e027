import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { viewOf } from '#protocol/bytes.ts';
import { Reject, rejectName } from '#protocol/reject.ts';
import * as wire from '#protocol/wire-market-data.ts';

const safe = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const signed = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u16 = fc.integer({ min: 0, max: 2 ** 16 - 1 });
const u8 = fc.integer({ min: 0, max: 255 });
const side = fc.integer({ min: 0, max: 1 });

const level = fc.record({ price: u32, size: safe });
const order = fc.record({ orderId: safe, size: safe, priority: safe, price: u32, side });
const head = { market: u16, sequence: safe, time: safe };
const snapshot = fc.record({ ...head, bids: fc.array(level), asks: fc.array(level) });
const orders = fc.record({ ...head, orders: fc.array(order) });
const levelChange = fc.record({ price: u32, size: safe, side });
const orderChange = fc.record({ orderId: safe, size: safe, priority: safe, price: u32, side, cause: u8 });
const bookDelta = fc.record({ ...head, previous: safe, changes: fc.array(levelChange) });
const orderDelta = fc.record({ ...head, previous: safe, changes: fc.array(orderChange) });
const ticker = fc.record({
  market: u16,
  status: u8,
  indexVoid: fc.boolean(),
  bidPrice: u32,
  bidSize: safe,
  askPrice: u32,
  askSize: safe,
  lastPrice: u32,
  lastSize: safe,
  indexPrice: u32,
  markPrice: u32,
  fundingRatePpb: signed,
  nextFundingTime: safe,
  openInterest: safe,
  seq: safe,
  time: safe,
});
const trade = fc.record({
  market: u16,
  takerSide: side,
  price: u32,
  size: safe,
  tradeId: safe,
  makerOrderId: safe,
  takerOrderId: safe,
  previous: safe,
  sequence: safe,
  seq: safe,
  time: safe,
});
const status = fc.record({ market: u16, status: u8, seq: safe, time: safe });

function expectDecoded<Value extends object>(value: Value | number): Value {
  if (typeof value === 'number') throw new Error(`expected a decoded frame, got ${rejectName(value)}`);
  return value;
}

/** A frame behind other bytes, so that offsets are really used. */
function embed(frame: Uint8Array): DataView {
  const bytes = new Uint8Array(frame.length + 5);
  bytes.set(frame, 5);
  return viewOf(bytes);
}

describe('round trips', () => {
  test('ticker, trade, status', () => {
    fc.assert(
      fc.property(ticker, trade, status, (one, two, three) => {
        expect(wire.decodeTicker(embed(wire.encodeTicker(one)), 5)).toEqual(one);
        expect(wire.decodeTrade(embed(wire.encodeTrade(two)), 5)).toEqual(two);
        expect(wire.decodeMarketStatus(embed(wire.encodeMarketStatus(three)), 5)).toEqual(three);
      }),
    );
  });

  test('deltas of levels and orders', () => {
    fc.assert(
      fc.property(bookDelta, orderDelta, (one, two) => {
        expect(wire.decodeBookDelta(embed(wire.encodeBookDelta(one)), 5)).toEqual(one);
        expect(wire.decodeOrderDelta(embed(wire.encodeOrderDelta(two)), 5)).toEqual(two);
      }),
    );
  });

  test('snapshots in one frame', () => {
    fc.assert(
      fc.property(snapshot, orders, (one, two) => {
        const [bookFrame] = wire.encodeBookSnapshot(one);
        expect(wire.decodeBookSnapshot(embed(bookFrame!), 5)).toEqual({ ...one, more: false });
        const [ordersFrame] = wire.encodeOrdersSnapshot(two);
        expect(wire.decodeOrdersSnapshot(embed(ordersFrame!), 5)).toEqual({ ...two, more: false });
      }),
    );
  });

  test.each([
    [0, 0],
    [wire.SNAPSHOT_LEVELS_MAX, 0],
    [0, wire.SNAPSHOT_LEVELS_MAX + 1],
    [7_000, 9_000],
    [5_458, 5_458],
  ])('a book of %i bids and %i asks over as many frames as it needs', (bidCount, askCount) => {
    const levels = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ price: i + 1, size: i * 3 }));
    const book = { market: 3, sequence: 9, time: 8, bids: levels(bidCount), asks: levels(askCount) };
    const frames = wire.encodeBookSnapshot(book).map((frame) => {
      expect(frame.length).toBeLessThanOrEqual(65_535);
      return expectDecoded(wire.decodeBookSnapshot(viewOf(frame), 0));
    });
    expect(frames.map((frame) => frame.more)).toEqual(frames.map((_, i) => i + 1 < frames.length));
    expect(frames.flatMap((frame) => frame.bids)).toEqual(book.bids);
    expect(frames.flatMap((frame) => frame.asks)).toEqual(book.asks);
  });

  test('5,000 orders over three frames', () => {
    const list = Array.from({ length: 5_000 }, (_, i) => ({
      orderId: i + 1,
      size: 2,
      priority: i,
      price: 5,
      side: i % 2,
    }));
    const frames = wire
      .encodeOrdersSnapshot({ market: 1, sequence: 2, time: 3, orders: list })
      .map((frame) => expectDecoded(wire.decodeOrdersSnapshot(viewOf(frame), 0)));
    expect(frames.map((frame) => frame.more)).toEqual([true, true, false]);
    expect(frames.flatMap((frame) => frame.orders)).toEqual(list);
  });

  test('a delta that does not fit one frame is refused by its encoder', () => {
    const changes = new Array(wire.DELTA_CHANGES_MAX).fill({ price: 1, size: 1, side: 0 });
    const delta = { market: 1, previous: 1, sequence: 2, time: 3, changes };
    expect(wire.encodeBookDelta(delta).length).toBeLessThanOrEqual(65_535);
    expect(() => wire.encodeBookDelta({ ...delta, changes: [...changes, changes[0]] })).toThrow(
      'expected at most 4093 changes, got 4094',
    );
  });
});

describe('bad bytes', () => {
  const decoders = [
    wire.decodeTicker,
    wire.decodeBookSnapshot,
    wire.decodeBookDelta,
    wire.decodeOrdersSnapshot,
    wire.decodeOrderDelta,
    wire.decodeTrade,
    wire.decodeMarketStatus,
  ] as const;

  test('no decoder throws on arbitrary, changed or cut frames; refusals have a code', () => {
    const good = [
      ...fc.sample(ticker, { numRuns: 2, seed: 1 }).map(wire.encodeTicker),
      ...fc.sample(snapshot, { numRuns: 3, seed: 1 }).flatMap(wire.encodeBookSnapshot),
      ...fc.sample(orders, { numRuns: 3, seed: 1 }).flatMap(wire.encodeOrdersSnapshot),
      ...fc.sample(bookDelta, { numRuns: 3, seed: 1 }).map(wire.encodeBookDelta),
      ...fc.sample(orderDelta, { numRuns: 3, seed: 1 }).map(wire.encodeOrderDelta),
      ...fc.sample(trade, { numRuns: 2, seed: 1 }).map(wire.encodeTrade),
    ];
    const decodeAll = (bytes: Uint8Array): void => {
      for (const decode of decoders) {
        const decoded = decode(viewOf(bytes), 0);
        if (typeof decoded === 'number') expect(rejectName(decoded)).not.toContain('UNKNOWN_CODE');
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(), u8, (noise, which, place, byte) => {
        decodeAll(noise);
        const frame = good[which % good.length]!.slice();
        frame[place % frame.length] = byte;
        decodeAll(frame);
        decodeAll(frame.subarray(0, place % frame.length));
      }),
      { numRuns: 2_000 },
    );
  });

  test('a count that does not fit the length is refused, however large', () => {
    for (const encode of [
      () => wire.encodeBookDelta({ market: 1, previous: 1, sequence: 2, time: 3, changes: [] }),
      () => wire.encodeOrderDelta({ market: 1, previous: 1, sequence: 2, time: 3, changes: [] }),
      () => wire.encodeOrdersSnapshot({ market: 1, sequence: 2, time: 3, orders: [] })[0]!,
      () => wire.encodeBookSnapshot({ market: 1, sequence: 2, time: 3, bids: [], asks: [] })[0]!,
    ]) {
      const frame = encode();
      frame[10] = 0xff;
      frame[11] = 0xff;
      const codes = decoders.map((decode) => decode(viewOf(frame), 0));
      expect(codes).toContain(Reject.MALFORMED_FRAME);
      expect(codes.every((code) => typeof code === 'number')).toBe(true);
    }
  });
});
