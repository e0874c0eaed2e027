/** The first frame of a connection: is this the server that is wanted? */
import { viewOf } from '#protocol/bytes.ts';
import {
  decodeNotice,
  FrameType,
  frameBody,
  frameType,
  frameTypeName,
  type Hello,
  hasFrame,
  isReject,
  PROTOCOL_VERSION,
} from '#protocol/wire.ts';
import { unpack } from './answers.ts';
import { SluiceError } from './errors.ts';

export interface ExpectedServer {
  readonly chainId?: number | undefined;
  /** 0x… of the Rollup contract. */
  readonly rollup?: string | undefined;
}

/** The greeting in the first frame of `data`, or CONNECT_FAILED, PROTOCOL_MISMATCH or WRONG_CHAIN. */
export function readGreeting(data: Uint8Array, url: string, expected: ExpectedServer): Hello | SluiceError {
  const view = viewOf(data);
  if (!hasFrame(view, 0))
    return new SluiceError(
      'CONNECT_FAILED',
      `greeting: expected a HELLO frame, got ${data.length} other bytes`,
    );
  const type = frameType(view, 0);
  if (type === FrameType.GOODBYE) {
    const notice = decodeNotice(view, 0);
    const sentence = isReject(notice) ? 'it said goodbye' : notice.sentence;
    return new SluiceError('CONNECT_FAILED', `could not connect to ${url}: ${sentence}`);
  }
  if (type !== FrameType.HELLO)
    return new SluiceError('CONNECT_FAILED', `greeting: expected HELLO, got ${frameTypeName(type)}`);
  let hello: Hello;
  try {
    hello = unpack(frameBody(data)) as Hello;
  } catch (cause) {
    return new SluiceError('CONNECT_FAILED', 'greeting: expected msgpack in HELLO, got other bytes', {
      cause,
    });
  }
  if (hello.protocol !== PROTOCOL_VERSION)
    return new SluiceError(
      'PROTOCOL_MISMATCH',
      `protocol: expected version ${PROTOCOL_VERSION}, got ${hello.protocol} from ${url}`,
      { details: { expected: PROTOCOL_VERSION, got: hello.protocol } },
    );
  const chainId = expected.chainId ?? hello.chainId;
  const rollup = expected.rollup ?? hello.rollup;
  if (chainId !== hello.chainId || rollup.toLowerCase() !== hello.rollup.toLowerCase())
    return new SluiceError(
      'WRONG_CHAIN',
      `server: expected chain ${chainId} and rollup ${rollup}, got ${hello.chainId} and ${hello.rollup}`,
      { details: { expected: { chainId, rollup }, got: { chainId: hello.chainId, rollup: hello.rollup } } },
    );
  return hello;
}
