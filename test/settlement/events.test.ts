/** Reading L1: events in order, once, across restarts of the reader and reorgs of the chain. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { L1View } from '#pipeline/ports.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import {
  nextQueueHash,
  QUEUE_CANCEL_ALL,
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_DEPOSIT,
} from '#protocol/queue-entry.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import { EventReader, type L1Event } from '#settlement/l1/events.ts';
import { L1Follower } from '#settlement/l1/follower.ts';
import { fetchPostedBatch } from '#settlement/l1/posted-batch.ts';
import * as actions from '#settlement/l1/vault-actions.ts';
import {
  ALICE,
  BOB,
  commit,
  finalize,
  type L1Fixture,
  passSeconds,
  planNow,
  startFixture,
} from './l1-fixture.ts';

let fixture: L1Fixture;
const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
  fixture.l1.public.request({ method, params } as never);
const mine = (): Promise<unknown> => rpc('evm_mine');

async function readAll(reader: EventReader): Promise<L1Event[]> {
  const events: L1Event[] = [];
  for (;;) {
    const poll = await reader.poll();
    events.push(...poll.events);
    if (poll.caughtUp) return events;
  }
}
const name = (event: L1Event): string =>
  event.kind === 'queued'
    ? `queued ${event.entry.index}`
    : 'id' in event
      ? `${event.kind} ${event.id}`
      : event.kind;

/** The same node, but without the first log of every answer. */
function forgetful(l1: L1Client): L1Client {
  const client = new Proxy(l1.public, {
    get: (target, property) =>
      property !== 'request'
        ? Reflect.get(target, property)
        : async (request: { method: string }) => {
            const answer = await target.request(request as never);
            return request.method === 'eth_getLogs' ? (answer as unknown[]).slice(1) : answer;
          },
  });
  return { ...l1, public: client };
}

