/**
 * Inputs that are not in calldata, end to end on a real L1: off chain from peer to peer, out of blobs with an L1 alone,
 * demanded and answered under a flood, withheld and struck, blobs that hold something else struck by opening them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, fromHex } from '#protocol/bytes.ts';
import { type RunningVerifier, runVerifier, verifyOnce } from '#prover-stub/main.ts';
import { commitBatchBytes } from '#settlement/l1/batch-calldata.ts';
import { ELEMENT_BYTES, packBlobs } from '#settlement/l1/blob-codec.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import { compileContracts } from '#settlement/l1/compile.ts';
import { demandInputs, readDemandCounts } from '#settlement/l1/demand-actions.ts';
import { Kzg, versionedHash } from '#settlement/l1/kzg.ts';
import { broadcast, signTransaction } from '#settlement/l1/transactions.ts';
import { rollupStatus } from '#settlement/l1/vault-actions.ts';
import type { Alert } from '#settlement/submitter/alerts.ts';
import type { BatchSource } from '#settlement/submitter/batch-source.ts';
import type { CarrierChoice } from '#settlement/submitter/carrier.ts';
import { Submitter } from '#settlement/submitter/submitter.ts';
import { ALICE, BOB, passSeconds, SUBMITTER } from '../settlement/l1-fixture.ts';
import { L1Session, PRICE } from './l1-session.ts';
import { TestSequencer } from './test-sequencer.ts';

const keccak = await createWasmKeccak();
const WINDOW = 1_200;
const ANSWER = 150;

let session: L1Session;
let sequencer: TestSequencer;
let directory: string;
const running: RunningVerifier[] = [];
const servers: Server[] = [];
const submitters: Submitter[] = [];
let alerts: Alert[];

// The first to need the contracts compiles them.
beforeAll(async () => {
  await compileContracts();
}, 240_000);
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'sluice-da-'));
  alerts = [];
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  for (const one of submitters.splice(0)) await one.stop();
  for (const one of servers.splice(0)) one.close();
  await session?.fixture.devnet.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Two batches, not posted: deposits and configuration; prices and trades in several segments. */
async function begin(inputsOffChain: boolean): Promise<void> {
  session = await L1Session.start(
    {},
    {
      inputsOffChain,
      windowSeconds: WINDOW,
      livenessSeconds: 86_400,
      demands: { feeWei: 10n ** 12n, answerSeconds: ANSWER },
    },
  );
  const { domain, sequencerKey, l1 } = session.fixture;
  sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
  for (const command of await session.queueCommands()) sequencer.apply(command);
  sequencer.cut(await session.place());
  sequencer.apply(session.price(PRICE));
  for (let i = 0; i < 60; i++) sequencer.apply(session.order(1 + (i % 4), (i % 2) as 0 | 1, PRICE, 3 + i));
  sequencer.cut(await session.place());
  await passSeconds(l1, 30);
}

const status = () => rollupStatus(session.fixture.l1, session.fixture.rollup);
const source: BatchSource = {
  get: async (id) => sequencer.batches.find(({ header }) => header.id === id),
};
const keyOf = (account: number): Uint8Array => fromHex(session.fixture.devnet.accounts[account]!.key);

async function openSubmitter(carrier: CarrierChoice): Promise<Submitter> {
  const { rollup } = session.fixture;
  const submitter = new Submitter({
    l1: session.fixture.as(SUBMITTER),
    rollup,
    source,
    directory: path.join(directory, 'submitter'),
    carrier,
    finalize: false,
    alert: (alert) => alerts.push(alert),
  });
  await submitter.open();
  submitters.push(submitter);
  return submitter;
}
async function commitAll(carrier: CarrierChoice): Promise<Submitter> {
  const submitter = await openSubmitter(carrier);
  await expect
    .poll(
      async () => {
        await submitter.step();
        return (await status()).committedId;
      },
      { timeout: 60_000, interval: 50 },
    )
    .toBe(sequencer.batches.length);
  return submitter;
}

