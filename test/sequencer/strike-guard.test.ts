/** When data may go on and when they must be recovered, case by case; and what a running sequencer does at a strike. */
import { describe, expect, it, test } from 'vitest';
import type { SignedBatch } from '#protocol/batch.ts';
import type { SignedReceipt } from '#protocol/receipt.ts';
import { isReverted } from '#protocol/reverted.ts';
import type { Recovered } from '#sequencer/main/recovered-file.ts';
import { revertedOf } from '#sequencer/main/recovered-file.ts';
import { checkNotStruck, type MadeData, needsRecovery, onStrike } from '#sequencer/main/strike-guard.ts';
import type { FollowedStrike } from '#settlement/l1/follower.ts';

interface Made {
  readonly journal?: number;
  readonly batch?: number;
  readonly receipt?: number;
  readonly recovered?: number;
}

/** Data with something of the given epochs. */
const data = ({ journal, batch, receipt, recovered }: Made): MadeData => ({
  journal: { lastEpoch: journal ?? 0, lastSeq: journal === undefined ? 0 : 7 },
  batches: {
    latest: async () => (batch === undefined ? undefined : ({ header: { epoch: batch } } as SignedBatch)),
  },
  lastReceipt: { last: receipt === undefined ? undefined : ({ epoch: receipt } as SignedReceipt) },
  recovered: recovered === undefined ? undefined : ({ epoch: recovered } as Recovered),
});

test.each<[string, Made, number, boolean]>([
  ['nothing was ever struck', { journal: 1, batch: 1, receipt: 1 }, 0, false],
  ['a new directory on a rollup that was struck', {}, 1, false],
  ['struck before anything was batched', { journal: 1 }, 1, true],
  ['struck by what the key signed elsewhere: ours is void as well', { journal: 1, batch: 1 }, 1, true],
  ['only final batches, and the next one struck', { journal: 1, batch: 1, receipt: 1 }, 1, true],
  ['only a receipt', { receipt: 1 }, 1, true],
  ['recovered, and nothing sequenced since', { journal: 1, batch: 1, receipt: 1, recovered: 2 }, 1, false],
  ['recovered and gone on', { journal: 2, batch: 2, receipt: 2, recovered: 2 }, 1, false],
  ['struck again after a recovery', { journal: 2, batch: 2, receipt: 2, recovered: 2 }, 2, true],
  ['struck again before anything was sequenced', { journal: 1, batch: 1, recovered: 2 }, 2, true],
  ['an epoch opened by the sequencer itself', { journal: 2, batch: 2, receipt: 1 }, 0, false],
  ['opened by itself, later struck', { journal: 2, batch: 2, receipt: 2 }, 2, true],
  ['opened by itself after a recovery', { journal: 3, batch: 3, receipt: 3, recovered: 2 }, 1, false],
  ['opened by itself and not used, then struck', { journal: 1, batch: 1, receipt: 1 }, 2, true],
])('%s', async (_, made, struckEpoch, needed) => {
  expect(await needsRecovery(data(made), struckEpoch)).toBe(needed);
  const checked = checkNotStruck(data(made), '/data', struckEpoch);
  if (needed)
    await expect(checked).rejects.toThrow(/sluice recover --data \/data --into NEW, then start with/);
  else await checked;
});

class Follower {
  strike: FollowedStrike | undefined;
  readonly listeners = new Set<() => void>();
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  strikes(epoch: number): void {
    this.strike = { id: 4, hash: new Uint8Array(32), epoch, blockNumber: 9, removed: [] };
    for (const listener of [...this.listeners]) listener();
  }
}

describe('a running sequencer', () => {
  it('hears of the first strike of its epoch, once, and of none before', () => {
    const follower = new Follower();
    const heard: number[] = [];
    follower.strikes(1);
    onStrike(follower, 2, ({ epoch }) => heard.push(epoch));
    expect(heard).toEqual([]);
    follower.strikes(2);
    follower.strikes(3);
    expect(heard).toEqual([2]);
    expect(follower.listeners.size).toBe(0);
  });

  it('hears of one that came before it looked', () => {
    const follower = new Follower();
    follower.strikes(2);
    const heard: number[] = [];
    onStrike(follower, 2, ({ epoch }) => heard.push(epoch));
    expect(heard).toEqual([2]);
  });

  it('hears nothing after it stopped listening', () => {
    const follower = new Follower();
    const heard: number[] = [];
    onStrike(follower, 2, ({ epoch }) => heard.push(epoch))();
    follower.strikes(2);
    expect(heard).toEqual([]);
  });
});

test('receipts of two strikes: each epoch from its own command on', () => {
  const reverted = revertedOf({
    ...{ struckEpoch: 2, epoch: 3, batchId: 9, fromSeq: 500, lastSeq: 900, replaced: [] },
    before: [{ epoch: 1, fromSeq: 100 }],
  });
  const table: [number, number, boolean][] = [
    [1, 99, false],
    [1, 100, true],
    [1, 600, true],
    [2, 100, false],
    [2, 499, false],
    [2, 500, true],
    [3, 500, false],
  ];
  for (const [epoch, seq, is] of table) expect(isReverted({ epoch, seq }, reverted)).toBe(is);
  expect(revertedOf(undefined)).toEqual([]);
});
