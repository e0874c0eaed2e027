/** Finality by attestation on a real L1: at once where the rollup trusts it, never where it does not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { type RunningVerifier, type RunOptions, runVerifier } from '#prover-stub/main.ts';
import { AttestingProver } from '#prover-stub/prover.ts';
import { rollupAbi } from '#settlement/l1/abi.ts';
import { proofRefusal, proveBatch, readTrustedVerifier } from '#settlement/l1/prove-actions.ts';
import { rollupStatus, withdraw } from '#settlement/l1/vault-actions.ts';
import { Submitter } from '#settlement/submitter/submitter.ts';
import { testKey } from '../auth/keys.ts';
import { sluice } from '../client/program.ts';
import { passSeconds, rejection, SUBMITTER } from '../settlement/l1-fixture.ts';
import { flipped, L1Session, OWNERS, PRICE } from './l1-session.ts';
import { TestSequencer } from './test-sequencer.ts';

const keccak = await createWasmKeccak();
const ATTESTER = testKey(900);
const STRANGER = testKey(901);
/** Of the development accounts. */
const FINALIZER = 6;

let session: L1Session;
let batches: SignedBatch[];
let directory: string;
let snapshot: unknown;

const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
  session.fixture.l1.public.request({ method, params } as never);
const finalId = async (): Promise<number> =>
  (await rollupStatus(session.fixture.l1, session.fixture.rollup)).finalId;

/** Two batches with trades and a withdrawal in each, committed. */
async function begin(deploy: { readonly attester?: `0x${string}` }): Promise<void> {
  session = await L1Session.start({}, deploy);
  directory = await mkdtemp(path.join(tmpdir(), 'sluice-finalizer-'));
  const { domain, sequencerKey } = session.fixture;
  const sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
  for (const command of await session.queueCommands()) sequencer.apply(command);
  for (const size of [100, 200]) {
    sequencer.apply(session.price(PRICE));
    sequencer.apply(session.order(1, 1, PRICE, size));
    sequencer.apply(session.order(2, 0, PRICE, size + 1));
    sequencer.apply(session.message(3, [{ kind: 'withdraw', asset: 0, amount: 1_000 + size }]));
    session.now += 300;
    await session.post(sequencer.cut(await session.place()));
  }
  batches = sequencer.batches;
}
async function end(): Promise<void> {
  await session?.fixture.devnet.stop();
  await rm(directory, { recursive: true, force: true });
}

const run = (more: Partial<RunOptions> = {}): Promise<RunningVerifier> =>
  runVerifier({
    ...{ l1: session.fixture.devnet.url, port: 0, workers: 0, pollMs: 20 },
    data: path.join(directory, 'verifier'),
    ...more,
  });
const finalizing = (more: Partial<RunOptions> = {}): Promise<RunningVerifier> =>
  run({
    key: ATTESTER.secret,
    finalizeKey: fromHex(session.fixture.devnet.accounts[FINALIZER]!.key),
    ...more,
  });
const verified = (running: RunningVerifier): Promise<void> =>
  expect.poll(() => running.status().verified, { timeout: 20_000 }).toBe(2);

