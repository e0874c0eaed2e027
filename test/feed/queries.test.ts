/** Queries: what they answer, and that no answer leaves before what it was read from is durable. */
import { describe, expect, it } from 'vitest';
import { OrderIndex } from '#feed/order-index.ts';
import { Queries } from '#feed/queries.ts';
import { LevelHistoryStore } from '#journal/history-store.ts';
import type { BatchState, BatchView, QueryAnswer } from '#pipeline/ports.ts';
import { toHex } from '#protocol/bytes.ts';
import type { Operation } from '#protocol/operation.ts';
import type { QueryName, QueryTable } from '#protocol/query.ts';
import { Reject } from '#protocol/reject.ts';
import { removeTemporaryAfterAll, temporaryDirectory } from '../journal/temporary.ts';
import { Asker, Corridor, HeldJournal } from '../support/corridor.ts';
import { testAddress } from '../support/exchange.ts';
import { settle } from '../support/manual-clock.ts';

removeTemporaryAfterAll();

const DOMAIN = { chainId: 31_337, verifyingContract: new Uint8Array(20).fill(7) };

const place = (side: 0 | 1, price: number, size: number, clientId = 0): Operation => ({
  kind: 'place',
  market: 0,
  side,
  price,
  size,
  timeInForce: 0,
  clientId,
});

/** Batches as the test says. */
class ToldBatches implements BatchView {
  signed = undefined;
  committed = 0;
  final = 0;
  state: BatchState | undefined;
  batchOf(): Promise<BatchState | undefined> {
    return Promise.resolve(this.state);
  }
}

async function desk(journal = new HeldJournal(), isHeld = false) {
  const history = await LevelHistoryStore.open({
    directory: temporaryDirectory(),
    create: true,
    repeat: () => () => {},
  });
  const orderIndex = new OrderIndex(0);
  const corridor = new Corridor({ journal, events: [history, orderIndex] });
  if (!isHeld) void letGo(journal);
  await corridor.start();
  const batches = new ToldBatches();
  const errors: unknown[] = [];
  const queries = new Queries({
    state: corridor.state,
    domain: DOMAIN,
    history,
    orderIndex,
    batches,
    durableSeq: () => corridor.pipeline.durableSeq,
    whenDurable: () => corridor.pipeline.whenDurable(),
    withdrawalProof: () => Promise.resolve(null),
    receipt: () => Promise.resolve(null),
    onError: (error) => errors.push(error),
  });
  const ask = async <Name extends QueryName>(
    query: Name,
    parameters: Record<string, unknown> = {},
  ): Promise<QueryTable[Name]['answer']> => {
    const answer = await queries.answer(query, parameters);
    if (!answer.ok) throw new Error(`${query}: ${answer.code} ${answer.sentence}`);
    return answer.answer as QueryTable[Name]['answer'];
  };
  return { corridor, queries, ask, batches, errors, history, journal };
}

/** Lets every flush go as it comes. */
function letGo(journal: HeldJournal): void {
  const { waiting } = journal;
  waiting.push = (...flushes) => {
    for (const flush of flushes) queueMicrotask(flush.release);
    return 0;
  };
}

