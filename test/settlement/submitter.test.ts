/** The submitter on a real L1: the straight way, and every adversity of spec reliability section 4. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeFunctionData } from 'viem';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packBatch } from '#gateway/http.ts';
import { encodeHeader, type SignedBatch } from '#protocol/batch.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { rollupAbi } from '#settlement/l1/abi.ts';
import { topUpBond } from '#settlement/l1/challenge-actions.ts';
import { startDevnet } from '#settlement/l1/devnet.ts';
import { signTransaction } from '#settlement/l1/transactions.ts';
import * as actions from '#settlement/l1/vault-actions.ts';
import type { Alert } from '#settlement/submitter/alerts.ts';
import { type BatchSource, BatchSourceError, HttpBatchSource } from '#settlement/submitter/batch-source.ts';
import { Submitter, type SubmitterOptions } from '#settlement/submitter/submitter.ts';
import {
  ALICE,
  commit,
  type L1Fixture,
  passSeconds,
  planNow,
  SUBMITTER,
  startFixture,
} from './l1-fixture.ts';

const GWEI = 1_000_000_000n;

let fixture: L1Fixture;
let directory: string;
let clock: number;
let alerts: Alert[];
const opened: Submitter[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'submitter-'));
  fixture = await startFixture({ devnet: { stateFile: path.join(directory, 'l1', 'state.json') } });
  clock = 1_000_000;
  alerts = [];
  automine = true;
}, 60_000);
afterEach(async () => {
  for (const submitter of opened.splice(0)) await submitter.stop();
  await fixture.devnet.stop();
  await rm(directory, { recursive: true });
});

/** The batches of the chain, as the sequencer would serve them. */
const source: BatchSource = {
  get: async (id) => fixture.chain.batches.find((batch) => batch.header.id === id),
};

async function open(options: Partial<SubmitterOptions> = {}): Promise<Submitter> {
  const submitter = new Submitter({
    l1: fixture.as(SUBMITTER),
    rollup: fixture.rollup,
    source,
    directory: path.join(directory, 'submitter'),
    confirmations: 3,
    now: () => clock,
    alert: (alert) => alerts.push(alert),
    ...options,
  });
  await submitter.open();
  opened.push(submitter);
  return submitter;
}

const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
  fixture.l1.public.request({ method, params } as never);
/** Whether transactions are mined as they come. */
let automine = true;
async function mining(on: boolean): Promise<void> {
  await rpc('evm_setAutomine', on);
  automine = on;
}
/** One step; the node mines a moment after it has taken a transaction. */
async function step(submitter: Submitter): Promise<void> {
  await submitter.step();
  if (automine)
    await expect
      .poll(() => rpc('txpool_status'), { timeout: 10_000, interval: 5 })
      .toMatchObject({ pending: '0x0' });
}
const mine = (): Promise<unknown> => rpc('evm_mine');
const status = () => actions.rollupStatus(fixture.l1, fixture.rollup);
const codes = (): string[] => alerts.map((alert) => alert.code);

/** Transactions that the node holds and has not mined. */
async function poolRequests(): Promise<number> {
  const { pending, queued } = (await rpc('txpool_status')) as { pending: string; queued: string };
  return Number(pending) + Number(queued);
}

/** As the judge would: what is wrong with the batch does not matter to the submitter. */
async function strike(batch: SignedBatch): Promise<void> {
  const { rollup, challenges } = fixture.rollup;
  await rpc('anvil_setBalance', challenges, '0xde0b6b3a7640000');
  await rpc('anvil_impersonateAccount', challenges);
  const data = encodeFunctionData({
    abi: rollupAbi,
    functionName: 'strike',
    args: [toHex(encodeHeader(batch.header))],
  });
  await rpc('eth_sendTransaction', { from: challenges, to: rollup, data, gas: '0x7a1200' });
  await mine();
}

/** Signs `count` batches that L1 would take now, one after the other. */
async function signBatches(count: number): Promise<SignedBatch[]> {
  const batches: SignedBatch[] = [];
  for (let i = 0; i < count; i++) batches.push(fixture.chain.next(await planNow(fixture)));
  return batches;
}

