/** Streams in blobs: what goes in comes out, in the elements that are named, and what no writer makes is told. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BLOB_BYTES,
  BLOB_ELEMENTS,
  BLOB_STREAM_BYTES,
  blobsFor,
  ELEMENT_BYTES,
  elementAt,
  elementsOf,
  MODULUS,
  packBlobs,
  pointOf,
  STREAM_BYTES_MAX,
  unpackBlobs,
} from '#settlement/l1/blob-codec.ts';
import { Kzg, versionedHash } from '#settlement/l1/kzg.ts';

const filled = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 167 + 13) & 0xff);

describe('packing', () => {
  test('a stream comes back from its blobs, whatever its length', () => {
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.constantFrom(BLOB_STREAM_BYTES - 1, BLOB_STREAM_BYTES, BLOB_STREAM_BYTES + 1, STREAM_BYTES_MAX),
    );
    fc.assert(
      fc.property(lengths, (length) => {
        const stream = filled(length);
        const blobs = packBlobs(stream);
        expect(blobs.length).toBe(blobsFor(length));
        const { bytes, unclean } = unpackBlobs(blobs, length);
        expect(Buffer.compare(bytes, stream)).toBe(0);
        expect(unclean).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  test('every element is below the modulus and holds the bytes that its range names', () => {
    const stream = filled(BLOB_STREAM_BYTES + 500);
    const blobs = packBlobs(stream);
    fc.assert(
      fc.property(fc.nat(stream.length), fc.nat(2_000), (start, more) => {
        const end = Math.min(stream.length, start + more);
        const { first, count } = elementsOf(start, end);
        const held: number[] = [];
        for (let element = first; element < first + count; element++) {
          const value = elementAt(blobs[Math.floor(element / BLOB_ELEMENTS)]!, element % BLOB_ELEMENTS);
          expect(value < MODULUS && value >> 248n === 0n).toBe(true);
          held.push(...Buffer.from(value.toString(16).padStart(64, '0').slice(2), 'hex'));
        }
        const skip = start - first * ELEMENT_BYTES;
        expect(held.slice(skip, skip + end - start)).toEqual([...stream.subarray(start, end)]);
        // No element too many.
        expect(count * ELEMENT_BYTES - (end - start)).toBeLessThan(2 * ELEMENT_BYTES);
      }),
    );
  });

  test('an element of more than 31 bytes is told, the first of them, and only where the stream is', () => {
    const blobs = packBlobs(filled(1_000));
    blobs[0]![40 * 32] = 1;
    expect(unpackBlobs(blobs, 1_000).unclean).toBeUndefined();
    blobs[0]![7 * 32] = 0x73;
    blobs[0]![9 * 32] = 1;
    expect(unpackBlobs(blobs, 1_000).unclean).toBe(7);
  });

  test('what does not fit is refused', () => {
    expect(() => packBlobs(new Uint8Array(STREAM_BYTES_MAX + 1))).toThrow(
      'blobs: expected at most 761856 bytes, got 761857',
    );
    expect(() => unpackBlobs([], 1)).toThrow('blobs: expected 1, got 0');
    expect(() => unpackBlobs([new Uint8Array(5)], 1)).toThrow(`blob 0: expected ${BLOB_BYTES} bytes, got 5`);
  });
});

test('points are the 4,096 roots of unity, each once', () => {
  const points = Array.from({ length: BLOB_ELEMENTS }, (_, element) => pointOf(element));
  expect(new Set(points).size).toBe(BLOB_ELEMENTS);
  const power = (base: bigint, by: number): bigint => {
    let result = 1n;
    for (let i = by, b = base; i > 0; i >>= 1, b = (b * b) % MODULUS)
      if (i & 1) result = (result * b) % MODULUS;
    return result;
  };
  for (const element of [1, 77, 2_048, 4_095]) expect(power(points[element]!, BLOB_ELEMENTS)).toBe(1n);
});

test('the thread commits and opens, refuses what is no blob, and ends', async () => {
  const kzg = new Kzg();
  const [blob] = packBlobs(filled(400));
  const { commitments, proofs, form } = await kzg.sidecar([blob!], 'proofs');
  expect([commitments.length, proofs.length, form]).toEqual([1, 1, 'proofs']);
  expect(versionedHash(commitments[0]!)).toMatch(/^0x01[0-9a-f]{62}$/);
  const opening = await kzg.open(blob!, { index: 4_096 + 12, commitment: commitments[0]! });
  expect(BigInt(opening.y)).toBe(elementAt(blob!, 12));
  await expect(kzg.commitment(new Uint8Array(BLOB_BYTES).fill(0xff))).rejects.toThrow('kzg: ');
  await kzg.close();
}, 60_000);
