/**
 * The cases of test/vectors/tree.json, built with the naive tree alone, so that neither of the two verifiers
 * (tree-proof.ts, TreeProof.sol) has a part in them. `npx tsx test/state/tree-vectors.ts` writes the file;
 * a test holds the file to this.
 *
 * Every case has the same fields (forge reads them by name):
 *   kind      inclusion, absence, update, insert, delete, first, none
 *   tree      name of the tree that the root is of, for the reader
 *   root      32 bytes
 *   key       32 bytes: the key, or for first and none the prefix
 *   bits      256, or for first and none the prefix's length
 *   value     inclusion: what the key holds; update, insert: what it shall hold; else empty
 *   proof     packed proof
 *   valid     whether the verifier accepts
 *   postRoot  update, insert, delete: the root afterwards; else, and where not valid, zero
 *   why       what the case is about
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '#protocol/bytes.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import {
  accountKey,
  globalsKey,
  levelKey,
  marketStateKey,
  orderKey,
  ownerKey,
  pricesKey,
  withdrawnKey,
} from '#state/keys.ts';
import { encodeProof, type PathProof } from '#state/tree-proof.ts';
import { NaiveTree } from '#test/reference/naive-tree.ts';

export type CaseKind = 'inclusion' | 'absence' | 'update' | 'insert' | 'delete' | 'first' | 'none';

export interface TreeCase {
  readonly kind: CaseKind;
  readonly tree: string;
  readonly root: string;
  readonly key: string;
  readonly bits: number;
  readonly value: string;
  readonly proof: string;
  readonly valid: boolean;
  readonly postRoot: string;
  readonly why: string;
}

export interface TreeVectors {
  readonly trees: readonly {
    name: string;
    root: string;
    entries: readonly { key: string; value: string }[];
  }[];
  readonly cases: readonly TreeCase[];
}

const NO_BYTES = new Uint8Array(0);
const text = new TextEncoder();
const bytesOf = (name: string): Uint8Array => text.encode(name);

function keyOf(fill: number, ...flips: number[]): Uint8Array {
  const key = new Uint8Array(32).fill(fill);
  for (const bit of flips) key[bit >> 3]! ^= 0x80 >> (bit & 7);
  return key;
}

const owner = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);

function exchangeEntries(): [Uint8Array, Uint8Array][] {
  const entries: [Uint8Array, Uint8Array][] = [
    [globalsKey(), bytesOf('globals')],
    [pricesKey(0), bytesOf('prices of markets 0 to 15')],
    [marketStateKey(1), NO_BYTES],
    [marketStateKey(2), new Uint8Array(300).fill(0xa5)],
    [withdrawnKey(owner(0x11), 0), new Uint8Array(16).fill(7)],
    [levelKey(1, 0, 4000), bytesOf('level')],
  ];
  for (let account = 1; account <= 9; account++)
    entries.push([accountKey(account), bytesOf(`account ${account}`)]);
  for (const byte of [0x11, 0x22, 0xff]) entries.push([ownerKey(owner(byte), 0), bytesOf(`owner ${byte}`)]);
  for (const side of [0, 1])
    for (const [price, priority] of [
      [4000, 1],
      [4000, 2],
      [4001, 3],
      [3999, 4],
    ] as const)
      entries.push([orderKey(1, side, price, priority), bytesOf(`order ${side} ${price} ${priority}`)]);
  return entries;
}

/** Keys that differ from zero in one bit: the path to the zero key is as long as there are others. */
const deepEntries = (bits: readonly number[]): [Uint8Array, Uint8Array][] => [
  [keyOf(0), bytesOf('zero')],
  ...bits.map((bit): [Uint8Array, Uint8Array] => [keyOf(0, bit), bytesOf(`bit ${bit}`)]),
];

const TREES: Record<string, [Uint8Array, Uint8Array][]> = {
  empty: [],
  one: [[accountKey(5), bytesOf('account 5')]],
  two: [
    [accountKey(5), bytesOf('account 5')],
    [accountKey(6), bytesOf('account 6')],
  ],
  exchange: exchangeEntries(),
  deep: deepEntries([0, 1, 7, 8, 100, 254, 255]),
};

