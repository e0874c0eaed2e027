/**
 * Streams: subscriptions, and the fan-out of what the feed publishes. Frames are encoded once, gathered per
 * stream and shared by all its readers. A reader that does not keep up is left alone until its socket has
 * drained and then brought up to date at once; private streams are never thinned out.
 */
import type { FeedListener, FeedSource, Intake, StreamStart } from '#pipeline/ports.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import {
  CHANNELS,
  type Channel,
  encodeFrame,
  encodeFrames,
  FrameType,
  GoodbyeCode,
  type Quotas,
  type Subscribed,
  type SubscribeRequest,
} from '#protocol/wire.ts';
import type { Connection } from './connection.ts';
import { BULK_BYTES_MAX } from './limits.ts';
import type { GatewayMetrics } from './metrics.ts';
import { pack, unpackRequest } from './msgpack.ts';

/** One reader of one stream. */
interface Subscription {
  readonly stream: Stream;
  readonly request: SubscribeRequest;
  /** Last sequence that was handed to the socket, or to what goes at the reader's pace. */
  sequence: number;
  /** Left alone until the reader has drained. */
  behind: boolean;
}

class Stream {
  readonly key: number;
  readonly channel: Channel;
  readonly readers = new Map<Connection, Subscription>();
  /** Frames of this group commit. */
  gathered = new Uint8Array(1_024);
  gatheredBytes = 0;
  sequence = 0;

  constructor(key: number, channel: Channel) {
    this.key = key;
    this.channel = channel;
  }

  gather(frames: Uint8Array, sequence: number): void {
    const end = this.gatheredBytes + frames.length;
    if (end > this.gathered.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.gathered.length));
      grown.set(this.gathered.subarray(0, this.gatheredBytes));
      this.gathered = grown;
    }
    this.gathered.set(frames, this.gatheredBytes);
    this.gatheredBytes = end;
    this.sequence = sequence;
  }
}

/** Markets and accounts are below 2^32. */
const SUBJECTS = 2 ** 32;
const streamKey = (channel: Channel, subject: number): number =>
  CHANNELS.indexOf(channel) * SUBJECTS + subject;

const NO_BYTES = new Uint8Array(0);

export interface MarketDataOptions {
  readonly feed: FeedSource;
  readonly intake: Intake;
  readonly quotas: Quotas;
  readonly metrics: GatewayMetrics;
}

export class MarketData implements FeedListener {
  private readonly options: MarketDataOptions;
  private readonly streams = new Map<number, Stream>();
  /** Subscriptions of each connection, by stream. */
  private readonly held = new Map<Connection, Map<number, Subscription>>();
  /** Streams with frames that were not sent. */
  private readonly dirty: Stream[] = [];

  constructor(options: MarketDataOptions) {
    this.options = options;
    options.feed.listen(this);
  }

  // FeedListener --------------------------------------------------------------------------------------------

  wants(channel: Channel, subject: number): boolean {
    return this.streams.has(streamKey(channel, subject));
  }

  onFrames(channel: Channel, subject: number, frames: Uint8Array, sequence: number): void {
    const stream = this.streams.get(streamKey(channel, subject));
    if (stream === undefined) return;
    if (stream.gatheredBytes === 0) this.dirty.push(stream);
    stream.gather(frames, sequence);
  }

  onEndOfBatch(): void {
    const touched: Connection[] = [];
    for (const stream of this.dirty) {
      const frames = stream.gathered.subarray(0, stream.gatheredBytes);
      stream.gatheredBytes = 0;
      for (const [connection, subscription] of stream.readers) {
        if (subscription.behind) continue;
        if (connection.backpressured && stream.channel !== 'account') {
          subscription.behind = true;
          continue;
        }
        subscription.sequence = stream.sequence;
        connection.share(frames);
        touched.push(connection);
      }
    }
    this.dirty.length = 0;
    // A connection with several streams is flushed at its first mention; the later ones find nothing left.
    for (const connection of touched) connection.flush();
  }

  // Requests ------------------------------------------------------------------------------------------------

  /** Body of a SUBSCRIBE frame; answered by SUBSCRIBED or REJECT. */
  subscribe(connection: Connection, tag: number, body: Uint8Array): void {
    const request = parseRequest(body);
    const code = typeof request === 'number' ? request : this.open(connection, tag, request);
    if (code !== Reject.NONE) connection.reject(tag, code);
  }

  /** Body of an UNSUBSCRIBE frame; answered by ACK or REJECT. */
  unsubscribe(connection: Connection, tag: number, body: Uint8Array): void {
    const request = parseRequest(body);
    if (typeof request === 'number') {
      connection.reject(tag, request);
      return;
    }
    this.onEndOfBatch();
    this.leave(connection, keyOf(request));
    connection.append(encodeFrame(FrameType.ACK, tag, NO_BYTES));
  }

