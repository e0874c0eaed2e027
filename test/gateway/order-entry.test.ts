import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { viewOf } from '#protocol/bytes.ts';
import { encodeReport } from '#protocol/price-report.ts';
import { Reject, rejectName } from '#protocol/reject.ts';
import {
  decodeLoggedIn,
  decodeReply,
  encodeFrame,
  encodePing,
  encodePriceReport,
  FrameType,
  GoodbyeCode,
  OperationStatus,
  type Reply,
} from '#protocol/wire.ts';
import { signDigest, TEST_DOMAIN, testKey, testSigning } from '../auth/keys.ts';
import { type RawClient, typeOf, unpackBody } from './raw-client.ts';
import {
  ask,
  bid,
  endWorkers,
  loginFrame,
  openVenue,
  orderFrame,
  type Venue,
  type VenueOptions,
} from './venue.ts';

let venue: Venue;
const open = async (options: VenueOptions = {}): Promise<Venue> => (venue = await openVenue(options));
afterEach(() => venue.close());
afterAll(endWorkers);

async function replyTo(client: RawClient, tag: number): Promise<Reply> {
  const frame = await client.answer(tag);
  const reply = decodeReply(viewOf(frame), 0);
  if (typeof reply === 'number') throw new Error(`expected a REPLY to tag ${tag}, got ${rejectName(reply)}`);
  return reply;
}

test('HELLO tells what to sign under and the quotas', async () => {
  await open();
  const client = await venue.connect();
  expect(unpackBody(await client.nth(FrameType.HELLO))).toMatchObject({
    protocol: 1,
    chainId: TEST_DOMAIN.chainId,
    rollup: '0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0',
    quotas: { framesPerSecond: 5_000, backpressureBytesMax: 262_144 },
  });
});

test('an order rests, another takes it, each is answered under its tag', async () => {
  await open();
  const [maker, taker] = [await venue.connect(), await venue.connect()];
  maker.send(orderFrame(7, 1, [bid(50_000, 10)]));
  const resting = await replyTo(maker, 7);
  expect(resting).toMatchObject({
    account: 1,
    results: [{ code: 0, status: OperationStatus.RESTING, remainingSize: 10 }],
  });
  taker.send(orderFrame(8, 2, [ask(50_000, 4)]));
  const taken = await replyTo(taker, 8);
  expect(taken.seq).toBeGreaterThan(resting.seq);
  expect(taken).toMatchObject({
    account: 2,
    results: [{ status: OperationStatus.FILLED, filledSize: 4, remainingSize: 0 }],
  });
});

test('many frames in one packet and many operations in one message; answers come grouped', async () => {
  await open();
  const client = await venue.connect();
  await client.nth(FrameType.HELLO);
  const operations = Array.from({ length: 50 }, (_, i) => bid(40_000 + i));
  client.send(...[1, 2, 3, 4].map((tag) => orderFrame(tag, 3, operations)));
  const replies = await Promise.all([1, 2, 3, 4].map((tag) => replyTo(client, tag)));
  expect(replies.map((reply) => reply.results.length)).toEqual([50, 50, 50, 50]);
  const seqs = replies.map((reply) => reply.seq);
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  // HELLO and, because they became durable together, fewer packets than replies.
  expect(client.packets.length).toBeLessThan(5);
});

