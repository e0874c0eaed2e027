/** Entries: what is written is read back, and no bytes whatever do more than throw a typed error. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntryReader, EntryWriter } from '#journal/entry.ts';
import { JournalError } from '#journal/journal-error.ts';
import { encodeRecord } from '#protocol/command.ts';

const command = fc.record({
  record: fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.nat(2 ** 40), fc.uint8Array({ maxLength: 200 }))
    .map(([kind, time, body]) => encodeRecord(kind, time, body)),
  signers: fc.nat(16).chain((count) => fc.uint8Array({ minLength: 20 * count, maxLength: 20 * count })),
});

function readBack(payload: Uint8Array, count: number): { record: Uint8Array; signers: Uint8Array }[] {
  const reader = new EntryReader(payload, count);
  const found: { record: Uint8Array; signers: Uint8Array }[] = [];
  while (reader.next()) found.push({ record: reader.record.slice(), signers: reader.signers.slice() });
  return found;
}

test('reads back what was written, in a buffer that is used again', () => {
  const writer = new EntryWriter(16);
  fc.assert(
    fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
      writer.reset();
      for (const { record, signers } of commands) writer.append(record, signers);
      expect(writer.count).toBe(commands.length);
      expect(writer.payload.length).toBe(writer.length);
      expect(readBack(writer.payload, writer.count)).toEqual(commands);
    }),
  );
});

test('does not allocate another buffer once it is large enough', () => {
  const writer = new EntryWriter(1024);
  const record = encodeRecord(1, 5, new Uint8Array(100));
  const buffer = writer.payload.buffer;
  for (let round = 0; round < 50; round++) {
    writer.reset();
    for (let i = 0; i < 7; i++) writer.append(record, new Uint8Array(20));
    expect(writer.payload.buffer).toBe(buffer);
  }
});

test('lays out one entry as drawn', () => {
  const writer = new EntryWriter();
  writer.append(encodeRecord(4, 0x0102, Uint8Array.of(0xaa)), new Uint8Array(20).fill(7));
  expect([...writer.payload]).toEqual([
    ...[34, 0, 0, 0, 1],
    ...new Array(20).fill(7),
    ...[1, 0, 0, 0, 4, 0, 2, 1, 0, 0, 0, 0, 0xaa],
  ]);
});

test('refuses what could not be read back', () => {
  const writer = new EntryWriter();
  const record = encodeRecord(1, 1, new Uint8Array(4));
  expect(() => writer.append(record, new Uint8Array(19))).toThrow(/signers: expected .* got 19 bytes/);
  expect(() => writer.append(record, new Uint8Array(17 * 20))).toThrow(JournalError);
  expect(() => writer.append(record.subarray(0, 11), new Uint8Array(0))).toThrow(/record length/);
  expect(() => writer.append(record.subarray(0, 13), new Uint8Array(0))).toThrow(/record header/);
  expect(() => writer.append(encodeRecord(1, 1, new Uint8Array(2049)), new Uint8Array(0))).toThrow(
    JournalError,
  );
  expect(writer.count).toBe(0);
});

test('any bytes and any change of sound bytes give entries or a typed error', () => {
  const attempt = (payload: Uint8Array, count: number): void => {
    try {
      const found = readBack(payload, count);
      expect(found.length).toBe(count);
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      expect(error.code).toBe('malformed-entry');
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(5), attempt), { numRuns: 2_000 });
  fc.assert(
    fc.property(
      fc.array(command, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.nat(255),
      fc.integer({ min: -1, max: 1 }),
      (commands, at, value, more) => {
        const writer = new EntryWriter();
        for (const { record, signers } of commands) writer.append(record, signers);
        const payload = writer.payload.slice();
        payload[at % payload.length] = value;
        attempt(payload, commands.length + more);
      },
    ),
    { numRuns: 2_000 },
  );
});
