/** The ledger diff: the shared vectors, round trips over random ledgers, and bytes that must be refused. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { DIFF_BYTES_MAX, LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import { applyDiff, type ChangedLeaf, DiffError, encodeDiff, type LeafChange } from '#state/diff.ts';
import { accountKey } from '#state/keys.ts';
import { StateTree } from '#state/state-tree.ts';
import { DIFF_VECTORS_FILE, type DiffVectors, diffVectors, type Leaf } from './diff-vectors.ts';
import { closeKey } from './tree-arbitraries.ts';

type Ledger = Map<string, Uint8Array>;
const ledgerOf = (leaves: readonly Leaf[]): Ledger =>
  new Map(leaves.map(({ key, value }) => [key, fromHex(value)]));
const reader =
  (ledger: Ledger) =>
  (key: Uint8Array): Uint8Array | undefined =>
    ledger.get(toHex(key));

describe('shared diff vectors', () => {
  const vectors = JSON.parse(readFileSync(DIFF_VECTORS_FILE, 'utf8')) as DiffVectors;

  it('are as assembled by hand', () => {
    expect(vectors).toEqual(diffVectors());
    expect(vectors.cases.length).toBeGreaterThanOrEqual(16);
    expect(vectors.malformed.length).toBeGreaterThanOrEqual(30);
  });

  it('are encoded and decoded as written', () => {
    for (const { why, before, after, diff } of vectors.cases) {
      const ledger = ledgerOf(before);
      const changes = after.map(
        ({ key, value, deleted }): LeafChange => ({
          key: fromHex(key),
          oldValue: ledger.get(key),
          newValue: deleted ? undefined : fromHex(value),
        }),
      );
      expect(toHex(encodeDiff(changes.reverse())), why).toBe(diff);
      const leaves = after.map(
        ({ key, value, deleted }): ChangedLeaf =>
          deleted ? { key: fromHex(key) } : { key: fromHex(key), value: fromHex(value) },
      );
      expect(applyDiff(fromHex(diff), reader(ledger)), why).toEqual(leaves);
    }
  });

  it('that are malformed are refused at the byte where it shows', () => {
    for (const { why, before, diff, offset } of vectors.malformed) {
      let refusal: unknown;
      try {
        applyDiff(fromHex(diff), reader(ledgerOf(before)));
      } catch (error) {
        refusal = error;
      }
      expect(refusal, why).toBeInstanceOf(DiffError);
      expect((refusal as DiffError).offset, `${why}: ${(refusal as DiffError).message}`).toBe(offset);
      expect((refusal as DiffError).message).toMatch(/^ledger diff at byte \d+: expected /);
    }
  });
});

const ledgerKey = closeKey.filter((key) => key.some((byte) => byte !== 0));
/** Long values with few bytes that are not zero, as leaves are. */
const value = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 700 })),
    fc.array(fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 20 })), { maxLength: 6 }),
  )
  .map(([length, stretches]) => {
    const bytes = new Uint8Array(length);
    for (const [place, stretch] of stretches) {
      const at = length === 0 ? 0 : place % length;
      bytes.set(stretch.subarray(0, length - at), at);
    }
    return bytes;
  });
