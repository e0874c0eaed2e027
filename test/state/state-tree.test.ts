/** The state tree against the naive one, under random sessions and adversarial keys. */
import fc from 'fast-check';
import { createKeccak } from 'hash-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { concat, toHex } from '#protocol/bytes.ts';
import { type Keccak, nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import { LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import { accountKey, orderKey, ownerKey, sessionKeyKey } from '#state/keys.ts';
import { KEY_BITS, StateTree } from '#state/state-tree.ts';
import { NaiveTree } from '#test/reference/naive-tree.ts';
import { closeKey, value } from './tree-arbitraries.ts';

let wasmKeccak: Keccak;
beforeAll(async () => {
  const hasher = await createKeccak(256);
  wasmKeccak = (bytes) => hasher.init().update(bytes).digest('binary');
});

type Action =
  | { do: 'set'; key: Uint8Array; value: Uint8Array }
  | { do: 'delete'; key: Uint8Array }
  | { do: 'get'; key: Uint8Array }
  | { do: 'first'; key: Uint8Array; bits: number }
  | { do: 'root' }
  | { do: 'entries' };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), key: closeKey, value }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('delete' as const), key: closeKey }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('get' as const), key: closeKey }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('first' as const),
      key: closeKey,
      bits: fc.integer({ min: 0, max: KEY_BITS }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('root' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('entries' as const) }) },
);

function* pairs(tree: StateTree): Generator<readonly [Uint8Array, Uint8Array]> {
  for (const entry of tree.entries()) yield [entry.key, entry.value];
}
const listing = (tree: StateTree): string[][] =>
  [...tree.entries()].map((entry) => [toHex(entry.key), toHex(entry.value)]);
const naiveListing = (tree: NaiveTree): string[][] =>
  tree.entries().map(([key, stored]) => [toHex(key), toHex(stored)]);

