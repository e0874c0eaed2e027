/**
 * Strikes as verifiers and followers see them: back to the parent of the struck batch, on with what takes its place,
 * and back again when L1 takes the strike itself away.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { type BatchHeader, type SignedBatch, traceRoot } from '#protocol/batch.ts';
import { toHex } from '#protocol/bytes.ts';
import { signersHere } from '#prover-stub/signers.ts';
import { Verifier } from '#prover-stub/verifier.ts';
import { proveFraud, topUpBond } from '#settlement/l1/challenge-actions.ts';
import { EventReader } from '#settlement/l1/events.ts';
import { L1Follower } from '#settlement/l1/follower.ts';
import { encodeFraudProof } from '#settlement/l1/fraud-proof.ts';
import { globalsKey } from '#state/keys.ts';
import { encodeProof, prove } from '#state/tree-proof.ts';
import { commit, passSeconds } from '../settlement/l1-fixture.ts';
import { L1Session, PRICE } from './l1-session.ts';
import { TestSequencer } from './test-sequencer.ts';

const keccak = await createWasmKeccak();

describe('a strike', () => {
  let session: L1Session;
  let sequencer: TestSequencer;
  let directory: string;
  let verifier: Verifier;
  let follower: L1Follower;
  let said: string[];
  /** After the second batch. */
  let clockLeaf: Uint8Array;

  const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
    session.fixture.l1.public.request({ method, params } as never);
  const blockNumber = async (): Promise<number> => Number(await session.fixture.l1.public.getBlockNumber());

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'sluice-test-'));
    session = await L1Session.start();
    const { domain, sequencerKey, l1, rollup } = session.fixture;
    sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
    for (const command of await session.queueCommands()) sequencer.apply(command);
    await session.post(sequencer.cut(await session.place()));
    sequencer.apply(session.price(PRICE));
    sequencer.apply(session.order(1, 1, PRICE, 20));
    sequencer.cut(await session.place());
    clockLeaf = encodeProof(prove(sequencer.trees.ledger, globalsKey()));
    sequencer.apply(session.order(2, 0, PRICE, 20));
    sequencer.cut(await session.place());
    await passSeconds(l1, 10);
    said = [];
    verifier = await open();
    follower = new L1Follower(l1, rollup, { confirmations: 0 });
    await follower.poll();
  }, 60_000);
  afterEach(async () => {
    await verifier?.close();
    await follower?.stop();
    await session?.fixture.devnet.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const open = (): Promise<Verifier> => {
    const { l1, rollup } = session.fixture;
    const signers = signersHere(rollup.domain, keccak);
    const say = (sentence: string): void => void said.push(sentence);
    // A snapshot after every batch, so that going back has somewhere to go.
    return Verifier.open({ l1, rollup, data: directory, keccak, signers, snapshotEvery: 1, say });
  };
  async function verified(): Promise<void> {
    for (let done = false; !done; )
      done = await verifier.step().catch((error) => {
        // A difference that was derived from L1 is looked at twice.
        if (String(error).includes('looking once more')) return false;
        throw error;
      });
  }

  /** The batch under another header, on top of `parent`. */
  function resigned(batch: SignedBatch, header: Partial<BatchHeader>): SignedBatch {
    const made = { ...batch.header, ...header, traceRoot: traceRoot(batch.trace, batch.header, keccak) };
    return { ...batch, header: made, ...sequencer.sign(made) };
  }
  /** A wrong second batch, and the third on top of it. */
  function lies(): [SignedBatch, SignedBatch] {
    const [, second, third] = sequencer.batches as [SignedBatch, SignedBatch, SignedBatch];
    const lie = resigned(second, { timeLast: second.header.timeLast + 1 });
    return [lie, resigned(third, { parentHash: lie.hash })];
  }
  const strike = (lie: SignedBatch) =>
    proveFraud(
      session.fixture.l1,
      session.fixture.rollup,
      encodeFraudProof(lie, { check: 'clock', post: clockLeaf }, keccak),
    );
  /** Both batches again, in the epoch after the strike. */
  async function again(): Promise<[SignedBatch, SignedBatch]> {
    const { l1, rollup } = session.fixture;
    await topUpBond(l1, rollup, rollup.bondWei);
    const [, second, third] = sequencer.batches as [SignedBatch, SignedBatch, SignedBatch];
    const two = resigned(second, { epoch: 2 });
    const three = resigned(third, { epoch: 2, parentHash: two.hash });
    for (const batch of [two, three]) await commit(l1, rollup, batch);
    return [two, three];
  }
  const headHash = (): string => verifier.status().head.hash;

  test('a verifier names the wrong batch, goes back when it is struck, and on with its successors', async () => {
    const { l1, rollup } = session.fixture;
    const [lie, child] = lies();
    for (const batch of [lie, child]) await commit(l1, rollup, batch);
    await verified();
    expect(verifier.status()).toMatchObject({ verified: 1, committed: 3, mismatches: 1 });
    expect(verifier.status().difference).toMatchObject({ batch: 2, field: 'timeLast' });
    await strike(lie);
    await verified();
    expect(verifier.status()).toMatchObject({ verified: 1, committed: 1, mismatches: 0 });
    expect(verifier.status().l1.reorgs).toBe(0);
    expect(said).toContain(`batch 2 (${toHex(lie.hash)}) was struck`);
    const [, three] = await again();
    await verified();
    expect(verifier.status()).toMatchObject({ verified: 3, committed: 3, mismatches: 0 });
    expect(headHash()).toBe(toHex(three.hash));
    // Another process with the same store, and one that begins with nothing, agree.
    await verifier.close();
    verifier = await open();
    await verified();
    expect(headHash()).toBe(toHex(three.hash));
  });

  test('commits, the strike and what follows in one poll', async () => {
    const { l1, rollup } = session.fixture;
    const [lie, child] = lies();
    for (const batch of [lie, child]) await commit(l1, rollup, batch);
    await strike(lie);
    const [, three] = await again();
    await verified();
    expect(verifier.status()).toMatchObject({ verified: 3, committed: 3, mismatches: 0 });
    expect(headHash()).toBe(toHex(three.hash));
    await follower.poll();
    expect(follower.strike).toMatchObject({ id: 2, hash: lie.hash, epoch: 1 });
    expect(follower).toMatchObject({ committed: 3, epoch: 2 });
    expect(follower.batch(3)).toMatchObject({ epoch: 2, hash: three.hash });
  });

  test('a strike that L1 takes back brings the struck batches again', async () => {
    const { l1, rollup } = session.fixture;
    const [lie, child] = lies();
    for (const batch of [lie, child]) await commit(l1, rollup, batch);
    const before = await blockNumber();
    await verified();
    await follower.poll();
    expect(follower.committed).toBe(3);
    await strike(lie);
    await again();
    await verified();
    await follower.poll();
    expect(verifier.status().verified).toBe(3);
    expect(follower).toMatchObject({ committed: 3, epoch: 2 });

    await rpc('anvil_rollback', (await blockNumber()) - before);
    await rpc('evm_mine');
    await verified();
    await follower.poll();
    expect(verifier.status()).toMatchObject({ verified: 1, committed: 3, mismatches: 1 });
    expect(verifier.status().difference).toMatchObject({ batch: 2 });
    expect(follower).toMatchObject({ committed: 3, epoch: 1, strike: undefined });
    expect(follower.batch(2)).toMatchObject({ epoch: 1, hash: lie.hash });
    expect(follower.batch(3)).toMatchObject({ epoch: 1, hash: child.hash });

    await strike(lie);
    const [, three] = await again();
    await verified();
    await follower.poll();
    expect(verifier.status()).toMatchObject({ verified: 3, committed: 3, mismatches: 0 });
    expect(headHash()).toBe(toHex(three.hash));
    expect(follower.batch(3)).toMatchObject({ epoch: 2, hash: three.hash });
    const whole = await new EventReader(l1, rollup, { confirmations: 0 }).poll();
    expect(whole.events.filter(({ kind }) => kind === 'struck').length).toBe(1);
  });

  test('a strike is gone for who saw only the reorg, also across a restart', async () => {
    const { l1, rollup } = session.fixture;
    const [lie, child] = lies();
    await commit(l1, rollup, lie);
    const before = await blockNumber();
    await commit(l1, rollup, child);
    await strike(lie);
    await verified();
    expect(verifier.status()).toMatchObject({ verified: 1, committed: 1, mismatches: 0 });
    await verifier.close();
    // Back to before the third batch: of what the strike removed only the second stands again.
    await rpc('anvil_rollback', (await blockNumber()) - before);
    await rpc('evm_mine');
    verifier = await open();
    await verified();
    expect(verifier.status()).toMatchObject({ verified: 1, committed: 2, mismatches: 1 });
    await follower.poll();
    expect(follower.batch(3)).toBeUndefined();
    expect(follower.batch(2)?.hash).toEqual(lie.hash);
  });
});
