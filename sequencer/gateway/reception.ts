/**
 * Where packets arrive: opens and closes connections, checks form and rate of every frame, and hands it to the
 * room it is for. The cheap checks come first: form, rate of the connection, rate of the account, room in the
 * inbox; only then is a signature looked at.
 */
import { VERIFY_LOGIN, VERIFY_MESSAGE, VERIFY_REPORT, type VerifyKind } from '#auth/verification-batch.ts';
import type { Clock, Intake } from '#pipeline/ports.ts';
import { FRAME_HEADER_BYTES } from '#protocol/limits.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { Reverted } from '#protocol/reverted.ts';
import {
  checkClientFrame,
  encodeFrame,
  encodePong,
  FrameType,
  frameBytes,
  frameFlags,
  frameTag,
  frameType,
  GoodbyeCode,
  type Hello,
  hasFrame,
  OBSERVE,
  PROTOCOL_VERSION,
  type Quotas,
} from '#protocol/wire.ts';
import { Connection, type ConnectionHost, type Socket } from './connection.ts';
import { type AccountRates, AddressBook, FLOOD_BURSTS } from './limits.ts';
import type { MarketData } from './market-data.ts';
import type { GatewayMetrics } from './metrics.ts';
import { pack } from './msgpack.ts';
import type { OrderEntry } from './order-entry.ts';
import type { QueryDesk } from './query-desk.ts';

export interface ReceptionOptions {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly quotas: Quotas;
  readonly metrics: GatewayMetrics;
  readonly accountRates: AccountRates;
  readonly orderEntry: OrderEntry;
  readonly marketData: MarketData;
  readonly queryDesk: QueryDesk;
  readonly chainId: number;
  /** 0x… of the Rollup contract. */
  readonly rollup: string;
  /** What strikes have made void; told in HELLO. */
  readonly reverted?: readonly Reverted[] | undefined;
}

export class Reception implements ConnectionHost {
  readonly quotas: Quotas;
  readonly metrics: GatewayMetrics;
  readonly intake: Intake;
  readonly connections = new Set<Connection>();
  private readonly options: ReceptionOptions;
  private readonly addresses: AddressBook;
  private readonly toFlush: Connection[] = [];

  constructor(options: ReceptionOptions) {
    this.options = options;
    this.quotas = options.quotas;
    this.metrics = options.metrics;
    this.intake = options.intake;
    this.addresses = new AddressBook(options.quotas);
  }

  // ConnectionHost ------------------------------------------------------------------------------------------

  flushLater(connection: Connection): void {
    if (connection.flushQueued) return;
    connection.flushQueued = true;
    this.toFlush.push(connection);
    // A group of replies is handed out in one go: all of it is gathered before the first byte is sent.
    if (this.toFlush.length === 1) queueMicrotask(() => this.flushAll());
  }

  countFailure(connection: Connection): boolean {
    return this.addresses.fail(connection.address, this.options.clock.nowMs());
  }

  // Connections ---------------------------------------------------------------------------------------------

  /** A WebSocket was opened: greets it, or says why it must go. Pair with `close`. */
  open(socket: Socket, address: string): Connection {
    const nowMs = this.options.clock.nowMs();
    const connection = new Connection(socket, this, { address, nowMs });
    const verdict = this.addresses.open(address, nowMs);
    this.connections.add(connection);
    this.metrics.connections = this.connections.size;
    if (verdict === 'too-many-connections') {
      const most = this.quotas.connectionsPerAddress;
      connection.goodbye(
        GoodbyeCode.TOO_MANY_CONNECTIONS,
        `expected at most ${most} connections from one address, got one more`,
      );
    } else if (verdict === 'too-many-failures') {
      const most = this.quotas.failuresPerMinute;
      connection.goodbye(
        GoodbyeCode.TOO_MANY_FAILURES,
        `expected at most ${most} bad signatures and malformed frames a minute from one address, got more; try later`,
      );
    } else connection.append(this.hello(nowMs));
    return connection;
  }

  /** The WebSocket is gone. */
  close(connection: Connection): void {
    if (!this.connections.delete(connection)) return;
    this.metrics.connections = this.connections.size;
    this.addresses.close(connection.address);
    this.options.orderEntry.forget(connection);
    this.options.marketData.forget(connection);
    connection.release();
  }

  /** The socket has room again. */
  drained(connection: Connection): void {
    if (connection.drained()) this.options.marketData.drained(connection);
  }

  /** A text message came. */
  refuseText(connection: Connection): void {
    connection.goodbye(
      GoodbyeCode.TEXT_NOT_SPOKEN,
      'expected binary messages of whole frames (docs/wire-protocol.md), got text',
    );
  }

