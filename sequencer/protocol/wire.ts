/**
 * Binary frames between clients and the gateway: order entry, replies and private streams. Market data is in
 * wire-market-data.ts, receipts in wire-receipt.ts. Little-endian. One WebSocket binary message holds one or more whole frames.
 *
 * Header (8 bytes), offsets below count from the start of the frame:
 *    0 u16 length, of the whole frame: 8 … 65,535 (a client's: at most 2,048)
 *    2 u8  type
 *    3 u8  flags: bit 0 MORE, the body goes on in the next frame of this type and tag; from a client 0, but for
 *          bit 1 OBSERVE of a LOGIN: this connection only reads, and does not count for cancel-on-disconnect
 *    4 u32 tag: chosen by the client, echoed in what answers its frame; 0 in streams
 *
 * Client → server
 *   MESSAGE 0x01 (8 + message)         8 a signed message (message.ts), at most 1,689 bytes
 *   LOGIN 0x02 (85)                    8 u32 account  12 u64 time, ms  20 65 signature (SigningDomain.login)
 *   PING 0x03 (8)
 *   QUERY 0x04                         8 msgpack QueryRequest
 *   SUBSCRIBE 0x05, UNSUBSCRIBE 0x06   8 msgpack SubscribeRequest
 *   PRICE_REPORT 0x07 (99)             8 u16 market  10 89 report (price-report.ts)
 *
 * Server → client
 *   HELLO 0x81                         8 msgpack Hello; the first frame of a connection
 *   REPLY 0x82 (32 + 32 n)             a message was sequenced and is durable
 *      8 u64 seq          16 u64 time, ms      24 u8 count n (1 … 50)    25 3×0      28 u32 account
 *     32 n results of 32 bytes, in the order of the message's operations:
 *        0 u16 code (reject.ts; 0: done)   2 u8 status (OperationStatus)   3 u8 operation kind
 *        4 u32 orders canceled             8 u64 order id    16 u64 filled, lots    24 u64 remaining, lots
 *   REJECT 0x83 (10 + text)            8 u16 code  10 UTF-8 sentence; the frame had no effect at all
 *   PONG 0x84 (16)                     8 u64 server time, ms
 *   QUERY_RESULT 0x85                  8 msgpack; may be spread over several frames by MORE
 *   QUERY_ERROR 0x86 (10 + text)       as REJECT
 *   LOGGED_IN 0x87 (24)                8 u32 account  12 u32 0  16 u64 last report sequence of the account
 *   SUBSCRIBED 0x88                    8 msgpack Subscribed; precedes what the subscription sends
 *   ACK 0x89 (8)                       UNSUBSCRIBE or PRICE_REPORT was taken
 *   EXECUTION_REPORT 0x90 (112)        private; what happened to one order of the account
 *      8 u64 report sequence   16 u64 seq         24 u64 time, ms     32 u32 account      36 u16 market
 *     38 u8 kind (ReportKind)  39 u8 side         40 u64 order id     48 u64 client id
 *     56 u32 price: the order's; 0 in a trade     60 u32 last price: of this trade, else 0
 *     64 u64 size: lots that came to rest, were removed, or are left after a reduction; 0 in a trade
 *     72 u64 last size: of this trade, else 0     80 u64 remaining: open lots after this
 *     88 i64 fee, q; negative is a rebate         96 u64 trade id    104 u8 liquidity (0 none, 1 maker, 2 taker)
 *    105 u8 remove reason (RemoveReason)         106 u16 reject code 108 u8 place flags   109 u8 operation kind
 *    110 u16 0
 *   ACCOUNT_EVENT 0x91 (56)            private; money and rights
 *      8 u64 report sequence   16 u64 seq         24 u64 time, ms     32 u32 account
 *     36 u8 kind (account-event.ts)  37 u8 0      38 u16 asset, or market in a funding payment, or scope
 *     40 i64 amount: what the account gained, negative what it gave
 *     48 i64 reference: queue index (deposit), 1 when forced (withdrawal), other account (transfer), position
 *        in lots (funding), expiry (session key), deadline (dead man), subaccount (created)
 *   GOODBYE 0xff (10 + text)           8 u16 code (GoodbyeCode)  10 UTF-8 sentence; the server closes
 * EXECUTION_REPORT and ACCOUNT_EVENT of one account share one report sequence that rises by one.
 * Decoders never throw: bad bytes give a reject code (a number). msgpack bodies are bytes; the shells pack them.
 */
