import { afterEach, describe, expect, it } from 'vitest';
import { createRecover } from '#auth/recover.ts';
import { DraftFile } from '#batcher/draft-file.ts';
import { KeySigner } from '#batcher/signer.ts';
import type { SignedCommitment } from '#pipeline/ports.ts';
import { hashHeader, type SignedBatch, traceRoot } from '#protocol/batch.ts';
import { toHex } from '#protocol/bytes.ts';
import { nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import { allLeaves } from '#state/all-leaves.ts';
import { applyDiff } from '#state/diff.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { StateTree } from '#state/state-tree.ts';
import { testSigning } from '../auth/keys.ts';
import { RandomSession } from '../support/random-session.ts';
import { Desk, keccak, SEQUENCER, TestAnchor, until } from './fixtures.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`batcher: SEED=${SEED}`);
const desks: Desk[] = [];
const newDesk = (l1?: TestAnchor): Desk => {
  const desk = new Desk(l1);
  desks.push(desk);
  return desk;
};
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.dispose();
});

const hashes = (batches: readonly SignedBatch[]): string[] => batches.map(({ hash }) => toHex(hash));

/** What a reader of L1 can check of a chain of batches without executing it. */
function expectChain(batches: readonly SignedBatch[]): StateTree {
  const recover = createRecover(nobleKeccak);
  const ledger = new StateTree(nobleKeccak);
  let last: SignedBatch | undefined;
  for (const batch of batches) {
    const { header } = batch;
    expect(toHex(batch.hash)).toBe(toHex(hashHeader(header, testSigning, nobleKeccak)));
    expect(toHex(recover(batch.hash, batch.signature)!)).toBe(toHex(SEQUENCER.address));
    expect(header.id).toBe((last?.header.id ?? 0) + 1);
    expect(toHex(header.parentHash)).toBe(toHex(last?.hash ?? ZERO_HASH));
    expect(toHex(header.preLedgerRoot)).toBe(toHex(last?.header.postLedgerRoot ?? ZERO_HASH));
    expect(toHex(header.preBookRoot)).toBe(toHex(last?.header.postBookRoot ?? ZERO_HASH));
    expect(toHex(header.preInputHash)).toBe(toHex(last?.header.postInputHash ?? ZERO_HASH));
    expect(header.firstStep).toBe(last?.header.nextStep ?? 0);
    expect(header.firstSeq).toBe(last?.header.nextSeq ?? 1);
    expect(header.queueFirst).toBe(last?.header.queueNext ?? 0);
    expect(header.timeFirst).toBeGreaterThanOrEqual(last?.header.timeLast ?? 0);
    expect(header.anchorNumber).toBeGreaterThanOrEqual(last?.header.anchorNumber ?? 0);
    expect(toHex(header.traceRoot)).toBe(toHex(traceRoot(batch.trace, header, nobleKeccak)));
    for (const [bytes, hash] of [
      [batch.inputs, header.inputsHash],
      [batch.diff, header.diffHash],
      [batch.withdrawn, header.withdrawnHash],
    ] as const)
      expect(toHex(nobleKeccak(bytes))).toBe(toHex(hash));
    expect(header.inputBytes).toBe(batch.inputs.length);
    for (const { key, value } of applyDiff(batch.diff, (key) => ledger.get(key)))
      value === undefined ? ledger.delete(key) : ledger.set(key, value);
    expect(toHex(ledger.root())).toBe(toHex(header.postLedgerRoot));
    last = batch;
  }
  return ledger;
}