describe('state tree', () => {
  it('answers as the naive tree in any session', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const tree = new StateTree(wasmKeccak);
        const naive = new NaiveTree();
        for (const step of actions) {
          if (step.do === 'set') {
            tree.set(step.key, step.value);
            naive.set(step.key, step.value);
          } else if (step.do === 'delete') expect(tree.delete(step.key)).toBe(naive.delete(step.key));
          else if (step.do === 'get') expect(tree.get(step.key)).toEqual(naive.get(step.key));
          else if (step.do === 'first')
            expect(tree.firstUnder(step.key, step.bits)).toEqual(naive.firstUnder(step.key, step.bits));
          else if (step.do === 'root') expect(toHex(tree.root())).toBe(toHex(naive.root()));
          else expect(listing(tree)).toEqual(naiveListing(naive));
          expect(tree.size).toBe(naive.size);
        }
        expect(toHex(tree.root())).toBe(toHex(naive.root()));
        expect(listing(tree)).toEqual(naiveListing(naive));
      }),
      { numRuns: 500 },
    );
  });

  it('has one root for one content, whatever the order of insertion, deletions between, or bulk load', () => {
    const contents = fc.uniqueArray(fc.tuple(closeKey, value), {
      selector: ([key]) => toHex(key),
      maxLength: 40,
    });
    fc.assert(
      fc.property(contents, fc.array(closeKey), fc.infiniteStream(fc.nat()), (entries, passing, random) => {
        const shuffled = entries
          .map((entry) => ({ entry, rank: random.next().value as number }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ entry }) => entry);
        const a = new StateTree(wasmKeccak);
        for (const [key, stored] of entries) a.set(key, stored);
        const b = new StateTree(wasmKeccak);
        const kept = new Set(entries.map(([key]) => toHex(key)));
        for (const key of passing) b.set(key, key);
        b.root();
        for (const [key, stored] of shuffled) b.set(key, stored);
        for (const key of passing) if (!kept.has(toHex(key))) b.delete(key);
        const c = new StateTree(wasmKeccak);
        c.set(new Uint8Array(32).fill(9), new Uint8Array(3));
        c.loadSorted(pairs(a));
        expect(toHex(b.root())).toBe(toHex(a.root()));
        expect(toHex(c.root())).toBe(toHex(a.root()));
        expect(c.size).toBe(a.size);
      }),
    );
  });

  it('keeps the hashes of a long session true, however roots are asked for in between', () => {
    const pool = Array.from({ length: 48 }, (_, i) => accountKey((i * 0x9e3779b1) >>> (i % 24)));
    const step = fc.tuple(fc.nat(pool.length - 1), fc.nat(9), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), (steps) => {
        const tree = new StateTree(wasmKeccak);
        for (const [place, what, ask] of steps) {
          const key = pool[place]!;
          if (what < 4) tree.delete(key);
          else tree.set(key, Uint8Array.of(what));
          if (!ask) continue;
          const fresh = new StateTree(wasmKeccak);
          fresh.loadSorted(pairs(tree));
          expect(toHex(tree.root())).toBe(toHex(fresh.root()));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('hashes the empty, the one-key and the two-key tree as the specification says', () => {
    const tree = new StateTree(wasmKeccak);
    expect(toHex(tree.root())).toBe(toHex(ZERO_HASH));
    const [a, b] = [accountKey(1), accountKey(2)];
    const leaf = (key: Uint8Array, stored: Uint8Array): Uint8Array =>
      nobleKeccak(concat(Uint8Array.of(0x00), key, nobleKeccak(stored)));
    tree.set(b, Uint8Array.of(2));
    expect(toHex(tree.root())).toBe(toHex(leaf(b, Uint8Array.of(2))));
    tree.set(a, Uint8Array.of(1));
    // Accounts 1 (…01) and 2 (…10) first differ in the second-last bit of bytes 1 to 4.
    const preimage = concat(Uint8Array.of(0x01, 38), leaf(a, Uint8Array.of(1)), leaf(b, Uint8Array.of(2)));
    expect(toHex(tree.root())).toBe(toHex(nobleKeccak(preimage)));
    expect(tree.delete(a)).toBe(true);
    expect(tree.delete(a)).toBe(false);
    expect(toHex(tree.root())).toBe(toHex(leaf(b, Uint8Array.of(2))));
    expect(tree.delete(b)).toBe(true);
    expect(toHex(tree.root())).toBe(toHex(ZERO_HASH));
    expect(tree.firstUnder(new Uint8Array(0), 0)).toBeUndefined();
  });

  it('stands 256 nodes on one path', () => {
    const tree = new StateTree(wasmKeccak);
    const naive = new NaiveTree();
    const keys = [new Uint8Array(32)];
    for (let bit = 0; bit < KEY_BITS; bit++) {
      const key = new Uint8Array(32);
      key[bit >> 3] = 0x80 >> (bit & 7);
      keys.push(key);
    }
    for (const key of keys) {
      tree.set(key, key);
      naive.set(key, key);
    }
    expect(toHex(tree.root())).toBe(toHex(naive.root()));
    expect(tree.search(keys[0]!)!.siblings.length).toBe(KEY_BITS);
    for (const key of keys.slice(0, 200)) {
      tree.delete(key);
      naive.delete(key);
    }
    expect(toHex(tree.root())).toBe(toHex(naive.root()));
  });

  it('finds the best price and the earliest order first', () => {
    const tree = new StateTree(wasmKeccak);
    const put = (side: number, price: number, priority: number): void =>
      tree.set(orderKey(7, side, price, priority), Uint8Array.of(price, priority));
    for (const [price, priority] of [
      [100, 3],
      [101, 1],
      [99, 9],
      [99, 4],
      [101, 2],
    ] as const) {
      put(0, price, priority);
      put(1, price, priority);
    }
    const first = (side: number): Uint8Array | undefined =>
      tree.firstUnder(orderKey(7, side, 0, 0).subarray(0, 4), 32)?.value;
    expect(first(0)).toEqual(Uint8Array.of(101, 1));
    expect(first(1)).toEqual(Uint8Array.of(99, 4));
    expect(tree.firstUnder(orderKey(8, 0, 0, 0).subarray(0, 4), 32)).toBeUndefined();
  });

  it('hashes each changed path once between two roots, and nothing when nothing changed', () => {
    const tree = new StateTree(wasmKeccak);
    for (let account = 0; account < 1024; account++) tree.set(accountKey(account), Uint8Array.of(1));
    tree.root();
    // Balanced by construction: 1,024 leaves with two hashes each, 1,023 nodes.
    expect(tree.hashes).toBe(2 * 1024 + 1023);
    tree.root();
    tree.set(accountKey(5), Uint8Array.of(1));
    tree.root();
    expect(tree.hashes).toBe(2 * 1024 + 1023);
    const before = tree.hashes;
    tree.set(accountKey(5), Uint8Array.of(2));
    tree.set(accountKey(4), Uint8Array.of(2));
    tree.set(accountKey(5), Uint8Array.of(3));
    tree.root();
    expect(tree.hashes - before).toBe(2 * 2 + 10);
    // A key that comes and goes between two roots: only the nodes above are hashed again, not the leaf beside it.
    const beforeVisit = tree.hashes;
    tree.set(sessionKeyKey(5, new Uint8Array(20)), Uint8Array.of(1));
    tree.set(ownerKey(new Uint8Array(20), 0), Uint8Array.of(1));
    tree.delete(sessionKeyKey(5, new Uint8Array(20)));
    tree.delete(ownerKey(new Uint8Array(20), 0));
    tree.root();
    expect(tree.hashes).toBe(beforeVisit);
    const lower = accountKey(5);
    lower[31] = 1;
    tree.set(lower, Uint8Array.of(1));
    tree.delete(lower);
    tree.root();
    expect(tree.hashes - beforeVisit).toBe(10);
  });

  it('keeps its own copy of keys and values, and hands out values that later writes leave alone', () => {
    const tree = new StateTree(wasmKeccak);
    const key = accountKey(1);
    const stored = Uint8Array.of(1, 2, 3);
    tree.set(key, stored);
    const root = toHex(tree.root());
    stored.fill(9);
    key.fill(9);
    const read = tree.get(accountKey(1))!;
    expect(read).toEqual(Uint8Array.of(1, 2, 3));
    expect(toHex(tree.root())).toBe(root);
    tree.set(accountKey(1), Uint8Array.of(4));
    tree.delete(accountKey(1));
    expect(read).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('says what it expected and got', () => {
    const tree = new StateTree(wasmKeccak);
    expect(() => tree.get(new Uint8Array(31))).toThrow('tree key: expected 32 bytes, got 31');
    expect(() => tree.set(new Uint8Array(33), new Uint8Array(0))).toThrow(
      'tree key: expected 32 bytes, got 33',
    );
    expect(() => tree.set(accountKey(1), new Uint8Array(LEAF_VALUE_BYTES_MAX + 1))).toThrow(
      `expected at most ${LEAF_VALUE_BYTES_MAX} bytes, got ${LEAF_VALUE_BYTES_MAX + 1}`,
    );
    expect(() => tree.firstUnder(new Uint8Array(32), 257)).toThrow('expected 0 to 256, got 257');
    expect(() => tree.firstUnder(new Uint8Array(1), 9)).toThrow('expected 9 bits');
    const twice = [accountKey(1), accountKey(1)].map((key) => [key, key] as const);
    expect(() => tree.loadSorted(twice)).toThrow('strictly ascending order at entry 1');
    const falling = [accountKey(2), accountKey(1)].map((key) => [key, key] as const);
    expect(() => tree.loadSorted(falling)).toThrow('strictly ascending order at entry 1');
    expect(tree.size).toBe(0);
  });
});

describe('keccak256', () => {
  it('is the same by wasm and by noble, for every length around the block size and any bytes', () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = new Uint8Array(length).fill(length);
      expect(toHex(wasmKeccak(bytes))).toBe(toHex(nobleKeccak(bytes)));
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        expect(toHex(wasmKeccak(bytes))).toBe(toHex(nobleKeccak(bytes)));
      }),
    );
  });
});
