/**
 * A real market's order flow through the engine alone: every take fills exactly as the exchange recorded it, and
 * the end book is the recorded one, queue places included. Runs where the recording is there.
 */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { REPLAY_CHAIN, REPLAY_MARKET, replayFunding, replayMarket } from '#client/demo/markets.ts';
import {
  numberQueues,
  type RecordedFill,
  type RecordedOrder,
  readRecording,
} from '#client/demo/recording.ts';
import { compareReplay, type ReplayVerdict } from '#client/demo/replay-compare.ts';
import { planReplay } from '#client/demo/replay-plan.ts';
import type { Side } from '#protocol/units.ts';
import { TestExchange } from '#test/support/exchange.ts';
import { checkInvariants } from '#test/support/invariants.ts';

const FILE = '../shared/data/es-open30/es_replay.csv';

function restingOrders(exchange: TestExchange): RecordedOrder[] {
  const { state } = exchange;
  const found: Omit<RecordedOrder, 'queuePos'>[] = [];
  for (const side of [0, 1] as Side[]) {
    const book = state.markets[REPLAY_MARKET]!.book(side);
    for (let n = 0; n < book.depth; n++)
      for (let slot = state.levels.head(book.levelAt(n)); slot >= 0; slot = state.orders.next(slot))
        found.push({
          side,
          price: book.priceAt(n),
          id: state.orders.clientId(slot),
          size: state.orders.size(slot),
        });
  }
  return numberQueues(found);
}

describe.runIf(existsSync(FILE))('the recorded E-mini opening', () => {
  let verdict: ReplayVerdict;
  let fills: RecordedFill[];
  let recordedTakes: number;
  const refused: string[] = [];
  const exchange: { current?: TestExchange } = {};

  beforeAll(async () => {
    const recording = await readRecording(FILE);
    const plan = planReplay(recording.rows, { market: REPLAY_MARKET });
    const market = replayMarket(plan);
    const ex = new TestExchange({ markets: [market], chain: REPLAY_CHAIN, checkInvariants: false });
    exchange.current = ex;
    const funding = replayFunding(plan, market);
    const accounts = Array.from({ length: plan.accounts }, (_, n) => ex.deposit(n + 1, funding));
    ex.price(REPLAY_MARKET, recording.rows[0]!.price);
    const begin = ex.now;
    const beginNs = BigInt(recording.rows[0]!.timeNs);
    fills = [];
    recordedTakes = 0;
    plan.operations.forEach(({ sender, operation }, i) => {
      const row = recording.rows[i]!;
      if (row.op === 'take') recordedTakes++;
      ex.now = begin + Number((BigInt(row.timeNs) - beginNs) / 1_000_000n);
      for (const event of ex.send(accounts[sender]!, operation)) {
        if (event.event === 'OPERATION_RESULT' && event.code !== 0)
          refused.push(`row ${i + 1}: code ${event.code}`);
        if (event.event === 'TRADE')
          fills.push({
            timeNs: row.timeNs,
            takeId: event.takerClientId as number,
            restingId: event.makerClientId as number,
            price: event.price as number,
            size: event.size as number,
          });
      }
      if (i % 1_000 === 999 && fills.length > 0) ex.price(REPLAY_MARKET, fills.at(-1)!.price);
    });
    verdict = compareReplay(recordedTakes, { fills, book: restingOrders(ex) }, recording);
  });

  test('no row is refused', () => {
    expect(refused).toEqual([]);
  });

  test('all takes fill as recorded', () => {
    expect(verdict.differences).toEqual([]);
    expect(recordedTakes).toBe(1_794);
    expect(verdict.takesEqual).toBe(1_794);
    expect(fills.length).toBe(3_408);
  });

  test('the end book is the recorded one', () => {
    expect(verdict.bookEqual).toBe(true);
  });

  test('money is conserved and the invariants hold at the end', () => {
    checkInvariants(exchange.current!.state, exchange.current!.deposited);
  });
});

if (!existsSync(FILE))
  test(`the recorded E-mini opening is not replayed: ${FILE} is not there`, () => {
    expect(existsSync(FILE)).toBe(false);
  });
