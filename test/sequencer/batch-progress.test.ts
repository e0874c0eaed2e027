/** How far a command has come: batches that a strike has made void count for nothing. */
import { expect, test } from 'vitest';
import type { BatchStore } from '#pipeline/ports.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { BatchProgress } from '#sequencer/main/batch-progress.ts';
import type { FollowedBatch, FollowedStrike } from '#settlement/l1/follower.ts';

const batchOf = (epoch: number, id: number): SignedBatch =>
  ({
    header: { epoch, id, nextSeq: 10 * id + 1 },
    hash: Uint8Array.of(epoch, id),
    inputs: new Uint8Array(5),
    diff: new Uint8Array(3),
  }) as unknown as SignedBatch;

/** Batches by id, as the store has them after an epoch took the place of another. */
class Chain {
  readonly signed = new Map<number, SignedBatch>();
  readonly onL1 = new Map<number, FollowedBatch>();
  committed = 0;
  final = 0;
  strike: FollowedStrike | undefined;

  readonly store = {
    get: async (id: number) => this.signed.get(id),
    latest: async () => [...this.signed.values()].at(-1),
    list: async (id: number, limit: number) =>
      [...this.signed.values()].filter(({ header }) => header.id >= id).slice(0, limit),
  } as Pick<BatchStore, 'get' | 'latest' | 'list'> as BatchStore;
  batch(id: number): FollowedBatch | undefined {
    return this.onL1.get(id);
  }
  commit(id: number): void {
    const { header, hash } = this.signed.get(id)!;
    this.committed = id;
    this.onL1.set(id, {
      ...{ id, epoch: header.epoch, hash, stage: 'committed', transaction: hash },
      ...{ finalAtMs: 9, blockNumber: 1 },
    });
  }
  strikes(id: number, epoch: number): void {
    for (const known of [...this.onL1.keys()]) if (known >= id) this.onL1.delete(known);
    this.committed = id - 1;
    this.strike = { id, hash: new Uint8Array(32), epoch, blockNumber: 2, removed: [] };
  }
}

test('a strike takes commands back to journaled, and the new epoch brings them forth again', async () => {
  const chain = new Chain();
  for (let id = 1; id <= 4; id++) chain.signed.set(id, batchOf(1, id));
  const progress = new BatchProgress(chain.store, chain);
  await progress.refresh();
  for (let id = 1; id <= 3; id++) chain.commit(id);
  const stages = async (): Promise<(string | undefined)[]> =>
    Promise.all([5, 15, 25, 35, 45].map(async (seq) => (await progress.batchOf(seq))?.stage));
  expect(await stages()).toEqual(['committed', 'committed', 'committed', 'batched', undefined]);
  chain.strikes(2, 1);
  expect(await stages()).toEqual(['committed', undefined, undefined, undefined, undefined]);
  expect(progress.committed).toBe(1);
  for (let id = 2; id <= 3; id++) {
    chain.signed.set(id, batchOf(2, id));
    progress.onSigned(batchOf(2, id));
  }
  expect(await stages()).toEqual(['committed', 'batched', 'batched', undefined, undefined]);
  chain.commit(2);
  expect(await stages()).toEqual(['committed', 'committed', 'batched', undefined, undefined]);
});
