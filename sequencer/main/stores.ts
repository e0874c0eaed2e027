/**
 * The data directory: journal, snapshots, signed batches, the last receipt, history. At genesis they are made, the journal last:
 * while there is none the directory counts as empty and making it can be repeated.
 */
import { LevelBatchStore } from '#journal/batch-store.ts';
import { LevelHistoryStore } from '#journal/history-store.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { ReceiptSlot } from '#journal/receipt-slot.ts';
import { createJournal, journalExists, SegmentJournal } from '#journal/segment-journal.ts';
import { FileSnapshotStore } from '#journal/snapshot-store.ts';
import type { Hash, Seq } from '#protocol/units.ts';
import { isUnfinished, type Recovered, readRecovered } from './recovered-file.ts';

export interface Stores {
  readonly disk: NodeDisk;
  readonly journal: SegmentJournal;
  readonly snapshots: FileSnapshotStore;
  readonly batches: LevelBatchStore;
  readonly history: LevelHistoryStore;
  readonly lastReceipt: ReceiptSlot;
  /** What these data were recovered from; undefined when they never were. */
  readonly recovered: Recovered | undefined;
  readonly isNew: boolean;
  close(): Promise<void>;
}

export interface StoresOptions {
  readonly directory: string;
  /** Names the chain: two chains' directories are never mixed. */
  readonly genesis: Hash;
  readonly segmentBytes: number;
  /** Reject where there is no journal, instead of beginning a chain. */
  readonly mustExist?: boolean;
}

/** Rejects with one sentence when the directory is another's, is damaged, or is in use. */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const { directory, genesis, segmentBytes } = options;
  const disk = new NodeDisk();
  if (await isUnfinished(disk, directory))
    throw new Error(
      `--data ${directory}: expected whole data, got those of a recovery that has not ended: run sluice recover again`,
    );
  const isNew = !(await journalExists(disk, directory));
  if (isNew && options.mustExist === true)
    throw new Error(`--data ${directory}: expected the data of a sequencer, got no journal`);
  await disk.makeDirectory(directory);
  const opened: { close(): Promise<void> }[] = [];
  const closeAll = async (): Promise<void> => {
    // The journal first: it holds the lock of the directory.
    for (const store of opened.reverse()) await store.close();
    opened.length = 0;
  };
  const keep = <Store extends { close(): Promise<void> }>(store: Store): Store => {
    opened.push(store);
    return store;
  };
  try {
    const history = keep(await LevelHistoryStore.open({ directory, create: isNew }));
    const batches = keep(await LevelBatchStore.open({ disk, directory, create: isNew }));
    const snapshots = keep(await FileSnapshotStore.open({ disk, directory, create: isNew }));
    const lastReceipt = keep(await ReceiptSlot.open(disk, directory));
    if (isNew) await createJournal({ disk, directory, genesis, segmentBytes });
    const journal = keep(
      await SegmentJournal.open({
        disk,
        directory,
        genesis,
        segmentBytes,
        atLeast: await knownSeqs(batches, snapshots),
      }),
    );
    const recovered = await readRecovered(disk, directory);
    return { disk, journal, snapshots, batches, history, lastReceipt, recovered, isNew, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Commands that must be in the journal, because something was made of them. */
async function knownSeqs(
  batches: LevelBatchStore,
  snapshots: FileSnapshotStore,
): Promise<{ seq: Seq; what: string }[]> {
  const known: { seq: Seq; what: string }[] = [];
  const batch = await batches.latest();
  if (batch !== undefined)
    known.push({ seq: batch.header.nextSeq - 1, what: `signed batch ${batch.header.id}` });
  for (const { seq } of await snapshots.list()) known.push({ seq, what: `snapshot ${seq}` });
  return known;
}