describe('the batcher', () => {
  it('makes of durable commands a chain of signed batches that ends in the state of the engine', async () => {
    const desk = newDesk();
    const session = new RandomSession({ seed: SEED }).run(400);
    const batcher = await desk.start();
    for (let at = 0; at < session.commands.length; at += 13)
      await desk.append(session.commands.slice(at, at + 13), batcher);
    await batcher.flush();
    expect(desk.fatal).toBeUndefined();
    const ledger = expectChain(desk.signed);
    const last = desk.signed.at(-1)!.header;
    expect(last.nextSeq - 1).toBe(session.commands.length);
    expect([last.queueNext, last.timeLast]).toEqual([session.state.queueNext, session.state.now]);
    const leaves = allLeaves(session.state);
    expect([...ledger.entries()].map(({ key, value }) => toHex(key) + toHex(value))).toEqual(
      leaves.ledger.map(([key, value]) => toHex(key) + toHex(value)),
    );
    for (const { header } of desk.signed.slice(0, -1)) {
      expect(header.nextSeq - header.firstSeq).toBe(40);
    }
    expect(batcher.status).toMatchObject({
      batchedSeq: session.commands.length,
      executedSeq: session.commands.length,
      batchId: desk.signed.length,
      backlog: 0,
      pendingBatches: 0,
    });
    const { batches } = await desk.open();
    expect(hashes(await batches.list(1, 1000))).toEqual(hashes(desk.signed));
    await batcher.close();
  });

  it('catches up from the journal, where it was not fed or had no room', async () => {
    const desk = newDesk();
    const { commands } = new RandomSession({ seed: SEED + 1 }).run(300);
    await desk.append(commands.slice(0, 150));
    const batcher = await desk.start();
    // Nothing is told of these; what comes after shows the gap.
    await desk.append(commands.slice(150, 220));
    await desk.append(commands.slice(220), batcher);
    await batcher.flush();
    expectChain(desk.signed);
    expect(desk.signed.at(-1)!.header.nextSeq - 1).toBe(commands.length);
    expect(desk.fatal).toBeUndefined();
    await batcher.close();
  });

  it('goes on after a restart as if there had been none, from its newest snapshot', async () => {
    const { commands } = new RandomSession({ seed: SEED + 2 }).run(420);
    const whole = newDesk();
    await whole.append(commands);
    const never = await whole.start();
    await never.flush();
    await never.close();

    const desk = newDesk();
    for (const end of [97, 215, 216, 340, commands.length]) {
      const batcher = await desk.start();
      await desk.append(commands.slice(desk.journal.lastSeq, end), batcher);
      // Where the process ends its open batch is lost, and made again at the next start.
      await until(() => batcher.status.executedSeq === end && batcher.status.pendingBatches === 0);
      if (end === commands.length) await batcher.flush();
      expect(desk.fatal).toBeUndefined();
      await batcher.close();
      await desk.closeStores();
    }
    expect(hashes(desk.signed)).toEqual(hashes(whole.signed));
    expect(desk.snapshots.length).toBeGreaterThan(2);
    const { snapshots } = await desk.open();
    for (const info of await snapshots.list()) {
      expect(info.verified).toBe(true);
      const { payload } = await snapshots.load(info.seq);
      const { header, state } = loadSnapshot(payload, keccak);
      const batch = desk.signed[info.batchId - 1]!.header;
      expect([header.seq, state.seq]).toEqual([info.seq, batch.nextSeq - 1]);
      expect(toHex(header.ledgerRoot)).toBe(toHex(batch.postLedgerRoot));
      expect(toHex(header.bookRoot)).toBe(toHex(batch.postBookRoot));
    }
  });

  it('makes the drafted batch again, and no other, when the process ended while it was being signed', async () => {
    for (const failAt of ['sign', 'put'] as const) {
      const desk = newDesk();
      const { commands } = new RandomSession({ seed: SEED + 3 }).run(150);
      await desk.append(commands);
      const stores = await desk.open();
      const signer = new KeySigner(SEQUENCER.secret, stores.batches, keccak);
      let drafted: SignedCommitment | undefined;
      const dying = await desk.start({
        signer: {
          address: signer.address,
          async sign(header, hash) {
            if (header.id < 3) return signer.sign(header, hash);
            // The memory has it (put) or not yet (sign); the batch is not stored in either case.
            if (failAt === 'put') await signer.sign(header, hash);
            drafted = { epoch: header.epoch, id: header.id, parentHash: header.parentHash, hash };
            throw new Error('the process ended');
          },
        },
      });
      await until(() => desk.fatal !== undefined);
      expect(desk.fatal!.message).toBe('the process ended');
      await dying.close();
      await desk.closeStores();
      desk.fatal = undefined;
      // The anchor has moved, the policy changed, more commands came: the drafted batch stays what it was.
      desk.l1.move(140);
      await desk.append(new RandomSession({ seed: SEED + 3 }).run(170).commands.slice(commands.length));
      const batcher = await desk.start({
        policy: { commandsMax: 7, bytesMax: 64_000, intervalMs: 60_000 },
      });
      await batcher.flush();
      expect(desk.fatal).toBeUndefined();
      expectChain(desk.signed);
      expect(toHex(desk.signed[2]!.hash)).toBe(toHex(drafted!.hash));
      expect(desk.signed[2]!.header.anchorNumber).toBe(100);
      expect(desk.signed[3]!.header.anchorNumber).toBe(140);
      await batcher.close();
    }
  });

  it('stops instead of signing when the journal holds another history than it has signed', async () => {
    const desk = newDesk();
    const honest = new RandomSession({ seed: SEED + 4 }).run(120).commands;
    await desk.append(honest);
    const batcher = await desk.start({ snapshotEvery: 1_000_000 });
    await batcher.flush();
    await batcher.close();
    await desk.closeStores();
    const signed = desk.signed.length;
    const other = newDesk();
    await other.append(new RandomSession({ seed: SEED + 5 }).run(120).commands);
    const turned = await desk.start({ journal: other.journal });
    await until(() => desk.fatal !== undefined);
    expect(desk.fatal!.message).toMatch(/batch 1 was signed with \w+ .*, executing it again gives/);
    await turned.close();
    expect(desk.signed.length).toBe(signed);
  });

  it('waits for an anchor, and never names an earlier one', async () => {
    const l1 = new TestAnchor();
    const desk = newDesk(l1);
    const { commands } = new RandomSession({ seed: SEED + 6 }).run(60);
    const batcher = await desk.start({ policy: { commandsMax: 20, bytesMax: 64_000, intervalMs: 60_000 } });
    await desk.append(commands.slice(0, 20), batcher);
    await until(() => batcher.status.pendingBatches > 0);
    expect(desk.signed).toEqual([]);
    l1.move(50);
    await until(() => desk.signed.length > 0);
    l1.move(40);
    await desk.append(commands.slice(20, 40), batcher);
    await until(() => batcher.status.pendingBatches > 0);
    l1.move(45);
    expect(desk.signed.length).toBe(1);
    l1.move(51);
    await batcher.flush();
    expect(desk.signed.map(({ header }) => header.anchorNumber)).toEqual([50, 51]);
    await batcher.close();
  });

  it('cuts by time', async () => {
    const desk = newDesk();
    const { commands } = new RandomSession({ seed: SEED + 7 }).run(10);
    const batcher = await desk.start({ policy: { commandsMax: 1000, bytesMax: 64_000, intervalMs: 20 } });
    await desk.append(commands.slice(0, 8), batcher);
    await until(() => desk.signed.length > 0);
    expect(desk.signed[0]!.header.nextSeq).toBe(9);
    await batcher.close();
  });

  it('opens a new epoch on the batch that L1 names, and takes the ids after it again', async () => {
    const desk = newDesk();
    const { commands } = new RandomSession({ seed: SEED + 8 }).run(200);
    await desk.append(commands);
    const first = await desk.start();
    await first.flush();
    await first.close();
    await desk.closeStores();
    const kept = desk.signed.slice(0, 3);
    desk.signed.length = 0;
    const second = await desk.start({ epoch: 2, epochAfterId: 3 });
    await second.flush();
    expect(desk.fatal).toBeUndefined();
    expect(desk.signed[0]!.header).toMatchObject({ epoch: 2, id: 4, firstSeq: kept[2]!.header.nextSeq });
    expectChain([...kept, ...desk.signed]);
    await second.close();
    await desk.closeStores();
    // Without the batch that L1 names, or back in the old epoch, it does not start.
    await expect(desk.start({ epoch: 3 })).rejects.toThrow(/expected epoch 3 to go on from a stored batch/);
    await expect(desk.start({ epoch: 1 })).rejects.toThrow(/expected epoch 2 or later, got 1/);
  });

  it('refuses a policy that L1 would not take', async () => {
    const desk = newDesk();
    await expect(
      desk.start({ policy: { commandsMax: 10, bytesMax: 131_072, intervalMs: 10 } }),
    ).rejects.toThrow(/bytesMax: expected an integer from 1024 to \d+, got 131072/);
  });
});

