import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  AccountRates,
  AddressBook,
  addressKey,
  DEFAULT_QUOTAS,
  FLOOD_BURSTS,
  TokenBucket,
} from '#gateway/limits.ts';
import { viewOf } from '#protocol/bytes.ts';
import { Reject } from '#protocol/reject.ts';
import { decodeReply, encodePing, FrameType, GoodbyeCode, type Reply } from '#protocol/wire.ts';
import { typeOf } from './raw-client.ts';
import {
  bid,
  endWorkers,
  loginFrame,
  openVenue,
  orderFrame,
  type Venue,
  type VenueOptions,
} from './venue.ts';

afterAll(endWorkers);

describe('token bucket', () => {
  test('never gives more than burst + rate · time, whatever is asked and however the clock steps', () => {
    const step = fc.record({
      ms: fc.integer({ min: -50, max: 400 }),
      count: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const bucket = new TokenBucket({ perSecond: 100, burst: 40 }, 0);
        let now = 0;
        let forward = 0;
        let given = 0;
        for (const { ms, count } of steps) {
          now += ms;
          forward += Math.max(0, ms);
          if (bucket.take(count, now)) given += count;
        }
        expect(given).toBeLessThanOrEqual(40 + forward / 10 + 1e-6);
      }),
    );
  });

  test('a steady sender below the rate is never refused', () => {
    const bucket = new TokenBucket({ perSecond: 100, burst: 1 }, 0);
    for (let now = 10; now < 10_000; now += 10) expect(bucket.take(1, now)).toBe(true);
  });
});

describe('address book', () => {
  const quotas = { ...DEFAULT_QUOTAS, connectionsPerAddress: 2, failuresPerMinute: 3 };

  test('connections and failures count per address; both are forgotten in time', () => {
    const book = new AddressBook(quotas);
    expect([book.open('a', 0), book.open('a', 0), book.open('a', 0), book.open('b', 0)]).toEqual([
      'ok',
      'ok',
      'too-many-connections',
      'ok',
    ]);
    for (let i = 0; i < 3; i++) book.close('a');
    expect([1, 2, 3, 4].map(() => book.fail('a', 0))).toEqual([true, true, true, false]);
    expect(book.open('a', 1_000)).toBe('too-many-failures');
    expect(book.open('a', 61_000)).toBe('ok');
    book.close('a');
    book.close('a');
    book.close('b');
    book.prune(61_000);
    expect(book.size).toBe(0);
  });

  test('IPv4 alone, IPv4 inside of IPv6, and IPv6 by its /64', () => {
    const mapped = new Uint8Array(16);
    mapped.set([0xff, 0xff, 10, 1, 2, 3], 10);
    expect(addressKey(Uint8Array.of(10, 1, 2, 3))).toBe('0a010203');
    expect(addressKey(mapped)).toBe('0a010203');
    const six = (last: number) => Uint8Array.of(0x20, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, last);
    expect(addressKey(six(1))).toBe(addressKey(six(200)));
    expect(addressKey(six(1)).length).toBe(16);
  });

  test('accounts have a bucket each', () => {
    const rates = new AccountRates({
      ...quotas,
      operationsPerSecondPerAccount: 10,
      operationsBurstPerAccount: 50,
    });
    expect([
      rates.take(1, 50, 0),
      rates.take(1, 1, 0),
      rates.take(2, 50, 0),
      rates.take(1, 10, 1_000),
    ]).toEqual([true, false, true, true]);
    rates.prune(60_000);
    expect(rates.size).toBe(0);
  });
});

async function withVenue(options: VenueOptions, body: (venue: Venue) => Promise<void>): Promise<void> {
  const venue = await openVenue(options);
  try {
    await body(venue);
  } finally {
    await venue.close();
  }
}

