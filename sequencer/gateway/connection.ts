/**
 * One client: what it may do, what waits to be served, what waits to be sent. Replies and reports are gathered
 * and sent as one packet a turn; what is long (answers to queries, snapshots) flows at the reader's pace.
 */

import type { VerifyKind } from '#auth/verification-batch.ts';
import type { Intake, MessageOrigin } from '#pipeline/ports.ts';
import { concat, viewOf } from '#protocol/bytes.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { Address } from '#protocol/units.ts';
import {
  encodeNotice,
  FrameType,
  GoodbyeCode,
  type GoodbyeCodeValue,
  type Quotas,
  replyAccount,
  WEBSOCKET_CLOSE_BASE,
} from '#protocol/wire.ts';
import { TokenBucket } from './limits.ts';
import type { GatewayMetrics } from './metrics.ts';
import { sentenceOf } from './sentences.ts';

/** The part of a uWebSockets.js WebSocket that is used. */
export interface Socket {
  /** 1 sent, 0 buffered, 2 dropped. */
  send(bytes: Uint8Array, isBinary: boolean): number;
  getBufferedAmount(): number;
  /** Calls the close handler before it returns. */
  end(code: number, reason: string): void;
}

/** What a connection asks of the gateway that holds it. */
export interface ConnectionHost {
  readonly quotas: Quotas;
  readonly metrics: GatewayMetrics;
  readonly intake: Intake;
  /** The connection has something to send when whoever is speaking now is done. */
  flushLater(connection: Connection): void;
  /** Counts a failure of its address; false when the budget is used up. */
  countFailure(connection: Connection): boolean;
}

/** A frame that passed the cheap checks and waits for its turn. */
export interface WaitingFrame {
  readonly connection: Connection;
  readonly kind: VerifyKind;
  readonly tag: number;
  /** Body of the frame, a copy of its own. */
  readonly bytes: Uint8Array;
  /** LOGIN: the connection only reads. */
  readonly observe: boolean;
}

const OUTBOX_BYTES = 4_096;
/** An outbox that grew beyond this in a burst is given back. */
const OUTBOX_KEEP_BYTES = 65_536;
/** Packets are not much longer than this, so that a reader can begin. */
const PACKET_BYTES = 65_536;
/** With no more unread bytes than this a reader has caught up. */
const DRAINED_BYTES = 16_384;
/** WebSocket allows 123. */
const CLOSE_REASON_BYTES_MAX = 120;

/** Codes that count as failures of the sender: forged or misdirected signatures, frames out of form. */
const FAILURES: ReadonlySet<number> = new Set([
  Reject.MALFORMED_FRAME,
  Reject.UNKNOWN_FRAME,
  Reject.MALFORMED_MESSAGE,
  Reject.UNKNOWN_OPERATION,
  Reject.MALFORMED_OPERATION,
  Reject.TOO_MANY_OPERATIONS,
  Reject.BAD_SIGNATURE,
  Reject.UNKNOWN_ACCOUNT,
  Reject.SIGNER_NOT_AUTHORIZED,
]);

export class Connection implements MessageOrigin {
  readonly address: string;
  /** Who logged in to an account. */
  readonly logins = new Map<number, Address>();
  /** Accounts for which this connection counts as order entry. */
  readonly entered = new Set<number>();
  readonly inbox: WaitingFrame[] = [];
  /** First frame of the inbox that was not served. */
  inboxHead = 0;
  /** It stands in the row of those to be served. */
  inTurn = false;
  subscriptions = 0;
  queriesInFlight = 0;
  lastFrameMs: number;
  closed = false;
  /** The socket holds bytes that the reader has not taken. */
  backpressured = false;
  flushQueued = false;
  readonly frames: TokenBucket;
  readonly bytes: TokenBucket;
  /** Frames refused for their rate since one was taken. */
  throttled = 0;
  /** Bytes that go at the reader's pace and were not sent. */
  bulkBytes = 0;
  private readonly bulk: Uint8Array[] = [];
  private outbox = new Uint8Array(OUTBOX_BYTES);
  private outboxBytes = 0;
  /** Frames of others (market data) for this turn, while there is nothing else to send with them. */
  private shared: Uint8Array | undefined;
  /** Accounts that the corridor was told of. */
  private readonly announced = new Set<number>();
  private readonly socket: Socket;
  private readonly host: ConnectionHost;

  constructor(socket: Socket, host: ConnectionHost, start: { address: string; nowMs: number }) {
    const { quotas } = host;
    this.socket = socket;
    this.host = host;
    this.address = start.address;
    this.lastFrameMs = start.nowMs;
    this.frames = new TokenBucket(
      { perSecond: quotas.framesPerSecond, burst: quotas.framesBurst },
      start.nowMs,
    );
    this.bytes = new TokenBucket(
      { perSecond: quotas.bytesPerSecond, burst: Math.max(quotas.bytesPerSecond, quotas.packetBytesMax) },
      start.nowMs,
    );
  }

  // MessageOrigin -------------------------------------------------------------------------------------------

  reply(frame: Uint8Array): void {
    this.enter(replyAccount(viewOf(frame), 0));
    this.append(frame);
  }

  reject(tag: number, code: RejectCode, sentence = sentenceOf(code)): void {
    this.host.metrics.rejected(code);
    this.append(encodeNotice(FrameType.REJECT, tag, code, sentence));
    if (FAILURES.has(code)) this.countFailure();
  }

