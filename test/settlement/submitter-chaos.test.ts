/**
 * Random troubles in random order on a real L1: dropped transactions, rollbacks, restarts of the submitter, lost data,
 * mining that pauses, fee spikes, others who commit too. In the end every batch is committed and final, in order,
 * once; nothing is lost and nothing is reverted for want of care.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { toHex } from '#protocol/bytes.ts';
import { rollupAbi } from '#settlement/l1/abi.ts';
import { EventReader } from '#settlement/l1/events.ts';
import * as actions from '#settlement/l1/vault-actions.ts';
import { Submitter } from '#settlement/submitter/submitter.ts';
import { ALICE, commit, passSeconds, planNow, SUBMITTER, startFixture } from './l1-fixture.ts';

const ROUNDS = 60;
const DEEPEST = 6;

test.each([1, 2, 3, 4])('seed %i', async (seed) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'submitter-chaos-'));
  const fixture = await startFixture();
  const { l1, rollup, chain } = fixture;
  const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
    l1.public.request({ method, params } as never);
  const status = () => actions.rollupStatus(l1, rollup);
  let x = seed * 7_919;
  const random = (below: number): number => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return (x >>> 8) % below;
  };
  let automine = true;
  const mining = async (on: boolean): Promise<void> => {
    await rpc('evm_setAutomine', on);
    automine = on;
  };
  const idle = async (): Promise<void> => {
    for (let i = 0; i < 1_000; i++)
      if (((await rpc('txpool_status')) as { pending: string }).pending === '0x0') return;
  };
  let clock = 0;
  let generation = 0;
  const open = async (): Promise<Submitter> => {
    const submitter = new Submitter({
      l1: fixture.as(SUBMITTER),
      rollup,
      source: { get: async (id) => chain.batches[id - 1] },
      directory: path.join(directory, String(generation)),
      confirmations: DEEPEST,
      attemptsMax: 50,
      now: () => clock,
    });
    await submitter.open();
    return submitter;
  };
  let submitter = await open();
  try {
    // Anchors and queue below every reorg: what is signed stays possible.
    for (let i = 0; i < DEEPEST; i++) await rpc('evm_mine');
    const base = Number(await l1.public.getBlockNumber());
    const plan = await planNow(fixture);
    const troubles: (() => Promise<unknown>)[] = [
      () => rpc('anvil_dropAllTransactions'),
      async () => {
        // Anvil mixes chains up when it is rolled back in the midst of mining.
        if (automine) await idle();
        const latest = Number(await l1.public.getBlockNumber());
        const depth = Math.min(1 + random(DEEPEST), latest - base);
        if (depth > 0) await rpc('anvil_rollback', depth);
        // A chain that went back goes on as another one.
        return passSeconds(l1, 1 + random(20));
      },
      () => mining(random(2) === 0),
      () => rpc('evm_mine'),
      async () => {
        await submitter.stop();
        if (random(4) === 0) generation += 1;
        submitter = await open();
      },
      async () => {
        clock += 48_000;
      },
      () =>
        rpc(
          'anvil_setNextBlockBaseFeePerGas',
          `0x${(BigInt(1 + random(900)) * 1_000_000_000n).toString(16)}`,
        ),
      async () => {
        const { committedId } = await status();
        const next = chain.batches[committedId];
        await mining(true);
        if (next !== undefined) await commit(fixture.as(ALICE), rollup, next).catch(() => {});
      },
      () => passSeconds(l1, rollup.windowSeconds),
    ];
    for (let round = 0; round < ROUNDS; round++) {
      if (chain.batches.length < 12 && random(2) === 0) {
        const time = chain.last?.header.timeLast ?? plan.timeLast;
        chain.next({ ...plan, timeFirst: time, timeLast: time });
      }
      if (random(2) === 0) await troubles[random(troubles.length)]!();
      await submitter.step();
    }
    await mining(true);
    await expect
      .poll(
        async () => {
          clock += 48_000;
          await rpc('anvil_setNextBlockBaseFeePerGas', '0x3b9aca00');
          await passSeconds(l1, rollup.windowSeconds);
          await submitter.step();
          const { committedId, finalId } = await status();
          return [committedId, finalId];
        },
        { timeout: 60_000, interval: 1 },
      )
      .toEqual([chain.batches.length, chain.batches.length]);
    const events: string[] = [];
    const reader = new EventReader(l1, rollup, { confirmations: 0 });
    for (let caughtUp = false; !caughtUp; ) {
      const poll = await reader.poll();
      caughtUp = poll.caughtUp;
      for (const event of poll.events)
        if (event.kind === 'committed' || event.kind === 'finalized')
          events.push(`${event.kind} ${event.id} ${toHex(event.hash)}`);
    }
    for (const kind of ['committed', 'finalized'])
      expect(events.filter((event) => event.startsWith(kind))).toEqual(
        chain.batches.map((batch) => `${kind} ${batch.header.id} ${toHex(batch.hash)}`),
      );
    const head = await l1.public.readContract({
      address: rollup.rollup,
      abi: rollupAbi,
      functionName: 'head',
    });
    expect(head.hash).toBe(toHex(chain.last!.hash));
    console.log(`submitter chaos, seed ${seed}:`, {
      batches: chain.batches.length,
      ...submitter.status(),
      alerts: undefined,
    });
  } finally {
    await submitter.stop();
    await fixture.devnet.stop();
    await rm(directory, { recursive: true });
  }
});