import { getI64, getU64, setI64, setU64, viewOf } from './bytes.ts';
import {
  CLIENT_FRAME_BYTES_MAX,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  MESSAGE_OPERATIONS_MAX,
  PRICE_REPORT_BYTES,
  SENTENCE_BYTES_MAX,
  SIGNATURE_BYTES,
} from './limits.ts';
import { checkMessage } from './message.ts';
import { AMEND, CANCEL, CANCEL_ALL, PLACE } from './operation.ts';
import { Reject, type RejectCode } from './reject.ts';
import type { Reverted } from './reverted.ts';

export const PROTOCOL_VERSION = 1;

export const FrameType = {
  MESSAGE: 0x01,
  LOGIN: 0x02,
  PING: 0x03,
  QUERY: 0x04,
  SUBSCRIBE: 0x05,
  UNSUBSCRIBE: 0x06,
  PRICE_REPORT: 0x07,
  HELLO: 0x81,
  REPLY: 0x82,
  REJECT: 0x83,
  PONG: 0x84,
  QUERY_RESULT: 0x85,
  QUERY_ERROR: 0x86,
  LOGGED_IN: 0x87,
  SUBSCRIBED: 0x88,
  ACK: 0x89,
  EXECUTION_REPORT: 0x90,
  ACCOUNT_EVENT: 0x91,
  TICKER: 0xa0,
  BOOK_SNAPSHOT: 0xa1,
  BOOK_DELTA: 0xa2,
  ORDERS_SNAPSHOT: 0xa3,
  ORDER_DELTA: 0xa4,
  TRADE: 0xa5,
  MARKET_STATUS: 0xa6,
  RECEIPT: 0xa7,
  GOODBYE: 0xff,
} as const;
export type FrameTypeName = keyof typeof FrameType;

const FRAME_NAMES = new Map<number, FrameTypeName>(
  Object.entries(FrameType).map(([name, type]) => [type, name as FrameTypeName]),
);
/** `MESSAGE` for 0x01; `UNKNOWN_FRAME_n` for a type that this version does not know. */
export const frameTypeName = (type: number): string => FRAME_NAMES.get(type) ?? `UNKNOWN_FRAME_${type}`;

/** Flag: the body continues in the next frame of the same type and tag. */
export const MORE = 1;

/** Flag of a LOGIN: the connection only reads; when it goes, cancel-on-disconnect does not care. */
export const OBSERVE = 2;

/** What became of one operation. */
export const OperationStatus = {
  REJECTED: 0,
  /** An operation that leaves no order: withdrawal, transfer, session key, timers. */
  DONE: 1,
  RESTING: 2,
  PARTIALLY_FILLED: 3,
  FILLED: 4,
  /** Some lots were filled, the rest was not kept (IOC, self-trade prevention, margin). */
  PARTIALLY_FILLED_AND_EXPIRED: 5,
  /** Nothing was filled and nothing rests. */
  EXPIRED: 6,
  CANCELED: 7,
} as const;
export type OperationStatusCode = (typeof OperationStatus)[keyof typeof OperationStatus];
export const OPERATION_STATUS_NAMES = [
  'rejected',
  'done',
  'resting',
  'partially-filled',
  'filled',
  'partially-filled-and-expired',
  'expired',
  'canceled',
] as const;

export const ReportKind = { RESTED: 1, TRADE: 2, REMOVED: 3, REDUCED: 4, REJECTED: 5 } as const;
export const REPORT_KIND_NAMES = ['', 'rested', 'trade', 'removed', 'reduced', 'rejected'] as const;

export const Liquidity = { NONE: 0, MAKER: 1, TAKER: 2 } as const;

/** Why the server closes a connection. The WebSocket close code is 4000 + this. */
export const GoodbyeCode = {
  SHUTTING_DOWN: 1,
  SLOW_CONSUMER: 2,
  IDLE: 3,
  MALFORMED: 4,
  FLOOD: 5,
  TOO_MANY_FAILURES: 6,
  TOO_MANY_CONNECTIONS: 7,
  TEXT_NOT_SPOKEN: 8,
} as const;
export type GoodbyeCodeValue = (typeof GoodbyeCode)[keyof typeof GoodbyeCode];
export const WEBSOCKET_CLOSE_BASE = 4000;

