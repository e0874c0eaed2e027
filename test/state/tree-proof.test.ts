/** Path proofs: the shared vectors, every question against the naive tree, and forgeries that must fail. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { createKeccak } from 'hash-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '#protocol/bytes.ts';
import { type Keccak, nobleKeccak } from '#protocol/hash.ts';
import { LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import { KEY_BITS, prefixKey, StateTree } from '#state/state-tree.ts';
import {
  decodeProof,
  encodePath,
  encodeProof,
  type PathProof,
  prove,
  proveUnder,
  rootAfterDelete,
  rootAfterInsert,
  rootAfterUpdate,
  verifyAbsence,
  verifyFirstUnder,
  verifyInclusion,
  verifyNoneUnder,
} from '#state/tree-proof.ts';
import { NaiveTree } from '#test/reference/naive-tree.ts';
import { closeKey, value } from './tree-arbitraries.ts';
import { TREE_VECTORS_FILE, type TreeCase, type TreeVectors, treeVectors } from './tree-vectors.ts';

let keccak: Keccak;
beforeAll(async () => {
  const hasher = await createKeccak(256);
  keccak = (bytes) => hasher.init().update(bytes).digest('binary');
});

const decoded = (proof: Uint8Array): PathProof | undefined | 'malformed' => {
  try {
    return decodeProof(proof);
  } catch {
    return 'malformed';
  }
};

/** What the verifier says to a case: false, true, or the root afterwards. */
function verdict(given: TreeCase): boolean | string {
  const proof = decoded(fromHex(given.proof));
  if (proof === 'malformed') return false;
  const root = fromHex(given.root);
  const key = fromHex(given.key);
  const stored = fromHex(given.value);
  const after = (result: Uint8Array | undefined): false | string => result !== undefined && toHex(result);
  switch (given.kind) {
    case 'inclusion':
      return verifyInclusion(root, key, stored, proof, keccak);
    case 'absence':
      return verifyAbsence(root, key, proof, keccak);
    case 'update':
      return after(rootAfterUpdate(root, key, stored, proof, keccak));
    case 'insert':
      return after(rootAfterInsert(root, key, stored, proof, keccak));
    case 'delete':
      return after(rootAfterDelete(root, key, proof, keccak));
    case 'first':
      return verifyFirstUnder(root, key, given.bits, proof, keccak);
    case 'none':
      return verifyNoneUnder(root, key, given.bits, proof, keccak);
  }
}

describe('shared tree vectors', () => {
  const vectors = JSON.parse(readFileSync(TREE_VECTORS_FILE, 'utf8')) as TreeVectors;

  it('are what the naive tree says', () => {
    expect(vectors).toEqual(treeVectors());
  });

  it('have the roots of the fast tree', () => {
    expect(vectors.trees.length).toBeGreaterThanOrEqual(5);
    for (const { name, root, entries } of vectors.trees) {
      const tree = new StateTree(keccak);
      for (const entry of entries) tree.set(fromHex(entry.key), fromHex(entry.value));
      expect(toHex(tree.root()), name).toBe(root);
    }
  });

  it('are decided as written', () => {
    const kinds = new Set<string>();
    for (const given of vectors.cases) {
      kinds.add(`${given.kind} ${given.valid}`);
      const changes = ['update', 'insert', 'delete'].includes(given.kind);
      const expected = given.valid && changes ? given.postRoot : given.valid;
      expect(verdict(given), `${given.kind} in ${given.tree}: ${given.why}`).toBe(expected);
    }
    expect(kinds.size).toBe(14);
  });
});

const contents = fc.uniqueArray(fc.tuple(closeKey, value), {
  selector: ([key]) => toHex(key),
  maxLength: 30,
});
const prefixBits = fc.oneof(fc.integer({ min: 0, max: KEY_BITS }), fc.constantFrom(0, 1, 255, 256));

function both(entries: readonly [Uint8Array, Uint8Array][]): { tree: StateTree; naive: NaiveTree } {
  const tree = new StateTree(keccak);
  const naive = new NaiveTree();
  for (const [key, stored] of entries) {
    tree.set(key, stored);
    naive.set(key, stored);
  }
  return { tree, naive };
}

