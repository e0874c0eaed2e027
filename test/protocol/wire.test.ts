import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { viewOf } from '#protocol/bytes.ts';
import { FRAME_BYTES_MAX, MESSAGE_OPERATIONS_MAX, SENTENCE_BYTES_MAX } from '#protocol/limits.ts';
import { AMEND, CANCEL, CANCEL_ALL, PLACE, WITHDRAW } from '#protocol/operation.ts';
import { Reject, rejectName } from '#protocol/reject.ts';
import * as wire from '#protocol/wire.ts';

const safe = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const signed = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u16 = fc.integer({ min: 0, max: 2 ** 16 - 1 });
const u8 = fc.integer({ min: 0, max: 255 });

const result = fc.record({
  code: u16,
  status: fc.integer({ min: 0, max: 7 }).map((status) => status as wire.OperationStatusCode),
  operation: u8,
  canceled: u32,
  orderId: safe,
  filledSize: safe,
  remainingSize: safe,
});
const reply = fc.record({
  tag: u32,
  seq: safe,
  time: safe,
  account: u32,
  results: fc.array(result, { minLength: 1, maxLength: MESSAGE_OPERATIONS_MAX }),
});
const report = fc.record({
  reportSequence: safe,
  seq: safe,
  time: safe,
  account: u32,
  market: u16,
  kind: u8,
  side: u8,
  orderId: safe,
  clientId: safe,
  price: u32,
  lastPrice: u32,
  size: safe,
  lastSize: safe,
  remainingSize: safe,
  fee: signed,
  tradeId: safe,
  liquidity: u8,
  removeReason: u8,
  code: u16,
  flags: u8,
  operation: u8,
});
const accountEvent = fc.record({
  reportSequence: safe,
  seq: safe,
  time: safe,
  account: u32,
  kind: u8,
  subject: u16,
  amount: signed,
  reference: signed,
});

/** A frame somewhere inside of other bytes, so that offsets are really used. */
function embed(frame: Uint8Array): { view: DataView; at: number } {
  const bytes = new Uint8Array(frame.length + 11);
  bytes.set(frame, 7);
  return { view: viewOf(bytes), at: 7 };
}

describe('round trips', () => {
  test('REPLY', () => {
    fc.assert(
      fc.property(reply, (value) => {
        const { view, at } = embed(wire.encodeReply(value));
        expect(wire.decodeReply(view, at)).toEqual(value);
        expect(wire.replyAccount(view, at)).toBe(value.account);
      }),
    );
  });

  test('EXECUTION_REPORT and ACCOUNT_EVENT', () => {
    fc.assert(
      fc.property(report, accountEvent, (execution, event) => {
        const one = embed(wire.encodeExecutionReport(execution));
        expect(wire.decodeExecutionReport(one.view, one.at)).toEqual(execution);
        const two = embed(wire.encodeAccountEvent(event));
        expect(wire.decodeAccountEvent(two.view, two.at)).toEqual(event);
      }),
    );
  });

  test('LOGIN, LOGGED_IN, PONG', () => {
    const signature = fc.uint8Array({ minLength: 65, maxLength: 65 });
    fc.assert(
      fc.property(u32, u32, safe, signature, fc.boolean(), (tag, account, time, bytes, observe) => {
        const login = embed(wire.encodeLogin(tag, { account, time, signature: bytes, observe }));
        expect(wire.frameTag(login.view, login.at)).toBe(tag);
        expect(wire.decodeLogin(login.view, login.at)).toEqual({ account, time, signature: bytes, observe });
        const loggedIn = embed(wire.encodeLoggedIn({ tag, account, reportSequence: time }));
        const decoded = wire.decodeLoggedIn(loggedIn.view, loggedIn.at);
        expect(decoded).toEqual({ tag, account, reportSequence: time });
        const pong = embed(wire.encodePong(tag, time));
        expect(wire.decodePong(pong.view, pong.at)).toEqual({ tag, time });
      }),
    );
  });

  test('REJECT, QUERY_ERROR and GOODBYE carry a sentence, cut at its bound', () => {
    fc.assert(
      fc.property(u32, u16, fc.string({ unit: 'grapheme', maxLength: 100 }), (tag, code, sentence) => {
        const { view, at } = embed(wire.encodeNotice(wire.FrameType.REJECT, tag, code, sentence));
        const decoded = wire.decodeNotice(view, at);
        if (typeof decoded === 'number') throw new Error('expected a notice');
        expect({ tag: decoded.tag, code: decoded.code }).toEqual({ tag, code });
        if (new TextEncoder().encode(sentence).length <= SENTENCE_BYTES_MAX)
          expect(decoded.sentence).toBe(sentence.replace(/^\uFEFF/, ''));
      }),
    );
    const long = wire.encodeNotice(wire.FrameType.GOODBYE, 0, 1, 'x'.repeat(5_000));
    expect(long.length).toBe(10 + SENTENCE_BYTES_MAX);
  });

  test('long bodies are spread over frames and joined again', () => {
    for (const length of [0, 1, FRAME_BYTES_MAX - 8, FRAME_BYTES_MAX - 7, 200_000]) {
      const body = Uint8Array.from({ length }, (_, i) => i % 251);
      const frames = wire.encodeFrames(wire.FrameType.QUERY_RESULT, 5, body);
      expect(frames.length).toBe(Math.max(1, Math.ceil(length / (FRAME_BYTES_MAX - 8))));
      const joined: number[] = [];
      frames.forEach((frame, i) => {
        expect(wire.hasFrame(viewOf(frame), 0)).toBe(true);
        expect(wire.frameFlags(viewOf(frame), 0)).toBe(i + 1 < frames.length ? wire.MORE : 0);
        joined.push(...wire.frameBody(frame));
      });
      expect(Uint8Array.from(joined)).toEqual(body);
    }
    expect(() => wire.encodeFrame(1, 0, new Uint8Array(FRAME_BYTES_MAX))).toThrow('expected at most 65527');
  });
});

