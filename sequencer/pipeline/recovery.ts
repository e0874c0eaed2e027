/**
 * Recovery: the newest good snapshot, then every command that the journal holds after it, applied by the same
 * engine to the same bytes. State marks on the way must agree. Nothing is guessed: what can't be read back
 * ends in one sentence.
 */

import { Engine } from '#engine/engine.ts';
import { EntryReader } from '#journal/entry.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { Seq } from '#protocol/units.ts';
import { ENGINE_VERSION, ExchangeState } from '#state/exchange-state.ts';
import type { EventConsumer, Journal, Scheduler, SnapshotInfo, SnapshotStore, StateMark } from './ports.ts';
import { stateDigest } from './state-digest.ts';

export class RecoveryError extends Error {
  override readonly name = 'RecoveryError';
}

export interface RecoveryOptions {
  readonly journal: Pick<Journal, 'readFrom' | 'firstSeq' | 'lastSeq'>;
  readonly snapshots: SnapshotStore;
  /** State of a snapshot's payload; throws when it is none. */
  readonly decodeSnapshot: (payload: Uint8Array, keccak: Keccak) => ExchangeState;
  readonly keccak: Keccak;
  /** Are given again what lies above their `acknowledgedSeq`. */
  readonly events: readonly EventConsumer[];
  readonly scheduler: Scheduler;
  /** At most once a second while it works. */
  readonly onProgress?: (progress: { seq: Seq; lastSeq: Seq }) => void;
}

export interface Recovered {
  readonly engine: Engine;
  /** 0: from the first command on. */
  readonly snapshotSeq: Seq;
  readonly replayed: number;
  /** State marks that were met and agreed. */
  readonly marks: number;
  readonly elapsedMs: number;
  /** What was found amiss and passed over, in sentences. */
  readonly notes: readonly string[];
}

const PROGRESS_US = 1_000_000;

export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { journal, scheduler } = options;
  const startedUs = scheduler.monotonicUs();
  const notes: string[] = [];
  const state = await startingState(options, notes);
  const engine = new Engine(state);
  const snapshotSeq = state.seq;
  let reportedUs = startedUs;
  let marks = 0;
  const { lastSeq } = journal;
  for await (const record of journal.readFrom(snapshotSeq + 1, lastSeq)) {
    if (record.kind === 'mark') {
      if (record.seq < state.seq) continue;
      checkMark(state, record);
      marks++;
      continue;
    }
    replay(engine, options.events, new EntryReader(record.payload, record.count), record.firstSeq);
    const nowUs = scheduler.monotonicUs();
    if (nowUs - reportedUs < PROGRESS_US) continue;
    reportedUs = nowUs;
    options.onProgress?.({ seq: state.seq, lastSeq });
  }
  if (state.seq !== lastSeq)
    throw new RecoveryError(
      `recovery: expected to reach command ${lastSeq}, the journal ended at ${state.seq}`,
    );
  return {
    engine,
    snapshotSeq,
    replayed: state.seq - snapshotSeq,
    marks,
    elapsedMs: (scheduler.monotonicUs() - startedUs) / 1000,
    notes,
  };
}

/**
 * The state of the newest snapshot that the journal continues and that no consumer is behind of; an empty state
 * when the journal goes back to the first command.
 */
async function startingState(options: RecoveryOptions, notes: string[]): Promise<ExchangeState> {
  const { journal, snapshots, events } = options;
  const neededFrom = Math.min(...events.map((consumer) => consumer.acknowledgedSeq), journal.lastSeq);
  const usable = (await snapshots.list()).filter(
    ({ seq }) => seq >= journal.firstSeq - 1 && seq <= journal.lastSeq,
  );
  const behind = usable.filter(({ seq }) => seq <= neededFrom);
  const ahead = usable.filter(({ seq }) => seq > neededFrom);
  for (const info of behind) {
    const state = await tryLoad(options, info, notes);
    if (state !== undefined) return state;
  }
  if (journal.firstSeq === 1 || journal.lastSeq === 0) return new ExchangeState(options.keccak);
  // A gap in what is only told is better than an exchange that does not come back; the oldest makes it smallest.
  for (const info of ahead.reverse()) {
    const state = await tryLoad(options, info, notes);
    if (state === undefined) continue;
    notes.push(
      `history lacks the events of commands ${neededFrom + 1} to ${info.seq}: no older snapshot is left`,
    );
    return state;
  }
  throw new RecoveryError(
    `recovery: expected a readable snapshot at or after command ${journal.firstSeq - 1}, where the journal begins, got none of ${
      usable.length
    }${notes.length > 0 ? ` (${notes.join('; ')})` : ''}: restore the snapshots of the data directory, or rebuild it from L1`,
  );
}

async function tryLoad(
  { snapshots, decodeSnapshot, keccak }: RecoveryOptions,
  info: SnapshotInfo,
  notes: string[],
): Promise<ExchangeState | undefined> {
  if (info.engineVersion !== ENGINE_VERSION) {
    notes.push(`snapshot ${info.seq}: expected engine version ${ENGINE_VERSION}, got ${info.engineVersion}`);
    return undefined;
  }
  try {
    const state = decodeSnapshot((await snapshots.load(info.seq)).payload, keccak);
    if (state.seq === info.seq) return state;
    notes.push(`snapshot ${info.seq}: expected the state after command ${info.seq}, got ${state.seq}`);
  } catch (error) {
    notes.push(`snapshot ${info.seq}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
}

function replay(
  engine: Engine,
  consumers: readonly EventConsumer[],
  entries: EntryReader,
  firstSeq: Seq,
): void {
  const { state } = engine;
  for (let seq = firstSeq; entries.next(); seq++) {
    if (seq <= state.seq) continue;
    engine.apply(entries);
    if (state.seq !== seq)
      throw new RecoveryError(`recovery: expected the state to stand at command ${seq}, got ${state.seq}`);
    for (const consumer of consumers)
      if (consumer.acknowledgedSeq < seq) consumer.onEvents(engine.events, seq, false);
  }
}

function checkMark(state: ExchangeState, mark: StateMark): void {
  if (mark.engineVersion !== state.engineVersion)
    throw new RecoveryError(
      `recovery: the journal was written by engine version ${mark.engineVersion}, this is ${state.engineVersion}: start the version that wrote it`,
    );
  const got = stateDigest(state);
  if (mark.seq !== state.seq || !equalBytes(got, mark.stateHash))
    throw new RecoveryError(
      `recovery: expected state ${toHex(mark.stateHash)} after command ${mark.seq}, got ${toHex(got)} after ${state.seq}: ` +
        'the replay went another way than the journal; do not trade on it, verify the chain first',
    );
}
