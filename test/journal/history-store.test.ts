/** History against the obvious twin: all rows in one array. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listsOf } from '#journal/history-lists.ts';
import { RowWriter, readRows } from '#journal/history-rows.ts';
import { LevelHistoryStore } from '#journal/history-store.ts';
import type { Candle, HistoryCursor, HistoryPage, HistoryRow } from '#pipeline/ports.ts';
import {
  EVENT_STRIDE,
  EventBuffer,
  EventKind,
  FUNDING_PAYMENT,
  ORDER_RESTED,
  TRADE,
  TRANSFER,
} from '#protocol/event.ts';
import { randomFrom } from './fixtures.ts';
import { removeTemporaryAfterAll, temporaryDirectory } from './temporary.ts';

removeTemporaryAfterAll();

/** One command's events: orders, trades, transfers and funding among four accounts and two markets. */
function randomEvents(random: () => number, buffer: EventBuffer, seq: number, time: number): void {
  buffer.start(seq, time);
  const upTo = (limit: number): number => Math.floor(random() * limit);
  for (let rows = upTo(5); rows > 0; rows--) {
    const kind = [EventKind.TRADE, EventKind.ORDER_RESTED, EventKind.TRANSFER, EventKind.FUNDING_PAYMENT][
      upTo(4)
    ]!;
    const at = buffer.add(kind);
    const set = (column: number, value: number): void => {
      buffer.data[at + column] = value;
    };
    if (kind === EventKind.TRADE) {
      set(TRADE.market, upTo(2));
      set(TRADE.price, 1 + upTo(1000));
      set(TRADE.size, 1 + upTo(50));
      set(TRADE.makerAccount, 1 + upTo(4));
      set(TRADE.takerAccount, 1 + upTo(4));
      set(TRADE.makerFee, 0 - upTo(10));
      set(TRADE.tradeId, seq * 10 + rows);
    } else if (kind === EventKind.ORDER_RESTED) {
      set(ORDER_RESTED.account, 1 + upTo(4));
      set(ORDER_RESTED.size, 2 ** 48 - 1);
    } else if (kind === EventKind.TRANSFER) {
      set(TRANSFER.from, 1 + upTo(4));
      set(TRANSFER.to, 1 + upTo(4));
      set(TRANSFER.amount, 2 ** 53 - 1);
    } else {
      set(FUNDING_PAYMENT.account, 1 + upTo(4));
      set(FUNDING_PAYMENT.amount, -(2 ** 53 - 1));
    }
  }
}

const rowsOf = (buffer: EventBuffer): number[][] =>
  Array.from({ length: buffer.count }, (_, i) => [
    ...buffer.data.subarray(i * EVENT_STRIDE, (i + 1) * EVENT_STRIDE),
  ]);

function fill(buffer: EventBuffer, rows: readonly number[][]): void {
  buffer.start(0, 0);
  for (const columns of rows) {
    const at = buffer.add(columns[0]!);
    buffer.data.set(columns, at);
  }
}

/** What a page must be, from all rows ever. */
function twinPage(all: readonly number[][], list: number, owner: number, page: HistoryPage): HistoryRow[] {
  const places = new Map<number, number>();
  const found: HistoryRow[] = [];
  for (const columns of all) {
    if (!listsOf(columns[0]!).some((entry) => entry.list === list && columns[entry.owner] === owner))
      continue;
    const seq = columns[1]!;
    const place = (places.get(seq) ?? -1) + 1;
    places.set(seq, place);
    found.push({ columns, cursor: { seq, place } });
  }
  const { before, fromTime = 0, toTime = Number.POSITIVE_INFINITY } = page;
  const older = ({ seq, place }: HistoryCursor): boolean =>
    before === undefined || seq < before.seq || (seq === before.seq && place < before.place);
  return found
    .reverse()
    .filter(({ columns, cursor }) => older(cursor) && columns[2]! >= fromTime && columns[2]! <= toTime)
    .slice(0, page.limit ?? 100);
}

function twinCandles(all: readonly number[][], market: number, intervalMs: number): Candle[] {
  const found: Candle[] = [];
  for (const columns of all) {
    if (columns[0] !== EventKind.TRADE || columns[TRADE.market] !== market) continue;
    const time = Math.floor(columns[2]! / intervalMs) * intervalMs;
    const [price, size] = [columns[TRADE.price]!, columns[TRADE.size]!];
    const last = found.at(-1);
    if (last === undefined || last.time !== time)
      found.push({ time, open: price, high: price, low: price, close: price, volume: size, trades: 1 });
    else
      found[found.length - 1] = {
        ...last,
        high: Math.max(last.high, price),
        low: Math.min(last.low, price),
        close: price,
        volume: last.volume + size,
        trades: last.trades + 1,
      };
  }
  return found.reverse();
}

