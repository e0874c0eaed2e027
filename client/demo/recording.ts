/**
 * A recorded order flow and what the exchange made of it, as CSV: one header line, commas, no quotes.
 *
 *   NAME_replay.csv     time_ns,op,id,side,price_ticks,size             op: add, cancel, amend, take
 *   NAME_fills.csv      time_ns,take_id,resting_id,price_ticks,size     one row per resting order that a take hit
 *   NAME_book_end.csv   side,price_ticks,queue_pos,id,size              best price first, queue_pos from 1
 *
 * `time_ns` has 19 digits and stays text. Rows are in the order in which they happened.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { CLIENT_ID_MAX, PRICE_MAX, SIZE_MAX } from '#protocol/limits.ts';
import { BUY, SELL, type Side } from '#protocol/units.ts';

export const REPLAY_HEADER = 'time_ns,op,id,side,price_ticks,size';
export const FILLS_HEADER = 'time_ns,take_id,resting_id,price_ticks,size';
export const BOOK_HEADER = 'side,price_ticks,queue_pos,id,size';

const OPS = ['add', 'cancel', 'amend', 'take'] as const;
export type RecordedOp = (typeof OPS)[number];

export interface RecordedRow {
  /** Nanoseconds since 1970 UTC, as text. */
  readonly timeNs: string;
  readonly op: RecordedOp;
  /** Of the order, or of the take: takes count 1, 2, 3 … and are no order ids. */
  readonly id: number;
  readonly side: Side;
  /** Ticks; of a take: the worst price it may trade at. */
  readonly price: number;
  /** Lots; the new open size of an amend, the size still open of a cancel. */
  readonly size: number;
}

export interface RecordedFill {
  readonly timeNs: string;
  readonly takeId: number;
  readonly restingId: number;
  readonly price: number;
  readonly size: number;
}

export interface RecordedOrder {
  readonly side: Side;
  readonly price: number;
  readonly queuePos: number;
  readonly id: number;
  readonly size: number;
}

/** One sentence: file, line, field, expected, got. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

interface Line {
  readonly fields: readonly string[];
  fail(field: string, expected: string, got: string): never;
}

function* linesOf(text: string, name: string, header: string): Generator<Line> {
  const lines = text.split(/\r?\n/);
  if (lines[0] !== header)
    throw new RecordingError(
      `${name}: expected the header "${header}", got ${JSON.stringify(lines[0]!.slice(0, 80))}`,
    );
  const columns = header.split(',').length;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === '' && i === lines.length - 1) return;
    const fields = line.split(',');
    const fail = (field: string, expected: string, got: string): never => {
      throw new RecordingError(`${name} line ${i + 1}, ${field}: expected ${expected}, got ${got}`);
    };
    if (fields.length !== columns) fail('fields', `${columns}`, `${fields.length}`);
    yield { fields, fail };
  }
}

function integer(line: Line, column: number, field: string, most: number): number {
  const text = line.fields[column]!;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    line.fail(field, `an integer from 1 to ${most}`, JSON.stringify(text));
  return value;
}

function timeOf(line: Line): string {
  const text = line.fields[0]!;
  if (!/^\d{1,19}$/.test(text)) line.fail('time_ns', 'up to 19 digits', JSON.stringify(text));
  return text;
}

function sideOf(line: Line, column: number): Side {
  const text = line.fields[column]!;
  if (text !== 'buy' && text !== 'sell') line.fail('side', 'buy or sell', JSON.stringify(text));
  return text === 'buy' ? BUY : SELL;
}

/** Throws `RecordingError` for a malformed line, an id used twice, or a change of an order that was never added. */
export function parseReplay(text: string, name = 'replay'): RecordedRow[] {
  const rows: RecordedRow[] = [];
  const known = new Map<number, boolean>();
  let takes = 0;
  for (const line of linesOf(text, name, REPLAY_HEADER)) {
    const op = line.fields[1] as RecordedOp;
    if (!OPS.includes(op)) line.fail('op', OPS.join(', '), JSON.stringify(op));
    const row: RecordedRow = {
      timeNs: timeOf(line),
      op,
      id: integer(line, 2, 'id', CLIENT_ID_MAX),
      side: sideOf(line, 3),
      price: integer(line, 4, 'price_ticks', PRICE_MAX),
      size: integer(line, 5, 'size', SIZE_MAX),
    };
    if (op === 'take') {
      if (row.id !== ++takes) line.fail('id', `take ${takes}`, `${row.id}`);
    } else if (op === 'add') {
      if (known.has(row.id)) line.fail('id', 'one that was not used before', `${row.id}`);
      known.set(row.id, true);
    } else {
      if (known.get(row.id) !== true) line.fail('id', 'an order that is in the book', `${row.id}`);
      if (op === 'cancel') known.set(row.id, false);
    }
    rows.push(row);
  }
  return rows;
}

