/** Recorded prices for a replay: a CSV with `time_ms` and `close`, one row a step; and a sudden fall on demand. */
import { readFile } from 'node:fs/promises';
import { PRICE_MAX, TIME_MS_MAX } from '#protocol/limits.ts';

export interface PricePoint {
  /** ms since 1970 UTC. */
  readonly timeMs: number;
  /** Ticks. */
  readonly price: number;
}

/** One sentence: file, line, field, expected, got. */
export class SeriesError extends Error {
  override readonly name = 'SeriesError';
}

const DECIMALS = 9;

/** Decimal prices become the nearest tick of `tickSizeE9` (1e-9 quote). Times rise. Throws SeriesError. */
export function parsePrices(text: string, tickSizeE9: number, name: string): PricePoint[] {
  const lines = text.split(/\r?\n/);
  const header = lines[0]!.split(',');
  const [timeColumn, priceColumn] = [header.indexOf('time_ms'), header.indexOf('close')];
  if (timeColumn < 0 || priceColumn < 0)
    throw new SeriesError(
      `${name}: expected a header with time_ms and close, got ${JSON.stringify(lines[0]!.slice(0, 80))}`,
    );
  const points: PricePoint[] = [];
  for (let i = 1; i < lines.length; i++) {
    if (lines[i] === '') continue;
    const cells = lines[i]!.split(',');
    const fail = (field: string, expected: string, got: string | undefined): never => {
      throw new SeriesError(
        `${name} line ${i + 1}, ${field}: expected ${expected}, got ${JSON.stringify(got ?? '')}`,
      );
    };
    const timeText = cells[timeColumn];
    const timeMs = Number(timeText);
    if (!/^\d{1,15}$/.test(timeText ?? '') || timeMs > TIME_MS_MAX)
      fail('time_ms', 'milliseconds since 1970', timeText);
    if (timeMs <= (points.at(-1)?.timeMs ?? 0)) fail('time_ms', 'times that rise', timeText);
    const price = ticksOf(cells[priceColumn] ?? '', tickSizeE9);
    if (price === undefined) fail('close', `a price from 1 to ${PRICE_MAX} ticks`, cells[priceColumn]);
    points.push({ timeMs, price: price! });
  }
  if (points.length < 2) throw new SeriesError(`${name}: expected at least two rows, got ${points.length}`);
  return points;
}

function ticksOf(text: string, tickSizeE9: number): number | undefined {
  const match = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  const value = BigInt(match[1]! + (match[2] ?? '').padEnd(DECIMALS, '0'));
  const ticks = (value + BigInt(tickSizeE9) / 2n) / BigInt(tickSizeE9);
  return ticks >= 1n && ticks <= BigInt(PRICE_MAX) ? Number(ticks) : undefined;
}

export async function readPrices(file: string, tickSizeE9: number): Promise<PricePoint[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SeriesError(
      `--replay-prices: can't read ${file} (${error.code}): give the path of a CSV with time_ms and close`,
    );
  });
  return parsePrices(text, tickSizeE9, file);
}

/** Where the shock comes, as a share of the series: positions have been built by then. */
const SHOCK_AT = 0.6;
const SHOCK_LEFT = 0.7;

/** From one row to the next the price falls by 30 %, and stays there: the rest of the series goes on from it. */
export function withShock(points: readonly PricePoint[]): PricePoint[] {
  const from = Math.floor(points.length * SHOCK_AT);
  return points.map(({ timeMs, price }, i) => ({
    timeMs,
    price: i < from ? price : Math.max(1, Math.round(price * SHOCK_LEFT)),
  }));
}
