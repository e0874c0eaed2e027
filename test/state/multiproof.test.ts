/** Multiproofs: the shared vectors, what is opened against what was asked for, and forgeries that must fail. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, concat, fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import { accountKey } from '#state/keys.ts';
import { multiproof, type OpenedMultiproof, openMultiproof } from '#state/multiproof.ts';
import { NaiveTree } from '#test/reference/naive-tree.ts';
import {
  deepest,
  exchangeShape,
  fastTree,
  MULTIPROOF_VECTORS_FILE,
  type MultiproofVectors,
  multiproofVectors,
} from './multiproof-vectors.ts';
import { closeKey, value } from './tree-arbitraries.ts';

const open = (proof: Uint8Array): OpenedMultiproof => openMultiproof(proof, nobleKeccak);

const contents = fc.uniqueArray(fc.tuple(closeKey, value), {
  selector: ([key]) => toHex(key),
  maxLength: 30,
});
/** A tree and, for each of its leaves, whether its value, its hash or nothing is asked for. */
const asked = contents.chain((entries) =>
  fc.tuple(
    fc.constant(entries),
    fc.array(fc.constantFrom('value', 'other', 'none'), {
      minLength: entries.length,
      maxLength: entries.length,
    }),
  ),
);

function proofOf(entries: readonly [Uint8Array, Uint8Array][], how: readonly string[]): Uint8Array {
  const keys = (wanted: string): Uint8Array[] =>
    entries.flatMap(([key], i) => (how[i] === wanted ? [key] : []));
  return multiproof(fastTree(entries), { values: keys('value'), others: keys('other') });
}

describe('shared multiproof vectors', () => {
  const vectors = JSON.parse(readFileSync(MULTIPROOF_VECTORS_FILE, 'utf8')) as MultiproofVectors;

  it('are what the generator says', () => {
    expect(vectors).toEqual(multiproofVectors());
    expect(vectors.runs.length).toBeGreaterThanOrEqual(19);
    expect(new Set(vectors.malformed.map(({ field }) => field)).size).toBe(6);
  });

  it('open to their roots', () => {
    for (const { name, root, proof } of vectors.runs)
      expect(toHex(open(fromHex(proof)).root), name).toBe(root);
  });

  it('are refused by the name of the broken rule', () => {
    for (const { name, proof, field } of vectors.malformed) {
      // Here a field that the proof's end cuts is named itself.
      const named = field === 'end' ? 'multiproof at byte' : `: ${field}: expected`;
      expect(() => open(fromHex(proof)), name).toThrow(named);
    }
  });
});

describe('multiproof', () => {
  it('opens to the root, with every value that was asked for and no leaf that was not', () => {
    fc.assert(
      fc.property(asked, ([entries, how]) => {
        const naive = new NaiveTree();
        for (const [key, stored] of entries) naive.set(key, stored);
        const opened = open(proofOf(entries, how));
        expect(opened.root).toEqual(naive.root());
        const expected = entries
          .flatMap(([key, stored], i) =>
            how[i] === 'none'
              ? []
              : [how[i] === 'value' || stored.length <= 30 ? { key, value: stored } : { key }],
          )
          .sort((a, b) => compareBytes(a.key, b.key));
        expect(opened.leaves).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('says nothing else once bits are flipped, bytes are cut or bytes are added', () => {
    fc.assert(
      fc.property(asked, fc.nat(), fc.nat(), ([entries, how], place, change) => {
        const proof = proofOf(entries, how);
        const honest = open(proof);
        const flipped = proof.slice();
        if (flipped.length > 0) flipped[place % flipped.length]! ^= 1 << (change % 8);
        const mutants = [flipped, concat(proof, Uint8Array.of(change & 0xff))];
        if (proof.length > 0) mutants.push(proof.slice(0, place % proof.length));
        for (const mutant of mutants) {
          if (toHex(mutant) === toHex(proof)) continue;
          let opened: OpenedMultiproof;
          try {
            opened = open(mutant);
          } catch {
            continue;
          }
          if (toHex(opened.root) === toHex(honest.root)) expect(opened).toEqual(honest);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('never opens random bytes to a root of somebody else, and never crashes', () => {
    const root = exchangeShape().root();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          expect(open(bytes).root).not.toEqual(root);
        } catch (error) {
          expect(String(error)).toContain('multiproof at byte');
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('gives each node once: many keys cost less than their paths', () => {
    const tree = exchangeShape();
    const keys = Array.from({ length: 12 }, (_, i) => accountKey(i + 1));
    const opened = open(multiproof(tree, { values: keys, others: keys }));
    expect(opened.opaque).toBe(0);
    expect(opened.leaves.map(({ key }) => key)).toEqual(keys);
    expect(opened.leaves.every((leaf) => leaf.value !== undefined)).toBe(true);
    const none = multiproof(tree, { values: [], others: [] });
    expect(none).toEqual(concat(Uint8Array.of(0), tree.root()));
    expect(open(none)).toEqual({ root: tree.root(), leaves: [], opaque: 1 });
  });

  it('of the empty tree is nothing, and of the deepest path whole', () => {
    expect(multiproof(fastTree([]), { values: [], others: [] })).toEqual(new Uint8Array(0));
    expect(open(new Uint8Array(0)).root).toEqual(ZERO_HASH);
    const tree = fastTree(deepest());
    const opened = open(multiproof(tree, { values: [new Uint8Array(32)], others: [] }));
    expect(opened).toEqual({
      root: tree.root(),
      leaves: [{ key: new Uint8Array(32), value: Uint8Array.of(0) }],
      opaque: 256,
    });
  });

  it('refuses keys that are absent', () => {
    const tree = exchangeShape();
    expect(() => multiproof(tree, { values: [accountKey(13)], others: [] })).toThrow(
      `expected present keys, got ${toHex(accountKey(13))}`,
    );
    expect(() => multiproof(tree, { values: [], others: [accountKey(1), accountKey(0x8000_0001)] })).toThrow(
      'expected present keys',
    );
    expect(() => multiproof(fastTree([]), { values: [accountKey(1)], others: [] })).toThrow(
      'expected present keys',
    );
    const visitor = { node: () => {}, opaque: () => {}, leaf: () => {} };
    expect(() => tree.visitPaths([accountKey(2), accountKey(1)], visitor)).toThrow(
      'strictly ascending order at key 1',
    );
    expect(() => tree.visitPaths([accountKey(2), accountKey(2)], visitor)).toThrow(
      'strictly ascending order at key 1',
    );
  });
});
