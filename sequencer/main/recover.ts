/**
 * After a strike: makes a new data directory out of the old one, whose contents stay. Everything up to the last batch
 * that L1 still has is copied; the commands after it are judged once more by these rules, in the same order, and go
 * on in the epoch that the strike opened (judge-again.ts).
 *
 *   const recovered = await recoverData({ data: 'old', into: 'new', l1: url, rollup: undefined, confirmations: 2, … });
 */
import { readdir, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { LevelBatchStore } from '#journal/batch-store.ts';
import { copyFiles } from '#journal/copy-files.ts';
import { copyJournal } from '#journal/copy-journal.ts';
import { LevelHistoryStore } from '#journal/history-store.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { SegmentJournal } from '#journal/segment-journal.ts';
import { snapshotSeq } from '#journal/snapshot-file.ts';
import type { SnapshotStore } from '#pipeline/ports.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { domainSeparator } from '#protocol/signing.ts';
import type { Seq } from '#protocol/units.ts';
import { type Address, connectL1, type L1Client } from '#settlement/l1/client.ts';
import { findRollup, type RollupContracts } from '#settlement/l1/contracts.ts';
import { type FollowedStrike, L1Follower } from '#settlement/l1/follower.ts';
import { readRollupState } from '#settlement/l1/rollup-state.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { loadState } from '#state/snapshot.ts';
import { judgeAgain } from './judge-again.ts';
import { beginRecovery, isUnfinished, type Recovered, revertedOf, writeRecovered } from './recovered-file.ts';
import { openStores } from './stores.ts';
import { needsRecovery } from './strike-guard.ts';

export interface RecoverOptions {
  /** Data directory of the stopped sequencer. */
  readonly data: string;
  /** A directory that is empty, not there yet, or left by a recovery that did not end. */
  readonly into: string;
  readonly l1: string;
  readonly rollup: string | undefined;
  /** L1 blocks that must lie on top of the strike; waited for. */
  readonly confirmations: number;
  readonly segmentBytes: number;
  /** At most once a second while it works. */
  readonly onProgress?: (progress: RecoverProgress) => void;
}

export type RecoverProgress =
  | { readonly stage: 'waiting'; readonly strikeBlock: number; readonly settledBlock: number }
  | { readonly stage: 'judging'; readonly seq: Seq; readonly lastSeq: Seq };

/** Share of the liveness limit that is left to start and to post what was recovered. */
const TIME_TO_POST = 1 / 4;

/** Rejects with one sentence; `into` is empty again then. */
export async function recoverData(options: RecoverOptions): Promise<Recovered> {
  const { data, into } = options;
  if (resolve(data) === resolve(into))
    throw new Error(`--into ${into}: expected another directory than --data, got the same`);
  const there = await readdir(into).catch(() => []);
  if (there.length > 0 && !(await isUnfinished(new NodeDisk(), into)))
    throw new Error(`--into ${into}: expected an empty directory, got ${there.length} files`);
  await empty(into);
  try {
    return await recoverInto(options);
  } catch (error) {
    await empty(into);
    throw error;
  }
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => []))
    await rm(`${directory}/${name}`, { recursive: true });
}

async function recoverInto(options: RecoverOptions): Promise<Recovered> {
  const keccak = await createWasmKeccak();
  const l1 = await connectL1({ url: options.l1 });
  const rollup = await findRollup(
    l1,
    options.rollup === undefined ? {} : { address: options.rollup as Address },
  );
  const follower = new L1Follower(l1, rollup, { confirmations: options.confirmations });
  try {
    await follower.start();
    const strike = await settledStrike(follower, l1, options);
    return await recoverFrom(strike, follower, { ...options, keccak, l1, contracts: rollup });
  } finally {
    await follower.stop();
  }
}

/** The last strike, when so many blocks lie on top of it that L1 will not take it back. */
async function settledStrike(
  follower: L1Follower,
  l1: L1Client,
  { data, onProgress }: RecoverOptions,
): Promise<FollowedStrike> {
  for (;;) {
    const { strike } = follower;
    if (strike === undefined)
      throw new Error(
        `recover: expected a strike on L1, got none: start the sequencer with --data ${data} as it is`,
      );
    const settledBlock = follower.anchor?.number ?? 0;
    if (strike.blockNumber <= settledBlock) return strike;
    onProgress?.({ stage: 'waiting', strikeBlock: strike.blockNumber, settledBlock });
    await new Promise((wake) => setTimeout(wake, l1.pollMs));
    await follower.poll();
  }
}

