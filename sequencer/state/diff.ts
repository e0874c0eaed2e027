/**
 * The ledger diff of a batch: every ledger leaf that the batch changed, by ascending key, each packed against the
 * key before it and the value it had. Diffs alone rebuild the ledger. Shared vectors: test/vectors/diff.json.
 *
 * A diff is its entries one after the other, to the end of the bytes; no change = zero bytes. An entry:
 *      0  u8   head = 32 · mode + shared    shared (0 … 31): leading bytes in common with the key before,
 *                                           which for the first entry is the zero key
 *      1  u8   n                            1 … 32 - shared
 *      2  n    suffix                       the key's bytes from `shared`; those after it are zero
 *  2 + n  u16  length                       modes RESIZE and INSERT: length of the new value, big-endian
 *      …  runs                              modes UPDATE, RESIZE and INSERT
 *
 *   mode 0 DELETE   the key goes
 *        1 UPDATE   the key holds another value of the same length
 *        2 RESIZE   the key holds a value of another length
 *        3 INSERT   the key was absent
 *
 * Runs say where the new value departs from its base: the old value (UPDATE), the old value cut or extended by
 * zeros to `length` (RESIZE), `length` zeros (INSERT). With a cursor at 0 and value = base, each byte b is:
 *   b = 0             the end: what follows the cursor is as in the base
 *   b & 15 = 0        cursor += 16 · (b >> 4)
 *   else              cursor += b >> 4; then b & 15 bytes follow, which replace those at the cursor; cursor += b & 15
 * The cursor never passes the value's end.
 *
 * There is one encoding of a change, and no other is accepted:
 *   - keys strictly ascend, `shared` is the longest prefix in common (suffix[0] > previous key[shared] says both)
 *     and the suffix ends in a byte other than zero; the zero key is in no diff;
 *   - an UPDATE changes something, a RESIZE changes the length;
 *   - a stretch of replaced bytes begins and ends with a byte that differs from the base, and single equal bytes
 *     lie inside it while two equal bytes end it; a distance of 16 or more before it is bridged by as few
 *     16-fold bytes as possible (the first ones 0xf0), and a stretch beyond 15 bytes goes on after runs of
 *     15 with runs of distance 0.
 */
