/**
 * What the submitter means to do, kept before it is done: one intent a nonce, with every version of its
 * transaction that was ever sent. A LevelDB in the submitter's data directory, flushed on every change; it is bound
 * to one rollup and sender, and everything in it can be lost: the chain says what is still to be done.
 *
 *   about            → chain, rollup, sender
 *   intent/NONCE     → Intent (nonce in ten digits)
 *   totals           → Totals
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Level } from 'level';
import type { Hex } from '../l1/client.ts';

export type Work =
  | { readonly kind: 'commit'; readonly id: number; readonly epoch: number; readonly hash: Hex }
  | { readonly kind: 'finalize'; readonly id: number }
  /** Puts the records of a segment on L1, of which someone has asked for. */
  | { readonly kind: 'answer'; readonly demand: number; readonly batch: number; readonly segment: number }
  /** Pays ourselves nothing: only uses the nonce up, so that those behind it can be mined. */
  | { readonly kind: 'fill' };

export interface Intent {
  readonly nonce: number;
  readonly work: Work;
  /** The signed transaction as it was (or will be) sent last; blobs that go with it are made again. */
  readonly raw: Hex;
  /** Hashes of all its versions, newest last. */
  readonly hashes: readonly Hex[];
  /** Set once it was mined: the block, until a reorg takes it back. */
  readonly mined?: { readonly blockNumber: number; readonly blockHash: Hex };
  /** True once its costs are in the totals: a reorg must not count them twice. */
  readonly counted: boolean;
}

/** Since the data directory exists. */
export interface Totals {
  /** Mined, including reverted ones. */
  transactions: number;
  gas: number;
  calldataBytes: number;
  blobs: number;
  /** With what blobs cost. */
  feesWei: string;
  reverted: number;
  resubmissions: number;
}

export const NO_TOTALS: Totals = {
  transactions: 0,
  gas: 0,
  calldataBytes: 0,
  blobs: 0,
  feesWei: '0',
  reverted: 0,
  resubmissions: 0,
};

export interface StoreIdentity {
  readonly chainId: number;
  readonly rollup: Hex;
  readonly sender: Hex;
}

export class IntentStoreError extends Error {
  override readonly name = 'IntentStoreError';
}

const keyOf = (nonce: number): string => `intent/${String(nonce).padStart(10, '0')}`;

export class IntentStore {
  private readonly db: Level<string, unknown>;

  private constructor(db: Level<string, unknown>) {
    this.db = db;
  }

  /** Rejects with a sentence when the directory is another's, is in use, or can't be read. */
  static async open(directory: string, identity: StoreIdentity): Promise<IntentStore> {
    await mkdir(directory, { recursive: true });
    const db = new Level<string, unknown>(directory, {
      valueEncoding: 'json',
      // A missing CURRENT file beside other files is damage, not a new store.
      createIfMissing:
        !existsSync(path.join(directory, 'CURRENT')) && !existsSync(path.join(directory, 'LOG')),
    });
    try {
      await db.open();
      const about = (await db.get('about')) as StoreIdentity | undefined;
      if (about === undefined) await db.put('about', identity, { sync: true });
      else requireSame(directory, about, identity);
      return new IntentStore(db);
    } catch (error) {
      await db.close().catch(() => {});
      if (error instanceof IntentStoreError) throw error;
      const cause = (error as { cause?: { code?: string; message?: string } }).cause;
      throw new IntentStoreError(
        cause?.code === 'LEVEL_LOCKED'
          ? `submitter data ${directory}: expected to be alone, got a lock of another process: stop the other submitter`
          : `submitter data ${directory}: can't be read (${cause?.message ?? (error as Error).message}): move it away, everything in it is found again on L1`,
        { cause: error },
      );
    }
  }

  async load(): Promise<{ intents: Intent[]; totals: Totals }> {
    const intents: Intent[] = [];
    for await (const value of this.db.values({ gte: 'intent/', lt: 'intent0' }))
      intents.push(value as Intent);
    const totals = (await this.db.get('totals')) as Partial<Totals> | undefined;
    return { intents, totals: { ...NO_TOTALS, ...totals } };
  }

  /** Durable when it resolves. */
  async put(intent: Intent, totals?: Totals): Promise<void> {
    const batch = this.db.batch().put(keyOf(intent.nonce), intent);
    if (totals !== undefined) batch.put('totals', totals);
    await batch.write({ sync: true });
  }

  async remove(nonce: number): Promise<void> {
    await this.db.del(keyOf(nonce), { sync: true });
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}

function requireSame(directory: string, got: StoreIdentity, expected: StoreIdentity): void {
  for (const field of ['chainId', 'rollup', 'sender'] as const)
    if (String(got[field]).toLowerCase() !== String(expected[field]).toLowerCase())
      throw new IntentStoreError(
        `submitter data ${directory}, ${field}: expected ${expected[field]}, got ${got[field]}: use another directory`,
      );
}
