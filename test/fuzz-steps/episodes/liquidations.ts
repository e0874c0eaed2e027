/** Episodes of the liquidation waterfall. */
import { zeroPrice } from '#engine/risk/liquidation.ts';
import { liquidatedPosition } from '#engine/risk/slice.ts';
import type { ChainParameters } from '#protocol/market.ts';
import * as queue from '#protocol/queue-entry.ts';
import { ask, bid, type Episode, type EpisodeSession, NOBODY } from './episode.ts';

const [POOR, RICH] = [1, 5];
const START = 10_000;

/** POOR is long 9,000 lots with 20 quote of its own: M is about 0.85 and V 0.72 at an index of 7,863. */
function leveraged(session: EpisodeSession): void {
  session.chain({ voidMs: 3_600_000, bookPhaseMs: 1_000 });
  session.trade(POOR, RICH, START, 9_000);
}

/** Every phase is entered and left, by records and through the queue. */
function waterfall(session: EpisodeSession): void {
  const entry = (payload: Uint8Array): void =>
    session.enqueue(queue.QUEUE_EVALUATE_LIQUIDATION, NOBODY, payload);
  const forced = (account: number): void => entry(queue.encodeEvaluatePayload(account));
  leveraged(session);
  session.evaluate(POOR);
  entry(Uint8Array.of(1));
  forced(99);
  session.send(POOR, [ask(12_000, 10), ask(12_001, 10), bid(8_000, 1, { market: 1 })]);
  // Between close-out and maintenance margin: restricted, on the book, ended by a better price.
  session.price(0, 7_861);
  session.evaluate(POOR);
  session.send(POOR, [
    ask(12_000, 1),
    ask(12_000, 1, { reduceOnly: true }),
    { kind: 'withdraw', asset: 0, amount: 1 },
    { kind: 'transfer', asset: 0, toAccount: RICH, amount: 1 },
  ]);
  session.enqueue(
    queue.QUEUE_WITHDRAW,
    session.owner(POOR - 1),
    queue.encodeMoneyPayload({ asset: 0, subaccount: 0, amount: 1 }),
  );
  session.evaluate(POOR);
  session.evaluate(POOR);
  session.price(0, START);
  forced(POOR);
  // On the book until its time is over, then in the auction, from which a deposit leads out.
  session.price(0, 7_861);
  for (let n = 0; n < 3; n++) forced(POOR);
  session.now += 1_000;
  session.evaluate(POOR);
  session.evaluate(POOR);
  session.deposit(POOR - 1, 10_000_000);
  session.evaluate(POOR);
  // Below close-out at once, and from the book.
  session.price(0, 6_700);
  session.evaluate(POOR);
  session.evaluate(POOR);
  session.price(0, START);
  session.evaluate(POOR);
  session.wait(3_600_001);
  session.evaluate(POOR);
}

const TIERED = {
  tiers: [
    { lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 },
    { lower: 40, initialPpm: 40_000, maintenancePpm: 24_000 },
  ],
};

/** POOR is long 9,000 lots where margin rises at 40 quote: at an index of 7,910 V is 1.145 quote and M 1.229. */
function tiered(session: EpisodeSession, chain: Partial<ChainParameters>): void {
  session.chain({ voidMs: 3_600_000, bookPhaseMs: 100_000, sampleIntervalMs: 3_600_000, ...chain });
  session.market(0, TIERED);
  session.trade(POOR, RICH, START, 9_000);
}

/** Slices that fill, that come too soon, that find no bid, or a market that is halted; the buffer is reached by one. */
function slices(session: EpisodeSession): void {
  tiered(session, { sliceNotional: 50 });
  session.send(RICH, [
    bid(7_910, 100),
    bid(7_905, 100, { clientId: 1 }),
    bid(7_905, 100, { timeInForce: 1, expiry: session.now + 9e6 }),
    bid(7_800, 100),
  ]);
  session.price(0, 7_908);
  for (let n = 0; n < 3; n++) session.evaluate(POOR);
  session.now += 500;
  session.market(0, { ...TIERED, status: 2 });
  session.evaluate(POOR);
  session.market(0, TIERED);
  session.evaluate(POOR);
  session.now += 30_000;
  session.send(RICH, [bid(7_900, 1_000), bid(7_900, 50_000)]);
  session.evaluate(POOR);
  session.evaluate(POOR);
}

/** A fill at the zero price moves that price nearer to the mark when the dearer tier goes first; fees of nothing. */
function zeroPrices(session: EpisodeSession): void {
  tiered(session, { sliceNotional: 1_000, liquidationFeePpm: 0 });
  session.market(1, { tiers: [{ lower: 0, initialPpm: 60_000, maintenancePpm: 40_000 }] });
  session.trade(POOR, RICH, START, 300, 1);
  session.deposit(POOR - 1, 1_000_000);
  session.price(0, 7_908);
  for (let n = 0; n < 2; n++) session.evaluate(POOR);
  session.now += 20_000;
  const price = zeroPriceOf(session, POOR, 0);
  session.send(RICH, [bid(price, 3_000), bid(price, 3_000)]);
  session.evaluate(POOR);
}

function zeroPriceOf({ engine, state }: EpisodeSession, account: number, market: number): number {
  const slot = state.findPosition(account, market);
  return zeroPrice(liquidatedPosition(state, slot, engine.risk.margin(account)));
}

/** A short in a market of little depth: slices of a second's flow, one after the other. */
function paced(session: EpisodeSession): void {
  session.chain({ voidMs: 3_600_000, bookPhaseMs: 100_000, sampleIntervalMs: 60_000 });
  session.trade(RICH, POOR, START, 9_000);
  session.price(0, 12_111);
  session.send(RICH, [bid(12_110, 900), ask(12_116, 900)]);
  session.now += 60_000;
  session.price(0, 12_111);
  for (let n = 0; n < 4; n++) session.evaluate(POOR);
  session.now += 600;
  session.evaluate(POOR);
  session.now += 600;
  session.evaluate(POOR);
}

export const LIQUIDATION_EPISODES: readonly Episode[] = [
  { name: 'waterfall', play: waterfall },
  { name: 'slices', play: slices },
  { name: 'zero prices', play: zeroPrices },
  { name: 'paced slices', play: paced },
];
