/** Episodes of orders: every reason to refuse one, amendments, self-trades, orders that only reduce, full accounts. */
import type { Operation } from '#protocol/operation.ts';
import * as queue from '#protocol/queue-entry.ts';
import { amend, ask, bid, type Episode, type EpisodeSession, IOC } from './episode.ts';

const [MAKER, TAKER] = [5, 6];
const FOK = { timeInForce: 3 } as const;
const HALTED = 2;
const REDUCE_ONLY = 1;

function refusedOrders(session: EpisodeSession): void {
  const { now } = session;
  session.send(MAKER, [
    bid(9_900, 1, { market: 95 }),
    bid(9_900, 1, { marketOrder: true }),
    bid(9_900, 1, { postOnly: true, ...IOC }),
    bid(0, 1),
    bid(20_001, 1),
    bid(9_900, 0),
    bid(9_900, 1_000_001),
    bid(9_900, 1, { timeInForce: 1, expiry: now }),
    bid(9_900, 1, { expiry: now + 1 }),
    bid(9_900, 1, { clientId: 1 }),
    bid(9_900, 1, { clientId: 1 }),
    bid(9_900, 1, FOK),
    bid(9_900, 1, { reduceOnly: true }),
    { kind: 'cancel', market: 0, by: 'client', id: 7 },
    { kind: 'cancel', market: 95, by: 'client', id: 7 },
    { kind: 'cancel-all', market: 95 },
  ]);
  session.send(TAKER, [bid(10_000, 1_000_000, { market: 2 }), bid(9_000, 1, { market: 1, postOnly: true })]);
  session.send(TAKER, [ask(9_890, 1, { postOnly: true })]);
  session.market(0, { maxOpenInterest: 50, minNotional: 50_000 });
  session.send(MAKER, [bid(9_000, 5)]);
  session.trade(MAKER, TAKER, 10_000, 40);
  session.send(TAKER, [ask(10_050, 11)]);
  session.market(0, { maxPosition: 5_000, maxOrderSize: 5_000, bandPpm: 100_000 });
  session.send(MAKER, [bid(9_900, 5_000), bid(9_900, 1), bid(8_000, 1), bid(12_000, 1)]);
  for (const status of [REDUCE_ONLY, HALTED] as const) {
    session.market(0, { status });
    session.send(MAKER, [bid(9_900, 1)]);
  }
  session.chain({ openOrdersMax: 2 });
  session.send(MAKER, [
    bid(9_000, 1, { market: 1 }),
    bid(9_000, 1, { market: 1 }),
    bid(9_000, 1, { market: 1 }),
  ]);
}

function amendments(session: EpisodeSession): void {
  session.send(TAKER, [ask(10_050, 100, { clientId: 9 })]);
  session.send(MAKER, [
    bid(9_900, 100, { clientId: 1 }),
    amend(1, 9_900, 100),
    amend(1, 9_900, 40),
    amend(1, 9_890, 50),
    amend(1, 9_890, 60),
    amend(1, 9_890, 60, 95),
    amend(1, 0, 60),
    amend(1, 20_001, 60),
    amend(1, 9_890, 0),
    amend(1, 9_890, 1_000_001),
    amend(77, 9_900, 100),
    amend(0, 9_900, 100),
    bid(9_800, 10, { postOnly: true, clientId: 2 }),
    amend(2, 10_050, 10),
    amend(2, 10_049, 10),
    amend(1, 10_050, 30),
    ask(10_200, 30, { reduceOnly: true, clientId: 3 }),
    amend(3, 10_210, 30),
    amend(3, 10_210, 31),
  ]);
  session.market(0, { minNotional: 5_000_000 });
  session.send(MAKER, [amend(2, 9_850, 1), amend(3, 10_220, 1)]);
  session.market(0, { bandPpm: 2_000 });
  session.send(MAKER, [amend(2, 9_000, 30), amend(2, 10_049, 5)]);
  session.market(0, { status: REDUCE_ONLY });
  session.send(MAKER, [amend(2, 10_030, 3), amend(2, 10_049, 2), amend(3, 10_020, 1), amend(77, 10_000, 1)]);
  session.market(0, { status: HALTED });
  session.send(MAKER, [amend(2, 10_030, 3)]);
}

