/** What answers a request: one frame (or several by MORE) read into its value, or into the error that it is. */
import { Packr } from 'msgpackr';
import { concat } from '#protocol/bytes.ts';
import {
  decodeLoggedIn,
  decodeNotice,
  decodePong,
  decodeReply,
  FrameType,
  frameBody,
  frameType,
  frameTypeName,
  isReject,
} from '#protocol/wire.ts';
import { RejectedError, SluiceError } from './errors.ts';

const packr = new Packr({ useRecords: false });

/** msgpack of a plain object, in memory of its own. */
export const pack = (value: object): Uint8Array => packr.pack(value).slice();
export const unpack = (bytes: Uint8Array): unknown => packr.unpack(bytes);

/** Which frame types answer which request; REJECT answers any. */
const ANSWERS: Readonly<Record<number, readonly number[]>> = {
  [FrameType.MESSAGE]: [FrameType.REPLY],
  [FrameType.LOGIN]: [FrameType.LOGGED_IN],
  [FrameType.PING]: [FrameType.PONG],
  [FrameType.QUERY]: [FrameType.QUERY_RESULT, FrameType.QUERY_ERROR],
  [FrameType.SUBSCRIBE]: [FrameType.SUBSCRIBED],
  [FrameType.UNSUBSCRIBE]: [FrameType.ACK],
  [FrameType.PRICE_REPORT]: [FrameType.ACK],
};

/**
 * The value of the answer at `at` to a request of `sentType`; `parts` are the bodies of the frames with MORE
 * before it. A SluiceError when the answer says no, or is none.
 */
export function readAnswer(
  sentType: number,
  data: Uint8Array,
  view: DataView,
  at: number,
  parts: readonly Uint8Array[] = [],
): unknown {
  const type = frameType(view, at);
  if (type === FrameType.REJECT || type === FrameType.QUERY_ERROR) {
    const notice = decodeNotice(view, at);
    if (isReject(notice)) return malformedAnswer(sentType, type);
    return new RejectedError(notice.code, notice.sentence, {
      details: { answerTo: frameTypeName(sentType) },
    });
  }
  if (!ANSWERS[sentType]?.includes(type)) return malformedAnswer(sentType, type);
  switch (type) {
    case FrameType.REPLY:
      return wellFormed(decodeReply(view, at), sentType, type);
    case FrameType.LOGGED_IN:
      return wellFormed(decodeLoggedIn(view, at), sentType, type);
    case FrameType.PONG:
      return wellFormed(decodePong(view, at), sentType, type);
    case FrameType.SUBSCRIBED:
    case FrameType.QUERY_RESULT:
      try {
        return unpack(concat(...parts, frameBody(data, at)));
      } catch (cause) {
        return malformedAnswer(sentType, type, cause);
      }
    default:
      return undefined;
  }
}

const wellFormed = (decoded: object | number, sentType: number, type: number): object =>
  typeof decoded === 'number' ? malformedAnswer(sentType, type) : decoded;

const malformedAnswer = (sentType: number, type: number, cause?: unknown): SluiceError =>
  new SluiceError(
    'MALFORMED_ANSWER',
    `${frameTypeName(sentType)}: expected its answer, got a ${frameTypeName(type)} that is none`,
    { cause },
  );
