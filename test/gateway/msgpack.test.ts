import fc from 'fast-check';
import { Packr, unpack } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { pack, unpackRequest } from '#gateway/msgpack.ts';

const plain = new Packr({ useRecords: false, variableMapSize: true });

describe('requests', () => {
  test('plain maps are read', () => {
    const scalar = fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true }),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
    );
    const key = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => name !== '__proto__');
    const map = fc.dictionary(key, fc.oneof(scalar, fc.array(scalar, { maxLength: 5 })), { maxKeys: 10 });
    fc.assert(
      fc.property(map, (value) => {
        expect(unpackRequest(plain.pack(value))).toEqual(unpack(plain.pack(value)));
      }),
    );
  });

  test('arbitrary bytes never throw and give a map or nothing', () => {
    const nearly = fc
      .tuple(fc.constantFrom(0x81, 0x82, 0x8f, 0xde, 0xdf), fc.uint8Array({ maxLength: 60 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest));
    let maps = 0;
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const value = unpackRequest(bytes);
        if (value === undefined) return;
        maps++;
        expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      }),
      { numRuns: 20_000 },
    );
    expect(maps).toBeGreaterThan(0);
  });

  test.each([
    ['nothing', []],
    ['a scalar', [0x07]],
    ['an array', [0x90]],
    ['two values', [0x80, 0x80]],
    ['a cut map', [0x81, 0xa1, 0x61]],
    ['a number as key', [0x81, 0x01, 0x02]],
    ['an extension', [0x81, 0xa1, 0x61, 0xd4, 0x01, 0x00]],
    ['a record definition', [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01]],
    ['an array that claims 4 billion items', [0x81, 0xa1, 0x61, 0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a map that claims 4 billion items', [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ['text that claims 4 GB', [0x81, 0xa1, 0x61, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ['nesting beyond four', [0x81, 0xa1, 0x61, 0x91, 0x91, 0x91, 0x91, 0x91, 0x01]],
  ])('%s is refused', (_, bytes) => {
    expect(unpackRequest(Uint8Array.from(bytes))).toBeUndefined();
  });

  test('more than 256 items are refused', () => {
    const list = (length: number) => unpackRequest(plain.pack({ list: new Array(length).fill(1) }));
    expect(list(200)).toBeDefined();
    expect(list(300)).toBeUndefined();
  });
});

test('answers are plain msgpack: maps and float64 for what 32 bits do not hold', () => {
  const bytes = pack({ seq: 2 ** 40, list: [1, 2], hash: Uint8Array.of(1, 2) });
  expect(unpack(bytes)).toEqual({ seq: 2 ** 40, list: [1, 2], hash: Buffer.from([1, 2]) });
  expect(bytes[0]).toBe(0x83);
  expect(bytes[5]).toBe(0xcb);
});