describe('queries', () => {
  it('lets an answer go only when everything that was applied by then is durable', async () => {
    const { corridor, queries, journal } = await desk(new HeldJournal(), true);
    await journal.releaseAll();
    const depositing = corridor.deposit(1, 1_000_000_000_000);
    await journal.releaseAll();
    const account = await depositing;
    await journal.releaseAll();
    const pricing = corridor.price(0, 1_000_000);
    await journal.releaseAll();
    await pricing;
    corridor.submit(new Asker(), 1, account, place(0, 900_000, 1));
    await settle();
    corridor.submit(new Asker(), 2, account, place(0, 900_001, 1));
    await settle();
    let answer: QueryAnswer | undefined;
    void queries.answer('open-orders', { account }).then((told) => {
      answer = told;
    });
    await settle();
    expect(journal.waiting.length).toBe(1);
    journal.waiting.shift()!.release();
    await settle();
    // The first order is durable, but the answer has the second one in it.
    expect(answer).toBeUndefined();
    journal.waiting.shift()!.release();
    await settle();
    expect(answer).toMatchObject({ ok: true, answer: [{ price: 900_000 }, { price: 900_001 }] });
  });

  it('tells of chain, markets, accounts, margins, positions and orders', async () => {
    const { corridor, ask } = await desk();
    const maker = await corridor.deposit(1, 2_000_000_000_000);
    const taker = await corridor.deposit(2, 1_000_000_000_000, 3);
    await corridor.price(0, 1_000_000);
    await corridor.send(maker, place(1, 1_000_100, 10, 77), place(0, 999_000, 5));
    await corridor.send(taker, place(0, 1_000_100, 4));
    await corridor.send(taker, { kind: 'cancel-on-disconnect', enabled: true, graceMs: 0 });

    expect(await ask('chain')).toMatchObject({
      chainId: 31_337,
      rollup: toHex(DOMAIN.verifyingContract),
      queueNext: corridor.state.queueNext,
      publishers: { length: 5 },
    });
    expect(await ask('markets')).toMatchObject([
      {
        config: { symbol: 'BTC-PERP' },
        indexPrice: 1_000_000,
        indexVoid: false,
        openInterest: 4,
        initialPpm: 20_000,
        openInterestPpm: 0,
        depth: 0,
        lastPrice: 1_000_100,
      },
    ]);
    expect(await ask('accounts', { owner: toHex(testAddress(2)) })).toEqual([
      { account: taker, subaccount: 3, riskPool: 0, isolatedMarket: null },
    ]);
    const view = await ask('account', { account: taker });
    expect(view).toMatchObject({
      owner: toHex(testAddress(2)),
      subaccount: 3,
      cancelOnDisconnect: 0,
      openOrders: 0,
      nonce: 2,
      positions: [{ market: 0, size: 4, markPrice: corridor.state.market(0)!.mark }],
    });
    const [position] = view.positions;
    expect(view.equity).toBe(view.cash + position!.unrealizedPnl);
    expect(view.freeCollateral).toBeLessThanOrEqual(view.equity - view.initialMargin);
    expect(view.initialMargin).toBeGreaterThan(view.maintenanceMargin);
    expect((await ask('account', { account: maker })).cancelOnDisconnect).toBe(-1);
    const open = await ask('open-orders', { account: maker });
    expect(open).toMatchObject([
      { side: 1, price: 1_000_100, size: 6, clientId: 77, timeInForce: 0, postOnly: false },
      { side: 0, price: 999_000, size: 5 },
    ]);
    expect(await ask('order', { account: maker, market: 0, clientId: 77 })).toEqual(open[0]);
    expect(await ask('order', { account: maker, orderId: open[1]!.orderId })).toEqual(open[1]);
    expect(await ask('order', { account: taker, orderId: open[1]!.orderId })).toBeNull();
  });

  it('pages through history by column name', async () => {
    const { corridor, ask, history } = await desk();
    const maker = await corridor.deposit(1, 1_000_000_000_000);
    const taker = await corridor.deposit(2, 1_000_000_000_000);
    await corridor.price(0, 1_000_000);
    for (let i = 0; i < 5; i++) {
      await corridor.send(maker, place(1, 1_000_100 + i, 1));
      await corridor.send(taker, place(0, 1_000_100 + i, 1));
    }
    await history.flush();
    const all = await ask('fills', { account: taker });
    expect(all.map((row) => [row.event, row.price])).toEqual(
      [4, 3, 2, 1, 0].map((i) => ['TRADE', 1_000_100 + i]),
    );
    const first = await ask('fills', { account: taker, limit: 2 });
    const second = await ask('fills', { account: taker, limit: 10, before: first[1]!.cursor });
    expect([...first, ...second]).toEqual(all);
    expect(await ask('trades', { market: 0, limit: 1 })).toMatchObject([{ price: 1_000_104 }]);
    expect(await ask('transfers', { account: taker })).toMatchObject([{ event: 'DEPOSIT' }]);
    const candles = await ask('candles', {
      market: 0,
      intervalMs: 60_000,
      from: 0,
      to: corridor.clock.nowMs(),
    });
    expect(candles).toMatchObject([{ open: 1_000_100, close: 1_000_104, volume: 5, trades: 5 }]);
  });

  it('tells how far a command has come', async () => {
    const { corridor, ask, batches } = await desk();
    const account = await corridor.deposit(1, 1_000_000_000_000);
    await corridor.price(0, 1_000_000);
    const reply = await corridor.send(account, place(0, 900_000, 1));
    const { orderId } = reply.results[0]!;
    expect(await ask('finality', { orderId })).toEqual({ seq: reply.seq, stage: 'journaled' });
    const hash = new Uint8Array(32).fill(1);
    batches.state = { id: 4, hash, stage: 'batched' };
    expect(await ask('finality', { seq: reply.seq })).toEqual({
      seq: reply.seq,
      stage: 'batched',
      batch: 4,
      batchHash: toHex(hash),
    });
    batches.state = { id: 4, hash, stage: 'committed', transaction: hash, finalAtMs: 99 };
    expect(await ask('finality', { orderId })).toMatchObject({ stage: 'committed', finalAt: 99 });
    batches.state = { id: 4, hash, stage: 'final', transaction: hash, finalAtMs: 99 };
    expect(await ask('finality', { orderId })).not.toHaveProperty('finalAt');
  });

  it('refuses what it can not answer with field, expected and got', async () => {
    const { queries, errors } = await desk();
    const refused = async (query: string, parameters: Record<string, unknown>): Promise<[number, string]> => {
      const answer = await queries.answer(query, parameters);
      return answer.ok ? [0, ''] : [answer.code, answer.sentence];
    };
    expect(await refused('balances', {})).toEqual([
      Reject.UNKNOWN_QUERY,
      expect.stringContaining('got balances'),
    ]);
    expect(await refused('__proto__', {})).toEqual([Reject.UNKNOWN_QUERY, expect.anything()]);
    expect(await refused('account', {})).toEqual([
      Reject.MALFORMED_FRAME,
      'query account: expected an integer, got undefined',
    ]);
    expect(await refused('account', { account: 99 })).toEqual([
      Reject.UNKNOWN_ACCOUNT,
      'account: expected one that exists, got 99',
    ]);
    expect(await refused('fills', { account: 1, limit: 5_000 })).toEqual([
      Reject.MALFORMED_FRAME,
      'query limit: expected an integer from 1 to 1000, got 5000',
    ]);
    expect(await refused('fills', { account: 1, before: 7 })).toEqual([
      Reject.MALFORMED_FRAME,
      'query before: expected { seq, place }, got 7',
    ]);
    expect(await refused('accounts', { owner: '0x12' })).toEqual([
      Reject.MALFORMED_FRAME,
      'query owner: expected 0x and 40 hexadecimal digits, got "0x12"',
    ]);
    expect(await refused('candles', { market: 0, intervalMs: 7, from: 0, to: 1 })).toEqual([
      Reject.MALFORMED_FRAME,
      expect.stringContaining('60000, 3600000, 86400000, got 7'),
    ]);
    expect(await refused('finality', { seq: 1_000 })).toEqual([
      Reject.MALFORMED_FRAME,
      expect.stringContaining('got 1000'),
    ]);
    expect(await refused('finality', { orderId: 1_000 })).toEqual([Reject.UNKNOWN_ORDER, expect.anything()]);
    expect(await refused('open-orders', { account: 1.5 })).toEqual([
      Reject.MALFORMED_FRAME,
      expect.anything(),
    ]);
    expect(errors).toEqual([]);
  });
});
