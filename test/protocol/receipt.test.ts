/** Receipts and trace openings: codecs round trip, the digest is EIP-712, and no other bytes open. */
import fc from 'fast-check';
import { hashTypedData } from 'viem';
import { describe, expect, test } from 'vitest';
import { parseType } from '#client/typed-data.ts';
import { type TraceEntry, traceRoot } from '#protocol/batch.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord, QUEUE_ENTRY } from '#protocol/command.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { encodeQueueEntry, nextQueueHash } from '#protocol/queue-entry.ts';
import {
  advance,
  decodeReceipt,
  decodeSignedReceipt,
  encodeReceipt,
  encodeSignedReceipt,
  foldLinks,
  GENESIS_CURSOR,
  hashReceipt,
  RECEIPT_TYPE,
  type Receipt,
} from '#protocol/receipt.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { openSegment, verifySegment } from '#protocol/trace-proof.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const counter = fc.maxSafeNat();
const anyReceipt: fc.Arbitrary<Receipt> = fc.record({
  epoch: fc.nat({ max: 2 ** 32 - 1 }),
  seq: counter,
  inputHash: bytes(32),
  queueNext: counter,
  queueHash: bytes(32),
});

describe('receipts', () => {
  test('round trip, with and without the signature', () => {
    fc.assert(
      fc.property(anyReceipt, bytes(65), (receipt, signature) => {
        expect(decodeReceipt(encodeReceipt(receipt))).toEqual(receipt);
        expect(decodeSignedReceipt(encodeSignedReceipt({ ...receipt, signature }))).toEqual({
          ...receipt,
          signature,
        });
      }),
    );
  });

  test('other lengths and numbers beyond 2^53 are refused', () => {
    expect(() => decodeReceipt(new Uint8Array(83))).toThrow('receipt: expected 84 bytes, got 83');
    expect(() => decodeSignedReceipt(new Uint8Array(150))).toThrow('receipt: expected 149 bytes, got 150');
    const large = encodeReceipt({ ...GENESIS_CURSOR, epoch: 1 });
    large[4] = 0x80;
    expect(() => decodeReceipt(large)).toThrow('receipt seq: expected at most 2^53 - 1');
  });

  test('the digest is that of EIP-712', () => {
    fc.assert(
      fc.property(anyReceipt, bytes(20), (receipt, rollup) => {
        const domain = { chainId: 31_337, verifyingContract: rollup };
        const { name, fields } = parseType(RECEIPT_TYPE);
        const expected = hashTypedData({
          domain: { name: 'Sluice', version: '1', chainId: 31_337, verifyingContract: toHex(rollup) },
          types: { [name]: fields },
          primaryType: name,
          message: {
            epoch: receipt.epoch,
            seq: BigInt(receipt.seq),
            inputHash: toHex(receipt.inputHash),
            queueNext: BigInt(receipt.queueNext),
            queueHash: toHex(receipt.queueHash),
          },
        });
        expect(toHex(hashReceipt(receipt, new SigningDomain(domain, keccak), keccak))).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the cursor of a history', () => {
  test('folds records, and moves in the queue with the next whole entry only', () => {
    const entry = { index: 0, kind: 2, owner: new Uint8Array(20).fill(7), payload: Uint8Array.of(3) };
    const later = { ...entry, index: 5 };
    const records = [
      encodeRecord(CLOCK, 10, new Uint8Array(0)),
      encodeRecord(QUEUE_ENTRY, 11, encodeQueueEntry(later)),
      encodeRecord(QUEUE_ENTRY, 12, encodeQueueEntry(entry)),
      encodeRecord(QUEUE_ENTRY, 13, encodeQueueEntry(entry)),
      encodeRecord(QUEUE_ENTRY, 14, Uint8Array.of(1, 2, 3)),
    ];
    let cursor = GENESIS_CURSOR;
    const nexts = records.map((record) => {
      cursor = advance(cursor, record, keccak(record), keccak);
      return cursor.queueNext;
    });
    expect(nexts).toEqual([0, 0, 1, 1, 1]);
    expect(cursor.seq).toBe(5);
    expect(cursor.queueHash).toEqual(nextQueueHash(keccak, new Uint8Array(32), entry));
    const links = concat(...records.map((record) => keccak(record)));
    expect(foldLinks(GENESIS_CURSOR.inputHash, links, keccak)).toEqual(cursor.inputHash);
    expect(() => foldLinks(cursor.inputHash, links.subarray(1), keccak)).toThrow('expected whole hashes');
  });
});

describe('openings of a trace', () => {
  const start = { firstStep: 40, firstSeq: 9 };
  const traceOf = (length: number): TraceEntry[] =>
    Array.from({ length }, (_, i) => ({
      nextStep: 41 + 2 * i,
      nextSeq: 10 + i,
      inputEnd: 100 * i,
      weight: 5 + i,
      inputHash: keccak(Uint8Array.of(i)),
      stateRoot: keccak(Uint8Array.of(i, 1)),
    }));

  test('every segment opens, and nothing else does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (length, at, place, mask) => {
          const trace = traceOf(length);
          const root = traceRoot(trace, start, keccak);
          const opening = openSegment(trace, start, at % length, keccak);
          expect(verifySegment(root, length, opening, keccak)).toBe(true);
          const segment = opening.segment.slice();
          segment[place % segment.length]! ^= mask;
          expect(verifySegment(root, length, { ...opening, segment }, keccak)).toBe(false);
          for (const index of [opening.index + 1, opening.index - 1])
            expect(verifySegment(root, length, { ...opening, index }, keccak)).toBe(false);
          const longer = concat(opening.path, new Uint8Array(32));
          expect(verifySegment(root, length, { ...opening, path: longer }, keccak)).toBe(false);
          if (opening.path.length > 0) {
            const path = opening.path.slice();
            path[place % path.length]! ^= mask;
            expect(verifySegment(root, length, { ...opening, path }, keccak)).toBe(false);
            expect(verifySegment(root, length, { ...opening, path: path.slice(32) }, keccak)).toBe(false);
          }
        },
      ),
    );
  });
});
