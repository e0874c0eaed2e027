/** Keys that share long prefixes, and short values, for the tests of trees, proofs and diffs. */
import fc from 'fast-check';

/** One to three bits of an all-zero or all-one key flipped: every depth occurs, collisions are frequent. */
export const closeKey: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(0x00, 0xff),
    fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 7, 8, 254, 255)), {
      minLength: 0,
      maxLength: 3,
    }),
  )
  .map(([fill, flips]) => {
    const key = new Uint8Array(32).fill(fill);
    for (const flip of flips) key[flip >> 3]! ^= 0x80 >> (flip & 7);
    return key;
  });

export const value: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 40 });