/** Published limits; a client that stays inside is never throttled. */
export interface Quotas {
  readonly framesPerSecond: number;
  /** Frames that may come at once after a rest. */
  readonly framesBurst: number;
  readonly bytesPerSecond: number;
  readonly operationsPerSecondPerAccount: number;
  readonly operationsBurstPerAccount: number;
  /** One WebSocket message. */
  readonly packetBytesMax: number;
  readonly subscriptionsPerConnection: number;
  readonly connectionsPerAddress: number;
  /** Bad signatures and malformed frames per address and minute before it is turned away. */
  readonly failuresPerMinute: number;
  /** Frames of one connection that may wait to be sequenced. */
  readonly inboxFrames: number;
  readonly idleTimeoutSeconds: number;
  /** Unread bytes at which a connection is closed. */
  readonly backpressureBytesMax: number;
}

/** Body of HELLO. */
export interface Hello {
  readonly protocol: number;
  readonly chainId: number;
  /** 0x… of the Rollup contract: with chainId, all that the signing domain needs. */
  readonly rollup: string;
  readonly time: number;
  readonly quotas: Quotas;
  /** What strikes have made void, oldest first; absent where there was none. */
  readonly reverted?: readonly Reverted[];
}

export const CHANNELS = ['ticker', 'bookL2', 'bookL3', 'trades', 'status', 'account', 'receipts'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Body of SUBSCRIBE and UNSUBSCRIBE. `account` needs a LOGIN on the same connection. */
export interface SubscribeRequest {
  readonly channel: Channel;
  /** For all but `account`, `status` and `receipts`. */
  readonly market?: number;
  /** For `account`. */
  readonly account?: number;
  /** The last sequence that the client holds: continue after it instead of starting anew. */
  readonly fromSeq?: number;
}

/** Body of SUBSCRIBED. */
export interface Subscribed extends SubscribeRequest {
  /** What follows continues after this sequence. */
  readonly sequence: number;
  /**
   * True: everything after `fromSeq` follows without a gap. False: it starts anew; books begin with a
   * snapshot, other channels with what happens next (history is there to be queried).
   */
  readonly resumed: boolean;
}

/** Body of QUERY: the name and its parameters. A query that names an account needs its LOGIN. */
export interface QueryRequest {
  readonly query: string;
  readonly account?: number;
  readonly [parameter: string]: unknown;
}

/** A decoder's answer: the value, or the code that says why the bytes are none. */
export type Decoded<Value extends object> = Value | RejectCode;
export const isReject = <Value extends object>(decoded: Decoded<Value>): decoded is RejectCode =>
  typeof decoded === 'number';

// Header ---------------------------------------------------------------------------------------------------

export const frameBytes = (view: DataView, at: number): number => view.getUint16(at, true);
export const frameType = (view: DataView, at: number): number => view.getUint8(at + 2);
export const frameFlags = (view: DataView, at: number): number => view.getUint8(at + 3);
export const frameTag = (view: DataView, at: number): number => view.getUint32(at + 4, true);

/** True when a whole frame of at least a header lies at `at` within `view`. */
export function hasFrame(view: DataView, at: number): boolean {
  if (at + FRAME_HEADER_BYTES > view.byteLength) return false;
  const bytes = frameBytes(view, at);
  return bytes >= FRAME_HEADER_BYTES && at + bytes <= view.byteLength;
}

/**
 * Checks one frame of a client at `at`: length, type, flags and everything that its fixed layout says.
 * Returns a reject code, 0 when well formed; msgpack bodies are not opened. Cost is bounded by the frame's length.
 */
export function checkClientFrame(view: DataView, at: number): number {
  if (!hasFrame(view, at)) return Reject.MALFORMED_FRAME;
  const bytes = frameBytes(view, at);
  const type = frameType(view, at);
  const flags = frameFlags(view, at);
  if (bytes > CLIENT_FRAME_BYTES_MAX) return Reject.MALFORMED_FRAME;
  if (flags !== 0 && !(type === FrameType.LOGIN && flags === OBSERVE)) return Reject.MALFORMED_FRAME;
  const body = bytes - FRAME_HEADER_BYTES;
  switch (type) {
    case FrameType.MESSAGE:
      return checkMessage(view, at + FRAME_HEADER_BYTES, body);
    case FrameType.LOGIN:
      if (bytes !== LOGIN_FRAME_BYTES || !isSafeU64(view, at + 12)) return Reject.MALFORMED_FRAME;
      return Reject.NONE;
    case FrameType.PING:
      return body === 0 ? Reject.NONE : Reject.MALFORMED_FRAME;
    case FrameType.QUERY:
    case FrameType.SUBSCRIBE:
    case FrameType.UNSUBSCRIBE:
      return body > 0 ? Reject.NONE : Reject.MALFORMED_FRAME;
    case FrameType.PRICE_REPORT:
      if (bytes !== PRICE_REPORT_FRAME_BYTES || view.getUint8(at + 11) !== 0 || !isSafeU64(view, at + 18))
        return Reject.MALFORMED_FRAME;
      return Reject.NONE;
    default:
      return Reject.UNKNOWN_FRAME;
  }
}

/** True for a u64 below 2^53. */
const isSafeU64 = (view: DataView, at: number): boolean => view.getUint32(at + 4, true) < 0x20_0000;
/** True for an i64 that a safe integer holds. */
const isSafeI64 = (view: DataView, at: number): boolean => Number.isSafeInteger(getI64(view, at));

export function writeFrameHeader(
  view: DataView,
  at: number,
  header: { bytes: number; type: number; tag: number; flags?: number },
): void {
  view.setUint16(at, header.bytes, true);
  view.setUint8(at + 2, header.type);
  view.setUint8(at + 3, header.flags ?? 0);
  view.setUint32(at + 4, header.tag, true);
}

/** A frame around a body of at most 65,527 bytes; longer ones are for `encodeFrames`. */
export function encodeFrame(type: number, tag: number, body: Uint8Array, flags = 0): Uint8Array {
  const length = FRAME_HEADER_BYTES + body.length;
  if (length > FRAME_BYTES_MAX)
    throw new Error(
      `frame: expected at most ${FRAME_BYTES_MAX - FRAME_HEADER_BYTES} bytes, got ${body.length}`,
    );
  const bytes = new Uint8Array(length);
  writeFrameHeader(viewOf(bytes), 0, { bytes: length, type, tag, flags });
  bytes.set(body, FRAME_HEADER_BYTES);
  return bytes;
}

/** As many frames as the body needs, MORE set on all but the last. */
export function encodeFrames(type: number, tag: number, body: Uint8Array): Uint8Array[] {
  const most = FRAME_BYTES_MAX - FRAME_HEADER_BYTES;
  const frames: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < body.length; at += most)
    frames.push(encodeFrame(type, tag, body.subarray(at, at + most), at + most < body.length ? MORE : 0));
  return frames;
}

