/**
 * Signed prices. A round is what the state machine takes: reports of one market by several publishers.
 *
 *   round:  0 u16 market   2 u8 count (1 … 16)   3 u8 0   4 reports, 89 bytes each, publisher ascending
 *
 *   report: 0 u8 publisher (place in the publisher set)   1 u8 0   2 u48 time, milliseconds
 *           8 u64 sequence, rising per publisher and market   16 u32 price, ticks
 *          20 u32 confidence, ticks (half width)   24 65 signature, as in message.ts
 */
import { getU48, getU64, setU48, setU64, viewOf } from './bytes.ts';
import { PRICE_REPORT_BYTES, PRICE_ROUND_HEADER_BYTES, PUBLISHERS_MAX } from './limits.ts';

export interface PriceReport {
  readonly market: number;
  /** Index in the publisher set. */
  readonly publisher: number;
  readonly time: number;
  readonly sequence: number;
  /** Ticks, at least 1. */
  readonly price: number;
  readonly confidence: number;
  /** 65 bytes. */
  readonly signature: Uint8Array;
}

export function encodeReport(report: PriceReport): Uint8Array {
  const bytes = new Uint8Array(PRICE_REPORT_BYTES);
  const view = viewOf(bytes);
  bytes[0] = report.publisher;
  setU48(view, 2, report.time);
  setU64(view, 8, report.sequence);
  view.setUint32(16, report.price, true);
  view.setUint32(20, report.confidence, true);
  bytes.set(report.signature, 24);
  return bytes;
}

export function decodeReport(view: DataView, offset: number, market: number): PriceReport {
  return {
    market,
    publisher: view.getUint8(offset),
    time: getU48(view, offset + 2),
    sequence: getU64(view, offset + 8),
    price: view.getUint32(offset + 16, true),
    confidence: view.getUint32(offset + 20, true),
    signature: new Uint8Array(view.buffer, view.byteOffset + offset + 24, 65).slice(),
  };
}

/** Body of a PRICE_ROUND; sorts by publisher. All reports must be of `market`. */
export function encodePriceRound(market: number, reports: readonly PriceReport[]): Uint8Array {
  const sorted = [...reports].sort((a, b) => a.publisher - b.publisher);
  const bytes = new Uint8Array(PRICE_ROUND_HEADER_BYTES + sorted.length * PRICE_REPORT_BYTES);
  viewOf(bytes).setUint16(0, market, true);
  bytes[2] = sorted.length;
  sorted.forEach((report, i) => {
    bytes.set(encodeReport(report), PRICE_ROUND_HEADER_BYTES + i * PRICE_REPORT_BYTES);
  });
  return bytes;
}

/** True when the body is whole reports with strictly rising publishers and safe sequences. */
export function checkPriceRound(view: DataView, offset: number, length: number): boolean {
  if (length < PRICE_ROUND_HEADER_BYTES + PRICE_REPORT_BYTES || view.getUint8(offset + 3) !== 0) return false;
  const count = view.getUint8(offset + 2);
  if (count > PUBLISHERS_MAX || length !== PRICE_ROUND_HEADER_BYTES + count * PRICE_REPORT_BYTES)
    return false;
  let previous = -1;
  for (let i = 0; i < count; i++) {
    const at = offset + PRICE_ROUND_HEADER_BYTES + i * PRICE_REPORT_BYTES;
    const publisher = view.getUint8(at);
    if (publisher <= previous || publisher >= PUBLISHERS_MAX || view.getUint8(at + 1) !== 0) return false;
    if (view.getUint32(at + 12, true) >= 0x20_0000) return false;
    previous = publisher;
  }
  return true;
}
