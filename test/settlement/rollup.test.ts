/** The contracts on a real L1: commit, finality, withdrawal, forced requests, freeze, and every refusal of a commit. */

import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeHeader, type SignedBatch } from '#protocol/batch.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { rollupAbi } from '#settlement/l1/abi.ts';
import { decodeCommitBatch } from '#settlement/l1/batch-calldata.ts';
import { send } from '#settlement/l1/client.ts';
import type { L1Error } from '#settlement/l1/errors.ts';
import * as actions from '#settlement/l1/vault-actions.ts';
import {
  ALICE,
  BOB,
  commit,
  finalize,
  type L1Fixture,
  passSeconds,
  planNow,
  rejection,
  SUBMITTER,
  startFixture,
} from './l1-fixture.ts';

describe('a batch from deposit to withdrawal', () => {
  let fixture: L1Fixture;
  beforeAll(async () => {
    fixture = await startFixture();
  }, 60_000);
  afterAll(() => fixture?.devnet.stop());

  test('money goes in, is committed, becomes final, and comes out once', async () => {
    const { rollup, chain } = fixture;
    const alice = fixture.as(ALICE);
    const submitter = fixture.as(SUBMITTER);
    const owner = actions.addressOf(alice);
    await actions.mintTestTokens(alice, rollup, { address: owner, amount: 1_000 });
    await actions.approveVault(alice, rollup, { asset: 0 });
    const queued = await actions.deposit(alice, rollup, { asset: 0, amount: 800, subaccount: 0 });
    expect(queued.index).toBe(rollup.genesisEntries);

    const batch = chain.next(
      await planNow(fixture, {
        withdrawals: [{ owner: fromHex(owner), asset: 0, amount: 300n }],
        inputBytes: 9_000,
      }),
    );
    const receipt = await commit(submitter, rollup, batch);
    const posted = await submitter.public.getTransaction({ hash: receipt.transactionHash });
    expect(decodeCommitBatch(posted.input, fixture.domain)).toEqual(batch);
    expect(await actions.rollupStatus(alice, rollup)).toMatchObject({
      committedId: 1,
      committedHash: toHex(batch.hash),
      finalId: 0,
      queueNext: queued.index + 1,
    });

    const proof = { owner, asset: 0, batchId: 1, ...chain.withdrawalProof(fromHex(owner), 0) };
    expect(await rejection(finalize(submitter, rollup, batch))).toMatchObject({
      revert: { name: 'WindowOpen' },
    });
    expect(await rejection(actions.withdraw(submitter, rollup, proof))).toMatchObject({
      revert: { name: 'BatchNotFinal', args: [0n, 1n] },
    });
    await passSeconds(alice, rollup.windowSeconds);
    await finalize(submitter, rollup, batch);
    expect(await rejection(finalize(submitter, rollup, batch))).toMatchObject({
      revert: { name: 'NoSuchBatch', args: [1n, 2n] },
    });

    const forged = { ...proof, total: 301n };
    expect(await rejection(actions.withdraw(submitter, rollup, forged))).toMatchObject({
      revert: { name: 'WrongRoot' },
    });
    expect((await actions.withdraw(submitter, rollup, proof)).amount).toBe(300n);
    expect(await actions.tokenBalance(alice, rollup, { address: owner })).toBe(500n);
    expect(await actions.vaultTotals(alice, rollup, { asset: 0 })).toMatchObject({
      held: 500n,
      paidTotal: 300n,
    });
    expect(await rejection(actions.withdraw(submitter, rollup, proof))).toMatchObject({
      revert: { name: 'NothingToPay', args: [300n, 300n] },
    });
  });

  test('a later batch raises the total; its proof pays the difference', async () => {
    const { rollup, chain } = fixture;
    const alice = fixture.as(ALICE);
    const owner = actions.addressOf(alice);
    const batch = chain.next(
      await planNow(fixture, { withdrawals: [{ owner: fromHex(owner), asset: 0, amount: 50n }] }),
    );
    await commit(alice, rollup, batch);
    await passSeconds(alice, rollup.windowSeconds);
    await finalize(alice, rollup, batch);
    const proof = { owner, asset: 0, batchId: batch.header.id, ...chain.withdrawalProof(fromHex(owner), 0) };
    expect((await actions.withdraw(alice, rollup, proof)).amount).toBe(50n);
  });

  test('what a ledger says beyond the finalized totals is not paid', async () => {
    const { rollup, chain } = fixture;
    const bob = fixture.as(BOB);
    const owner = actions.addressOf(bob);
    // A dishonest ledger: the leaf says 400, the totals of the batch say nothing.
    const honest = await planNow(fixture, {
      withdrawals: [{ owner: fromHex(owner), asset: 0, amount: 400n }],
    });
    const batch = chain.next(honest);
    const withdrawn = new Uint8Array(0);
    const header = {
      ...batch.header,
      withdrawnHash: fromHex('0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'),
    };
    const dishonest: SignedBatch = { ...batch, header, withdrawn, ...chain.sign(header) };
    chain.batches[chain.batches.length - 1] = dishonest;
    await commit(bob, rollup, dishonest);
    await passSeconds(bob, rollup.windowSeconds);
    await finalize(bob, rollup, dishonest);
    const proof = { owner, asset: 0, batchId: header.id, ...chain.withdrawalProof(fromHex(owner), 0) };
    expect(await rejection(actions.withdraw(bob, rollup, proof))).toMatchObject({
      revert: { name: 'BeyondFinalTotal', args: [350n, 750n] },
    });
  });
});

