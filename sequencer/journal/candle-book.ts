/**
 * Candles of every market in three intervals, folded from trades. The newest candle of each is in memory;
 * those touched since the last flush are kept until they are on disk. Big-endian:
 *
 *   key:    0x43 ‖ u16 market ‖ u32 interval, seconds ‖ u48 start, milliseconds
 *   value:  u32 open ‖ u32 high ‖ u32 low ‖ u32 close ‖ u64 volume ‖ u32 trades
 */

import type { Candle } from '#pipeline/ports.ts';
import { getU48be, getU64be, setU48be, setU64be, viewOf } from '#protocol/bytes.ts';
import { TRADE } from '#protocol/event.ts';

export const CANDLE_INTERVALS_MS: readonly number[] = [60_000, 3_600_000, 86_400_000];
export const CANDLE_KEY = 0x43;
const KEY_BYTES = 13;
const VALUE_BYTES = 28;

interface OpenCandle {
  readonly key: Uint8Array;
  readonly candle: { -readonly [Field in keyof Candle]: Candle[Field] };
}

export class CandleBook {
  /** Newest candle by market and interval. */
  private readonly newest = new Map<number, OpenCandle>();
  private touched = new Set<OpenCandle>();
  private flushing = new Set<OpenCandle>();

  /** Takes in a candle from disk as the newest of its market and interval. */
  restore(key: Uint8Array, candle: Candle): void {
    const view = viewOf(key);
    const intervalMs = view.getUint32(3) * 1000;
    this.newest.set(slotOf(view.getUint16(1), intervalMs), { key, candle: { ...candle } });
  }

  /** Folds in the TRADE row at `at`. */
  trade(data: Float64Array, at: number): void {
    const market = data[at + TRADE.market]!;
    const time = data[at + 2]!;
    const price = data[at + TRADE.price]!;
    const size = data[at + TRADE.size]!;
    for (const intervalMs of CANDLE_INTERVALS_MS) {
      const start = Math.floor(time / intervalMs) * intervalMs;
      const slot = slotOf(market, intervalMs);
      let open = this.newest.get(slot);
      if (open === undefined || open.candle.time !== start) {
        open = {
          key: candleKey(market, intervalMs, start),
          candle: { time: start, open: price, high: price, low: price, close: price, volume: 0, trades: 0 },
        };
        this.newest.set(slot, open);
      }
      const { candle } = open;
      if (price > candle.high) candle.high = price;
      if (price < candle.low) candle.low = price;
      candle.close = price;
      candle.volume += size;
      candle.trades++;
      this.touched.add(open);
    }
  }

  /** Keys and values to be written now; `flushed` or `startFlush` again must follow. */
  startFlush(): { key: Uint8Array; value: Uint8Array }[] {
    this.flushing = new Set([...this.flushing, ...this.touched]);
    this.touched = new Set();
    return [...this.flushing].map(({ key, candle }) => ({ key, value: encodeCandle(candle) }));
  }

  flushed(): void {
    this.flushing = new Set();
  }

  /** Candles of one market and interval that may be newer than those on disk. */
  recent(market: number, intervalMs: number): Candle[] {
    const found = new Map<number, Candle>();
    for (const { key, candle } of [...this.flushing, ...this.touched]) {
      const view = viewOf(key);
      if (view.getUint16(1) === market && view.getUint32(3) * 1000 === intervalMs)
        found.set(candle.time, { ...candle });
    }
    return [...found.values()];
  }
}

const slotOf = (market: number, intervalMs: number): number =>
  market * CANDLE_INTERVALS_MS.length + CANDLE_INTERVALS_MS.indexOf(intervalMs);

export function candleKey(market: number, intervalMs: number, start: number): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  const view = viewOf(key);
  key[0] = CANDLE_KEY;
  view.setUint16(1, market);
  view.setUint32(3, intervalMs / 1000);
  setU48be(view, 7, start);
  return key;
}

function encodeCandle(candle: Candle): Uint8Array {
  const bytes = new Uint8Array(VALUE_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, candle.open);
  view.setUint32(4, candle.high);
  view.setUint32(8, candle.low);
  view.setUint32(12, candle.close);
  setU64be(view, 16, candle.volume);
  view.setUint32(24, candle.trades);
  return bytes;
}

export function decodeCandle(key: Uint8Array, value: Uint8Array): Candle {
  const view = viewOf(value);
  return {
    time: getU48be(viewOf(key), 7),
    open: view.getUint32(0),
    high: view.getUint32(4),
    low: view.getUint32(8),
    close: view.getUint32(12),
    volume: getU64be(view, 16),
    trades: view.getUint32(24),
  };
}
