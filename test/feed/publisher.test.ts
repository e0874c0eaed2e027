/** The feed against the engine: what readers rebuild from frames, whole or after a gap, is what the engine holds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Publisher } from '#feed/publisher.ts';
import type { MemoryJournal } from '#journal/memory-journal.ts';
import type { EventConsumer, FeedListener, StreamStart } from '#pipeline/ports.ts';
import { viewOf } from '#protocol/bytes.ts';
import type { Operation } from '#protocol/operation.ts';
import { Reject } from '#protocol/reject.ts';
import {
  type Channel,
  decodeAccountEvent,
  decodeExecutionReport,
  type ExecutionReport,
  FrameType,
  frameType,
  isReject,
  ReportKind,
} from '#protocol/wire.ts';
import {
  decodeMarketStatus,
  decodeTicker,
  decodeTrade,
  type PublicTrade,
} from '#protocol/wire-market-data.ts';
import type { BookSide } from '#state/book-side.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { Corridor, recoverFrom } from '../support/corridor.ts';
import { TEST_MARKET } from '../support/exchange.ts';
import { settle } from '../support/manual-clock.ts';
import { framesOf, NaiveBookL2, NaiveBookL3 } from './naive-client.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`feed properties: SEED=${SEED}`);

const MARKETS = [TEST_MARKET, { ...TEST_MARKET, market: 1, symbol: 'ETH-PERP' }];
const ACCOUNTS = 4;

/** Gathers what the feed tells, by stream. */
class Gatherer implements FeedListener {
  readonly told = new Map<string, Uint8Array[]>();
  batches = 0;
  wants(): boolean {
    return true;
  }
  onFrames(channel: Channel, subject: number, frames: Uint8Array): void {
    const key = `${channel}/${subject}`;
    const list = this.told.get(key) ?? [];
    list.push(frames.slice());
    this.told.set(key, list);
  }
  onEndOfBatch(): void {
    this.batches++;
  }
  take(channel: Channel, subject: number): Uint8Array[] {
    const key = `${channel}/${subject}`;
    const list = this.told.get(key) ?? [];
    this.told.delete(key);
    return list;
  }
}

/** Stands in the corridor before there is a state to build the feed from. */
class LateFeed implements EventConsumer {
  readonly name = 'late-feed';
  feed: Publisher | undefined;
  get acknowledgedSeq(): number {
    return this.feed?.acknowledgedSeq ?? 0;
  }
  onEvents(...told: Parameters<EventConsumer['onEvents']>): void {
    this.feed?.onEvents(...told);
  }
}

async function venue() {
  const late = new LateFeed();
  const corridor = await new Corridor({ markets: MARKETS, events: [late] }).start();
  for (let n = 1; n <= ACCOUNTS; n++) await corridor.deposit(n, 1_000_000_000_000);
  await corridor.price(0, 1_000_000);
  await corridor.price(1, 1_000_000);
  return { corridor, late };
}

function levelsOf(state: ExchangeState, market: number): string[] {
  const { bids, asks } = state.market(market)!;
  const of = (side: BookSide): string[] =>
    Array.from(
      { length: side.depth },
      (_, n) => `${side.side}:${side.priceAt(n)}=${state.levels.size(side.levelAt(n))}`,
    );
  return [...of(bids), ...of(asks)].sort();
}

function ordersOf(state: ExchangeState, market: number): string[] {
  const { bids, asks } = state.market(market)!;
  const { orders, levels } = state;
  const found: string[] = [];
  for (const side of [bids, asks])
    for (let n = 0; n < side.depth; n++)
      for (let slot = levels.head(side.levelAt(n)); slot >= 0; slot = orders.next(slot))
        found.push(
          `${side.side}:${orders.price(slot)}:${orders.priority(slot)}:${orders.id(slot)}=${orders.size(slot)}`,
        );
  return found.sort();
}

