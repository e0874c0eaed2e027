import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { pack } from '#gateway/msgpack.ts';
import { viewOf } from '#protocol/bytes.ts';
import { Reject } from '#protocol/reject.ts';
import {
  type AccountEvent,
  decodeAccountEvent,
  encodeFrame,
  encodePing,
  FrameType,
  frameTag,
  GoodbyeCode,
} from '#protocol/wire.ts';
import {
  type BookDelta,
  type BookSnapshot,
  decodeBookDelta,
  decodeBookSnapshot,
} from '#protocol/wire-market-data.ts';
import { type RawClient, typeOf, unpackBody } from './raw-client.ts';
import { endWorkers, loginFrame, openVenue, type Venue } from './venue.ts';

let venue: Venue;
beforeEach(async () => {
  venue = await openVenue();
});
afterEach(() => venue.close());
afterAll(endWorkers);

const subscribe = (tag: number, request: object) => encodeFrame(FrameType.SUBSCRIBE, tag, pack(request));
const unsubscribe = (tag: number, request: object) => encodeFrame(FrameType.UNSUBSCRIBE, tag, pack(request));

/** The book that a client of one stream builds, with the rules of wire-market-data.ts. */
class Book {
  sequence = -1;
  readonly levels = new Map<string, number>();
  private more = false;

  apply(frame: Uint8Array): void {
    if (typeOf(frame) === FrameType.BOOK_SNAPSHOT) {
      const snapshot = decodeBookSnapshot(viewOf(frame), 0) as BookSnapshot & { more: boolean };
      if (!this.more) this.levels.clear();
      this.more = snapshot.more;
      for (const { price, size } of snapshot.bids) this.levels.set(`0:${price}`, size);
      for (const { price, size } of snapshot.asks) this.levels.set(`1:${price}`, size);
      this.sequence = snapshot.sequence;
    } else if (typeOf(frame) === FrameType.BOOK_DELTA) {
      const delta = decodeBookDelta(viewOf(frame), 0) as BookDelta;
      if (this.sequence === -1 || delta.sequence <= this.sequence) return;
      if (delta.previous !== this.sequence)
        throw new Error(`gap: expected a delta after ${this.sequence}, got one after ${delta.previous}`);
      for (const { side, price, size } of delta.changes) {
        if (size === 0) this.levels.delete(`${side}:${price}`);
        else this.levels.set(`${side}:${price}`, size);
      }
      this.sequence = delta.sequence;
    }
  }
}

function bookOf(client: RawClient): Book {
  const book = new Book();
  for (const frame of client.frames) book.apply(frame);
  return book;
}

function expectedLevels(market: number): Map<string, number> {
  const { bids, asks } = venue.feed.book(market);
  return new Map([
    ...bids.map(({ price, size }) => [`0:${price}`, size] as const),
    ...asks.map(({ price, size }) => [`1:${price}`, size] as const),
  ]);
}

