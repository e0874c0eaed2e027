/**
 * Snapshots: files (snapshot-file.ts) and an index in LevelDB that says what each holds and whether it was
 * verified. The files are the truth: the index is put right against them when opened.
 *
 *   DATA/snapshots/0000000000001234.snapshot
 *   DATA/snapshots/index/    u64 seq, big-endian → sealed: u8 verified ‖ 32 content hash
 */

import type { Disk, SnapshotInfo, SnapshotMeta, SnapshotStore } from '#pipeline/ports.ts';
import { equalBytes, getU64be, setU64be, toHex, viewOf } from '#protocol/bytes.ts';
import type { Seq } from '#protocol/units.ts';
import { type ByteLevel, openLevel, seal, unseal } from './level-store.ts';
import {
  readSnapshot,
  readSnapshotHeader,
  type SnapshotHeader,
  snapshotName,
  snapshotSeq,
  writeSnapshot,
} from './snapshot-file.ts';
import { StoreError } from './store-error.ts';

export const SNAPSHOTS_KEPT = 3;

interface Indexed {
  readonly header: SnapshotHeader;
  readonly verified: boolean;
}

export interface SnapshotStoreOptions {
  readonly disk: Disk;
  /** The data directory. */
  readonly directory: string;
  /** True only at genesis. */
  readonly create: boolean;
}

export class FileSnapshotStore implements SnapshotStore {
  private readonly disk: Disk;
  private readonly folder: string;
  private readonly level: ByteLevel;
  /** Ascending by seq. */
  private snapshots: Indexed[];
  private neededSeq: Seq | undefined;
  private work: Promise<unknown> = Promise.resolve();

  private constructor(disk: Disk, folder: string, level: ByteLevel, snapshots: Indexed[]) {
    this.disk = disk;
    this.folder = folder;
    this.level = level;
    this.snapshots = snapshots;
  }

  /** Files that are not whole snapshots, left by a power cut, are removed; damaged ones stay and fail `load`. */
  static async open(options: SnapshotStoreOptions): Promise<FileSnapshotStore> {
    const { disk, directory, create } = options;
    const folder = `${directory}/snapshots`;
    if (create) await disk.makeDirectory(folder);
    const level = await openLevel({ path: `${folder}/index`, create });
    try {
      const snapshots: Indexed[] = [];
      for (const name of await disk.list(folder)) {
        if (name.endsWith('.new')) await disk.unlink(`${folder}/${name}`);
        const seq = snapshotSeq(name);
        if (seq === undefined) continue;
        const header = await readSnapshotHeader(disk, folder, seq).catch((error: unknown) => {
          if (error instanceof StoreError) return undefined;
          throw error;
        });
        if (header === undefined) continue;
        const entry = await level.get(keyOf(seq));
        const value =
          entry === undefined ? undefined : unseal(entry, folder, `index of ${snapshotName(seq)}`);
        const same = value !== undefined && equalBytes(value.subarray(1), header.contentHash);
        snapshots.push({ header, verified: same && value[0] === 1 });
      }
      for await (const key of level.keys()) {
        const seq = getU64be(viewOf(key), 0);
        if (!snapshots.some((snapshot) => snapshot.header.seq === seq)) await level.del(key);
      }
      return new FileSnapshotStore(disk, folder, level, snapshots);
    } catch (error) {
      await level.close();
      throw error;
    }
  }

  save(meta: SnapshotMeta, payload: Uint8Array): Promise<SnapshotInfo> {
    return this.inTurn(async () => {
      await writeSnapshot(this.disk, this.folder, meta, payload);
      const header = await readSnapshotHeader(this.disk, this.folder, meta.seq);
      const others = this.snapshots.filter((snapshot) => snapshot.header.seq !== meta.seq);
      const saved: Indexed = { header, verified: false };
      this.snapshots = [...others, saved].sort((a, b) => a.header.seq - b.header.seq);
      await this.index(saved);
      await this.dropOld();
      return infoOf(saved);
    });
  }