const market = fc.integer({ min: 0, max: 1 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({
        market,
        side: fc.constantFrom<0 | 1>(0, 1),
        price: fc.integer({ min: 999_990, max: 1_000_010 }),
        size: fc.integer({ min: 1, max: 100 }),
        timeInForce: fc.constantFrom<0 | 2>(0, 0, 0, 2),
        selfTradePrevention: fc.constantFrom<0 | 1 | 2 | 3>(0, 1, 2, 3),
      })
      .map((fields): Operation => ({ kind: 'place', ...fields })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ market, id: fc.integer({ min: 1, max: 80 }) })
      .map((fields): Operation => ({ kind: 'cancel', by: 'order', ...fields })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({
        market,
        id: fc.integer({ min: 1, max: 80 }),
        price: fc.integer({ min: 999_990, max: 1_000_010 }),
        size: fc.integer({ min: 1, max: 60 }),
      })
      .map((fields): Operation => ({ kind: 'amend', by: 'order', ...fields })),
  },
  { weight: 1, arbitrary: market.map((m): Operation => ({ kind: 'cancel-all', market: m })) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 1_000 })
      .map((amount): Operation => ({ kind: 'withdraw', asset: 0, amount })),
  },
);
const step = fc.record({
  account: fc.integer({ min: 1, max: ACCOUNTS }),
  operations: fc.array(operation, { minLength: 1, maxLength: 8 }),
  /** Readers that fall behind here catch up at the next true. */
  reads: fc.boolean(),
});

