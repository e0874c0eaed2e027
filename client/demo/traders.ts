/** The traders of the demo: three market makers and six takers on every market, over connections of their own. */
import type { MarketConfig } from '#protocol/market.ts';
import { SluiceClient } from '../client.ts';
import type { Identity } from '../session.ts';
import { type MakerStyle, MarketMaker } from './market-maker.ts';
import { SeededRandom } from './seeded-random.ts';
import { Taker, type TakerStyle } from './taker.ts';
import type { Tally } from './tally.ts';
import type { MarketBoard, TraderBase } from './trader-base.ts';

/** One narrow and quick, one deep, one that moves a whole ladder of 25 levels a side in one message. */
const MAKERS: readonly MakerStyle[] = [
  { levels: 6, periodMs: 400, halfSpreadPpm: 150, stepPpm: 60, levelQuote: 4_000 },
  { levels: 10, periodMs: 900, halfSpreadPpm: 250, stepPpm: 120, levelQuote: 8_000 },
  { levels: 25, periodMs: 2_500, halfSpreadPpm: 500, stepPpm: 200, levelQuote: 15_000 },
];
const TAKERS: readonly TakerStyle[] = Array.from({ length: 6 }, () => ({
  periodMs: 250,
  orderQuoteMax: 12_000,
}));

export const TRADER_COUNT = MAKERS.length + TAKERS.length;
/** q for each: a million. */
export const TRADER_FUNDING = 1_000_000_000_000;

export interface RunningTraders {
  /** No order after this; resolves when the last one was answered and all quotes are withdrawn. */
  stop(): Promise<void>;
}

/** Connects and starts them all; `identities`: TRADER_COUNT accounts with money. */
export async function startTraders(options: {
  readonly url: string;
  readonly identities: readonly Identity[];
  readonly seed: number;
  readonly tally: Tally;
}): Promise<RunningTraders> {
  const { url, identities, seed, tally } = options;
  const clients: SluiceClient[] = [];
  const connect = async (identity?: Identity): Promise<SluiceClient> => {
    const client = await SluiceClient.connect({ url, ...identity });
    clients.push(client);
    await client.loadMarkets();
    return client;
  };
  const traders: TraderBase[] = [];
  const stop = async (): Promise<void> => {
    await Promise.allSettled(traders.map((trader) => trader.stop()));
    await Promise.all(clients.map((client) => client.close()));
  };
  try {
    const watcher = await connect();
    const board = await followMarkets(watcher, tally);
    for (const [place, style] of [...MAKERS, ...TAKERS].entries()) {
      const client = await connect(identities[place]!);
      const common = { board, tally, random: new SeededRandom(seed, `trader ${place}`) };
      traders.push(
        'levels' in style
          ? new MarketMaker(client, { ...common, style })
          : new Taker(client, { ...common, style }),
      );
    }
    await Promise.all(traders.map((trader) => trader.start()));
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function followMarkets(watcher: SluiceClient, tally: Tally): Promise<MarketBoard> {
  const markets: readonly MarketConfig[] = (await watcher.markets()).map(({ config }) => config);
  const index = new Map<number, number>();
  for (const { market } of markets) {
    await watcher.watchTicker({
      market,
      onTicker: (ticker) => index.set(market, ticker.indexVoid ? 0 : ticker.indexPrice),
    });
    await watcher.watchTrades({
      market,
      onTrade: () => {
        tally.fills++;
      },
    });
  }
  return { markets, indexOf: (market) => index.get(market) ?? 0 };
}