describe('the straight way', () => {
  test('batches are committed in order, made final when due, counted once', async () => {
    await signBatches(3);
    const submitter = await open();
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 3, finalId: 0 });
    await passSeconds(fixture.l1, fixture.rollup.windowSeconds);
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 3, finalId: 3 });
    for (let i = 0; i < 4; i++) await mine();
    await step(submitter);
    await step(submitter);
    const done = submitter.status();
    expect(done).toMatchObject({
      committed: 3,
      final: 3,
      transactions: 6,
      inFlight: 0,
      unconfirmed: 0,
      reverted: 0,
    });
    expect(done.gas).toBeGreaterThan(6 * 21_000);
    expect(done.calldataBytes).toBeGreaterThan(3 * 1_000);
    expect(codes()).toEqual([]);
  });

  test('it runs by itself, over HTTP', async () => {
    const batches = await signBatches(2);
    const server = createServer((request, response) => {
      const id = Number(/^\/batches\/(\d+)$/.exec(request.url ?? '')?.[1]);
      const batch = batches.find(({ header }) => header.id === id);
      response.statusCode = batch === undefined ? 404 : 200;
      response.end(batch === undefined ? undefined : packBatch(batch));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const submitter = new Submitter({
      l1: fixture.as(SUBMITTER),
      rollup: fixture.rollup,
      source: new HttpBatchSource(`http://127.0.0.1:${port}/`),
      directory: path.join(directory, 'submitter'),
      pollMs: 20,
    });
    await submitter.start();
    try {
      await expect.poll(async () => (await status()).committedId, { timeout: 20_000 }).toBe(2);
    } finally {
      await submitter.stop();
      server.close();
    }
  });

  test('what a source answers is checked', async () => {
    const [batch] = await signBatches(1);
    const answers: (Uint8Array | number)[] = [500, Uint8Array.of(0xc1), packBatch(batch!), packBatch(batch!)];
    const server = createServer((_, response) => {
      const answer = answers.shift()!;
      response.statusCode = typeof answer === 'number' ? answer : 200;
      response.end(typeof answer === 'number' ? undefined : answer);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const http = new HttpBatchSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(http.get(1)).rejects.toThrow('expected status 200 or 404, got 500');
    await expect(http.get(1)).rejects.toThrow(BatchSourceError);
    await expect(http.get(2)).rejects.toThrow('expected batch 2, got 1');
    expect(await http.get(1)).toEqual(batch);
    await new Promise((resolve) => server.close(resolve));
    await expect(http.get(1)).rejects.toThrow('no answer');
  });
});

describe('restart', () => {
  test('what was stored before it was sent is sent again with the same bytes', async () => {
    await signBatches(2);
    await mining(false);
    const first = await open();
    await step(first);
    expect(first.status().inFlight).toBe(2);
    await first.stop();
    const pool = await rpc('txpool_content');
    // As if the process had died between storing and sending.
    await rpc('anvil_dropAllTransactions');
    const second = await open();
    expect(second.status().inFlight).toBe(2);
    await step(second);
    expect(await rpc('txpool_content')).toEqual(pool);
    await mine();
    await step(second);
    expect(await status()).toMatchObject({ committedId: 2 });
    expect(second.status()).toMatchObject({ inFlight: 0, transactions: 2, resubmissions: 0 });
  });

  test('with its data lost it takes over its own stuck transactions', async () => {
    await signBatches(2);
    await mining(false);
    const first = await open();
    await step(first);
    const second = await open({ directory: path.join(directory, 'fresh') });
    for (let i = 0; i < 4; i++) await step(second);
    await mine();
    await step(second);
    expect(await status()).toMatchObject({ committedId: 2 });
    expect(second.status()).toMatchObject({ inFlight: 0, reverted: 0 });
  });

  test('one data directory serves one submitter, one rollup, one key', async () => {
    await open();
    await expect(open()).rejects.toThrow('lock of another process');
    await opened[0]!.stop();
    await expect(open({ l1: fixture.as(ALICE) })).rejects.toThrow(/sender: expected 0x.*, got 0x/);
  });

  test('a damaged data directory ends in a sentence', async () => {
    const submitter = await open();
    await submitter.stop();
    await rm(path.join(directory, 'submitter', 'CURRENT'));
    await expect(open()).rejects.toThrow("can't be read");
    await writeFile(path.join(directory, 'submitter', 'CURRENT'), 'nonsense');
    await expect(open()).rejects.toThrow('move it away');
  });
});

describe('fees and nonces', () => {
  test('an overdue transaction is sent again at least a tenth dearer', async () => {
    await signBatches(1);
    await mining(false);
    const submitter = await open();
    await step(submitter);
    const before = await pooled();
    clock += 47_000;
    await step(submitter);
    expect(await pooled()).toEqual(before);
    clock += 1_000;
    await step(submitter);
    const after = await pooled();
    expect(after.hash).not.toBe(before.hash);
    expect(after.nonce).toBe(before.nonce);
    expect(BigInt(after.maxFeePerGas) * 10n).toBeGreaterThanOrEqual(BigInt(before.maxFeePerGas) * 11n);
    expect(BigInt(after.maxPriorityFeePerGas) * 10n).toBeGreaterThanOrEqual(
      BigInt(before.maxPriorityFeePerGas) * 11n,
    );
    await mine();
    await step(submitter);
    expect(submitter.status()).toMatchObject({ committed: 1, resubmissions: 1, transactions: 1 });
  });

  test('a stuck nonce (replacement underpriced) is outbid within the cap', async () => {
    await signBatches(1);
    await mining(false);
    await occupyNonce(50n * GWEI);
    const submitter = await open();
    for (let i = 0; i < 8; i++) await step(submitter);
    await mine();
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 1 });
    expect(codes()).toEqual([]);
  });

  test('a nonce that can not be outbid: it gives up with an alert, and goes on when the nonce has moved', async () => {
    await signBatches(1);
    await mining(false);
    await occupyNonce(900n * GWEI);
    const submitter = await open({ attemptsMax: 3 });
    for (let i = 0; i < 20; i++) await step(submitter);
    expect(submitter.status()).toMatchObject({ state: 'given-up', committed: 0 });
    expect(codes().filter((code) => code === 'stuck')).toHaveLength(1);
    await mine();
    for (let i = 0; i < 4; i++) await step(submitter);
    await mine();
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 1 });
    expect(codes()).toContain('foreign-transaction');
    expect(submitter.status().state).toBe('running');
  });

  test('a fee spike: nothing is sent above the cap; it goes on when fees have fallen', async () => {
    await signBatches(1);
    await rpc('anvil_setNextBlockBaseFeePerGas', '0x174876e800');
    await mine();
    const submitter = await open({ feeCapWei: 20n * GWEI });
    await step(submitter);
    expect(submitter.status()).toMatchObject({ inFlight: 0, committed: 0 });
    await step(submitter);
    expect(codes()).toEqual(['fee-spike']);
    await rpc('anvil_setNextBlockBaseFeePerGas', '0x3b9aca00');
    await mine();
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 1 });
    expect(submitter.status().alerts).toEqual([]);
  });

  test('a fee spike while a transaction is under way: the cap holds', async () => {
    await signBatches(1);
    await mining(false);
    const submitter = await open({ feeCapWei: 3n * GWEI, attemptsMax: 100 });
    await step(submitter);
    for (let i = 0; i < 30; i++) {
      clock += 48_000;
      await step(submitter);
    }
    expect(BigInt((await pooled()).maxFeePerGas)).toBeLessThanOrEqual(3n * GWEI);
    expect(codes()).toContain('fee-spike');
    await mine();
    await step(submitter);
    expect(submitter.status()).toMatchObject({ committed: 1, state: 'running' });
  });

  async function pooled(): Promise<{
    hash: string;
    nonce: string;
    maxFeePerGas: string;
    maxPriorityFeePerGas: string;
  }> {
    const { pending } = (await rpc('txpool_content')) as {
      pending: Record<string, Record<string, Awaited<ReturnType<typeof pooled>>>>;
    };
    return Object.values(Object.values(pending)[0]!)[0]!;
  }

  /** Another transaction of our key, unknown to the submitter, with the next nonce. */
  async function occupyNonce(fee: bigint): Promise<void> {
    const l1 = fixture.as(SUBMITTER);
    const address = actions.addressOf(l1);
    const signed = await signTransaction(l1, {
      to: address,
      data: '0x',
      gas: 21_000n,
      nonce: await l1.public.getTransactionCount({ address }),
      maxFeePerGas: fee,
      maxPriorityFeePerGas: fee,
    });
    await l1.public.sendRawTransaction({ serializedTransaction: signed.raw });
  }
});

