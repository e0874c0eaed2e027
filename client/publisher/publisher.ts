/**
 * A price publisher: signs what its source says with its own key and reports it, market by market, in a steady beat.
 * Its place in the publisher set follows from its address. It reconnects by itself; a report that was not taken is
 * not sent again, the next one is fresher.
 */
import { toHex } from '#protocol/bytes.ts';
import { encodeReport } from '#protocol/price-report.ts';
import { SluiceError } from '../errors.ts';
import { Session } from '../session.ts';
import type { KeySigner } from '../signer.ts';
import { settled } from '../transport.ts';
import type { PriceSource } from './price-source.ts';

export interface PublisherOptions {
  readonly url: string;
  readonly signer: KeySigner;
  readonly source: PriceSource;
  /** Market ids; default all of the exchange. */
  readonly markets?: readonly number[];
  /** Between two reports of a market; default 500. */
  readonly intervalMs?: number;
  /** Troubles, one sentence each; they never stop the publisher. */
  readonly onTrouble?: (error: SluiceError) => void;
}

export interface PublisherTotals {
  sent: number;
  taken: number;
  refused: number;
  /** Not sent, because there was no connection. */
  skipped: number;
}

const INTERVAL_MS = 500;

export class Publisher {
  readonly totals: PublisherTotals = { sent: 0, taken: 0, refused: 0, skipped: 0 };
  /** Place in the publisher set. */
  readonly index: number;
  private readonly session: Session;
  private readonly options: PublisherOptions;
  private readonly markets: readonly number[];
  private readonly sequences = new Map<number, number>();
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    session: Session,
    options: PublisherOptions,
    index: number,
    markets: readonly number[],
  ) {
    this.session = session;
    this.options = options;
    this.index = index;
    this.markets = markets;
  }

  /**
   * Connects, finds its place and begins. Throws NOT_FOUND when its address is not in the publisher set, and what
   * connecting throws.
   */
  static async start(options: PublisherOptions): Promise<Publisher> {
    const session = await Session.open({ url: options.url });
    try {
      const address = toHex(options.signer.address);
      const chain = await session.query('chain', {});
      const place = chain.publishers.find(
        (publisher) => publisher.address.toLowerCase() === address && publisher.weight > 0,
      );
      if (place === undefined)
        throw new SluiceError(
          'NOT_FOUND',
          `publisher: expected an address of the publisher set, got ${address}`,
          {
            details: { address, publishers: chain.publishers },
          },
        );
      const markets = options.markets ?? (await session.loadMarkets()).map((market) => market.market);
      const publisher = new Publisher(session, options, place.index, markets);
      session.troubles.add((error) => options.onTrouble?.(error));
      publisher.beat();
      publisher.timer = setInterval(() => publisher.beat(), options.intervalMs ?? INTERVAL_MS);
      return publisher;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  get isConnected(): boolean {
    return this.session.transport.isOpen;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.session.close();
  }

  private beat(): void {
    if (!this.session.transport.isOpen) {
      this.totals.skipped += this.markets.length;
      return;
    }
    const time = this.session.transport.serverNow();
    for (const market of this.markets) {
      const sourced = this.options.source.priceAt(market, time);
      if (sourced !== undefined) this.report(market, time, sourced);
    }
  }

  private report(market: number, time: number, sourced: { price: number; confidence: number }): void {
    // The sequence is the time, so that it rises across restarts without being stored.
    const sequence = Math.max(time, (this.sequences.get(market) ?? 0) + 1);
    this.sequences.set(market, sequence);
    const unsigned = { market, publisher: this.index, time, sequence, ...sourced };
    const signature = this.options.signer.signDigest(this.session.context.digests.report(unsigned));
    this.totals.sent++;
    settled<undefined>((settle) =>
      this.session.transport.sendPriceReport(market, encodeReport({ ...unsigned, signature }), settle),
    ).then(
      () => {
        this.totals.taken++;
      },
      (error: SluiceError) => {
        this.totals.refused++;
        this.options.onTrouble?.(error);
      },
    );
  }
}
