/** The verifier on a real L1: a verdict from an empty directory, restarts, reorgs, proofs that the vault takes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRecover } from '#auth/recover.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { runVerifier, verifyOnce } from '#prover-stub/main.ts';
import { attesterOf } from '#prover-stub/prover.ts';
import { type DevnetOptions, startDevnet } from '#settlement/l1/devnet.ts';
import { tokenBalance, withdraw } from '#settlement/l1/vault-actions.ts';
import { testKey } from '../auth/keys.ts';
import { passSeconds } from '../settlement/l1-fixture.ts';
import { totalMoney } from '../support/invariants.ts';
import { flipped, L1Session, OWNERS, PRICE } from './l1-session.ts';
import { TestSequencer } from './test-sequencer.ts';

const keccak = await createWasmKeccak();

describe('a verifier', () => {
  let session: L1Session;
  let sequencer: TestSequencer;
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'sluice-test-'));
    await begin();
  }, 60_000);
  afterEach(async () => {
    await session?.fixture.devnet.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function begin(devnet: DevnetOptions = {}): Promise<void> {
    session = await L1Session.start(devnet);
    const { domain, sequencerKey } = session.fixture;
    sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
  }

  const once = () => verifyOnce({ l1: session.fixture.devnet.url, workers: 0 });
  const run = (more: { key?: Uint8Array; snapshotEvery?: number; say?: (text: string) => void } = {}) =>
    runVerifier({
      l1: session.fixture.devnet.url,
      data: path.join(directory, 'verifier'),
      port: 0,
      workers: 0,
      pollMs: 20,
      ...more,
    });
  const get = async (url: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(url);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const mine = (blocks: number): Promise<unknown> =>
    session.fixture.l1.public.request({
      method: 'anvil_mine',
      params: [`0x${blocks.toString(16)}`],
    } as never);

  /** A batch with trades in it, cut and committed. */
  async function batch(size: number): Promise<void> {
    for (const command of await session.queueCommands()) sequencer.apply(command);
    sequencer.apply(session.price(PRICE));
    sequencer.apply(session.order(1, 1, PRICE, size));
    sequencer.apply(session.order(2, 0, PRICE, size + 1));
    sequencer.apply(session.message(3, [{ kind: 'withdraw', asset: 0, amount: 1_000 + size }]));
    session.now += 300;
    await session.post(sequencer.cut(await session.place()));
  }

  test('finds an honest chain as posted, from nothing but the URL of an L1', async () => {
    for (const size of [100, 200, 300]) await batch(size);
    const verdict = await once();
    expect(verdict).toMatchObject({ verdict: 'verified', sentence: 'verified: all 3 batches' });
    const { header, hash } = sequencer.last!;
    expect(verdict.status).toMatchObject({
      committed: 3,
      verified: 3,
      final: 0,
      mismatches: 0,
      difference: null,
      steps: header.nextStep,
      commands: header.nextSeq - 1,
      head: {
        hash: toHex(hash),
        ledgerRoot: toHex(header.postLedgerRoot),
        bookRoot: toHex(header.postBookRoot),
      },
      ledger: { batch: 3, accounts: 5, withdrawn: '3600' },
    });
    const money = totalMoney(sequencer.state);
    expect(BigInt(verdict.status!.ledger.owed) + 3_600n).toBe(money);
  });

  test('an L1 that does not answer, or has no rollup, is no verdict', async () => {
    const { url } = session.fixture.devnet;
    const nowhere = '0x00000000000000000000000000000000000000aa';
    expect(await verifyOnce({ l1: url, rollup: nowhere, workers: 0 })).toMatchObject({ verdict: 'unknown' });
    await session.fixture.devnet.stop();
    expect(await verifyOnce({ l1: url, workers: 0 })).toMatchObject({ verdict: 'unknown' });
  });

  test('follows, tells over HTTP, and its proofs take money out of the vault', async () => {
    const key = testKey(900);
    const running = await run({ key: key.secret });
    try {
      expect(await get(`${running.url}/health`)).toMatchObject({ status: 200 });
      await batch(100);
      await batch(200);
      await expect.poll(() => running.status().verified, { timeout: 20_000 }).toBe(2);
      const owner = toHex(OWNERS[2]!.address);
      const proofUrl = `${running.url}/withdrawal-proof?owner=${owner}&asset=0`;
      expect((await get(proofUrl)).status).toBe(404);
      await session.finalizeAll(sequencer.batches);
      await expect.poll(() => running.status().final, { timeout: 20_000 }).toBe(2);

      const { status, body } = await get(proofUrl);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        batch: 2,
        total: '2300',
        ledgerRoot: toHex(sequencer.last!.header.postLedgerRoot),
      });
      const { l1, rollup } = session.fixture;
      const proof = { owner, asset: 0, total: 2_300n, batchId: 2, path: fromHex(body.proof as string) };
      expect((await withdraw(l1, rollup, proof)).amount).toBe(2_300n);
      expect(await tokenBalance(l1, rollup, { address: owner })).toBe(2_300n);

      const totals = await get(`${running.url}/totals`);
      expect(totals.body).toMatchObject({
        batch: 2,
        withdrawn: '2300',
        withdrawals: [{ owner, asset: 0, amount: '2300' }],
      });
      expect(BigInt(totals.body.owed as string) + 2_300n).toBe(totalMoney(sequencer.state));
      const metrics = await (await fetch(`${running.url}/metrics`)).text();
      expect(metrics).toContain('sluice_verifier_batches_total 2');
      expect(metrics).toContain('sluice_verifier_mismatches 0');
      const attested = await get(`${running.url}/proof?batch=2`);
      const made = {
        batch: 2,
        publicInputs: fromHex(attested.body.publicInputs as string),
        bytes: fromHex(attested.body.proof as string),
      };
      const tools = { keccak, recover: createRecover(keccak) };
      expect(attesterOf(made, rollup.domain, tools)).toEqual(key.address);
      expect(attesterOf({ ...made, batch: 1 }, rollup.domain, tools)).not.toEqual(key.address);
      for (const wrong of ['/nothing', '/withdrawal-proof?owner=1', '/proof?batch=x', '/proof?batch=9'])
        expect((await get(running.url + wrong)).status).toBeGreaterThanOrEqual(400);
    } finally {
      await running.stop();
    }
  });

  test('goes on where it stopped, from its newest snapshot', async () => {
    const said: string[] = [];
    const first = await run({ snapshotEvery: 5 });
    await batch(100);
    await batch(200);
    await expect.poll(() => first.status().verified, { timeout: 20_000 }).toBe(2);
    await first.stop();
    await batch(300);
    const again = await run({ say: (text) => said.push(text) });
    try {
      // Before it has read a single block again.
      expect(again.status().verified).toBe(2);
      await expect.poll(() => again.status().verified, { timeout: 20_000 }).toBe(3);
      expect(again.status().head.ledgerRoot).toBe(toHex(sequencer.last!.header.postLedgerRoot));
      expect(said).toEqual([]);
      await expect(run()).rejects.toThrow('in use by another process');
    } finally {
      await again.stop();
    }
  });

  test('waits while L1 is away, and goes on when it is back', async () => {
    const stateFile = path.join(directory, 'l1', 'state.json');
    await session.fixture.devnet.stop();
    await begin({ stateFile });
    await batch(100);
    await session.finalizeAll(sequencer.batches);
    const running = await run();
    try {
      await expect.poll(() => running.status().final, { timeout: 20_000 }).toBe(1);
      const { port } = session.fixture.devnet;
      await session.fixture.devnet.stop();
      await expect.poll(() => running.status().l1.trouble, { timeout: 20_000 }).not.toBeNull();
      expect(running.status().mismatches).toBe(0);
      const devnet = await startDevnet({ port, stateFile });
      Object.assign(session.fixture, { devnet });
      await batch(200);
      await expect.poll(() => running.status().verified, { timeout: 20_000 }).toBe(2);
      expect(running.status().l1).toMatchObject({ trouble: null });
      expect(await once()).toMatchObject({ verdict: 'verified', sentence: 'verified: all 2 batches' });
    } finally {
      await running.stop();
    }
  });

  test('makes everything again when its own data are damaged', async () => {
    await batch(100);
    await batch(200);
    const said: string[] = [];
    const first = await run({ snapshotEvery: 1 });
    await expect.poll(() => first.status().verified, { timeout: 20_000 }).toBe(2);
    await first.stop();
    const level = new Level<string, Uint8Array>(path.join(directory, 'verifier'), { valueEncoding: 'view' });
    for await (const [key, value] of level.iterator({ gte: 'piece/', lt: 'queue/' }))
      await level.put(key, flipped(value, value.length - 1));
    await level.close();
    const again = await run({ say: (text) => said.push(text) });
    try {
      await expect.poll(() => again.status().verified, { timeout: 20_000 }).toBe(2);
      expect(said.join('\n')).toMatch(/its bytes are not those that were written/);
      expect(again.status().mismatches).toBe(0);
    } finally {
      await again.stop();
    }
  });

  test('goes back when L1 does, and forward on what came instead', async () => {
    const running = await run({ snapshotEvery: 1 });
    try {
      await batch(100);
      await mine(2);
      await batch(200);
      await batch(300);
      await expect.poll(() => running.status().verified, { timeout: 20_000 }).toBe(3);
      const dropped = running.status().head.hash;
      // The last two batches go, and others come in their place.
      const { l1 } = session.fixture;
      await l1.public.request({ method: 'anvil_rollback', params: [2] } as never);
      await passSeconds(l1, 5);
      const { domain, sequencerKey } = session.fixture;
      const { batches } = sequencer;
      const kept = batches[0]!;
      sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
      const other = await replayed(kept);
      expect(toHex(other.hash)).toBe(toHex(kept.hash));
      session.now += 1_000;
      await batch(400);
      await expect.poll(() => running.status().l1.reorgs, { timeout: 20_000 }).toBeGreaterThan(0);
      await expect.poll(() => running.status().verified, { timeout: 20_000 }).toBe(2);
      const { head, mismatches, difference } = running.status();
      expect({ mismatches, difference }).toEqual({ mismatches: 0, difference: null });
      expect(head.hash).toBe(toHex(sequencer.last!.hash));
      expect(head.hash).not.toBe(dropped);
    } finally {
      await running.stop();
    }
    expect(await once()).toMatchObject({ verdict: 'verified', sentence: 'verified: all 2 batches' });
  });

  /** Makes the first batch again, from its own inputs. */
  async function replayed(first: TestSequencer['batches'][number]) {
    const { splitRecords } = await import('#prover-stub/split-inputs.ts');
    const { signersOf } = await import('#auth/recover.ts');
    const recover = createRecover(keccak);
    for (const record of splitRecords(first.inputs))
      sequencer.apply({ record, signers: signersOf(record, session.fixture.domain, recover)! });
    const { epoch, anchorNumber, anchorHash } = first.header;
    return sequencer.cut({ epoch, anchor: { number: anchorNumber, hash: anchorHash } })[0]!;
  }
});
