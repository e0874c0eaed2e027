/**
 * After a strike: makes a new data directory out of the old one, which stays as it is. Everything up to the last
 * batch that L1 still has is copied; the commands after it are judged once more by these rules, in the same order
 * and at the same times, and go on in the epoch that the strike opened. One that these rules would never have
 * admitted gives its place to a CLOCK, so that every other command keeps its seq.
 *
 *   const report = await recoverData({ data: 'old', into: 'new', l1: url, rollup: undefined });
 */
import { cp, readdir, rm } from 'node:fs/promises';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { Engine } from '#engine/engine.ts';
import { copyJournal } from '#journal/copy-journal.ts';
import { EntryReader, EntryWriter } from '#journal/entry.ts';
import { LevelHistoryStore } from '#journal/history-store.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { SegmentJournal } from '#journal/segment-journal.ts';
import { snapshotSeq } from '#journal/snapshot-file.ts';
import type { JournalHead, SnapshotStore } from '#pipeline/ports.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, viewOf } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord, NO_SIGNERS, recordTime } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { rejectName } from '#protocol/reject.ts';
import { domainSeparator } from '#protocol/signing.ts';
import type { Seq } from '#protocol/units.ts';
import { type Address, connectL1 } from '#settlement/l1/client.ts';
import { findRollup } from '#settlement/l1/contracts.ts';
import { readRollupState, readStruckEpoch } from '#settlement/l1/rollup-state.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { loadState } from '#state/snapshot.ts';
import { type Recovered, writeRecovered } from './recovered-file.ts';
import { openStores } from './stores.ts';

export interface RecoverOptions {
  /** Data directory of the stopped sequencer; nothing in it is changed. */
  readonly data: string;
  /** A directory that is empty or not there yet. */
  readonly into: string;
  readonly l1: string;
  readonly rollup: string | undefined;
  readonly segmentBytes: number;
  /** At most once a second while it works. */
  readonly onProgress?: (progress: { readonly seq: Seq; readonly lastSeq: Seq }) => void;
}

const PROGRESS_MS = 1_000;

/** Rejects with one sentence; `into` is emptied again then. */
export async function recoverData(options: RecoverOptions): Promise<Recovered> {
  const { into } = options;
  const there = await readdir(into).catch(() => []);
  if (there.length > 0)
    throw new Error(`--into ${into}: expected an empty directory, got ${there.length} files`);
  try {
    return await recoverInto(options);
  } catch (error) {
    for (const name of await readdir(into).catch(() => [])) await rm(`${into}/${name}`, { recursive: true });
    throw error;
  }
}

