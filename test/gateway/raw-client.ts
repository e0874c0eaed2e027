/** A WebSocket client that speaks in frames and remembers all that it hears; for tests of the gateway itself. */
import { unpack } from 'msgpackr';
import { WebSocket } from 'ws';
import { viewOf } from '#protocol/bytes.ts';
import {
  decodeNotice,
  FrameType,
  frameBody,
  frameBytes,
  frameTag,
  frameType,
  frameTypeName,
  type Notice,
} from '#protocol/wire.ts';

export class RawClient {
  /** Every frame that was heard, in order. */
  readonly frames: Uint8Array[] = [];
  readonly packets: number[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  private readonly listeners = new Set<() => void>();
  private isClosed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data: Buffer) => {
      this.packets.push(data.length);
      for (let at = 0; at < data.length; ) {
        const bytes = frameBytes(viewOf(data), at);
        this.frames.push(Uint8Array.prototype.slice.call(data, at, at + bytes));
        at += bytes;
      }
      for (const listener of [...this.listeners]) listener();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.isClosed = true;
        resolve({ code, reason: reason.toString() });
        for (const listener of [...this.listeners]) listener();
      });
    });
  }

  /** Resolves when the WebSocket is open. */
  static async connect(url: string): Promise<RawClient> {
    const client = new RawClient(new WebSocket(url, { perMessageDeflate: false }));
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', () => resolve());
      client.socket.once('error', reject);
    });
    client.socket.on('error', () => {});
    return client;
  }

  /** Frames as one packet. */
  send(...frames: Uint8Array[]): void {
    this.socket.send(Buffer.concat(frames));
  }

  /** Resolves as soon as `find` gives something; rejects when the connection closes before. */
  async until<Found>(find: () => Found | undefined | false, what: string): Promise<Found> {
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (this.isClosed) throw new Error(`expected ${what}, got the end of the connection`);
      await new Promise<void>((resolve) => {
        const listener = () => {
          this.listeners.delete(listener);
          resolve();
        };
        this.listeners.add(listener);
      });
    }
  }

  /** The first frame with this tag and, if given, type. */
  answer(tag: number, type?: number): Promise<Uint8Array> {
    return this.until(
      () =>
        this.frames.find(
          (frame) => frameTag(viewOf(frame), 0) === tag && (type === undefined || typeOf(frame) === type),
        ),
      `an answer to tag ${tag}`,
    );
  }

  /** The n-th frame of a type, n from 1. */
  nth(type: number, n = 1): Promise<Uint8Array> {
    return this.until(() => this.ofType(type)[n - 1], `${n} frames of type ${frameTypeName(type)}`);
  }

  ofType(type: number): Uint8Array[] {
    return this.frames.filter((frame) => typeOf(frame) === type);
  }

  /** The REJECT or QUERY_ERROR with this tag. */
  async rejection(tag: number): Promise<Notice> {
    const frame = await this.answer(tag);
    if (typeOf(frame) !== FrameType.REJECT && typeOf(frame) !== FrameType.QUERY_ERROR)
      throw new Error(`expected a REJECT of tag ${tag}, got ${frameTypeName(typeOf(frame))}`);
    return decodeNotice(viewOf(frame), 0) as Notice;
  }

  close(): Promise<unknown> {
    this.socket.close();
    return this.closed;
  }
}

export const typeOf = (frame: Uint8Array): number => frameType(viewOf(frame), 0);
export const unpackBody = (frame: Uint8Array): Record<string, unknown> =>
  unpack(frameBody(frame)) as Record<string, unknown>;
