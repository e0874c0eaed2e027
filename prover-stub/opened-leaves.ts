/**
 * Which leaves of a tree a multiproof must open, so that a contract finds the same as was found here: the leaf of a key
 * or the one where the search for it ends, the first leaves under a prefix. Steps change the tree meanwhile; what they
 * put there needs no proof, so only leaves that were there at the beginning count.
 */
import { equalBytes } from '#protocol/bytes.ts';
import type { Hash } from '#protocol/units.ts';
import type { LeafValue } from '#state/leaves.ts';
import { multiproof } from '#state/multiproof.ts';
import { bitAt, type Entry, type StateTree } from '#state/state-tree.ts';
import { keyText } from './ledger-delta.ts';
import type { RangeRead } from './reads/collector.ts';

/** The first `max` entries under a prefix, ascending. */
export function entriesUnder(tree: StateTree, { prefix, bits, max }: RangeRead): Entry[] {
  const found: Entry[] = [];
  let next = tree.firstUnder(prefix, bits);
  while (next !== undefined && found.length < max) {
    found.push(next);
    next = after(tree, next.key, bits);
  }
  return found;
}

/** The entry behind `key` that has the same first `bits` bits. */
function after(tree: StateTree, key: Uint8Array, bits: number): Entry | undefined {
  const { siblings } = tree.search(key)!;
  for (let i = siblings.length - 1; i >= 0 && siblings[i]!.bitIndex >= bits; i--) {
    const { bitIndex } = siblings[i]!;
    if (bitAt(key, bitIndex) === 1) continue;
    const turned = key.slice();
    turned[bitIndex >> 3]! |= 0x80 >> (bitIndex & 7);
    return tree.firstUnder(turned, bitIndex + 1);
  }
  return undefined;
}

export class OpenedLeaves {
  readonly tree: StateTree;
  private readonly values = new Map<string, Uint8Array>();
  private readonly others = new Map<string, Uint8Array>();
  /** What changed leaves held at the beginning. */
  private readonly before = new Map<string, { readonly key: Uint8Array; readonly value: LeafValue }>();

  constructor(tree: StateTree) {
    this.tree = tree;
  }

  /** The value of `key`, or that it is absent. */
  lookUp(key: Uint8Array): void {
    const found = this.tree.search(key);
    if (found === undefined) return;
    this.open(found.key, equalBytes(found.key, key));
  }

  lookUnder(range: RangeRead): void {
    const found = entriesUnder(this.tree, range);
    for (const { key } of found) this.open(key, true);
    if (found.length === 0) this.lookUp(range.prefix);
  }

  write(key: Uint8Array, value: LeafValue): void {
    const name = keyText(key);
    const { tree } = this;
    if (!this.before.has(name)) this.before.set(name, { key, value: tree.get(key) });
    if (value === undefined) tree.delete(key);
    else tree.set(key, value);
  }

  /**
   * The multiproof of the tree as it was at the beginning, and its root; from then on the beginning is now. Goes back
   * and forth in the tree, whose shape depends on its leaves alone.
   */
  prove(): { proof: Uint8Array; root: Hash } {
    const { tree } = this;
    const now = [...this.before.values()].map(({ key }) => ({ key, value: tree.get(key) }));
    put(tree, [...this.before.values()]);
    const root = tree.root();
    const proof = multiproof(tree, { values: this.values.values(), others: this.others.values() });
    put(tree, now);
    this.values.clear();
    this.others.clear();
    this.before.clear();
    return { proof, root };
  }

  private open(key: Uint8Array, withValue: boolean): void {
    const name = keyText(key);
    const changed = this.before.get(name);
    if (changed !== undefined && changed.value === undefined) return;
    (withValue ? this.values : this.others).set(name, key);
  }
}

function put(tree: StateTree, leaves: readonly { key: Uint8Array; value: LeafValue }[]): void {
  for (const { key, value } of leaves)
    if (value === undefined) tree.delete(key);
    else tree.set(key, value);
}