function selfTrades(session: EpisodeSession): void {
  for (const selfTradePrevention of [0, 1, 2, 3] as const)
    for (const size of [5, 10, 15]) {
      session.send(MAKER, [ask(10_000, 10, { clientId: 1 })]);
      session.send(MAKER, [
        bid(10_000, size, { selfTradePrevention, clientId: 2 }),
        bid(10_000, size, { ...FOK, selfTradePrevention }),
        { kind: 'cancel-all' },
      ]);
    }
  // The first trader's two accounts, the second of which comes after those of the others.
  const other = session.state.accountOf(session.owner(0), 1);
  session.deposit(0, 1_000_000_000, 1);
  session.deposit(0, 1_000_000_000);
  for (const selfTradePrevention of [0, 1, 2, 3] as const)
    for (const size of [5, 10, 15]) {
      session.send(other, [ask(10_000, 10, { clientId: 1 })]);
      session.send(1, [bid(10_000, size, { selfTradePrevention, ...IOC })]);
      session.send(other, [{ kind: 'cancel-all' }]);
    }
}

/** Filled or not by levels on either side, with own orders among them. */
function fillOrKill(session: EpisodeSession): void {
  const levels = [10, 20, 30];
  session.send(
    MAKER,
    levels.map((size, n) => ask(10_010 + n, size)),
  );
  session.send(
    MAKER,
    levels.map((size, n) => bid(9_990 - n, size)),
  );
  session.send(TAKER, [ask(10_011, 5), bid(9_989, 5)]);
  for (const [price, size] of [
    [10_011, 36],
    [10_011, 26],
    [10_012, 35],
  ] as const)
    session.send(TAKER, [bid(price, size, FOK), ask(20_000 - price, size, FOK)]);
  session.trade(MAKER, TAKER, 10_000, 10);
  session.send(TAKER, [
    ask(9_988, 4, { ...FOK, reduceOnly: true }),
    bid(10_012, 4, { ...FOK, reduceOnly: true }),
  ]);
  session.send(MAKER, [ask(9_000, 4, { ...FOK, reduceOnly: true })]);
}

function reducing(session: EpisodeSession): void {
  const force = (trader: number, change: Partial<queue.ReduceOnlyRequest>): void => {
    const request = { market: 0, subaccount: 0, side: 1 as const, price: 0, size: 1, ...change };
    session.enqueue(
      queue.QUEUE_REDUCE_ONLY_IOC,
      session.owner(trader),
      queue.encodeReduceOnlyPayload(request),
    );
  };
  // More than there is to reduce: the rest meets the next order, and goes.
  session.trade(MAKER, TAKER, 10_000, 100);
  session.send(TAKER, [bid(9_990, 60), bid(9_980, 60), bid(9_970, 60)]);
  session.send(MAKER, [ask(9_900, 150, { ...IOC, reduceOnly: true })]);
  // A resting order whose position goes, and turns, before it is met.
  for (const sold of [100, 130]) {
    session.trade(MAKER, TAKER, 10_000, 100);
    session.send(MAKER, [ask(10_050, 100, { reduceOnly: true })]);
    session.send(TAKER, [bid(9_990, sold)]);
    session.send(MAKER, [ask(9_990, sold, IOC)]);
    session.send(TAKER, [bid(10_060, 10, IOC)]);
    session.send(MAKER, [bid(10_100, 30, IOC), { kind: 'cancel-all' }]);
  }
  session.send(TAKER, [{ kind: 'cancel-all' }]);
  // A resting order that reduces, and trades.
  session.trade(MAKER, TAKER, 10_000, 100);
  session.send(MAKER, [ask(10_050, 60, { reduceOnly: true }), ask(10_060, 41, { reduceOnly: true })]);
  session.send(TAKER, [bid(10_060, 10, IOC), bid(10_050, 80, { ...FOK, reduceOnly: true })]);
  // Forced: in one go, in part, beyond what there is, own orders in the way, and for nobody.
  session.send(TAKER, [bid(9_990, 10)]);
  session.send(MAKER, [bid(9_995, 3)]);
  force(4, { size: 20 });
  session.send(TAKER, [bid(9_990, 50)]);
  force(4, { size: 1_000, price: 9_990 });
  force(4, { size: 1_000, price: 9_991 });
  force(5, { side: 0, size: 5 });
  force(5, { side: 0, size: 5, subaccount: 9 });
  force(0, { size: 5 });
}