describe('bad bytes', () => {
  const decoders = [
    wire.decodeReply,
    wire.decodeExecutionReport,
    wire.decodeAccountEvent,
    wire.decodeLogin,
    wire.decodeLoggedIn,
    wire.decodePong,
    wire.decodeNotice,
  ] as const;
  const known = (code: number): boolean => !rejectName(code).startsWith('UNKNOWN_CODE');

  test('no decoder throws on arbitrary bytes, and every refusal has a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 20 }), (bytes, at) => {
        const view = viewOf(bytes);
        for (const decode of decoders) {
          const decoded = decode(view, at);
          if (typeof decoded === 'number') expect(known(decoded)).toBe(true);
        }
        expect(known(wire.checkClientFrame(view, at))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a good frame with any byte changed or cut never throws', () => {
    const good = [
      wire.encodeReply({ tag: 1, seq: 2, time: 3, account: 4, results: [] as never }),
      ...fc.sample(reply, { numRuns: 3, seed: 1 }).map(wire.encodeReply),
      ...fc.sample(report, { numRuns: 3, seed: 1 }).map(wire.encodeExecutionReport),
      ...fc.sample(accountEvent, { numRuns: 3, seed: 1 }).map(wire.encodeAccountEvent),
    ];
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(), u8, fc.nat(), (which, place, byte, cut) => {
        const frame = good[which]!.slice();
        frame[place % frame.length] = byte;
        const views = [viewOf(frame), viewOf(frame.subarray(0, cut % (frame.length + 1)))];
        for (const view of views) for (const decode of decoders) decode(view, 0);
      }),
      { numRuns: 3_000 },
    );
  });

  test('64-bit fields beyond 2^53 are refused', () => {
    const frame = wire.encodeExecutionReport(fc.sample(report, { numRuns: 1, seed: 1 })[0]!);
    for (const field of [8, 16, 24, 40, 48, 64, 72, 80, 96]) {
      const bad = frame.slice();
      bad[field + 6] = 0x20;
      expect(wire.decodeExecutionReport(viewOf(bad), 0)).toBe(Reject.MALFORMED_FRAME);
    }
    const fee = frame.slice();
    fee.fill(0x80, 88, 96);
    expect(wire.decodeExecutionReport(viewOf(fee), 0)).toBe(Reject.MALFORMED_FRAME);
  });
});

