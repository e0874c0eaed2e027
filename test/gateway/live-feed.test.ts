/** The way of one trade, from two signed orders to everybody who listens; nothing in it is made up by the test. */
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { pack } from '#gateway/msgpack.ts';
import { viewOf } from '#protocol/bytes.ts';
import {
  decodeExecutionReport,
  type ExecutionReport,
  encodeFrame,
  FrameType,
  Liquidity,
  ReportKind,
} from '#protocol/wire.ts';
import {
  type BookDelta,
  type BookSnapshot,
  decodeBookDelta,
  decodeBookSnapshot,
  decodeTicker,
  decodeTrade,
  type PublicTrade,
  type Ticker,
} from '#protocol/wire-market-data.ts';
import { type RawClient, typeOf, unpackBody } from './raw-client.ts';
import { ask, bid, endWorkers, INDEX_PRICE, loginFrame, openVenue, orderFrame, type Venue } from './venue.ts';

let venue: Venue;
beforeEach(async () => {
  venue = await openVenue({ liveFeed: true });
});
afterEach(() => venue.close());
afterAll(endWorkers);

const subscribe = (tag: number, request: object) => encodeFrame(FrameType.SUBSCRIBE, tag, pack(request));
const reportsOf = (client: RawClient): ExecutionReport[] =>
  client
    .ofType(FrameType.EXECUTION_REPORT)
    .map((frame) => decodeExecutionReport(viewOf(frame), 0) as ExecutionReport);

async function trader(account: number): Promise<RawClient> {
  const client = await venue.connect();
  client.send(loginFrame(1, account));
  await client.answer(1, FrameType.LOGGED_IN);
  client.send(subscribe(2, { channel: 'account', account }));
  await client.answer(2, FrameType.SUBSCRIBED);
  return client;
}

test('a trade reaches both sides, the tape, the book and the ticker', async () => {
  const watcher = await venue.connect();
  const channels = ['ticker', 'bookL2', 'bookL3', 'trades'];
  channels.forEach((channel, i) => {
    watcher.send(subscribe(10 + i, { channel, market: 0 }));
  });
  for (const i of channels.keys()) await watcher.answer(10 + i, FrameType.SUBSCRIBED);
  const [maker, taker] = [await trader(1), await trader(2)];
  maker.send(orderFrame(5, 1, [bid(INDEX_PRICE, 10)]));
  await maker.answer(5, FrameType.REPLY);
  taker.send(orderFrame(6, 2, [ask(INDEX_PRICE, 4)]));
  await taker.answer(6, FrameType.REPLY);

  await maker.nth(FrameType.EXECUTION_REPORT, 2);
  await taker.nth(FrameType.EXECUTION_REPORT, 1);
  const [rested, made] = reportsOf(maker);
  const [took] = reportsOf(taker);
  expect(rested).toMatchObject({ kind: ReportKind.RESTED, price: INDEX_PRICE, size: 10 });
  expect(made).toMatchObject({
    kind: ReportKind.TRADE,
    reportSequence: rested!.reportSequence + 1,
    liquidity: Liquidity.MAKER,
    lastSize: 4,
    remainingSize: 6,
  });
  expect(made!.fee).toBeLessThan(0);
  expect(took).toMatchObject({
    kind: ReportKind.TRADE,
    liquidity: Liquidity.TAKER,
    lastPrice: INDEX_PRICE,
    tradeId: made!.tradeId,
  });
  const trade = decodeTrade(viewOf(await watcher.nth(FrameType.TRADE)), 0) as PublicTrade;
  expect(trade).toMatchObject({
    market: 0,
    price: INDEX_PRICE,
    size: 4,
    tradeId: made!.tradeId,
    takerSide: 1,
  });

  const snapshot = decodeBookSnapshot(viewOf(await watcher.nth(FrameType.BOOK_SNAPSHOT)), 0) as BookSnapshot;
  const second = decodeBookDelta(viewOf(await watcher.nth(FrameType.BOOK_DELTA, 2)), 0) as BookDelta;
  const first = decodeBookDelta(viewOf(await watcher.nth(FrameType.BOOK_DELTA)), 0) as BookDelta;
  expect(snapshot).toMatchObject({ bids: [], asks: [] });
  expect(first).toMatchObject({
    previous: snapshot.sequence,
    changes: [{ side: 0, price: INDEX_PRICE, size: 10 }],
  });
  expect(second).toMatchObject({
    previous: first.sequence,
    changes: [{ side: 0, price: INDEX_PRICE, size: 6 }],
  });
  expect(watcher.ofType(FrameType.ORDER_DELTA).length).toBe(2);
  const ticker = await watcher.until(() => {
    const last = decodeTicker(viewOf(watcher.ofType(FrameType.TICKER).at(-1)!), 0) as Ticker;
    return last.lastSize === 4 && last;
  }, 'a ticker with the trade');
  expect(ticker).toMatchObject({ bidPrice: INDEX_PRICE, bidSize: 6, askPrice: 0, lastPrice: INDEX_PRICE });
});

test('a lost connection resumes its reports by sequence', async () => {
  const first = await trader(3);
  first.send(orderFrame(3, 3, [bid(INDEX_PRICE - 10), bid(INDEX_PRICE - 11)]));
  await first.answer(3, FrameType.REPLY);
  await first.nth(FrameType.EXECUTION_REPORT, 2);
  const held = reportsOf(first)[0]!.reportSequence;
  first.socket.terminate();
  await first.closed;
  const again = await venue.connect();
  again.send(loginFrame(1, 3));
  await again.answer(1, FrameType.LOGGED_IN);
  again.send(
    subscribe(2, { channel: 'account', account: 3, fromSeq: held }),
    orderFrame(3, 3, [bid(INDEX_PRICE - 12)]),
  );
  const subscribed = await again.answer(2, FrameType.SUBSCRIBED);
  expect(unpackBody(subscribed)).toMatchObject({ resumed: true });
  await again.nth(FrameType.EXECUTION_REPORT, 2);
  expect(
    reportsOf(again).map((report) => [report.reportSequence - held, INDEX_PRICE - report.price]),
  ).toEqual([
    [1, 11],
    [2, 12],
  ]);
  expect(typeOf(await again.answer(3))).toBe(FrameType.REPLY);
});