/** The body of the frame at `at`, as a view of the same memory. */
export function frameBody(bytes: Uint8Array, at = 0): Uint8Array {
  return bytes.subarray(at + FRAME_HEADER_BYTES, at + (bytes[at]! | (bytes[at + 1]! << 8)));
}

/** The frame at `at` when it has this type and exactly this length, or the code that says why not. */
export function expectFrame(view: DataView, at: number, type: number, bytes: number): number {
  if (!hasFrame(view, at)) return Reject.MALFORMED_FRAME;
  if (frameType(view, at) !== type) return Reject.UNKNOWN_FRAME;
  return frameBytes(view, at) === bytes ? Reject.NONE : Reject.MALFORMED_FRAME;
}

// Client → server ------------------------------------------------------------------------------------------

export const LOGIN_FRAME_BYTES = FRAME_HEADER_BYTES + 12 + SIGNATURE_BYTES;
export const PRICE_REPORT_FRAME_BYTES = FRAME_HEADER_BYTES + 2 + PRICE_REPORT_BYTES;

/** `message`: a whole signed message, as message.ts lays it out. */
export const encodeMessageFrame = (tag: number, message: Uint8Array): Uint8Array =>
  encodeFrame(FrameType.MESSAGE, tag, message);

export const encodePing = (tag: number): Uint8Array => encodeFrame(FrameType.PING, tag, new Uint8Array(0));

