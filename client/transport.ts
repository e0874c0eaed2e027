/**
 * One WebSocket to a gateway: frames of protocol/wire.ts in and out, requests matched to answers by tag, greeting
 * checked, liveness watched, reconnected with growing pauses. It knows no accounts and no books; nothing that was
 * sent is ever sent again by itself.
 */
import { WebSocket } from 'ws';
import { concat, viewOf } from '#protocol/bytes.ts';
import { CLIENT_FRAME_BYTES_MAX, CLIENT_PACKET_BYTES_MAX } from '#protocol/limits.ts';
import {
  decodeNotice,
  encodeFrame,
  encodeLogin,
  encodeMessageFrame,
  encodePing,
  encodePriceReport,
  FrameType,
  frameBody,
  frameBytes,
  frameFlags,
  frameTag,
  frameType,
  frameTypeName,
  GoodbyeCode,
  type Hello,
  hasFrame,
  isReject,
  type LoggedIn,
  type Login,
  MORE,
  type QueryRequest,
  type Reply,
  type Subscribed,
  type SubscribeRequest,
} from '#protocol/wire.ts';
import { pack, readAnswer } from './answers.ts';
import { RejectedError, SluiceError } from './errors.ts';
import { type ExpectedServer, readGreeting } from './greeting.ts';

export interface TransportOptions {
  /** `ws://host:port` or `wss://…`; without a path it is that of the gateway, `/ws`. */
  readonly url: string;
  /** Until the greeting; default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Until an answer; default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Pauses before reconnecting double from `firstMs` (100) to `mostMs` (5,000), each cut by up to half at random. */
  readonly reconnect?: false | { readonly firstMs?: number; readonly mostMs?: number };
  /** Refuse a server of another chain or contract (0x… of the Rollup). */
  readonly expect?: ExpectedServer;
}

/** Why a connection ended. */
export interface Farewell {
  /** Name of a GoodbyeCode when the server gave one, else `CONNECTION_LOST`. */
  readonly reason: string;
  readonly sentence: string;
  /** WebSocket close code; 1006 when there was none. */
  readonly closeCode: number;
}

/** Called in the order in which things came; must not throw. */
export interface TransportHandlers {
  /** After each greeting. `again`: this is not the first connection. */
  onUp(hello: Hello, again: boolean): void;
  onDown(farewell: Farewell): void;
  /** A frame that answers no request: streams. The bytes are valid during the call only. */
  onFrame(type: number, view: DataView, at: number): void;
  /** A trouble that belongs to no request (a reject without a tag, a refused server after a reconnect). */
  onTrouble(error: SluiceError): void;
}

/** How a request ends: exactly one of the two is called, once, in the order of the frames. */
export interface Settle<Answer> {
  done(answer: Answer): void;
  failed(error: SluiceError): void;
}

interface Pending {
  readonly sentType: number;
  readonly deadline: number;
  readonly settle: Settle<never>;
  parts: Uint8Array[] | undefined;
}

type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** The largest book snapshot arrives in frames, many of which may share one WebSocket message. */
const INCOMING_PACKET_BYTES_MAX = 64 * 1024 * 1024;
const SWEEP_MS = 100;

const GOODBYE_NAMES = new Map<number, string>(
  Object.entries(GoodbyeCode).map(([name, code]) => [code, name]),
);

export class Transport {
  readonly url: string;
  private readonly options: TransportOptions;
  private readonly handlers: TransportHandlers;
  private readonly requestTimeoutMs: number;
  private state: State = 'idle';
  private socket: WebSocket | undefined;
  private greeting: Hello | undefined;
  private goodbye: { code: number; sentence: string } | undefined;
  private readonly pending = new Map<number, Pending>();
  private lastTag = 0;
  private outgoing: Uint8Array[] = [];
  private outgoingBytes = 0;
  private flushScheduled = false;
  private attempts = 0;
  private clockOffset = 0;
  private heardAt = 0;
  private sweeper: NodeJS.Timeout | undefined;
  private pingDueAt = 0;
  private reconnectTimer: NodeJS.Timeout | undefined;
  private packetBytesMax = CLIENT_PACKET_BYTES_MAX;

  constructor(options: TransportOptions, handlers: TransportHandlers) {
    this.options = options;
    this.url = withPath(options.url);
    this.handlers = handlers;
    this.requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
  }