describe("a client's frame", () => {
  const check = (frame: Uint8Array): string => rejectName(wire.checkClientFrame(viewOf(frame), 0));
  const body = (length: number) => new Uint8Array(length);

  test.each([
    ['PING', wire.encodePing(1), 'NONE'],
    ['PING with a body', wire.encodeFrame(wire.FrameType.PING, 1, body(1)), 'MALFORMED_FRAME'],
    ['QUERY', wire.encodeFrame(wire.FrameType.QUERY, 1, body(1)), 'NONE'],
    ['QUERY without a body', wire.encodeFrame(wire.FrameType.QUERY, 1, body(0)), 'MALFORMED_FRAME'],
    ['a flag', wire.encodeFrame(wire.FrameType.PING, 1, body(0), 1), 'MALFORMED_FRAME'],
    ['OBSERVE on another type', wire.encodeFrame(wire.FrameType.PING, 1, body(0), 2), 'MALFORMED_FRAME'],
    ['LOGIN', wire.encodeLogin(1, { account: 1, time: 2, signature: body(65) }), 'NONE'],
    [
      'LOGIN that observes',
      wire.encodeLogin(1, { account: 1, time: 2, signature: body(65), observe: true }),
      'NONE',
    ],
    ['short LOGIN', wire.encodeFrame(wire.FrameType.LOGIN, 1, body(76)), 'MALFORMED_FRAME'],
    ['PRICE_REPORT', wire.encodePriceReport(1, 2, body(89)), 'NONE'],
    ['short PRICE_REPORT', wire.encodeFrame(wire.FrameType.PRICE_REPORT, 1, body(90)), 'MALFORMED_FRAME'],
    ['empty MESSAGE', wire.encodeFrame(wire.FrameType.MESSAGE, 1, body(0)), 'MALFORMED_MESSAGE'],
    ['type of the server', wire.encodePong(1, 2), 'UNKNOWN_FRAME'],
    ['unknown type', wire.encodeFrame(0x33, 1, body(4)), 'UNKNOWN_FRAME'],
    [
      'longer than any client needs',
      wire.encodeFrame(wire.FrameType.QUERY, 1, body(2_041)),
      'MALFORMED_FRAME',
    ],
    ['length below the header', Uint8Array.of(7, 0, 3, 0, 0, 0, 0, 0), 'MALFORMED_FRAME'],
    ['length beyond the bytes', Uint8Array.of(9, 0, 3, 0, 0, 0, 0, 0), 'MALFORMED_FRAME'],
    ['nothing', body(0), 'MALFORMED_FRAME'],
  ])('%s', (_, frame, expected) => {
    expect(check(frame)).toBe(expected);
  });
});

describe('status of an operation', () => {
  const { OperationStatus } = wire;
  test.each([
    ['refused', PLACE, Reject.INSUFFICIENT_MARGIN, 10, 0, 0, OperationStatus.REJECTED],
    ['resting', PLACE, 0, 10, 0, 10, OperationStatus.RESTING],
    ['partly filled, rest rests', PLACE, 0, 10, 4, 6, OperationStatus.PARTIALLY_FILLED],
    ['filled', PLACE, 0, 10, 10, 0, OperationStatus.FILLED],
    ['partly filled, rest not kept', PLACE, 0, 10, 4, 0, OperationStatus.PARTIALLY_FILLED_AND_EXPIRED],
    ['stopped by a rule after a fill', PLACE, 403, 10, 4, 0, OperationStatus.PARTIALLY_FILLED_AND_EXPIRED],
    ['not filled, not kept', PLACE, 0, 10, 0, 0, OperationStatus.EXPIRED],
    ['amended', AMEND, 0, 10, 0, 10, OperationStatus.RESTING],
    ['canceled', CANCEL, 0, 0, 0, 0, OperationStatus.CANCELED],
    ['all canceled', CANCEL_ALL, 0, 0, 0, 0, OperationStatus.CANCELED],
    ['cancel of nothing', CANCEL, Reject.UNKNOWN_ORDER, 0, 0, 0, OperationStatus.REJECTED],
    ['withdrawal', WITHDRAW, 0, 0, 0, 0, OperationStatus.DONE],
  ])('%s', (_, operation, code, size, filled, remaining, expected) => {
    expect(wire.operationStatus({ operation, code, size, filled, remaining })).toBe(expected);
  });
});