/** Serves GET /inputs/ID as the sequencer does; `lie` changes what is served. */
async function serve(lie: (inputs: Uint8Array) => Uint8Array = (inputs) => inputs): Promise<string> {
  const server = createServer((request, response) => {
    const id = Number(/^\/inputs\/(\d+)$/.exec(request.url ?? '')?.[1]);
    const batch = sequencer.batches.find(({ header }) => header.id === id);
    response.statusCode = batch === undefined ? 404 : 200;
    response.end(batch === undefined ? undefined : lie(batch.inputs));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function watch(
  name: string,
  options: Partial<Parameters<typeof runVerifier>[0]> = {},
): Promise<RunningVerifier> {
  const verifier = await runVerifier({
    l1: session.fixture.devnet.url,
    data: path.join(directory, name),
    port: 0,
    workers: 0,
    pollMs: 50,
    ...options,
  });
  running.push(verifier);
  return verifier;
}
const verified = (verifier: RunningVerifier, id: number): Promise<void> =>
  expect.poll(() => verifier.status().verified, { timeout: 60_000 }).toBe(id);

describe('off chain', () => {
  test('inputs go from the sequencer to a verifier, and on to others when it is gone', async () => {
    await begin(true);
    await commitAll('off-chain');
    const url = await serve();
    const first = await watch('first', { peers: [url] });
    await verified(first, 2);
    for (const one of servers.splice(0)) one.close();
    const second = await watch('second', { peers: [url, first.url] });
    await verified(second, 2);
    await first.stop();
    // A third has only the second to ask, and keeps what it got through a restart with nobody to ask.
    const third = await watch('third', { peers: [second.url] });
    await verified(third, 2);
    await third.stop();
    await second.stop();
    const again = await verifyOnce({
      l1: session.fixture.devnet.url,
      data: path.join(directory, 'third'),
      workers: 0,
    });
    expect(again.verdict).toBe('verified');
  }, 240_000);

  test('what peers make up counts for nothing, and the next one is asked', async () => {
    await begin(true);
    await commitAll('off-chain');
    const liars = await Promise.all([
      serve((inputs) => inputs.map((byte, i) => (i === 40 ? byte ^ 1 : byte))),
      serve((inputs) => inputs.subarray(1)),
      serve((inputs) => Uint8Array.from([...inputs, 0])),
      serve(() => new Uint8Array(0)),
    ]);
    const misled = await watch('misled', { peers: liars });
    await expect.poll(() => misled.status().l1.trouble, { timeout: 30_000 }).toContain('other bytes than');
    expect(misled.status()).toMatchObject({ verified: 0, mismatches: 0, missing: { batch: 1 } });
    const helped = await watch('helped', { peers: [...liars, await serve()] });
    await verified(helped, 2);
  }, 240_000);

  test('a sequencer that withholds is struck, and who demanded is paid', async () => {
    await begin(true);
    await commitAll('off-chain');
    const { l1, rollup } = session.fixture;
    const before = await balance(ALICE);
    const watcher = await watch('watcher', { challengeKey: keyOf(ALICE), patienceMs: 0 });
    await expect.poll(() => watcher.demands()!.open.length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(watcher.status().missing).toMatchObject({ batch: 1 });
    // Time for an answer: nothing is struck while it runs.
    expect(await status()).toMatchObject({ committedId: 2 });
    await passSeconds(l1, ANSWER + 60);
    await expect.poll(async () => (await status()).committedId, { timeout: 30_000 }).toBe(0);
    await expect.poll(() => watcher.demands()!, { timeout: 30_000 }).toMatchObject({ open: [], struck: 1 });
    await expect
      .poll(async () => (await balance(ALICE)) - before, { timeout: 30_000 })
      .toBeGreaterThan(rollup.bondWei / 2n - 10n ** 17n);
    expect(watcher.status()).toMatchObject({ committed: 0, verified: 0, missing: null });
  }, 240_000);

  test('an obedient sequencer answers a flood by itself, and verifiers live on its answers', async () => {
    await begin(true);
    const submitter = await commitAll('off-chain');
    const { l1, rollup } = session.fixture;
    const [, batch] = sequencer.batches as [SignedBatch, SignedBatch];
    const flooder = session.fixture.as(BOB);
    await flood(flooder, batch, 40);
    const step = async (): Promise<number> => {
      await submitter.step();
      return (await readDemandCounts(l1, rollup)).open;
    };
    await expect.poll(step, { timeout: 60_000, interval: 20 }).toBe(0);
    await submitter.step();
    expect(submitter.status()).toMatchObject({ demands: { made: 40, open: 0, answered: 40 }, reverted: 0 });
    expect(new Set(alerts.map(({ code }) => code))).toEqual(new Set(['demanded']));
    await passSeconds(l1, ANSWER * 3);
    expect((await status()).committedId).toBe(2);
    // The first batch nobody has asked for yet: a verifier with nobody to ask demands it, and gets it.
    const watcher = await watch('watcher', { challengeKey: keyOf(ALICE), patienceMs: 0 });
    const both = async (): Promise<number> => {
      await submitter.step();
      return watcher.status().verified;
    };
    await expect.poll(both, { timeout: 60_000, interval: 50 }).toBe(2);
    expect((await status()).committedId).toBe(2);
    // What it got from L1 it serves to others.
    const kept = await fetch(`${watcher.url}/inputs/2`);
    expect(equalBytes(new Uint8Array(await kept.arrayBuffer()), batch.inputs)).toBe(true);
    expect((await fetch(`${watcher.url}/inputs/3`)).status).toBe(404);
    expect((await fetch(`${watcher.url}/inputs/x`)).status).toBe(400);
    expect(await (await fetch(`${watcher.url}/metrics`)).text()).toMatch(
      /^sluice_verifier_demands_answered_total [1-9]/m,
    );
  }, 240_000);

  test('a sequencer that has lost its inputs hears it while there is time', async () => {
    await begin(true);
    const submitter = await commitAll('off-chain');
    const [batch] = sequencer.batches as [SignedBatch, SignedBatch];
    await flood(session.fixture.as(BOB), batch, 1);
    const kept = sequencer.batches.splice(0);
    await submitter.step();
    expect(alerts.map(({ code }) => code)).toEqual(['demanded', 'unanswerable']);
    expect(submitter.status().demands).toMatchObject({ open: 1, answered: 0 });
    sequencer.batches.push(...kept);
    await expect
      .poll(
        async () => {
          await submitter.step();
          return submitter.status().demands.open;
        },
        { timeout: 20_000 },
      )
      .toBe(0);
    expect(submitter.status().alerts).toEqual([]);
  }, 240_000);
});

describe('blobs', () => {
  test('a verifier with nothing but an L1 reads the inputs out of its blobs', async () => {
    await begin(false);
    await commitAll('blobs');
    const l1 = session.fixture.devnet.url;
    expect((await verifyOnce({ l1, workers: 0 })).verdict).toBe('verified');
    // The same over the standard API of beacon nodes.
    expect((await verifyOnce({ l1, workers: 0, beacon: l1 })).verdict).toBe('verified');
  }, 240_000);

  test('blobs that nodes have dropped come from peers', async () => {
    await begin(false);
    await commitAll('blobs');
    const empty = await serve(() => new Uint8Array(0));
    const none = await watch('none', { beacon: empty, peers: [empty] });
    await expect.poll(() => none.status().missing, { timeout: 30_000 }).toMatchObject({ batch: 1 });
    expect(none.status().mismatches).toBe(0);
    const helped = await watch('helped', { beacon: empty, peers: [await serve()] });
    await verified(helped, 2);
  }, 240_000);

  test.each([
    [
      'another byte',
      (blobs: Uint8Array[]) => {
        blobs[0]![32 * 20 + 5]! ^= 1;
      },
    ],
    [
      'an element of more than 31 bytes',
      (blobs: Uint8Array[]) => {
        blobs[0]![32 * 9] = 1;
      },
    ],
    [
      'nothing',
      (blobs: Uint8Array[]) => {
        blobs[0]!.fill(0);
      },
    ],
  ] as const)(
    'a blob with %s is struck by opening it',
    async (_, alter) => {
      await begin(false);
      const [first, second] = sequencer.batches as [SignedBatch, SignedBatch];
      await commitInBlobs(first, packBlobs(first.inputs));
      const blobs = packBlobs(second.inputs);
      alter(blobs);
      await commitInBlobs(second, blobs);
      expect((await status()).committedId).toBe(2);
      const watcher = await watch('watcher', { challengeKey: keyOf(ALICE) });
      await expect.poll(() => watcher.challenges()!.struck, { timeout: 120_000, interval: 100 }).toBe(1);
      expect(watcher.challenges()!.cases).toMatchObject([{ batch: 2, what: 'inputs of segment 0' }]);
      expect((await status()).committedId).toBe(1);
      expect(second.inputs.length).toBeGreaterThan(20 * ELEMENT_BYTES);
      await verified(watcher, 1);
    },
    240_000,
  );
});

const balance = (account: number): Promise<bigint> =>
  session.fixture.l1.public.getBalance({ address: session.fixture.devnet.accounts[account]!.address });

async function flood(l1: L1Client, batch: SignedBatch, count: number): Promise<void> {
  const { rollup } = session.fixture;
  for (let i = 0; i < count; i++) {
    const { feeWei } = await readDemandCounts(l1, rollup);
    await demandInputs(l1, rollup, { batch, segment: i % batch.trace.length, feeWei });
  }
}

/** As a submitter whose blobs may hold anything. */
async function commitInBlobs(batch: SignedBatch, blobs: readonly Uint8Array[]): Promise<void> {
  const kzg = new Kzg();
  try {
    const l1 = session.fixture.as(SUBMITTER);
    const { address } = session.fixture.devnet.accounts[SUBMITTER]!;
    const sidecar = await kzg.sidecar(blobs, 'proofs');
    const data = commitBatchBytes({ ...batch, inputs: new Uint8Array(0) });
    const { raw, hash } = await signTransaction(l1, {
      to: session.fixture.rollup.rollup,
      data: `0x${Buffer.from(data).toString('hex')}`,
      nonce: await l1.public.getTransactionCount({ address }),
      gas: 3_000_000n,
      maxFeePerGas: 100_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
      maxFeePerBlobGas: 1_000_000_000n,
      blobHashes: sidecar.commitments.map(versionedHash),
    });
    await broadcast(l1, raw, sidecar);
    const receipt = await l1.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    expect(receipt.status).toBe('success');
  } finally {
    await kzg.close();
  }
}