describe('a chain that stands', () => {
  beforeAll(async () => {
    fixture = await startFixture();
    const { rollup, chain } = fixture;
    const alice = fixture.as(ALICE);
    await actions.mintTestTokens(alice, rollup, { address: actions.addressOf(alice), amount: 100 });
    await actions.approveVault(alice, rollup, { asset: 0 });
    await actions.deposit(alice, rollup, { asset: 0, amount: 7, subaccount: 2 });
    await commit(alice, rollup, chain.next(await planNow(fixture)));
    await actions.forceCancelAll(alice, rollup, { subaccount: 5 });
    await passSeconds(alice, 100);
    await finalize(alice, rollup, chain.batches[0]!);
    await fixture.openEpoch(2);
    chain.epoch = 2;
    await commit(alice, rollup, chain.next(await planNow(fixture, { inputBytes: 20_000 })));
  }, 60_000);
  afterAll(() => fixture?.devnet.stop());

  test('everything is read in order, with its place and its bytes', async () => {
    const { l1, rollup, chain } = fixture;
    const events = await readAll(new EventReader(l1, rollup, { confirmations: 0 }));
    expect(events.map(name)).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((index) => `queued ${index}`),
      'queued 6',
      'committed 1',
      'queued 7',
      'finalized 1',
      'epoch-opened 1',
      'committed 2',
    ]);
    const queued = events.filter((event) => event.kind === 'queued');
    expect(queued[0]!.entry).toMatchObject({ kind: QUEUE_CONFIGURE_CHAIN, owner: new Uint8Array(20) });
    const owner = fromHex(actions.addressOf(fixture.as(ALICE)));
    expect(queued[6]!.entry).toEqual({
      index: 6,
      kind: QUEUE_DEPOSIT,
      owner,
      payload: fromHex('0000020000000000000007'),
    });
    expect(queued[7]!.entry).toEqual({ index: 7, kind: QUEUE_CANCEL_ALL, owner, payload: Uint8Array.of(5) });
    let prefix: Uint8Array = new Uint8Array(32);
    for (const { entry, prefixHash } of queued) {
      prefix = nextQueueHash(keccak, prefix, entry);
      expect(prefixHash).toEqual(prefix);
    }
    for (const event of events) {
      if (event.kind !== 'committed') continue;
      const batch = chain.batches[event.id - 1]!;
      expect(event.hash).toEqual(batch.hash);
      expect(await fetchPostedBatch(l1, event, fixture.domain)).toEqual(batch);
    }
  });

  test('however the reading is cut, by poll size, restarts or confirmations, it is the same', async () => {
    const { l1, rollup } = fixture;
    const whole = await readAll(new EventReader(l1, rollup, { confirmations: 0 }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 9 }),
        async (blocksPerPoll, confirmations) => {
          let reader = new EventReader(l1, rollup, { confirmations, blocksPerPoll });
          const events: L1Event[] = [];
          for (let caughtUp = false; !caughtUp; ) {
            const poll = await reader.poll();
            expect(poll.reorg).toBeUndefined();
            events.push(...poll.events);
            caughtUp = poll.caughtUp;
            const cursor = structuredClone(reader.cursor);
            reader = new EventReader(l1, rollup, { confirmations, blocksPerPoll, cursor });
          }
          const latest = Number(await l1.public.getBlockNumber());
          expect(events).toEqual(whole.filter((event) => event.at.blockNumber <= latest - confirmations));
          events.push(
            ...(await readAll(new EventReader(l1, rollup, { confirmations: 0, cursor: reader.cursor }))),
          );
          expect(events).toEqual(whole);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('a node that leaves a log out is found out, and followed no further when it does so again and again', async () => {
    const { rollup } = fixture;
    const l1 = forgetful(fixture.l1);
    const follower = new L1Follower(l1, rollup, { confirmations: 0 });
    for (let i = 0; i < 10; i++) await expect(follower.poll()).rejects.toMatchObject({ code: 'malformed' });
    expect((await follower.failed).message).toBe(
      'l1 events: expected queue entry 0 next, got 1: the node left logs out',
    );
    const reader = new EventReader(l1, rollup, { confirmations: 0 });
    await expect(reader.poll()).rejects.toMatchObject({ code: 'malformed' });
    expect(reader.cursor.checkpoints).toEqual([]);
  });
});

describe('reorgs', () => {
  beforeEach(async () => {
    fixture = await startFixture();
  }, 60_000);
  afterEach(() => fixture.devnet.stop());

  test('what a reorg takes back is named by its ancestor, what comes instead is read', async () => {
    const { l1, rollup } = fixture;
    const [alice, bob] = [fixture.as(ALICE), fixture.as(BOB)];
    const reader = new EventReader(l1, rollup, { confirmations: 0, blocksPerPoll: 1 });
    await readAll(reader);
    await actions.forceCancelAll(alice, rollup, { subaccount: 1 });
    await readAll(reader);
    const fork = Number(await l1.public.getBlockNumber());
    await actions.forceCancelAll(alice, rollup, { subaccount: 2 });
    await mine();
    expect((await readAll(reader)).map(name)).toEqual(['queued 7']);
    await rpc('anvil_rollback', 2);
    await passSeconds(l1, 5);
    await actions.forceCancelAll(bob, rollup, { subaccount: 3 });

    const resumed = new EventReader(l1, rollup, { confirmations: 0, cursor: reader.cursor });
    for (const one of [reader, resumed]) {
      const poll = await one.poll();
      expect(poll.reorg?.number).toBe(fork);
      const events = [...poll.events, ...(poll.caughtUp ? [] : await readAll(one))];
      expect(events.map(name)).toEqual(['queued 7']);
      expect(events[0]).toMatchObject({ entry: { payload: Uint8Array.of(3) } });
    }
    expect((await reader.poll()).reorg).toBeUndefined();
  });

  test('a chain that is only shorter unwinds too', async () => {
    const { l1, rollup } = fixture;
    const reader = new EventReader(l1, rollup, { confirmations: 0 });
    await readAll(reader);
    const before = Number(await l1.public.getBlockNumber());
    await actions.forceCancelAll(fixture.as(ALICE), rollup, { subaccount: 1 });
    await readAll(reader);
    await rpc('anvil_rollback', 1);
    const poll = await reader.poll();
    expect(poll).toMatchObject({ reorg: { number: before }, events: [], caughtUp: true });
    expect(poll.through?.number).toBe(before);
  });

  test('below the confirmations nothing is read, and a reorg there is not even seen', async () => {
    const { l1, rollup } = fixture;
    for (let i = 0; i < 4; i++) await mine();
    const reader = new EventReader(l1, rollup, { confirmations: 3 });
    await readAll(reader);
    await actions.forceCancelAll(fixture.as(ALICE), rollup, { subaccount: 1 });
    await mine();
    expect(await readAll(reader)).toEqual([]);
    await rpc('anvil_rollback', 2);
    await passSeconds(l1, 9);
    await actions.forceCancelAll(fixture.as(BOB), rollup, { subaccount: 2 });
    for (let i = 0; i < 3; i++) await mine();
    const poll = await reader.poll();
    expect(poll.reorg).toBeUndefined();
    expect(poll.events.map(name)).toEqual(['queued 6']);
    expect(poll.events[0]).toMatchObject({ entry: { payload: Uint8Array.of(2) } });
  });

  test('random reorgs: what remains after unwinding is what the chain says', async () => {
    const { l1, rollup } = fixture;
    const alice = fixture.as(ALICE);
    const seed = 20_251_122;
    console.log(`events, random reorgs: seed ${seed}`);
    let x = seed;
    const random = (below: number): number => {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      return (x >>> 8) % below;
    };
    const reader = new EventReader(l1, rollup, { confirmations: 0, blocksPerPoll: 3 });
    let held: L1Event[] = [];
    const created = rollup.createdBlock;
    for (let round = 0; round < 40; round++) {
      for (let i = random(4); i > 0; i--) {
        if (random(2) === 0) await mine();
        else await actions.forceCancelAll(alice, rollup, { subaccount: random(256) });
      }
      if (random(2) === 0) {
        const depth = Math.min(random(6), Number(await l1.public.getBlockNumber()) - created);
        if (depth > 0) await rpc('anvil_rollback', depth);
        await passSeconds(l1, 1 + random(9));
      }
      for (let polls = random(4); polls > 0; polls--) {
        const poll = await reader.poll();
        if (poll.reorg !== undefined)
          held = held.filter((event) => event.at.blockNumber <= poll.reorg!.number);
        held.push(...poll.events);
      }
    }
    for (let caughtUp = false; !caughtUp; ) {
      const poll = await reader.poll();
      if (poll.reorg !== undefined) held = held.filter((event) => event.at.blockNumber <= poll.reorg!.number);
      held.push(...poll.events);
      caughtUp = poll.caughtUp;
    }
    expect(held).toEqual(await readAll(new EventReader(l1, rollup, { confirmations: 0 })));
  });
});

describe('the follower', () => {
  beforeEach(async () => {
    fixture = await startFixture();
  }, 60_000);
  afterEach(() => fixture.devnet.stop());

  test('it has the form of L1View, gives confirmed entries, and tells where batches stand', async () => {
    const { l1, rollup, chain } = fixture;
    const alice = fixture.as(ALICE);
    for (let i = 0; i < 2; i++) await mine();
    const follower = new L1Follower(l1, rollup, { confirmations: 2, now: () => 42 });
    const view: L1View = follower;
    let changes = 0;
    const unsubscribe = view.onChange(() => {
      changes += 1;
    });
    await follower.poll();
    expect(view.seenAtMs).toBe(42);
    expect(view.anchor?.number).toBe(Number(await l1.public.getBlockNumber()) - 2);
    expect(view.entries(0, 100).map((entry) => entry.index)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(view.entries(2, 2).map((entry) => entry.index)).toEqual([2, 3]);
    expect(view.entries(6, 10)).toEqual([]);

    await actions.forceCancelAll(alice, rollup, { subaccount: 9 });
    await commit(alice, rollup, chain.next(await planNow(fixture)));
    await follower.poll();
    expect(follower.queueLength).toBe(6);
    expect(follower).toMatchObject({ committed: 1, final: 0 });
    expect(follower.batch(1)).toMatchObject({ stage: 'committed', hash: chain.batches[0]!.hash });
    await passSeconds(alice, 100);
    await finalize(alice, rollup, chain.batches[0]!);
    await follower.poll();
    expect(follower.queueLength).toBe(7);
    expect(follower.batch(1)).toMatchObject({ stage: 'final' });
    expect(follower.final).toBe(1);
    follower.forgetEntries(4);
    expect(view.entries(3, 10)).toEqual([]);
    expect(view.entries(4, 10).map((entry) => entry.index)).toEqual([4, 5, 6]);
    expect(changes).toBe(3);
    unsubscribe();
    await mine();
    await follower.poll();
    expect(changes).toBe(3);
  });

  test('a commit that a reorg takes back is committed no more', async () => {
    const { l1, rollup, chain } = fixture;
    const follower = new L1Follower(l1, rollup, { confirmations: 1 });
    await commit(l1, rollup, chain.next(await planNow(fixture)));
    await follower.poll();
    expect(follower.committed).toBe(1);
    await rpc('anvil_rollback', 1);
    await follower.poll();
    expect(follower.committed).toBe(0);
    expect(follower.batch(1)).toBeUndefined();
  });

  test('a reorg that changes a confirmed entry ends with a sentence; one that brings it again does not', async () => {
    const { l1, rollup } = fixture;
    const [alice, bob] = [fixture.as(ALICE), fixture.as(BOB)];
    await actions.forceCancelAll(alice, rollup, { subaccount: 9 });
    const follower = new L1Follower(l1, rollup, { confirmations: 0 });
    await follower.poll();
    expect(follower.queueLength).toBe(7);
    await rpc('anvil_rollback', 1);
    await passSeconds(l1, 3);
    await actions.forceCancelAll(alice, rollup, { subaccount: 9 });
    await follower.poll();
    expect(follower.queueLength).toBe(7);

    await rpc('anvil_rollback', 2);
    await passSeconds(l1, 5);
    await actions.forceCancelAll(bob, rollup, { subaccount: 9 });
    await expect(follower.poll()).rejects.toMatchObject({ code: 'deep-reorg' });
    expect((await follower.failed).message).toMatch(
      /queue entry 6 .* deeper than the configured confirmations/,
    );
  });

  test('it runs by itself and survives an L1 that is away', async () => {
    const { l1, rollup, devnet } = fixture;
    const follower = new L1Follower(l1, rollup, { confirmations: 0, pollMs: 5 });
    await follower.start();
    await actions.forceCancelAll(fixture.as(ALICE), rollup, { subaccount: 1 });
    await expect.poll(() => follower.queueLength, { timeout: 10_000 }).toBe(7);
    await devnet.stop();
    await expect.poll(() => follower.trouble?.code, { timeout: 10_000 }).toBe('unreachable');
    await follower.stop();
    expect(follower.queueLength).toBe(7);
    expect(toHex(follower.entries(6, 1)[0]!.payload)).toBe('0x01');
  });
});
