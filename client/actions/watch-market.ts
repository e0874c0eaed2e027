/** Public streams of a market: trades, ticker, status. Each returns a watch that ends by `close`. */
import type { MarketStatusEvent, PublicTrade, Ticker } from '#protocol/wire-market-data.ts';
import type { Session } from '../session.ts';
import { StatusReader, type StreamGap, TickerReader, TradesReader } from '../stream-readers.ts';
import { hold } from '../streams.ts';
import { type MarketReference, marketIdOf } from './order-form.ts';

export interface Watch {
  close(): void;
}

/** Every trade once and in order, also across reconnects; `onGap` tells of what history alone still has. */
export async function watchTrades(
  session: Session,
  watch: {
    readonly market: MarketReference;
    readonly onTrade: (trade: PublicTrade) => void;
    readonly onGap?: (gap: StreamGap) => void;
  },
): Promise<Watch> {
  const market = marketIdOf(session, watch.market);
  const { release } = await hold(
    session,
    { channel: 'trades', market },
    () => new TradesReader(),
    (reader) => [reader.trades.add(watch.onTrade), watch.onGap && reader.gaps.add(watch.onGap)],
  );
  return { close: release };
}

/** Top of book, last trade, prices and funding; conflated: the newest counts. */
export async function watchTicker(
  session: Session,
  watch: { readonly market: MarketReference; readonly onTicker: (ticker: Ticker) => void },
): Promise<Watch> {
  const market = marketIdOf(session, watch.market);
  const { release } = await hold(
    session,
    { channel: 'ticker', market },
    () => new TickerReader(),
    (reader) => {
      if (reader.latest !== undefined) watch.onTicker(reader.latest);
      return [reader.tickers.add(watch.onTicker)];
    },
  );
  return { close: release };
}

/** Active, reduce-only, halted: changes of every market. */
export async function watchMarketStatus(
  session: Session,
  watch: { readonly onStatus: (status: MarketStatusEvent) => void },
): Promise<Watch> {
  const { release } = await hold(
    session,
    { channel: 'status' },
    () => new StatusReader(),
    (reader) => [reader.statuses.add(watch.onStatus)],
  );
  return { close: release };
}