test('refusals name their code, have no effect, and leave the connection open', async () => {
  await open();
  const client = await venue.connect();
  const now = Date.now();
  const cases: [frame: Uint8Array, code: number][] = [
    [orderFrame(10, 1, [bid(100)], { key: 2 }), Reject.SIGNER_NOT_AUTHORIZED],
    [orderFrame(11, 99, [bid(100)]), Reject.UNKNOWN_ACCOUNT],
    [orderFrame(12, 1, [bid(100)], { validUntil: now - 1_000 }), Reject.MESSAGE_EXPIRED],
    [encodeFrame(FrameType.MESSAGE, 13, new Uint8Array(30)), Reject.MALFORMED_MESSAGE],
    [encodeFrame(0x44, 14, new Uint8Array(3)), Reject.UNKNOWN_FRAME],
    [encodeFrame(FrameType.PING, 15, new Uint8Array(3)), Reject.MALFORMED_FRAME],
  ];
  const signed = orderFrame(16, 1, [bid(100)]);
  signed[signed.length - 1] = 29;
  cases.push([signed, Reject.BAD_SIGNATURE]);
  const seqBefore = venue.pipeline.durableSeq;
  for (const [frame, code] of cases) {
    client.send(frame);
    const { code: got, sentence } = await client.rejection(viewOf(frame).getUint32(4, true));
    expect(rejectName(got)).toBe(rejectName(code));
    expect(sentence.length).toBeGreaterThan(10);
  }
  expect(venue.pipeline.durableSeq).toBe(seqBefore);
  const nonce = now + 5;
  client.send(orderFrame(20, 1, [bid(100)], { nonce }), orderFrame(21, 1, [bid(100)], { nonce }));
  expect((await replyTo(client, 20)).results.length).toBe(1);
  expect((await client.rejection(21)).code).toBe(Reject.NONCE_USED);
  client.send(encodePing(22));
  expect(typeOf(await client.answer(22))).toBe(FrameType.PONG);
});

describe('bytes that are no frames end the connection with a reason', () => {
  test.each([
    ['a length beyond the packet', Uint8Array.of(200, 0, 3, 0, 0, 0, 0, 0)],
    ['a length below the header', Uint8Array.of(3, 0, 3, 0, 0, 0, 0, 0)],
    ['a tail after a good frame', Uint8Array.of(8, 0, 3, 0, 1, 0, 0, 0, 9)],
    ['an empty packet', new Uint8Array(0)],
  ])('%s', async (_, packet) => {
    await open();
    const client = await venue.connect();
    client.send(packet);
    const end = await client.closed;
    expect(end.code).toBe(4000 + GoodbyeCode.MALFORMED);
    expect(end.reason).toContain('expected whole frames');
    expect(client.ofType(FrameType.GOODBYE).length).toBe(1);
  });

  test('text', async () => {
    await open();
    const client = await venue.connect();
    client.socket.send('{"op":"subscribe"}');
    expect((await client.closed).code).toBe(4000 + GoodbyeCode.TEXT_NOT_SPOKEN);
  });

  test('a packet longer than HELLO allows', async () => {
    await open();
    const client = await venue.connect();
    client.send(new Uint8Array(20_000));
    await client.closed;
    expect(venue.gateway.connections).toBe(0);
    const other = await venue.connect();
    other.send(encodePing(1));
    expect(typeOf(await other.answer(1))).toBe(FrameType.PONG);
  });
});

