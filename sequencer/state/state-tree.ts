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
 * A reference to a child is the index of a node, or ~index of a leaf. Invariant: above a dirty leaf or node every
 * node is dirty, so that marking stops at the first dirty ancestor and `root` descends into dirty nodes only.
 */
import { assert } from '#protocol/assert.ts';
import { equalBytes } from '#protocol/bytes.ts';
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

export class StateTree {
  /** keccak256 calls made so far. */
  hashes = 0;

  private readonly keccak: Keccak;
  private readonly leafPreimage = new Uint8Array(LEAF_PREIMAGE_BYTES);
  private readonly nodePreimage = new Uint8Array(NODE_PREIMAGE_BYTES);
  /** Nodes from the root to the leaf of the last `descend`. */
  private readonly path = new Int32Array(KEY_BITS);
  /** Nodes whose children are being hashed; at most one per bit. */
  private readonly pending = new Int32Array(KEY_BITS + 1);

  private rootReference = 0;
  private count = 0;

  private leafKeys = new Uint8Array(0);
  private leafHashes = new Uint8Array(0);
  private leafDirty = new Uint8Array(0);
  private leafValues: (Uint8Array | undefined)[] = [];
  /** Leaves ever used; beyond it nothing is initialised. */
  private leafTop = 0;
  private freeLeaves = new Int32Array(0);
  private freeLeafCount = 0;

  private children = new Int32Array(0);
  private bits = new Uint8Array(0);
  private nodeHashes = new Uint8Array(0);
  private nodeDirty = new Uint8Array(0);
  private nodeTop = 0;
  private freeNodes = new Int32Array(0);
  private freeNodeCount = 0;

  constructor(keccak: Keccak) {
    this.keccak = keccak;
    this.leafPreimage[0] = LEAF_TAG;
    this.nodePreimage[0] = NODE_TAG;
    this.clear();
  }

  get size(): number {
    return this.count;
  }

  /** The stored array, which later `set`s replace and never change; the caller must not change it either. */
  get(key: Uint8Array): Uint8Array | undefined {
    checkKey(key);
    if (this.count === 0) return undefined;
    const { children, bits } = this;
    let reference = this.rootReference;
    while (reference >= 0) reference = children[2 * reference + bitAt(key, bits[reference]!)]!;
    const leaf = ~reference;
    return this.firstDifference(leaf, key) === KEY_BITS ? this.leafValues[leaf] : undefined;
  }

  /** Stores a copy of `value` (0 to LEAF_VALUE_BYTES_MAX bytes) under `key`; the same value again costs no hash. */
  set(key: Uint8Array, value: Uint8Array): void {
    checkKey(key);
    checkValue(value);
    if (this.count === 0) {
      this.rootReference = ~this.newLeaf(key, value);
      return;
    }
    const depth = this.descend(key);
    const leaf = ~this.below(depth, key);
    const difference = this.firstDifference(leaf, key);
    if (difference === KEY_BITS) {
      if (equalBytes(this.leafValues[leaf]!, value)) return;
      this.leafValues[leaf] = new Uint8Array(value);
      this.leafDirty[leaf] = 1;
      this.markDirty(depth);
      return;
    }
    // The new node takes the place of the first thing on the path that differs only further down.
    let place = depth;
    while (place > 0 && this.bits[this.path[place - 1]!]! > difference) place--;
    const displaced = this.below(place, key);
    const added = this.newLeaf(key, value);
    const node = this.newNode(difference);
    const side = bitAt(key, difference);
    this.children[2 * node + side] = ~added;
    this.children[2 * node + 1 - side] = displaced;
    this.link(place, key, node);
    this.markDirty(place);
  }

