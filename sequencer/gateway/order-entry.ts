/**
 * Order entry: from well-formed frames to the corridor. Frames wait in their connection's inbox; connections are
 * served in turn, one frame each, so that none starves another; signatures are recovered by the workers, in
 * batches, and handed to the corridor in the order in which they were served.
 */
import type { Authenticator, Verdict } from '#auth/authenticator.ts';
import { VERIFY_LOGIN, VERIFY_MESSAGE } from '#auth/verification-batch.ts';
import type { Clock, FeedSource, Intake } from '#pipeline/ports.ts';
import { getU64, viewOf } from '#protocol/bytes.ts';
import { LOGIN_AGE_MS_MAX } from '#protocol/limits.ts';
import { messageAccount, messageOperationCount } from '#protocol/message.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { Address } from '#protocol/units.ts';
import { encodeFrame, encodeLoggedIn, FrameType, type Quotas } from '#protocol/wire.ts';
import type { Connection, WaitingFrame } from './connection.ts';
import { type AccountRates, WAITING_FRAMES_MAX } from './limits.ts';
import type { GatewayMetrics } from './metrics.ts';

interface ServedBatch {
  readonly frames: readonly WaitingFrame[];
  verdicts: readonly Verdict[] | undefined;
}

/** Frames with the workers at a time: enough to keep them busy, few enough that turns are taken often. */
const IN_FLIGHT_PER_WORKER = 64;
/** Served frames after which an inbox array is cut. */
const INBOX_TRIM = 64;

const NO_BYTES = new Uint8Array(0);

export interface OrderEntryOptions {
  readonly authenticator: Authenticator;
  readonly workers: number;
  readonly intake: Intake;
  readonly feed: FeedSource;
  readonly clock: Clock;
  readonly quotas: Quotas;
  readonly accountRates: AccountRates;
  readonly metrics: GatewayMetrics;
}

export class OrderEntry {
  private readonly options: OrderEntryOptions;
  private readonly inFlightMax: number;
  /** Connections with frames that wait, in the order of their turns. */
  private turns: Connection[] = [];
  private turnsHead = 0;
  /** Batches with the workers, in the order in which they were served. */
  private readonly batches: ServedBatch[] = [];
  private inFlight = 0;
  private waiting = 0;
  private pumpQueued = false;
  /** What every frame is answered; NONE while frames are taken. */
  private stopped: RejectCode = Reject.NONE;

  constructor(options: OrderEntryOptions) {
    this.options = options;
    this.inFlightMax = options.workers * IN_FLIGHT_PER_WORKER;
  }

  /** Nothing waits and nothing is with the workers. */
  get isIdle(): boolean {
    return this.waiting === 0 && this.inFlight === 0;
  }

  /** From now on every frame is answered `code`; those with the workers still go through. */
  stop(code: RejectCode): void {
    this.stopped = code;
    for (const connection of this.turns.slice(this.turnsHead)) {
      for (const frame of connection.inbox.slice(connection.inboxHead)) connection.reject(frame.tag, code);
      this.forget(connection);
    }
    this.turns = [];
    this.turnsHead = 0;
  }

  /** Takes a frame whose form and rate were checked, or answers why not. */
  accept(frame: WaitingFrame): void {
    const { connection } = frame;
    const code = this.admit(connection, frame);
    if (code !== Reject.NONE) {
      connection.reject(frame.tag, code);
      return;
    }
    connection.inbox.push(frame);
    this.waiting++;
    if (!connection.inTurn) {
      connection.inTurn = true;
      this.turns.push(connection);
    }
  }

  /** Serves what waits; called when a packet was read to its end. */
  serve(): void {
    if (this.inFlight === 0) this.pump();
    else this.pumpLater();
  }

  /** Drops what waits of a connection that has gone. */
  forget(connection: Connection): void {
    this.waiting -= connection.inbox.length - connection.inboxHead;
    connection.inbox.length = 0;
    connection.inboxHead = 0;
  }

