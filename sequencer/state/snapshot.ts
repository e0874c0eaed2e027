/**
 * Snapshots: every leaf of both trees in key order as one compact byte string, and back to a state and its
 * trees. Big-endian:
 *
 *    0 u32 magic "SLSN"   4 u16 version = 1   6 u16 0   8 u64 seq
 *   16 b32 ledger root   48 b32 book root   80 u32 ledger leaves   84 u32 book leaves   88 leaves
 *
 *   leaf: 0 u8 shared (leading bytes in common with the key before; 0 for the first)   1 u8 n
 *         2 n suffix (the key's bytes from `shared`, without the zeros at its end)   2+n u16 length   value
 *
 * A snapshot is of a state between commands: no register is occupied. Loading checks the roots, so that what
 * comes from anywhere can be trusted as far as the roots are.
 */
import { equalBytes, getU64be, setU64be, toHex, viewOf } from '#protocol/bytes.ts';
import { HASH_BYTES, type Keccak } from '#protocol/hash.ts';
import { LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import type { Hash } from '#protocol/units.ts';
import { ExchangeState } from './exchange-state.ts';
import { isBookKey, KEY_BYTES } from './keys.ts';
import { LeafLoader } from './load-leaves.ts';
import type { StateTrees } from './state-root.ts';
import { type Entry, StateTree } from './state-tree.ts';

export const SNAPSHOT_VERSION = 1;
const MAGIC = 0x534c534e;
const HEADER_BYTES = 88;
const LEAF_BYTES_MAX = 4 + KEY_BYTES + LEAF_VALUE_BYTES_MAX;
const CHUNK_BYTES = 1024 * 1024;

export interface SnapshotHeader {
  /** State after this command. */
  readonly seq: number;
  readonly ledgerRoot: Hash;
  readonly bookRoot: Hash;
  readonly ledgerLeaves: number;
  readonly bookLeaves: number;
}

/** The bytes in pieces of about 1 MiB; the trees must not change meanwhile. */
export function* snapshotChunks(seq: number, trees: StateTrees): Generator<Uint8Array, void, undefined> {
  const header = new Uint8Array(HEADER_BYTES);
  const view = viewOf(header);
  view.setUint32(0, MAGIC);
  view.setUint16(4, SNAPSHOT_VERSION);
  setU64be(view, 8, seq);
  header.set(trees.ledger.root(), 16);
  header.set(trees.book.root(), 16 + HASH_BYTES);
  view.setUint32(80, trees.ledger.size);
  view.setUint32(84, trees.book.size);
  yield header;
  let chunk = new Uint8Array(CHUNK_BYTES + LEAF_BYTES_MAX);
  let used = 0;
  let previous: Uint8Array = new Uint8Array(0);
  for (const tree of [trees.ledger, trees.book])
    for (const { key, value } of tree.entries()) {
      used = writeLeaf(chunk, used, previous, key, value);
      previous = key;
      if (used >= CHUNK_BYTES) {
        yield chunk.subarray(0, used);
        chunk = new Uint8Array(CHUNK_BYTES + LEAF_BYTES_MAX);
        used = 0;
      }
    }
  if (used > 0) yield chunk.subarray(0, used);
}

export function encodeSnapshot(seq: number, trees: StateTrees): Uint8Array {
  const chunks = [...snapshotChunks(seq, trees)];
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Throws on anything but the header of a snapshot of this version. */
export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader {
  if (bytes.length < HEADER_BYTES)
    throw new Error(`snapshot: expected at least ${HEADER_BYTES} bytes, got ${bytes.length}`);
  const view = viewOf(bytes);
  if (view.getUint32(0) !== MAGIC)
    throw new Error(`snapshot magic: expected ${MAGIC}, got ${view.getUint32(0)}`);
  if (view.getUint16(4) !== SNAPSHOT_VERSION)
    throw new Error(`snapshot version: expected ${SNAPSHOT_VERSION}, got ${view.getUint16(4)}`);
  if (view.getUint16(6) !== 0)
    throw new Error(`snapshot bytes 6 and 7: expected 0, got ${view.getUint16(6)}`);
  return {
    seq: getU64be(view, 8),
    ledgerRoot: bytes.slice(16, 48),
    bookRoot: bytes.slice(48, 80),
    ledgerLeaves: view.getUint32(80),
    bookLeaves: view.getUint32(84),
  };
}

/** State and trees; throws unless both roots are those of the header and the leaves agree with each other. */
export function loadSnapshot(
  bytes: Uint8Array,
  keccak: Keccak,
): { header: SnapshotHeader; state: ExchangeState; trees: StateTrees } {
  const header = decodeSnapshotHeader(bytes);
  const trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
  const loader = new LeafLoader(new ExchangeState(keccak));
  const reader = new LeafStream(bytes);
  trees.ledger.loadSorted(loading(loader, reader, header.ledgerLeaves));
  checkRoot('ledger root', header.ledgerRoot, trees.ledger.root());
  trees.book.loadSorted(loading(loader, reader, header.bookLeaves));
  checkRoot('book root', header.bookRoot, trees.book.root());
  reader.done();
  return { header, state: finished(loader, header), trees };
}

/** The state alone, without hashing: for bytes that were already checked against a hash of their own. */
export function loadState(bytes: Uint8Array, keccak: Keccak): ExchangeState {
  const header = decodeSnapshotHeader(bytes);
  const loader = new LeafLoader(new ExchangeState(keccak));
  const reader = new LeafStream(bytes);
  for (let i = header.ledgerLeaves + header.bookLeaves; i > 0; i--) {
    const { key, value } = reader.next();
    loader.load(key, value);
  }
  reader.done();
  return finished(loader, header);
}

function finished(loader: LeafLoader, header: SnapshotHeader): ExchangeState {
  const state = loader.finish();
  if (state.seq !== header.seq)
    throw new Error(`snapshot seq: expected ${state.seq} as in the globals, got ${header.seq}`);
  return state;
}

function* loading(
  loader: LeafLoader,
  reader: LeafStream,
  count: number,
): Generator<readonly [Uint8Array, Uint8Array], void, undefined> {
  const first = reader.isBook;
  for (let i = 0; i < count; i++) {
    const { key, value } = reader.next();
    if (isBookKey(key) !== first)
      throw new Error(`snapshot leaf ${toHex(key)}: expected a key of the ${first ? 'book' : 'ledger'}`);
    loader.load(key, value);
    yield [key, value];
  }
  reader.isBook = true;
}

function checkRoot(field: string, expected: Hash, got: Hash): void {
  if (!equalBytes(expected, got))
    throw new Error(`snapshot ${field}: expected ${toHex(expected)}, got ${toHex(got)} from its leaves`);
}

function writeLeaf(
  bytes: Uint8Array,
  start: number,
  previous: Uint8Array,
  key: Uint8Array,
  value: Uint8Array,
): number {
  let shared = 0;
  while (shared < previous.length && previous[shared] === key[shared]) shared++;
  let end = KEY_BYTES;
  while (end > shared && key[end - 1] === 0) end--;
  let at = start;
  bytes[at++] = shared;
  bytes[at++] = end - shared;
  bytes.set(key.subarray(shared, end), at);
  at += end - shared;
  bytes[at++] = value.length >> 8;
  bytes[at++] = value.length & 0xff;
  bytes.set(value, at);
  return at + value.length;
}

/** Reads leaves one after the other; keys are fresh arrays, values views. */
class LeafStream {
  /** The ledger's leaves have been read. */
  isBook = false;
  private readonly bytes: Uint8Array;
  private at = HEADER_BYTES;
  private previous: Uint8Array = new Uint8Array(KEY_BYTES);

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  next(): Entry {
    const shared = this.byte();
    const count = this.byte();
    if (shared + count > KEY_BYTES)
      throw new Error(
        `snapshot key at byte ${this.at}: expected at most ${KEY_BYTES} bytes, got ${shared + count}`,
      );
    const key = new Uint8Array(KEY_BYTES);
    key.set(this.previous.subarray(0, shared));
    key.set(this.take(count), shared);
    this.previous = key;
    const length = (this.byte() << 8) | this.byte();
    if (length > LEAF_VALUE_BYTES_MAX)
      throw new Error(
        `snapshot value at byte ${this.at}: expected at most ${LEAF_VALUE_BYTES_MAX} bytes, got ${length}`,
      );
    return { key, value: this.take(length) };
  }

  done(): void {
    if (this.at !== this.bytes.length)
      throw new Error(`snapshot: expected ${this.at} bytes, got ${this.bytes.length}`);
  }

  private byte(): number {
    return this.take(1)[0]!;
  }

  private take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length)
      throw new Error(`snapshot: expected at least ${this.at + count} bytes, got ${this.bytes.length}`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}
