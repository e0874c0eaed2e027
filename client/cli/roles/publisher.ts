/** `sluice publisher`: signs prices with one or more publisher keys and reports them to the sequencer. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { MarketConfig } from '#protocol/market.ts';
import { SluiceClient } from '../../client.ts';
import { type HttpFeed, HttpSource, SCALE_MAX } from '../../publisher/http-source.ts';
import { firstOf, fixedSource, medianOf, type PriceSource } from '../../publisher/price-source.ts';
import { randomWalk } from '../../publisher/random-walk.ts';
import { parseSeries, recordedSeries } from '../../publisher/recorded-series.ts';
import { runPublishers } from '../../publisher/run-publishers.ts';
import { type KeySigner, keySigner } from '../../signer.ts';
import { parsePrice } from '../../units.ts';
import { untilStopped } from '../connect.ts';
import { DEVELOPMENT_CHAIN_ID, developmentPublisherKeys } from '../development-keys.ts';
import { UsageError } from '../failure.ts';
import {
  type ConnectionOptions,
  collect,
  duration,
  whole,
  withConnection,
  withExamples,
} from '../options.ts';
import { printLine } from '../output.ts';

interface PublisherRoleOptions extends ConnectionOptions {
  readonly keyFile?: readonly string[];
  readonly source: 'walk' | 'recorded' | 'fixed' | 'http';
  readonly price?: readonly string[];
  readonly series?: readonly string[];
  readonly feed?: readonly string[];
  readonly poll: number;
  readonly timeout: number;
  readonly maxAge: number;
  readonly speed: number;
  readonly seed: number;
  readonly interval: number;
}

export const publisherCommand = (): Command =>
  withExamples(
    withConnection(
      new Command('publisher')
        .description('report signed prices to the sequencer, one publisher for each key')
        .addOption(
          new Option(
            '--key-file <paths...>',
            'files that hold publisher keys, one each; also keys in SLUICE_PUBLISHER_KEYS, comma-separated (default on chain 31337: development keys 4 to 8)',
          ),
        )
        .addOption(
          new Option('--source <kind>', 'where prices come from')
            .choices(['walk', 'recorded', 'fixed', 'http'])
            .default('walk'),
        )
        .addOption(
          new Option(
            '--price <symbol=price>',
            'start price of the walk, or the fixed price; repeat it per market',
          ).argParser(collect),
        )
        .addOption(
          new Option('--series <symbol=file>', 'CSV of --source recorded; repeat it per market').argParser(
            collect,
          ),
        )
        .addOption(
          new Option(
            '--feed <symbol=url#path>',
            'JSON document of --source http and the dotted path of the price in it, with ",n" behind where it counts in 10^n; repeat it per market and address: the median of a market\'s feeds is reported while more than half have a price',
          ).argParser(collect),
        )
        .addOption(
          new Option('--poll <duration>', 'between two questions to a feed')
            .argParser(duration)
            .default(1_000, '1s'),
        )
        .addOption(
          new Option('--timeout <duration>', 'how long a feed may take to answer')
            .argParser(duration)
            .default(2_000, '2s'),
        )
        .addOption(
          new Option('--max-age <duration>', "how long a feed's price holds without another")
            .argParser(duration)
            .default(5_000, '5s'),
        )
        .addOption(
          new Option('--speed <n>', 'how many times as fast as it was recorded')
            .argParser(whole(1, 1_000_000))
            .default(1),
        )
        .addOption(
          new Option('--seed <n>', 'seed of the walk; the same in all publishers')
            .argParser(whole(0, 2 ** 32 - 1))
            .default(1),
        )
        .addOption(
          new Option('--interval <duration>', 'between reports').argParser(duration).default(500, '500ms'),
        ),
    ),
    'sluice publisher --price BTC-PERP=64000 --price ETH-PERP=3200',
    'sluice publisher --key-file pub0.key --source recorded --series BTC-PERP=btc.csv',
    'sluice publisher --source fixed --price BTC-PERP=64000 --interval 1s',
    'sluice publisher --key-file pub0.key --source http --feed BTC-PERP=https://a.example/ticker#data.price --feed BTC-PERP=https://b.example/btc#last',
  ).action(async (options: PublisherRoleOptions) => {
    const { markets, signers } = await lookAround(options);
    const { source, stop } = sourceOf(options, markets);
    const running = await runPublishers({
      url: options.url,
      signers,
      source,
      intervalMs: options.interval,
      markets: markets.map((market) => market.market),
      onTrouble: (error, place) =>
        printLine(
          options,
          { kind: 'trouble', publisher: place, code: error.code, message: error.message },
          () => `publisher ${place}: ${error.code}: ${error.message}`,
        ),
    });
    printLine(
      options,
      {
        kind: 'publishing',
        publishers: running.publishers.map((one) => one.index),
        markets: markets.map((one) => one.symbol),
      },
      () =>
        `${signers.length} publishers report ${markets.map((market) => market.symbol).join(', ')}; Ctrl-C ends`,
    );
    await untilStopped();
    const totals = running.totals();
    await running.stop();
    stop();
    printLine(
      options,
      { kind: 'stopped', ...totals },
      () => `${totals.taken} of ${totals.sent} reports taken`,
    );
  });

/** The markets that prices are known for, and the keys. */
async function lookAround(
  options: PublisherRoleOptions,
): Promise<{ markets: MarketConfig[]; signers: KeySigner[] }> {
  const client = await SluiceClient.connect({ url: options.url, reconnect: false });
  try {
    const all = [...(await client.loadMarkets())];
    const named =
      (options.source === 'recorded'
        ? options.series
        : options.source === 'http'
          ? options.feed
          : options.price) ?? [];
    const markets =
      named.length === 0 && options.source === 'walk'
        ? all
        : [...new Set(named.map((text) => client.market(split(text)[0])))];
    if (markets.length === 0)
      throw new UsageError(
        {
          recorded: '--series: expected SYMBOL=FILE at least once, got none',
          http: '--feed: expected SYMBOL=URL#PATH at least once, got none',
          fixed: '--price: expected SYMBOL=PRICE at least once, got none',
          walk: 'markets: expected at least one, got none',
        }[options.source],
      );
    return { markets, signers: keysOf(options, client.hello.chainId).map((key) => keySigner(key)) };
  } finally {
    await client.close();
  }
}

