/** The submitter and where inputs go: chosen by price, blobs through restarts, resubmission and reorgs, off chain. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, fromHex } from '#protocol/bytes.ts';
import { rollupAbi } from '#settlement/l1/abi.ts';
import { STREAM_BYTES_MAX, unpackBlobs } from '#settlement/l1/blob-codec.ts';
import { compileContracts } from '#settlement/l1/compile.ts';
import { emptySidecar } from '#settlement/l1/kzg.ts';
import { broadcast, readSigned, signTransaction } from '#settlement/l1/transactions.ts';
import * as actions from '#settlement/l1/vault-actions.ts';
import type { Alert } from '#settlement/submitter/alerts.ts';
import type { BatchSource } from '#settlement/submitter/batch-source.ts';
import { type CarrierChoice, carriersOf, chooseCarrier } from '#settlement/submitter/carrier.ts';
import { IntentStore } from '#settlement/submitter/intent-store.ts';
import { Submitter, type SubmitterOptions } from '#settlement/submitter/submitter.ts';
import { type L1Fixture, passSeconds, planNow, SUBMITTER, startFixture } from './l1-fixture.ts';

const GWEI = 1_000_000_000n;

let fixture: L1Fixture;
let directory: string;
let clock: number;
let alerts: Alert[];
const opened: Submitter[] = [];

async function start(inputsOffChain = false): Promise<void> {
  fixture = await startFixture({ deploy: { inputsOffChain } });
}
// The first to need the contracts compiles them.
beforeAll(async () => {
  await compileContracts();
}, 240_000);
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'carriers-'));
  clock = 1_000_000;
  alerts = [];
});
afterEach(async () => {
  for (const submitter of opened.splice(0)) await submitter.stop();
  await fixture?.devnet.stop();
  await rm(directory, { recursive: true });
});

const source: BatchSource = {
  get: async (id) => fixture.chain.batches.find((batch) => batch.header.id === id),
};

async function open(carrier: CarrierChoice, more: Partial<SubmitterOptions> = {}): Promise<Submitter> {
  const submitter = new Submitter({
    l1: fixture.as(SUBMITTER),
    rollup: fixture.rollup,
    source,
    directory: path.join(directory, 'submitter'),
    confirmations: 3,
    now: () => clock,
    alert: (alert) => alerts.push(alert),
    carrier,
    ...more,
  });
  await submitter.open();
  opened.push(submitter);
  return submitter;
}

const rpc = <Result>(method: string, ...params: unknown[]): Promise<Result> =>
  fixture.l1.public.request({ method, params } as never);
const next = async (inputBytes = 300): Promise<SignedBatch> =>
  fixture.chain.next(await planNow(fixture, { inputBytes }));
const status = () => actions.rollupStatus(fixture.l1, fixture.rollup);
const record = (id: number) =>
  fixture.l1.public.readContract({
    address: fixture.rollup.rollup,
    abi: rollupAbi,
    functionName: 'batches',
    args: [BigInt(id)],
  });
/** Steps, as the timer does, until blobs are made and the state is reached. */
const until = (submitter: Submitter, committedId: number): Promise<void> =>
  expect
    .poll(
      async () => {
        await submitter.step();
        return (await status()).committedId;
      },
      { timeout: 120_000, interval: 50 },
    )
    .toBe(committedId);
async function waiting(submitter: Submitter): Promise<void> {
  await expect
    .poll(
      async () => {
        await submitter.step();
        return rpc<{ pending: string }>('txpool_status');
      },
      { timeout: 120_000, interval: 50 },
    )
    .toMatchObject({ pending: '0x1' });
}
async function pendingTransaction() {
  const { pending } = await rpc<{ pending: Record<string, Record<string, PoolTransaction>> }>(
    'txpool_content',
  );
  const [one] = Object.values(Object.values(pending)[0]!);
  return one!;
}
interface PoolTransaction {
  readonly type: string;
  readonly to: string;
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
  readonly maxFeePerBlobGas: string;
}

/** The bytes in the blobs of the transaction that committed the batch. */
async function inputsInBlobs(id: number): Promise<Uint8Array> {
  const { committedBlock } = await record(id);
  const block = await fixture.l1.public.getBlock({ blockNumber: BigInt(committedBlock) });
  const blobs = await rpc<`0x${string}`[]>('anvil_getBlobsByTransactionHash', block.transactions[0]);
  const { inputs } = fixture.chain.batches[id - 1]!;
  const { bytes, unclean } = unpackBlobs(blobs.map(fromHex), inputs.length);
  expect(unclean).toBeUndefined();
  return bytes;
}

const ANYWHERE = { elsewhere: true, offChain: true };
const ON_CHAIN = { elsewhere: true, offChain: false };