  /** Closes those that do nothing, forgets what has become irrelevant; called every few seconds. */
  sweep(): void {
    const nowMs = this.options.clock.nowMs();
    const idleMs = this.quotas.idleTimeoutSeconds * 1_000;
    for (const connection of [...this.connections]) {
      const isUsed =
        connection.subscriptions > 0 || connection.logins.size > 0 || connection.entered.size > 0;
      if (isUsed || nowMs - connection.lastFrameMs < idleMs) continue;
      connection.goodbye(
        GoodbyeCode.IDLE,
        `expected a frame within ${this.quotas.idleTimeoutSeconds} s, a login or a subscription, got none`,
      );
    }
    this.addresses.prune(nowMs);
    this.options.accountRates.prune(nowMs);
  }

  /** Sends what is gathered and closes every connection. `code`: why no frame is taken any more. */
  goodbyeAll(code: RejectCode): void {
    const why =
      code === Reject.BATCH_STRUCK
        ? 'a batch was struck on L1, the sequencer is being recovered'
        : 'the sequencer is shutting down';
    for (const connection of [...this.connections])
      connection.goodbye(GoodbyeCode.SHUTTING_DOWN, `${why}; connect again later`);
  }

  // Frames --------------------------------------------------------------------------------------------------

  /** One binary WebSocket message; `packet` is valid during the call only. */
  receive(connection: Connection, packet: Uint8Array): void {
    if (connection.closed) return;
    const nowMs = this.options.clock.nowMs();
    this.metrics.bytesIn += packet.length;
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    let at = 0;
    do {
      if (!hasFrame(view, at)) {
        this.countFailure(connection);
        connection.goodbye(
          GoodbyeCode.MALFORMED,
          `packet: expected whole frames, got a length at byte ${at} that does not fit in ${packet.length} bytes`,
        );
        return;
      }
      this.receiveFrame(connection, packet, view, at, nowMs);
      at += frameBytes(view, at);
    } while (at < view.byteLength && !connection.closed);
    this.options.orderEntry.serve();
  }

  private receiveFrame(
    connection: Connection,
    packet: Uint8Array,
    view: DataView,
    at: number,
    nowMs: number,
  ): void {
    const tag = frameTag(view, at);
    const bytes = frameBytes(view, at);
    // The rate is charged first of all, so that malformed frames are not cheaper to send than good ones.
    const isInRate = connection.frames.take(1, nowMs) && connection.bytes.take(bytes, nowMs);
    const code = isInRate ? (checkClientFrame(view, at) as RejectCode) : Reject.RATE_LIMITED;
    if (code !== Reject.NONE) {
      connection.reject(tag, code);
      if (!isInRate) this.countThrottled(connection);
      return;
    }
    const type = frameType(view, at);
    connection.throttled = 0;
    connection.lastFrameMs = nowMs;
    this.metrics.framesByType[type]!++;
    const body = packet.subarray(at + FRAME_HEADER_BYTES, at + bytes);
    const { marketData, queryDesk } = this.options;
    switch (type) {
      case FrameType.MESSAGE:
        this.enter(connection, VERIFY_MESSAGE, tag, body);
        return;
      case FrameType.LOGIN:
        this.enter(connection, VERIFY_LOGIN, tag, body, (frameFlags(view, at) & OBSERVE) !== 0);
        return;
      case FrameType.PRICE_REPORT:
        this.enter(connection, VERIFY_REPORT, tag, body);
        return;
      case FrameType.PING:
        connection.append(encodePong(tag, nowMs));
        return;
      case FrameType.QUERY:
        queryDesk.ask(connection, tag, body);
        return;
      case FrameType.SUBSCRIBE:
        marketData.subscribe(connection, tag, body);
        return;
      case FrameType.UNSUBSCRIBE:
        marketData.unsubscribe(connection, tag, body);
        return;
    }
  }

  /** The bytes of a packet are gone after the call that brought it, so what waits is a copy. */
  private enter(
    connection: Connection,
    kind: VerifyKind,
    tag: number,
    body: Uint8Array,
    observe = false,
  ): void {
    this.options.orderEntry.accept({ connection, kind, tag, bytes: body.slice(), observe });
  }

  private countThrottled(connection: Connection): void {
    connection.throttled++;
    const most = FLOOD_BURSTS * this.quotas.framesBurst;
    if (connection.throttled <= most) return;
    connection.goodbye(
      GoodbyeCode.FLOOD,
      `expected a sender that slows down when throttled, got ${most} more frames without a pause`,
    );
  }

  private hello(time: number): Uint8Array {
    const { chainId, rollup, quotas, reverted = [] } = this.options;
    const hello: Hello = {
      ...{ protocol: PROTOCOL_VERSION, chainId, rollup, time, quotas },
      ...(reverted.length > 0 && { reverted }),
    };
    return encodeFrame(FrameType.HELLO, 0, pack(hello));
  }

  private flushAll(): void {
    const connections = this.toFlush.splice(0);
    for (const connection of connections) {
      connection.flushQueued = false;
      connection.flush();
    }
  }
}