describe('forced requests', () => {
  let fixture: L1Fixture;
  beforeAll(async () => {
    fixture = await startFixture({ deploy: { inclusionMs: 600_000 } });
  }, 60_000);
  afterAll(() => fixture?.devnet.stop());

  test('a batch that leaves an overdue entry out is refused, one that takes it up is not', async () => {
    const { rollup, chain } = fixture;
    const alice = fixture.as(ALICE);
    await commit(alice, rollup, chain.next(await planNow(fixture)));
    const forced = await actions.forceWithdraw(alice, rollup, { asset: 0, amount: 77, subaccount: 1 });
    const { queueNext, queueHash } = chain.last!.header;
    const leaveOut = { queue: { next: queueNext, hash: queueHash } };

    // Not due yet: it may wait.
    await commit(alice, rollup, chain.next(await planNow(fixture, leaveOut)));

    await passSeconds(alice, 620);
    // The anchor must know the entry for it to count as left out.
    await passSeconds(alice, 1);
    const without = chain.next(await planNow(fixture, leaveOut));
    expect(await rejection(commit(alice, rollup, without))).toMatchObject({
      revert: {
        name: 'OverdueEntriesLeftOut',
        args: [BigInt(forced.index), BigInt(forced.deadlineMs), BigInt(without.header.timeLast)],
      },
    });
    chain.rewind(without.header.id - 1);
    await commit(alice, rollup, chain.next(await planNow(fixture)));
    expect((await actions.rollupStatus(alice, rollup)).queueNext).toBe(forced.index + 1);
  });

  test('an overdue entry lets anyone freeze, and then nothing enters or is committed', async () => {
    const { rollup, chain } = fixture;
    const bob = fixture.as(BOB);
    const forced = await actions.forceCancelAll(bob, rollup, { subaccount: 0 });
    expect(await rejection(actions.freeze(bob, rollup))).toMatchObject({ revert: { name: 'NotFrozenYet' } });
    await passSeconds(bob, 620);
    await actions.freeze(bob, rollup);
    expect(await actions.rollupStatus(bob, rollup)).toMatchObject({ frozen: true, queueNext: forced.index });
    const batch = chain.next(await planNow(fixture));
    expect(await rejection(commit(bob, rollup, batch))).toMatchObject({ revert: { name: 'RollupFrozen' } });
    expect(await rejection(actions.forceCancelAll(bob, rollup, { subaccount: 0 }))).toMatchObject({
      revert: { name: 'QueueClosed' },
    });
  });
});

