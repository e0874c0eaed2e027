/**
 * History for queries: what happened to an account or in a market, newest first. Rows are gathered in memory
 * and written once a second (or when there are many) in one atomic, flushed batch together with the seq that
 * is acknowledged, so that after a crash nothing is missing and nothing twice. All of it can be rebuilt from
 * the journal. Keys big-endian, values sealed with a CRC (level-store.ts):
 *
 *   u8 list ‖ u32 owner ‖ u64 first seq → rows of one flush (history-rows.ts)
 *   0x43 …                              → a candle (candle-book.ts)
 *   0x54 ‖ u48 time                     → u64 last seq of the flush whose last row has this time
 *   0x00                                → u64 acknowledged seq
 */
import { setInterval } from 'node:timers';
import type { Candle, EventRows, HistoryPage, HistoryRow, HistoryStore } from '#pipeline/ports.ts';
import { getU64be, setU48be, setU64be, viewOf } from '#protocol/bytes.ts';
import { EVENT_STRIDE, EventKind } from '#protocol/event.ts';
import type { AccountId, MarketId, Seq } from '#protocol/units.ts';
import { CANDLE_INTERVALS_MS, CANDLE_KEY, CandleBook, candleKey, decodeCandle } from './candle-book.ts';
import {
  LIST_FILLS,
  LIST_FUNDING,
  LIST_FUNDING_RATES,
  LIST_ORDERS,
  LIST_TRADES,
  LIST_TRANSFERS,
  listsOf,
} from './history-lists.ts';
import { RowWriter, readRows } from './history-rows.ts';
import { type ByteLevel, openLevel, plainBytes, seal, unseal } from './level-store.ts';
import { StoreError } from './store-error.ts';

const LIST_KEY_BYTES = 13;
const TIME_KEY = 0x54;
const ACKNOWLEDGED_KEY = Uint8Array.of(0);
const FLUSH_MS = 1000;
const FLUSH_ROWS = 50_000;
const PAGE_ROWS_MAX = 1000;
const PAGE_ROWS_DEFAULT = 100;
const OWNER_SPAN = 2 ** 32;

type Gathered = Map<number, RowWriter>;

export interface HistoryStoreOptions {
  /** The data directory. */
  readonly directory: string;
  /** True only at genesis. */
  readonly create: boolean;
  /** Calls back every `ms` until the returned function is called; default a timer that holds nobody up. */
  readonly repeat?: (ms: number, callback: () => void) => () => void;
}

const repeatByTimer = (ms: number, callback: () => void): (() => void) => {
  const timer = setInterval(callback, ms).unref();
  return () => clearInterval(timer);
};

export class LevelHistoryStore implements HistoryStore {
  readonly name = 'history';
  private readonly folder: string;
  private readonly level: ByteLevel;
  private readonly stopRepeat: () => void;
  private readonly candleBook = new CandleBook();
  private acknowledged: Seq;
  private gathered: Gathered = new Map();
  private gatheredRows = 0;
  private gatheredSeq: Seq;
  private gatheredTime = 0;
  /** Being written: still looked at by queries. */
  private writing: Gathered = new Map();
  private flushInFlight: Promise<void> | undefined;
  private failure: StoreError | undefined;

  private constructor(folder: string, level: ByteLevel, acknowledged: Seq, options: HistoryStoreOptions) {
    this.folder = folder;
    this.level = level;
    this.acknowledged = acknowledged;
    this.gatheredSeq = acknowledged;
    this.stopRepeat = (options.repeat ?? repeatByTimer)(FLUSH_MS, () => this.flushQuietly());
  }

  static async open(options: HistoryStoreOptions): Promise<LevelHistoryStore> {
    const folder = `${options.directory}/history`;
    const level = await openLevel({ path: folder, create: options.create });
    try {
      const sealed = await level.get(ACKNOWLEDGED_KEY);
      const value = sealed === undefined ? undefined : unseal(sealed, folder, 'acknowledged seq');
      const acknowledged = value === undefined ? 0 : getU64be(viewOf(value), 0);
      const store = new LevelHistoryStore(folder, level, acknowledged, options);
      await store.restoreCandles();
      return store;
    } catch (error) {
      await level.close();
      throw error;
    }
  }

  get acknowledgedSeq(): Seq {
    return this.acknowledged;
  }

  onEvents(rows: EventRows, throughSeq: Seq, endOfBatch: boolean): void {
    if (throughSeq <= this.gatheredSeq || this.failure !== undefined) return;
    const { data, count } = rows;
    const known = this.gatheredSeq;
    for (let at = 0; at < count * EVENT_STRIDE; at += EVENT_STRIDE) {
      // What comes again after a restart is already there.
      if (data[at + 1]! <= known) continue;
      this.gather(data, at);
    }
    this.gatheredSeq = throughSeq;
    if (endOfBatch && this.gatheredRows >= FLUSH_ROWS) this.flushQuietly();
  }

