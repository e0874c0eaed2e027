/**
 * The running input hash of the journal's commands, one after the other, and the last links and hashes of it: what
 * receipts are made of. Runs in the receipts' thread.
 */
import { EntryReader } from '#journal/entry.ts';
import { assert } from '#protocol/assert.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { advance, type InputCursor, LINK_BYTES, sameCursor } from '#protocol/receipt.ts';
import type { Hash, Seq } from '#protocol/units.ts';

/** What the history must be at a command that it has yet to pass: something signed rests on it. */
export interface ChainMark {
  readonly cursor: InputCursor;
  /** `receipt 70 of epoch 1`. */
  readonly what: string;
}

export interface ChainOptions {
  /** Where the history begins here. */
  readonly start: InputCursor;
  /** Commands whose links are kept. */
  readonly kept: number;
  readonly marks: readonly ChainMark[];
}

/** A stretch of the history, to be folded. */
export interface Links {
  /** Running input hash before the first link's command. */
  readonly before: Hash;
  /** 32 bytes each. */
  readonly links: Uint8Array;
}

/** A link and the hash after it. */
const KEPT_BYTES = 2 * LINK_BYTES;

export class InputChain {
  cursor: InputCursor;
  private readonly keccak: Keccak;
  private readonly startSeq: Seq;
  private readonly startHash: Hash;
  private readonly kept: number;
  private readonly ring: Uint8Array;
  private readonly marks: ChainMark[];

  constructor({ start, kept, marks }: ChainOptions, keccak: Keccak) {
    this.keccak = keccak;
    this.cursor = start;
    this.startSeq = start.seq;
    this.startHash = start.inputHash;
    this.kept = kept;
    this.ring = new Uint8Array(kept * KEPT_BYTES);
    this.marks = marks.filter(({ cursor }) => cursor.seq > start.seq);
    this.marks.sort((a, b) => a.cursor.seq - b.cursor.seq);
    for (const mark of marks) if (mark.cursor.seq === start.seq) this.check(mark);
  }

  /** First command from which on `links` has all; cursor.seq + 1 when there is none. */
  get firstSeq(): Seq {
    // The hash before the first link of the ring was overwritten by the last one.
    return Math.max(this.startSeq, this.cursor.seq - this.kept + 1) + 1;
  }

  /** Something signed lies ahead: nothing may be signed before it is passed. */
  get hasMarks(): boolean {
    return this.marks.length > 0;
  }

  /** Takes those of `count` journal entries from `firstSeq` on that come next. Throws when a mark is contradicted. */
  apply(payload: Uint8Array, firstSeq: Seq, count: number): void {
    const { keccak } = this;
    const entries = new EntryReader(payload, count);
    for (let seq = firstSeq; entries.next(); seq++) {
      if (seq <= this.cursor.seq) continue;
      assert(
        seq === this.cursor.seq + 1,
        `receipts: expected command ${this.cursor.seq + 1} next, got ${seq}`,
      );
      const link = keccak(entries.record);
      this.cursor = advance(this.cursor, entries.record, link, keccak);
      const place = (seq % this.kept) * KEPT_BYTES;
      this.ring.set(link, place);
      this.ring.set(this.cursor.inputHash, place + LINK_BYTES);
      if (this.marks[0]?.cursor.seq === seq) this.check(this.marks.shift()!);
    }
  }

  /** Links of the commands from `from` to `through`; undefined when some are not here, or not any more. */
  links(from: Seq, through: Seq): Links | undefined {
    if (from < this.firstSeq || through > this.cursor.seq || from > through) return undefined;
    const links = new Uint8Array((through - from + 1) * LINK_BYTES);
    for (let seq = from; seq <= through; seq++)
      links.set(this.keptAt(seq).subarray(0, LINK_BYTES), (seq - from) * LINK_BYTES);
    const before = from === this.startSeq + 1 ? this.startHash : this.keptAt(from - 1).slice(LINK_BYTES);
    return { before, links };
  }

  private keptAt(seq: Seq): Uint8Array {
    const place = (seq % this.kept) * KEPT_BYTES;
    return this.ring.subarray(place, place + KEPT_BYTES);
  }

  private check({ cursor, what }: ChainMark): void {
    if (sameCursor(cursor, this.cursor)) return;
    const [expected, got] = equalBytes(cursor.inputHash, this.cursor.inputHash)
      ? [cursor.queueNext, this.cursor.queueNext]
      : [toHex(cursor.inputHash), toHex(this.cursor.inputHash)];
    throw new Error(
      `receipts: ${what} was signed with ${expected} after command ${cursor.seq}, the journal gives ${got}: ` +
        'stop, and verify the journal before anything else is signed',
    );
  }
}