describe('on a rollup that trusts an attester', () => {
  beforeAll(async () => {
    await begin({ attester: toHex(ATTESTER.address) });
    snapshot = await rpc('evm_snapshot');
  }, 120_000);
  beforeEach(async () => {
    await rpc('evm_revert', snapshot);
    snapshot = await rpc('evm_snapshot');
    await rm(directory, { recursive: true, force: true });
  });
  afterAll(end);

  /** An attestation of the batch by `key`, of another rollup or chain where `domain` says so. */
  async function attested(batch: SignedBatch, key = ATTESTER, domain = session.fixture.rollup.domain) {
    return new AttestingProver(key.secret, domain, keccak).prove({ posted: batch, records: [], signers: [] });
  }
  const refusal = async (batch: SignedBatch, proof: Uint8Array) =>
    (await proofRefusal(session.fixture.as(FINALIZER), session.fixture.rollup, batch, proof))?.name;

  test('verified batches are final within their window, and pay', async () => {
    const { l1, rollup } = session.fixture;
    const running = await finalizing();
    try {
      await expect.poll(finalId, { timeout: 20_000 }).toBe(2);
      await expect.poll(() => running.status().final, { timeout: 20_000 }).toBe(2);
      expect(running.proofs()).toMatchObject({ proven: 2, held: null, trouble: null });
      const { timestamp } = await l1.public.getBlock();
      const { deadline } = await l1.public.readContract({
        address: rollup.rollup,
        abi: rollupAbi,
        functionName: 'batches',
        args: [1n],
      });
      expect(Number(timestamp)).toBeLessThan(deadline);
      const logs = await l1.public.getContractEvents({
        address: rollup.rollup,
        abi: rollupAbi,
        eventName: 'BatchProven',
        fromBlock: 0n,
      });
      const proofs = await Promise.all(batches.map((batch) => attested(batch)));
      expect(logs.map(({ args }) => [args.id, args.hash, args.publicInputsHash])).toEqual(
        batches.map(({ hash }, i) => [BigInt(i + 1), toHex(hash), toHex(keccak(proofs[i]!.publicInputs))]),
      );

      const owner = toHex(OWNERS[2]!.address);
      const answer = await fetch(`${running.url}/withdrawal-proof?owner=${owner}&asset=0`);
      const { proof } = (await answer.json()) as { proof: string };
      const paid = await withdraw(l1, rollup, {
        ...{ owner, asset: 0, total: 2_300n, batchId: 2, path: fromHex(proof) },
      });
      expect(paid.amount).toBe(2_300n);
      expect(await (await fetch(`${running.url}/proofs`)).json()).toMatchObject({ proven: 2 });
      const metrics = await (await fetch(`${running.url}/metrics`)).text();
      expect(metrics).toContain('sluice_verifier_batches_proven_total 2');
    } finally {
      await running.stop();
    }
  });

  test('without --finalize nothing is final before time, and then the submitter does it', async () => {
    const running = await run({ key: ATTESTER.secret });
    const submitter = new Submitter({
      ...{ l1: session.fixture.as(SUBMITTER), rollup: session.fixture.rollup },
      ...{ directory: path.join(directory, 'submitter'), source: { get: async () => undefined } },
    });
    try {
      await verified(running);
      await submitter.open();
      await submitter.step();
      expect(await finalId()).toBe(0);
      expect(running.proofs()).toBeUndefined();
      expect((await fetch(`${running.url}/proofs`)).status).toBe(404);
      await passSeconds(session.fixture.l1, session.fixture.rollup.windowSeconds + 1);
      await submitter.step();
      await expect.poll(finalId, { timeout: 20_000 }).toBe(2);
    } finally {
      await submitter.stop();
      await running.stop();
    }
  });

  test('it and a submitter that finalizes do not get into each other’s way', async () => {
    // Every window is over when both begin.
    await passSeconds(session.fixture.l1, session.fixture.rollup.windowSeconds + 1);
    const submitter = new Submitter({
      ...{ l1: session.fixture.as(SUBMITTER), rollup: session.fixture.rollup, pollMs: 20 },
      ...{ directory: path.join(directory, 'submitter'), source: { get: async () => undefined } },
    });
    const running = await finalizing();
    try {
      await submitter.start();
      await expect.poll(finalId, { timeout: 20_000 }).toBe(2);
      await expect.poll(() => submitter.status().final, { timeout: 20_000 }).toBe(2);
      await expect.poll(() => submitter.status().inFlight, { timeout: 20_000 }).toBe(0);
      expect(running.proofs()!.trouble).toBeNull();
    } finally {
      await submitter.stop();
      await running.stop();
    }
  });

  test('takes up proofs that an earlier key signed, and makes those that nobody made', async () => {
    const data = path.join(directory, 'verifier');
    const first = await run({ data, key: STRANGER.secret });
    await verified(first);
    await first.stop();
    const running = await finalizing({ data });
    try {
      await expect.poll(finalId, { timeout: 20_000 }).toBe(2);
    } finally {
      await running.stop();
    }
    await rpc('evm_revert', snapshot);
    snapshot = await rpc('evm_snapshot');
    await rm(data, { recursive: true });
    const unsigned = await run({ data });
    await verified(unsigned);
    await unsigned.stop();
    const signing = await finalizing({ data });
    try {
      await expect.poll(finalId, { timeout: 20_000 }).toBe(2);
    } finally {
      await signing.stop();
    }
  });

  test('an open demand for its inputs holds a batch', async () => {
    const { l1, rollup } = session.fixture;
    await rpc('anvil_impersonateAccount', rollup.demands);
    await rpc('anvil_setBalance', rollup.demands, '0xde0b6b3a7640000');
    const hold = async (on: boolean): Promise<void> => {
      const args = [1n, toHex(batches[0]!.hash), on] as const;
      const data = encodeFunctionData({ abi: rollupAbi, functionName: 'hold', args });
      const hash = (await rpc('eth_sendTransaction', {
        ...{ from: rollup.demands, to: rollup.rollup, data },
      })) as `0x${string}`;
      expect((await l1.public.waitForTransactionReceipt({ hash })).status).toBe('success');
    };
    await hold(true);
    const running = await finalizing();
    try {
      await expect.poll(() => running.proofs()!.held, { timeout: 20_000 }).toBe(1);
      await passSeconds(l1, rollup.windowSeconds + 1);
      await expect.poll(() => running.proofs()!.held, { timeout: 20_000 }).toBe(1);
      expect(await finalId()).toBe(0);
      expect(running.proofs()!.trouble).toBeNull();
      await hold(false);
      await expect.poll(finalId, { timeout: 20_000 }).toBe(2);
    } finally {
      await running.stop();
    }
  });

  test('L1 refuses the proof of a stranger, of another batch, rollup or chain, and a changed one', async () => {
    const { as, rollup } = session.fixture;
    const [first, second] = batches as [SignedBatch, SignedBatch];
    const good = (await attested(first)).bytes;
    const { domain } = rollup;
    const wrong: readonly Uint8Array[] = [
      (await attested(first, STRANGER)).bytes,
      (await attested(second)).bytes,
      (await attested(first, ATTESTER, { ...domain, chainId: 1 })).bytes,
      (await attested(first, ATTESTER, { ...domain, verifyingContract: new Uint8Array(20).fill(1) })).bytes,
      // Kind, reserved word, and hash of the public inputs: what is signed for other public inputs is no proof of these.
      ...[3, 7, 8, 39].map((at) => flipped(good, at)),
      good.subarray(0, good.length - 1),
      new Uint8Array(0),
    ];
    for (const proof of wrong) expect(await refusal(first, proof)).toBe('ProofRefused');
    // A signature that is changed is refused, or recovers nobody.
    for (const at of [40, 71, 72, 103, 104])
      expect(['ProofRefused', 'SignatureMalformed']).toContain(await refusal(first, flipped(good, at)));
    // In order only, and with what was posted.
    expect(await refusal(second, (await attested(second)).bytes)).toBe('WrongField');
    const altered = { ...first, header: { ...first.header, postLedgerRoot: second.header.postLedgerRoot } };
    expect(await refusal(altered, (await attested(altered)).bytes)).toBe('WrongField');
    expect(await refusal({ ...first, withdrawn: new Uint8Array(0) }, good)).toBe('WrongField');
    expect(await finalId()).toBe(0);

    const sent = await rejection(proveBatch(as(FINALIZER), rollup, first, wrong[0]!));
    expect(sent).toMatchObject({ name: 'L1Error', code: 'reverted' });
    expect(await refusal(first, good)).toBeUndefined();
    await proveBatch(as(FINALIZER), rollup, first, good);
    expect(await finalId()).toBe(1);
    // Once.
    expect(await refusal(first, good)).toBe('WrongField');
  });

  test('says whom it trusts, and refuses to begin with another key', async () => {
    const { l1, rollup } = session.fixture;
    const trusted = await readTrustedVerifier(l1, rollup);
    expect(trusted!.attester!.toLowerCase()).toBe(toHex(ATTESTER.address));
    expect(await rejection(finalizing({ key: STRANGER.secret }))).toMatchObject({
      name: 'FinalizerError',
      message: `finalize: expected the key of ${trusted!.attester}, whom rollup ${rollup.rollup} trusts, got that of ${toHex(STRANGER.address)}`,
    });
  });
});