describe('the signer', () => {
  it('never signs a second hash for a place', async () => {
    const desk = newDesk();
    const { batches } = await desk.open();
    const signer = new KeySigner(SEQUENCER.secret, batches, keccak);
    const { commands } = new RandomSession({ seed: SEED + 9 }).run(30);
    await desk.append(commands);
    const batcher = await desk.start();
    await batcher.flush();
    await batcher.close();
    const [{ header, hash, signature }] = desk.signed as [SignedBatch];
    expect(await signer.sign(header, hash)).toEqual(signature);
    await expect(signer.sign(header, new Uint8Array(32).fill(1))).rejects.toThrow(/expected/);
  });
});

describe('the draft file', () => {
  it('gives back what was saved last, and says when it was damaged', async () => {
    const desk = newDesk();
    const drafts = new DraftFile(desk.disk, desk.directory);
    expect(await drafts.load()).toBeUndefined();
    const { commands } = new RandomSession({ seed: SEED }).run(60);
    await desk.append(commands);
    const batcher = await desk.start();
    await batcher.flush();
    await batcher.close();
    expect(await drafts.load()).toEqual(desk.signed.at(-1)!.header);
    await drafts.save(desk.signed[0]!.header);
    expect(await drafts.load()).toEqual(desk.signed[0]!.header);
    const file = await desk.disk.open(`${desk.directory}/batcher/draft`);
    await file.pwrite(Uint8Array.of(255), 100);
    await file.close();
    await expect(drafts.load()).rejects.toThrow(/expected a whole header with its hash/);
  });
});