describe('feed', () => {
  it('lets readers rebuild books, whole and after gaps, as the engine holds them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 10 }),
        async (steps, startAt) => {
          const { corridor, late } = await venue();
          const gatherer = new Gatherer();
          const steady = MARKETS.map(() => ({ l2: new NaiveBookL2(), l3: new NaiveBookL3() }));
          const slow = MARKETS.map(() => ({ l2: new NaiveBookL2(), l3: new NaiveBookL3() }));
          const begin = (): void => {
            const feed = new Publisher(corridor.state, corridor.clock.nowMs());
            feed.listen(gatherer);
            late.feed = feed;
            for (const { market: id } of MARKETS)
              for (const books of [steady[id]!, slow[id]!]) open(feed, id, books);
          };
          const open = (feed: Publisher, id: number, books: { l2: NaiveBookL2; l3: NaiveBookL3 }): void => {
            for (const [channel, book] of [
              ['bookL2', books.l2],
              ['bookL3', books.l3],
            ] as const) {
              const known = book.sequence < 0 ? {} : { fromSeq: book.sequence };
              const start = feed.start({ channel, market: id, ...known });
              if (typeof start === 'number') throw new Error(`${channel}: got code ${start}`);
              for (const frame of start.frames) book.take(frame);
              expect(book.sequence).toBeLessThanOrEqual(start.sequence);
              book.sequence = start.sequence;
            }
          };
          for (const [i, { account, operations, reads }] of steps.entries()) {
            // The feed begins in the middle: its books are those of a state, not of a journal.
            if (i === Math.min(startAt, steps.length - 1)) begin();
            corridor.submit({ reply() {}, reject() {} }, i, account, ...operations);
            await settle();
            if (late.feed === undefined) continue;
            for (const { market: id } of MARKETS) {
              const { l2, l3 } = steady[id]!;
              for (const frames of gatherer.take('bookL2', id)) l2.take(frames);
              for (const frames of gatherer.take('bookL3', id)) l3.take(frames);
              if (reads) open(late.feed, id, slow[id]!);
            }
          }
          for (const { market: id } of MARKETS) {
            open(late.feed!, id, slow[id]!);
            for (const books of [steady[id]!, slow[id]!]) {
              expect(books.l2.sorted()).toEqual(levelsOf(corridor.state, id));
              expect(books.l3.sorted()).toEqual(ordersOf(corridor.state, id));
            }
          }
          expect(corridor.fatal).toBeUndefined();
        },
      ),
      { seed: SEED, numRuns: 150 },
    );
  });

  it('tells each account its own reports without gaps, and resumes from any of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { corridor, late } = await venue();
        const gatherer = new Gatherer();
        const feed = new Publisher(corridor.state, corridor.clock.nowMs());
        feed.listen(gatherer);
        late.feed = feed;
        const first = corridor.log.events.length;
        for (const [i, { account, operations }] of steps.entries())
          corridor.submit({ reply() {}, reject() {} }, i, account, ...operations);
        await settle();
        const expected = expectedReports(corridor.log.events.slice(first));
        for (let account = 1; account <= ACCOUNTS; account++) {
          const before = feed.start({ channel: 'account', account });
          if (typeof before === 'number') throw new Error(`account: got code ${before}`);
          const reports = gatherer.take('account', account).flatMap((packet) => [...framesOf(packet)]);
          const sequences = reports.map((view) => reportOf(view).reportSequence);
          expect(sequences).toEqual(sequences.map((_, n) => sequences[0]! + n));
          expect(reports.map(summaryOf)).toEqual(expected.get(account) ?? []);
          if (sequences.length === 0) continue;
          expect(before.sequence).toBe(sequences.at(-1));
          // From anywhere on: the same frames again.
          for (const n of [0, Math.floor(sequences.length / 2), sequences.length]) {
            const fromSeq = sequences[0]! - 1 + n;
            const resumed = feed.start({ channel: 'account', account, fromSeq });
            if (typeof resumed === 'number') throw new Error(`account: got code ${resumed}`);
            expect(resumed.resumed).toBe(true);
            const again = resumed.frames.flatMap((packet) => [...framesOf(packet)]);
            expect(again.map(summaryOf)).toEqual(reports.slice(n).map(summaryOf));
          }
          const unknown = feed.start({ channel: 'account', account, fromSeq: sequences[0]! - 2 });
          expect(unknown).toMatchObject({ resumed: false, frames: [] });
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('chains the trades of a market, and its ticker agrees with the state', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { corridor, late } = await venue();
        const gatherer = new Gatherer();
        const feed = new Publisher(corridor.state, corridor.clock.nowMs());
        feed.listen(gatherer);
        late.feed = feed;
        const starts = MARKETS.map(({ market: id }) => feed.start({ channel: 'trades', market: id }));
        for (const [i, { account, operations }] of steps.entries())
          corridor.submit({ reply() {}, reject() {} }, i, account, ...operations);
        await settle();
        for (const { market: id } of MARKETS) {
          const trades = gatherer
            .take('trades', id)
            .flatMap((packet) => [...framesOf(packet)])
            .map((view) => decodeTrade(view, 0) as PublicTrade);
          let previous = (starts[id] as { sequence: number }).sequence;
          for (const trade of trades) {
            expect(trade.previous).toBe(previous);
            expect(trade.sequence).toBeGreaterThan(previous);
            previous = trade.sequence;
          }
          const told = corridor.log.events.filter((row) => row.event === 'TRADE' && row.market === id);
          expect(trades.map(({ tradeId, price, size }) => [tradeId, price, size])).toEqual(
            told.map((row) => [row.tradeId, row.price, row.size]),
          );
          const market = corridor.state.market(id)!;
          const ticker = decodeTicker(viewOf(feed.ticker.ticker(id)), 0);
          expect(ticker).toMatchObject({
            bidPrice: market.bids.bestPrice(),
            askPrice: market.asks.bestPrice(),
            lastPrice: market.lastPrice,
            indexPrice: market.index,
            markPrice: market.mark,
            openInterest: market.openInterest,
            status: market.status(),
          });
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('sends the book anew to whoever has missed more than is kept', async () => {
    const { corridor, late } = await venue();
    const feed = new Publisher(corridor.state, corridor.clock.nowMs());
    late.feed = feed;
    const book = { l2: new NaiveBookL2(), l3: new NaiveBookL3() };
    const start = feed.start({ channel: 'bookL2', market: 0 }) as { sequence: number };
    for (let i = 0; i < 60; i++) {
      const operations = Array.from(
        { length: 50 },
        (_, n): Operation => ({
          kind: 'place',
          market: 0,
          side: 0,
          price: 900_000 + ((i * 50 + n) % 700),
          size: 1,
          timeInForce: 0,
        }),
      );
      await corridor.send(1 + (i % ACCOUNTS), ...operations);
    }
    for (const [channel, naive] of [
      ['bookL2', book.l2],
      ['bookL3', book.l3],
    ] as const) {
      const again = feed.start({ channel, market: 0, fromSeq: start.sequence });
      if (typeof again === 'number') throw new Error(`got code ${again}`);
      expect(again.resumed).toBe(false);
      for (const frame of again.frames) naive.take(frame);
    }
    expect(book.l2.sorted()).toEqual(levelsOf(corridor.state, 0));
    expect(book.l3.sorted()).toEqual(ordersOf(corridor.state, 0));
  });

  it('tells the status of markets, and knows which there are', async () => {
    const { corridor, late } = await venue();
    const gatherer = new Gatherer();
    const feed = new Publisher(corridor.state, corridor.clock.nowMs());
    feed.listen(gatherer);
    late.feed = feed;
    expect(feed.start({ channel: 'ticker', market: 9 })).toBe(Reject.UNKNOWN_MARKET);
    const start = feed.start({ channel: 'status' }) as StreamStart;
    expect(start.frames.length).toBe(2);
    // An index above its bound halts the market.
    await corridor.clock.advance(100);
    await corridor.price(1, TEST_MARKET.maxPrice + 1);
    const [frame] = gatherer.take('status', 0);
    expect(decodeMarketStatus(viewOf(frame!), 0)).toMatchObject({ market: 1, status: 2 });
  });

  it('begins above the reports of the process before it', async () => {
    const { corridor, late } = await venue();
    const feed = new Publisher(corridor.state, corridor.clock.nowMs());
    late.feed = feed;
    await corridor.send(1, { kind: 'place', market: 0, side: 0, price: 900_000, size: 1, timeInForce: 0 });
    const { sequence } = feed.start({ channel: 'account', account: 1 }) as { sequence: number };
    await corridor.clock.advance(200);
    const { engine } = await recoverFrom(corridor.journal as MemoryJournal);
    const next = new Publisher(engine.state, corridor.clock.nowMs());
    const resumed = next.start({ channel: 'account', account: 1, fromSeq: sequence });
    expect(resumed).toMatchObject({ resumed: false, frames: [] });
    expect((resumed as { sequence: number }).sequence).toBeGreaterThan(sequence);
  });
});

const reportOf = (view: DataView) => {
  const report =
    frameType(view, 0) === FrameType.EXECUTION_REPORT
      ? decodeExecutionReport(view, 0)
      : decodeAccountEvent(view, 0);
  if (isReject(report)) throw new Error(`report: got code ${report}`);
  return report;
};

/** What a report says, without its sequence. */
function summaryOf(view: DataView): string {
  const report = reportOf(view);
  if (!('orderId' in report)) return `event ${report.kind} ${report.amount}`;
  const { kind, orderId, remainingSize, lastSize, size, code, liquidity, fee } = report as ExecutionReport;
  return `report ${kind} order ${orderId} left ${remainingSize} last ${lastSize} size ${size} code ${code} liquidity ${liquidity} fee ${fee}`;
}

/** The same from the events, by the drawing in wire.ts. */
function expectedReports(events: readonly Record<string, string | number>[]): Map<number, string[]> {
  const reports = new Map<number, string[]>();
  const add = (account: unknown, text: string): void => {
    const list = reports.get(Number(account)) ?? [];
    list.push(text);
    reports.set(Number(account), list);
  };
  const line = (f: Record<string, unknown>): string =>
    `report ${f.kind} order ${f.orderId} left ${f.left ?? 0} last ${f.last ?? 0} size ${f.size ?? 0} code ${f.code ?? 0} liquidity ${f.liquidity ?? 0} fee ${f.fee ?? 0}`;
  for (const e of events)
    switch (e.event) {
      case 'OPERATION_RESULT':
        if (e.code !== 0)
          add(e.account, line({ kind: ReportKind.REJECTED, orderId: e.orderId, code: e.code }));
        break;
      case 'ORDER_RESTED':
        add(e.account, line({ kind: ReportKind.RESTED, orderId: e.orderId, left: e.size, size: e.size }));
        break;
      case 'TRADE':
        add(
          e.makerAccount,
          line({
            kind: ReportKind.TRADE,
            orderId: e.makerOrderId,
            left: e.makerRemaining,
            last: e.size,
            liquidity: 1,
            fee: e.makerFee,
          }),
        );
        add(
          e.takerAccount,
          line({
            kind: ReportKind.TRADE,
            orderId: e.takerOrderId,
            left: e.takerRemaining,
            last: e.size,
            liquidity: 2,
            fee: e.takerFee,
          }),
        );
        break;
      case 'ORDER_REMOVED':
        add(e.account, line({ kind: ReportKind.REMOVED, orderId: e.orderId, size: e.size }));
        break;
      case 'ORDER_REDUCED':
        add(
          e.account,
          line({ kind: ReportKind.REDUCED, orderId: e.orderId, left: e.newSize, size: e.newSize }),
        );
        break;
      case 'WITHDRAWAL':
        add(e.account, `event 2 ${-Number(e.amount)}`);
        break;
    }
  return reports;
}