  /** True when the key was there. */
  delete(key: Uint8Array): boolean {
    checkKey(key);
    if (this.count === 0) return false;
    const depth = this.descend(key);
    const leaf = ~this.below(depth, key);
    if (this.firstDifference(leaf, key) !== KEY_BITS) return false;
    if (depth === 0) this.rootReference = 0;
    else {
      const parent = this.path[depth - 1]!;
      const sibling = this.children[2 * parent + 1 - bitAt(key, this.bits[parent]!)]!;
      this.link(depth - 1, key, sibling);
      this.markDirty(depth - 1);
      this.freeNodes[this.freeNodeCount++] = parent;
    }
    this.leafValues[leaf] = undefined;
    this.freeLeaves[this.freeLeafCount++] = leaf;
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
    const { rootReference } = this;
    if (rootReference < 0) {
      this.hashLeaf(~rootReference);
      return this.leafHashes.slice(~rootReference * HASH_BYTES, (~rootReference + 1) * HASH_BYTES);
    }
    this.hashNodes(rootReference);
    return this.nodeHashes.slice(rootReference * HASH_BYTES, (rootReference + 1) * HASH_BYTES);
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
      const bitIndex = this.bits[node]!;
      const reference = this.children[2 * node + 1 - bitAt(key, bitIndex)]!;
      siblings.push({ bitIndex, hash: this.hashOf(reference) });
    }
    return { ...this.entry(~this.below(depth, key)), siblings };
  }

  /** All entries by ascending key. The tree must not change during the iteration. */
  *entries(): Generator<Entry, void, undefined> {
    if (this.count === 0) return;
    const stack = [this.rootReference];
    while (stack.length > 0) {
      let reference = stack.pop()!;
      while (reference >= 0) {
        stack.push(this.children[2 * reference + 1]!);
        reference = this.children[2 * reference]!;
      }
      yield this.entry(~reference);
    }
  }

  clear(): void {
    this.count = 0;
    this.rootReference = 0;
    this.leafTop = 0;
    this.nodeTop = 0;
    this.freeLeafCount = 0;
    this.freeNodeCount = 0;
    this.leafValues = [];
    this.leafKeys = new Uint8Array(INITIAL_CAPACITY * KEY_BYTES);
    this.leafHashes = new Uint8Array(INITIAL_CAPACITY * HASH_BYTES);
    this.leafDirty = new Uint8Array(INITIAL_CAPACITY);
    this.freeLeaves = new Int32Array(INITIAL_CAPACITY);
    this.children = new Int32Array(INITIAL_CAPACITY * 2);
    this.bits = new Uint8Array(INITIAL_CAPACITY);
    this.nodeHashes = new Uint8Array(INITIAL_CAPACITY * HASH_BYTES);
    this.nodeDirty = new Uint8Array(INITIAL_CAPACITY);
    this.freeNodes = new Int32Array(INITIAL_CAPACITY);
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
        continue;
      }
      const difference = this.firstDifference(last, key);
      if (difference === KEY_BITS || bitAt(key, difference) === 0)
        throw new Error(`sorted load: expected keys in strictly ascending order at entry ${this.count}`);
      while (depth > 0 && this.bits[path[depth - 1]!]! > difference) depth--;
      const node = this.newNode(difference);
      const above = depth === 0 ? -1 : path[depth - 1]!;
      this.children[2 * node] = above < 0 ? this.rootReference : this.children[2 * above + 1]!;
      last = this.newLeaf(key, value);
      this.children[2 * node + 1] = ~last;
      if (above < 0) this.rootReference = node;
      else this.children[2 * above + 1] = node;
      path[depth++] = node;
    }
  }

  /** Follows the bits of `key` from the root to a leaf, noting the nodes in `path`; returns how many. */
  private descend(key: Uint8Array): number {
    const { children, bits, path } = this;
    let depth = 0;
    let reference = this.rootReference;
    while (reference >= 0) {
      path[depth++] = reference;
      reference = children[2 * reference + bitAt(key, bits[reference]!)]!;
    }
    return depth;
  }

  /** What the path of the last `descend(key)` meets after its first `depth` nodes. */
  private below(depth: number, key: Uint8Array): number {
    if (depth === 0) return this.rootReference;
    const node = this.path[depth - 1]!;
    return this.children[2 * node + bitAt(key, this.bits[node]!)]!;
  }

  private link(depth: number, key: Uint8Array, reference: number): void {
    if (depth === 0) this.rootReference = reference;
    else {
      const node = this.path[depth - 1]!;
      this.children[2 * node + bitAt(key, this.bits[node]!)] = reference;
    }
  }

  private markDirty(depth: number): void {
    const { path, nodeDirty } = this;
    for (let i = depth - 1; i >= 0; i--) {
      const node = path[i]!;
      if (nodeDirty[node] === 1) return;
      nodeDirty[node] = 1;
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

  /** Hashes the dirty nodes at and below `top`, children first. */
  private hashNodes(top: number): void {
    const { children, nodeDirty, leafDirty, pending } = this;
    if (nodeDirty[top] === 0) return;
    let height = 0;
    pending[height++] = top;
    while (height > 0) {
      const node = pending[height - 1]!;
      const left = children[2 * node]!;
      if (left >= 0) {
        if (nodeDirty[left] === 1) {
          pending[height++] = left;
          continue;
        }
      } else if (leafDirty[~left] === 1) this.hashLeaf(~left);
      const right = children[2 * node + 1]!;
      if (right >= 0) {
        if (nodeDirty[right] === 1) {
          pending[height++] = right;
          continue;
        }
      } else if (leafDirty[~right] === 1) this.hashLeaf(~right);
      this.hashNode(node, left, right);
      height--;
    }
  }

  private hashNode(node: number, left: number, right: number): void {
    const { nodePreimage } = this;
    nodePreimage[1] = this.bits[node]!;
    if (left >= 0) copy32(this.nodeHashes, left * HASH_BYTES, nodePreimage, 2);
    else copy32(this.leafHashes, ~left * HASH_BYTES, nodePreimage, 2);
    if (right >= 0) copy32(this.nodeHashes, right * HASH_BYTES, nodePreimage, 2 + HASH_BYTES);
    else copy32(this.leafHashes, ~right * HASH_BYTES, nodePreimage, 2 + HASH_BYTES);
    copy32(this.keccak(nodePreimage), 0, this.nodeHashes, node * HASH_BYTES);
    this.nodeDirty[node] = 0;
    this.hashes++;
  }

  private hashLeaf(leaf: number): void {
    if (this.leafDirty[leaf] === 0) return;
    const { leafPreimage } = this;
    copy32(this.leafKeys, leaf * KEY_BYTES, leafPreimage, 1);
    copy32(this.keccak(this.leafValues[leaf]!), 0, leafPreimage, 1 + KEY_BYTES);
    copy32(this.keccak(leafPreimage), 0, this.leafHashes, leaf * HASH_BYTES);
    this.leafDirty[leaf] = 0;
    this.hashes += 2;
  }

  private hashOf(reference: number): Hash {
    return reference >= 0
      ? this.nodeHashes.slice(reference * HASH_BYTES, (reference + 1) * HASH_BYTES)
      : this.leafHashes.slice(~reference * HASH_BYTES, (~reference + 1) * HASH_BYTES);
  }

  private entry(leaf: number): Entry {
    return {
      key: this.leafKeys.slice(leaf * KEY_BYTES, (leaf + 1) * KEY_BYTES),
      value: this.leafValues[leaf]!,
    };
  }

  private newLeaf(key: Uint8Array, value: Uint8Array): number {
    let leaf: number;
    if (this.freeLeafCount > 0) leaf = this.freeLeaves[--this.freeLeafCount]!;
    else {
      if (this.leafTop === this.leafDirty.length) this.growLeaves();
      leaf = this.leafTop++;
    }
    copy32(key, 0, this.leafKeys, leaf * KEY_BYTES);
    this.leafValues[leaf] = new Uint8Array(value);
    this.leafDirty[leaf] = 1;
    this.count++;
    return leaf;
  }

  private newNode(bitIndex: number): number {
    let node: number;
    if (this.freeNodeCount > 0) node = this.freeNodes[--this.freeNodeCount]!;
    else {
      if (this.nodeTop === this.bits.length) this.growNodes();
      node = this.nodeTop++;
    }
    this.bits[node] = bitIndex;
    this.nodeDirty[node] = 1;
    return node;
  }

  private growLeaves(): void {
    const capacity = 2 * this.leafDirty.length;
    this.leafKeys = grownBytes(this.leafKeys, capacity * KEY_BYTES);
    this.leafHashes = grownBytes(this.leafHashes, capacity * HASH_BYTES);
    this.leafDirty = grownBytes(this.leafDirty, capacity);
    this.freeLeaves = grownIntegers(this.freeLeaves, capacity);
  }

  private growNodes(): void {
    const capacity = 2 * this.bits.length;
    this.children = grownIntegers(this.children, capacity * 2);
    this.bits = grownBytes(this.bits, capacity);
    this.nodeHashes = grownBytes(this.nodeHashes, capacity * HASH_BYTES);
    this.nodeDirty = grownBytes(this.nodeDirty, capacity);
    this.freeNodes = grownIntegers(this.freeNodes, capacity);
  }
}

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

/** Byte by byte: quicker than a subarray and `set` for 32 bytes. */
function copy32(from: Uint8Array, at: number, to: Uint8Array, target: number): void {
  for (let i = 0; i < 32; i++) to[target + i] = from[at + i]!;
}

function grownBytes(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(length);
  grown.set(bytes);
  return grown;
}

function grownIntegers(integers: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(length);
  grown.set(integers);
  return grown;
}

assert(KEY_BYTES === HASH_BYTES, 'keys and hashes are copied by the same 32-byte loop');