  /** Resolves with the greeting; rejects with CONNECT_FAILED, PROTOCOL_MISMATCH or WRONG_CHAIN. Once only. */
  connect(): Promise<Hello> {
    if (this.state !== 'idle')
      throw new SluiceError(
        'INVALID_ARGUMENT',
        `connect: expected a new transport, got one that is ${this.state}`,
      );
    return new Promise((resolve, reject) => {
      this.open(resolve, (error) => {
        this.state = 'closed';
        reject(error);
      });
    });
  }

  /** Greeting of the present or last connection. */
  get hello(): Hello {
    if (this.greeting === undefined)
      throw new SluiceError('NOT_CONNECTED', `not connected to ${this.url} yet`, {
        details: { url: this.url },
      });
    return this.greeting;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** The server's clock as far as known, milliseconds: ours plus the difference seen at the greeting. */
  serverNow(): number {
    return Date.now() + this.clockOffset;
  }

  /** Bytes given to this transport that the socket has not sent yet. */
  get unsentBytes(): number {
    return this.outgoingBytes + (this.socket?.bufferedAmount ?? 0);
  }

  /** Requests without an answer yet. */
  get pendingRequests(): number {
    return this.pending.size;
  }

  // Requests. Each fails with NOT_CONNECTED (nothing was sent), CONNECTION_LOST or TIMEOUT (it may have been
  // executed), CLOSED, MALFORMED_ANSWER, or a RejectedError.

  sendMessage(message: Uint8Array, settle: Settle<Reply>): void {
    this.request(FrameType.MESSAGE, (tag) => encodeMessageFrame(tag, message), settle);
  }

  sendPriceReport(market: number, report: Uint8Array, settle: Settle<undefined>): void {
    this.request(FrameType.PRICE_REPORT, (tag) => encodePriceReport(tag, market, report), settle);
  }

  sendSubscribe(request: SubscribeRequest, settle: Settle<Subscribed>): void {
    const body = pack(request);
    this.request(FrameType.SUBSCRIBE, (tag) => encodeFrame(FrameType.SUBSCRIBE, tag, body), settle);
  }

  sendUnsubscribe(request: SubscribeRequest, settle: Settle<undefined>): void {
    const body = pack(request);
    this.request(FrameType.UNSUBSCRIBE, (tag) => encodeFrame(FrameType.UNSUBSCRIBE, tag, body), settle);
  }

  sendLogin(login: Login, settle: Settle<LoggedIn>): void {
    this.request(FrameType.LOGIN, (tag) => encodeLogin(tag, login), settle);
  }

  /** `body` longer than a client's frame throws INVALID_ARGUMENT. */
  sendQuery(query: QueryRequest, settle: Settle<unknown>): void {
    const body = pack(query);
    this.request(FrameType.QUERY, (tag) => encodeFrame(FrameType.QUERY, tag, body), settle);
  }

  sendPing(settle: Settle<{ time: number }>): void {
    this.request(FrameType.PING, encodePing, settle);
  }

  /** Ends the connection and every request with CLOSED; resolves when the socket is gone. */
  async close(): Promise<void> {
    if (this.state === 'closed' && this.socket === undefined) return;
    this.state = 'closed';
    clearTimeout(this.reconnectTimer);
    clearInterval(this.sweeper);
    this.flush();
    this.failAll(() => new SluiceError('CLOSED', 'the client was closed before the answer came'));
    const { socket } = this;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => socket.terminate(), 1_000);
      socket.once('close', () => {
        clearTimeout(force);
        resolve();
      });
      socket.close(1000);
    });
    this.socket = undefined;
  }

  private request<Answer>(type: number, encode: (tag: number) => Uint8Array, settle: Settle<Answer>): void {
    if (this.state !== 'open') {
      const code = this.state === 'closed' ? 'CLOSED' : 'NOT_CONNECTED';
      const sentence =
        code === 'CLOSED' ? 'the client is closed' : `no connection to ${this.url}: nothing was sent`;
      settle.failed(new SluiceError(code, sentence, { details: { url: this.url } }));
      return;
    }
    const tag = this.freeTag();
    const frame = encode(tag);
    if (frame.length > CLIENT_FRAME_BYTES_MAX) {
      settle.failed(
        new SluiceError(
          'INVALID_ARGUMENT',
          `${frameTypeName(type)}: expected at most ${CLIENT_FRAME_BYTES_MAX} bytes, got ${frame.length}`,
        ),
      );
      return;
    }
    this.pending.set(tag, {
      sentType: type,
      deadline: Date.now() + this.requestTimeoutMs,
      settle: settle as Settle<never>,
      parts: undefined,
    });
    // Frames of one turn of the event loop share WebSocket messages: a system call costs more than a frame.
    if (this.outgoingBytes + frame.length > this.packetBytesMax) this.flush();
    this.outgoing.push(frame);
    this.outgoingBytes += frame.length;
    if (!this.flushScheduled) {
      this.flushScheduled = true;
      queueMicrotask(() => {
        this.flushScheduled = false;
        this.flush();
      });
    }
  }

  private flush(): void {
    const { socket, outgoing } = this;
    if (outgoing.length === 0) return;
    this.outgoing = [];
    this.outgoingBytes = 0;
    if (socket === undefined || socket.readyState !== WebSocket.OPEN) return;
    socket.send(outgoing.length === 1 ? outgoing[0]! : concat(...outgoing));
  }

  private freeTag(): number {
    do this.lastTag = this.lastTag === 0xffff_ffff ? 1 : this.lastTag + 1;
    while (this.pending.has(this.lastTag));
    return this.lastTag;
  }

  private open(onHello: (hello: Hello) => void, onRefused: (error: SluiceError) => void): void {
    this.state = 'connecting';
    this.goodbye = undefined;
    let greeted = false;
    let settled = false;
    let failure: Error | undefined;
    let socket: WebSocket;
    const refuse = (error: SluiceError): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      onRefused(error);
    };
    const failed = (detail: string, cause?: unknown): SluiceError =>
      new SluiceError('CONNECT_FAILED', `could not connect to ${this.url}: ${detail}`, {
        details: { url: this.url },
        cause,
      });
    const timeoutMs = this.options.connectTimeoutMs ?? 5_000;
    const timer = setTimeout(() => {
      refuse(failed(`no greeting within ${timeoutMs} ms`));
      socket.terminate();
    }, timeoutMs);
    try {
      socket = new WebSocket(this.url, { perMessageDeflate: false, maxPayload: INCOMING_PACKET_BYTES_MAX });
    } catch (cause) {
      refuse(failed(messageOf(cause), cause));
      return;
    }
    this.socket = socket;
    socket.binaryType = 'nodebuffer';
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (this.socket !== socket || this.state === 'closed') return;
      this.heardAt = Date.now();
      if (!isBinary) return this.malformed('a text message');
      if (greeted) return this.receive(data);
      const error = this.greet(data);
      if (error !== undefined) {
        refuse(error);
        socket.terminate();
        return;
      }
      greeted = true;
      settled = true;
      clearTimeout(timer);
      this.startSweeping();
      onHello(this.hello);
      // The greeting's packet may hold more.
      const view = viewOf(data);
      if (data.length > frameBytes(view, 0)) this.receive(data.subarray(frameBytes(view, 0)));
    });
    socket.on('close', (closeCode, reason) => {
      if (this.socket !== socket) return;
      const sentence =
        this.goodbye?.sentence ?? (reason.toString() || failure?.message || 'the connection ended');
      if (!greeted) return refuse(failed(sentence, failure));
      this.lost({
        reason: GOODBYE_NAMES.get(this.goodbye?.code ?? 0) ?? 'CONNECTION_LOST',
        sentence,
        closeCode,
      });
    });
  }

  /** Takes the greeting in; an error when the server is not the one that is wanted. */
  private greet(data: Uint8Array): SluiceError | undefined {
    const again = this.greeting !== undefined;
    const { expect } = this.options;
    const hello = readGreeting(data, this.url, {
      chainId: expect?.chainId ?? this.greeting?.chainId,
      rollup: expect?.rollup ?? this.greeting?.rollup,
    });
    if (hello instanceof SluiceError) return hello;
    this.greeting = hello;
    this.clockOffset = hello.time - Date.now();
    this.packetBytesMax = Math.min(CLIENT_PACKET_BYTES_MAX, hello.quotas.packetBytesMax);
    this.attempts = 0;
    this.state = 'open';
    this.handlers.onUp(hello, again);
    return undefined;
  }

  private receive(data: Uint8Array): void {
    const view = viewOf(data);
    let at = 0;
    while (at < data.length) {
      if (!hasFrame(view, at)) {
        this.malformed(`${data.length - at} bytes that are no frame`);
        return;
      }
      const type = frameType(view, at);
      const tag = frameTag(view, at);
      if (type === FrameType.GOODBYE) {
        const notice = decodeNotice(view, at);
        if (!isReject(notice)) this.goodbye = notice;
      } else if (tag !== 0) this.answer(type, tag, data, view, at);
      else if (type === FrameType.REJECT) {
        const notice = decodeNotice(view, at);
        if (!isReject(notice)) this.handlers.onTrouble(new RejectedError(notice.code, notice.sentence));
      } else this.handlers.onFrame(type, view, at);
      at += frameBytes(view, at);
    }
  }

  private answer(type: number, tag: number, data: Uint8Array, view: DataView, at: number): void {
    const pending = this.pending.get(tag);
    // An answer to a request that has timed out.
    if (pending === undefined) return;
    if (type === FrameType.QUERY_RESULT && (frameFlags(view, at) & MORE) !== 0) {
      pending.parts ??= [];
      pending.parts.push(frameBody(data, at).slice());
      return;
    }
    this.pending.delete(tag);
    const value = readAnswer(pending.sentType, data, view, at, pending.parts);
    if (value instanceof SluiceError) pending.settle.failed(value);
    else pending.settle.done(value as never);
  }

  private malformed(got: string): void {
    this.handlers.onTrouble(
      new SluiceError('MALFORMED_ANSWER', `server: expected whole frames, got ${got}; reconnecting`),
    );
    this.socket?.terminate();
  }

  private lost(farewell: Farewell): void {
    clearInterval(this.sweeper);
    this.socket = undefined;
    this.outgoing = [];
    this.outgoingBytes = 0;
    const closed = this.state === 'closed';
    if (!closed) this.state = 'waiting';
    this.failAll(
      () =>
        new SluiceError(
          'CONNECTION_LOST',
          `the connection to ${this.url} ended before the answer: ${farewell.sentence}`,
          { details: { ...farewell } },
        ),
    );
    this.handlers.onDown(farewell);
    // A handler may have closed the client.
    if ((this.state as State) !== 'waiting') return;
    if (this.options.reconnect === false) this.state = 'closed';
    else this.scheduleReconnect();
  }

  private scheduleReconnect(): void {
    const { firstMs = 100, mostMs = 5_000 } =
      this.options.reconnect === false ? {} : (this.options.reconnect ?? {});
    const pause = Math.min(mostMs, firstMs * 2 ** Math.min(this.attempts, 20));
    this.attempts++;
    this.state = 'waiting';
    this.reconnectTimer = setTimeout(
      () => {
        if (this.state !== 'waiting') return;
        this.open(
          () => {},
          (error) => {
            if (this.state === 'closed') return;
            if (error.code === 'CONNECT_FAILED') return this.scheduleReconnect();
            this.state = 'closed';
            this.handlers.onTrouble(error);
          },
        );
      },
      pause * (1 - Math.random() / 2),
    );
  }

  /** One timer for timeouts and liveness; requests time out in the order in which they were sent. */
  private startSweeping(): void {
    this.heardAt = Date.now();
    const pingMs = Math.max(1_000, (this.hello.quotas.idleTimeoutSeconds * 1_000) / 3);
    this.pingDueAt = Date.now() + pingMs;
    clearInterval(this.sweeper);
    this.sweeper = setInterval(() => {
      const now = Date.now();
      for (const [tag, pending] of this.pending) {
        if (pending.deadline > now) break;
        this.pending.delete(tag);
        pending.settle.failed(
          new SluiceError(
            'TIMEOUT',
            `no answer to ${frameTypeName(pending.sentType)} within ${this.requestTimeoutMs} ms`,
            { details: { tag, timeoutMs: this.requestTimeoutMs } },
          ),
        );
      }
      if (now >= this.pingDueAt) {
        this.pingDueAt = now + pingMs;
        if (now - this.heardAt > 2 * pingMs) this.socket?.terminate();
        else this.sendPing({ done: () => {}, failed: () => {} });
      }
    }, SWEEP_MS);
    this.sweeper.unref();
  }

  private failAll(error: () => SluiceError): void {
    const ended = [...this.pending.values()];
    this.pending.clear();
    for (const { settle } of ended) settle.failed(error());
  }
}

/** Text that is no URL stays as it is: connecting says so. */
function withPath(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.pathname === '/') parsed.pathname = '/ws';
  return parsed.href;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** As a promise, what the callbacks say. */
export const settled = <Answer>(start: (settle: Settle<Answer>) => void): Promise<Answer> =>
  new Promise((resolve, reject) => {
    start({ done: resolve, failed: reject });
  });
