/**
 * Multiproofs: the part of a state tree that leads to a set of keys, each node and value once. A contract parses one
 * into memory (settlement/contracts/libraries/PartialTree.sol) and runs the steps of a segment on it. Shared vectors:
 * test/vectors/multiproof.json.
 *
 * Pre-order from the root, to the end of the bytes; the empty tree is zero bytes. An item:
 *   OPAQUE    0  u8 0   1  b32 hash                        a subtree of which only the hash is known
 *   NODE      0  u8 1   1  u8 bitIndex                     then its left child, then its right child
 *   LEAF      0  u8 2   1  u8 n   2  n key   2 + n  u16 length   4 + n  value      big-endian, length ≤ 4,096
 *   WITHHELD  0  u8 3   1  u8 n   2  n key   2 + n  b32 value hash
 *
 * n from 0 to 32: the key's bytes after the first n are zero. bitIndex strictly rises downwards, and a leaf's key has
 * the bits that the path to it says, so no path is longer than 256 nodes. A WITHHELD leaf is enough to show that
 * another key is absent, and costs no more than its hash.
 */
import { compareBytes, concat, toHex } from '#protocol/bytes.ts';
import { HASH_BYTES, type Keccak, ZERO_HASH } from '#protocol/hash.ts';
import { LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import type { Hash } from '#protocol/units.ts';
import { KEY_BYTES } from './keys.ts';
import { bitAt, LEAF_TAG, NODE_TAG, type StateTree } from './state-tree.ts';

export const OPAQUE = 0;
export const NODE = 1;
export const LEAF = 2;
export const WITHHELD = 3;

export interface ProvenKeys {
  /** Keys whose value is to be given. */
  readonly values: Iterable<Uint8Array>;
  /** Keys of which the value's hash is enough. */
  readonly others: Iterable<Uint8Array>;
}

/** The multiproof of keys in any order, each any number of times. Throws on a key that is absent. */
export function multiproof(tree: StateTree, wanted: ProvenKeys): Uint8Array {
  const needed = new Map<string, { key: Uint8Array; withValue: boolean }>();
  for (const key of wanted.others) needed.set(toHex(key), { key, withValue: false });
  for (const key of wanted.values) needed.set(toHex(key), { key, withValue: true });
  const leaves = [...needed.values()].sort((a, b) => compareBytes(a.key, b.key));
  const parts: Uint8Array[] = [];
  tree.visitPaths(
    leaves.map(({ key }) => key),
    {
      node: (bitIndex) => parts.push(Uint8Array.of(NODE, bitIndex)),
      opaque: (hash) => parts.push(Uint8Array.of(OPAQUE), hash),
      leaf: (index, value) => {
        const { key, withValue } = leaves[index]!;
        const n = trimmedLength(key);
        // A value that is no longer than its hash is given anyway.
        const given = withValue || value.length + 2 <= HASH_BYTES;
        parts.push(Uint8Array.of(given ? LEAF : WITHHELD, n), key.subarray(0, n));
        if (given) parts.push(Uint8Array.of(value.length >> 8, value.length & 0xff), value);
        else parts.push(tree.keccak(value));
      },
    },
  );
  return concat(...parts);
}

function trimmedLength(key: Uint8Array): number {
  let length = KEY_BYTES;
  while (length > 0 && key[length - 1] === 0) length--;
  return length;
}

export interface OpenedLeaf {
  readonly key: Uint8Array;
  /** Absent: WITHHELD. */
  readonly value?: Uint8Array;
}

export interface OpenedMultiproof {
  /** Computed from all that is given. */
  readonly root: Hash;
  /** By ascending key. */
  readonly leaves: readonly OpenedLeaf[];
  /** Subtrees left out. */
  readonly opaque: number;
}

/** Reads a multiproof back; throws on bytes that break a rule of the format. */
export function openMultiproof(bytes: Uint8Array, keccak: Keccak): OpenedMultiproof {
  if (bytes.length === 0) return { root: ZERO_HASH.slice(), leaves: [], opaque: 0 };
  const reader = new Reader(bytes, keccak);
  const root = reader.item([]);
  reader.end();
  return { root, leaves: reader.leaves, opaque: reader.opaque };
}

/** One turn on the way down. */
interface Turn {
  readonly bitIndex: number;
  readonly side: number;
}

class Reader {
  readonly leaves: OpenedLeaf[] = [];
  opaque = 0;
  private readonly bytes: Uint8Array;
  private readonly keccak: Keccak;
  private at = 0;

  constructor(bytes: Uint8Array, keccak: Keccak) {
    this.bytes = bytes;
    this.keccak = keccak;
  }

  /** The hash of the item that stands here, below `path`. */
  item(path: readonly Turn[]): Hash {
    const tag = this.byte('tag');
    switch (tag) {
      case OPAQUE:
        this.opaque++;
        return this.take('hash', HASH_BYTES);
      case NODE: {
        const bitIndex = this.byte('bit index');
        const above = path.at(-1)?.bitIndex ?? -1;
        if (bitIndex <= above) this.fail('bit index', `more than ${above}`, bitIndex);
        const left = this.item([...path, { bitIndex, side: 0 }]);
        const right = this.item([...path, { bitIndex, side: 1 }]);
        return this.keccak(concat(Uint8Array.of(NODE_TAG, bitIndex), left, right));
      }
      case LEAF:
      case WITHHELD:
        return this.leaf(tag === LEAF, path);
      default:
        return this.fail('tag', `0 to ${WITHHELD}`, tag);
    }
  }

  end(): void {
    if (this.at !== this.bytes.length) this.fail('end', `${this.at} bytes`, this.bytes.length);
  }

  private leaf(given: boolean, path: readonly Turn[]): Hash {
    const n = this.byte('key length');
    if (n > KEY_BYTES) this.fail('key length', `at most ${KEY_BYTES}`, n);
    const key = new Uint8Array(KEY_BYTES);
    key.set(this.take('key', n));
    for (const { bitIndex, side } of path)
      if (bitAt(key, bitIndex) !== side) this.fail('key', `bit ${bitIndex} = ${side}`, 1 - side);
    let valueHash: Hash;
    if (given) {
      const length = 256 * this.byte('value length') + this.byte('value length');
      if (length > LEAF_VALUE_BYTES_MAX) this.fail('value length', `at most ${LEAF_VALUE_BYTES_MAX}`, length);
      const value = this.take('value', length);
      this.leaves.push({ key, value });
      valueHash = this.keccak(value);
    } else {
      this.leaves.push({ key });
      valueHash = this.take('value hash', HASH_BYTES);
    }
    return this.keccak(concat(Uint8Array.of(LEAF_TAG), key, valueHash));
  }

  private byte(field: string): number {
    return this.take(field, 1)[0]!;
  }

  private take(field: string, length: number): Uint8Array {
    const left = this.bytes.length - this.at;
    if (length > left) this.fail(field, `${length} bytes`, left);
    const from = this.at;
    this.at += length;
    return this.bytes.slice(from, this.at);
  }

  private fail(field: string, expected: string, got: number): never {
    throw new Error(`multiproof at byte ${this.at}: ${field}: expected ${expected}, got ${got}`);
  }
}