export interface Login {
  readonly account: number;
  /** Milliseconds. */
  readonly time: number;
  /** 65 bytes over `SigningDomain.login`, by the owner or a session key. */
  readonly signature: Uint8Array;
  /** Only read: do not count this connection for cancel-on-disconnect. */
  readonly observe?: boolean;
}

export function encodeLogin(tag: number, login: Login): Uint8Array {
  const bytes = new Uint8Array(LOGIN_FRAME_BYTES);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, {
    bytes: LOGIN_FRAME_BYTES,
    type: FrameType.LOGIN,
    tag,
    flags: login.observe ? OBSERVE : 0,
  });
  view.setUint32(8, login.account, true);
  setU64(view, 12, login.time);
  bytes.set(login.signature, 20);
  return bytes;
}

export function decodeLogin(view: DataView, at: number): Decoded<Login> {
  const code = expectFrame(view, at, FrameType.LOGIN, LOGIN_FRAME_BYTES);
  if (code !== 0) return code as RejectCode;
  if (!isSafeU64(view, at + 12)) return Reject.MALFORMED_FRAME;
  return {
    account: view.getUint32(at + 8, true),
    time: getU64(view, at + 12),
    signature: new Uint8Array(view.buffer, view.byteOffset + at + 20, SIGNATURE_BYTES).slice(),
    observe: (frameFlags(view, at) & OBSERVE) !== 0,
  };
}

/** `report`: 89 bytes, as price-report.ts lays them out. */
export function encodePriceReport(tag: number, market: number, report: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PRICE_REPORT_FRAME_BYTES);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: bytes.length, type: FrameType.PRICE_REPORT, tag });
  view.setUint16(8, market, true);
  bytes.set(report, 10);
  return bytes;
}

// Server → client ------------------------------------------------------------------------------------------

export const REPLY_HEADER_BYTES = 32;
export const OPERATION_RESULT_BYTES = 32;
export const REPLY_BYTES_MAX = REPLY_HEADER_BYTES + MESSAGE_OPERATIONS_MAX * OPERATION_RESULT_BYTES;

export interface OperationResult {
  /** Reject code, 0 when done. */
  readonly code: number;
  readonly status: OperationStatusCode;
  /** Kind byte of the operation. */
  readonly operation: number;
  /** Orders canceled (cancel-all). */
  readonly canceled: number;
  readonly orderId: number;
  /** Lots. */
  readonly filledSize: number;
  /** Lots left resting. */
  readonly remainingSize: number;
}

export interface Reply {
  readonly tag: number;
  readonly seq: number;
  readonly time: number;
  readonly account: number;
  readonly results: readonly OperationResult[];
}

/** Status of one operation: the transitions of an incoming order in one place. `size`: lots asked for. */
export function operationStatus(result: {
  operation: number;
  code: number;
  size: number;
  filled: number;
  remaining: number;
}): OperationStatusCode {
  const { operation, code, size, filled, remaining } = result;
  if (code !== 0 && filled === 0) return OperationStatus.REJECTED;
  if (operation === CANCEL || operation === CANCEL_ALL) return OperationStatus.CANCELED;
  if (operation !== PLACE && operation !== AMEND) return OperationStatus.DONE;
  if (remaining > 0) return filled > 0 ? OperationStatus.PARTIALLY_FILLED : OperationStatus.RESTING;
  if (filled === 0) return OperationStatus.EXPIRED;
  return filled >= size ? OperationStatus.FILLED : OperationStatus.PARTIALLY_FILLED_AND_EXPIRED;
}

/** Writes the header of a reply with `count` results; returns the offset of the first result. */
export function writeReplyHeader(
  view: DataView,
  at: number,
  reply: { tag: number; seq: number; time: number; account: number; count: number },
): number {
  const bytes = REPLY_HEADER_BYTES + reply.count * OPERATION_RESULT_BYTES;
  writeFrameHeader(view, at, { bytes, type: FrameType.REPLY, tag: reply.tag });
  setU64(view, at + 8, reply.seq);
  setU64(view, at + 16, reply.time);
  view.setUint32(at + 24, reply.count, true);
  view.setUint32(at + 28, reply.account, true);
  return at + REPLY_HEADER_BYTES;
}

