/**
 * The corridor. Whatever changes the exchange walks through here, in one order, on one thread:
 *
 *   intake → inbox → engine.admit → stamp (seq, time) → engine.apply → open group → journal
 *                                                                                     │ durable
 *                          answers ← execution reports, market data ← batcher ←───────┘
 *
 * Nothing that follows from a command leaves before its group is durable; a refusal neither, for it too tells
 * of state. What is applied but not durable is bounded; beyond that messages wait in the inbox, and when the
 * inbox is full the sender is told BUSY before anything is sequenced.
 */

import type { Engine } from '#engine/engine.ts';
import { ENTRY_BYTES_MAX } from '#journal/entry.ts';
import { assert } from '#protocol/assert.ts';
import { viewOf } from '#protocol/bytes.ts';
import { MESSAGE, writeRecordHeader } from '#protocol/command.ts';
import { JOURNAL_PAYLOAD_BYTES_MAX, RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { Address, Seq, TimeMs } from '#protocol/units.ts';
import type { Group } from './group.ts';
import { GroupCommit } from './group-commit.ts';
import { Inbox, newWaiting } from './inbox.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type {
  Clock,
  CommandConsumer,
  CommandSource,
  EventConsumer,
  Journal,
  MessageOrigin,
  Scheduler,
} from './ports.ts';
import { reserveReply } from './reply.ts';

export interface PipelineOptions {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly clock: Clock & Scheduler;
  /** Stands in every frame; one of an older epoch is refused. */
  readonly epoch: number;
  /** Told in this order, after the answers. */
  readonly events: readonly EventConsumer[];
  readonly commands: readonly CommandConsumer[];
  /** While it says true, messages wait: what comes after the journal has fallen too far behind. */
  readonly isBehind: () => boolean;
  /** Called once; the process must end and recover. */
  readonly onFatal: (error: Error) => void;
  /** Messages that may wait; default 16,384. */
  readonly inboxMessages?: number;
  /** Commands between two state marks in the journal; default 100,000. */
  readonly markEvery?: number;
}

/** Rows and bytes at which the open group takes no more until the flush in flight is done. */
const GROUP_ROWS_MAX = 65_536;
const GROUP_BYTES_MAX = JOURNAL_PAYLOAD_BYTES_MAX - ENTRY_BYTES_MAX;
/** What the journal must surely be able to take before more is let in. */
const HEADROOM_BYTES_MIN = 1024 * 1024;
/** Messages before the event loop gets its turn. */
const BURST_MESSAGES = 512;
/** How often is looked whether what fell behind has caught up. */
const BEHIND_POLL_MS = 5;

export class Pipeline {
  /** Since the start. */
  readonly totals = { commands: 0, messages: 0, refused: 0, busy: 0 };
  /** From submission to answer. */
  readonly orderToReply = new LatencyHistogram();
  readonly commit: GroupCommit;

  private readonly options: PipelineOptions;
  private readonly engine: Engine;
  /** Asked in this order before every burst of messages. */
  private readonly sources: CommandSource[] = [];
  private readonly inbox: Inbox;
  private readonly waiting = newWaiting();
  private readonly scratch = new Uint8Array(RECORD_HEADER_BYTES + RECORD_BODY_BYTES_MAX);
  private readonly scratchView = viewOf(this.scratch);
  private readonly durableWaiters: { seq: Seq; resolve: () => void }[] = [];
  private state: 'open' | 'closing' | 'dead' = 'open';
  private awake = false;
  private stopPoll: (() => void) | undefined;
  /** Why nothing more is sequenced; 0 while all is well. */
  private halted: RejectCode = Reject.NONE;
  private onIdle: (() => void) | undefined;

  constructor(options: PipelineOptions) {
    const { engine, journal } = options;
    assert(engine.state.seq === journal.lastSeq, 'the engine stands where the journal ends');
    this.options = options;
    this.engine = engine;
    this.inbox = new Inbox(options.inboxMessages ?? 16_384);
    this.commit = new GroupCommit({
      journal,
      state: engine.state,
      epoch: options.epoch,
      markEvery: options.markEvery ?? 100_000,
      tell: (group) => this.tell(group),
      onRoom: () => this.wake(),
      onFatal: (error) => this.fail(error),
    });
  }

  addSource(source: CommandSource): void {
    this.sources.push(source);
  }

  get durableSeq(): Seq {
    return this.commit.durableSeq;
  }
  get inboxSize(): number {
    return this.inbox.size;
  }
  /** Time of the next command: the clock, but never before the last command. */
  now(): TimeMs {
    return Math.max(this.options.clock.nowMs(), this.engine.state.now);
  }

  /** As Intake.submitMessage. */
  submit(message: Uint8Array, signer: Address, tag: number, origin: MessageOrigin): RejectCode {
    if (this.halted !== Reject.NONE) return this.halted;
    if (this.state !== 'open') return Reject.SHUTTING_DOWN;
    const receivedUs = this.options.clock.monotonicUs();
    const isFull = this.options.journal.headroomBytes < HEADROOM_BYTES_MIN;
    if (isFull || !this.inbox.put({ message, signer, tag, origin, receivedUs })) {
      this.totals.busy++;
      return Reject.BUSY;
    }
    this.wake();
    return Reject.NONE;
  }