describe('login', () => {
  test('by the owner, fresh; counts for cancel-on-disconnect until the connection goes', async () => {
    await open();
    const client = await venue.connect();
    venue.feed.report(2, 1);
    client.send(loginFrame(1, 2));
    expect(decodeLoggedIn(viewOf(await client.answer(1)), 0)).toEqual({
      tag: 1,
      account: 2,
      reportSequence: 1,
    });
    client.send(loginFrame(2, 2));
    await client.answer(2);
    expect(venue.presence).toEqual([[2, 1]]);
    await client.close();
    await vi.waitUntil(() => venue.presence.length === 2, { interval: 2, timeout: 10_000 });
    expect(venue.presence).toEqual([
      [2, 1],
      [2, -1],
    ]);
  });

  test('refused for another key, an old time, an unknown account', async () => {
    await open();
    const client = await venue.connect();
    client.send(
      loginFrame(1, 2, { key: 3 }),
      loginFrame(2, 2, { time: Date.now() - 61_000 }),
      loginFrame(3, 2, { time: Date.now() + 61_000 }),
      loginFrame(4, 77),
    );
    const codes = await Promise.all([1, 2, 3, 4].map(async (tag) => (await client.rejection(tag)).code));
    expect(codes.map(rejectName)).toEqual([
      'SIGNER_NOT_AUTHORIZED',
      'MESSAGE_EXPIRED',
      'MESSAGE_EXPIRED',
      'UNKNOWN_ACCOUNT',
    ]);
    expect(venue.presence).toEqual([]);
  });

  test('an observer does not count, a sender of orders does without any login', async () => {
    await open();
    const [observer, sender] = [await venue.connect(), await venue.connect()];
    observer.send(loginFrame(1, 4, { observe: true }));
    await observer.answer(1);
    expect(venue.presence).toEqual([]);
    sender.send(orderFrame(1, 4, [bid(100)]));
    await replyTo(sender, 1);
    sender.send(orderFrame(2, 4, [bid(100)], { key: 5 }));
    await sender.rejection(2);
    expect(venue.presence).toEqual([[4, 1]]);
    await observer.close();
    await sender.close();
    await vi.waitUntil(() => venue.presence.length === 2, { interval: 2, timeout: 10_000 });
    expect(venue.presence[1]).toEqual([4, -1]);
  });

  test('cancel-on-disconnect runs to its end: the orders are gone, those of others stay', async () => {
    await open();
    const [leaving, staying] = [await venue.connect(), await venue.connect()];
    leaving.send(
      orderFrame(1, 5, [{ kind: 'cancel-on-disconnect', enabled: true, graceMs: 0 }, bid(40_000)]),
    );
    staying.send(orderFrame(2, 6, [bid(40_000)]));
    await replyTo(leaving, 1);
    await replyTo(staying, 2);
    expect(venue.state.accounts.openOrders[5]).toBe(1);
    await leaving.close();
    await vi.waitUntil(() => venue.state.accounts.openOrders[5] === 0, { interval: 2, timeout: 10_000 });
    expect(venue.state.accounts.openOrders[6]).toBe(1);
  });
});

test('price reports go to the relay with who signed them', async () => {
  const taken: [number, string][] = [];
  await open({
    takeReport: (market, report, signer) => {
      taken.push([market, Buffer.from(signer).toString('hex')]);
      return report[0] === 1 ? Reject.NONE : Reject.UNKNOWN_PUBLISHER;
    },
  });
  const client = await venue.connect();
  const report = (publisher: number) => {
    const fields = { market: 6, publisher, time: 1_000, sequence: 3, price: 100, confidence: 1 };
    return encodeReport({ ...fields, signature: signDigest(testSigning.report(fields), testKey(50)) });
  };
  client.send(encodePriceReport(1, 6, report(1)), encodePriceReport(2, 6, report(2)));
  expect(typeOf(await client.answer(1))).toBe(FrameType.ACK);
  expect((await client.rejection(2)).code).toBe(Reject.UNKNOWN_PUBLISHER);
  const signer = Buffer.from(testKey(50).address).toString('hex');
  expect(taken).toEqual([
    [6, signer],
    [6, signer],
  ]);
});

test('a shutdown refuses what comes, answers what was taken, and says goodbye', async () => {
  await open();
  const client = await venue.connect();
  client.send(orderFrame(1, 1, [bid(100)]));
  await replyTo(client, 1);
  await venue.gateway.stopEntry();
  client.send(orderFrame(2, 1, [bid(100)]));
  expect((await client.rejection(2)).code).toBe(Reject.SHUTTING_DOWN);
  const closing = venue.close();
  expect((await client.closed).code).toBe(4000 + GoodbyeCode.SHUTTING_DOWN);
  await closing;
  await open();
});

test('a port that is taken is one sentence', async () => {
  await open();
  const { startGateway } = await import('#gateway/server.ts');
  const { Registry } = await import('prom-client');
  await expect(
    startGateway({
      host: '127.0.0.1',
      port: venue.gateway.port,
      registry: new Registry(),
      domain: TEST_DOMAIN,
      feed: venue.feed,
    } as unknown as Parameters<typeof startGateway>[0]),
  ).rejects.toThrow(`expected 127.0.0.1:${venue.gateway.port} to be free to listen on`);
});