/** Returns the offset after the result. */
export function writeOperationResult(view: DataView, at: number, result: OperationResult): number {
  view.setUint16(at, result.code, true);
  view.setUint8(at + 2, result.status);
  view.setUint8(at + 3, result.operation);
  view.setUint32(at + 4, result.canceled, true);
  setU64(view, at + 8, result.orderId);
  setU64(view, at + 16, result.filledSize);
  setU64(view, at + 24, result.remainingSize);
  return at + OPERATION_RESULT_BYTES;
}

export function encodeReply(reply: Reply): Uint8Array {
  const bytes = new Uint8Array(REPLY_HEADER_BYTES + reply.results.length * OPERATION_RESULT_BYTES);
  const view = viewOf(bytes);
  let at = writeReplyHeader(view, 0, { ...reply, count: reply.results.length });
  for (const result of reply.results) at = writeOperationResult(view, at, result);
  return bytes;
}

/** Account of a well-formed reply. */
export const replyAccount = (view: DataView, at: number): number => view.getUint32(at + 28, true);

export function decodeReply(view: DataView, at: number): Decoded<Reply> {
  if (!hasFrame(view, at) || frameBytes(view, at) < REPLY_HEADER_BYTES) return Reject.MALFORMED_FRAME;
  const count = view.getUint32(at + 24, true);
  if (count < 1 || count > MESSAGE_OPERATIONS_MAX) return Reject.MALFORMED_FRAME;
  const code = expectFrame(view, at, FrameType.REPLY, REPLY_HEADER_BYTES + count * OPERATION_RESULT_BYTES);
  if (code !== 0) return code as RejectCode;
  if (!isSafeU64(view, at + 8) || !isSafeU64(view, at + 16)) return Reject.MALFORMED_FRAME;
  const results: OperationResult[] = [];
  for (let i = 0; i < count; i++) {
    const from = at + REPLY_HEADER_BYTES + i * OPERATION_RESULT_BYTES;
    const status = view.getUint8(from + 2);
    if (status >= OPERATION_STATUS_NAMES.length) return Reject.MALFORMED_FRAME;
    if (!isSafeU64(view, from + 8) || !isSafeU64(view, from + 16) || !isSafeU64(view, from + 24))
      return Reject.MALFORMED_FRAME;
    results.push({
      code: view.getUint16(from, true),
      status: status as OperationStatusCode,
      operation: view.getUint8(from + 3),
      canceled: view.getUint32(from + 4, true),
      orderId: getU64(view, from + 8),
      filledSize: getU64(view, from + 16),
      remainingSize: getU64(view, from + 24),
    });
  }
  return {
    tag: frameTag(view, at),
    seq: getU64(view, at + 8),
    time: getU64(view, at + 16),
    account: view.getUint32(at + 28, true),
    results,
  };
}

/** A code with a sentence that says what was expected and what came. */
export interface Notice {
  readonly tag: number;
  readonly code: number;
  readonly sentence: string;
}

const utf8 = new TextEncoder();
const utf8Reader = new TextDecoder();

/** REJECT, QUERY_ERROR or GOODBYE; a sentence beyond 400 bytes is cut. */
export function encodeNotice(type: number, tag: number, code: number, sentence: string): Uint8Array {
  const text = utf8.encode(sentence).subarray(0, SENTENCE_BYTES_MAX);
  const bytes = new Uint8Array(10 + text.length);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: bytes.length, type, tag });
  view.setUint16(8, code, true);
  bytes.set(text, 10);
  return bytes;
}

/** Body of a REJECT, QUERY_ERROR or GOODBYE frame; the caller has looked at the type. */
export function decodeNotice(view: DataView, at: number): Decoded<Notice> {
  if (!hasFrame(view, at) || frameBytes(view, at) < 10) return Reject.MALFORMED_FRAME;
  const text = new Uint8Array(view.buffer, view.byteOffset + at + 10, frameBytes(view, at) - 10);
  return { tag: frameTag(view, at), code: view.getUint16(at + 8, true), sentence: utf8Reader.decode(text) };
}

export const PONG_BYTES = 16;

export function encodePong(tag: number, time: number): Uint8Array {
  const bytes = new Uint8Array(PONG_BYTES);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: PONG_BYTES, type: FrameType.PONG, tag });
  setU64(view, 8, time);
  return bytes;
}