/** Every claim that one proof could be used for. */
interface Claims {
  readonly included: boolean;
  readonly absent: boolean;
  readonly first: boolean;
  readonly none: boolean;
  readonly updated: Uint8Array | undefined;
  readonly inserted: Uint8Array | undefined;
  readonly deleted: Uint8Array | undefined;
}

function claims(
  root: Uint8Array,
  key: Uint8Array,
  bits: number,
  stored: Uint8Array,
  proof: PathProof | undefined,
): Claims {
  return {
    included: verifyInclusion(root, key, stored, proof, keccak),
    absent: verifyAbsence(root, key, proof, keccak),
    first: verifyFirstUnder(root, key, bits, proof, keccak),
    none: verifyNoneUnder(root, key, bits, proof, keccak),
    updated: rootAfterUpdate(root, key, stored, proof, keccak),
    inserted: rootAfterInsert(root, key, stored, proof, keccak),
    deleted: rootAfterDelete(root, key, proof, keccak),
  };
}

const NOTHING: Claims = {
  included: false,
  absent: false,
  first: false,
  none: false,
  updated: undefined,
  inserted: undefined,
  deleted: undefined,
};

describe('path proof', () => {
  it('is that of the naive tree and survives packing', () => {
    fc.assert(
      fc.property(contents, closeKey, (entries, key) => {
        const { tree, naive } = both(entries);
        const proof = prove(tree, key);
        expect(proof).toEqual(naive.prove(key));
        expect(decodeProof(encodeProof(proof))).toEqual(proof);
        if (proof !== undefined)
          expect(encodeProof(proof).subarray(0, 32 + 32 * proof.siblings.length)).toEqual(
            encodePath(proof.siblings),
          );
      }),
    );
  });

  it('shows what is so of a key: inclusion or absence, and every root afterwards', () => {
    fc.assert(
      fc.property(contents, closeKey, value, (entries, key, next) => {
        const { tree, naive } = both(entries);
        const root = tree.root();
        const proof = prove(tree, key);
        const stored = naive.get(key);
        expect(verifyAbsence(root, key, proof, keccak)).toBe(stored === undefined);
        expect(verifyInclusion(root, key, stored ?? next, proof, keccak)).toBe(stored !== undefined);
        const updated = rootAfterUpdate(root, key, next, proof, keccak);
        const inserted = rootAfterInsert(root, key, next, proof, keccak);
        const deleted = rootAfterDelete(root, key, proof, keccak);
        naive.set(key, next);
        expect(stored === undefined ? inserted : updated).toEqual(naive.root());
        expect(stored === undefined ? updated : inserted).toBeUndefined();
        naive.delete(key);
        expect(deleted).toEqual(stored === undefined ? undefined : naive.root());
      }),
      { numRuns: 300 },
    );
  });

  it('shows the first key under a prefix, or that there is none', () => {
    fc.assert(
      fc.property(contents, closeKey, prefixBits, (entries, prefix, bits) => {
        const { tree, naive } = both(entries);
        const root = tree.root();
        const proof = proveUnder(tree, prefix, bits);
        const first = naive.firstUnder(prefix, bits);
        expect(verifyFirstUnder(root, prefix, bits, proof, keccak)).toBe(first !== undefined);
        expect(verifyNoneUnder(root, prefix, bits, proof, keccak)).toBe(first === undefined);
        if (first !== undefined) expect(proof!.foundKey).toEqual(first.key);
      }),
      { numRuns: 300 },
    );
  });

  it('of any leaf shows nothing that is not so, whatever it is asked for', () => {
    fc.assert(
      fc.property(contents, closeKey, closeKey, prefixBits, value, (entries, shown, key, bits, next) => {
        const { tree, naive } = both(entries);
        const made = claims(tree.root(), key, bits, next, prove(tree, shown));
        const first = naive.firstUnder(key, bits);
        const stored = naive.get(key);
        if (made.included) expect(stored).toEqual(next);
        if (made.absent || made.inserted !== undefined) expect(stored).toBeUndefined();
        if (made.updated !== undefined || made.deleted !== undefined) expect(stored).toBeDefined();
        if (made.first) expect(toHex(prove(tree, shown)!.foundKey)).toBe(toHex(first!.key));
        if (made.none) expect(first).toBeUndefined();
        naive.set(key, next);
        for (const root of [made.updated, made.inserted])
          if (root !== undefined) expect(root).toEqual(naive.root());
        naive.delete(key);
        if (made.deleted !== undefined) expect(made.deleted).toEqual(naive.root());
      }),
      { numRuns: 500 },
    );
  });

  it('shows nothing once any of its bits is flipped, its bytes are cut or bytes are added', () => {
    fc.assert(
      fc.property(contents, closeKey, prefixBits, fc.nat(), fc.nat(), (entries, key, bits, place, change) => {
        const { tree } = both(entries);
        const root = tree.root();
        const packed = encodeProof(prove(tree, key));
        const mutants = [
          Uint8Array.of(...packed, change & 255),
          packed.slice(0, place % (packed.length + 1)),
        ];
        const flipped = packed.slice();
        if (flipped.length > 0) flipped[place % flipped.length]! ^= 1 << (change % 8);
        mutants.push(flipped);
        for (const mutant of mutants) {
          if (toHex(mutant) === toHex(packed)) continue;
          const proof = decoded(mutant);
          if (proof === 'malformed') continue;
          expect(claims(root, key, bits, proof?.foundValue ?? key, proof)).toEqual(NOTHING);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('of an odd shape shows nothing, even under the very root that it folds to', () => {
    const key = new Uint8Array(32).fill(5);
    const hash = new Uint8Array(32).fill(7);
    const honest: PathProof = {
      foundKey: key,
      foundValue: key,
      siblings: [3, 9, 200].map((bitIndex) => ({ bitIndex, hash })),
    };
    const folded = ({ foundKey, foundValue, siblings }: PathProof): Uint8Array =>
      siblings.reduceRight(
        (below, { bitIndex, hash: beside }) => {
          const head = Uint8Array.of(1, bitIndex);
          const bit = (foundKey[bitIndex >> 3]! >> (7 - (bitIndex & 7))) & 1;
          return nobleKeccak(bit === 0 ? concat(head, below, beside) : concat(head, beside, below));
        },
        nobleKeccak(concat(Uint8Array.of(0), foundKey, nobleKeccak(foundValue))),
      );
    const withIndices = (...indices: number[]): PathProof => ({
      ...honest,
      siblings: indices.map((bitIndex) => ({ bitIndex, hash })),
    });
    const asked = (proof: PathProof): Claims =>
      claims(folded(proof), proof.foundKey.slice(0, 32), KEY_BITS, proof.foundValue, proof);
    expect(asked(honest)).toMatchObject({ included: true, first: true });
    const odd: PathProof[] = [
      withIndices(9, 3, 200),
      withIndices(3, 3, 9, 200),
      withIndices(3, 9, 200, 256),
      withIndices(-1, 3),
      withIndices(3, 9.5),
      { ...honest, siblings: [{ bitIndex: 3, hash: hash.slice(0, 31) }] },
      { ...honest, siblings: [{ bitIndex: 3, hash: concat(hash, hash) }] },
      { ...honest, foundKey: Uint8Array.of(...key, 0) },
      { ...honest, foundValue: new Uint8Array(LEAF_VALUE_BYTES_MAX + 1) },
    ];
    for (const proof of odd) expect(asked(proof)).toEqual(NOTHING);
    // A key of the same odd length must not do either.
    const long = { ...honest, foundKey: Uint8Array.of(...key, 0) };
    expect(verifyInclusion(folded(long), long.foundKey, key, long, keccak)).toBe(false);
  });

  it('does not decode from random bytes into anything that verifies, and never crashes', () => {
    const { tree } = both([[prefixKey(Uint8Array.of(1), 8), Uint8Array.of(1)]]);
    const root = tree.root();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), closeKey, prefixBits, (bytes, key, bits) => {
        const proof = decoded(bytes);
        if (proof === 'malformed') return;
        expect(claims(root, key, bits, key, proof)).toEqual(NOTHING);
      }),
      { numRuns: 2000 },
    );
    expect(() => decodeProof(new Uint8Array(31))).toThrow('tree proof mask: expected 32 bytes, got 31');
    expect(() => decodeProof(new Uint8Array(63))).toThrow('expected at least 64 bytes');
    expect(() => decodeProof(new Uint8Array(64 + LEAF_VALUE_BYTES_MAX + 1))).toThrow('tree proof value');
  });
});
