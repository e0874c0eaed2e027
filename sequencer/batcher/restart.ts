/**
 * Where a batcher begins: at the newest snapshot that stands at the end of a signed batch, or at the first
 * command. Batches signed after it are made again and must come out with the same hash; so must the one whose
 * header was drafted when the process ended.
 */

import type { BatchStore, SnapshotStore } from '#pipeline/ports.ts';
import { type BatchHeader, FIRST_EPOCH, type SignedBatch } from '#protocol/batch.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import type { Hash } from '#protocol/units.ts';
import { GENESIS_START, type TraceStart } from '#state/batch-builder.ts';
import { decodeSnapshotHeader } from '#state/snapshot.ts';
import type { DraftStore } from './draft-file.ts';

/** A batch that is to come out as it did before. */
export interface KnownBatch {
  readonly header: BatchHeader;
  /** Undefined for a draft: its hash was perhaps not yet remembered. */
  readonly hash: Hash | undefined;
}

export interface StartPlan {
  readonly snapshot: Uint8Array | undefined;
  readonly start: TraceStart;
  /** The batch before the first one to make; undefined at genesis. */
  readonly base: { readonly header: BatchHeader; readonly hash: Hash } | undefined;
  readonly known: readonly KnownBatch[];
  /** What was found amiss and passed over, in sentences. */
  readonly notes: readonly string[];
}

export interface StartOptions {
  readonly batches: BatchStore;
  readonly snapshots: SnapshotStore;
  readonly drafts: DraftStore;
  /** Epoch of the batches to make. */
  readonly epoch: number;
  /** Last batch of the epochs before, as L1 names it when the epoch is opened; needed for a new epoch only. */
  readonly epochAfterId: number | undefined;
}

const PAGE_BATCHES = 16;

export async function planStart(options: StartOptions): Promise<StartPlan> {
  const { batches, drafts, epoch } = options;
  const notes: string[] = [];
  const lastId = await lastValidId(options);
  const { snapshot, base } = await newestSnapshot(options, lastId, notes);
  const known: KnownBatch[] = [];
  for (let id = (base?.header.id ?? 0) + 1; id <= lastId; ) {
    const page = await batches.list(id, Math.min(PAGE_BATCHES, lastId - id + 1));
    if (page.length === 0) throw new Error(`batcher: expected signed batch ${id} in the store, got none`);
    for (const { header, hash } of page) known.push({ header, hash });
    id += page.length;
  }
  const draft = await drafts.load();
  if (draft !== undefined && draft.epoch === epoch && draft.id === lastId + 1)
    known.push({ header: draft, hash: undefined });
  return { snapshot, start: startAfter(base), base, known, notes };
}

const startAfter = (base: StartPlan['base']): TraceStart =>
  base === undefined
    ? GENESIS_START
    : {
        nextStep: base.header.nextStep,
        nextSeq: base.header.nextSeq,
        inputHash: base.header.postInputHash,
      };

/** Id of the last signed batch that stays valid in `epoch`; 0 when there is none. */
async function lastValidId({ batches, epoch, epochAfterId }: StartOptions): Promise<number> {
  const latest = await batches.latest();
  if (latest === undefined) {
    // Where L1 has no batch either, as after a strike of the first one, every epoch begins at genesis.
    if (epoch !== FIRST_EPOCH && epochAfterId !== 0)
      throw new Error(
        `batcher: expected signed batches of the epochs before ${epoch}, got none: rebuild the data from L1`,
      );
    return 0;
  }
  const { header } = latest;
  if (header.epoch > epoch)
    throw new Error(
      `batcher: expected epoch ${header.epoch} or later, got ${epoch}: it was signed for already`,
    );
  if (header.epoch === epoch) return header.id;
  if (epochAfterId === undefined || epochAfterId > header.id)
    throw new Error(
      `batcher: expected epoch ${epoch} to go on from a stored batch (at most ${header.id}), got ${epochAfterId}`,
    );
  return epochAfterId;
}

async function newestSnapshot(
  { batches, snapshots }: StartOptions,
  lastId: number,
  notes: string[],
): Promise<Pick<StartPlan, 'snapshot' | 'base'>> {
  for (const info of await snapshots.list()) {
    if (info.batchId === 0 || info.batchId > lastId) continue;
    const batch = await batches.get(info.batchId);
    if (batch === undefined || !endsAt(batch, info)) continue;
    try {
      const { payload } = await snapshots.load(info.seq);
      const header = decodeSnapshotHeader(payload);
      if (endsAt(batch, header))
        return { snapshot: payload, base: { header: batch.header, hash: batch.hash } };
      notes.push(
        `snapshot ${info.seq}: expected ledger root ${toHex(batch.header.postLedgerRoot)}, got ${toHex(header.ledgerRoot)}`,
      );
    } catch (error) {
      notes.push(`snapshot ${info.seq}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { snapshot: undefined, base: undefined };
}

const endsAt = (
  { header }: SignedBatch,
  state: { readonly seq: number; readonly ledgerRoot: Hash; readonly bookRoot: Hash },
): boolean =>
  header.nextSeq === state.seq + 1 &&
  equalBytes(header.postLedgerRoot, state.ledgerRoot) &&
  equalBytes(header.postBookRoot, state.bookRoot);

export const NO_PARENT = ZERO_HASH;