describe('the gateway under abuse', () => {
  /** A clock that stands still, so that buckets do not refill. */
  const frozen = () => {
    const now = Date.now();
    return { nowMs: () => now };
  };
  const pings = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => encodePing(first + i));

  test('a flood is throttled frame by frame, then sent away; another connection does not notice', async () => {
    await withVenue({ quotas: { framesPerSecond: 10, framesBurst: 20 }, clock: frozen() }, async (venue) => {
      const [flood, honest] = [await venue.connect(), await venue.connect()];
      flood.send(...pings(1, 30));
      await flood.answer(30);
      expect(flood.ofType(FrameType.PONG).length).toBe(20);
      expect((await flood.rejection(21)).code).toBe(Reject.RATE_LIMITED);
      expect((await flood.rejection(30)).code).toBe(Reject.RATE_LIMITED);
      flood.send(...pings(31, FLOOD_BURSTS * 20));
      expect((await flood.closed).code).toBe(4000 + GoodbyeCode.FLOOD);
      honest.send(...pings(1, 20));
      expect(typeOf(await honest.answer(20))).toBe(FrameType.PONG);
      expect(await venue.registry.metrics()).toContain('sluice_gateway_goodbyes_total{code="5"} 1');
    });
  });

  test('bytes count, not only frames', async () => {
    await withVenue({ quotas: { bytesPerSecond: 16_384 }, clock: frozen() }, async (venue) => {
      const client = await venue.connect();
      // Burst is one full packet or one second, whichever is more: ten messages of 1,697 bytes go beyond it.
      const operations = Array.from({ length: 50 }, () => bid(100));
      for (let tag = 1; tag <= 10; tag++) client.send(orderFrame(tag, 1, operations));
      expect(typeOf(await client.answer(9))).toBe(FrameType.REPLY);
      expect((await client.rejection(10)).code).toBe(Reject.RATE_LIMITED);
    });
  });

  test("an account's operations count over all connections that act for it, and nobody else's do", async () => {
    const quotas = { operationsPerSecondPerAccount: 1, operationsBurstPerAccount: 60 };
    await withVenue({ quotas, clock: frozen() }, async (venue) => {
      const [one, two, forger] = [await venue.connect(), await venue.connect(), await venue.connect()];
      const forty = Array.from({ length: 40 }, () => bid(100));
      for (let tag = 1; tag <= 5; tag++) forger.send(orderFrame(tag, 1, forty, { key: 2 }));
      expect((await forger.rejection(5)).code).toBe(Reject.SIGNER_NOT_AUTHORIZED);
      one.send(loginFrame(1, 1));
      await one.answer(1);
      one.send(orderFrame(2, 1, forty));
      expect(typeOf(await one.answer(2))).toBe(FrameType.REPLY);
      two.send(loginFrame(1, 1));
      await two.answer(1);
      two.send(orderFrame(2, 1, forty));
      expect((await two.rejection(2)).code).toBe(Reject.RATE_LIMITED);
      two.send(orderFrame(3, 1, [bid(100)]));
      expect(typeOf(await two.answer(3))).toBe(FrameType.REPLY);
    });
  });

  test('failures use up the budget of an address: this connection goes, those that behave stay', async () => {
    await withVenue({ quotas: { failuresPerMinute: 5 }, clock: frozen() }, async (venue) => {
      const [bad, honest] = [await venue.connect(), await venue.connect()];
      for (let tag = 1; tag <= 6; tag++) bad.send(orderFrame(tag, 1, [bid(100)], { key: 3 }));
      expect((await bad.closed).code).toBe(4000 + GoodbyeCode.TOO_MANY_FAILURES);
      honest.send(orderFrame(1, 1, [bid(100)]));
      expect(typeOf(await honest.answer(1))).toBe(FrameType.REPLY);
      const late = await venue.connect();
      expect((await late.closed).code).toBe(4000 + GoodbyeCode.TOO_MANY_FAILURES);
    });
  });

  test('connections per address are bounded, and the place of one that left is free', async () => {
    await withVenue({ quotas: { connectionsPerAddress: 2 } }, async (venue) => {
      const first = await venue.connect();
      await venue.connect();
      const third = await venue.connect();
      const end = await third.closed;
      expect(end).toEqual({
        code: 4000 + GoodbyeCode.TOO_MANY_CONNECTIONS,
        reason: 'expected at most 2 connections from one address, got one more',
      });
      await first.close();
      const fourth = await venue.connect();
      fourth.send(encodePing(1));
      expect(typeOf(await fourth.answer(1))).toBe(FrameType.PONG);
    });
  });

  test('who does nothing is sent away, who logged in or listens may be silent', async () => {
    let now = Date.now();
    await withVenue({ clock: { nowMs: () => now }, quotas: { idleTimeoutSeconds: 60 } }, async (venue) => {
      const [idle, busy, trader] = [await venue.connect(), await venue.connect(), await venue.connect()];
      trader.send(loginFrame(1, 1, { time: now }));
      await trader.answer(1);
      now += 40_000;
      busy.send(encodePing(1));
      await busy.answer(1);
      now += 30_000;
      const end = await idle.closed;
      expect(end.code).toBe(4000 + GoodbyeCode.IDLE);
      expect(end.reason).toContain('expected a frame within 60 s');
      busy.send(encodePing(2));
      expect(typeOf(await busy.answer(2))).toBe(FrameType.PONG);
      trader.send(encodePing(2));
      expect(typeOf(await trader.answer(2))).toBe(FrameType.PONG);
    });
  });

  test('an inbox that is full answers BUSY, and the frames before are served', async () => {
    await withVenue({ quotas: { inboxFrames: 50 } }, async (venue) => {
      const client = await venue.connect();
      // One packet: nothing of it is served before all of it was read, however busy the machine.
      client.send(...Array.from({ length: 80 }, (_, i) => orderFrame(i + 1, 1, [bid(100)])));
      await client.until(() => client.frames.length >= 81, '80 answers and HELLO');
      expect(client.ofType(FrameType.REPLY).length).toBe(50);
      const codes = client.ofType(FrameType.REJECT).map((frame) => viewOf(frame).getUint16(8, true));
      expect(codes).toEqual(Array.from({ length: 30 }, () => Reject.BUSY));
    });
  });

  test('connections take turns: one order is not behind hundreds of another connection', async () => {
    await withVenue({}, async (venue) => {
      const [heavy, light] = [await venue.connect(), await venue.connect()];
      const packets = Array.from({ length: 5 }, (_, p) =>
        Array.from({ length: 80 }, (_, i) => orderFrame(p * 80 + i + 1, 1, [bid(100)])),
      );
      const single = orderFrame(1, 2, [bid(100)]);
      for (const packet of packets) heavy.send(...packet);
      light.send(single);
      const reply = decodeReply(viewOf(await light.answer(1)), 0) as Reply;
      const last = decodeReply(viewOf(await heavy.answer(400)), 0) as Reply;
      // At most the frames that were with the workers already, and those of the first turns, went before.
      expect(last.seq - reply.seq).toBeGreaterThan(100);
    });
  });
});