  orders(account: AccountId, page?: HistoryPage): Promise<HistoryRow[]> {
    return this.page(LIST_ORDERS, account, page);
  }

  fills(account: AccountId, page?: HistoryPage): Promise<HistoryRow[]> {
    return this.page(LIST_FILLS, account, page);
  }

  funding(account: AccountId, page?: HistoryPage): Promise<HistoryRow[]> {
    return this.page(LIST_FUNDING, account, page);
  }

  transfers(account: AccountId, page?: HistoryPage): Promise<HistoryRow[]> {
    return this.page(LIST_TRANSFERS, account, page);
  }

  trades(market: MarketId, page?: HistoryPage): Promise<HistoryRow[]> {
    return this.page(LIST_TRADES, market, page);
  }

  fundingRates(market: MarketId, page?: HistoryPage): Promise<HistoryRow[]> {
    return this.page(LIST_FUNDING_RATES, market, page);
  }

  async candles(
    market: MarketId,
    intervalMs: number,
    range: { from: number; to: number; limit: number },
  ): Promise<Candle[]> {
    if (!CANDLE_INTERVALS_MS.includes(intervalMs))
      throw new RangeError(
        `candle interval: expected one of ${CANDLE_INTERVALS_MS.join(', ')} ms, got ${intervalMs}`,
      );
    const limit = Math.min(Math.max(0, range.limit), PAGE_ROWS_MAX);
    const found = new Map<number, Candle>();
    for (const candle of this.candleBook.recent(market, intervalMs))
      if (candle.time >= range.from && candle.time <= range.to) found.set(candle.time, candle);
    const bounds = {
      gte: candleKey(market, intervalMs, Math.max(0, range.from)),
      lte: candleKey(market, intervalMs, Math.max(0, range.to)),
    };
    for await (const [key, value] of this.level.iterator({ ...bounds, reverse: true, limit })) {
      const candle = decodeCandle(key, unseal(value, this.folder, 'candle'));
      if (!found.has(candle.time)) found.set(candle.time, candle);
    }
    return [...found.values()].sort((a, b) => b.time - a.time).slice(0, limit);
  }

