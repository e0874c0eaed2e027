/** Episodes of what an account may risk: isolated accounts, risk pools, feeds, own leverage, capped profit. */
import { FEED_ONLY, ISOLATED_ONLY } from '#protocol/market.ts';
import type { Operation } from '#protocol/operation.ts';
import { amend, ask, bid, type Episode, type EpisodeSession, IOC } from './episode.ts';

const [MAKER, TAKER] = [5, 6];
/** Accounts are made in order: six of the traders, two more of theirs. */
const FIRST = 9;

const leverage = (market: number, initialPpm: number): Operation => ({
  kind: 'set-leverage',
  market,
  initialPpm,
});
const margin = (toAccount: number, amount: number): Operation => ({
  kind: 'transfer',
  asset: 0,
  toAccount,
  amount,
});

function isolated(session: EpisodeSession): void {
  session.market(1, { riskPool: 7 });
  session.market(2, { flags: ISOLATED_ONLY });
  session.market(3, { flags: FEED_ONLY });
  session.send(MAKER, [
    { kind: 'isolate', subaccount: 5, market: 0 },
    { kind: 'isolate', subaccount: 5, market: 0 },
    { kind: 'isolate', subaccount: 6, market: 2 },
    { kind: 'isolate', subaccount: 7, riskPool: 7 },
    { kind: 'isolate', subaccount: 0, riskPool: 0 },
    { kind: 'isolate', subaccount: 8, market: 9 },
    { kind: 'isolate', subaccount: 8, market: 3 },
    margin(FIRST, 1_000_000),
    margin(FIRST + 1, 1_000_000),
    margin(FIRST + 2, 1_000_000),
  ]);
  // Each in its own market, and in those that are not.
  for (const account of [MAKER, FIRST, FIRST + 1, FIRST + 2])
    session.send(account, [
      ...[0, 1, 2, 3].map((market) => bid(9_000, 1, { market, clientId: market + 1 })),
      bid(9_000, 1, { market: 3, reduceOnly: true }),
      ...[0, 1, 2, 3, 9].map((market) => leverage(market, 300_000)),
    ]);
  session.trade(FIRST, TAKER, 10_000, 30);
  session.send(FIRST, [margin(MAKER, 999_999), margin(MAKER, 100_000)]);
  session.deposit(MAKER - 1, 5_000, 5);
  // Markets that change keep what rests; it may shrink, and what is held may be reduced.
  session.market(0, { riskPool: 3 });
  session.send(MAKER, [bid(9_100, 20, { clientId: 9 })]);
  session.send(FIRST, [amend(1, 8_900, 1), ask(10_000, 5, { reduceOnly: true, clientId: 4 })]);
  session.send(FIRST, [amend(4, 10_001, 5), ask(10_000, 5), { kind: 'cancel-all' }]);
  session.market(0);
  session.send(MAKER, [bid(9_100, 20, { clientId: 9 })]);
  session.market(0, { flags: ISOLATED_ONLY });
  session.send(MAKER, [amend(9, 9_100, 10), amend(9, 9_100, 30), amend(9, 9_200, 10)]);
}

function leverages(session: EpisodeSession): void {
  session.trade(MAKER, TAKER, 10_000, 100);
  const poor = 1;
  session.trade(poor, TAKER, 10_000, 40_000);
  session.send(poor, [
    leverage(0, 10_000),
    leverage(0, 1_000_000),
    leverage(0, 1_000_001),
    leverage(0, 30_000),
    bid(10_000, 30_000),
    leverage(0, 0),
  ]);
  session.price(0, 9_600);
  session.send(poor, [leverage(0, 20_000), leverage(0, 900_000), leverage(1, 900_000), leverage(1, 0)]);
  session.send(MAKER, [leverage(0, 500_000), ask(9_600, 100, IOC), leverage(0, 0), leverage(2, 0)]);
  // Sixteen settings are sixteen records.
  for (let market = 3; market < 18; market++) session.market(market);
  session.send(
    TAKER,
    Array.from({ length: 17 }, (_, market) => leverage(market, 200_000)),
  );
  session.send(TAKER, [bid(9_600, 1, { market: 17 }), leverage(3, 0), leverage(17, 1)]);
}

/** Profit beyond the cap neither opens positions nor leaves. */
function capped(session: EpisodeSession): void {
  session.market(0, { profitCap: 1 });
  const poor = 1;
  session.trade(poor, TAKER, 10_000, 50_000);
  for (const price of [10_010, 10_500]) {
    session.price(0, price);
    session.send(poor, [bid(10_500, 60_000, IOC), { kind: 'withdraw', asset: 0, amount: 15_000_000 }]);
  }
}

/** A small market that is crowded: margin rises with open interest, and with what the book does not hold. */
function crowded(session: EpisodeSession): void {
  session.market(0, { openInterestLower: 100, openInterestUpper: 2_000, concentrationPpm: 1_000_000 });
  const poor = 1;
  session.send(TAKER, [bid(9_990, 30_000), ask(10_010, 30_000)]);
  for (const size of [10_000, 20_000, 30_000]) {
    session.trade(poor, MAKER, 10_000, size);
    session.wait(5_000);
    session.price(0, 10_000);
    session.send(poor, [
      bid(9_999, 60_000, IOC),
      { kind: 'withdraw', asset: 0, amount: 40_000_000 },
      leverage(0, 400_000),
    ]);
  }
}

export const ISOLATION_EPISODES: readonly Episode[] = [
  { name: 'isolated accounts and risk pools', play: isolated },
  { name: 'own leverage', play: leverages },
  { name: 'capped profit', play: capped },
  { name: 'a crowded market', play: crowded },
];