describe('reorgs', () => {
  test('commits that a reorg drops are sent again, the same bytes', async () => {
    await signBatches(3);
    const submitter = await open({ inFlightMax: 1 });
    for (let i = 0; i < 3; i++) await step(submitter);
    expect(await status()).toMatchObject({ committedId: 3 });
    await rpc('anvil_rollback', 2);
    expect(await status()).toMatchObject({ committedId: 1 });
    for (let i = 0; i < 3; i++) await step(submitter);
    expect(await status()).toMatchObject({ committedId: 3 });
    expect(submitter.status()).toMatchObject({ transactions: 3, reverted: 0, resubmissions: 0 });
  });

  test('a reorg deeper than what is remembered: the missing batches are built and sent anew', async () => {
    await signBatches(3);
    const submitter = await open({ inFlightMax: 1, confirmations: 1 });
    for (let i = 0; i < 3; i++) await step(submitter);
    for (let i = 0; i < 3; i++) await mine();
    for (let i = 0; i < 2; i++) await step(submitter);
    expect(submitter.status().unconfirmed).toBe(0);
    await rpc('anvil_rollback', 6);
    expect(await status()).toMatchObject({ committedId: 0 });
    for (let i = 0; i < 4; i++) await step(submitter);
    expect(await status()).toMatchObject({ committedId: 3 });
  });

  test('a reorg that makes a batch impossible is reported, its nonce is used up, and a new epoch goes on', async () => {
    await signBatches(1);
    const submitter = await open();
    await step(submitter);
    // The next batch names an anchor that then leaves the chain.
    await mine();
    await mine();
    const [doomed] = await signBatches(1);
    await mining(false);
    await step(submitter);
    expect(submitter.status().inFlight).toBe(1);
    await rpc('anvil_dropAllTransactions');
    await rpc('anvil_rollback', 2);
    // Other blocks than before: another time.
    for (let i = 0; i < 4; i++) await passSeconds(fixture.l1, 5);
    clock += 48_000;
    await step(submitter);
    expect(codes()).toContain('refused');
    expect(alerts.find((alert) => alert.code === 'refused')!.message).toContain('AnchorNotCanonical');
    await mine();
    await step(submitter);
    expect(submitter.status().inFlight).toBe(0);
    expect(await status()).toMatchObject({ committedId: 1, epoch: 1 });

    await mining(true);
    await fixture.openEpoch(2);
    fixture.chain.rewind(1);
    fixture.chain.epoch = 2;
    const [replacement] = await signBatches(1);
    expect(replacement!.header.id).toBe(doomed!.header.id);
    await step(submitter);
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 2, epoch: 2 });
  });

  test('a strike while commits are under way: their nonces are used up, and the new epoch goes on', async () => {
    const { chain, rollup } = fixture;
    const [first] = await signBatches(1);
    const submitter = await open();
    await step(submitter);
    const old = await signBatches(3);
    await mining(false);
    await step(submitter);
    expect(submitter.status().inFlight).toBe(3);
    // They get stuck, and the strike is faster.
    const waiting = await poolRequests();
    await rpc('anvil_dropAllTransactions');
    await strike(first!);
    expect(await status()).toMatchObject({ committedId: 0, epoch: 2, bondWei: 0n });

    clock += 48_000;
    await step(submitter);
    await mine();
    await step(submitter);
    await mine();
    await step(submitter);
    expect(waiting).toBe(3);
    expect(submitter.status().inFlight).toBe(0);
    expect(await status()).toMatchObject({ committedId: 0, epoch: 2 });
    const told = (): string => alerts.map(({ message }) => message).join('; ');
    expect(told()).toContain('sluice bond top-up');
    await mining(true);
    await topUpBond(fixture.as(ALICE), rollup, rollup.bondWei);
    await step(submitter);
    expect(told()).toMatch(/batch 1: expected epoch 2, got 1, which L1 has ended: .*sluice recover/);
    expect(await status()).toMatchObject({ committedId: 0 });

    chain.rewind(0);
    chain.epoch = 2;
    const fresh = await signBatches(2);
    expect(fresh.map(({ header }) => header.id)).toEqual([first!.header.id, old[0]!.header.id]);
    await step(submitter);
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 2, epoch: 2 });
    expect(submitter.status().alerts).toEqual([]);
  });
});