  /** There is something to do: it is done when the caller's turn has ended. */
  wake(): void {
    if (this.awake || this.state === 'dead') return;
    this.awake = true;
    queueMicrotask(() => this.turn());
  }

  /** Resolves when everything applied so far is durable: what was read from the state may then be told. */
  whenDurable(): Promise<void> {
    const { seq } = this.engine.state;
    if (seq <= this.durableSeq) return Promise.resolve();
    return new Promise((resolve) => this.durableWaiters.push({ seq, resolve }));
  }

  /**
   * Sequences nothing more: messages that wait, and all that come, are refused with `code`. What was applied becomes
   * durable and is answered.
   */
  halt(code: RejectCode): void {
    if (this.halted !== Reject.NONE) return;
    this.halted = code;
    this.wake();
  }

  /** Takes nothing new, answers what was taken, and resolves when all of it is durable. */
  async close(): Promise<void> {
    if (this.state === 'open') this.state = 'closing';
    this.wake();
    if (this.state !== 'dead') await new Promise<void>((resolve) => (this.onIdle = resolve));
    this.stopPoll?.();
  }

  private turn(): void {
    this.awake = false;
    if (this.state === 'dead') return;
    try {
      this.drain();
      this.commit.flush(this.state === 'closing');
    } catch (error) {
      this.fail(error);
    }
    if (this.state === 'closing' && this.inbox.size === 0 && this.commit.idle) this.onIdle?.();
  }

  /** Sequences what waits, as far as there is room: first the sources' commands, then messages. */
  private drain(): void {
    if (this.halted !== Reject.NONE) {
      while (this.inbox.take(this.waiting)) {
        const { tag, origin, receivedUs } = this.waiting;
        this.totals.refused++;
        this.commit.open.answer(origin, tag, this.halted, receivedUs);
      }
      return;
    }
    const now = this.now();
    if (this.state === 'open') {
      for (const source of this.sources) this.drainSource(source, now);
      if (this.options.isBehind()) {
        this.lookAgain();
        return;
      }
    }
    for (let burst = 0; burst < BURST_MESSAGES && this.hasRoom(); burst++) {
      if (!this.inbox.take(this.waiting)) return;
      this.sequenceMessage(now);
    }
    if (this.inbox.size === 0) return;
    if (this.hasRoom()) {
      // The rest after everybody else's turn.
      this.awake = true;
      setImmediate(() => this.turn());
    } else if (this.commit.idle) this.lookAgain(); // The disk has no room; else the end of the flush wakes us.
  }

  private drainSource(source: CommandSource, now: TimeMs): void {
    while (this.hasRoom()) {
      const command = source.take(now);
      if (command === undefined) return;
      source.settled(this.sequence(command.kind, command.body, command.signers, now));
    }
  }

  private sequenceMessage(now: TimeMs): void {
    const { message, signer, tag, origin, receivedUs } = this.waiting;
    const { open } = this.commit;
    const code = this.sequence(MESSAGE, message, signer, now);
    if (code === 0) {
      this.totals.messages++;
      reserveReply(open, message, { tag, seq: this.engine.state.seq, time: now }, this.engine.events);
    } else this.totals.refused++;
    open.answer(origin, tag, code, receivedUs);
  }

  /** Stamps and applies one command, unless the engine refuses it: then nothing has happened. */
  private sequence(kind: number, body: Uint8Array, signers: Uint8Array, now: TimeMs): RejectCode {
    const { engine, scratch } = this;
    writeRecordHeader(this.scratchView, 0, { kind, bodyBytes: body.length, time: now });
    scratch.set(body, RECORD_HEADER_BYTES);
    const record = scratch.subarray(0, RECORD_HEADER_BYTES + body.length);
    const code = engine.admit({ record, signers }, now) as RejectCode;
    if (code !== 0) return code;
    engine.apply({ record, signers });
    this.commit.open.append(engine.state.seq, record, signers, engine.events);
    this.totals.commands++;
    return Reject.NONE;
  }

  private hasRoom(): boolean {
    const { open } = this.commit;
    return (
      open.rows < GROUP_ROWS_MAX &&
      open.answers < this.inbox.capacity &&
      open.entries.length < Math.min(GROUP_BYTES_MAX, this.options.journal.headroomBytes - ENTRY_BYTES_MAX)
    );
  }

  private lookAgain(): void {
    this.stopPoll ??= this.options.clock.after(BEHIND_POLL_MS, () => {
      this.stopPoll = undefined;
      this.wake();
    });
  }

  /** The group is durable: everybody may know. */
  private tell(group: Group): void {
    const nowUs = this.options.clock.monotonicUs();
    group.release((receivedUs) => this.orderToReply.add(nowUs - receivedUs));
    if (group.commands > 0) {
      for (const consumer of this.options.events) consumer.onEvents(group.events, group.lastSeq, true);
      for (const consumer of this.options.commands)
        consumer.onCommands(group.firstSeq, group.commands, group.entries.payload);
    }
    while (this.durableWaiters.length > 0 && this.durableWaiters[0]!.seq <= this.durableSeq)
      this.durableWaiters.shift()!.resolve();
  }

  /** Nothing is told any more: what is not durable has never happened. */
  private fail(error: unknown): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.onIdle?.();
    this.options.onFatal(error instanceof Error ? error : new Error(String(error)));
  }
}
