/** The state tree said plainly: a Map, sorted and hashed recursively from scratch at every question. */
import { compareBytes, concat, fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import type { PathProof, Sibling } from '#state/tree-proof.ts';

type Leaf = readonly [key: Uint8Array, value: Uint8Array];

const bit = (key: Uint8Array, index: number): number =>
  Number((BigInt(toHex(key)) >> BigInt(255 - index)) & 1n);

/** First bit in which the keys, of which there are at least two, do not all agree. */
function firstSplit(leaves: readonly Leaf[]): number {
  for (let index = 0; index < 256; index++) {
    const ones = leaves.filter(([key]) => bit(key, index) === 1).length;
    if (ones > 0 && ones < leaves.length) return index;
  }
  throw new Error('naive tree: two leaves have the same key');
}

function hash(leaves: readonly Leaf[]): Uint8Array {
  if (leaves.length === 0) return ZERO_HASH;
  if (leaves.length === 1) {
    const [key, value] = leaves[0]!;
    return nobleKeccak(concat(Uint8Array.of(0), key, nobleKeccak(value)));
  }
  const index = firstSplit(leaves);
  const [left, right] = split(leaves, index);
  return nobleKeccak(concat(Uint8Array.of(1, index), hash(left), hash(right)));
}

const split = (leaves: readonly Leaf[], index: number): [Leaf[], Leaf[]] => [
  leaves.filter(([key]) => bit(key, index) === 0),
  leaves.filter(([key]) => bit(key, index) === 1),
];

export class NaiveTree {
  private readonly map = new Map<string, Uint8Array>();

  get size(): number {
    return this.map.size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.map.get(toHex(key));
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.map.set(toHex(key), value);
  }

  delete(key: Uint8Array): boolean {
    return this.map.delete(toHex(key));
  }

  entries(): Leaf[] {
    const leaves = [...this.map].map(([key, value]): Leaf => [fromHex(key), value]);
    return leaves.sort(([a], [b]) => compareBytes(a, b));
  }

  firstUnder(prefix: Uint8Array, bits: number): { key: Uint8Array; value: Uint8Array } | undefined {
    for (const [key, value] of this.entries()) {
      let matches = true;
      for (let index = 0; index < bits; index++) matches &&= bit(key, index) === bit(prefix, index);
      if (matches) return { key, value };
    }
    return undefined;
  }

  root(): Uint8Array {
    return hash(this.entries());
  }

  prove(key: Uint8Array): PathProof | undefined {
    let leaves = this.entries();
    if (leaves.length === 0) return undefined;
    const siblings: Sibling[] = [];
    while (leaves.length > 1) {
      const bitIndex = firstSplit(leaves);
      const halves = split(leaves, bitIndex);
      const side = bit(key, bitIndex);
      siblings.push({ bitIndex, hash: hash(halves[1 - side]!) });
      leaves = halves[side]!;
    }
    const [foundKey, foundValue] = leaves[0]!;
    return { foundKey, foundValue, siblings };
  }
}
