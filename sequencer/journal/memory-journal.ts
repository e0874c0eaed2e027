/** A journal in memory that refuses what the real one refuses, for tests and simulations of other rooms. */

import type { Journal, JournalAppend, JournalHead, JournalRecord, StateMark } from '#pipeline/ports.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import type { Hash, Seq } from '#protocol/units.ts';
import { frameBytes, MARK_BYTES, writeFrame } from './frame.ts';
import { JournalError, refused } from './journal-error.ts';

interface Frame {
  readonly epoch: number;
  readonly firstSeq: Seq;
  readonly count: number;
  readonly payload: Uint8Array;
  readonly mark: StateMark | undefined;
}

export interface MemoryJournalOptions {
  readonly genesis?: Hash;
  /** Awaited in the middle of every append: a latency, or a fault when it rejects; default none. */
  readonly flush?: () => Promise<void>;
}

export class MemoryJournal implements Journal {
  headroomBytes = Number.MAX_SAFE_INTEGER;
  private readonly flush: () => Promise<void>;
  private frames: Frame[] = [];
  private end: JournalHead;
  private epoch = 0;
  private inFlight = false;
  private death: JournalError | undefined;

  constructor(options: MemoryJournalOptions = {}) {
    this.flush = options.flush ?? (() => Promise.resolve());
    this.end = { seq: 0, hash: options.genesis ?? ZERO_HASH };
  }

  get head(): JournalHead {
    return this.end;
  }

  get lastSeq(): Seq {
    return this.end.seq;
  }

  get firstSeq(): Seq {
    return this.frames[0]?.firstSeq ?? this.end.seq + 1;
  }

  async append(frame: JournalAppend): Promise<JournalHead> {
    if (this.death !== undefined) throw this.death;
    if (this.inFlight)
      throw new JournalError(
        'busy',
        'journal append: expected the one before to have settled, it is in flight',
      );
    const { mark } = frame;
    if (frame.epoch < this.epoch)
      throw refused('stale-epoch', 'epoch', `at least ${this.epoch}`, frame.epoch);
    if (frame.firstSeq !== this.end.seq + 1)
      throw refused('wrong-seq', 'first seq', this.end.seq + 1, frame.firstSeq);
    if (!equalBytes(frame.after, this.end.hash))
      throw refused('wrong-predecessor', 'predecessor', toHex(this.end.hash), toHex(frame.after));
    if (frame.count < (mark === undefined ? 1 : 0))
      throw refused('bad-append', 'count', 'at least 1, or a mark', frame.count);
    const bytes = new Uint8Array(frameBytes(frame.payload.length + (mark === undefined ? 0 : MARK_BYTES)));
    const hash = writeFrame(bytes, { ...frame, previousHash: frame.after }, frame.payload, mark);
    const { epoch, firstSeq, count } = frame;
    const kept: Frame = { epoch, firstSeq, count, payload: frame.payload.slice(), mark };
    this.inFlight = true;
    try {
      await this.flush();
    } catch (error) {
      this.death = new JournalError('flush-failed', 'memory journal: writing failed', {}, error);
      throw this.death;
    } finally {
      this.inFlight = false;
    }
    this.frames.push(kept);
    this.epoch = epoch;
    this.end = { seq: firstSeq + count - 1, hash };
    return this.end;
  }

  async *readFrom(seq: Seq, through?: Seq): AsyncGenerator<JournalRecord> {
    if (seq > Math.min(through ?? this.end.seq, this.end.seq)) return;
    if (seq < this.firstSeq)
      throw new JournalError('pruned', `memory journal no longer holds command ${seq}`, {
        expected: `at least ${this.firstSeq}`,
        got: seq,
      });
    for (const { epoch, firstSeq, count, payload, mark } of [...this.frames]) {
      const last = firstSeq + count - 1;
      if (last < seq) continue;
      if (count > 0) yield { kind: 'commands', epoch, firstSeq, count, payload };
      if (mark !== undefined) yield { kind: 'mark', epoch, ...mark };
      if (through !== undefined && last >= through) return;
    }
  }

  async pruneBelow(seq: Seq): Promise<void> {
    this.frames = this.frames.filter((frame) => frame.firstSeq + frame.count > seq);
  }

  async close(): Promise<void> {
    this.death ??= new JournalError('closed', 'memory journal is closed');
  }
}