interface Rooms extends Omit<RecoverOptions, 'l1'> {
  readonly keccak: Keccak;
  readonly l1: L1Client;
  readonly contracts: RollupContracts;
}

async function recoverFrom(
  { epoch: struckEpoch }: FollowedStrike,
  follower: L1Follower,
  options: Rooms,
): Promise<Recovered> {
  const { data, into, segmentBytes, keccak, l1, contracts } = options;
  const { committedId, committedHash, epoch, blockTime } = await readRollupState(
    l1,
    contracts,
    contracts.sequencer,
  );
  const genesis = domainSeparator(contracts.domain, keccak);
  const disk = new NodeDisk();
  const old = await openStores({ directory: data, genesis, segmentBytes, mustExist: true });
  let base: SignedBatch | undefined;
  let start: ExchangeState;
  try {
    if (!(await needsRecovery(old, struckEpoch)))
      throw new Error(
        `recover: expected data of epoch ${struckEpoch}, which a strike ended, or of one before, got younger ones or none: start the sequencer with --data ${data} as it is`,
      );
    if (committedId > 0) base = await old.batches.get(committedId);
    if (committedId > 0 && (base === undefined || !equalBytes(base.hash, committedHash)))
      throw new Error(
        `recover: expected batch ${committedId}, the last that L1 has, in ${data}, got ${base === undefined ? 'none' : 'another'}: it can't be recovered from these data`,
      );
    start = await stateBefore((base?.header.nextSeq ?? 1) - 1, old.snapshots, old.journal.firstSeq, keccak);
  } finally {
    await old.close();
  }
  const fromSeq = base?.header.nextSeq ?? 1;

  await beginRecovery(disk, into);
  // Held to the end: nobody adds to what is being copied.
  const source = await SegmentJournal.open({ disk, directory: data, genesis, segmentBytes });
  try {
    for (const folder of ['batches', 'receipts', 'snapshots'])
      await copyFiles(`${data}/${folder}`, `${into}/${folder}`, (name) => {
        const seq = folder === 'snapshots' ? snapshotSeq(name) : undefined;
        return seq === undefined || seq < fromSeq;
      });
    const batches = await LevelBatchStore.open({ disk, directory: into, create: false });
    await batches.removeAfter(committedId);
    await batches.close();
    await (await LevelHistoryStore.open({ directory: into, create: true })).close();
    const copied = await copyJournal({
      ...{ disk, from: data, into, genesis, segmentBytes },
      through: fromSeq - 1,
    });
    const target = await SegmentJournal.open({ disk, directory: into, genesis, segmentBytes });
    try {
      const { onProgress } = options;
      const replaced = await judgeAgain({
        ...{ source, target, start, copied, fromSeq, epoch, l1: follower },
        oldestMs: Math.floor((blockTime - contracts.livenessSeconds * (1 - TIME_TO_POST)) * 1000),
        onProgress: (progress) => onProgress?.({ stage: 'judging', ...progress }),
      });
      const recovered: Recovered = {
        ...{ struckEpoch, epoch, batchId: committedId, fromSeq, lastSeq: target.lastSeq, replaced },
        // What an earlier strike reverted from here on, this one reverts as well, and in later epochs.
        before: revertedOf(old.recovered).filter((one) => one.fromSeq < fromSeq),
      };
      await target.close();
      await writeRecovered(disk, into, recovered);
      return recovered;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** The newest state at or before command `seq` that can be told; what lies between is replayed. */
async function stateBefore(
  seq: Seq,
  snapshots: SnapshotStore,
  journalFirst: Seq,
  keccak: Keccak,
): Promise<ExchangeState> {
  const troubles: string[] = [];
  for (const info of await snapshots.list()) {
    if (info.seq > seq || info.seq < journalFirst - 1) continue;
    try {
      const state = loadState((await snapshots.load(info.seq)).payload, keccak);
      if (state.seq === info.seq) return state;
    } catch (error) {
      // An older one, or the first command, will do.
      troubles.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (journalFirst <= 1) return new ExchangeState(keccak);
  throw new Error(
    [
      `recover: expected a readable snapshot from ${journalFirst - 1} to ${seq}, which the journal goes on from, got none`,
      ...troubles,
    ].join('; '),
  );
}