describe('public streams', () => {
  test('snapshot, then deltas; all readers get the same bytes; unsubscribing ends them', async () => {
    venue.feed.change(1, [{ side: 0, price: 99, size: 5 }]);
    const clients = await Promise.all(Array.from({ length: 20 }, () => venue.connect()));
    for (const client of clients) client.send(subscribe(1, { channel: 'bookL2', market: 1 }));
    for (const client of clients)
      expect(unpackBody(await client.answer(1))).toEqual({
        channel: 'bookL2',
        market: 1,
        sequence: 2,
        resumed: false,
      });
    venue.feed.change(1, [{ side: 1, price: 101, size: 7 }]);
    venue.feed.change(1, [{ side: 0, price: 99, size: 0 }]);
    venue.feed.change(2, [{ side: 0, price: 1, size: 1 }]);
    venue.feed.end();
    await Promise.all(clients.map((client) => client.nth(FrameType.BOOK_DELTA, 2)));
    for (const client of clients) {
      expect(client.ofType(FrameType.BOOK_DELTA)).toEqual(clients[0]!.ofType(FrameType.BOOK_DELTA));
      expect(bookOf(client).levels).toEqual(new Map([['1:101', 7]]));
    }
    expect(venue.feed.wants(1)).toBe(true);
    expect(venue.feed.wants(2)).toBe(false);
    for (const client of clients.slice(1)) await client.close();
    const [last] = clients;
    last!.send(unsubscribe(2, { channel: 'bookL2', market: 1 }));
    expect(typeOf(await last!.answer(2))).toBe(FrameType.ACK);
    expect(venue.feed.wants(1)).toBe(false);
  });

  test('a newcomer between frames and the end of a batch gets each of them once', async () => {
    const [early, late] = [await venue.connect(), await venue.connect()];
    early.send(subscribe(1, { channel: 'bookL2', market: 1 }));
    await early.answer(1);
    venue.feed.change(1, [{ side: 0, price: 10, size: 1 }]);
    late.send(subscribe(1, { channel: 'bookL2', market: 1 }));
    await late.answer(1);
    venue.feed.change(1, [{ side: 0, price: 11, size: 1 }]);
    venue.feed.end();
    await Promise.all([early.nth(FrameType.BOOK_DELTA, 2), late.nth(FrameType.BOOK_DELTA, 1)]);
    expect(bookOf(early).levels).toEqual(expectedLevels(1));
    expect(bookOf(late).levels).toEqual(expectedLevels(1));
    expect(late.ofType(FrameType.BOOK_DELTA).length).toBe(1);
  });

  test('resume inside of the memory continues without a gap, beyond it starts anew', async () => {
    const client = await venue.connect();
    for (let i = 0; i < 10; i++) venue.feed.change(1, [{ side: 0, price: 100 + i, size: 1 }]);
    client.send(subscribe(1, { channel: 'bookL2', market: 1, fromSeq: 6 }));
    expect(unpackBody(await client.answer(1))).toMatchObject({ sequence: 11, resumed: true });
    const delta = decodeBookDelta(viewOf(await client.nth(FrameType.BOOK_DELTA)), 0) as BookDelta;
    expect([delta.previous, delta.sequence, delta.changes.length]).toEqual([6, 11, 5]);
    for (let i = 0; i < 60; i++) venue.feed.change(1, [{ side: 1, price: 200 + i, size: 1 }]);
    client.send(subscribe(2, { channel: 'bookL2', market: 1, fromSeq: 11 }));
    expect(unpackBody(await client.answer(2))).toMatchObject({ sequence: 71, resumed: false });
    await client.nth(FrameType.BOOK_SNAPSHOT);
    venue.feed.change(1, [{ side: 1, price: 300, size: 2 }]);
    venue.feed.end();
    const book = await client.until(() => {
      const built = bookOf(client);
      return built.sequence === 72 && built;
    }, 'the last delta');
    expect(book.levels).toEqual(expectedLevels(1));
  });

  test.each([
    ['no channel', {}, Reject.UNKNOWN_CHANNEL],
    ['an unknown channel', { channel: 'weather' }, Reject.UNKNOWN_CHANNEL],
    ['no market', { channel: 'bookL2' }, Reject.MALFORMED_FRAME],
    ['a market that is no number', { channel: 'bookL2', market: '1' }, Reject.MALFORMED_FRAME],
    ['an unknown market', { channel: 'bookL2', market: 9 }, Reject.UNKNOWN_MARKET],
    ['a negative sequence', { channel: 'bookL2', market: 1, fromSeq: -1 }, Reject.MALFORMED_FRAME],
    ['a stranger to the account', { channel: 'account', account: 1 }, Reject.NOT_LOGGED_IN],
  ])('%s is refused', async (_, request, code) => {
    const client = await venue.connect();
    client.send(subscribe(4, request));
    expect((await client.rejection(4)).code).toBe(code);
  });

  test('subscriptions per connection are bounded', async () => {
    await venue.close();
    venue = await openVenue({ quotas: { subscriptionsPerConnection: 2 } });
    const client = await venue.connect();
    for (const market of [0, 1, 0, 2]) client.send(subscribe(10 + market, { channel: 'bookL2', market }));
    expect((await client.rejection(12)).code).toBe(Reject.RATE_LIMITED);
    client.send(
      unsubscribe(20, { channel: 'bookL2', market: 0 }),
      subscribe(21, { channel: 'bookL2', market: 2 }),
    );
    expect(typeOf(await client.answer(21))).toBe(FrameType.SUBSCRIBED);
  });
});