describe('others', () => {
  test('L1 down: one alert, and it goes on when L1 is back', async () => {
    await signBatches(1);
    const submitter = await open();
    const { port } = fixture.devnet;
    await fixture.devnet.stop();
    for (let i = 0; i < 3; i++) await submitter.step();
    expect(new Set(codes())).toEqual(new Set(['l1-unreachable']));
    const stateFile = path.join(directory, 'l1', 'state.json');
    fixture = { ...fixture, devnet: await startDevnet({ port, stateFile }) };
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 1 });
    expect(submitter.status().alerts).toEqual([]);
  });

  test('someone else commits a batch first: nothing is lost, no gas is burned twice', async () => {
    const batches = await signBatches(2);
    await mining(false);
    const submitter = await open();
    await step(submitter);
    await rpc('anvil_dropAllTransactions');
    await mining(true);
    await commit(fixture.as(ALICE), fixture.rollup, batches[0]!);
    clock += 48_000;
    for (let i = 0; i < 3; i++) await step(submitter);
    expect(await status()).toMatchObject({ committedId: 2 });
    expect(submitter.status()).toMatchObject({ inFlight: 0, reverted: 0 });
  });

  test('a source that is down or of another chain is reported, and harms nothing', async () => {
    const [batch] = await signBatches(1);
    let answer: () => Promise<SignedBatch | undefined> = () =>
      Promise.reject(new BatchSourceError('http://sequencer: no answer'));
    const submitter = await open({
      source: { get: (id) => (id === 1 ? answer() : Promise.resolve(undefined)) },
    });
    await step(submitter);
    await step(submitter);
    expect(codes()).toEqual(['source']);
    const foreign = { ...batch!, header: { ...batch!.header, parentHash: new Uint8Array(32).fill(1) } };
    answer = () => Promise.resolve(foreign);
    await step(submitter);
    expect(codes()).toEqual(['source', 'fork']);
    answer = () => Promise.resolve(batch);
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 1 });
    expect(submitter.status().alerts).toEqual([]);
  });

  test('batches become final from L1 alone when the source has forgotten them', async () => {
    const owner = fromHex(actions.addressOf(fixture.as(ALICE)));
    fixture.chain.next(await planNow(fixture, { withdrawals: [{ owner, asset: 0, amount: 5n }] }));
    const submitter = await open();
    await step(submitter);
    fixture.chain.batches.length = 0;
    await passSeconds(fixture.l1, fixture.rollup.windowSeconds);
    await step(submitter);
    expect(await status()).toMatchObject({ finalId: 1 });
  });

  test('a source that is away does not hold up finality', async () => {
    await signBatches(1);
    let away = false;
    const submitter = await open({
      source: { get: (id) => (away ? Promise.reject(new BatchSourceError('away')) : source.get(id)) },
    });
    await step(submitter);
    away = true;
    await passSeconds(fixture.l1, fixture.rollup.windowSeconds);
    await step(submitter);
    expect(await status()).toMatchObject({ finalId: 1 });
    expect(codes()).toEqual(['source']);
  });

  test('a batch that the contract refuses is held, not paid for', async () => {
    const plan = await planNow(fixture, { header: { queueHash: new Uint8Array(32).fill(7) } });
    fixture.chain.next(plan);
    const submitter = await open();
    for (let i = 0; i < 5; i++) await step(submitter);
    expect(submitter.status()).toMatchObject({ inFlight: 0, transactions: 0 });
    expect(alerts).toHaveLength(1);
    expect(alerts[0]!.message).toContain('WrongField("queueHash"');
  });

  test('an empty purse is reported', async () => {
    await signBatches(1);
    const submitter = await open();
    await rpc('anvil_setBalance', actions.addressOf(fixture.as(SUBMITTER)), '0x1');
    await step(submitter);
    expect(codes()).toContain('low-balance');
    await rpc('anvil_setBalance', actions.addressOf(fixture.as(SUBMITTER)), '0xde0b6b3a7640000');
    await step(submitter);
    expect(await status()).toMatchObject({ committedId: 1 });
  });
});