  list(): Promise<SnapshotInfo[]> {
    return this.inTurn(async () => this.snapshots.map(infoOf).reverse());
  }

  load(seq: Seq): Promise<{ info: SnapshotInfo; payload: Uint8Array }> {
    return this.inTurn(async () => {
      const snapshot = this.find(seq);
      const { header, payload } = await readSnapshot(this.disk, this.folder, seq);
      if (!equalBytes(header.contentHash, snapshot.header.contentHash))
        throw new StoreError(
          'corrupt',
          this.folder,
          `${snapshotName(seq)}: content hash: expected ${toHex(snapshot.header.contentHash)}, got ` +
            `${toHex(header.contentHash)}; start from an older snapshot`,
        );
      return { info: infoOf(snapshot), payload };
    });
  }

  markVerified(seq: Seq): Promise<void> {
    return this.inTurn(async () => {
      const verified = { ...this.find(seq), verified: true };
      this.snapshots = this.snapshots.map((snapshot) => (snapshot.header.seq === seq ? verified : snapshot));
      await this.index(verified);
      await this.dropOld();
    });
  }

  /**
   * Whoever goes back to the state after command `seq` must be able to: from now on the newest verified snapshot up to it
   * stays, and the oldest after it, which takes its place when `seq` has come so far.
   */
  keepFor(seq: Seq): void {
    this.neededSeq = Math.max(this.neededSeq ?? 0, seq);
  }

  close(): Promise<void> {
    return this.inTurn(() => this.level.close());
  }

  private find(seq: Seq): Indexed {
    const found = this.snapshots.find((snapshot) => snapshot.header.seq === seq);
    if (found === undefined) {
      const kept = this.snapshots.map((snapshot) => snapshot.header.seq).join(', ');
      throw new StoreError('missing', this.folder, `snapshot: expected one of [${kept}], got ${seq}`);
    }
    return found;
  }

  private async index({ header, verified }: Indexed): Promise<void> {
    const value = new Uint8Array(33);
    value[0] = verified ? 1 : 0;
    value.set(header.contentHash, 1);
    await this.level.put(keyOf(header.seq), seal(value), { sync: true });
  }

  /**
   * Keeps the newest three, the newest verified one (a restart always has a verified place to begin) and those around
   * what is needed.
   */
  private async dropOld(): Promise<void> {
    const verified = this.snapshots.filter((snapshot) => snapshot.verified);
    const { neededSeq } = this;
    const wanted = new Set<Indexed | undefined>([...this.snapshots.slice(-SNAPSHOTS_KEPT), verified.at(-1)]);
    if (neededSeq !== undefined) {
      wanted.add(verified.findLast(({ header }) => header.seq <= neededSeq));
      wanted.add(verified.find(({ header }) => header.seq > neededSeq));
    }
    const kept = this.snapshots.filter((snapshot) => wanted.has(snapshot));
    const gone = this.snapshots.filter((snapshot) => !kept.includes(snapshot));
    this.snapshots = kept;
    for (const { header } of gone) {
      await this.disk.unlink(`${this.folder}/${snapshotName(header.seq)}`);
      await this.level.del(keyOf(header.seq));
    }
    if (gone.length > 0) await this.disk.syncDirectory(this.folder);
  }

  /** One operation at a time, in the order of the calls. */
  private inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.work.then(run, run);
    this.work = done.catch(() => {});
    return done;
  }
}

function keyOf(seq: Seq): Uint8Array {
  const key = new Uint8Array(8);
  setU64be(viewOf(key), 0, seq);
  return key;
}

function infoOf({ header, verified }: Indexed): SnapshotInfo {
  const { seq, ledgerRoot, bookRoot, batchId, engineVersion, bytes } = header;
  return { seq, ledgerRoot, bookRoot, batchId, engineVersion, bytes, verified };
}
