/** Episodes of prices that may not do everything: uncertain, unrepeated, volatile; and of what a sample measures. */
import type { MarketConfig } from '#protocol/market.ts';
import { ask, bid, type Episode, type EpisodeSession, IOC } from './episode.ts';

const [RICH, OTHER] = [5, 6];
const GUARD: Partial<MarketConfig> = { deviationPpm: 10_000, confidenceMaxPpm: 2_000 };

/** What every account may try at any price: to open, to reduce, to take money out, to be looked at. */
function tryAll(session: EpisodeSession): void {
  session.send(RICH, [bid(10_000, 1), ask(10_000, 1, IOC), { kind: 'withdraw', asset: 0, amount: 1 }]);
  session.send(OTHER, [{ kind: 'transfer', asset: 0, toAccount: RICH, amount: 1 }]);
  session.evaluate(OTHER);
}

/** Up and down through every turn of the guard, and six times off the average in both directions. */
function guard(session: EpisodeSession): void {
  session.deposit(RICH - 1, 1e12);
  session.deposit(OTHER - 1, 1e12);
  session.market(0, { ...GUARD, maxPrice: 200_000, maxPosition: 100_000, maxOrderSize: 100_000 });
  session.trade(RICH, OTHER, 10_000, 20);
  for (const price of [10_050, 10_500, 10_040, 10_500, 9_500, 10_600, 11_500, 11_510, 10_000, 9_000, 9_010]) {
    session.price(0, price);
    tryAll(session);
  }
  session.price(0, 150_000);
  session.price(0, 160_000);
  tryAll(session);
  session.wait(5_000);
  session.price(0, 250_000);
  session.price(0, 260_000);
  session.wait(3_600_000);
  session.market(0, { ...GUARD, maxPrice: 200_000, maxPosition: 100_000, maxOrderSize: 100_000 });
  session.price(0, 160_000);
  session.price(0, 1_000);
  session.price(0, 900);
  tryAll(session);
  session.wait(5_000);
  session.market(0);
}

/** Five reports 4 ticks apart are uncertain at 100; the guard alone and the confidence alone. */
function uncertain(session: EpisodeSession): void {
  session.deposit(RICH - 1, 1e12);
  session.deposit(OTHER - 1, 1e12);
  session.trade(RICH, OTHER, 10_000, 20);
  session.market(0, { confidenceMaxPpm: 100 });
  session.price(0, 10_000);
  tryAll(session);
  session.wait(5_000);
  session.market(0, { confidenceMaxPpm: 1_000_000, deviationPpm: 1_000_000 });
  session.price(0, 10_000);
  tryAll(session);
  session.market(0);
}

/** Books that end inside and outside 2 %, on one side, on both, of more levels than are walked; open interest between limits. */
function measures(session: EpisodeSession): void {
  session.deposit(RICH - 1, 1e14);
  session.deposit(OTHER - 1, 1e14);
  const limits = { openInterestLower: 1, openInterestUpper: 3 };
  session.market(0, limits);
  session.wait(5_000);
  for (const size of [50, 100, 300]) {
    session.trade(RICH, OTHER, 10_000, size);
    session.price(0, 10_000);
    session.wait(5_000);
  }
  session.send(RICH, [bid(9_900, 500), bid(9_801, 500), bid(9_700, 500)]);
  session.price(0, 10_000);
  session.wait(5_000);
  session.send(OTHER, [ask(10_100, 700), ask(10_204, 700), ask(10_300, 700)]);
  session.price(0, 10_000);
  session.wait(5_000);
  session.send(
    RICH,
    Array.from({ length: 40 }, (_, n) => bid(9_990 - n, 3)),
  );
  session.send(
    OTHER,
    Array.from({ length: 40 }, (_, n) => ask(10_010 + n, 5)),
  );
  session.price(0, 10_000);
  session.wait(5_000);
  // The same without a price that is fresh.
  session.wait(3_600_000);
}

export const ORACLE_EPISODES: readonly Episode[] = [
  { name: 'deviation guard', play: guard },
  { name: 'uncertain prices', play: uncertain },
  { name: 'depth and open interest', play: measures },
];
