/**
 * Signed batches and what the signer has allowed itself to sign.
 *
 *   DATA/batches/signed       last commitment (signer-slot.ts)
 *   DATA/batches/level/       keys big-endian:
 *     's' u32 epoch u64 id → sealed: 32 parent hash ‖ 32 hash   commitments, one per (epoch, id), for ever
 *     'b' u32 epoch u64 id → the batch (batch-codec.ts)
 *
 * An epoch that begins at an id below the last one's takes the place of all batches from that id on.
 */

import type { BatchStore, Disk, SignedCommitment } from '#pipeline/ports.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, getU64be, setU64be, toHex, viewOf } from '#protocol/bytes.ts';
import { decodeBatch, encodeBatch } from './batch-codec.ts';
import { type ByteLevel, openLevel, plainBytes, seal, unseal } from './level-store.ts';
import { SignerSlot } from './signer-slot.ts';
import { StoreError, type StoreErrorCode } from './store-error.ts';

const BATCH = 0x62;
const COMMITMENT = 0x73;
const KEY_BYTES = 13;
/** Commitments whose links are checked at every start. */
const CHECKED_BACK = 256;

export interface BatchStoreOptions {
  readonly disk: Disk;
  /** The data directory. */
  readonly directory: string;
  /** True only at genesis. */
  readonly create: boolean;
}

interface EpochStart {
  readonly epoch: number;
  /** Its first batch. */
  readonly id: number;
}

