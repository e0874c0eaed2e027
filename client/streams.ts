/**
 * The streams of a session, one reader for each, shared by all who listen: the first listener subscribes, the last
 * one who leaves unsubscribes.
 */
import type { SubscribeRequest } from '#protocol/wire.ts';
import type { SluiceError } from './errors.ts';
import type { Session } from './session.ts';
import { type ChannelReader, keyOf } from './subscriptions.ts';

/** What all readers have in common. */
export interface Reader extends ChannelReader {
  readonly ready: Promise<void>;
  readonly failures: { add(listener: (error: SluiceError) => void): () => void };
}

interface Shared {
  readonly reader: Reader;
  users: number;
}

const shared = new WeakMap<Session, Map<string, Shared>>();

/** A hold on a reader; `release` once. */
export interface Hold<Held extends Reader> {
  readonly reader: Held;
  release(): void;
}

/**
 * The session's reader for this request, subscribed now if it is the first; rejects when the server refuses.
 * `attach` adds the listeners and is called before anything can arrive, so that they miss nothing; what it returns
 * takes them away.
 */
export async function hold<Held extends Reader>(
  session: Session,
  request: SubscribeRequest,
  create: () => Held,
  attach: (reader: Held) => readonly ((() => void) | undefined)[],
): Promise<Hold<Held>> {
  let streams = shared.get(session);
  if (streams === undefined) {
    streams = new Map();
    shared.set(session, streams);
  }
  const key = keyOf(request);
  const existing = streams.get(key);
  const stream = existing ?? { reader: create(), users: 0 };
  const reader = stream.reader as Held;
  stream.users++;
  const detach = attach(reader);
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    for (const end of detach) end?.();
    stream.users--;
    if (stream.users > 0) return;
    if (streams.get(key) === stream) streams.delete(key);
    session.subscriptions.close(request);
  };
  if (existing === undefined) {
    streams.set(key, stream);
    // After the first answer there is no call to fail any more.
    reader.ready.then(() => reader.failures.add((error) => session.troubles.emit(error))).catch(() => {});
    session.subscriptions.open(request, reader);
  }
  try {
    await reader.ready;
  } catch (error) {
    release();
    throw error;
  }
  return { reader, release };
}