async function recoverInto(options: RecoverOptions): Promise<Recovered> {
  const { data, into, segmentBytes } = options;
  const keccak = await createWasmKeccak();
  const l1 = await connectL1({ url: options.l1 });
  const rollup = await findRollup(
    l1,
    options.rollup === undefined ? {} : { address: options.rollup as Address },
  );
  const { committedId, committedHash, epoch } = await readRollupState(l1, rollup, rollup.sequencer);
  const struckEpoch = await readStruckEpoch(l1, rollup);
  const genesis = domainSeparator(rollup.domain, keccak);
  const disk = new NodeDisk();

  const old = await openStores({ directory: data, genesis, segmentBytes, mustExist: true });
  let base: SignedBatch | undefined;
  let start: ExchangeState;
  let journalFirst: Seq;
  try {
    const latest = await old.batches.latest();
    if (struckEpoch === 0 || (latest !== undefined && latest.header.epoch > struckEpoch))
      throw new Error(
        `recover: expected a strike that these data have not been recovered from, got none: start the sequencer with --data ${data}`,
      );
    if (committedId > 0) base = await old.batches.get(committedId);
    if (committedId > 0 && (base === undefined || !equalBytes(base.hash, committedHash)))
      throw new Error(
        `recover: expected batch ${committedId}, the last that L1 has, in ${data}, got ${base === undefined ? 'none' : 'another'}: it can't be recovered from these data`,
      );
    journalFirst = old.journal.firstSeq;
    start = await stateBefore((base?.header.nextSeq ?? 1) - 1, old.snapshots, journalFirst, keccak);
  } finally {
    await old.close();
  }
  const fromSeq = base?.header.nextSeq ?? 1;

  await disk.makeDirectory(into);
  for (const folder of ['batches', 'receipts', 'snapshots'])
    await cp(`${data}/${folder}`, `${into}/${folder}`, { recursive: true });
  for (const name of await readdir(`${into}/snapshots`)) {
    const seq = snapshotSeq(name);
    if (seq !== undefined && seq >= fromSeq) await rm(`${into}/snapshots/${name}`);
  }
  await (await LevelHistoryStore.open({ directory: into, create: true })).close();
  const copied = await copyJournal({ disk, from: data, into, genesis, segmentBytes, through: fromSeq - 1 });

  const source = await SegmentJournal.open({ disk, directory: data, genesis, segmentBytes });
  const target = await SegmentJournal.open({ disk, directory: into, genesis, segmentBytes });
  try {
    const replaced = await judgeAgain({ source, target, start, copied, fromSeq, epoch, ...options });
    const recovered: Recovered = { struckEpoch, epoch, fromSeq, lastSeq: target.lastSeq, replaced };
    await writeRecovered(disk, into, recovered);
    return recovered;
  } finally {
    await target.close();
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
  for (const info of await snapshots.list()) {
    if (info.seq > seq || info.seq < journalFirst - 1) continue;
    try {
      return loadState((await snapshots.load(info.seq)).payload, keccak);
    } catch {
      // An older one, or the first command, will do.
    }
  }
  if (journalFirst <= 1) return new ExchangeState(keccak);
  throw new Error(
    `recover: expected a readable snapshot from ${journalFirst - 1} to ${seq}, which the journal goes on from, got none`,
  );
}

interface Judging {
  readonly source: SegmentJournal;
  readonly target: SegmentJournal;
  readonly start: ExchangeState;
  /** Last command that the copy holds already. */
  readonly copied: Seq;
  /** First command that is judged again. */
  readonly fromSeq: Seq;
  readonly epoch: number;
  readonly onProgress?: RecoverOptions['onProgress'];
}

/** Applies every command from the start on, and appends those that the copy lacks, frame by frame. */
async function judgeAgain(judging: Judging): Promise<Recovered['replaced']> {
  const { source, target, start, copied, fromSeq, epoch } = judging;
  const engine = new Engine(start);
  const replaced: { seq: Seq; reason: string }[] = [];
  const writer = new EntryWriter();
  const { lastSeq } = source;
  let head: JournalHead = target.head;
  let reported = Date.now();
  for await (const frame of source.readFrom(start.seq + 1, lastSeq)) {
    if (frame.kind !== 'commands') continue;
    const entries = new EntryReader(frame.payload, frame.count);
    writer.reset();
    for (let seq = frame.firstSeq; entries.next(); seq++) {
      let command = { record: entries.record, signers: entries.signers };
      if (seq > start.seq) {
        const time = recordTime(viewOf(command.record));
        const code = seq < fromSeq ? 0 : engine.admit(command, time);
        if (code !== 0) {
          replaced.push({ seq, reason: rejectName(code) });
          command = { record: encodeRecord(CLOCK, time, NO_SIGNERS), signers: NO_SIGNERS };
        }
        engine.apply(command);
      }
      if (seq > copied) writer.append(command.record, command.signers);
    }
    if (writer.count > 0) {
      const firstSeq = head.seq + 1;
      head = await target.append({
        epoch: frame.firstSeq + frame.count - 1 < fromSeq ? Math.max(target.lastEpoch, 1) : epoch,
        firstSeq,
        count: writer.count,
        payload: writer.payload,
        after: head.hash,
      });
    }
    if (Date.now() - reported < PROGRESS_MS) continue;
    reported = Date.now();
    judging.onProgress?.({ seq: head.seq, lastSeq });
  }
  return replaced;
}
