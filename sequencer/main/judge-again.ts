/**
 * Executes the commands of a journal anew and appends them to a copy of its beginning. Up to the last batch that L1
 * still has they stand as they are; from there on each is judged by these rules as if it had come in just now. One that
 * would not be admitted gives its place to a CLOCK, so that every other one keeps its seq.
 *
 * L1 takes no batch of times that lie too far back. Commands before `oldestMs` are stamped with it instead, and the
 * entries of the L1 queue among them go first: by then they are overdue.
 */
import { Engine } from '#engine/engine.ts';
import { EntryReader, EntryWriter } from '#journal/entry.ts';
import type { Journal, L1View } from '#pipeline/ports.ts';
import { equalBytes, viewOf } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  encodeRecord,
  NO_SIGNERS,
  QUEUE_ENTRY,
  recordKind,
  recordTime,
  writeRecordHeader,
} from '#protocol/command.ts';
import { RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { rejectName } from '#protocol/reject.ts';
import type { Seq, TimeMs } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';

export interface Judging {
  readonly source: Pick<Journal, 'readFrom' | 'lastSeq'>;
  /** A copy of the source's beginning. */
  readonly target: Pick<Journal, 'append' | 'head'>;
  /** At or before command `fromSeq - 1`, which the source goes on from. */
  readonly start: ExchangeState;
  /** Last command that the copy holds already. */
  readonly copied: Seq;
  /** First command that is judged again. */
  readonly fromSeq: Seq;
  /** Of what is appended. */
  readonly epoch: number;
  /** The least time that a command judged again may have. */
  readonly oldestMs: TimeMs;
  readonly l1: Pick<L1View, 'entries'>;
  /** At most once a second. */
  readonly onProgress?: ((progress: { readonly seq: Seq; readonly lastSeq: Seq }) => void) | undefined;
}

export interface Replaced {
  /** Its place in the source. */
  readonly seq: Seq;
  /** Name of a reject code. */
  readonly reason: string;
}

const PROGRESS_MS = 1_000;
const FRAME_BYTES = 1024 * 1024;
const NO_BODY = new Uint8Array(0);

/** Resolves with what was replaced when all is durable; ends with a CLOCK, so that the copy is never as long as the source. */
export async function judgeAgain(judging: Judging): Promise<Replaced[]> {
  return new Judge(judging).run();
}

class Judge {
  private readonly judging: Judging;
  private readonly engine: Engine;
  private readonly writer = new EntryWriter();
  private readonly replaced: Replaced[] = [];
  private reportedMs = Date.now();

  constructor(judging: Judging) {
    this.judging = judging;
    this.engine = new Engine(judging.start);
  }

  async run(): Promise<Replaced[]> {
    const { fromSeq, source, copied } = this.judging;
    const { state } = this.engine;
    // A frame may reach over the end of the copy, and the state stand within it.
    for await (const { seq, command } of this.commands(Math.min(state.seq, copied) + 1, fromSeq - 1)) {
      if (seq > state.seq) this.engine.apply(command);
      if (seq > copied) await this.keep(command);
    }
    if (state.seq !== fromSeq - 1) throw missing(fromSeq - 1, state.seq);
    await this.flush();
    for await (const { seq, command } of this.commands(fromSeq, source.lastSeq))
      if (this.isMoved(command)) await this.judge(seq, command);
    for await (const { seq, command } of this.commands(fromSeq, source.lastSeq))
      if (!this.isMoved(command)) await this.judge(seq, command);
    await this.judge(source.lastSeq + 1, clock(state.now));
    await this.flush();
    return this.replaced;
  }

  /** A queue entry from before the time that L1 still takes. */
  private isMoved({ record }: Command): boolean {
    const view = viewOf(record);
    return recordKind(view) === QUEUE_ENTRY && recordTime(view) < this.judging.oldestMs;
  }

  private async judge(seq: Seq, command: Command): Promise<void> {
    const { engine } = this;
    const { state } = engine;
    const time = Math.max(recordTime(viewOf(command.record)), this.judging.oldestMs, state.now);
    const stamped = { record: stampedWith(command.record, time), signers: command.signers };
    const code = engine.admit(stamped, time);
    const kept = code === 0 ? stamped : clock(time);
    if (code !== 0) this.replaced.push({ seq, reason: rejectName(code) });
    engine.apply(kept);
    if (recordKind(viewOf(kept.record)) === QUEUE_ENTRY) this.checkQueue();
    await this.keep(kept);
  }

  /** What L1 has at this place must be what was just applied. */
  private checkQueue(): void {
    const { state } = this.engine;
    const [entry] = this.judging.l1.entries(state.queueNext - 1, 1);
    if (entry === undefined || equalBytes(entry.prefixHash, state.queueHash)) return;
    throw new Error(
      `recover: expected queue entry ${entry.index} of the journal to be that of L1, got another: L1 reorganized deeper than the configured confirmations`,
    );
  }

  private async keep({ record, signers }: Command): Promise<void> {
    this.writer.append(record, signers);
    if (this.writer.length >= FRAME_BYTES) await this.flush();
  }

  private async flush(): Promise<void> {
    const { writer, judging } = this;
    const { target, epoch } = judging;
    if (writer.count > 0)
      await target.append({
        epoch,
        firstSeq: target.head.seq + 1,
        count: writer.count,
        payload: writer.payload,
        after: target.head.hash,
      });
    writer.reset();
    if (Date.now() - this.reportedMs < PROGRESS_MS) return;
    this.reportedMs = Date.now();
    judging.onProgress?.({ seq: this.engine.state.seq, lastSeq: judging.source.lastSeq });
  }

  private async *commands(from: Seq, through: Seq): AsyncGenerator<{ seq: Seq; command: Command }> {
    if (from > through) return;
    for await (const frame of this.judging.source.readFrom(from, through)) {
      if (frame.kind !== 'commands') continue;
      const entries = new EntryReader(frame.payload, frame.count);
      for (let seq = frame.firstSeq; entries.next(); seq++)
        if (seq >= from && seq <= through)
          yield { seq, command: { record: entries.record, signers: entries.signers } };
    }
  }
}

const clock = (time: TimeMs): Command => ({
  record: encodeRecord(CLOCK, time, NO_BODY),
  signers: NO_SIGNERS,
});

function stampedWith(record: Uint8Array, time: TimeMs): Uint8Array {
  const view = viewOf(record);
  if (recordTime(view) === time) return record;
  const stamped = record.slice();
  const bodyBytes = record.length - RECORD_HEADER_BYTES;
  writeRecordHeader(viewOf(stamped), 0, { kind: recordKind(view), bodyBytes, time });
  return stamped;
}

const missing = (expected: Seq, got: Seq): Error =>
  new Error(`recover: expected the journal to reach command ${expected}, got ${got}`);
