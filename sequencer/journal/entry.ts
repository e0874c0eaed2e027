/**
 * Entries: the commands inside a frame's payload, one after the other. Little-endian.
 *
 *   0 u32  length of what follows, L = 1 + 20·S + R
 *   4 u8   signers, S (0 … 16: a price round has the most)
 *   5 20·S addresses of the signers, in the order of their signatures
 *     R    record (protocol/command.ts), whose own header gives the same length
 *
 * The signers are journaled so that replay need not recover a single signature.
 */

import { viewOf } from '#protocol/bytes.ts';
import { recordBytes } from '#protocol/command.ts';
import { PUBLISHERS_MAX, RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { JournalError } from './journal-error.ts';

export const ADDRESS_BYTES = 20;
const HEADER_BYTES = 5;
const SIGNERS_MAX = PUBLISHERS_MAX;
export const ENTRY_BYTES_MAX =
  HEADER_BYTES + SIGNERS_MAX * ADDRESS_BYTES + RECORD_HEADER_BYTES + RECORD_BODY_BYTES_MAX;

/** Gathers the entries of one group commit in a buffer that is kept and only ever grows. */
export class EntryWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private used = 0;
  private entries = 0;

  constructor(bytes = 64 * 1024) {
    this.bytes = new Uint8Array(bytes);
    this.view = viewOf(this.bytes);
  }

  /** Entries since `reset`. */
  get count(): number {
    return this.entries;
  }

  /** Bytes since `reset`. */
  get length(): number {
    return this.used;
  }

  /** What was gathered; a view that the next `append` or `reset` may overwrite. */
  get payload(): Uint8Array {
    return this.bytes.subarray(0, this.used);
  }

  /** `signers`: 20 bytes each. Both are copied. Throws `malformed-entry` on what could not be read back. */
  append(record: Uint8Array, signers: Uint8Array): void {
    const count = signers.length / ADDRESS_BYTES;
    if (!Number.isInteger(count) || count > SIGNERS_MAX)
      throw malformed('signers', `at most ${SIGNERS_MAX} of 20 bytes`, `${signers.length} bytes`);
    if (record.length < RECORD_HEADER_BYTES || record.length > RECORD_HEADER_BYTES + RECORD_BODY_BYTES_MAX)
      throw malformed(
        'record length',
        `${RECORD_HEADER_BYTES} to ${RECORD_HEADER_BYTES + RECORD_BODY_BYTES_MAX}`,
        record.length,
      );
    const body = record[0]! + record[1]! * 0x100 + record[2]! * 0x1_0000 + record[3]! * 0x100_0000;
    if (body + RECORD_HEADER_BYTES !== record.length)
      throw malformed('record header', record.length - RECORD_HEADER_BYTES, body);
    const total = HEADER_BYTES + signers.length + record.length;
    if (this.used + total > this.bytes.length) this.grow(this.used + total);
    const at = this.used;
    this.view.setUint32(at, total - 4, true);
    this.bytes[at + 4] = count;
    this.bytes.set(signers, at + HEADER_BYTES);
    this.bytes.set(record, at + HEADER_BYTES + signers.length);
    this.used = at + total;
    this.entries++;
  }

  reset(): void {
    this.used = 0;
    this.entries = 0;
  }

  private grow(least: number): void {
    let size = this.bytes.length * 2;
    while (size < least) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.bytes.subarray(0, this.used));
    this.bytes = grown;
    this.view = viewOf(grown);
  }
}

/** Walks the entries of a payload in place: `while (reader.next()) use(reader.record, reader.signers)`. */
export class EntryReader {
  /** Views into the payload, of the entry that `next` moved to. */
  record: Uint8Array = new Uint8Array(0);
  signers: Uint8Array = new Uint8Array(0);
  private readonly payload: Uint8Array;
  private readonly view: DataView;
  private readonly count: number;
  private at = 0;
  private read = 0;

  /** `count`: entries that the frame says it has. */
  constructor(payload: Uint8Array, count: number) {
    this.payload = payload;
    this.view = viewOf(payload);
    this.count = count;
  }

  /** False after the last entry. Throws `malformed-entry` when the bytes are not exactly `count` entries. */
  next(): boolean {
    const left = this.payload.length - this.at;
    if (this.read === this.count) {
      if (left !== 0) throw malformed('payload end', `${this.count} entries`, `${left} bytes more`);
      return false;
    }
    if (left < HEADER_BYTES) throw malformed(`entry ${this.read}`, `${HEADER_BYTES} bytes`, left);
    const length = this.view.getUint32(this.at, true);
    if (length + 4 > left) throw malformed(`entry ${this.read} length`, `at most ${left - 4}`, length);
    const signers = this.payload[this.at + 4]!;
    if (signers > SIGNERS_MAX)
      throw malformed(`entry ${this.read} signers`, `at most ${SIGNERS_MAX}`, signers);
    const recordAt = this.at + HEADER_BYTES + signers * ADDRESS_BYTES;
    const end = this.at + 4 + length;
    if (recordAt + RECORD_HEADER_BYTES > end)
      throw malformed(`entry ${this.read} record`, `at least ${RECORD_HEADER_BYTES} bytes`, end - recordAt);
    if (recordBytes(this.view, recordAt) !== end - recordAt)
      throw malformed(
        `entry ${this.read} record`,
        `${end - recordAt} bytes`,
        recordBytes(this.view, recordAt),
      );
    this.signers = this.payload.subarray(this.at + HEADER_BYTES, recordAt);
    this.record = this.payload.subarray(recordAt, end);
    this.at = end;
    this.read++;
    return true;
  }
}

function malformed(field: string, expected: string | number, got: string | number): JournalError {
  return new JournalError('malformed-entry', `journal entry: ${field}: expected ${expected}, got ${got}`, {
    field,
    expected,
    got,
  });
}