export function decodePong(view: DataView, at: number): Decoded<{ tag: number; time: number }> {
  const code = expectFrame(view, at, FrameType.PONG, PONG_BYTES);
  if (code !== 0) return code as RejectCode;
  if (!isSafeU64(view, at + 8)) return Reject.MALFORMED_FRAME;
  return { tag: frameTag(view, at), time: getU64(view, at + 8) };
}

export const LOGGED_IN_BYTES = 24;

export interface LoggedIn {
  readonly tag: number;
  readonly account: number;
  /** Last report of the account; the next one is this + 1. */
  readonly reportSequence: number;
}

export function encodeLoggedIn(loggedIn: LoggedIn): Uint8Array {
  const bytes = new Uint8Array(LOGGED_IN_BYTES);
  const view = viewOf(bytes);
  writeFrameHeader(view, 0, { bytes: LOGGED_IN_BYTES, type: FrameType.LOGGED_IN, tag: loggedIn.tag });
  view.setUint32(8, loggedIn.account, true);
  setU64(view, 16, loggedIn.reportSequence);
  return bytes;
}

export function decodeLoggedIn(view: DataView, at: number): Decoded<LoggedIn> {
  const code = expectFrame(view, at, FrameType.LOGGED_IN, LOGGED_IN_BYTES);
  if (code !== 0) return code as RejectCode;
  if (!isSafeU64(view, at + 16)) return Reject.MALFORMED_FRAME;
  return {
    tag: frameTag(view, at),
    account: view.getUint32(at + 8, true),
    reportSequence: getU64(view, at + 16),
  };
}

export const EXECUTION_REPORT_BYTES = 112;

export interface ExecutionReport {
  readonly reportSequence: number;
  readonly seq: number;
  readonly time: number;
  readonly account: number;
  readonly market: number;
  /** ReportKind. */
  readonly kind: number;
  readonly side: number;
  readonly orderId: number;
  readonly clientId: number;
  /** The order's price in ticks; 0 in a trade. */
  readonly price: number;
  readonly lastPrice: number;
  /** Lots that came to rest, were removed or are left after a reduction; 0 in a trade. */
  readonly size: number;
  readonly lastSize: number;
  readonly remainingSize: number;
  /** q; negative is a rebate. */
  readonly fee: number;
  readonly tradeId: number;
  /** Liquidity. */
  readonly liquidity: number;
  /** RemoveReason, 0 when not removed. */
  readonly removeReason: number;
  /** Reject code, 0 when not rejected. */
  readonly code: number;
  /** Flags of the PLACE, 0 where they are not known. */
  readonly flags: number;
  /** Kind byte of the operation that was rejected, else 0. */
  readonly operation: number;
}

/** Writes a whole frame; returns the offset after it. */
export function writeExecutionReport(view: DataView, at: number, report: ExecutionReport): number {
  writeFrameHeader(view, at, { bytes: EXECUTION_REPORT_BYTES, type: FrameType.EXECUTION_REPORT, tag: 0 });
  setU64(view, at + 8, report.reportSequence);
  setU64(view, at + 16, report.seq);
  setU64(view, at + 24, report.time);
  view.setUint32(at + 32, report.account, true);
  view.setUint16(at + 36, report.market, true);
  view.setUint8(at + 38, report.kind);
  view.setUint8(at + 39, report.side);
  setU64(view, at + 40, report.orderId);
  setU64(view, at + 48, report.clientId);
  view.setUint32(at + 56, report.price, true);
  view.setUint32(at + 60, report.lastPrice, true);
  setU64(view, at + 64, report.size);
  setU64(view, at + 72, report.lastSize);
  setU64(view, at + 80, report.remainingSize);
  setI64(view, at + 88, report.fee);
  setU64(view, at + 96, report.tradeId);
  view.setUint8(at + 104, report.liquidity);
  view.setUint8(at + 105, report.removeReason);
  view.setUint16(at + 106, report.code, true);
  view.setUint8(at + 108, report.flags);
  view.setUint8(at + 109, report.operation);
  view.setUint16(at + 110, 0, true);
  return at + EXECUTION_REPORT_BYTES;
}