  private open(connection: Connection, tag: number, request: SubscribeRequest): RejectCode {
    const { intake, quotas } = this.options;
    const key = keyOf(request);
    if (request.account !== undefined) {
      const signer = connection.logins.get(request.account);
      if (signer === undefined) return Reject.NOT_LOGGED_IN;
      const code = intake.mayRead(request.account, signer);
      if (code !== Reject.NONE) return code;
    }
    const held = this.held.get(connection);
    if (!held?.has(key) && connection.subscriptions >= quotas.subscriptionsPerConnection)
      return Reject.RATE_LIMITED;
    if (connection.bulkBytes > BULK_BYTES_MAX) return Reject.BUSY;
    const start = this.start(request);
    if (typeof start === 'number') return start;
    this.leave(connection, key);
    this.begin(connection, this.join(connection, request, key, start.sequence), tag, start);
    return Reject.NONE;
  }

  /** A reader that had lagged has drained: brings its streams up to date. */
  drained(connection: Connection): void {
    for (const subscription of this.held.get(connection)?.values() ?? []) {
      if (connection.closed || !connection.isCaughtUp) return;
      if (subscription.behind) this.catchUp(connection, subscription);
    }
  }

  /** Forgets a connection that has gone. */
  forget(connection: Connection): void {
    for (const key of [...(this.held.get(connection)?.keys() ?? [])]) this.leave(connection, key);
    this.held.delete(connection);
  }

  /** Streams with readers. */
  get streamCount(): number {
    return this.streams.size;
  }

  /** What was gathered by then, also because of asking, belongs to those who read on: the start comes after it. */
  private start(request: SubscribeRequest): StreamStart | RejectCode {
    const start = this.options.feed.start(request);
    this.onEndOfBatch();
    return start;
  }

  private join(
    connection: Connection,
    request: SubscribeRequest,
    key: number,
    sequence: number,
  ): Subscription {
    let stream = this.streams.get(key);
    if (stream === undefined) {
      stream = new Stream(key, request.channel);
      this.streams.set(key, stream);
    }
    const subscription: Subscription = { stream, request, sequence, behind: false };
    stream.readers.set(connection, subscription);
    let held = this.held.get(connection);
    if (held === undefined) {
      held = new Map();
      this.held.set(connection, held);
    }
    held.set(key, subscription);
    connection.subscriptions = held.size;
    return subscription;
  }

  private leave(connection: Connection, key: number): void {
    const held = this.held.get(connection);
    const subscription = held?.get(key);
    if (held === undefined || subscription === undefined) return;
    held.delete(key);
    connection.subscriptions = held.size;
    subscription.stream.readers.delete(connection);
    if (subscription.stream.readers.size === 0) this.streams.delete(key);
  }

  private begin(connection: Connection, subscription: Subscription, tag: number, start: StreamStart): void {
    const { fromSeq: _, ...stream } = subscription.request;
    const subscribed: Subscribed = { ...stream, sequence: start.sequence, resumed: start.resumed };
    connection.appendBulk([...encodeFrames(FrameType.SUBSCRIBED, tag, pack(subscribed)), ...start.frames]);
    // Until it has taken the start, nothing may overtake it.
    subscription.behind = !connection.isCaughtUp;
  }

  private catchUp(connection: Connection, subscription: Subscription): void {
    this.options.metrics.conflations++;
    const { fromSeq: _, ...stream } = subscription.request;
    const start = this.start({ ...stream, fromSeq: subscription.sequence });
    if (typeof start === 'number' || (subscription.stream.channel === 'account' && !start.resumed)) {
      connection.goodbye(
        GoodbyeCode.SLOW_CONSUMER,
        `${subscription.stream.channel}: expected a reader that keeps up, got one that fell too far behind; query what was missed`,
      );
      return;
    }
    subscription.behind = false;
    subscription.sequence = start.sequence;
    if (!start.resumed) this.begin(connection, subscription, 0, start);
    else if (start.frames.length > 0) {
      connection.appendBulk(start.frames);
      subscription.behind = !connection.isCaughtUp;
    }
  }
}

const isId = (value: unknown, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;

const U16_MAX = 2 ** 16 - 1;
const U32_MAX = 2 ** 32 - 1;

/** The request in a msgpack body, or the code that says why it is none. */
function parseRequest(body: Uint8Array): SubscribeRequest | RejectCode {
  const fields = unpackRequest(body);
  if (fields === undefined) return Reject.MALFORMED_FRAME;
  const channel = CHANNELS.find((name) => name === fields.channel);
  if (channel === undefined) return Reject.UNKNOWN_CHANNEL;
  const { market, account, fromSeq } = fields;
  if (fromSeq !== undefined && !isId(fromSeq, Number.MAX_SAFE_INTEGER)) return Reject.MALFORMED_FRAME;
  const from = fromSeq === undefined ? {} : { fromSeq };
  if (channel === 'status' || channel === 'receipts') return { channel, ...from };
  if (channel === 'account')
    return isId(account, U32_MAX) ? { channel, account, ...from } : Reject.MALFORMED_FRAME;
  return isId(market, U16_MAX) ? { channel, market, ...from } : Reject.MALFORMED_FRAME;
}

const keyOf = (request: SubscribeRequest): number =>
  streamKey(request.channel, request.account ?? request.market ?? 0);