  async flush(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.flushInFlight !== undefined) {
      await this.flushInFlight;
      if (this.gatheredSeq > this.acknowledged) await this.flush();
      return;
    }
    if (this.gatheredSeq === this.acknowledged) return;
    this.flushInFlight = this.write();
    try {
      await this.flushInFlight;
    } finally {
      this.flushInFlight = undefined;
    }
  }

  async close(): Promise<void> {
    this.stopRepeat();
    if (this.failure === undefined) await this.flush();
    await this.level.close();
  }

  private gather(data: Float64Array, at: number): void {
    const kind = data[at]!;
    if (kind === EventKind.TRADE) this.candleBook.trade(data, at);
    let previous = -1;
    for (const { list, owner } of listsOf(kind)) {
      // One account on both sides has one row.
      const slot = list * OWNER_SPAN + data[at + owner]!;
      if (slot === previous) continue;
      previous = slot;
      let writer = this.gathered.get(slot);
      if (writer === undefined) {
        writer = new RowWriter();
        this.gathered.set(slot, writer);
      }
      writer.add(data, at);
      this.gatheredRows++;
    }
    this.gatheredTime = data[at + 2]!;
  }

  private flushQuietly(): void {
    // A failure is kept and told to whoever asks next.
    this.flush().catch(() => {});
  }

  private async write(): Promise<void> {
    const throughSeq = this.gatheredSeq;
    const operations = this.candleBook
      .startFlush()
      .map(({ key, value }) => ({ type: 'put' as const, key, value: seal(value) }));
    const put = (key: Uint8Array, value: Uint8Array): void => {
      operations.push({ type: 'put', key, value: seal(value) });
    };
    for (const [slot, writer] of this.gathered)
      put(listKey(Math.floor(slot / OWNER_SPAN), slot % OWNER_SPAN, writer.firstSeq), writer.take());
    if (this.gatheredRows > 0) put(timeKey(this.gatheredTime), u64(throughSeq));
    put(ACKNOWLEDGED_KEY, u64(throughSeq));
    this.writing = this.gathered;
    this.gathered = new Map();
    this.gatheredRows = 0;
    try {
      await this.level.batch(operations, { sync: true });
    } catch (error) {
      this.failure = new StoreError(
        'write-failed',
        this.folder,
        `history can not be written (${(error as Error).message}): free space on that disk and start again`,
        error,
      );
      throw this.failure;
    }
    this.writing = new Map();
    this.candleBook.flushed();
    this.acknowledged = throughSeq;
  }

  private async page(list: number, owner: number, page: HistoryPage = {}): Promise<HistoryRow[]> {
    if (this.failure !== undefined) throw this.failure;
    const limit = Math.min(Math.max(0, page.limit ?? PAGE_ROWS_DEFAULT), PAGE_ROWS_MAX);
    const { before, fromTime = 0, toTime = Number.POSITIVE_INFINITY } = page;
    const found: HistoryRow[] = [];
    /** Adds the rows of one group, newest first; false when the page is complete. */
    const take = (rows: number[][]): boolean => {
      const placed = withPlaces(rows);
      for (let i = placed.length - 1; i >= 0; i--) {
        const row = placed[i]!;
        const { seq, place } = row.cursor;
        if (before !== undefined && (seq > before.seq || (seq === before.seq && place >= before.place)))
          continue;
        const time = row.columns[2]!;
        if (time > toTime) continue;
        if (time < fromTime || found.length === limit) return false;
        found.push(row);
      }
      return true;
    };
    // Memory and the bound of what is on disk are taken in the same instant.
    const slot = list * OWNER_SPAN + owner;
    const onDisk = this.acknowledged;
    const recent = [this.gathered.get(slot), this.writing.get(slot)].map((writer) =>
      writer === undefined ? [] : this.decode(writer.take(), writer.firstSeq),
    );
    for (const rows of recent) if (!take(rows)) return found;
    const newest = Math.min(onDisk, before?.seq ?? onDisk, await this.seqBound(toTime));
    const bounds = { gte: listKey(list, owner, 0), lte: listKey(list, owner, newest), reverse: true };
    for await (const [key, value] of this.level.iterator(bounds)) {
      const firstSeq = getU64be(viewOf(key), 5);
      if (!take(this.decode(unseal(value, this.folder, `history from seq ${firstSeq}`), firstSeq))) break;
    }
    return found;
  }

  /** No row up to `time` lies behind this seq. */
  private async seqBound(time: number): Promise<Seq> {
    if (time >= 2 ** 48 - 1) return Number.MAX_SAFE_INTEGER;
    const bounds = { gt: timeKey(Math.max(0, time)), lt: Uint8Array.of(TIME_KEY + 1), limit: 1 };
    for await (const value of this.level.values(bounds))
      return getU64be(viewOf(unseal(value, this.folder, 'time index')), 0);
    return Number.MAX_SAFE_INTEGER;
  }

  private decode(bytes: Uint8Array, firstSeq: Seq): number[][] {
    const rows = readRows(bytes, firstSeq);
    if (rows === undefined)
      throw new StoreError(
        'corrupt',
        this.folder,
        `history from seq ${firstSeq}: expected whole rows, got other bytes`,
      );
    return rows;
  }

  /** The newest candle of each market and interval goes on where it stood. */
  private async restoreCandles(): Promise<void> {
    let after = Uint8Array.of(CANDLE_KEY);
    for (;;) {
      let first: Uint8Array | undefined;
      for await (const key of this.level.keys({ gt: after, lt: Uint8Array.of(CANDLE_KEY + 1), limit: 1 }))
        first = plainBytes(key).slice();
      if (first === undefined) return;
      const end = first.slice();
      end.fill(0xff, 7);
      const newest = { gte: first, lte: end, reverse: true, limit: 1 };
      for await (const [key, value] of this.level.iterator(newest))
        this.candleBook.restore(
          plainBytes(key).slice(),
          decodeCandle(key, unseal(value, this.folder, 'candle')),
        );
      after = end;
    }
  }
}

function withPlaces(rows: readonly number[][]): HistoryRow[] {
  let seq = -1;
  let place = 0;
  return rows.map((columns) => {
    place = columns[1] === seq ? place + 1 : 0;
    seq = columns[1]!;
    return { columns, cursor: { seq, place } };
  });
}

function listKey(list: number, owner: number, firstSeq: Seq): Uint8Array {
  const key = new Uint8Array(LIST_KEY_BYTES);
  const view = viewOf(key);
  key[0] = list;
  view.setUint32(1, owner);
  setU64be(view, 5, firstSeq);
  return key;
}

function timeKey(time: number): Uint8Array {
  const key = new Uint8Array(7);
  key[0] = TIME_KEY;
  setU48be(viewOf(key), 1, time);
  return key;
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  setU64be(viewOf(bytes), 0, value);
  return bytes;
}