export function encodeExecutionReport(report: ExecutionReport): Uint8Array {
  const bytes = new Uint8Array(EXECUTION_REPORT_BYTES);
  writeExecutionReport(viewOf(bytes), 0, report);
  return bytes;
}

const EXECUTION_REPORT_U64 = [8, 16, 24, 40, 48, 64, 72, 80, 96] as const;

export function decodeExecutionReport(view: DataView, at: number): Decoded<ExecutionReport> {
  const code = expectFrame(view, at, FrameType.EXECUTION_REPORT, EXECUTION_REPORT_BYTES);
  if (code !== 0) return code as RejectCode;
  for (const field of EXECUTION_REPORT_U64) if (!isSafeU64(view, at + field)) return Reject.MALFORMED_FRAME;
  if (!isSafeI64(view, at + 88)) return Reject.MALFORMED_FRAME;
  return {
    reportSequence: getU64(view, at + 8),
    seq: getU64(view, at + 16),
    time: getU64(view, at + 24),
    account: view.getUint32(at + 32, true),
    market: view.getUint16(at + 36, true),
    kind: view.getUint8(at + 38),
    side: view.getUint8(at + 39),
    orderId: getU64(view, at + 40),
    clientId: getU64(view, at + 48),
    price: view.getUint32(at + 56, true),
    lastPrice: view.getUint32(at + 60, true),
    size: getU64(view, at + 64),
    lastSize: getU64(view, at + 72),
    remainingSize: getU64(view, at + 80),
    fee: getI64(view, at + 88),
    tradeId: getU64(view, at + 96),
    liquidity: view.getUint8(at + 104),
    removeReason: view.getUint8(at + 105),
    code: view.getUint16(at + 106, true),
    flags: view.getUint8(at + 108),
    operation: view.getUint8(at + 109),
  };
}

export const ACCOUNT_EVENT_BYTES = 56;

export interface AccountEvent {
  readonly reportSequence: number;
  readonly seq: number;
  readonly time: number;
  readonly account: number;
  /** AccountEventKind. */
  readonly kind: number;
  /** Asset; market in a funding payment; scope of a session key. */
  readonly subject: number;
  /** What the account gained, in asset units or q; negative what it gave. */
  readonly amount: number;
  /** By kind, as drawn above. */
  readonly reference: number;
}

/** Writes a whole frame; returns the offset after it. */
export function writeAccountEvent(view: DataView, at: number, event: AccountEvent): number {
  writeFrameHeader(view, at, { bytes: ACCOUNT_EVENT_BYTES, type: FrameType.ACCOUNT_EVENT, tag: 0 });
  setU64(view, at + 8, event.reportSequence);
  setU64(view, at + 16, event.seq);
  setU64(view, at + 24, event.time);
  view.setUint32(at + 32, event.account, true);
  view.setUint8(at + 36, event.kind);
  view.setUint8(at + 37, 0);
  view.setUint16(at + 38, event.subject, true);
  setI64(view, at + 40, event.amount);
  setI64(view, at + 48, event.reference);
  return at + ACCOUNT_EVENT_BYTES;
}

export function encodeAccountEvent(event: AccountEvent): Uint8Array {
  const bytes = new Uint8Array(ACCOUNT_EVENT_BYTES);
  writeAccountEvent(viewOf(bytes), 0, event);
  return bytes;
}

export function decodeAccountEvent(view: DataView, at: number): Decoded<AccountEvent> {
  const code = expectFrame(view, at, FrameType.ACCOUNT_EVENT, ACCOUNT_EVENT_BYTES);
  if (code !== 0) return code as RejectCode;
  if (!isSafeU64(view, at + 8) || !isSafeU64(view, at + 16) || !isSafeU64(view, at + 24))
    return Reject.MALFORMED_FRAME;
  if (!isSafeI64(view, at + 40) || !isSafeI64(view, at + 48)) return Reject.MALFORMED_FRAME;
  return {
    reportSequence: getU64(view, at + 8),
    seq: getU64(view, at + 16),
    time: getU64(view, at + 24),
    account: view.getUint32(at + 32, true),
    kind: view.getUint8(at + 36),
    subject: view.getUint16(at + 38, true),
    amount: getI64(view, at + 40),
    reference: getI64(view, at + 48),
  };
}
