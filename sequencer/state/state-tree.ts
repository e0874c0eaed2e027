/**
 * The authenticated ordered map of settlement.md section 1: a path-compressed binary Merkle trie (crit-bit
 * tree) over 32-byte keys, kept in typed arrays and hashed lazily.
 *
 *   leaf = keccak256(0x00 ‖ key ‖ keccak256(value))
 *   node = keccak256(0x01 ‖ bitIndex u8 ‖ left ‖ right)
 *   empty tree = 32 zero bytes
 *
 * bitIndex = first bit (0 = most significant) in which the two subtrees differ; left holds the zero bit, so that
 * in-order is ascending key order. A node's hash does not depend on where it stands.
 *
 * Nodes are records of 80 bytes in one buffer, so that a search meets one or two cache lines a node and hashing
 * finds both inputs in the node itself, wherever the children are:
 *      0 i32 left child    4 i32 right child     reference: the index of a node, or ~index of a leaf
 *      8 i32 stale         bit 0, 1: the hash of the left, right child below is out of date
 *     12 (2 unused)  14 tag 0x01  15 bitIndex  16 b32 left hash  48 b32 right hash  80 end
 * A node's own hash stands in its parent, the root's in `rootHash`. Invariant: where a child's hash is stale, so
 * is the node's own in its parent, up to the root; so marking stops at the first mark it meets, and `root` descends
 * along marks only.
 */
