/** The vector files that Solidity is tested against say what this side says; codecs of posted bytes round trip. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeHeader, encodeHeader } from '#protocol/batch.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import {
  commitBatchBytes,
  commitBatchLength,
  decodeCommitBatch,
  encodeCommitBatch,
} from '#settlement/l1/batch-calldata.ts';
import { L1Error } from '#settlement/l1/errors.ts';
import { decodeProof, verifyInclusion } from '#state/tree-proof.ts';
import { anyBatch } from './batch-builder.ts';
import { batchVectors, VECTOR_FILES } from './batch-vectors.ts';

const read = (file: keyof typeof VECTOR_FILES): unknown =>
  JSON.parse(readFileSync(VECTOR_FILES[file], 'utf8'));

describe('vectors', () => {
  const vectors = batchVectors();
  test('the files are what is built now', () => {
    expect(read('header')).toEqual({ cases: vectors.header });
    expect(read('trace')).toEqual({ cases: vectors.trace });
    expect(read('withdraw')).toEqual(vectors.withdraw);
  });

  test('headers round trip and withdrawal paths open', () => {
    for (const { header } of vectors.header)
      expect(toHex(encodeHeader(decodeHeader(fromHex(header))))).toBe(header);
    for (const { root, key, value, path } of vectors.withdraw.leaves) {
      const proof = decodeProof(fromHex(path + key.slice(2) + value.slice(2)));
      expect(verifyInclusion(fromHex(root), fromHex(key), fromHex(value), proof, keccak)).toBe(true);
    }
  });
});

describe('commit calldata', () => {
  const domain = new SigningDomain(
    { chainId: 31_337, verifyingContract: new Uint8Array(20).fill(0xc0) },
    keccak,
  );

  test('round trips for parts of any length, and its length is known beforehand', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 1, max: 9_000 }),
        (diff, withdrawn, inputBytes) => {
          const batch = { ...anyBatch({ inputBytes }), diff, withdrawn };
          const bytes = commitBatchBytes(batch);
          expect(decodeCommitBatch(bytes, domain)).toEqual(batch);
          expect(decodeCommitBatch(encodeCommitBatch(batch), domain)).toEqual(batch);
          expect(bytes.length).toBe(
            commitBatchLength({
              traceBytes: 92 * batch.trace.length,
              withdrawnBytes: withdrawn.length,
              diffBytes: diff.length,
              inputBytes: batch.inputs.length,
            }),
          );
        },
      ),
    );
  });

  test('whatever else it is given ends in a malformed error, never in another', () => {
    const good = commitBatchBytes(anyBatch());
    const decode = (bytes: Uint8Array): string => {
      try {
        decodeCommitBatch(bytes, domain);
        return 'taken';
      } catch (error) {
        if (error instanceof L1Error && error.code === 'malformed') return 'malformed';
        throw error;
      }
    };
    expect(decode(good)).toBe('taken');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(decode(bytes)).toBe('malformed');
      }),
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(40), (at, flip, cut) => {
        const changed = good.slice(0, good.length - cut);
        if (at < changed.length) changed[at]! ^= flip;
        decode(changed);
        // The frame (selector, offsets, lengths) admits no other bytes.
        if (at < 228) expect(decode(changed)).toBe('malformed');
      }),
    );
  });
});