export class LevelBatchStore implements BatchStore {
  private readonly folder: string;
  private readonly level: ByteLevel;
  private readonly slot: SignerSlot;
  /** Ascending by epoch. */
  private epochs: EpochStart[] = [];
  private work: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, level: ByteLevel, slot: SignerSlot) {
    this.folder = folder;
    this.level = level;
    this.slot = slot;
  }

  static async open(options: BatchStoreOptions): Promise<LevelBatchStore> {
    const { disk, directory, create } = options;
    const folder = `${directory}/batches`;
    if (create) await disk.makeDirectory(folder);
    const level = await openLevel({ path: `${folder}/level`, create });
    let slot: SignerSlot | undefined;
    try {
      slot = await SignerSlot.open(disk, folder, create);
      const store = new LevelBatchStore(folder, level, slot);
      await store.recall();
      return store;
    } catch (error) {
      await slot?.close();
      await level.close();
      throw error;
    }
  }

  remember(commitment: SignedCommitment): Promise<void> {
    return this.inTurn(async () => {
      const { epoch, id, parentHash, hash } = commitment;
      const known = await this.commitment(epoch, id);
      if (known !== undefined) {
        if (equalBytes(known.hash, hash)) return;
        throw this.error('signed-other', `batch ${id} of epoch ${epoch}`, toHex(known.hash), toHex(hash));
      }
      const { last } = this.slot;
      if (last !== undefined && epoch < last.epoch)
        throw this.error('stale-epoch', 'epoch', `at least ${last.epoch}`, epoch);
      if (last !== undefined && epoch === last.epoch) {
        if (id !== last.id + 1) throw this.error('signed-other', `id in epoch ${epoch}`, last.id + 1, id);
        if (!equalBytes(parentHash, last.hash))
          throw this.error('wrong-parent', `parent of batch ${id}`, toHex(last.hash), toHex(parentHash));
      }
      // The slot first: it is what can not be lost without being noticed.
      await this.slot.write(commitment);
      await this.keep(commitment);
    });
  }

  put(batch: SignedBatch): Promise<void> {
    return this.inTurn(async () => {
      const { epoch, id } = batch.header;
      const known = await this.commitment(epoch, id);
      if (known === undefined || !equalBytes(known.hash, batch.hash))
        throw this.error(
          'not-remembered',
          `batch ${id} of epoch ${epoch}`,
          known === undefined ? 'a remembered commitment' : toHex(known.hash),
          toHex(batch.hash),
        );
      await this.level.put(keyOf(BATCH, epoch, id), encodeBatch(batch), { sync: true });
      const start = this.epochs.find((other) => other.epoch === epoch);
      if (start === undefined || id < start.id)
        this.epochs = [...this.epochs.filter((other) => other !== start), { epoch, id }].sort(
          (a, b) => a.epoch - b.epoch,
        );
    });
  }

  async get(id: number): Promise<SignedBatch | undefined> {
    const epoch = this.epochs.findLast((start) => start.id <= id)?.epoch;
    if (epoch === undefined) return undefined;
    const value = await this.level.get(keyOf(BATCH, epoch, id));
    return value === undefined ? undefined : this.decode(value, epoch, id);
  }

  async latest(): Promise<SignedBatch | undefined> {
    const range = { gt: keyOf(BATCH, 0, 0), lt: keyOf(BATCH + 1, 0, 0), reverse: true, limit: 1 };
    for await (const [key, value] of this.level.iterator(range)) {
      const { epoch, id } = placeOf(key);
      return this.decode(value, epoch, id);
    }
    return undefined;
  }

  async list(id: number, limit: number): Promise<SignedBatch[]> {
    const batches: SignedBatch[] = [];
    const first = Math.max(id, Math.min(...this.epochs.map((start) => start.id)));
    for (let next = first; batches.length < limit; next++) {
      const batch = await this.get(next);
      if (batch === undefined) break;
      batches.push(batch);
    }
    return batches;
  }

  /**
   * Removes the batches above `id` of every epoch, which a strike has made void. What was signed is remembered all the
   * same. Durable when it resolves.
   */
  removeAfter(id: number): Promise<void> {
    return this.inTurn(async () => {
      const gone: Uint8Array[] = [];
      for await (const key of this.level.keys({ gte: keyOf(BATCH, 0, 0), lt: keyOf(BATCH + 1, 0, 0) }))
        if (placeOf(key).id > id) gone.push(key);
      await this.level.batch(
        gone.map((key) => ({ type: 'del' as const, key })),
        { sync: true },
      );
      this.epochs = this.epochs.filter((start) => start.id <= id);
    });
  }

  close(): Promise<void> {
    return this.inTurn(async () => {
      await this.slot.close();
      await this.level.close();
    });
  }

  /** Joins both memories and checks that the newest commitments hang together. */
  private async recall(): Promise<void> {
    const newest = await this.newestCommitment();
    const { last } = this.slot;
    if (last !== undefined && (newest === undefined || isLater(last, newest))) await this.keep(last);
    else if (newest !== undefined && (last === undefined || isLater(newest, last)))
      await this.slot.write(newest);
    else if (newest !== undefined && last !== undefined && !equalBytes(newest.hash, last.hash))
      throw this.error(
        'corrupt',
        `commitment ${last.id} of epoch ${last.epoch}`,
        toHex(last.hash),
        toHex(newest.hash),
      );

    let child = this.slot.last;
    for (let i = 0; i < CHECKED_BACK && child !== undefined && child.id > 0; i++) {
      const parent = await this.commitment(child.epoch, child.id - 1);
      if (parent === undefined) {
        // Right only where the epoch begins: nothing older may stand in it.
        const range = {
          gte: keyOf(COMMITMENT, child.epoch, 0),
          lt: keyOf(COMMITMENT, child.epoch, child.id),
        };
        for await (const key of this.level.keys({ ...range, limit: 1 }))
          throw this.error('missing', `commitment of epoch ${child.epoch}`, child.id - 1, placeOf(key).id);
      } else if (!equalBytes(parent.hash, child.parentHash))
        throw this.error(
          'corrupt',
          `parent of batch ${child.id}`,
          toHex(child.parentHash),
          toHex(parent.hash),
        );
      child = parent;
    }
    for (let epoch = 0; ; ) {
      let found: EpochStart | undefined;
      const range = { gte: keyOf(BATCH, epoch, 0), lt: keyOf(BATCH + 1, 0, 0), limit: 1 };
      for await (const key of this.level.keys(range)) found = placeOf(key);
      if (found === undefined) break;
      this.epochs.push(found);
      epoch = found.epoch + 1;
    }
  }

  private async newestCommitment(): Promise<SignedCommitment | undefined> {
    const range = { gte: keyOf(COMMITMENT, 0, 0), lt: keyOf(COMMITMENT + 1, 0, 0), reverse: true, limit: 1 };
    for await (const key of this.level.keys(range)) {
      const { epoch, id } = placeOf(key);
      return this.commitment(epoch, id);
    }
    return undefined;
  }

  private async commitment(epoch: number, id: number): Promise<SignedCommitment | undefined> {
    const sealed = await this.level.get(keyOf(COMMITMENT, epoch, id));
    if (sealed === undefined) return undefined;
    const value = unseal(sealed, this.folder, `commitment ${id} of epoch ${epoch}`);
    return { epoch, id, parentHash: value.slice(0, 32), hash: value.slice(32) };
  }

  private async keep({ epoch, id, parentHash, hash }: SignedCommitment): Promise<void> {
    const value = new Uint8Array(64);
    value.set(parentHash);
    value.set(hash, 32);
    await this.level.put(keyOf(COMMITMENT, epoch, id), seal(value), { sync: true });
  }

  private async decode(value: Uint8Array, epoch: number, id: number): Promise<SignedBatch> {
    const batch = decodeBatch(plainBytes(value));
    const known = await this.commitment(epoch, id);
    if (batch === undefined || known === undefined || !equalBytes(batch.hash, known.hash))
      throw this.error(
        'corrupt',
        `batch ${id} of epoch ${epoch}`,
        `the bytes that were signed`,
        batch === undefined ? 'a changed value' : toHex(batch.hash),
      );
    return batch;
  }

  private error(
    code: StoreErrorCode,
    field: string,
    expected: string | number,
    got: string | number,
  ): StoreError {
    return new StoreError(code, this.folder, `${field}: expected ${expected}, got ${got}`);
  }

  /** One writer at a time, in the order of the calls. */
  private inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.work.then(run, run);
    this.work = done.catch(() => {});
    return done;
  }
}

const isLater = (a: SignedCommitment, b: SignedCommitment): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.id > b.id);

function keyOf(kind: number, epoch: number, id: number): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  const view = viewOf(key);
  key[0] = kind;
  view.setUint32(1, epoch);
  setU64be(view, 5, id);
  return key;
}

function placeOf(key: Uint8Array): EpochStart {
  const view = viewOf(key);
  return { epoch: view.getUint32(1), id: getU64be(view, 5) };
}
