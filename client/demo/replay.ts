/**
 * Plays a recording through the exchange: every row is one signed message of one account, sent over one WebSocket in
 * the order of the file, many in flight; what it was answered and what the market showed becomes fills and a book.
 */
import type { Reply } from '#protocol/wire.ts';
import type { PublicTrade } from '#protocol/wire-market-data.ts';
import { outcomeOf, signOperations } from '../actions/send-operations.ts';
import { SluiceClient } from '../client.ts';
import { SluiceError } from '../errors.ts';
import type { PriceSource } from '../publisher/price-source.ts';
import type { Identity } from '../session.ts';
import { numberQueues, type RecordedFill, type RecordedOrder, type RecordedRow } from './recording.ts';
import { ReplayPace } from './replay-pace.ts';
import type { ReplayPlan } from './replay-plan.ts';
import type { Tally } from './tally.ts';

export interface ReplayOptions {
  readonly url: string;
  readonly market: number;
  readonly rows: readonly RecordedRow[];
  readonly plan: ReplayPlan;
  /** One for each account of the plan. */
  readonly senders: readonly Identity[];
  /** How many times as fast as it was recorded. */
  readonly speed: number | 'max';
  readonly tally: Tally;
  readonly prices: ReplayPrices;
  readonly signal: AbortSignal;
  readonly onProgress?: (rows: number) => void;
}

export interface ReplayResult {
  readonly fills: readonly RecordedFill[];
  readonly book: readonly RecordedOrder[];
  /** Highest seq that a row was given. */
  readonly lastSeq: number;
  /** Rows that were refused, in sentences; the first few. */
  readonly refusals: readonly string[];
}

/** The price that the replay's publishers report: of the last trade. */
export class ReplayPrices implements PriceSource {
  private price: number;
  /** `first`: ticks, until the first trade. */
  constructor(first: number) {
    this.price = first;
  }
  traded(price: number): void {
    this.price = price;
  }
  priceAt(): { price: number; confidence: number } {
    return { price: this.price, confidence: 1 };
  }
}

/** Ticks: the price of the first take, else that of the first row. */
export const firstPrice = (rows: readonly RecordedRow[]): number =>
  (rows.find((row) => row.op === 'take') ?? rows[0]!).price;

/** Validity of a message, so long that a busy machine cannot let one expire. */
const LIFETIME_MS = 600_000;
const ANSWER_MS_MAX = 120_000;
const IN_FLIGHT_MAX = 96;
/** Rows signed and sent before the event loop gets its turn. */
const BURST = 32;
const REFUSALS_KEPT = 10;
const TRADES_MS_MAX = 60_000;

/** Throws a SluiceError when the exchange fails the replay: a lost connection, a refused message, a gap in the trades. */
export async function playRecording(options: ReplayOptions): Promise<ReplayResult> {
  const connection = { url: options.url, reconnect: false, requestTimeoutMs: ANSWER_MS_MAX } as const;
  const client = await SluiceClient.connect({ ...connection, messageLifetimeMs: LIFETIME_MS });
  try {
    const watcher = await SluiceClient.connect(connection);
    try {
      return await new ReplayRun(options, client, watcher).play();
    } finally {
      await watcher.close();
    }
  } finally {
    await client.close();
  }
}

class ReplayRun {
  private readonly options: ReplayOptions;
  private readonly client: SluiceClient;
  private readonly watcher: SluiceClient;
  private readonly pace: ReplayPace;
  private readonly trades: PublicTrade[] = [];
  private tradedLots = 0;
  private filledLots = 0;
  private lastSeq = 0;
  private readonly refusals: string[] = [];
  /** Order id → row that made it. */
  private readonly rowOfOrder = new Map<number, RecordedRow>();
  private inFlight = 0;
  private failure: Error | undefined;
  /** Called when something has changed that somebody may wait for. */
  private wake: () => void = () => {};