test('packed rows are read back, and no bytes do more than give nothing', () => {
  const column = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -70, max: 70 }), fc.constant(0));
  const row = fc.tuple(
    fc.integer({ min: 1, max: 19 }),
    fc.nat(50),
    fc.integer({ min: 0, max: 2 ** 41 }),
    fc.array(column, { minLength: 17, maxLength: 17 }),
  );
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
      const writer = new RowWriter();
      let seq = 5;
      const expected = rows.map(([kind, step, time, columns]) => {
        seq += step;
        return [kind, seq, time, ...columns];
      });
      for (const columns of expected) writer.add(Float64Array.from(columns), 0);
      expect(writer.lastSeq).toBe(seq);
      expect(readRows(writer.take(), writer.firstSeq)).toEqual(
        expected.map((columns) => columns.map((v) => v + 0)),
      );
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const columns of readRows(bytes, 1) ?? []) expect(columns.every(Number.isSafeInteger)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('pages and candles equal the twin before, while and after flushing, and across restarts', async () => {
  for (const seed of [61, 62, 63]) {
    const random = randomFrom(seed);
    const directory = temporaryDirectory();
    const options = { directory, create: false, repeat: () => () => {} };
    let store = await LevelHistoryStore.open({ ...options, create: true });
    const buffer = new EventBuffer();
    const all: number[][] = [];
    const bySeq: number[][][] = [];
    let time = 1_700_000_000_000;
    const check = async (): Promise<void> => {
      const lists: [number, (owner: number, page: HistoryPage) => Promise<HistoryRow[]>, number][] = [
        [1, (owner, page) => store.orders(owner, page), 5],
        [2, (owner, page) => store.fills(owner, page), 5],
        [3, (owner, page) => store.funding(owner, page), 5],
        [4, (owner, page) => store.transfers(owner, page), 5],
        [5, (owner, page) => store.trades(owner, page), 2],
      ];
      for (const [list, ask, owners] of lists) {
        const owner = Math.floor(random() * owners);
        const limit = 1 + Math.floor(random() * 30);
        let page: HistoryPage = { limit };
        if (random() < 0.5) page = { ...page, toTime: time - Math.floor(random() * 400_000) };
        if (random() < 0.5) page = { ...page, fromTime: time - Math.floor(random() * 800_000) };
        for (let turn = 0; turn < 3; turn++) {
          const expected = twinPage(all, list, owner, page);
          expect(await ask(owner, page)).toEqual(expected);
          const last = expected.at(-1);
          if (last === undefined) break;
          page = { ...page, before: last.cursor };
        }
      }
      for (const intervalMs of [60_000, 3_600_000, 86_400_000]) {
        const market = Math.floor(random() * 2);
        const expected = twinCandles(all, market, intervalMs);
        const range = { from: 0, to: time, limit: 7 };
        expect(await store.candles(market, intervalMs, range)).toEqual(expected.slice(0, 7));
      }
    };
    let fed = 0;
    for (let round = 0; round < 60; round++) {
      for (let i = Math.floor(random() * 8); i > 0; i--) {
        time += Math.floor(random() * 9_000);
        const seq = bySeq.length + 1;
        randomEvents(random, buffer, seq, time);
        bySeq.push(rowsOf(buffer));
        all.push(...bySeq.at(-1)!);
        store.onEvents(buffer, seq, i === 1);
        fed = seq;
      }
      const action = random();
      if (action < 0.3) {
        const flushing = store.flush();
        await Promise.all([check(), check(), check()]);
        await flushing;
        expect(store.acknowledgedSeq).toBe(fed);
      } else if (action < 0.45) {
        await store.close();
        store = await LevelHistoryStore.open(options);
        expect(store.acknowledgedSeq).toBe(fed);
        // A restart gives some commands again, the last of them in one call with one that is new.
        const again = Math.max(1, fed - 5);
        for (let seq = again; seq < fed; seq++) {
          fill(buffer, bySeq[seq - 1]!);
          store.onEvents(buffer, seq, true);
        }
        time += 1;
        randomEvents(random, buffer, fed + 1, time);
        bySeq.push(rowsOf(buffer));
        all.push(...bySeq.at(-1)!);
        fill(buffer, bySeq.slice(again - 1).flat());
        fed++;
        store.onEvents(buffer, fed, true);
      }
      await check();
    }
    await store.close();
  }
});

test('asks for a known candle interval and bounds a page', async () => {
  const directory = temporaryDirectory();
  const store = await LevelHistoryStore.open({ directory, create: true, repeat: () => () => {} });
  const range = { from: 0, to: 1, limit: 1 };
  await expect(store.candles(0, 5, range)).rejects.toThrow(/candle interval: expected one of 60000.* got 5/);
  const buffer = new EventBuffer();
  for (let seq = 1; seq <= 1200; seq++) {
    buffer.start(seq, seq);
    buffer.data[buffer.add(EventKind.FUNDING_PAYMENT) + FUNDING_PAYMENT.account] = 3;
    store.onEvents(buffer, seq, true);
  }
  expect((await store.funding(3, { limit: 5000 })).length).toBe(1000);
  expect((await store.funding(3)).length).toBe(100);
  await store.close();
});

test('a flush that ends in the middle of a query neither hides nor repeats a row', async () => {
  const directory = temporaryDirectory();
  const store = await LevelHistoryStore.open({ directory, create: true, repeat: () => () => {} });
  const buffer = new EventBuffer();
  for (let seq = 1; seq <= 60; seq++) {
    buffer.start(seq, seq);
    buffer.data[buffer.add(EventKind.FUNDING_PAYMENT) + FUNDING_PAYMENT.account] = 3;
    store.onEvents(buffer, seq, true);
    const flushing = store.flush();
    // More than the thread pool takes at once: some look at the disk before the flush has ended, some after.
    const pages = await Promise.all(
      Array.from({ length: 24 }, () => store.funding(3, { limit: 1000, toTime: seq })),
    );
    await flushing;
    const expected = Array.from({ length: seq }, (_, i) => seq - i);
    for (const page of pages) expect(page.map((row) => row.cursor.seq)).toEqual(expected);
  }
  await store.close();
});
