/** A recording through the engine alone, as a replay would send it: for tests. */
import { REPLAY_CHAIN, REPLAY_MARKET, replayFunding, replayMarket } from '#client/demo/markets.ts';
import {
  numberQueues,
  type RecordedFill,
  type RecordedOrder,
  type RecordedRow,
} from '#client/demo/recording.ts';
import { firstPrice } from '#client/demo/replay.ts';
import { planReplay } from '#client/demo/replay-plan.ts';
import type { Side } from '#protocol/units.ts';
import { TestExchange } from '#test/support/exchange.ts';

export interface EngineReplay {
  readonly exchange: TestExchange;
  readonly fills: RecordedFill[];
  readonly book: RecordedOrder[];
  /** Rows that were refused. */
  readonly refused: string[];
}

/** Time passes as it was recorded, and the last trade is published now and then. */
export function replayThroughEngine(rows: readonly RecordedRow[]): EngineReplay {
  const plan = planReplay(rows, { market: REPLAY_MARKET });
  const market = replayMarket(plan);
  const exchange = new TestExchange({ markets: [market], chain: REPLAY_CHAIN, checkInvariants: false });
  const funding = replayFunding(plan, market);
  const accounts = Array.from({ length: plan.accounts }, (_, n) => exchange.deposit(n + 1, funding));
  exchange.price(REPLAY_MARKET, firstPrice(rows));
  const begin = exchange.now;
  const beginNs = BigInt(rows[0]!.timeNs);
  const fills: RecordedFill[] = [];
  const refused: string[] = [];
  plan.operations.forEach(({ sender, operation }, i) => {
    const row = rows[i]!;
    exchange.now = begin + Number((BigInt(row.timeNs) - beginNs) / 1_000_000n);
    for (const event of exchange.send(accounts[sender]!, operation)) {
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
    if (i % 1_000 === 999 && fills.length > 0) exchange.price(REPLAY_MARKET, fills.at(-1)!.price);
  });
  return { exchange, fills, refused, book: restingOrders(exchange) };
}

function restingOrders({ state }: TestExchange): RecordedOrder[] {
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