function keysOf(options: PublisherRoleOptions, chainId: number): string[] {
  const keys = (options.keyFile ?? []).map((path) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch (cause) {
      throw new UsageError(`key file ${path}: ${(cause as Error).message}`, { cause });
    }
  });
  const fromEnvironment = process.env.SLUICE_PUBLISHER_KEYS?.split(',').filter((key) => key !== '') ?? [];
  if (keys.length > 0 || fromEnvironment.length > 0) return [...keys, ...fromEnvironment];
  if (chainId === DEVELOPMENT_CHAIN_ID) return developmentPublisherKeys();
  throw new UsageError(
    `publisher keys: expected --key-file or SLUICE_PUBLISHER_KEYS on chain ${chainId}, got none`,
  );
}

function split(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1)
    throw new UsageError(`expected SYMBOL=VALUE, got ${JSON.stringify(text)}`);
  return [text.slice(0, at).toUpperCase(), text.slice(at + 1)];
}

/** `SYMBOL=URL#PATH` or `SYMBOL=URL#PATH,SCALE`. */
function feedOf(text: string, bySymbol: ReadonlyMap<string, MarketConfig>): HttpFeed {
  const [symbol, address] = split(text);
  const match = /^(https?:\/\/[^#]+)#([^,#]+)(?:,(-?\d{1,2}))?$/.exec(address);
  const scale = Number(match?.[3] ?? 0);
  if (match === null || Math.abs(scale) > SCALE_MAX)
    throw new UsageError(
      `--feed: expected SYMBOL=URL#PATH with a scale of ±${SCALE_MAX} at most, got ${JSON.stringify(text)}`,
    );
  return { market: bySymbol.get(symbol)!, url: match[1]!, path: match[2]!.split('.'), scale };
}

/** One question at a time for each feed, whatever the number of publishers. */
function httpSource(
  options: PublisherRoleOptions,
  bySymbol: ReadonlyMap<string, MarketConfig>,
): { source: PriceSource; stop: () => void } {
  const { poll: pollMs, timeout: timeoutMs, maxAge: maxAgeMs } = options;
  const onTrouble = (error: { code: string; message: string }): void =>
    printLine(
      options,
      { kind: 'trouble', code: error.code, message: error.message },
      () => `${error.code}: ${error.message}`,
    );
  const ofMarket = new Map<number, HttpSource[]>();
  for (const text of options.feed ?? []) {
    const feed = feedOf(text, bySymbol);
    const { market } = feed.market;
    const source = HttpSource.start({ feed, pollMs, timeoutMs, maxAgeMs, onTrouble });
    ofMarket.set(market, [...(ofMarket.get(market) ?? []), source]);
  }
  const all = [...ofMarket.values()];
  return {
    source: firstOf(all.map(medianOf)),
    stop: () => {
      for (const source of all.flat()) source.stop();
    },
  };
}

function sourceOf(
  options: PublisherRoleOptions,
  markets: readonly MarketConfig[],
): { source: (place: number) => PriceSource; stop: () => void } {
  if (options.source === 'http') {
    const { source, stop } = httpSource(options, new Map(markets.map((market) => [market.symbol, market])));
    return { source: () => source, stop };
  }
  return { source: ownSource(options, markets), stop: () => {} };
}

/** Of prices that nobody has to be asked for. */
function ownSource(
  options: PublisherRoleOptions,
  markets: readonly MarketConfig[],
): (place: number) => PriceSource {
  const bySymbol = new Map(markets.map((market) => [market.symbol, market]));
  if (options.source === 'recorded') {
    const startMs = Date.now();
    const series = new Map(
      (options.series ?? []).map((text) => {
        const [symbol, file] = split(text);
        const market = bySymbol.get(symbol)!;
        let csv: string;
        try {
          csv = readFileSync(file, 'utf8');
        } catch (cause) {
          throw new UsageError(`series ${file}: ${(cause as Error).message}`, { cause });
        }
        return [market.market, parseSeries(csv, market)] as const;
      }),
    );
    return () => recordedSeries(series, { startMs, speed: options.speed });
  }
  const prices = new Map(
    (options.price ?? []).map((text) => {
      const [symbol, price] = split(text);
      const market = bySymbol.get(symbol)!;
      return [market.market, parsePrice(market, price)] as const;
    }),
  );
  if (options.source === 'fixed')
    return () =>
      fixedSource(new Map([...prices].map(([market, price]) => [market, { price, confidence: 1 }])));
  // A market without a named price starts at a hundredth of what it can bear, which every market has.
  const startPrices = new Map(
    markets.map((market) => [
      market.market,
      prices.get(market.market) ?? Math.max(1, Math.floor(market.maxPrice / 100)),
    ]),
  );
  return (place) => randomWalk({ seed: options.seed, startPrices, publisher: place });
}