describe('a slow reader', () => {
  /** Deltas until the sockets' buffers are full: several megabytes. */
  function fill(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      const changes = Array.from({ length: 200 }, (_, i) => ({
        side: i % 2,
        price: 1_000 + i,
        size: ((round * 31 + i) % 9) + 1,
      }));
      venue.feed.change(1, changes);
      venue.feed.end();
    }
  }

  test('is left alone while it does not read, then brought up to date; a fast one gets every delta', async () => {
    const [slow, fast] = [await venue.connect(), await venue.connect()];
    for (const client of [slow, fast]) {
      client.send(subscribe(1, { channel: 'bookL2', market: 1 }));
      await client.nth(FrameType.BOOK_SNAPSHOT);
    }
    slow.socket.pause();
    for (let turn = 0; turn < 60; turn++) {
      fill(50);
      await fast.nth(FrameType.BOOK_DELTA, (turn + 1) * 50);
    }
    slow.socket.resume();
    slow.send(encodePing(9));
    await slow.answer(9);
    const book = await slow.until(() => {
      const built = bookOf(slow);
      return built.sequence === 3_001 && built;
    }, 'the book as it is now');
    expect(book.levels).toEqual(expectedLevels(1));
    expect(bookOf(fast).levels).toEqual(expectedLevels(1));
    expect(fast.ofType(FrameType.BOOK_DELTA).length).toBe(3_000);
    expect(slow.ofType(FrameType.BOOK_DELTA).length).toBeLessThan(3_000);
    // It was told that it starts anew, because the feed no longer remembered what it had missed.
    const restarts = slow.ofType(FrameType.SUBSCRIBED).filter((frame) => frameTag(viewOf(frame), 0) === 0);
    expect(restarts.map((frame) => unpackBody(frame).resumed)).toEqual(restarts.map(() => false));
    expect(restarts.length).toBeGreaterThan(0);
    expect(await venue.registry.metrics()).toMatch(/sluice_gateway_conflations_total [1-9]/);
  });

  test('of its private reports loses none: it is closed with the reason and resumes by sequence', async () => {
    const client = await venue.connect();
    client.send(loginFrame(1, 3), subscribe(2, { channel: 'account', account: 3 }));
    expect((await client.rejection(2)).code).toBe(Reject.NOT_LOGGED_IN);
    await client.answer(1);
    client.send(subscribe(3, { channel: 'account', account: 3 }));
    await client.answer(3);
    client.socket.pause();
    venue.feed.memory = 1_000_000;
    let sent = 0;
    while (venue.gateway.connections > 0) {
      for (let i = 0; i < 500; i++) venue.feed.report(3, ++sent);
      venue.feed.end();
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.socket.resume();
    expect((await client.closed).code).toBe(4000 + GoodbyeCode.SLOW_CONSUMER);
    const reports = (frames: RawClient): number[] =>
      frames
        .ofType(FrameType.ACCOUNT_EVENT)
        .map((frame) => (decodeAccountEvent(viewOf(frame), 0) as AccountEvent).reportSequence);
    const heard = reports(client);
    expect(heard.length).toBeLessThan(sent);
    expect(heard).toEqual(heard.map((_, i) => i + 1));
    const again = await venue.connect();
    again.send(loginFrame(1, 3));
    await again.answer(1);
    again.send(subscribe(2, { channel: 'account', account: 3, fromSeq: heard.length }));
    expect(unpackBody(await again.answer(2))).toMatchObject({ resumed: true, sequence: sent });
    await again.nth(FrameType.ACCOUNT_EVENT, sent - heard.length);
    expect(reports(again)).toEqual(
      Array.from({ length: sent - heard.length }, (_, i) => heard.length + i + 1),
    );
  });

  test('that asks for much and reads nothing is closed, and others are served meanwhile', async () => {
    const [greedy, honest] = [await venue.connect(), await venue.connect()];
    const changes = Array.from({ length: 4_000 }, (_, i) => ({ side: 0, price: 1 + i, size: 1 }));
    venue.feed.change(1, changes);
    greedy.socket.pause();
    for (let i = 0; i < 1_500; i++) greedy.send(subscribe(i + 1, { channel: 'bookL2', market: 1 }));
    for (let tag = 1; tag <= 20; tag++) {
      honest.send(encodePing(tag));
      expect(typeOf(await honest.answer(tag))).toBe(FrameType.PONG);
    }
    // What it asked for and does not read is bounded: beyond that it is told BUSY.
    await vi.waitUntil(async () => (await venue.registry.metrics()).includes('rejects_total{code="BUSY"}'), {
      interval: 5,
      timeout: 20_000,
    });
    greedy.socket.terminate();
  });
});