import { compareBytes, equalBytes, toHex } from '#protocol/bytes.ts';
import { DIFF_BYTES_MAX, LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import { KEY_BYTES } from './keys.ts';
import { checkKey } from './state-tree.ts';

export const DiffMode = { DELETE: 0, UPDATE: 1, RESIZE: 2, INSERT: 3 } as const;

const SHARED_BITS = 5;
const SHARED_MASK = 31;
const RUN_BYTES_MAX = 15;
const HOP = 16;
const RUNS_BYTES_MAX = LEAF_VALUE_BYTES_MAX + Math.ceil(LEAF_VALUE_BYTES_MAX / 2) + 1;
const ENTRY_BYTES_MAX = 2 + KEY_BYTES + 2 + RUNS_BYTES_MAX;
const NO_BYTES = new Uint8Array(0);

/** A leaf that a batch touched: `undefined` = absent. Changes that change nothing are left out of the diff. */
export interface LeafChange {
  readonly key: Uint8Array;
  readonly oldValue?: Uint8Array | undefined;
  readonly newValue?: Uint8Array | undefined;
}

/** A leaf after the batch; no value = deleted. */
export interface ChangedLeaf {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
}

/** A diff that no encoder made; `offset` is the byte at which this shows. */
export class DiffError extends Error {
  override readonly name = 'DiffError';
  readonly offset: number;

  constructor(offset: number, expectation: string) {
    super(`ledger diff at byte ${offset}: ${expectation}`);
    this.offset = offset;
  }
}

/**
 * Packs the changes, in any order. Throws on a key that comes twice, on the zero key, on a value beyond
 * LEAF_VALUE_BYTES_MAX, and when the diff would exceed DIFF_BYTES_MAX: batches are cut before.
 */
export function encodeDiff(changes: Iterable<LeafChange>): Uint8Array {
  const sorted = [...changes].sort((a, b) => compareBytes(a.key, b.key));
  const bytes = new Uint8Array(DIFF_BYTES_MAX + ENTRY_BYTES_MAX);
  let previous = new Uint8Array(KEY_BYTES);
  let last: Uint8Array | undefined;
  let at = 0;
  for (const { key, oldValue, newValue } of sorted) {
    checkKey(key);
    if (last !== undefined && equalBytes(last, key))
      throw new Error(`ledger diff: expected each key once, got ${toHex(key)} twice`);
    last = key;
    if (oldValue === newValue) continue;
    if (oldValue !== undefined && newValue !== undefined && equalBytes(oldValue, newValue)) continue;
    const shared = sharedBytes(previous, key);
    if (shared === KEY_BYTES) throw new Error('ledger diff: expected keys other than the zero key');
    const end = trimmedLength(key);
    bytes[at++] = (modeOf(oldValue, newValue) << SHARED_BITS) | shared;
    bytes[at++] = end - shared;
    bytes.set(key.subarray(shared, end), at);
    at += end - shared;
    if (newValue !== undefined) {
      if (newValue.length > LEAF_VALUE_BYTES_MAX)
        throw new Error(
          `ledger diff value: expected at most ${LEAF_VALUE_BYTES_MAX} bytes, got ${newValue.length}`,
        );
      if (newValue.length !== oldValue?.length) {
        bytes[at++] = newValue.length >> 8;
        bytes[at++] = newValue.length & 0xff;
      }
      at = writeRuns(bytes, at, resized(oldValue ?? NO_BYTES, newValue.length), newValue);
    }
    if (at > DIFF_BYTES_MAX)
      throw new Error(`ledger diff: expected at most ${DIFF_BYTES_MAX} bytes, got more`);
    previous = new Uint8Array(key);
  }
  return bytes.slice(0, at);
}

/**
 * The changed leaves by ascending key, read against the ledger before the batch (`get`), which is left as it is.
 * Throws `DiffError` on bytes that `encodeDiff` can't have made of that ledger.
 */
export function applyDiff(diff: Uint8Array, get: (key: Uint8Array) => Uint8Array | undefined): ChangedLeaf[] {
  if (diff.length > DIFF_BYTES_MAX)
    throw new DiffError(DIFF_BYTES_MAX, `expected at most ${DIFF_BYTES_MAX} bytes, got ${diff.length}`);
  const leaves: ChangedLeaf[] = [];
  const reader = new Reader(diff);
  let previous: Uint8Array = new Uint8Array(KEY_BYTES);
  while (reader.at < diff.length) {
    const start = reader.at;
    const head = reader.byte('head');
    const mode = head >> SHARED_BITS;
    if (mode > DiffMode.INSERT) throw new DiffError(start, `expected a mode from 0 to 3, got ${mode}`);
    const key = readKey(reader, previous, head & SHARED_MASK);
    previous = key;
    const old = get(key);
    if ((old === undefined) !== (mode === DiffMode.INSERT)) {
      const expected = mode === DiffMode.INSERT ? 'an absent key to insert' : 'a present key to change';
      throw new DiffError(start, `expected ${expected}, got ${toHex(key)}`);
    }
    if (mode === DiffMode.DELETE) leaves.push({ key });
    else leaves.push({ key, value: readValue(reader, mode, old ?? NO_BYTES) });
  }
  return leaves;
}

function readKey(reader: Reader, previous: Uint8Array, shared: number): Uint8Array {
  const at = reader.at;
  const count = reader.byte('suffix length');
  if (count < 1 || count > KEY_BYTES - shared)
    throw new DiffError(at, `expected a suffix of 1 to ${KEY_BYTES - shared} bytes, got ${count}`);
  const suffix = reader.bytes(count, 'suffix');
  if (suffix[0]! <= previous[shared]!)
    throw new DiffError(
      at + 1,
      `expected a byte above ${previous[shared]} after ${shared} shared bytes, got ${suffix[0]}`,
    );
  if (suffix[count - 1] === 0) throw new DiffError(at + count, 'expected a suffix without zeros at its end');
  const key = new Uint8Array(KEY_BYTES);
  key.set(previous.subarray(0, shared));
  key.set(suffix, shared);
  return key;
}

function readValue(reader: Reader, mode: number, old: Uint8Array): Uint8Array {
  let { length } = old;
  if (mode !== DiffMode.UPDATE) {
    const at = reader.at;
    length = (reader.byte('length') << 8) | reader.byte('length');
    if (length > LEAF_VALUE_BYTES_MAX)
      throw new DiffError(at, `expected a length of at most ${LEAF_VALUE_BYTES_MAX}, got ${length}`);
    if (mode === DiffMode.RESIZE && length === old.length)
      throw new DiffError(at, `expected another length than ${length}`);
  }
  const base = resized(old, length);
  const value = base.slice();
  const start = reader.at;
  let cursor = 0;
  for (;;) {
    const at = reader.at;
    const run = reader.byte('run');
    if (run === 0) break;
    const count = run & RUN_BYTES_MAX;
    cursor += count === 0 ? HOP * (run >> 4) : run >> 4;
    if (cursor + count > length)
      throw new DiffError(at, `expected a run within ${length} bytes, got one up to ${cursor + count}`);
    value.set(reader.bytes(count, 'run'), cursor);
    cursor += count;
  }
  if (mode === DiffMode.UPDATE && reader.at === start + 1)
    throw new DiffError(start, 'expected an update to change something');
  checkRuns(reader, start, base, value);
  return value;
}

/** The runs read from `start` on must be those that the encoder writes. */
function checkRuns(reader: Reader, start: number, base: Uint8Array, value: Uint8Array): void {
  const { canonical } = reader;
  const count = writeRuns(canonical, 0, base, value);
  const given = reader.since(start);
  let same = 0;
  while (same < count && canonical[same] === given[same]) same++;
  if (same < count || count !== given.length)
    throw new DiffError(
      start + same,
      `expected the canonical run byte ${canonical[same]}, got ${given[same]}`,
    );
}

/** Writes the runs that make `value` of `base`, of the same length; returns where they end. */
function writeRuns(bytes: Uint8Array, start: number, base: Uint8Array, value: Uint8Array): number {
  const { length } = value;
  let at = start;
  let cursor = 0;
  for (;;) {
    let from = cursor;
    while (from < length && value[from] === base[from]) from++;
    if (from === length) break;
    let to = from + 1;
    for (;;) {
      if (to < length && value[to] !== base[to]) to++;
      else if (to + 1 < length && value[to + 1] !== base[to + 1]) to += 2;
      else break;
    }
    let distance = from - cursor;
    while (distance >= HOP) {
      const hops = Math.min(RUN_BYTES_MAX, Math.floor(distance / HOP));
      bytes[at++] = hops << 4;
      distance -= HOP * hops;
    }
    while (from < to) {
      const count = Math.min(RUN_BYTES_MAX, to - from);
      bytes[at++] = (distance << 4) | count;
      bytes.set(value.subarray(from, from + count), at);
      at += count;
      from += count;
      distance = 0;
    }
    cursor = to;
  }
  bytes[at++] = 0;
  return at;
}

function modeOf(oldValue: Uint8Array | undefined, newValue: Uint8Array | undefined): number {
  if (newValue === undefined) return DiffMode.DELETE;
  if (oldValue === undefined) return DiffMode.INSERT;
  return oldValue.length === newValue.length ? DiffMode.UPDATE : DiffMode.RESIZE;
}

/** `bytes` cut or extended by zeros. */
function resized(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  const result = new Uint8Array(length);
  result.set(bytes.subarray(0, length));
  return result;
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  let shared = 0;
  while (shared < KEY_BYTES && a[shared] === b[shared]) shared++;
  return shared;
}

function trimmedLength(key: Uint8Array): number {
  let length = key.length;
  while (length > 0 && key[length - 1] === 0) length--;
  return length;
}

class Reader {
  at = 0;
  /** Where runs are written anew, to compare. */
  readonly canonical = new Uint8Array(RUNS_BYTES_MAX);
  private readonly source: Uint8Array;

  constructor(source: Uint8Array) {
    this.source = source;
  }

  byte(field: string): number {
    const value = this.source[this.at];
    if (value === undefined) throw new DiffError(this.at, `expected ${field}, got the end`);
    this.at++;
    return value;
  }

  bytes(count: number, field: string): Uint8Array {
    const left = this.source.length - this.at;
    if (left < count) throw new DiffError(this.at, `expected ${count} bytes of ${field}, got ${left}`);
    this.at += count;
    return this.source.subarray(this.at - count, this.at);
  }

  since(start: number): Uint8Array {
    return this.source.subarray(start, this.at);
  }
}
