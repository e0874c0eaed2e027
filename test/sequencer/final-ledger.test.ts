/** Withdrawal proofs: they open under the root of the final batch that they name, as contracts will check them. */
import { afterEach, describe, expect, it } from 'vitest';
import { BatchMaker } from '#batcher/batch-maker.ts';
import type { SnapshotInfo } from '#pipeline/ports.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { concat, fromHex, setU128be, toHex, viewOf } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { FinalLedger } from '#sequencer/main/final-ledger.ts';
import { GENESIS_START } from '#state/batch-builder.ts';
import { withdrawnKey } from '#state/keys.ts';
import { decodeProof, verifyInclusion } from '#state/tree-proof.ts';
import { keccak, payloadOf } from '../batcher/fixtures.ts';
import { RandomSession } from '../support/random-session.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);

const ledgers: FinalLedger[] = [];
afterEach(async () => {
  for (const ledger of ledgers.splice(0)) await ledger.close();
});

/** A session cut into batches; who had withdrawn how much after each. */
function chain(seed: number) {
  const { commands } = new RandomSession({ seed }).run(400);
  const policy = { commandsMax: 40, bytesMax: 60_000, intervalMs: 1 };
  const maker = new BatchMaker({ start: GENESIS_START, policy, snapshotEvery: 150, ends: [] }, keccak);
  const batches: SignedBatch[] = [];
  const withdrawn: ReadonlyMap<string, bigint>[] = [new Map()];
  const snapshots: { info: SnapshotInfo; payload: Uint8Array }[] = [];
  commands.forEach((command, i) => {
    for (const { batch, snapshot } of maker.apply(payloadOf([command]), i + 1, 1)) {
      const id = batches.length + 1;
      const header = { id, postLedgerRoot: batch.postLedgerRoot } as SignedBatch['header'];
      batches.push({ header, diff: batch.diff } as SignedBatch);
      withdrawn.push(new Map(maker.state.withdrawn));
      if (snapshot !== undefined)
        snapshots.unshift({
          info: { seq: i + 1, batchId: id } as SnapshotInfo,
          payload: snapshot.bytes,
        });
    }
  });
  return { batches, withdrawn, snapshots };
}

function ledgerOf(made: ReturnType<typeof chain>, finalId: () => number): FinalLedger {
  const ledger = new FinalLedger({
    batches: { get: (id) => Promise.resolve(made.batches[id - 1]) },
    snapshots: {
      list: () => Promise.resolve(made.snapshots.map(({ info }) => info)),
      load: (seq) => Promise.resolve(made.snapshots.find(({ info }) => info.seq === seq)!),
    },
    finalId,
  });
  ledgers.push(ledger);
  return ledger;
}

describe('the final ledger', () => {
  it('proves what was withdrawn, batch after batch, and from snapshots alike', async () => {
    const made = chain(SEED);
    expect(made.snapshots.length).toBeGreaterThan(1);
    let final = 0;
    const steady = ledgerOf(made, () => final);
    expect(await steady.proof(new Uint8Array(20), 0)).toBeNull();
    let proofs = 0;
    for (final = 1; final <= made.batches.length; final += 2) {
      const fresh = final % 5 === 0 ? ledgerOf(made, () => final) : undefined;
      for (const [id, total] of made.withdrawn[final]!) {
        const [ownerText, asset] = id.split(':') as [string, string];
        const owner = fromHex(ownerText);
        const view = (await steady.proof(owner, Number(asset)))!;
        proofs++;
        const { postLedgerRoot } = made.batches[final - 1]!.header;
        expect(view).toMatchObject({
          batch: final,
          ledgerRoot: toHex(postLedgerRoot),
          total: total.toString(),
        });
        const key = withdrawnKey(owner, Number(asset));
        const value = new Uint8Array(16);
        setU128be(viewOf(value), 0, total);
        const proof = decodeProof(concat(fromHex(view.proof), key, value));
        expect(verifyInclusion(postLedgerRoot, key, value, proof, nobleKeccak)).toBe(true);
        if (fresh !== undefined) expect(await fresh.proof(owner, Number(asset))).toEqual(view);
      }
      expect(await steady.proof(new Uint8Array(20).fill(0xee), 0)).toBeNull();
    }
    expect(proofs).toBeGreaterThan(5);
  });

  it('finds a diff that does not lead to its root, and begins anew for the next who asks', async () => {
    const made = chain(SEED);
    made.snapshots.length = 0;
    const good = made.batches[4]!;
    const root = good.header.postLedgerRoot.slice();
    root[0]! ^= 1;
    made.batches[4] = { ...good, header: { ...good.header, postLedgerRoot: root } };
    const ledger = ledgerOf(made, () => made.batches.length);
    const owner = new Uint8Array(20);
    await expect(ledger.proof(owner, 0)).rejects.toThrow(
      /final ledger: expected root 0x[0-9a-f]{64} after batch 5/,
    );
    made.batches[4] = good;
    expect(await ledger.proof(owner, 0)).toBeNull();
  });
});