  constructor(options: ReplayOptions, client: SluiceClient, watcher: SluiceClient) {
    this.options = options;
    this.client = client;
    this.watcher = watcher;
    this.pace = new ReplayPace(options.rows, options.speed, client.quotas);
    options.signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  async play(): Promise<ReplayResult> {
    const { market, prices, rows, tally } = this.options;
    const inFlightMax = Math.min(IN_FLIGHT_MAX, Math.floor(this.client.quotas.inboxFrames / 2));
    await this.watcher.watchTrades({
      market,
      onTrade: (trade) => {
        this.trades.push(trade);
        this.tradedLots += trade.size;
        tally.fills++;
        prices.traded(trade.price);
        this.wake();
      },
      onGap: () =>
        this.fail(
          new SluiceError('CONNECTION_LOST', 'replay: the stream of trades has a gap, fills are missing'),
        ),
    });
    for (let row = 0; row < rows.length; ) {
      const end = row + this.pace.due(row, Math.min(BURST, inFlightMax - this.inFlight));
      for (; row < end; row++) this.send(row);
      this.options.onProgress?.(row);
      await this.breathe(this.inFlight >= inFlightMax ? undefined : this.pace.waitMs(row));
    }
    while (this.inFlight > 0) await this.breathe();
    await this.untilTradesAreHere();
    return {
      ...this.outcome(),
      book: await this.restingOrders(),
      lastSeq: this.lastSeq,
      refusals: this.refusals,
    };
  }

  private send(index: number): void {
    const { plan, senders } = this.options;
    const { sender, operation } = plan.operations[index]!;
    const message = signOperations(this.client.session, [operation], senders[sender]!) as Uint8Array;
    const start = performance.now();
    this.inFlight++;
    this.client.session.transport.sendMessage(message, {
      done: (reply) => {
        this.inFlight--;
        this.replied(index, reply, (performance.now() - start) * 1_000);
        this.wake();
      },
      failed: (error) => {
        this.inFlight--;
        this.options.tally.refused(1);
        this.fail(
          new SluiceError(error.code, `replay: row ${index + 1} was not taken: ${error.shortMessage}`, {
            cause: error,
          }),
        );
      },
    });
  }

  private replied(index: number, reply: Reply, microseconds: number): void {
    const row = this.options.rows[index]!;
    const { results, seq } = outcomeOf(reply);
    const result = results[0]!;
    this.options.tally.replied(results, microseconds);
    this.lastSeq = Math.max(this.lastSeq, seq);
    this.filledLots += result.filledSize;
    if (result.code !== undefined) {
      if (this.refusals.length < REFUSALS_KEPT)
        this.refusals.push(`row ${index + 1} (${row.op} ${row.id}): ${result.code}`);
    } else if (row.op === 'add' || row.op === 'take') this.rowOfOrder.set(result.orderId, row);
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  /** Lets others run; until something changes when no time is given. Throws when the replay has failed. */
  private async breathe(ms?: number): Promise<void> {
    if (this.failure === undefined && !this.options.signal.aborted)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        if (ms === 0) setImmediate(resolve);
        else if (ms !== undefined) setTimeout(resolve, ms);
      });
    this.wake = () => {};
    if (this.failure !== undefined) throw this.failure;
    this.options.signal.throwIfAborted();
  }

  /** The public stream comes on a connection of its own: the last trades may be on their way. */
  private async untilTradesAreHere(): Promise<void> {
    const until = performance.now() + TRADES_MS_MAX;
    while (this.tradedLots < this.filledLots) {
      await this.breathe(100);
      if (performance.now() > until)
        throw new SluiceError(
          'TIMEOUT',
          `replay: expected trades of ${this.filledLots} lots on the public stream, got ${this.tradedLots}`,
        );
    }
  }

  private outcome(): { fills: RecordedFill[] } {
    const fills = this.trades.map((trade) => {
      const take = this.rowOf(trade.takerOrderId);
      return {
        timeNs: take.timeNs,
        takeId: take.id,
        restingId: this.rowOf(trade.makerOrderId).id,
        price: trade.price,
        size: trade.size,
      };
    });
    return { fills };
  }

  private async restingOrders(): Promise<RecordedOrder[]> {
    const watch = await this.watcher.watchBookL3({ market: this.options.market });
    try {
      return numberQueues(
        ([0, 1] as const).flatMap((side) =>
          watch.book
            .orders(side)
            .map(({ orderId, price, size }) => ({ side, price, id: this.rowOf(orderId).id, size })),
        ),
      );
    } finally {
      watch.close();
    }
  }

  private rowOf(orderId: number): RecordedRow {
    const row = this.rowOfOrder.get(orderId);
    if (row === undefined)
      throw new SluiceError(
        'NOT_FOUND',
        `replay: order ${orderId} is in the market, but no row has made it: a replay needs an exchange of its own`,
      );
    return row;
  }
}
