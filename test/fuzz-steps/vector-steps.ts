/** Single steps out of test/vectors: each stands for a bound of its own, and forge replays it on the same families. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, fromHex, toHex, viewOf } from '#protocol/bytes.ts';

export interface VectorStep {
  /** File and place within. */
  readonly name: string;
  readonly kind: number;
  readonly record: Uint8Array;
  readonly slice: Uint8Array;
  readonly code: number;
  /** EIP-712 domain separator; zeros where no signature is looked at. */
  readonly domain: string;
}

interface Columns {
  readonly kinds: readonly number[];
  readonly records: readonly string[];
  readonly slices: readonly string[];
  readonly codes: readonly number[];
}
interface TradeFile {
  readonly shared: readonly string[];
  readonly cases: readonly { kind: number; code: number; record: string; slice: string; note: string }[];
}

const FOLDER = join(import.meta.dirname, '..', 'vectors');
const NO_DOMAIN = toHex(new Uint8Array(32));
const SHARED_TAG = 2;
const ABSENT = 0xffff;

const read = <T>(file: string): T => JSON.parse(readFileSync(join(FOLDER, `${file}.json`), 'utf8')) as T;

export function* vectorSteps(): Generator<VectorStep, void, undefined> {
  for (const file of [
    'steps-account',
    'steps-isolation',
    'steps-market',
    'steps-money',
    'steps-queue',
    'steps-ticks',
  ]) {
    const columns = read<Columns & { readonly domain?: string }>(file);
    yield* rows(file, columns, columns.domain ?? NO_DOMAIN);
  }
  const message = read<{ readonly domain: string; readonly judged: Columns }>('message');
  // Codes of admission: on the contract all but NONE are one.
  const codes = message.judged.codes.map((code) => (code === 0 ? 0 : ABSENT));
  yield* rows('message', { ...message.judged, codes }, message.domain);
  const trade = read<TradeFile>('steps-trade');
  const shared = trade.shared.map(wholeLeaf);
  for (const [n, { kind, code, record, slice, note }] of trade.cases.entries())
    yield {
      name: `steps-trade ${n} (${note})`,
      kind,
      code,
      record: fromHex(record),
      slice: spread(fromHex(slice), shared),
      domain: NO_DOMAIN,
    };
}

function* rows(file: string, columns: Columns, domain: string): Generator<VectorStep, void, undefined> {
  for (const [n, kind] of columns.kinds.entries())
    yield {
      name: `${file} ${n}`,
      kind,
      record: fromHex(columns.records[n]!),
      slice: fromHex(columns.slices[n]!),
      code: columns.codes[n]!,
      domain,
    };
}

/** A leaf item with the zeros at its end that the file leaves out. */
function wholeLeaf(cut: string): Uint8Array {
  const bytes = fromHex(cut);
  const head = new Uint8Array(35);
  head.set(bytes.subarray(0, 35));
  const length = viewOf(head).getUint16(33);
  const whole = new Uint8Array(35 + (length === ABSENT ? 0 : length));
  whole.set(bytes);
  return whole;
}

/** A slice with its shared items in their places. */
function spread(slice: Uint8Array, shared: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < slice.length; ) {
    if (slice[at] === SHARED_TAG) {
      parts.push(shared[viewOf(slice).getUint16(at + 1)]!);
      at += 3;
      continue;
    }
    const end = slice[at] === 0 ? leafEnd(slice, at + 1) : rangeEnd(slice, at);
    parts.push(slice.subarray(at, end));
    at = end;
  }
  return concat(...parts);
}

function leafEnd(slice: Uint8Array, at: number): number {
  const length = viewOf(slice).getUint16(at + 32);
  return at + 34 + (length === ABSENT ? 0 : length);
}

function rangeEnd(slice: Uint8Array, at: number): number {
  let end = at + 37;
  for (let left = slice[at + 35]!; left > 0; left--) end = leafEnd(slice, end);
  return end;
}
