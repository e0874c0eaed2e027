/**
 * The streams of one connection: who listens to which channel, what each holds, and how they continue after a gap
 * or a reconnect. A stream is subscribed once however many listen to it.
 */
import { FrameType, frameBody, type Subscribed, type SubscribeRequest } from '#protocol/wire.ts';
import { unpack } from './answers.ts';
import type { SluiceError } from './errors.ts';
import type { Transport } from './transport.ts';

/** What a channel does with its frames. Called in order; must not throw. */
export interface ChannelReader {
  /** The last sequence held: the stream continues after it. Undefined: begin anew. */
  resumeAfter(): number | undefined;
  onSubscribed(subscribed: Subscribed): void;
  /** False: the frame does not continue what is held; subscribe again. */
  onFrame(type: number, view: DataView, at: number): boolean;
  /** The server refuses the subscription. */
  onFailed(error: SluiceError): void;
}

interface Stream {
  readonly request: SubscribeRequest;
  readonly reader: ChannelReader;
  /** Raised with each SUBSCRIBE sent; an answer to an older one is not ours any more. */
  attempt: number;
  state: 'off' | 'asking' | 'on';
}

const MARKET_CHANNEL: Readonly<Record<number, string>> = {
  [FrameType.TICKER]: 'ticker',
  [FrameType.BOOK_SNAPSHOT]: 'bookL2',
  [FrameType.BOOK_DELTA]: 'bookL2',
  [FrameType.ORDERS_SNAPSHOT]: 'bookL3',
  [FrameType.ORDER_DELTA]: 'bookL3',
  [FrameType.TRADE]: 'trades',
};

/** Refusals that pass: what was asked for is asked for again after a pause. */
export const PASSING: ReadonlySet<string> = new Set(['TIMEOUT', 'BUSY', 'RATE_LIMITED']);
export const RETRY_MS = 500;

/** One stream, whatever it is asked to continue after. */
export const keyOf = (request: SubscribeRequest): string =>
  `${request.channel}:${request.market ?? request.account ?? ''}`;

export class Subscriptions {
  private readonly transport: Transport;
  private readonly streams = new Map<string, Stream>();

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** Subscribes now, and again after every reconnect. One reader per channel and market or account. */
  open(request: SubscribeRequest, reader: ChannelReader): void {
    const stream: Stream = { request, reader, attempt: 0, state: 'off' };
    this.streams.set(keyOf(request), stream);
    if (this.transport.isOpen) this.ask(stream);
  }

  /** Stops; what still arrives is dropped. */
  close(request: SubscribeRequest): void {
    const stream = this.streams.get(keyOf(request));
    if (stream === undefined) return;
    stream.attempt++;
    stream.state = 'off';
    this.streams.delete(keyOf(request));
    if (!this.transport.isOpen) return;
    this.transport.sendUnsubscribe(request, { done: () => {}, failed: () => {} });
  }

  /** After a reconnect (and, for `account`, after the login on it). */
  resume(which: (request: SubscribeRequest) => boolean): void {
    for (const stream of this.streams.values()) if (which(stream.request)) this.ask(stream);
  }

  onDown(): void {
    for (const stream of this.streams.values()) {
      stream.state = 'off';
      stream.attempt++;
    }
  }

  onFrame(type: number, view: DataView, at: number): void {
    if (type === FrameType.SUBSCRIBED) {
      this.onRestart(view, at);
      return;
    }
    const stream = this.streams.get(streamKey(type, view, at));
    // What comes between a gap and the answer to the new subscription belongs to the old one.
    if (stream === undefined || stream.state !== 'on') return;
    if (!stream.reader.onFrame(type, view, at)) this.ask(stream);
  }

  /** Unasked: the server brings a reader up to date that had fallen behind. */
  private onRestart(view: DataView, at: number): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    let subscribed: Subscribed;
    try {
      subscribed = unpack(frameBody(bytes, at)) as Subscribed;
    } catch {
      // Bytes that are no msgpack name no stream.
      return;
    }
    const stream = this.streams.get(keyOf(subscribed));
    if (stream?.state === 'on') stream.reader.onSubscribed(subscribed);
  }

  private ask(stream: Stream): void {
    const attempt = ++stream.attempt;
    stream.state = 'asking';
    const fromSeq = stream.reader.resumeAfter();
    this.transport.sendSubscribe(fromSeq === undefined ? stream.request : { ...stream.request, fromSeq }, {
      done: (subscribed) => {
        if (attempt !== stream.attempt) return;
        stream.state = 'on';
        stream.reader.onSubscribed(subscribed);
      },
      failed: (error) => {
        // A lost connection is no refusal: the stream is asked for again when it is back.
        if (attempt !== stream.attempt || !this.transport.isOpen) return;
        stream.state = 'off';
        if (!PASSING.has(error.code)) {
          stream.reader.onFailed(error);
          return;
        }
        setTimeout(() => {
          if (attempt === stream.attempt && this.transport.isOpen) this.ask(stream);
        }, RETRY_MS).unref();
      },
    });
  }
}

function streamKey(type: number, view: DataView, at: number): string {
  if (type === FrameType.MARKET_STATUS) return 'status:';
  if (type === FrameType.RECEIPT) return 'receipts:';
  if (type === FrameType.EXECUTION_REPORT || type === FrameType.ACCOUNT_EVENT)
    return `account:${view.getUint32(at + 32, true)}`;
  return `${MARKET_CHANNEL[type] ?? ''}:${view.getUint16(at + 8, true)}`;
}