  private admit(connection: Connection, frame: WaitingFrame): RejectCode {
    const { quotas, clock, accountRates } = this.options;
    if (this.stopped !== Reject.NONE) return this.stopped;
    if (frame.kind === VERIFY_MESSAGE) {
      const view = viewOf(frame.bytes);
      const account = messageAccount(view);
      // Anyone can write another's account number: only who has proven to act for it takes from its bucket.
      const proven = connection.entered.has(account) || connection.logins.has(account);
      if (proven && !accountRates.take(account, messageOperationCount(view), clock.nowMs()))
        return Reject.RATE_LIMITED;
    } else if (frame.kind === VERIFY_LOGIN) {
      const time = getU64(viewOf(frame.bytes), 4);
      if (Math.abs(time - clock.nowMs()) > LOGIN_AGE_MS_MAX) return Reject.MESSAGE_EXPIRED;
    }
    if (connection.inbox.length - connection.inboxHead >= quotas.inboxFrames) return Reject.BUSY;
    return this.waiting >= WAITING_FRAMES_MAX ? Reject.BUSY : Reject.NONE;
  }

  private pumpLater(): void {
    if (this.pumpQueued) return;
    this.pumpQueued = true;
    setImmediate(() => {
      this.pumpQueued = false;
      this.pump();
    });
  }

  /** Fills the workers' queue, one frame a connection and turn. */
  private pump(): void {
    const frames: WaitingFrame[] = [];
    while (this.turnsHead < this.turns.length && this.inFlight + frames.length < this.inFlightMax) {
      const connection = this.turns[this.turnsHead++]!;
      const frame = connection.inbox[connection.inboxHead];
      if (frame === undefined) {
        connection.inTurn = false;
        continue;
      }
      connection.inboxHead++;
      this.waiting--;
      frames.push(frame);
      if (connection.inboxHead < connection.inbox.length) {
        this.turns.push(connection);
        if (connection.inboxHead >= INBOX_TRIM) {
          connection.inbox.splice(0, connection.inboxHead);
          connection.inboxHead = 0;
        }
      } else {
        connection.inTurn = false;
        connection.inbox.length = 0;
        connection.inboxHead = 0;
      }
    }
    if (this.turnsHead > INBOX_TRIM && 2 * this.turnsHead > this.turns.length) {
      this.turns = this.turns.slice(this.turnsHead);
      this.turnsHead = 0;
    }
    if (frames.length > 0) this.verify(frames);
  }

  private verify(frames: readonly WaitingFrame[]): void {
    const { authenticator, metrics } = this.options;
    const batch: ServedBatch = { frames, verdicts: undefined };
    this.batches.push(batch);
    this.inFlight += frames.length;
    metrics.verifyItems.observe(frames.length);
    const stopTimer = metrics.verifySeconds.startTimer();
    void authenticator.verify(frames).then((verdicts) => {
      stopTimer();
      batch.verdicts = verdicts;
      this.settle();
    });
  }

  /** Hands on the batches whose predecessors are all done. */
  private settle(): void {
    let batch = this.batches[0];
    while (batch?.verdicts !== undefined) {
      this.batches.shift();
      this.inFlight -= batch.frames.length;
      for (let i = 0; i < batch.frames.length; i++) this.deliver(batch.frames[i]!, batch.verdicts[i]!);
      batch = this.batches[0];
    }
    this.pump();
  }

  private deliver(frame: WaitingFrame, verdict: Verdict): void {
    const { connection, tag, bytes } = frame;
    // An order whose sender has gone before it was sequenced is not entered behind its back.
    if (connection.closed) return;
    if (typeof verdict === 'number') {
      connection.reject(tag, verdict);
      return;
    }
    const { intake } = this.options;
    switch (frame.kind) {
      case VERIFY_MESSAGE: {
        const code = intake.submitMessage(bytes, verdict, tag, connection);
        if (code !== Reject.NONE) connection.reject(tag, code);
        return;
      }
      case VERIFY_LOGIN:
        this.logIn(frame, verdict);
        return;
      default: {
        const code = intake.submitReport(viewOf(bytes).getUint16(0, true), bytes.subarray(2), verdict);
        if (code !== Reject.NONE) connection.reject(tag, code);
        else connection.append(encodeFrame(FrameType.ACK, tag, NO_BYTES));
      }
    }
  }

  private logIn(frame: WaitingFrame, signer: Address): void {
    const { intake, feed } = this.options;
    const { connection, tag } = frame;
    const account = viewOf(frame.bytes).getUint32(0, true);
    const code = intake.mayRead(account, signer);
    if (code !== Reject.NONE) {
      connection.reject(tag, code);
      return;
    }
    connection.logins.set(account, signer.slice());
    if (!frame.observe) connection.enter(account);
    const start = feed.start({ channel: 'account', account });
    const reportSequence = typeof start === 'number' ? 0 : start.sequence;
    connection.append(encodeLoggedIn({ tag, account, reportSequence }));
  }
}