describe('on a rollup without a verifier', () => {
  beforeAll(() => begin({}), 120_000);
  afterAll(end);

  test('one sentence, and an attestation makes nothing final', async () => {
    const { as, l1, rollup } = session.fixture;
    expect(await readTrustedVerifier(l1, rollup)).toBeUndefined();
    const sentence = `finalize: expected a rollup that was deployed with a verifier, but ${rollup.rollup} trusts no proofs: its batches become final when their window of 60 s is over`;
    expect(await rejection(finalizing())).toMatchObject({ name: 'FinalizerError', message: sentence });
    const prover = new AttestingProver(ATTESTER.secret, rollup.domain, keccak);
    const { bytes } = await prover.prove({ posted: batches[0]!, records: [], signers: [] });
    expect((await proofRefusal(as(FINALIZER), rollup, batches[0]!, bytes))?.name).toBe('ProofRefused');

    await rm(directory, { recursive: true, force: true });
    directory = await mkdtemp(path.join(tmpdir(), 'sluice-finalizer-'));
    const keyFile = path.join(directory, 'attester.key');
    await writeFile(keyFile, toHex(ATTESTER.secret));
    const common = ['verifier', '--l1', session.fixture.devnet.url, '--port', '0', '--finalize'];
    const data = ['--data', path.join(directory, 'data')];
    const env = { SLUICE_FINALIZE_KEY: session.fixture.devnet.accounts[FINALIZER]!.key };
    const [unsigned, unpaid, refused] = await Promise.all([
      sluice(common, { env }),
      sluice([...common, '--key-file', keyFile]),
      sluice([...common, ...data, '--key-file', keyFile, '--workers', '0'], { env }),
    ]);
    expect(unsigned).toMatchObject({ code: 2 });
    expect(unsigned.err).toContain('expected --key-file with the key that attests batches, got none');
    expect(unpaid).toMatchObject({ code: 2 });
    expect(unpaid.err).toContain('SLUICE_FINALIZE_KEY with a funded key, got none');
    expect(refused).toMatchObject({ code: 1, err: `error NOT_TRUSTED: ${sentence}\n` });
  }, 60_000);
});
