/** Episodes of the liquidation waterfall. */
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

export const LIQUIDATION_EPISODES: readonly Episode[] = [{ name: 'waterfall', play: waterfall }];
