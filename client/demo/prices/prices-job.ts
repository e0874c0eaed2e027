/** A price replay: recorded prices, makers who follow them, and many leveraged accounts that live through them. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SluiceClient } from '../../client.ts';
import { keySigner } from '../../signer.ts';
import type { DemoOptions } from '../flags.ts';
import type { Job } from '../job.ts';
import { PRICES_CHAIN, PRICES_TICK_E9, pricesMarket } from '../markets.ts';
import { htmlPage } from './html-report.ts';
import { LadderMaker } from './maker.ts';
import { population } from './population.ts';
import type { PricePoint } from './series.ts';
import { LeveragedTrader } from './trader.ts';
import { Venue } from './venue.ts';

const MAKERS = 1;
const MAKER_FUNDING = 20_000_000_000_000;
/** q of each of a maker's ten orders, for each account: together a small part of the open interest. */
const LEVEL_QUOTE_PER_ACCOUNT = 10_000_000;
/** The ladders come back at the latest after so many rows. */
const ROWS_MAX = 10;
const DAY_MS = 86_400_000;
/** Rows between two points of the page's lines; recorded series have a row a minute. */
const HOUR_ROWS = 60;
/** L1's clock stays so far ahead of the replay's: a batch may not come from the future. */
const L1_AHEAD_SECONDS = 86_400;
const L1_STEP_SECONDS = 3_600;

const quoteOf = (ticks: number): number => (ticks * PRICES_TICK_E9) / 1e9;
/** r.json → r.html. */
const pageBeside = (report: string): string => `${report.replace(/\.json$/, '')}.html`;

export function pricesJob(
  options: DemoOptions,
  points: readonly PricePoint[],
  publisherKeys: () => readonly string[],
): Job {
  const { accounts, seed } = options;
  const market = pricesMarket(Math.max(...points.map(({ price }) => price)));
  const plans = population(accounts, points.length, seed);
  const first = points[0]!;
  const last = points.at(-1)!;
  return {
    kind: 'prices',
    title: `Sluice: ${path.basename(options.replayPrices!)}, ${points.length} rows, ${accounts} accounts, seed ${seed}`,
    chain: PRICES_CHAIN,
    markets: [market],
    accounts: MAKERS + accounts,
    funding: [...Array<number>(MAKERS).fill(MAKER_FUNDING), ...plans.map(({ funding }) => funding)],
    withdrawShare: 0,
    clockStartMs: first.timeMs,
    l1StartSeconds: Math.floor(first.timeMs / 1_000) + L1_AHEAD_SECONDS,
    async run({ supervisor, identities, tally, signal, say }) {
      const client = await SluiceClient.connect({ url: supervisor.url, reconnect: false });
      try {
        const publishers = publisherKeys().map((key) => keySigner(key));
        const venue = new Venue({ client, publishers, validUntil: last.timeMs + DAY_MS, tally });
        const levelQuote = LEVEL_QUOTE_PER_ACCOUNT * accounts;
        const makers = identities
          .slice(0, MAKERS)
          .map((identity) => new LadderMaker(venue, { identity, market, levelQuote }));
        const agenda = new Map<number, LeveragedTrader[]>();
        const enroll = (row: number, trader: LeveragedTrader): void => {
          const others = agenda.get(row);
          if (others === undefined) agenda.set(row, [trader]);
          else others.push(trader);
        };
        plans.forEach((plan, i) => {
          enroll(plan.firstRow, new LeveragedTrader(identities[MAKERS + i]!, plan, market));
        });
        let l1Seconds = 0;
        const indexes: [number, number][] = [];
        const fills: [number, number][] = [];
        for (const [row, { timeMs, price }] of points.entries()) {
          signal.throwIfAborted();
          const elapsed = (timeMs - first.timeMs) / 1_000;
          if (elapsed - l1Seconds >= L1_STEP_SECONDS) {
            await supervisor.advanceL1(elapsed - l1Seconds);
            l1Seconds = elapsed;
          }
          await venue.report(market.market, timeMs, price);
          for (const maker of makers) await maker.follow(price, ROWS_MAX);
          for (const trader of agenda.get(row) ?? []) {
            const pause = await trader.act(venue, price);
            if (pause !== undefined) enroll(row + Math.max(1, pause), trader);
          }
          agenda.delete(row);
          if (row % HOUR_ROWS === 0) {
            indexes.push([timeMs, quoteOf(price)]);
            fills.push([timeMs, tally.fills]);
          }
          if (row % HOUR_ROWS === 0) say(`row ${row} of ${points.length}`);
        }
        if (options.report !== undefined)
          await writeFile(
            pageBeside(options.report),
            htmlPage({
              title: this.title,
              rows: [
                ['fills', String(tally.fills)],
                ...[...venue.refusals].map(([code, times]) => [`refused: ${code}`, String(times)] as const),
              ],
              charts: [
                { title: 'index price', unit: 'quote', lines: [{ name: market.symbol, points: indexes }] },
                { title: 'fills so far', unit: 'fills', lines: [{ name: market.symbol, points: fills }] },
              ],
            }),
          );
        return { replay: undefined };
      } finally {
        await client.close();
      }
    },
  };
}
