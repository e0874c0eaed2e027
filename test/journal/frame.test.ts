/** Frames: round trip, layout, and no single changed bit passes. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkFrame,
  frameBytes,
  frameEntries,
  frameHash,
  frameMark,
  isProblem,
  readHeader,
  SECTOR_BYTES,
  writeFrame,
} from '#journal/frame.ts';
import type { StateMark } from '#pipeline/ports.ts';

const header = {
  epoch: 3,
  firstSeq: 2 ** 33 + 5,
  count: 2,
  previousHash: Uint8Array.from({ length: 32 }, (_, i) => i),
};

function whole(entries: Uint8Array, mark?: StateMark, count = 2): Uint8Array {
  const bytes = new Uint8Array(frameBytes(entries.length + (mark === undefined ? 0 : 44)));
  writeFrame(bytes, { ...header, count }, entries, mark);
  return bytes;
}

test('reads back header, entries and mark, on whole sectors', () => {
  const mark = fc.record({
    seq: fc.nat(),
    engineVersion: fc.nat(2 ** 31),
    stateHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.option(mark, { nil: undefined }), (entries, mark) => {
      const bytes = whole(entries, mark);
      expect(bytes.length % SECTOR_BYTES).toBe(0);
      expect(checkFrame(bytes)).toBeUndefined();
      const read = readHeader(bytes);
      if (isProblem(read)) throw new Error(read.field);
      expect(read).toMatchObject(header);
      expect(read.kind).toBe(mark === undefined ? 1 : 3);
      expect(frameEntries(bytes, read)).toEqual(entries);
      expect(frameMark(bytes, read)).toEqual(mark);
    }),
  );
});

test('lays out a frame as drawn', () => {
  const bytes = whole(Uint8Array.of(9, 8, 7));
  expect([...bytes.subarray(0, 32)]).toEqual([
    ...[0x53, 0x4c, 0x4a, 0x46, 1, 1, 0, 0],
    ...[3, 0, 0, 0, 0, 0, 0, 0],
    ...[5, 0, 0, 0, 2, 0, 0, 0],
    ...[2, 0, 0, 0, 3, 0, 0, 0],
  ]);
  expect([...bytes.subarray(32, 64)]).toEqual([...header.previousHash]);
  expect([...bytes.subarray(68, 71)]).toEqual([9, 8, 7]);
  expect([...frameHash(bytes)]).toEqual([...createHash('sha256').update(bytes.subarray(0, 476)).digest()]);
  expect([...bytes.subarray(508)]).toEqual([0x5a, 0xa5, 0x5a, 0xa5]);
});

test('no single changed bit passes', () => {
  const bytes = whole(
    Uint8Array.from({ length: 500 }, (_, i) => i),
    {
      seq: 1,
      engineVersion: 2,
      stateHash: new Uint8Array(32),
    },
  );
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(isProblem(readHeader(bytes)) || checkFrame(bytes) !== undefined).toBe(true);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  expect(checkFrame(bytes)).toBeUndefined();
});

test('a mark alone is a frame without commands', () => {
  const bytes = whole(
    new Uint8Array(0),
    { seq: 4, engineVersion: 1, stateHash: new Uint8Array(32).fill(1) },
    0,
  );
  expect(readHeader(bytes)).toMatchObject({ kind: 2, count: 0, payloadBytes: 44 });
});
