/**
 * One group commit: the entries that go to the journal in one frame, and what follows from them but must not
 * be told before they are durable (event rows, answers). Rows and replies are copied into buffers that are kept.
 */

import { EntryWriter } from '#journal/entry.ts';
import { EVENT_STRIDE, type EventBuffer } from '#protocol/event.ts';
import type { RejectCode } from '#protocol/reject.ts';
import type { EventRows, MessageOrigin } from './ports.ts';

export class Group {
  readonly entries = new EntryWriter();
  /** Seq of the first and last command. */
  firstSeq = 0;
  lastSeq = 0;

  private data = new Float64Array(256 * EVENT_STRIDE);
  private rowCount = 0;

  private replies = new Uint8Array(16 * 1024);
  private replyBytes = 0;
  /** Answers in order: to whom, and either where the reply ends or the code of the reject. */
  private readonly origins: MessageOrigin[] = [];
  private readonly tags: number[] = [];
  private readonly codes: RejectCode[] = [];
  private readonly ends: number[] = [];
  private readonly receivedUs: number[] = [];

  /** Nothing to journal and nobody to answer. */
  get empty(): boolean {
    return this.entries.count === 0 && this.origins.length === 0;
  }
  get commands(): number {
    return this.entries.count;
  }
  get answers(): number {
    return this.origins.length;
  }
  get events(): EventRows {
    return { data: this.data, count: this.rowCount };
  }
  get rows(): number {
    return this.rowCount;
  }

  /** A command was applied as `seq`: its entry, and the rows of its events. All are copied. */
  append(seq: number, record: Uint8Array, signers: Uint8Array, events: EventBuffer): void {
    if (this.entries.count === 0) this.firstSeq = seq;
    this.lastSeq = seq;
    this.entries.append(record, signers);
    const used = this.rowCount * EVENT_STRIDE;
    const added = events.count * EVENT_STRIDE;
    if (used + added > this.data.length) {
      let size = this.data.length * 2;
      while (size < used + added) size *= 2;
      const grown = new Float64Array(size);
      grown.set(this.data.subarray(0, used));
      this.data = grown;
    }
    this.data.set(added === events.data.length ? events.data : events.data.subarray(0, added), used);
    this.rowCount += events.count;
  }

  /** Room for a reply of `bytes`; returns the buffer and where to write. It belongs to the next `answer`. */
  reserve(bytes: number): { buffer: Uint8Array; at: number } {
    if (this.replyBytes + bytes > this.replies.length) {
      let size = this.replies.length * 2;
      while (size < this.replyBytes + bytes) size *= 2;
      const grown = new Uint8Array(size);
      grown.set(this.replies.subarray(0, this.replyBytes));
      this.replies = grown;
    }
    const at = this.replyBytes;
    this.replyBytes += bytes;
    return { buffer: this.replies, at };
  }

  /** Someone is to be told once the group is durable: `code` 0 sends what was reserved, else a reject. */
  answer(origin: MessageOrigin, tag: number, code: RejectCode, receivedUs: number): void {
    this.origins.push(origin);
    this.tags.push(tag);
    this.codes.push(code);
    this.ends.push(this.replyBytes);
    this.receivedUs.push(receivedUs);
  }

  /** Tells everybody, in the order of submission; `onAnswered` is given when each was received. */
  release(onAnswered: (receivedUs: number) => void): void {
    let at = 0;
    for (let i = 0; i < this.origins.length; i++) {
      const end = this.ends[i]!;
      const code = this.codes[i]!;
      if (code === 0) this.origins[i]!.reply(this.replies.subarray(at, end));
      else this.origins[i]!.reject(this.tags[i]!, code);
      at = end;
      onAnswered(this.receivedUs[i]!);
    }
  }

  reset(): void {
    this.entries.reset();
    this.firstSeq = 0;
    this.lastSeq = 0;
    this.rowCount = 0;
    this.replyBytes = 0;
    this.origins.length = 0;
    this.tags.length = 0;
    this.codes.length = 0;
    this.ends.length = 0;
    this.receivedUs.length = 0;
  }
}