const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
/** Another value that has much in common with the old one. */
const edited = (old: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array => {
  const bytes = old.slice();
  for (const [place, byte] of changes) if (bytes.length > 0) bytes[place % bytes.length] = byte;
  return bytes;
};
const change: fc.Arbitrary<LeafChange> = fc
  .record({
    key: ledgerKey,
    old: fc.option(value, { nil: undefined }),
    fresh: fc.option(value, { nil: undefined }),
    edits: fc.option(edits, { nil: undefined }),
  })
  .map(({ key, old, fresh, edits: made }) => ({
    key,
    oldValue: old,
    newValue: old !== undefined && made !== undefined ? edited(old, made) : fresh,
  }));
const changeSet = fc.uniqueArray(change, { selector: ({ key }) => toHex(key), maxLength: 20 });
const ledgerBefore = (changes: readonly LeafChange[]): Ledger => {
  const ledger: Ledger = new Map();
  for (const { key, oldValue } of changes) if (oldValue !== undefined) ledger.set(toHex(key), oldValue);
  return ledger;
};

describe('ledger diff', () => {
  it('gives back exactly what changed, by ascending key', () => {
    fc.assert(
      fc.property(changeSet, (changes) => {
        const ledger = ledgerBefore(changes);
        const expected = changes
          .filter(({ oldValue, newValue }) => (oldValue && toHex(oldValue)) !== (newValue && toHex(newValue)))
          .sort((a, b) => compareBytes(a.key, b.key))
          .map(({ key, newValue }) => (newValue === undefined ? { key } : { key, value: newValue }));
        expect(applyDiff(encodeDiff(changes), reader(ledger))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('has one encoding for a change set: mutated bytes are refused or say something else', () => {
    const mutation = fc.tuple(fc.constantFrom('flip', 'drop', 'add', 'swap'), fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(changeSet, fc.array(mutation, { minLength: 1, maxLength: 3 }), (changes, mutations) => {
        const ledger = ledgerBefore(changes);
        const bytes = [...encodeDiff(changes)];
        for (const [how, place, byte] of mutations) {
          const at = place % (bytes.length + 1);
          if (how === 'flip' && at < bytes.length) bytes[at]! ^= 1 << (byte % 8);
          else if (how === 'drop') bytes.splice(at, 1);
          else if (how === 'add') bytes.splice(at, 0, byte);
          else if (at + 1 < bytes.length) bytes.splice(at, 2, bytes[at + 1]!, bytes[at]!);
        }
        const mutant = Uint8Array.from(bytes);
        let leaves: ChangedLeaf[];
        try {
          leaves = applyDiff(mutant, reader(ledger));
        } catch (error) {
          expect(error).toBeInstanceOf(DiffError);
          expect((error as DiffError).offset).toBeLessThanOrEqual(mutant.length);
          return;
        }
        const again = leaves.map(({ key, value: newValue }) => ({
          key,
          oldValue: ledger.get(toHex(key)),
          newValue,
        }));
        expect(toHex(encodeDiff(again))).toBe(toHex(mutant));
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses random bytes with a clear error and nothing else', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // Likely heads, lengths and runs, so that the reader gets further.
      fc
        .array(fc.constantFrom(0x00, 0x01, 0x02, 0x10, 0x11, 0x20, 0x40, 0x60, 0x61, 0xf0), { maxLength: 60 })
        .map((values) => Uint8Array.from(values)),
    );
    const answer = fc.option(value, { nil: undefined });
    fc.assert(
      fc.property(bytes, answer, (given, stored) => {
        let leaves: ChangedLeaf[];
        try {
          leaves = applyDiff(given, () => stored);
        } catch (error) {
          expect(error).toBeInstanceOf(DiffError);
          return;
        }
        const again = leaves.map(({ key, value: newValue }) => ({ key, oldValue: stored, newValue }));
        expect(toHex(encodeDiff(again))).toBe(toHex(given));
      }),
      { numRuns: 5000 },
    );
  });

  it('alone rebuilds the tree', () => {
    fc.assert(
      fc.property(fc.array(changeSet, { maxLength: 5 }), (batches) => {
        const live = new StateTree(nobleKeccak);
        const rebuilt = new StateTree(nobleKeccak);
        for (const batch of batches) {
          const changes = batch.map(({ key, newValue }) => ({ key, oldValue: live.get(key), newValue }));
          for (const { key, newValue } of changes)
            if (newValue === undefined) live.delete(key);
            else live.set(key, newValue);
          for (const leaf of applyDiff(encodeDiff(changes), (key) => rebuilt.get(key)))
            if (leaf.value === undefined) rebuilt.delete(leaf.key);
            else rebuilt.set(leaf.key, leaf.value);
          expect(toHex(rebuilt.root())).toBe(toHex(live.root()));
        }
      }),
    );
  });

  it('costs a few bytes for an account whose balance moved', () => {
    const before = new Uint8Array(200).fill(3);
    const after = before.slice();
    after.set([1, 2, 4], 13);
    const changes = [1000, 1001].map((id) => ({ key: accountKey(id), oldValue: before, newValue: after }));
    // Second entry: head, suffix length, one byte of key, one run of three bytes, the end.
    expect(encodeDiff(changes).length - encodeDiff(changes.slice(0, 1)).length).toBe(8);
  });

  it('holds its bounds', () => {
    const key = accountKey(1);
    const one = Uint8Array.of(1);
    const twice = [
      { key, newValue: one },
      { key: key.slice(), newValue: one },
    ];
    expect(() => encodeDiff(twice)).toThrow('expected each key once');
    expect(() => encodeDiff([{ key: new Uint8Array(32), newValue: one }])).toThrow('zero key');
    expect(() => encodeDiff([{ key: new Uint8Array(31), newValue: one }])).toThrow('expected 32 bytes');
    const long = new Uint8Array(LEAF_VALUE_BYTES_MAX + 1);
    expect(() => encodeDiff([{ key, newValue: long }])).toThrow(`got ${LEAF_VALUE_BYTES_MAX + 1}`);
    const full = new Uint8Array(LEAF_VALUE_BYTES_MAX).fill(1);
    const many = Array.from({ length: 31 }, (_, id) => ({ key: accountKey(id), newValue: full }));
    expect(() => encodeDiff(many)).toThrow(`expected at most ${DIFF_BYTES_MAX} bytes`);
    expect(applyDiff(encodeDiff(many.slice(0, 29)), () => undefined).length).toBe(29);
    const tooLong = new Uint8Array(DIFF_BYTES_MAX + 1);
    expect(() => applyDiff(tooLong, () => undefined)).toThrow(`got ${DIFF_BYTES_MAX + 1}`);
  });

  it('is at its worst, one byte in three, still within the bound of an entry', () => {
    const comb = Uint8Array.from({ length: LEAF_VALUE_BYTES_MAX }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const solid = new Uint8Array(LEAF_VALUE_BYTES_MAX).fill(1);
    for (const newValue of [comb, solid]) {
      const diff = encodeDiff([{ key: accountKey(1), newValue }]);
      expect(applyDiff(diff, () => undefined)).toEqual([{ key: accountKey(1), value: newValue }]);
    }
  });
});