function build(name: string): NaiveTree {
  const tree = new NaiveTree();
  for (const [key, value] of TREES[name]!) tree.set(key, value);
  return tree;
}

export function treeVectors(): TreeVectors {
  const cases: TreeCase[] = [];

  interface Case {
    kind: CaseKind;
    tree: string;
    key: Uint8Array;
    bits?: number;
    value?: Uint8Array;
    /** Else the honest proof. */
    proof?: Uint8Array;
    root?: Uint8Array;
    postRoot?: Uint8Array;
    why: string;
  }
  const add = (valid: boolean, given: Case): void => {
    const naive = build(given.tree);
    cases.push({
      kind: given.kind,
      tree: given.tree,
      root: toHex(given.root ?? naive.root()),
      key: toHex(given.key),
      bits: given.bits ?? 256,
      value: toHex(given.value ?? NO_BYTES),
      proof: toHex(given.proof ?? encodeProof(naive.prove(given.key))),
      valid,
      postRoot: toHex(given.postRoot ?? ZERO_HASH),
      why: given.why,
    });
  };
  const good = (given: Case): void => add(true, given);
  const bad = (given: Case): void => add(false, given);

  const included = (tree: string, key: Uint8Array, why: string): void =>
    good({ kind: 'inclusion', tree, key, value: build(tree).get(key)!, why });
  const absent = (tree: string, key: Uint8Array, why: string): void =>
    good({ kind: 'absence', tree, key, why });
  const changed = (
    kind: 'update' | 'insert' | 'delete',
    tree: string,
    key: Uint8Array,
    why: string,
    value: Uint8Array = bytesOf('new'),
  ): void => {
    const after = build(tree);
    if (kind === 'delete') after.delete(key);
    else after.set(key, value);
    good({ kind, tree, key, value: kind === 'delete' ? NO_BYTES : value, postRoot: after.root(), why });
  };
  /** `prefix` has zeros beyond `bits`, as the honest search has. */
  const under = (kind: 'first' | 'none', tree: string, prefix: Uint8Array, bits: number, why: string): void =>
    good({ kind, tree, key: prefix, bits, why });

  // Honest cases.
  absent('empty', accountKey(5), 'nothing is in the empty tree');
  changed('insert', 'empty', accountKey(5), 'the first key: its leaf is the root');
  under('none', 'empty', keyOf(0), 0, 'L = 0: no key at all');
  under('none', 'empty', accountKey(0), 8, 'no key under a prefix of the empty tree');
  under('none', 'empty', accountKey(5), 256, 'L = 256 in the empty tree');

  included('one', accountKey(5), 'the only key: mask 0, no sibling');
  absent('one', accountKey(6), 'the only leaf has another key');
  changed('update', 'one', accountKey(5), 'update of the only key');
  changed('update', 'one', accountKey(5), 'an empty value is a value', NO_BYTES);
  changed('insert', 'one', accountKey(6), 'insertion to the right of the only key');
  changed('insert', 'one', accountKey(4), 'insertion to the left of the only key');
  changed('insert', 'one', keyOf(0xff), 'insertion that differs in bit 0');
  changed('delete', 'one', accountKey(5), 'the last key goes: zero root');
  under('first', 'one', keyOf(0), 0, 'L = 0: the only key is the first');
  under('first', 'one', accountKey(0), 8, 'the only key has the prefix');
  under('first', 'one', accountKey(5), 256, 'L = 256: the key itself');
  under('none', 'one', keyOf(0, 0), 1, 'L = 1: the only key has another first bit');
  under('none', 'one', accountKey(6), 256, 'L = 256: another key');

  included('two', accountKey(5), 'left leaf under the root node');
  included('two', accountKey(6), 'right leaf under the root node');
  changed('delete', 'two', accountKey(5), 'the sibling is lifted and becomes the root');
  changed('delete', 'two', accountKey(6), 'the sibling is lifted and becomes the root');
  under('first', 'two', keyOf(0), 0, 'L = 0: the least key');
  under('first', 'two', accountKey(6), 40, 'a prefix that ends below the only node');

  for (const [key] of TREES.exchange!) included('exchange', key, 'every key of the tree');
  for (const [key] of TREES.deep!) included('deep', key, 'every key of the tree');
  absent('exchange', accountKey(10), 'an account that is not there, beside others');
  absent('exchange', keyOf(0), 'less than every key');
  absent('exchange', keyOf(0xff), 'greater than every key');
  absent('exchange', orderKey(1, 1, 4000, 7), 'an order beside others of its level');
  absent('exchange', accountKey(0x8000_0005), 'differs from account 5 above its deepest nodes');
  absent('deep', keyOf(0, 50), 'differs between two nodes of the path');
  absent('deep', keyOf(0, 253), 'differs just above the deepest nodes');
  absent('deep', keyOf(0, 254, 255), 'differs below every node of its path');
  changed('update', 'exchange', accountKey(3), 'update in the middle');
  changed('update', 'exchange', marketStateKey(1), 'update of an empty value');
  changed('update', 'deep', keyOf(0), 'update at the deepest leaf');
  changed('insert', 'exchange', accountKey(10), 'insertion with nodes above and below');
  changed('insert', 'exchange', accountKey(0x8000_0005), 'insertion high above its neighbours');
  changed('insert', 'exchange', orderKey(1, 0, 4002, 9), 'a new best bid');
  changed('insert', 'exchange', keyOf(0xff), 'insertion above the root node');
  changed('insert', 'deep', keyOf(0, 50), 'insertion between two nodes of the path');
  changed('insert', 'deep', keyOf(0, 254, 255), 'insertion below every node of the path');
  for (const account of [1, 5, 9])
    changed('delete', 'exchange', accountKey(account), 'deletion lifts the sibling');
  changed('delete', 'deep', keyOf(0), 'deletion of the deepest leaf');
  changed('delete', 'deep', keyOf(0, 0), 'deletion of the leaf under the root node');
  under('first', 'exchange', keyOf(0), 0, 'L = 0: the least key');
  under(
    'first',
    'exchange',
    orderKey(1, 0, 2 ** 32 - 1, 0),
    32,
    'best bid: highest price, earliest priority',
  );
  under('first', 'exchange', orderKey(1, 1, 0, 0), 32, 'best ask: lowest price');
  under('first', 'exchange', orderKey(1, 1, 4000, 0), 64, 'earliest order of a level');
  under('first', 'exchange', accountKey(0), 8, 'least account');
  under('first', 'exchange', accountKey(7), 256, 'L = 256: the key itself');
  under('first', 'deep', keyOf(0, 0), 1, 'L = 1: the root node decides');
  under('first', 'deep', keyOf(0), 255, 'L = 255: one node below the prefix');
  under('none', 'exchange', orderKey(2, 0, 2 ** 32 - 1, 0), 32, 'a market without bids');
  under('none', 'exchange', accountKey(0x8000_0000), 9, 'nothing in the upper half of the accounts');
  under('none', 'exchange', keyOf(0xff), 256, 'L = 256: absence');
  under('none', 'deep', keyOf(0, 50), 51, 'the difference is the last bit of the prefix');

  // Forgeries and slips.
  const packed = (tree: string, key: Uint8Array): Uint8Array => encodeProof(build(tree).prove(key));
  const parsed = (tree: string, key: Uint8Array): PathProof => build(tree).prove(key)!;
  const a3 = accountKey(3);
  const v3 = bytesOf('account 3');
  const include3 = (proof: Uint8Array, why: string): void =>
    bad({ kind: 'inclusion', tree: 'exchange', key: a3, value: v3, proof, why });
  const proof3 = parsed('exchange', a3);

  bad({ kind: 'inclusion', tree: 'empty', key: a3, value: v3, why: 'the empty proof includes nothing' });
  bad({
    kind: 'inclusion',
    tree: 'empty',
    key: a3,
    value: v3,
    proof: packed('one', accountKey(5)),
    why: 'no leaf hashes to the zero root',
  });
  include3(NO_BYTES, 'the empty proof does not belong to a non-zero root');
  bad({
    kind: 'absence',
    tree: 'exchange',
    key: accountKey(10),
    proof: NO_BYTES,
    why: 'the empty proof shows absence only under the zero root',
  });
  bad({
    kind: 'none',
    tree: 'exchange',
    key: accountKey(10),
    proof: NO_BYTES,
    why: 'the empty proof shows no key only under the zero root',
  });
  bad({
    kind: 'insert',
    tree: 'exchange',
    key: accountKey(10),
    value: v3,
    proof: NO_BYTES,
    why: 'the empty proof inserts only under the zero root',
  });
  bad({
    kind: 'absence',
    tree: 'empty',
    key: a3,
    proof: packed('one', accountKey(5)),
    why: 'only zero bytes prove the zero root',
  });

  include3(packed('exchange', a3).slice(0, 20), 'shorter than a mask');
  include3(packed('exchange', a3).slice(0, 32), 'the mask alone');
  include3(packed('exchange', a3).slice(0, 100), 'cut within the siblings');
  include3(packed('exchange', a3).slice(0, -1), 'the last byte of the value is missing');
  include3(new Uint8Array([...packed('exchange', a3), 0]), 'one byte too many');
  include3(
    encodeProof({ ...proof3, foundValue: bytesOf('account 4') }),
    'another value: the leaf hash is computed, not taken',
  );
  bad({
    kind: 'inclusion',
    tree: 'exchange',
    key: a3,
    value: bytesOf('account 4'),
    why: 'the claimed value is not the proven one',
  });
  include3(
    encodeProof({ ...proof3, siblings: proof3.siblings.slice(1) }),
    'the node nearest the root left out',
  );
  include3(
    encodeProof({ ...proof3, siblings: proof3.siblings.slice(0, -1) }),
    'the node nearest the leaf left out',
  );
  include3(
    encodeProof({ ...proof3, siblings: [...proof3.siblings, { bitIndex: 255, hash: ZERO_HASH }] }),
    'a node with a zero sibling added below',
  );
  include3(
    encodeProof({
      ...proof3,
      siblings: proof3.siblings.map((s, i) => (i === 0 ? { ...s, bitIndex: s.bitIndex + 1 } : s)),
    }),
    'the index of a node changed: it is part of its hash',
  );
  include3(
    encodeProof({
      ...proof3,
      siblings: proof3.siblings.map((s, i) => ({ ...s, hash: proof3.siblings.at(-1 - i)!.hash })),
    }),
    'siblings in leaf-to-root order',
  );
  bad({
    kind: 'inclusion',
    tree: 'exchange',
    key: a3,
    value: v3,
    root: build('two').root(),
    why: 'the root of another tree',
  });
  bad({
    kind: 'inclusion',
    tree: 'exchange',
    key: accountKey(4),
    value: v3,
    proof: packed('exchange', a3),
    why: 'the found key is another key',
  });
  bad({
    kind: 'inclusion',
    tree: 'two',
    key: accountKey(6),
    value: bytesOf('account 5'),
    proof: encodeProof({ ...parsed('two', accountKey(5)), foundKey: accountKey(6) }),
    why: 'the found key replaced: leaf hash and directions follow from it',
  });

  const existing =
    "the key is there; the leaf shown lies elsewhere, as the found key's bits at the path's nodes tell";
  bad({
    kind: 'absence',
    tree: 'exchange',
    key: a3,
    proof: packed('exchange', accountKey(9)),
    why: existing,
  });
  bad({ kind: 'absence', tree: 'exchange', key: a3, proof: packed('exchange', keyOf(0xff)), why: existing });
  bad({
    kind: 'insert',
    tree: 'exchange',
    key: a3,
    value: v3,
    proof: packed('exchange', accountKey(9)),
    why: existing,
  });
  bad({
    kind: 'none',
    tree: 'exchange',
    key: a3,
    bits: 256,
    proof: packed('exchange', accountKey(9)),
    why: existing,
  });
  bad({
    kind: 'absence',
    tree: 'two',
    key: accountKey(6),
    proof: packed('two', accountKey(5)),
    why: existing,
  });
  bad({ kind: 'absence', tree: 'exchange', key: a3, why: 'the found key is the key' });
  bad({ kind: 'absence', tree: 'one', key: accountKey(5), why: 'the only key is the key' });
  bad({
    kind: 'insert',
    tree: 'exchange',
    key: a3,
    value: bytesOf('new'),
    why: 'an existing key is updated, not inserted',
  });
  bad({
    kind: 'insert',
    tree: 'exchange',
    key: accountKey(10),
    value: v3,
    proof: packed('exchange', globalsKey()),
    why: 'a leaf to which the new key does not lead',
  });
  bad({
    kind: 'update',
    tree: 'exchange',
    key: accountKey(10),
    value: v3,
    why: 'an absent key is inserted, not updated',
  });
  bad({
    kind: 'update',
    tree: 'empty',
    key: accountKey(10),
    value: v3,
    why: 'nothing to update in the empty tree',
  });
  bad({
    kind: 'update',
    tree: 'exchange',
    key: a3,
    value: v3,
    proof: packed('exchange', accountKey(4)),
    why: 'the proof of another key',
  });
  bad({ kind: 'delete', tree: 'exchange', key: accountKey(10), why: 'an absent key cannot be deleted' });
  bad({ kind: 'delete', tree: 'empty', key: accountKey(10), why: 'nothing to delete in the empty tree' });
  bad({
    kind: 'delete',
    tree: 'exchange',
    key: a3,
    proof: packed('exchange', accountKey(4)),
    why: 'the proof of another key',
  });
  bad({
    kind: 'delete',
    tree: 'exchange',
    key: a3,
    root: build('deep').root(),
    why: 'the root of another tree',
  });

  bad({ kind: 'first', tree: 'empty', key: keyOf(0), bits: 0, why: 'the empty tree has no first key' });
  bad({
    kind: 'first',
    tree: 'exchange',
    key: orderKey(1, 1, 0, 0),
    bits: 32,
    proof: packed('exchange', orderKey(1, 1, 4000, 1)),
    why: 'a worse price than the best ask',
  });
  bad({
    kind: 'first',
    tree: 'exchange',
    key: orderKey(1, 1, 4000, 0),
    bits: 64,
    proof: packed('exchange', orderKey(1, 1, 4000, 2)),
    why: 'a later order than the first of the level',
  });
  bad({
    kind: 'first',
    tree: 'exchange',
    key: keyOf(0),
    bits: 0,
    proof: packed('exchange', keyOf(0xff)),
    why: 'L = 0: the greatest key is not the first',
  });
  bad({
    kind: 'first',
    tree: 'exchange',
    key: orderKey(2, 1, 0, 0),
    bits: 32,
    why: 'the leaf found has another prefix',
  });
  bad({ kind: 'first', tree: 'one', key: accountKey(6), bits: 256, why: 'L = 256: another key' });
  bad({
    kind: 'first',
    tree: 'one',
    key: keyOf(0xff),
    bits: 1,
    why: 'L = 1: the only key has another first bit',
  });
  bad({
    kind: 'none',
    tree: 'exchange',
    key: orderKey(1, 1, 0, 0),
    bits: 32,
    why: 'the leaf found has the prefix',
  });
  bad({
    kind: 'none',
    tree: 'exchange',
    key: orderKey(1, 1, 0, 0),
    bits: 32,
    proof: packed('exchange', orderKey(1, 0, 4000, 1)),
    why: 'asks exist; the leaf shown is a bid',
  });
  bad({
    kind: 'none',
    tree: 'exchange',
    key: keyOf(0),
    bits: 0,
    why: 'L = 0: every key has the empty prefix',
  });
  bad({ kind: 'none', tree: 'one', key: keyOf(0), bits: 0, why: 'L = 0 in a tree of one key' });
  bad({ kind: 'none', tree: 'one', key: accountKey(0), bits: 8, why: 'the only key has the prefix' });
  bad({ kind: 'none', tree: 'one', key: accountKey(5), bits: 256, why: 'L = 256: the key itself' });

  return {
    trees: Object.keys(TREES).map((name) => ({
      name,
      root: toHex(build(name).root()),
      entries: build(name)
        .entries()
        .map(([key, value]) => ({ key: toHex(key), value: toHex(value) })),
    })),
    cases,
  };
}

export const TREE_VECTORS_FILE = fileURLToPath(new URL('../vectors/tree.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(TREE_VECTORS_FILE, `${JSON.stringify(treeVectors(), null, 1)}\n`);
