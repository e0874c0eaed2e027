/** The corridor's promises: nothing is told before it is durable, in order, exactly once, and nothing told is lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stateDigest } from '#pipeline/state-digest.ts';
import { toHex } from '#protocol/bytes.ts';
import type { Operation } from '#protocol/operation.ts';
import { Reject } from '#protocol/reject.ts';
import { OperationStatus } from '#protocol/wire.ts';
import { Asker, Corridor, HeldJournal, leavesOf, recoverFrom } from '../support/corridor.ts';
import { settle } from '../support/manual-clock.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`pipeline properties: SEED=${SEED}`);

const place = (side: 0 | 1, price: number, size: number): Operation => ({
  kind: 'place',
  market: 0,
  side,
  price,
  size,
  timeInForce: 0,
});

async function traders(options: ConstructorParameters<typeof Corridor>[0] = {}) {
  const corridor = await new Corridor(options).start();
  const maker = await corridor.deposit(1, 1_000_000_000_000);
  const taker = await corridor.deposit(2, 1_000_000_000_000);
  await corridor.price(0, 1_000_000);
  return { corridor, maker, taker };
}

describe('pipeline', () => {
  it('sequences the queue, then messages, and replies with what became of each operation', async () => {
    const { corridor, maker, taker } = await traders();
    const rested = await corridor.send(maker, place(1, 1_000_100, 10), place(1, 1_000_200, 5));
    expect(rested.results.map((result) => result.status)).toEqual([
      OperationStatus.RESTING,
      OperationStatus.RESTING,
    ]);
    const taken = await corridor.send(taker, place(0, 1_000_200, 12));
    expect(taken.results[0]).toMatchObject({
      status: OperationStatus.FILLED,
      filledSize: 12,
      remainingSize: 0,
    });
    expect(taken.seq).toBe(rested.seq + 1);
    expect(taken.account).toBe(taker);
    const canceled = await corridor.send(maker, { kind: 'cancel-all' });
    expect(canceled.results[0]).toMatchObject({ status: OperationStatus.CANCELED, canceled: 1 });
    expect(corridor.journal.lastSeq).toBe(corridor.state.seq);
    expect(corridor.fatal).toBeUndefined();
  });

  it('halted, refuses what waits and what comes, and what was applied is made durable and answered', async () => {
    const { corridor, maker } = await traders();
    const { pipeline, state } = corridor;
    const asker = new Asker();
    const { seq } = await corridor.send(maker, place(1, 1_000_100, 10));
    expect(corridor.submit(asker, 1, maker, place(1, 1_000_200, 10))).toBe(Reject.NONE);
    pipeline.halt(Reject.BATCH_STRUCK);
    expect(corridor.submit(asker, 2, maker, place(1, 1_000_300, 10))).toBe(Reject.BATCH_STRUCK);
    await corridor.deposit(3, 5_000_000);
    await corridor.clock.advance(60_000);
    expect(asker.replies).toEqual([]);
    expect(asker.rejects).toEqual([{ tag: 1, code: Reject.BATCH_STRUCK }]);
    // Neither the queue nor the clock goes on.
    expect(state.seq).toBe(seq);
    expect(corridor.journal.lastSeq).toBe(seq);
    await pipeline.close();
    expect(corridor.submit(asker, 3, maker, place(1, 1_000_300, 10))).toBe(Reject.BATCH_STRUCK);
    expect(corridor.fatal).toBeUndefined();
  });

  it('halted in the middle of a flush, it still answers what is in it', async () => {
    const journal = new HeldJournal();
    const corridor = new Corridor({ journal });
    const start = corridor.start();
    await settle();
    await journal.releaseAll();
    await start;
    const deposited = corridor.deposit(1, 1_000_000_000_000);
    await journal.releaseAll();
    const maker = await deposited;
    const asker = new Asker();
    corridor.submit(asker, 1, maker, { kind: 'cancel-all' });
    await settle();
    corridor.submit(asker, 2, maker, { kind: 'cancel-all' });
    corridor.pipeline.halt(Reject.BATCH_STRUCK);
    const closed = corridor.pipeline.close();
    await settle();
    expect(asker.order).toEqual([]);
    await journal.releaseAll();
    await closed;
    expect(asker.replies.map(({ tag }) => tag)).toEqual([1]);
    expect(asker.rejects).toEqual([{ tag: 2, code: Reject.BATCH_STRUCK }]);
  });

  it('tells nobody anything before the flush is done, and everybody in order after it', async () => {
    const journal = new HeldJournal();
    const corridor = new Corridor({ journal });
    const start = corridor.start();
    await settle();
    await journal.releaseAll();
    await start;
    const depositing = corridor.deposit(1, 1_000_000_000_000);
    await journal.releaseAll();
    const account = await depositing;
    const pricing = corridor.price(0, 1_000_000);
    await journal.releaseAll();
    await pricing;

    const asker = new Asker();
    const told = corridor.log.events.length;
    expect(corridor.submit(asker, 1, account, place(0, 999_000, 1))).toBe(0);
    await settle();
    // Applied, in flight; these gather for the next group. The second is refused: its nonce is used.
    corridor.submit(asker, 2, account, place(0, 998_000, 1));
    const used = corridor.state.accounts.nonce(account).high;
    const signer = corridor.state.accounts.owner(account).slice();
    corridor.pipeline.submit(corridor.message(account, [place(0, 997_000, 1)], used), signer, 3, asker);
    corridor.submit(asker, 4, account, place(0, 996_000, 1));
    await settle();
    expect(corridor.state.orders.count).toBe(3);
    expect(asker.order).toEqual([]);
    expect(corridor.log.events.length).toBe(told);
    let durable = false;
    void corridor.pipeline.whenDurable().then(() => {
      durable = true;
    });

    expect(journal.waiting.length).toBe(1);
    journal.waiting.shift()!.release();
    await settle();
    expect(asker.order).toEqual([1]);
    expect(durable).toBe(false);
    journal.waiting.shift()!.release();
    await settle();
    expect(asker.order).toEqual([1, 2, 3, 4]);
    expect(asker.rejects).toEqual([{ tag: 3, code: Reject.NONCE_USED }]);
    expect(durable).toBe(true);
    expect(corridor.log.acknowledgedSeq).toBe(corridor.state.seq);
  });

  it('keeps a refusal in line behind the answers of the group in flight', async () => {
    const journal = new HeldJournal();
    const corridor = new Corridor({ journal });
    const start = corridor.start();
    await journal.releaseAll();
    await start;
    const depositing = corridor.deposit(1, 1_000_000_000_000);
    await journal.releaseAll();
    const account = await depositing;
    const asker = new Asker();
    corridor.submit(asker, 1, account, place(0, 900_000, 1));
    await settle();
    corridor.pipeline.submit(corridor.message(account, [place(0, 1, 1)]), new Uint8Array(20), 2, asker);
    await settle();
    expect(asker.order).toEqual([]);
    await journal.releaseAll();
    expect(asker.order).toEqual([1, 2]);
  });

  it('answers refusals alone without a frame', async () => {
    const { corridor } = await traders();
    const before = corridor.journal.lastSeq;
    const asker = new Asker();
    const message = corridor.message(1, [place(0, 1, 1)]);
    expect(corridor.pipeline.submit(message, new Uint8Array(20), 9, asker)).toBe(0);
    await settle();
    expect(asker.rejects).toEqual([{ tag: 9, code: Reject.SIGNER_NOT_AUTHORIZED }]);
    expect(corridor.journal.lastSeq).toBe(before);
  });

  it('says BUSY when the inbox is full, and bounds what is applied but not durable', async () => {
    const journal = new HeldJournal();
    const corridor = new Corridor({ journal, pipeline: { inboxMessages: 8 } });
    const start = corridor.start();
    await settle();
    await journal.releaseAll();
    await start;
    const depositing = corridor.deposit(1, 1_000_000_000_000);
    await journal.releaseAll();
    const account = await depositing;
    const asker = new Asker();
    let taken = 0;
    const codes = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const code = corridor.submit(asker, i, account, place(0, 900_000, 1));
      codes.add(code);
      if (code === 0) taken++;
      await settle();
    }
    // One group in flight with the first message, eight answers in the open one, eight in the inbox.
    expect(codes).toEqual(new Set([Reject.NONE, Reject.BUSY]));
    expect(taken).toBe(17);
    await journal.releaseAll();
    expect(asker.order.length).toBe(17);
    expect(asker.order).toEqual([...asker.order].sort((a, b) => a - b));
    expect(corridor.submit(asker, 99, account, { kind: 'cancel-all' })).toBe(0);
  });

  it('slows down while what comes after the journal is behind, and goes on when it has caught up', async () => {
    let behind = false;
    const { corridor, maker } = await traders({ pipeline: { isBehind: () => behind } });
    behind = true;
    const asker = new Asker();
    corridor.submit(asker, 1, maker, place(0, 900_000, 1));
    await corridor.clock.advance(50);
    expect(asker.order).toEqual([]);
    expect(corridor.state.orders.count).toBe(0);
    behind = false;
    await corridor.clock.advance(10);
    expect(asker.order).toEqual([1]);
  });

  it('ends with one sentence when the journal fails, and answers nothing of that group', async () => {
    const journal = new HeldJournal();
    const corridor = new Corridor({ journal });
    const start = corridor.start();
    await settle();
    await journal.releaseAll();
    await start;
    const depositing = corridor.deposit(1, 1_000_000_000_000);
    await journal.releaseAll();
    const account = await depositing;
    const asker = new Asker();
    corridor.submit(asker, 1, account, place(0, 900_000, 1));
    await settle();
    journal.waiting.shift()!.fail(new Error('no such device'));
    await settle();
    expect(corridor.fatal?.message).toMatch(/journal: expected commands \d+ to \d+ to become durable/);
    expect(asker.order).toEqual([]);
    expect(corridor.submit(asker, 2, account, place(0, 900_000, 1))).toBe(Reject.SHUTTING_DOWN);
    await corridor.pipeline.close();
  });

  it('closes: takes nothing new, answers what it took, leaves a mark', async () => {
    const { corridor, maker } = await traders();
    const asker = new Asker();
    for (let i = 0; i < 5; i++) corridor.submit(asker, i, maker, place(0, 900_000 + i, 1));
    const closing = corridor.pipeline.close();
    expect(corridor.submit(asker, 9, maker, place(0, 900_000, 1))).toBe(Reject.SHUTTING_DOWN);
    await closing;
    expect(asker.order).toEqual([0, 1, 2, 3, 4]);
    let marks = 0;
    for await (const record of corridor.journal.readFrom(1)) if (record.kind === 'mark') marks++;
    expect(marks).toBeGreaterThan(0);
  });

  it('keeps time from stepping back when the clock does', async () => {
    const { corridor, maker } = await traders();
    const first = await corridor.send(maker, place(0, 900_000, 1));
    corridor.clock.set(first.time - 5_000);
    const second = await corridor.send(maker, place(0, 900_001, 1));
    expect(second.time).toBe(first.time);
  });

  it('loses nothing that was replied to, wherever it is cut off', async () => {
    const operation = fc.record({
      who: fc.constantFrom(1, 2),
      side: fc.constantFrom<0 | 1>(0, 1),
      price: fc.integer({ min: 999_990, max: 1_000_010 }),
      size: fc.integer({ min: 1, max: 50 }),
      releases: fc.integer({ min: 0, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40 }), async (steps) => {
        const journal = new HeldJournal();
        const corridor = new Corridor({ journal, pipeline: { markEvery: 7 } });
        const start = corridor.start();
        await settle();
        await journal.releaseAll();
        await start;
        for (const n of [1, 2]) {
          const depositing = corridor.deposit(n, 1_000_000_000_000);
          await journal.releaseAll();
          await depositing;
        }
        const pricing = corridor.price(0, 1_000_000);
        await journal.releaseAll();
        await pricing;
        const asker = new Asker();
        for (const [tag, { who, side, price, size, releases }] of steps.entries()) {
          corridor.submit(asker, tag, who, place(side, price, size));
          for (let i = 0; i < releases; i++) journal.waiting.shift()?.release();
          await settle();
        }
        // The process dies here: what is in flight is not durable.
        const { engine } = await recoverFrom(journal);
        const replied = Math.max(0, ...asker.replies.map((reply) => reply.seq));
        expect(engine.state.seq).toBeGreaterThanOrEqual(replied);
        expect(asker.order).toEqual(steps.map((_, tag) => tag).slice(0, asker.order.length));
        for (const reply of asker.replies)
          expect(engine.state.nextOrderId).toBeGreaterThan(reply.results[0]!.orderId);
        // With everything let go, live state and replayed state are the same to the last leaf.
        await journal.releaseAll();
        expect(corridor.fatal).toBeUndefined();
        const whole = await recoverFrom(journal);
        expect(leavesOf(whole.engine.state)).toEqual(leavesOf(corridor.state));
        expect(toHex(stateDigest(whole.engine.state))).toBe(toHex(stateDigest(corridor.state)));
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});
