/** Lost frames: books and private streams notice, and heal to exactly what the exchange holds. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SluiceClient } from '#client/client.ts';
import { fixedSource } from '#client/publisher/price-source.ts';
import { type RunningPublishers, runPublishers } from '#client/publisher/run-publishers.ts';
import { keySigner } from '#client/signer.ts';
import type { Operation } from '#protocol/operation.ts';
import { BUY, SELL, type Side } from '#protocol/units.ts';
import { FrameType } from '#protocol/wire.ts';
import { type LiveExchange, openLiveExchange, PUBLISHER_KEYS, traderKey, until } from './live-exchange.ts';
import { type LossyProxy, openLossyProxy } from './lossy-proxy.ts';

let exchange: LiveExchange;
let proxy: LossyProxy;
let publishers: RunningPublishers;
let maker: SluiceClient;
let reader: SluiceClient;

/** Deterministic numbers below `n` (Park-Miller). */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
}

beforeAll(async () => {
  exchange = await openLiveExchange();
  await until(() => exchange.state.accounts.count > 0);
  publishers = await runPublishers({
    url: exchange.url,
    signers: PUBLISHER_KEYS.map((key) => keySigner(key)),
    source: () => fixedSource(new Map([[0, { price: 1_010, confidence: 1 }]])),
  });
  await until(() => exchange.state.market(0)?.index === 1_010);
  proxy = await openLossyProxy(`${exchange.url}/ws`);
  maker = await SluiceClient.connect({ url: exchange.url, signer: keySigner(traderKey(1)) });
  reader = await SluiceClient.connect({ url: proxy.url, signer: keySigner(traderKey(1)), observe: true });
});

afterAll(async () => {
  await publishers.stop();
  await maker.close();
  await reader.close();
  await proxy.close();
  await exchange.close();
});

const place = (side: Side, price: number, size: number): Operation => ({
  kind: 'place',
  market: 0,
  side,
  price,
  size,
  timeInForce: 0,
});

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

it.each(SEEDS)('books lose every fourth delta and are right at the end (seed %i)', async (seed) => {
  const roll = dice(seed * 7_919);
  const l2 = await reader.watchBookL2({ market: 0 });
  const l3 = await reader.watchBookL3({ market: 0 });
  let frames = 0;
  proxy.lose = (type) =>
    (type === FrameType.BOOK_DELTA || type === FrameType.ORDER_DELTA) && (frames++ + seed) % 4 === 0;
  for (let round = 0; round < 30; round++) {
    const operations = Array.from({ length: 1 + roll(4) }, () =>
      roll(3) === 0
        ? ({ kind: 'cancel', market: 0, by: 'order', id: 1 + roll(200) } as const)
        : place(roll(2) as Side, 1_000 + roll(20), 1 + roll(9)),
    );
    await maker.sendOperations(operations);
  }
  proxy.lose = () => false;
  // One more change, so that whatever was lost last is noticed.
  await maker.placeOrder({ market: 0, side: 'buy', price: 950, size: 1 });
  const truth = await SluiceClient.connect({ url: exchange.url });
  const { book } = await truth.watchBookL3({ market: 0 });
  await until(
    () => l2.book.sequence >= book.sequence && l3.book.sequence >= book.sequence && !l2.stale && !l3.stale,
  );
  expect(book.count).toBeGreaterThan(0);
  for (const side of [BUY, SELL] as const) {
    expect(l3.book.orders(side)).toEqual(book.orders(side));
    expect(l2.book.levels(side)).toEqual(book.levels(side));
  }
  await truth.close();
  expect(proxy.lost()).toBeGreaterThan(0);
  expect(l2.gapCount + l3.gapCount).toBeGreaterThan(0);
  l2.close();
  l3.close();
  await maker.cancelAll();
});

it('private reports that were lost come again, once and in order', async () => {
  const seen: number[] = [];
  const watch = await reader.watchAccount({ onReport: (report) => seen.push(report.reportSequence) });
  const first = watch.lastReportSequence!;
  let frames = 0;
  proxy.lose = (type) => type === FrameType.EXECUTION_REPORT && frames++ % 3 === 1;
  for (let i = 0; i < 40; i++) await maker.placeOrder({ market: 0, side: 'buy', price: 920 + i, size: 1 });
  proxy.lose = () => false;
  await maker.cancelAll();
  await until(() => seen.length >= 80);
  expect(seen).toEqual(Array.from({ length: 80 }, (_, i) => first + 1 + i));
});

it('a lost answer ends in TIMEOUT, and the client goes on', async () => {
  const impatient = await SluiceClient.connect({ url: proxy.url, requestTimeoutMs: 150 });
  proxy.lose = (type) => type === FrameType.PONG;
  await expect(impatient.ping()).rejects.toMatchObject({ code: 'TIMEOUT' });
  proxy.lose = () => false;
  expect(await impatient.ping()).toBeGreaterThan(0);
  await impatient.close();
});