describe('the choice', { timeout: 60_000 }, () => {
  const batch = async (inputBytes: number): Promise<SignedBatch> => next(inputBytes);

  test('auto is the cheaper of calldata and blobs at the prices of the moment', async () => {
    await start();
    const small = await batch(1_000);
    const large = await batch(60_000);
    const choose = (of: SignedBatch, baseFeePerGas: bigint, blobBaseFeePerGas: bigint | undefined) =>
      chooseCarrier('auto', carriersOf(of, { baseFeePerGas, blobBaseFeePerGas }, ANYWHERE))?.carrier;
    expect(choose(large, GWEI, 1n)).toBe('blobs');
    expect(choose(small, GWEI, 1n)).toBe('blobs');
    // A blob costs the same however little is in it.
    expect(choose(small, GWEI, GWEI)).toBe('calldata');
    expect(choose(large, GWEI, GWEI)).toBe('blobs');
    expect(choose(large, GWEI, 100n * GWEI)).toBe('calldata');
    expect(choose(large, GWEI, undefined)).toBe('calldata');
  });

  test('auto goes off chain only with what nothing else carries; what can not be is none', async () => {
    await start();
    const huge = await batch(300_000);
    const market = { baseFeePerGas: GWEI, blobBaseFeePerGas: 1n };
    const without = { ...market, blobBaseFeePerGas: undefined };
    expect(chooseCarrier('auto', carriersOf(huge, market, ANYWHERE))?.carrier).toBe('blobs');
    expect(chooseCarrier('auto', carriersOf(huge, without, ANYWHERE))?.carrier).toBe('off-chain');
    expect(chooseCarrier('auto', carriersOf(huge, without, ON_CHAIN))).toBeUndefined();
    expect(chooseCarrier('calldata', carriersOf(huge, market, ANYWHERE))).toBeUndefined();
    expect(chooseCarrier('off-chain', carriersOf(huge, market, ON_CHAIN))).toBeUndefined();
    const beyond = { ...huge, inputs: new Uint8Array(STREAM_BYTES_MAX + 1) };
    expect(chooseCarrier('blobs', carriersOf(beyond, market, ANYWHERE))).toBeUndefined();
    expect(chooseCarrier('off-chain', carriersOf(beyond, market, ANYWHERE))?.carrier).toBe('off-chain');
  });

  test('who is not the submitter of the rollup has calldata alone', async () => {
    await start();
    const market = { baseFeePerGas: GWEI, blobBaseFeePerGas: 1n };
    const carriers = carriersOf(await batch(60_000), market, { elsewhere: false, offChain: true });
    expect(carriers.map(({ carrier }) => carrier)).toEqual(['calldata']);
  });

  test('a batch without inputs goes as it is', async () => {
    await start();
    const empty = { ...(await batch(300)), inputs: new Uint8Array(0) };
    const carriers = carriersOf(empty, { baseFeePerGas: GWEI, blobBaseFeePerGas: 1n }, ANYWHERE);
    for (const choice of ['auto', 'blobs', 'off-chain', 'calldata'] as const)
      expect(chooseCarrier(choice, carriers)?.carrier).toBe('calldata');
  });
});