  /** This connection enters orders for the account: it counts for cancel-on-disconnect. */
  enter(account: number): void {
    if (this.entered.has(account)) return;
    this.entered.add(account);
    const { intake } = this.host;
    // The corridor is telling us something right now and wants no call before it is done.
    queueMicrotask(() => {
      intake.connected(account);
      if (this.closed) intake.disconnected(account);
      else this.announced.add(account);
    });
  }

  private countFailure(): void {
    if (this.closed || this.host.countFailure(this)) return;
    const sentence = `expected at most ${this.host.quotas.failuresPerMinute} bad signatures and malformed frames a minute from one address, got more`;
    queueMicrotask(() => this.goodbye(GoodbyeCode.TOO_MANY_FAILURES, sentence));
  }

  // Sending -------------------------------------------------------------------------------------------------

  /** Joins the packet of this turn; the frame is copied. */
  append(frame: Uint8Array): void {
    if (this.closed) return;
    this.gather(frame);
    if (this.outboxBytes >= PACKET_BYTES) this.flush();
    else this.host.flushLater(this);
  }

  /** Frames shared with other readers, valid until the caller flushes; copied only to join other frames. */
  share(frames: Uint8Array): void {
    if (this.closed) return;
    if (this.shared === undefined && this.outboxBytes === 0) this.shared = frames;
    else {
      this.joinShared();
      this.gather(frames);
    }
  }

  /** Frames that may be long: sent at the reader's pace, in order. They are kept until then. */
  appendBulk(frames: readonly Uint8Array[]): void {
    if (this.closed) return;
    for (const frame of frames) {
      this.bulk.push(frame);
      this.bulkBytes += frame.length;
    }
    this.flush();
  }

  /** Everything that goes at this reader's pace was handed to the socket, and it reads. */
  get isCaughtUp(): boolean {
    return this.bulk.length === 0 && !this.backpressured;
  }

  /** Sends what was gathered as one packet, and of the rest as much as the reader takes. */
  flush(): void {
    if (this.closed) return;
    if (this.outboxBytes > 0) {
      this.joinShared();
      const packet = this.outbox.subarray(0, this.outboxBytes);
      this.outboxBytes = 0;
      this.transmit(packet);
      if (this.outbox.length > OUTBOX_KEEP_BYTES) this.outbox = new Uint8Array(OUTBOX_BYTES);
    } else if (this.shared !== undefined) {
      const packet = this.shared;
      this.shared = undefined;
      this.transmit(packet);
    }
    while (this.bulk.length > 0 && !this.backpressured && !this.closed) this.transmit(this.takeBulk());
  }

  /** The socket has room again; true when the reader has caught up by now. */
  drained(): boolean {
    if (this.closed || this.socket.getBufferedAmount() > DRAINED_BYTES) return false;
    this.backpressured = false;
    this.flush();
    return !this.closed && this.isCaughtUp;
  }

  private gather(frame: Uint8Array): void {
    const end = this.outboxBytes + frame.length;
    if (end > this.outbox.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.outbox.length));
      grown.set(this.outbox.subarray(0, this.outboxBytes));
      this.outbox = grown;
    }
    this.outbox.set(frame, this.outboxBytes);
    this.outboxBytes = end;
  }

  private joinShared(): void {
    const frames = this.shared;
    this.shared = undefined;
    if (frames !== undefined) this.gather(frames);
  }

  /** The next frames that go at the reader's pace, as one packet. */
  private takeBulk(): Uint8Array {
    let count = 0;
    let bytes = 0;
    do bytes += this.bulk[count++]!.length;
    while (count < this.bulk.length && bytes + this.bulk[count]!.length <= PACKET_BYTES);
    this.bulkBytes -= bytes;
    const frames = this.bulk.splice(0, count);
    return frames.length === 1 ? frames[0]! : concat(...frames);
  }

  private transmit(packet: Uint8Array): void {
    if (this.closed) return;
    const { quotas, metrics } = this.host;
    if (this.backpressured && this.socket.getBufferedAmount() > quotas.backpressureBytesMax) {
      this.saySlow();
      return;
    }
    const status = this.socket.send(packet, true);
    metrics.bytesOut += packet.length;
    if (status === 0) this.backpressured = true;
    else if (status === 2) this.saySlow();
  }

  private saySlow(): void {
    this.goodbye(
      GoodbyeCode.SLOW_CONSUMER,
      `expected at most ${this.host.quotas.backpressureBytesMax} unread bytes, got more; connect again and resume by sequence`,
    );
  }

  // Closing -------------------------------------------------------------------------------------------------

  /** Sends what was gathered and the reason, then closes. */
  goodbye(code: GoodbyeCodeValue, sentence: string): void {
    if (this.closed) return;
    this.host.metrics.saidGoodbye(code);
    this.joinShared();
    const notice = encodeNotice(FrameType.GOODBYE, 0, code, sentence);
    const packet = concat(this.outbox.subarray(0, this.outboxBytes), notice);
    this.outboxBytes = 0;
    this.closed = true;
    this.socket.send(packet, true);
    // Sentences of goodbyes are ASCII, so that characters are bytes.
    this.socket.end(WEBSOCKET_CLOSE_BASE + code, sentence.slice(0, CLOSE_REASON_BYTES_MAX));
  }

  /** The socket is gone: forgets what waits, and tells the corridor. */
  release(): void {
    this.closed = true;
    this.bulk.length = 0;
    this.bulkBytes = 0;
    this.outboxBytes = 0;
    this.shared = undefined;
    for (const account of this.announced) this.host.intake.disconnected(account);
    this.announced.clear();
  }
}