describe('what a commit refuses', () => {
  let fixture: L1Fixture;
  beforeAll(async () => {
    fixture = await startFixture();
    await commit(fixture.l1, fixture.rollup, fixture.chain.next(await planNow(fixture)));
  }, 60_000);
  afterAll(() => fixture?.devnet.stop());

  /** Commits a variant of the next batch; the chain itself stays as it is. */
  async function refused(change: (batch: SignedBatch) => SignedBatch, signed = true): Promise<L1Error> {
    const { chain, rollup } = fixture;
    const id = chain.last!.header.id;
    const changed = change(chain.next(await planNow(fixture, { inputBytes: 5_000 })));
    chain.rewind(id);
    const batch = signed ? { ...changed, ...chain.sign(changed.header) } : changed;
    return (await rejection(commit(fixture.l1, rollup, batch))) as L1Error;
  }
  const withHeader =
    (change: Partial<SignedBatch['header']>) =>
    (batch: SignedBatch): SignedBatch => ({ ...batch, header: { ...batch.header, ...change } });
  const other = new Uint8Array(32).fill(9);
  const name = (field: string): string => toHex(Buffer.from(field.padEnd(32, '\0')));

  const wrongFields: readonly (readonly [string, Partial<SignedBatch['header']>])[] = [
    ['version', { version: 2 }],
    ['epoch', { epoch: 2 }],
    ['id', { id: 7 }],
    ['parentHash', { parentHash: other }],
    ['preLedgerRoot', { preLedgerRoot: other }],
    ['preBookRoot', { preBookRoot: other }],
    ['preInputHash', { preInputHash: other }],
    ['firstStep', { firstStep: 1 }],
    ['firstSeq', { firstSeq: 77 }],
    ['queueFirst', { queueFirst: 0 }],
    ['queueHash', { queueHash: other }],
    ['traceRoot', { traceRoot: other }],
    ['traceLength', { traceLength: 1 }],
    ['nextStep', { nextStep: 1_000 }],
    ['nextSeq', { nextSeq: 1_000 }],
    ['trace.inputHash', { postInputHash: other }],
    ['trace.stateRoot', { postLedgerRoot: other }],
    ['trace.stateRoot', { postBookRoot: other }],
    ['inputsHash', { inputsHash: other }],
    ['diffHash', { diffHash: other }],
    ['withdrawnHash', { withdrawnHash: other }],
    ['trace.inputEnd', { inputBytes: 4_999 }],
  ];
  test.each(wrongFields)('a wrong %s', async (field, change) => {
    const error = await refused(withHeader(change));
    expect(error).toMatchObject({ code: 'reverted', revert: { name: 'WrongField' } });
    expect(error.revert!.args[0]).toBe(name(field));
  });

  test('another signer, and a header that was not signed', async () => {
    expect(await refused(withHeader({ timeLast: 1 }), false)).toMatchObject({
      revert: { name: 'WrongSigner' },
    });
    const tooShort = (batch: SignedBatch) => ({ ...batch, signature: batch.signature.subarray(0, 64) });
    expect(await refused(tooShort, false)).toMatchObject({ revert: { name: 'SignatureLength' } });
    const upperHalf = (batch: SignedBatch) => {
      const signature = batch.signature.slice();
      signature.fill(0xff, 32, 64);
      return { ...batch, signature };
    };
    expect(await refused(upperHalf, false)).toMatchObject({ revert: { name: 'SignatureMalformed' } });
  });

  test('times that fall, run ahead of L1, or are too old', async () => {
    const last = fixture.chain.last!.header.timeLast;
    expect(await refused(withHeader({ timeFirst: last - 1 }))).toMatchObject({
      revert: { name: 'TimeOrder' },
    });
    expect(
      await refused((batch) => withHeader({ timeLast: batch.header.timeFirst - 1 })(batch)),
    ).toMatchObject({
      revert: { name: 'TimeOrder' },
    });
    expect(
      await refused((batch) => withHeader({ timeLast: batch.header.timeLast + 100_000 })(batch)),
    ).toMatchObject({ revert: { name: 'TimeOrder' } });
  });

  test('an anchor of the future, of another chain, before the last one', async () => {
    const { anchorNumber } = fixture.chain.last!.header;
    expect(await refused(withHeader({ anchorNumber: 1_000_000 }))).toMatchObject({
      revert: { name: 'AnchorNotRecent' },
    });
    expect(await refused(withHeader({ anchorNumber: anchorNumber - 1 }))).toMatchObject({
      revert: { name: 'AnchorNotRecent' },
    });
    expect(await refused(withHeader({ anchorHash: other }))).toMatchObject({
      revert: { name: 'AnchorNotCanonical' },
    });
  });

  test('queue entries that do not exist', async () => {
    expect(await refused(withHeader({ queueNext: 99 }))).toMatchObject({ revert: { name: 'QueueTooShort' } });
  });

  test('segments without a step, beyond their weight or input bytes, and withdrawn totals out of order', async () => {
    const withTrace = (change: object) => (batch: SignedBatch) => ({
      ...batch,
      trace: batch.trace.map((entry, i) => (i === 0 ? { ...entry, ...change } : entry)),
    });
    expect(await refused((batch) => withTrace({ nextStep: batch.header.firstStep })(batch))).toMatchObject({
      revert: { name: 'TraceOrder' },
    });
    expect(await refused(withTrace({ weight: 10_000_001 }))).toMatchObject({
      revert: { name: 'SegmentTooLarge' },
    });
    expect(await refused(withTrace({ inputEnd: 4_097 }))).toMatchObject({
      revert: { name: 'SegmentTooLarge' },
    });
    expect(await refused((batch) => ({ ...batch, trace: [] }))).toMatchObject({
      revert: { name: 'TraceLength' },
    });
    const withdrawn = fromHex(`${'0001'}${'00'.repeat(16)}${'0001'}${'00'.repeat(16)}`);
    const { nobleKeccak } = await import('#protocol/hash.ts');
    expect(
      await refused((batch) => ({
        ...batch,
        withdrawn,
        header: { ...batch.header, withdrawnHash: nobleKeccak(withdrawn) },
      })),
    ).toMatchObject({ revert: { name: 'WithdrawnMalformed' } });
  });

  test('calldata that another decoder could read differently', async () => {
    const { chain, rollup, l1 } = fixture;
    const id = chain.last!.header.id;
    const batch = chain.next(await planNow(fixture));
    chain.rewind(id);
    const data = encodeFunctionData({
      abi: rollupAbi,
      functionName: 'commitBatch',
      args: [
        {
          header: toHex(encodeHeader(batch.header)),
          signature: toHex(batch.signature),
          trace: '0x',
          withdrawn: '0x',
          diff: '0x',
          inputs: '0x',
        },
      ],
    });
    const error = await rejection(send(l1, { to: rollup.rollup, data: `${data}00`, doing: 'commit' }));
    expect((error as L1Error).revert!.args[0]).toBe(name('calldata.length'));
    // The offset of `inputs` points at `diff`, which has the same length.
    const at = 2 + 2 * (36 + 32 * 5);
    const overlapping = `${data.slice(0, at)}${data.slice(at - 64, at)}${data.slice(at + 64)}` as const;
    const second = await rejection(
      send(l1, { to: rollup.rollup, data: overlapping as `0x${string}`, doing: 'commit' }),
    );
    expect((second as L1Error).revert!.args[0]).toBe(name('calldata.inputs'));
  });
});