describe('blobs', () => {
  test('batches go into blobs, are committed in order and become final', async () => {
    await start();
    await next(300);
    await next(130_000);
    const submitter = await open('auto');
    await until(submitter, 2);
    expect((await record(1)).carrier).toBe(1);
    expect((await record(2)).carrier).toBe(1);
    for (const id of [1, 2])
      expect(equalBytes(await inputsInBlobs(id), fixture.chain.batches[id - 1]!.inputs)).toBe(true);
    await passSeconds(fixture.l1, fixture.rollup.windowSeconds);
    await expect
      .poll(
        async () => {
          await submitter.step();
          return (await status()).finalId;
        },
        { timeout: 30_000 },
      )
      .toBe(2);
    await submitter.step();
    expect(submitter.status()).toMatchObject({ carrier: 'blobs', blobs: 3, reverted: 0 });
    expect(alerts).toEqual([]);
  }, 240_000);

  test('a restart makes the blobs again and sends the same transaction', async () => {
    await start();
    await next(2_000);
    await rpc('evm_setAutomine', false);
    const before = await open('blobs');
    await waiting(before);
    await before.stop();
    await rpc('anvil_dropAllTransactions');
    const store = await IntentStore.open(path.join(directory, 'submitter'), {
      chainId: fixture.rollup.chainId,
      rollup: fixture.rollup.rollup,
      sender: actions.addressOf(fixture.as(SUBMITTER)),
    });
    const { intents } = await store.load();
    await store.close();
    // Its body alone: blobs are made again.
    expect(intents.map(({ raw }) => raw.length < 12_000)).toEqual([true]);
    expect(readSigned(intents[0]!.raw).blobHashes).toHaveLength(1);
    const after = await open('blobs');
    await waiting(after);
    await rpc('evm_mine');
    expect(await rpc('eth_getTransactionReceipt', intents[0]!.hashes[0])).toMatchObject({ status: '0x1' });
    expect((await status()).committedId).toBe(1);
  }, 240_000);

  test('an overdue one is sent again at twice the price, of its blobs too', async () => {
    await start();
    await next();
    await rpc('evm_setAutomine', false);
    const submitter = await open('blobs', { resubmitMs: 10_000 });
    await waiting(submitter);
    const first = await pendingTransaction();
    clock += 10_000;
    await submitter.step();
    const second = await pendingTransaction();
    for (const price of ['maxFeePerGas', 'maxPriorityFeePerGas', 'maxFeePerBlobGas'] as const)
      expect(BigInt(second[price])).toBeGreaterThanOrEqual(2n * BigInt(first[price]));
    expect(submitter.status().resubmissions).toBe(1);
    await rpc('evm_mine');
    expect((await status()).committedId).toBe(1);
  }, 240_000);

  test('one that became pointless is replaced by one with an empty blob', async () => {
    await start();
    await next();
    await rpc('evm_setAutomine', false);
    const submitter = await open('blobs', { resubmitMs: 10_000 });
    await waiting(submitter);
    const commit = await pendingTransaction();
    // Drained: the contract would refuse the commit now.
    const { rollup } = fixture.rollup;
    const slot = await bondSlot();
    await rpc('anvil_setStorageAt', rollup, slot, `0x${'00'.repeat(32)}`);
    clock += 10_000;
    await submitter.step();
    const fill = await pendingTransaction();
    expect([commit.type, fill.type]).toEqual(['0x3', '0x3']);
    expect(fill.to.toLowerCase()).toBe(actions.addressOf(fixture.as(SUBMITTER)).toLowerCase());
    await rpc('evm_mine');
    await submitter.step();
    expect((await status()).committedId).toBe(0);
    expect(submitter.status()).toMatchObject({ inFlight: 0, transactions: 1, reverted: 0 });
  }, 240_000);

  test('a commit that a reorg drops is sent again', async () => {
    await start();
    await next();
    const submitter = await open('blobs');
    await until(submitter, 1);
    await submitter.step();
    await rpc('anvil_rollback', 1);
    await rpc('anvil_dropAllTransactions');
    expect((await status()).committedId).toBe(0);
    await until(submitter, 1);
    // As it is, or dearer when the blocks behind the reorg ask for more.
    await submitter.step();
    expect(submitter.status()).toMatchObject({ committed: 1, reverted: 0 });
  }, 240_000);

  test('transactions without blobs wait for those with, and get their turn', async () => {
    await start();
    await next();
    const submitter = await open('blobs');
    await until(submitter, 1);
    await submitter.step();
    await passSeconds(fixture.l1, fixture.rollup.windowSeconds);
    await next();
    await rpc('evm_setAutomine', false);
    // The finalization comes first, and the commit with blobs is not put beside it.
    for (let i = 0; i < 40; i++) await submitter.step();
    expect(await rpc('txpool_status')).toMatchObject({ pending: '0x1' });
    expect((await pendingTransaction()).type).toBe('0x2');
    await rpc('evm_mine');
    await waiting(submitter);
    expect((await pendingTransaction()).type).toBe('0x3');
    await rpc('evm_mine');
    expect(await status()).toMatchObject({ committedId: 2, finalId: 1 });
  }, 240_000);

  test('both forms of a sidecar are taken', async () => {
    await start();
    const l1 = fixture.as(SUBMITTER);
    for (const [nonce, form] of (['proofs', 'cells'] as const).entries()) {
      const sidecar = emptySidecar(form);
      const { raw, hash } = await signTransaction(l1, {
        to: actions.addressOf(l1),
        data: '0x',
        nonce,
        gas: 21_000n,
        maxFeePerGas: 10n * GWEI,
        maxPriorityFeePerGas: GWEI,
        maxFeePerBlobGas: GWEI,
        blobHashes: ['0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014'],
      });
      await broadcast(l1, raw, sidecar);
      const receipt = await fixture.l1.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
      expect(receipt).toMatchObject({ status: 'success', blobGasUsed: 131_072n });
    }
  });
});

describe('off chain', { timeout: 60_000 }, () => {
  test('a commit without inputs, where the rollup takes it', async () => {
    await start(true);
    await next(200_000);
    const submitter = await open('off-chain');
    await until(submitter, 1);
    expect((await record(1)).carrier).toBe(2);
    expect(submitter.status()).toMatchObject({ carrier: 'off-chain', blobs: 0 });
  });

  test('where it does not, an alert says so and nothing is paid', async () => {
    await start(false);
    await next();
    const submitter = await open('off-chain');
    for (let i = 0; i < 3; i++) await submitter.step();
    expect(alerts.map(({ code, message }) => [code, message])).toEqual([
      [
        'carrier',
        'commit of batch 1: expected off-chain to take 300 bytes of inputs, got blobs, calldata that could',
      ],
    ]);
    expect(submitter.status()).toMatchObject({ inFlight: 0, transactions: 0 });
  });
});

/** Where Rollup keeps its bond: the only slot with this value. */
async function bondSlot(): Promise<string> {
  const { rollup, bondWei } = fixture.rollup;
  for (let slot = 0; slot < 64; slot++) {
    const at = `0x${slot.toString(16).padStart(64, '0')}`;
    if (BigInt(await rpc<string>('eth_getStorageAt', rollup, at, 'latest')) === bondWei) return at;
  }
  throw new Error('expected a slot with the bond');
}
