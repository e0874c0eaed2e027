/** What a committed batch says of the history at one command, with its inputs and without. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BatchHeader, TraceEntry } from '#protocol/batch.ts';
import { concat } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { committedPlace } from '#settlement/l1/equivocation.ts';
import { anyRecords, plainCursor } from '../receipts/fixtures.ts';

/** A batch of the records after the first `skipped`, cut into segments at `ends`. */
function batchOf(records: readonly Uint8Array[], skipped: number, ends: readonly number[]) {
  const inputs = records.slice(skipped);
  const trace: TraceEntry[] = ends.map((end) => ({
    nextStep: 0,
    nextSeq: skipped + end + 1,
    inputEnd: concat(...inputs.slice(0, end)).length,
    weight: 0,
    inputHash: plainCursor(records, skipped + end).inputHash,
    stateRoot: new Uint8Array(32),
  }));
  const header = {
    firstSeq: skipped + 1,
    preInputHash: plainCursor(records, skipped).inputHash,
  } as BatchHeader;
  return { header, trace, inputs: concat(...inputs) };
}

const batches = fc
  .record({
    records: anyRecords(24),
    skipped: fc.integer({ min: 0, max: 8 }),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: 15 }), { maxLength: 5 }),
  })
  .map(({ records, skipped, cuts }) => {
    const ends = [...cuts.sort((a, b) => a - b), 16];
    const used = records.slice(0, skipped + 16);
    return { records: used, skipped, ends, batch: batchOf(used, skipped, ends) };
  });

test('every command of the batch has the hash of a plain fold, and no other command has a place', () => {
  fc.assert(
    fc.property(batches, ({ records, skipped, ends, batch }) => {
      for (let seq = skipped + 1; seq <= records.length; seq++) {
        const place = committedPlace(batch, seq, keccak)!;
        expect(place.inputHash).toEqual(plainCursor(records, seq).inputHash);
        expect(place.segment).toBe(ends.findIndex((end) => seq <= skipped + end));
      }
      for (const seq of [skipped, records.length + 1])
        expect(committedPlace(batch, seq, keccak)).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});

test('without the inputs only the last command of a segment has a place', () => {
  fc.assert(
    fc.property(batches, ({ records, skipped, ends, batch }) => {
      const bare = { ...batch, inputs: new Uint8Array(0) };
      for (let seq = skipped + 1; seq <= records.length; seq++) {
        const place = committedPlace(bare, seq, keccak);
        if (ends.includes(seq - skipped))
          expect(place?.inputHash).toEqual(plainCursor(records, seq).inputHash);
        else expect(place).toBeUndefined();
      }
    }),
    { numRuns: 30 },
  );
});

test('inputs that are not those of the trace give no place', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ batch, skipped, ends }, at, mask) => {
      const inputs = batch.inputs.slice();
      const place = at % inputs.length;
      inputs[place]! ^= mask;
      const segment = batch.trace.findIndex(({ inputEnd }) => place < inputEnd);
      expect(committedPlace({ ...batch, inputs }, skipped + ends[segment]!, keccak)).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});
