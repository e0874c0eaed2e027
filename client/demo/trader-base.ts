/** What every trader of the demo has: a connection of its own, its positions, a rhythm, and the common tally. */
import type { MarketConfig } from '#protocol/market.ts';
import type { MessageOutcome } from '../actions/send-operations.ts';
import type { Fill } from '../actions/watch-account.ts';
import type { SluiceClient } from '../client.ts';
import { SluiceError } from '../errors.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Tally } from './tally.ts';

/** The markets and their newest index prices, followed once for all traders. */
export interface MarketBoard {
  readonly markets: readonly MarketConfig[];
  /** Ticks; 0 while there is none. */
  indexOf(market: number): number;
}

/** Pause after an error before the next try. */
const PAUSE_MS = 500;

export abstract class TraderBase {
  readonly client: SluiceClient;
  protected readonly board: MarketBoard;
  protected readonly random: SeededRandom;
  private readonly tally: Tally;
  private readonly positions = new Map<number, number>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly running = new Set<Promise<void>>();
  private stopped = false;

  constructor(client: SluiceClient, options: { board: MarketBoard; tally: Tally; random: SeededRandom }) {
    this.client = client;
    this.board = options.board;
    this.random = options.random;
    this.tally = options.tally;
  }

  abstract start(): Promise<void>;
  /** After the last order: what remains to be cleared away. */
  protected abstract finish(): Promise<void>;

  /** No order is sent after this; resolves when the last one was answered and quotes are withdrawn. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.all(this.running);
    if (this.client.isConnected) await this.finish();
  }

  /** Signed lots. */
  protected positionOf(market: number): number {
    return this.positions.get(market) ?? 0;
  }

  /** Loads positions and keeps them by the account's own fills. */
  protected async followAccount(onFill?: (fill: Fill) => void): Promise<void> {
    const { positions } = this;
    await this.client.watchAccount({
      onFill: (fill) => {
        const signed = fill.side === 0 ? fill.size : -fill.size;
        positions.set(fill.market, (positions.get(fill.market) ?? 0) + signed);
        onFill?.(fill);
      },
    });
    for (const position of (await this.client.accountView()).positions)
      positions.set(position.market, position.size);
  }

  /** Calls `act` again and again, each time after the last call has ended and a random pause around `periodMs`. */
  protected every(periodMs: number, act: () => Promise<void>): void {
    const schedule = (ms: number): void => {
      if (this.stopped) return;
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        const run = act().then(
          () => schedule(periodMs * this.random.between(0.7, 1.3)),
          () => schedule(PAUSE_MS),
        );
        this.running.add(run);
        run.finally(() => this.running.delete(run)).catch(() => {});
      }, ms);
      this.timers.add(timer);
    };
    schedule(periodMs * this.random.next());
  }

  /** Measures one message and counts its results; undefined when it was refused or lost. */
  protected async timed<Result extends { readonly outcome: MessageOutcome | undefined }>(
    send: () => Promise<Result>,
  ): Promise<Result | undefined> {
    const start = performance.now();
    try {
      const result = await send();
      if (result.outcome !== undefined)
        this.tally.replied(result.outcome.results, (performance.now() - start) * 1_000);
      return result;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.tally.refused(1);
      if (!this.stopped) throw error;
      return undefined;
    }
  }
}