describe('queries', () => {
  const query = (tag: number, request: object) => encodeFrame(FrameType.QUERY, tag, pack(request));

  test('are answered, however long; private ones only to who is logged in', async () => {
    await venue.close();
    const asked: [string, unknown][] = [];
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ seq: i, price: 2 * i }));
    venue = await openVenue({
      queries: {
        answer(name, parameters) {
          asked.push([name, parameters]);
          if (name === 'markets') return Promise.resolve({ ok: true, answer: rows });
          if (name === 'account') return Promise.resolve({ ok: true, answer: { cash: 5 } });
          return Promise.resolve({ ok: false, code: Reject.UNKNOWN_QUERY, sentence: `no ${name}` });
        },
      },
    });
    const client = await venue.connect();
    client.send(
      query(1, { query: 'account', account: 2 }),
      query(2, { query: 'nothing' }),
      query(3, { who: 1 }),
    );
    expect((await client.rejection(1)).code).toBe(Reject.NOT_LOGGED_IN);
    expect(await client.rejection(2)).toMatchObject({ code: Reject.UNKNOWN_QUERY, sentence: 'no nothing' });
    expect((await client.rejection(3)).code).toBe(Reject.UNKNOWN_QUERY);
    client.send(encodeFrame(FrameType.QUERY, 4, Uint8Array.of(0xc1)), loginFrame(5, 2));
    expect((await client.rejection(4)).code).toBe(Reject.MALFORMED_FRAME);
    await client.answer(5);
    client.send(query(6, { query: 'account', account: 2 }), query(7, { query: 'markets', from: 3 }));
    expect(unpackBody(await client.answer(6))).toEqual({ cash: 5 });
    const parts = await client.until(() => {
      const frames = client.frames.filter((frame) => frameTag(viewOf(frame), 0) === 7);
      return frames.length > 0 && frames.at(-1)![3] === 0 && frames;
    }, 'all frames of the answer');
    expect(parts.length).toBeGreaterThan(1);
    const { unpack } = await import('msgpackr');
    expect(unpack(Buffer.concat(parts.map((frame) => frame.subarray(8))))).toEqual(rows);
    expect(asked.at(-1)).toEqual(['markets', { from: 3 }]);
  });

  test('in flight are bounded per connection', async () => {
    await venue.close();
    const release: (() => void)[] = [];
    venue = await openVenue({
      queries: {
        answer: () => new Promise((resolve) => release.push(() => resolve({ ok: true, answer: 1 }))),
      },
    });
    const client = await venue.connect();
    for (let tag = 1; tag <= 9; tag++) client.send(query(tag, { query: 'markets' }));
    expect((await client.rejection(9)).code).toBe(Reject.BUSY);
    for (const finish of release) finish();
    expect(typeOf(await client.answer(8))).toBe(FrameType.QUERY_RESULT);
  });
});