export function parseFills(text: string, name = 'fills'): RecordedFill[] {
  return Array.from(linesOf(text, name, FILLS_HEADER), (line) => ({
    timeNs: timeOf(line),
    takeId: integer(line, 1, 'take_id', CLIENT_ID_MAX),
    restingId: integer(line, 2, 'resting_id', CLIENT_ID_MAX),
    price: integer(line, 3, 'price_ticks', PRICE_MAX),
    size: integer(line, 4, 'size', SIZE_MAX),
  }));
}

export function parseBook(text: string, name = 'book'): RecordedOrder[] {
  return Array.from(linesOf(text, name, BOOK_HEADER), (line) => ({
    side: sideOf(line, 0),
    price: integer(line, 1, 'price_ticks', PRICE_MAX),
    queuePos: integer(line, 2, 'queue_pos', SIZE_MAX),
    id: integer(line, 3, 'id', CLIENT_ID_MAX),
    size: integer(line, 4, 'size', SIZE_MAX),
  }));
}

const csv = (header: string, lines: readonly string[]): string => `${[header, ...lines].join('\n')}\n`;
const sideName = (side: Side): string => (side === BUY ? 'buy' : 'sell');

export const formatFills = (fills: readonly RecordedFill[]): string =>
  csv(
    FILLS_HEADER,
    fills.map((fill) => `${fill.timeNs},${fill.takeId},${fill.restingId},${fill.price},${fill.size}`),
  );

export const formatBook = (book: readonly RecordedOrder[]): string =>
  csv(
    BOOK_HEADER,
    book.map((order) => `${sideName(order.side)},${order.price},${order.queuePos},${order.id},${order.size}`),
  );

/** Orders in the recorded order (buys, then sells, best price first, oldest first) get their places in the queue. */
export function numberQueues(orders: readonly Omit<RecordedOrder, 'queuePos'>[]): RecordedOrder[] {
  let previous: RecordedOrder | undefined;
  return orders.map((order) => {
    const isNext = previous?.side === order.side && previous.price === order.price;
    const { side, price, id, size } = order;
    previous = { side, price, queuePos: isNext ? previous!.queuePos + 1 : 1, id, size };
    return previous;
  });
}

export interface Recording {
  readonly file: string;
  readonly rows: readonly RecordedRow[];
  /** What the exchange made of it; undefined when the file is not there. */
  readonly fills: readonly RecordedFill[] | undefined;
  readonly book: readonly RecordedOrder[] | undefined;
}

/** Reads NAME_replay.csv and, where they stand beside it, NAME_fills.csv and NAME_book_end.csv. */
export async function readRecording(file: string): Promise<Recording> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RecordingError(
      `--replay: can't read ${file} (${error.code}): give the path of a recorded order flow (${REPLAY_HEADER})`,
    );
  });
  const rows = parseReplay(text, file);
  if (rows.length === 0) throw new RecordingError(`${file}: expected at least one row, got none`);
  const stem = file.replace(/(_?replay)?\.csv$/, '');
  const beside = async <Row>(suffix: string, parse: (text: string, name: string) => Row[]) => {
    const path = `${stem}${suffix}`;
    return path !== file && existsSync(path) ? parse(await readFile(path, 'utf8'), path) : undefined;
  };
  return {
    file,
    rows,
    fills: await beside('_fills.csv', parseFills),
    book: await beside('_book_end.csv', parseBook),
  };
}
