/**
 * Prices of a recorded series: a CSV whose header names `time_ms` or `time_ns` and one of `price_ticks`, `close`,
 * `price`; other columns are ignored. Where there is a column `op` (an order-by-order recording), only the rows with
 * `take` are prices. Decimal prices are rounded to the nearest tick.
 */
import type { MarketConfig } from '#protocol/market.ts';
import { SluiceError } from '../errors.ts';
import type { PriceSource } from './price-source.ts';

export interface RecordedPoint {
  /** Milliseconds since the first row. */
  readonly offsetMs: number;
  /** Ticks. */
  readonly price: number;
}

const PRICE_COLUMNS = ['price_ticks', 'close', 'price'] as const;
const TICK_DECIMALS = 9;

/** Reads a series; throws INVALID_ARGUMENT naming line, expected and got. */
export function parseSeries(text: string, market: MarketConfig): RecordedPoint[] {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const header = lines[0]?.split(',') ?? [];
  const timeColumn = header.findIndex((name) => name === 'time_ms' || name === 'time_ns');
  const priceColumn = PRICE_COLUMNS.map((name) => header.indexOf(name)).find((index) => index >= 0) ?? -1;
  const opColumn = header.indexOf('op');
  if (timeColumn < 0 || priceColumn < 0)
    throw wrong(
      1,
      `columns time_ms or time_ns, and one of ${PRICE_COLUMNS.join(', ')}`,
      lines[0] ?? 'nothing',
    );
  const perMs = header[timeColumn] === 'time_ns' ? 1_000_000n : 1n;
  const inTicks = header[priceColumn] === 'price_ticks';
  const points: RecordedPoint[] = [];
  let first: bigint | undefined;
  let last = -1;
  for (let i = 1; i < lines.length; i++) {
    const cells = lines[i]!.split(',');
    if (opColumn >= 0 && cells[opColumn] !== 'take') continue;
    const timeText = cells[timeColumn] ?? '';
    const priceText = cells[priceColumn] ?? '';
    if (!/^\d{1,20}$/.test(timeText)) throw wrong(i + 1, 'a time as a whole number', timeText);
    const time = BigInt(timeText) / perMs;
    first ??= time;
    const offsetMs = Number(time - first);
    if (offsetMs < last) throw wrong(i + 1, 'times that do not fall', timeText);
    last = offsetMs;
    points.push({
      offsetMs,
      price: inTicks ? ticks(priceText, i + 1) : nearestTick(market, priceText, i + 1),
    });
  }
  if (points.length === 0) throw wrong(lines.length, 'at least one row with a price', 'none');
  return points;
}

const wrong = (line: number, expected: string, got: string): SluiceError =>
  new SluiceError(
    'INVALID_ARGUMENT',
    `series line ${line}: expected ${expected}, got ${JSON.stringify(got)}`,
    {
      details: { line, expected, got },
    },
  );

function ticks(text: string, line: number): number {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < 1) throw wrong(line, 'ticks from 1', text);
  return value;
}

function nearestTick(market: MarketConfig, text: string, line: number): number {
  const match = /^(\d{1,15})(?:\.(\d{1,30}))?$/.exec(text);
  if (match === null || market.tickSizeE9 === 0) throw wrong(line, 'a decimal price', text);
  const fraction = (match[2] ?? '').padEnd(TICK_DECIMALS, '0').slice(0, TICK_DECIMALS);
  const value = BigInt(match[1]! + fraction);
  const tick = BigInt(market.tickSizeE9);
  return Math.max(1, Number((value + tick / 2n) / tick));
}

/**
 * Plays a series from `startMs` on, `speed` times as fast as it was recorded. Before the start the first price
 * holds, after the end the last one. Each report's half width is `confidencePpm` of the price (default 100).
 */
export function recordedSeries(
  series: ReadonlyMap<number, readonly RecordedPoint[]>,
  play: { readonly startMs: number; readonly speed?: number; readonly confidencePpm?: number },
): PriceSource {
  const { startMs, speed = 1, confidencePpm = 100 } = play;
  return {
    priceAt(market, timeMs) {
      const points = series.get(market);
      if (points === undefined || points.length === 0) return undefined;
      const offset = Math.max(0, (timeMs - startMs) * speed);
      let low = 0;
      let high = points.length - 1;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (points[middle]!.offsetMs <= offset) low = middle;
        else high = middle - 1;
      }
      const { price } = points[low]!;
      return { price, confidence: Math.max(1, Math.round((price * confidencePpm) / 1_000_000)) };
    },
  };
}
