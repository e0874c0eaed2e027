/**
 * From the bytes of L1 to commands: every statement of a posted batch that can be held against the batch before,
 * the posted bytes themselves and L1 is checked here; what needs the rules is left to re-execute.ts. Throws
 * `DifferenceFound` at the first that is wrong.
 *
 *   derive    signature, parent, continuity, hashes of everything posted, trace, records, queue, anchor, times
 *   recover   who signed each record (signers.ts), meanwhile
 *   execute   every segment's root, diff, withdrawn totals, header
 */

import type { Recover } from '#auth/recover.ts';
import {
  BATCH_VERSION,
  type BatchHeader,
  hashHeader,
  type SignedBatch,
  type TraceEntry,
  traceRoot,
  WITHDRAWN_ENTRIES_MAX,
  WITHDRAWN_ENTRY_BYTES,
} from '#protocol/batch.ts';
import { concat, equalBytes, viewOf } from '#protocol/bytes.ts';
import { QUEUE_ENTRY, recordKind, recordTime } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { RECORD_HEADER_BYTES, SEGMENT_INPUT_BYTES_MAX, SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { decodeQueueEntry, type QueueEntry } from '#protocol/queue-entry.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import type { Address, Hash } from '#protocol/units.ts';
import { stateRoot } from '#state/state-root.ts';
import { type ChainTip, tipAfter } from './chain-tip.ts';
import { checkAtLeast, checkAtMost, checkSame, differ, type Place } from './difference.ts';
import { InputsError, splitRecords } from './split-inputs.ts';

/** A queue entry as the Queue contract announced it. */
export interface L1QueueEntry extends QueueEntry {
  readonly blockNumber: number;
  /** Of the queue after this entry. */
  readonly prefixHash: Hash;
  readonly deadlineMs: number;
}

/** What L1 says about a committed batch. */
export interface L1Facts {
  /** Of the event BatchCommitted. */
  readonly hash: Hash;
  readonly epoch: number;
  readonly postLedgerRoot: Hash;
  readonly queueNext: number;
  /** Of the block that committed it. */
  readonly blockNumber: number;
  readonly blockTimeMs: number;
  /** Epoch open at that block. */
  readonly openEpoch: number;
  /** Hash of the block that the header calls its anchor; undefined when L1 has none at that height. */
  readonly anchorHash: Hash | undefined;
  /** Prefix hash of the queue before entry `header.queueNext`; undefined when the queue was shorter. */
  readonly queueHash: Hash | undefined;
  /**
   * Whether the inputs are in calldata: only then does L1 hold them against inputsHash. Elsewhere the trace's running
   * hashes bind them, and a false inputsHash binds nothing.
   */
  readonly inCalldata: boolean;
  /** Entries from the tip's `inputsQueueNext` on that were in the queue at that block. */
  readonly entries: readonly L1QueueEntry[];
}

export interface DeriveContext {
  readonly sequencer: Address;
  readonly livenessMs: number;
  readonly domain: SigningDomain;
  readonly keccak: Keccak;
  readonly recover: Recover;
}

export interface DerivedBatch {
  readonly batch: SignedBatch;
  readonly records: readonly Uint8Array[];
  /** After the batch, if re-execution agrees. */
  readonly tip: ChainTip;
}

/** `parent`: where the chain stood before. */
export function deriveBatch(
  batch: SignedBatch,
  parent: ChainTip,
  facts: L1Facts,
  context: DeriveContext,
): DerivedBatch {
  const { header } = batch;
  checkCommitment(batch, parent, facts, context);
  checkContinuity(header, parent, facts);
  checkPosted(batch, parent, facts, context.keccak);
  const records = checkRecords(batch, parent, context.keccak);
  const inputsQueueNext = checkQueue(header, records, parent, facts);
  checkAnchor(header, parent, facts);
  checkTimes(header, records, parent, facts, context.livenessMs);
  const { hash } = batch;
  return {
    batch,
    records,
    tip: tipAfter(header, { hash, inputsQueueNext, segments: parent.segments + batch.trace.length }),
  };
}

const placeOf = (header: BatchHeader, part: Place['part'], parent: ChainTip): Place => ({
  batch: parent.id + 1,
  part,
  ...(header.nextStep > header.firstStep
    ? { steps: { first: header.firstStep, next: header.nextStep } }
    : {}),
});

/** The signature, and that L1 took this very header. */
function checkCommitment(
  batch: SignedBatch,
  parent: ChainTip,
  facts: L1Facts,
  { domain, keccak, recover, sequencer }: DeriveContext,
): void {
  const place: Place = { batch: parent.id + 1, part: 'signature' };
  const hash = hashHeader(batch.header, domain, keccak);
  checkSame(place, 'hash that L1 announced', hash, facts.hash);
  checkSame(place, 'hash of the header', hash, batch.hash);
  checkSame(place, 'signer', sequencer, recover(hash, batch.signature) ?? 'no signer');
}

function checkContinuity(header: BatchHeader, parent: ChainTip, facts: L1Facts): void {
  const place: Place = { batch: parent.id + 1, part: 'header' };
  const same = (field: keyof BatchHeader, expected: number | Hash): void =>
    checkSame(place, field, expected, header[field]);
  same('version', BATCH_VERSION);
  same('id', parent.id + 1);
  same('epoch', facts.openEpoch);
  checkSame(place, 'epoch that L1 announced', header.epoch, facts.epoch);
  same('parentHash', parent.hash);
  same('preLedgerRoot', parent.ledgerRoot);
  same('preBookRoot', parent.bookRoot);
  same('firstStep', parent.nextStep);
  same('firstSeq', parent.nextSeq);
  same('preInputHash', parent.inputHash);
  same('queueFirst', parent.queueNext);
  checkSame(place, 'postLedgerRoot that L1 announced', header.postLedgerRoot, facts.postLedgerRoot);
  checkSame(place, 'queueNext that L1 announced', header.queueNext, facts.queueNext);
}

/** Header, trace and the other posted bytes agree with each other. */
function checkPosted(batch: SignedBatch, parent: ChainTip, facts: L1Facts, keccak: Keccak): void {
  const { header, trace, inputs, diff, withdrawn } = batch;
  const inTrace = placeOf(header, 'trace', parent);
  checkAtLeast(inTrace, 'segments', 1, trace.length);
  checkSame(inTrace, 'traceLength', trace.length, header.traceLength);
  const { firstStep, firstSeq } = header;
  let before = { nextStep: firstStep, nextSeq: firstSeq, inputEnd: 0 };
  for (const [segment, entry] of trace.entries()) {
    const place = { ...inTrace, segment };
    checkAtLeast(place, 'nextStep', before.nextStep + 1, entry.nextStep);
    checkAtLeast(place, 'nextSeq', before.nextSeq, entry.nextSeq);
    checkAtLeast(place, 'inputEnd', before.inputEnd, entry.inputEnd);
    checkAtMost(place, 'input bytes', SEGMENT_INPUT_BYTES_MAX, entry.inputEnd - before.inputEnd);
    checkAtMost(place, 'weight', SEGMENT_WEIGHT_MAX, entry.weight);
    before = entry;
  }
  checkSame(inTrace, 'traceRoot', traceRoot(trace, { firstStep, firstSeq }, keccak), header.traceRoot);
  const last = trace.at(-1)!;
  checkSame(inTrace, 'nextStep', last.nextStep, header.nextStep);
  checkSame(inTrace, 'nextSeq', last.nextSeq, header.nextSeq);
  checkSame(inTrace, 'inputEnd of the last segment', inputs.length, last.inputEnd);
  checkSame(inTrace, 'inputHash of the last segment', header.postInputHash, last.inputHash);
  const post = stateRoot(header.postLedgerRoot, header.postBookRoot, keccak);
  checkSame(inTrace, 'stateRoot of the last segment', post, last.stateRoot);
  const place = placeOf(header, 'header', parent);
  checkSame(place, 'inputBytes', inputs.length, header.inputBytes);
  if (facts.inCalldata) checkSame(place, 'inputsHash', keccak(inputs), header.inputsHash);
  checkSame(place, 'diffHash', keccak(diff), header.diffHash);
  checkSame(place, 'withdrawnHash', keccak(withdrawn), header.withdrawnHash);
  checkWithdrawnForm(withdrawn, { ...place, part: 'withdrawn' });
}

function checkWithdrawnForm(withdrawn: Uint8Array, place: Place): void {
  checkSame(place, 'bytes beyond whole entries', 0, withdrawn.length % WITHDRAWN_ENTRY_BYTES);
  const most = WITHDRAWN_ENTRY_BYTES * WITHDRAWN_ENTRIES_MAX;
  checkSame(place, `bytes beyond ${most}`, 0, Math.max(0, withdrawn.length - most));
  const view = viewOf(withdrawn);
  let least = 0;
  for (let at = 0; at < withdrawn.length; at += WITHDRAWN_ENTRY_BYTES) {
    const entry = at / WITHDRAWN_ENTRY_BYTES;
    checkAtLeast(place, `asset of entry ${entry}`, least, view.getUint16(at));
    least = view.getUint16(at) + 1;
    const isNothing = (view.getBigUint64(at + 2) | view.getBigUint64(at + 10)) === 0n;
    checkSame(place, `entries of nothing at ${entry}`, 0, isNothing ? 1 : 0);
  }
}

/** Whole records, as many as there are commands, and the running hash over them where each segment ends. */
function checkRecords(batch: SignedBatch, parent: ChainTip, keccak: Keccak): Uint8Array[] {
  const { header, trace, inputs } = batch;
  const place: Place = placeOf(header, 'inputs', parent);
  let records: Uint8Array[];
  try {
    records = splitRecords(inputs);
  } catch (error) {
    if (error instanceof InputsError) return differ(place, error.field, error.expected, error.got);
    throw error;
  }
  let hash = parent.inputHash;
  let at = 0;
  let next = 0;
  let firstStep = header.firstStep;
  for (const [segment, entry] of trace.entries()) {
    const here: Place = segmentPlace(place, segment, firstStep, entry, parent.nextSeq + next);
    while (next < records.length && at < entry.inputEnd) {
      const record = records[next++]!;
      hash = keccak(concat(hash, keccak(record)));
      at += record.length;
    }
    checkSame(here, 'inputEnd (the end of a record)', at, entry.inputEnd);
    checkSame(here, 'nextSeq', parent.nextSeq + next, entry.nextSeq);
    checkSame(here, 'inputHash', hash, entry.inputHash);
    firstStep = entry.nextStep;
  }
  return records;
}

const segmentPlace = (
  place: Place,
  segment: number,
  firstStep: number,
  entry: TraceEntry,
  firstSeq: number,
): Place => ({
  ...place,
  segment,
  steps: { first: firstStep, next: entry.nextStep },
  commands: { first: firstSeq, next: entry.nextSeq },
});

/** The queue entries among the records are those of L1, in order and none left out. Returns the next one's index. */
function checkQueue(
  header: BatchHeader,
  records: readonly Uint8Array[],
  parent: ChainTip,
  facts: L1Facts,
): number {
  const { entries } = facts;
  let next = parent.inputsQueueNext;
  for (const [i, record] of records.entries()) {
    if (recordKind(viewOf(record)) !== QUEUE_ENTRY) continue;
    const seq = parent.nextSeq + i;
    const place: Place = {
      ...placeOf(header, 'queue', parent),
      commands: { first: seq, next: seq + 1 },
    };
    const got = decodeQueueEntry(record.subarray(RECORD_HEADER_BYTES));
    if (got === undefined) return differ(place, 'record', 'a whole queue entry', record);
    checkSame(place, 'index', next, got.index);
    const expected = entries[next - parent.inputsQueueNext];
    if (expected === undefined)
      return differ(place, 'entry', `none beyond ${next - 1} on L1`, `entry ${next}`);
    checkSame(place, `kind of entry ${next}`, expected.kind, got.kind);
    checkSame(place, `owner of entry ${next}`, expected.owner, got.owner);
    checkSame(place, `payload of entry ${next}`, expected.payload, got.payload);
    next++;
  }
  const place = placeOf(header, 'queue', parent);
  // An entry that is the last record may be taken up by the next batch: its ticks come first.
  const isLast = records.length > 0 && recordKind(viewOf(records.at(-1)!)) === QUEUE_ENTRY;
  const isPending = header.queueNext === next - 1 && (isLast || records.length === 0);
  if (!isPending) checkSame(place, 'queueNext (entries among the inputs)', next, header.queueNext);
  checkSame(place, 'queueHash', facts.queueHash ?? 'a queue on L1 of that length', header.queueHash);
  const left = entries[header.queueNext - parent.inputsQueueNext];
  if (left !== undefined && left.blockNumber <= header.anchorNumber && left.deadlineMs <= header.timeLast)
    differ(
      place,
      'queueNext (entries due)',
      `beyond entry ${left.index}, due at ${left.deadlineMs}`,
      `${header.queueNext} at ${header.timeLast}`,
    );
  return next;
}

function checkAnchor(header: BatchHeader, parent: ChainTip, facts: L1Facts): void {
  const place = placeOf(header, 'anchor', parent);
  checkAtLeast(place, 'anchorNumber', parent.anchorNumber, header.anchorNumber);
  checkAtMost(place, 'anchorNumber', facts.blockNumber - 1, header.anchorNumber);
  if (facts.anchorHash === undefined || !equalBytes(facts.anchorHash, header.anchorHash))
    differ(
      place,
      `hash of block ${header.anchorNumber}`,
      facts.anchorHash ?? 'a block of L1',
      header.anchorHash,
    );
}

/** L1 knows seconds: a batch may end anywhere within the second of the block that takes it. */
function checkTimes(
  header: BatchHeader,
  records: readonly Uint8Array[],
  parent: ChainTip,
  facts: L1Facts,
  livenessMs: number,
): void {
  const place = placeOf(header, 'time', parent);
  checkAtLeast(place, 'timeFirst', parent.timeLast, header.timeFirst);
  checkAtLeast(place, 'timeLast', header.timeFirst, header.timeLast);
  checkAtMost(place, 'timeLast', facts.blockTimeMs + 999, header.timeLast);
  checkAtLeast(place, 'timeLast', Math.max(0, facts.blockTimeMs - livenessMs), header.timeLast);
  let now = parent.timeLast;
  for (const [i, record] of records.entries()) {
    const time = recordTime(viewOf(record));
    const seq = parent.nextSeq + i;
    checkAtLeast({ ...place, commands: { first: seq, next: seq + 1 } }, 'time of the record', now, time);
    now = time;
  }
}