import { compareBytes, equalBytes, toHex } from '#protocol/bytes.ts';
import { HASH_BYTES, type Keccak, ZERO_HASH } from '#protocol/hash.ts';
import { LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import type { Hash } from '#protocol/units.ts';
import { KEY_BYTES } from './keys.ts';

export const LEAF_TAG = 0x00;
export const NODE_TAG = 0x01;
export const KEY_BITS = 8 * KEY_BYTES;

const INITIAL_CAPACITY = 1024;
const LEAF_PREIMAGE_BYTES = 1 + KEY_BYTES + HASH_BYTES;
const NODE_PREIMAGE_BYTES = 2 + 2 * HASH_BYTES;
const NODE_BYTES = 80;
const NODE_WORDS = NODE_BYTES / 4;
const STALE = 2;
/** The preimage begins in the middle of this word. */
const PREIMAGE_WORD = 3;
const PREIMAGE_WORDS = NODE_WORDS - PREIMAGE_WORD;
const TAG_AT = 14;
const BIT_AT = 15;
const LEFT_HASH_AT = 16;

export interface Entry {
  /** 32 bytes, a copy. */
  readonly key: Uint8Array;
  /** The tree's own array: never changed in place, and not to be changed by the reader. */
  readonly value: Uint8Array;
}

/** What the search for a key meets on its way: the raw material of a path proof. */
export interface SearchPath extends Entry {
  /** From the root to the leaf; hash of the child that the path does not take. */
  readonly siblings: readonly { readonly bitIndex: number; readonly hash: Hash }[];
}

/** Told, from the root down and from left to right, of the part of a tree that leads to some keys. */
export interface PathsVisitor {
  /** Its left child comes next, whole, then its right one. */
  node(bitIndex: number): void;
  /** A subtree that holds none of the keys. */
  opaque(hash: Hash): void;
  /** The leaf of the key that stands at `index` in the list. */
  leaf(index: number, value: Uint8Array): void;
}

export class StateTree {
  /** keccak256 calls made so far. */
  hashes = 0;

  readonly keccak: Keccak;
  private readonly leafPreimage = new Uint8Array(LEAF_PREIMAGE_BYTES);
  private readonly preimageWords = new Int32Array(PREIMAGE_WORDS);
  private readonly nodePreimage = new Uint8Array(this.preimageWords.buffer, 2, NODE_PREIMAGE_BYTES);
  /** Nodes from the root to the leaf of the last `descend`. */
  private readonly path = new Int32Array(KEY_BITS);
  /** Nodes whose children are being hashed; at most one per bit. */
  private readonly pending = new Int32Array(KEY_BITS);

  private rootReference = 0;
  private rootStale = false;
  private rootHash: Hash = ZERO_HASH;
  private count = 0;

  private leafKeys = new Uint8Array(0);
  private leafValues: (Uint8Array | undefined)[] = [];
  /** Leaves ever used; beyond it nothing is initialised. */
  private leafTop = 0;
  private freeLeaves: number[] = [];

  private nodeWords = new Int32Array(0);
  /** The same buffer by bytes. */
  private nodeBytes = new Uint8Array(0);
  private nodeTop = 0;
  private freeNodes: number[] = [];

  constructor(keccak: Keccak) {
    this.keccak = keccak;
    this.leafPreimage[0] = LEAF_TAG;
    this.clear();
  }

  get size(): number {
    return this.count;
  }

  /** The stored array, which later `set`s replace and never change; the caller must not change it either. */
  get(key: Uint8Array): Uint8Array | undefined {
    checkKey(key);
    if (this.count === 0) return undefined;
    const { nodeWords, nodeBytes } = this;
    let reference = this.rootReference;
    while (reference >= 0)
      reference =
        nodeWords[reference * NODE_WORDS + bitAt(key, nodeBytes[reference * NODE_BYTES + BIT_AT]!)]!;
    const leaf = ~reference;
    return this.firstDifference(leaf, key) === KEY_BITS ? this.leafValues[leaf] : undefined;
  }

  /** Stores a copy of `value` (0 to LEAF_VALUE_BYTES_MAX bytes) under `key`; the same value again costs no hash. */
  set(key: Uint8Array, value: Uint8Array): void {
    checkKey(key);
    checkValue(value);
    if (this.count === 0) {
      this.rootReference = ~this.newLeaf(key, value);
      this.rootStale = true;
      return;
    }
    const depth = this.descend(key);
    const leaf = ~this.below(depth, key);
    const difference = this.firstDifference(leaf, key);
    if (difference === KEY_BITS) {
      if (equalBytes(this.leafValues[leaf]!, value)) return;
      this.leafValues[leaf] = new Uint8Array(value);
      this.markStale(depth, key);
      return;
    }
    // The new node takes the place of the first thing on the path that differs only further down.
    let place = depth;
    while (place > 0 && this.bitOf(this.path[place - 1]!) > difference) place--;
    const displaced = this.below(place, key);
    const added = this.newLeaf(key, value);
    const node = this.newNode(difference);
    const side = bitAt(key, difference);
    this.nodeWords[node * NODE_WORDS + side] = ~added;
    this.nodeWords[node * NODE_WORDS + 1 - side] = displaced;
    this.nodeWords[node * NODE_WORDS + STALE] = 1 << side;
    this.moveHash(place, key, node, 1 - side);
    this.link(place, key, node);
    this.markStale(place, key);
  }

  /** True when the key was there. */
  delete(key: Uint8Array): boolean {
    checkKey(key);
    if (this.count === 0) return false;
    const depth = this.descend(key);
    const leaf = ~this.below(depth, key);
    if (this.firstDifference(leaf, key) !== KEY_BITS) return false;
    if (depth > 0) {
      const parent = this.path[depth - 1]!;
      const side = bitAt(key, this.bitOf(parent));
      this.link(depth - 1, key, this.nodeWords[parent * NODE_WORDS + 1 - side]!);
      this.liftHash(depth - 1, key, parent, 1 - side);
      this.freeNodes.push(parent);
    }
    this.leafValues[leaf] = undefined;
    this.freeLeaves.push(leaf);
    this.count--;
    return true;
  }

  /**
   * The least key whose first `bits` bits (0 … 256) are those of `prefix`, or undefined. `prefix` holds at least
   * that many bits; what it holds beyond them is ignored.
   */
  firstUnder(prefix: Uint8Array, bits: number): Entry | undefined {
    if (this.count === 0) {
      prefixKey(prefix, bits);
      return undefined;
    }
    const target = prefixKey(prefix, bits);
    const leaf = ~this.below(this.descend(target), target);
    return this.firstDifference(leaf, target) >= bits ? this.entry(leaf) : undefined;
  }

  /** The root of the present contents; hashes what changed since the last call, each node once. */
  root(): Hash {
    if (this.count === 0) return ZERO_HASH.slice();
    if (this.rootStale) {
      const { rootReference } = this;
      this.rootHash = rootReference >= 0 ? this.hashStale(rootReference) : this.hashLeaf(~rootReference);
      this.rootStale = false;
    }
    return this.rootHash.slice();
  }

  /** What the search for `key` meets; undefined for the empty tree. Brings the root up to date first. */
  search(key: Uint8Array): SearchPath | undefined {
    checkKey(key);
    if (this.count === 0) return undefined;
    this.root();
    const depth = this.descend(key);
    const siblings = [];
    for (let i = 0; i < depth; i++) {
      const node = this.path[i]!;
      const bitIndex = this.bitOf(node);
      const at = hashAt(node, 1 - bitAt(key, bitIndex));
      siblings.push({ bitIndex, hash: this.nodeBytes.slice(at, at + HASH_BYTES) });
    }
    return { ...this.entry(~this.below(depth, key)), siblings };
  }

  /**
   * Visits what leads to `keys`, each node once. The keys strictly ascend and are present, else it throws; the
   * visitor must not change the tree. Nothing is visited in the empty tree.
   */
  visitPaths(keys: readonly Uint8Array[], visitor: PathsVisitor): void {
    const root = this.root();
    for (const [index, key] of keys.entries()) {
      checkKey(key);
      if (index > 0 && compareBytes(keys[index - 1]!, key) >= 0)
        throw new Error(`tree paths: expected keys in strictly ascending order at key ${index}`);
    }
    if (this.count > 0)
      this.visitBelow(this.rootReference, root, { keys, from: 0, to: keys.length }, visitor);
    else if (keys.length > 0) throw new Error(`tree paths: expected present keys, got ${toHex(keys[0]!)}`);
  }

  /** All entries by ascending key. The tree must not change during the iteration. */
  *entries(): Generator<Entry, void, undefined> {
    if (this.count === 0) return;
    const stack = [this.rootReference];
    while (stack.length > 0) {
      let reference = stack.pop()!;
      while (reference >= 0) {
        stack.push(this.nodeWords[reference * NODE_WORDS + 1]!);
        reference = this.nodeWords[reference * NODE_WORDS]!;
      }
      yield this.entry(~reference);
    }
  }

  clear(): void {
    this.count = 0;
    this.leafTop = 0;
    this.nodeTop = 0;
    this.leafValues = [];
    this.freeLeaves = [];
    this.freeNodes = [];
    this.leafKeys = new Uint8Array(INITIAL_CAPACITY * KEY_BYTES);
    this.nodeWords = new Int32Array(INITIAL_CAPACITY * NODE_WORDS);
    this.nodeBytes = new Uint8Array(this.nodeWords.buffer);
  }

  /** Replaces the contents by `entries`, whose keys strictly ascend (else it throws and the tree is empty). */
  loadSorted(entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>): void {
    this.clear();
    try {
      this.append(entries);
    } catch (error) {
      this.clear();
      throw error;
    }
  }

  private visitBelow(reference: number, hash: Hash, range: KeyRange, visitor: PathsVisitor): void {
    const { keys, from, to } = range;
    if (from === to) {
      visitor.opaque(hash);
      return;
    }
    if (reference < 0) {
      for (let i = from; i < to; i++)
        if (this.firstDifference(~reference, keys[i]!) !== KEY_BITS)
          throw new Error(`tree paths: expected present keys, got ${toHex(keys[i]!)}`);
      visitor.leaf(from, this.leafValues[~reference]!);
      return;
    }
    const bitIndex = this.bitOf(reference);
    let middle = from;
    while (middle < to && bitAt(keys[middle]!, bitIndex) === 0) middle++;
    visitor.node(bitIndex);
    for (const side of [0, 1] as const) {
      const at = hashAt(reference, side);
      const half = side === 0 ? { keys, from, to: middle } : { keys, from: middle, to };
      const child = this.nodeWords[reference * NODE_WORDS + side]!;
      this.visitBelow(child, this.nodeBytes.slice(at, at + HASH_BYTES), half, visitor);
    }
  }

  /** Leaves enter at the right end: only the path to the greatest key, kept in `path`, is ever open. */
  private append(entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>): void {
    const { path } = this;
    let depth = 0;
    let last = -1;
    for (const [key, value] of entries) {
      checkKey(key);
      checkValue(value);
      if (last < 0) {
        last = this.newLeaf(key, value);
        this.rootReference = ~last;
        this.rootStale = true;
        continue;
      }
      const difference = this.firstDifference(last, key);
      if (difference === KEY_BITS || bitAt(key, difference) === 0)
        throw new Error(`sorted load: expected keys in strictly ascending order at entry ${this.count}`);
      while (depth > 0 && this.bitOf(path[depth - 1]!) > difference) depth--;
      const node = this.newNode(difference);
      last = this.newLeaf(key, value);
      this.nodeWords[node * NODE_WORDS] = this.below(depth, key);
      this.nodeWords[node * NODE_WORDS + 1] = ~last;
      this.nodeWords[node * NODE_WORDS + STALE] = 3;
      this.link(depth, key, node);
      path[depth++] = node;
    }
  }

  /** Follows the bits of `key` from the root to a leaf, noting the nodes in `path`; returns how many. */
  private descend(key: Uint8Array): number {
    const { nodeWords, nodeBytes, path } = this;
    let depth = 0;
    let reference = this.rootReference;
    while (reference >= 0) {
      path[depth++] = reference;
      reference =
        nodeWords[reference * NODE_WORDS + bitAt(key, nodeBytes[reference * NODE_BYTES + BIT_AT]!)]!;
    }
    return depth;
  }

  private bitOf(node: number): number {
    return this.nodeBytes[node * NODE_BYTES + BIT_AT]!;
  }

  /** The side on which `key` leaves the node at `depth` of the path. */
  private sideAt(depth: number, key: Uint8Array): 0 | 1 {
    return bitAt(key, this.bitOf(this.path[depth]!));
  }

  /** What stands below the first `depth` nodes of the path that the last `descend(key)` took. */
  private below(depth: number, key: Uint8Array): number {
    if (depth === 0) return this.rootReference;
    return this.nodeWords[this.path[depth - 1]! * NODE_WORDS + this.sideAt(depth - 1, key)]!;
  }

  private link(depth: number, key: Uint8Array, reference: number): void {
    if (depth === 0) this.rootReference = reference;
    else this.nodeWords[this.path[depth - 1]! * NODE_WORDS + this.sideAt(depth - 1, key)] = reference;
  }

  /** What stands below the first `depth` nodes of the path has changed: its hash, and all above, are stale. */
  private markStale(depth: number, key: Uint8Array): void {
    const { path, nodeWords } = this;
    for (let i = depth - 1; i >= 0; i--) {
      const at = path[i]! * NODE_WORDS + STALE;
      const mark = 1 << this.sideAt(i, key);
      if ((nodeWords[at]! & mark) !== 0) return;
      nodeWords[at]! |= mark;
    }
    this.rootStale = true;
  }

  /** What stood below the first `depth` nodes becomes a child of the new `node`: its hash, or its mark, goes along. */
  private moveHash(depth: number, key: Uint8Array, node: number, side: number): void {
    const { nodeWords, nodeBytes } = this;
    let stale = this.rootStale;
    if (depth > 0) {
      const above = this.path[depth - 1]!;
      const aboveSide = this.sideAt(depth - 1, key);
      stale = (nodeWords[above * NODE_WORDS + STALE]! & (1 << aboveSide)) !== 0;
      if (!stale) {
        const from = hashAt(above, aboveSide);
        nodeBytes.copyWithin(hashAt(node, side), from, from + HASH_BYTES);
      }
    } else if (!stale) nodeBytes.set(this.rootHash, hashAt(node, side));
    if (stale) nodeWords[node * NODE_WORDS + STALE]! |= 1 << side;
  }

  /** A child of the vanishing `node` takes its place below the first `depth` nodes: its hash, or mark, goes along. */
  private liftHash(depth: number, key: Uint8Array, node: number, side: number): void {
    const { nodeWords, nodeBytes } = this;
    const stale = (nodeWords[node * NODE_WORDS + STALE]! & (1 << side)) !== 0;
    const from = hashAt(node, side);
    if (stale) this.markStale(depth, key);
    else if (depth === 0) {
      this.rootHash = nodeBytes.slice(from, from + HASH_BYTES);
      this.rootStale = false;
    } else {
      const above = this.path[depth - 1]!;
      const aboveSide = this.sideAt(depth - 1, key);
      nodeBytes.copyWithin(hashAt(above, aboveSide), from, from + HASH_BYTES);
      nodeWords[above * NODE_WORDS + STALE]! &= ~(1 << aboveSide);
      this.markStale(depth - 1, key);
    }
  }

  /** First bit in which the leaf's key and `key` differ; KEY_BITS when they are equal. */
  private firstDifference(leaf: number, key: Uint8Array): number {
    const { leafKeys } = this;
    const at = leaf * KEY_BYTES;
    for (let i = 0; i < KEY_BYTES; i++) {
      const difference = leafKeys[at + i]! ^ key[i]!;
      if (difference !== 0) return 8 * i + Math.clz32(difference) - 24;
    }
    return KEY_BITS;
  }

  /** Brings the hashes below `top` up to date, children first, and returns its own. */
  private hashStale(top: number): Hash {
    const { nodeWords, nodeBytes, pending } = this;
    let height = 0;
    pending[height++] = top;
    for (;;) {
      const node = pending[height - 1]!;
      const stale = nodeWords[node * NODE_WORDS + STALE]!;
      if (stale !== 0) {
        const side = stale & 1 ? 0 : 1;
        const child = nodeWords[node * NODE_WORDS + side]!;
        if (child >= 0) pending[height++] = child;
        else {
          nodeBytes.set(this.hashLeaf(~child), hashAt(node, side));
          nodeWords[node * NODE_WORDS + STALE] = stale & ~(1 << side);
        }
        continue;
      }
      const hash = this.hashNode(node);
      height--;
      if (height === 0) return hash;
      // The parent waited for its first stale child.
      const parent = pending[height - 1]!;
      const waiting = nodeWords[parent * NODE_WORDS + STALE]!;
      const side = waiting & 1 ? 0 : 1;
      nodeBytes.set(hash, hashAt(parent, side));
      nodeWords[parent * NODE_WORDS + STALE] = waiting & ~(1 << side);
    }
  }

  private hashNode(node: number): Hash {
    const { nodeWords, preimageWords } = this;
    const from = node * NODE_WORDS + PREIMAGE_WORD;
    for (let i = 0; i < PREIMAGE_WORDS; i++) preimageWords[i] = nodeWords[from + i]!;
    this.hashes++;
    return this.keccak(this.nodePreimage);
  }

  private hashLeaf(leaf: number): Hash {
    const { leafPreimage, leafKeys } = this;
    const at = leaf * KEY_BYTES;
    for (let i = 0; i < KEY_BYTES; i++) leafPreimage[1 + i] = leafKeys[at + i]!;
    leafPreimage.set(this.keccak(this.leafValues[leaf]!), 1 + KEY_BYTES);
    this.hashes += 2;
    return this.keccak(leafPreimage);
  }

  private entry(leaf: number): Entry {
    return {
      key: this.leafKeys.slice(leaf * KEY_BYTES, (leaf + 1) * KEY_BYTES),
      value: this.leafValues[leaf]!,
    };
  }

  private newLeaf(key: Uint8Array, value: Uint8Array): number {
    const leaf = this.freeLeaves.pop() ?? this.leafTop++;
    const at = leaf * KEY_BYTES;
    if (at === this.leafKeys.length) {
      const grown = new Uint8Array(2 * at);
      grown.set(this.leafKeys);
      this.leafKeys = grown;
    }
    this.leafKeys.set(key, at);
    this.leafValues[leaf] = new Uint8Array(value);
    this.count++;
    return leaf;
  }

  private newNode(bitIndex: number): number {
    const node = this.freeNodes.pop() ?? this.nodeTop++;
    const at = node * NODE_BYTES;
    if (at === this.nodeBytes.length) {
      const grown = new Int32Array(2 * this.nodeWords.length);
      grown.set(this.nodeWords);
      this.nodeWords = grown;
      this.nodeBytes = new Uint8Array(grown.buffer);
    }
    this.nodeBytes[at + TAG_AT] = NODE_TAG;
    this.nodeBytes[at + BIT_AT] = bitIndex;
    return node;
  }
}

/** Keys `from` up to before `to`. */
interface KeyRange {
  readonly keys: readonly Uint8Array[];
  readonly from: number;
  readonly to: number;
}

const hashAt = (node: number, side: number): number => node * NODE_BYTES + LEFT_HASH_AT + side * HASH_BYTES;

/** Bit `index` of a key, 0 = most significant. */
export const bitAt = (key: Uint8Array, index: number): 0 | 1 =>
  ((key[index >> 3]! >> (7 - (index & 7))) & 1) as 0 | 1;

/** The first `bits` bits of `prefix`, then zeros: where the search for the first key under it goes. */
export function prefixKey(prefix: Uint8Array, bits: number): Uint8Array {
  const whole = bits >> 3;
  const rest = bits & 7;
  if (!Number.isInteger(bits) || bits < 0 || bits > KEY_BITS)
    throw new Error(`tree prefix bits: expected 0 to ${KEY_BITS}, got ${bits}`);
  if (prefix.length > KEY_BYTES || 8 * prefix.length < bits)
    throw new Error(
      `tree prefix: expected ${bits} bits in at most ${KEY_BYTES} bytes, got ${prefix.length} bytes`,
    );
  const key = new Uint8Array(KEY_BYTES);
  key.set(prefix.subarray(0, whole));
  if (rest > 0) key[whole] = prefix[whole]! & (0xff00 >> rest);
  return key;
}

export function checkKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new Error(`tree key: expected ${KEY_BYTES} bytes, got ${key.length}`);
}

function checkValue(value: Uint8Array): void {
  if (value.length > LEAF_VALUE_BYTES_MAX)
    throw new Error(`tree value: expected at most ${LEAF_VALUE_BYTES_MAX} bytes, got ${value.length}`);
}
