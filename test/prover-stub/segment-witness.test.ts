/** Witnesses of segments against the trees they are taken from: roots, hints, and what is opened. */
import { describe, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { isBookKey } from '#state/keys.ts';
import { openMultiproof } from '#state/multiproof.ts';
import { stateRoot } from '#state/state-root.ts';
import { hintsByStep } from '../fuzz-steps/hint-keys.ts';
import { RandomSession } from '../support/random-session.ts';
import { witnessSession } from '../support/witnessed-session.ts';

const keccak = await createWasmKeccak();

describe('witnesses of a random session', () => {
  const session = new RandomSession({ seed: 71 }).run(400);
  const { segments, witnessed } = witnessSession(session.commands, keccak);

  test('there is one for every segment, from the root before to the root after', () => {
    expect(witnessed.length).toBe(segments.length);
    expect(segments.length).toBeGreaterThan(20);
    let root = stateRoot(new Uint8Array(32), new Uint8Array(32), keccak);
    for (const [i, { witness, outcome }] of witnessed.entries()) {
      expect(toHex(witness.preStateRoot)).toBe(toHex(root));
      const ledger = openMultiproof(witness.ledger, keccak);
      const book = openMultiproof(witness.book, keccak);
      expect(toHex(stateRoot(ledger.root, book.root, keccak))).toBe(toHex(root));
      const { stateRoot: post, nextSeq, weight } = segments[i]!;
      expect(outcome).toMatchObject({ fault: 0, nextSeq, weight });
      expect(toHex(outcome.stateRoot)).toBe(toHex(post));
      root = post;
    }
  });

  test('hints are as many as steps, their keys strictly ascend', () => {
    let previous = 0;
    for (const [i, { witness, kinds }] of witnessed.entries()) {
      const steps = hintsByStep(witness.hints);
      expect(steps.length).toBe(witness.steps);
      expect(kinds.length).toBe(witness.steps);
      expect(witness.steps).toBe(segments[i]!.nextStep - previous);
      previous = segments[i]!.nextStep;
      for (const { leaves } of steps)
        for (let k = 1; k < leaves.length; k++)
          expect(Buffer.compare(leaves[k - 1]!, leaves[k]!)).toBeLessThan(0);
    }
  });

  test('only part of the trees is opened', () => {
    const last = witnessed.at(-1)!.witness;
    const first = hintsByStep(last.hints)[0]!;
    const opened = [
      ...openMultiproof(last.ledger, keccak).leaves,
      ...openMultiproof(last.book, keccak).leaves,
    ];
    const given = opened.filter(({ value }) => value !== undefined);
    expect(given.length).toBeLessThan(opened.length + openMultiproof(last.book, keccak).opaque);
    // What the first step looks at and finds was there before the segment.
    for (const key of first.leaves) {
      const leaf = opened.find((one) => equalBytes(one.key, key));
      if (leaf !== undefined) expect(leaf.value, `${isBookKey(key)} ${toHex(key)}`).toBeDefined();
    }
  });
});