/** Not enough margin for anything but to reduce, and that at a price that makes it worse. */
function underWater(session: EpisodeSession): void {
  const poor = 1;
  session.send(TAKER, [ask(10_000, 50_000)]);
  session.send(poor, [bid(10_000, 50_000, IOC)]);
  session.price(0, 9_700);
  session.send(MAKER, [bid(9_500, 1_000)]);
  session.send(poor, [ask(9_500, 100, IOC), ask(9_500, 60_000, IOC), bid(9_500, 1_000, IOC)]);
  session.send(MAKER, [bid(9_702, 1_000)]);
  session.send(poor, [ask(9_702, 100, IOC), ask(9_800, 100)]);
  // Short, and as poor: the maker's bid brings it back, though initial margin fails.
  session.send(TAKER, [bid(9_700, 90_000)]);
  session.send(3, [ask(9_700, 90_000, IOC), bid(9_699, 100)]);
  session.price(0, 9_900);
  session.send(TAKER, [ask(9_699, 100, IOC)]);
  session.price(0, 9_700);
  // Without a fresh index there is no margin, and only what reduces may go on.
  session.now += 10_001;
  session.send(MAKER, [bid(9_702, 10)]);
  session.send(poor, [ask(9_702, 10, IOC), bid(9_702, 10)]);
  session.price(0, 9_700);
  // The maker no longer carries what it offered.
  session.send(poor, [bid(9_400, 10), { kind: 'cancel-all' }]);
  session.send(2, [bid(10_000, 100_000)]);
  session.price(0, 9_000);
  session.send(TAKER, [ask(9_400, 90_000, IOC)]);
}

/** Sixteen positions in each of two accounts, over three leaves of prices, and a seventeenth. */
function wide(session: EpisodeSession): void {
  const markets = Array.from({ length: 35 }, (_, market) => market);
  for (const market of markets.slice(3)) session.market(market);
  const some = [...markets.slice(0, 7), ...markets.slice(14, 20), ...markets.slice(31, 35)];
  for (const market of some) session.price(market, 10_000);
  const orders = (side: 0 | 1): Operation[] =>
    some.map((market) => ({ ...(side === 0 ? bid : ask)(10_000, 10, { market }) }));
  session.send(MAKER, orders(0));
  session.send(TAKER, orders(1));
  session.price(33, 10_050);
  session.send(MAKER, [ask(10_000, 5, { market: 33 }), { kind: 'withdraw', asset: 0, amount: 1_000 }]);
  session.send(TAKER, [bid(10_000, 5, { market: 33, ...IOC })]);
  session.send(TAKER, [{ kind: 'transfer', asset: 0, toAccount: 5, amount: 1_000 }, { kind: 'cancel-all' }]);
}

export const ORDER_EPISODES: readonly Episode[] = [
  { name: 'refused orders', play: refusedOrders },
  { name: 'amendments', play: amendments },
  { name: 'self-trades', play: selfTrades },
  { name: 'fill or kill', play: fillOrKill },
  { name: 'orders that reduce', play: reducing },
  { name: 'accounts under water', play: underWater },
  { name: 'sixteen positions', play: wide },
];
