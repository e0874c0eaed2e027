/**
 * What of a posted batch can be proven wrong on L1. Unlike re-execute.ts, which names what is wrong to people, this
 * takes nothing that was posted for granted but what the rollup's own contract has checked, and follows the batch
 * segment by segment to the first statement that a contract will find wrong too.
 */
import { assert } from '#protocol/assert.ts';
import type { SignedBatch, TraceEntry } from '#protocol/batch.ts';
import { equalBytes, viewOf } from '#protocol/bytes.ts';
import { type Command, NO_SIGNERS, recordBytes } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { LedgerChanges } from '#state/ledger-changes.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { StateTree } from '#state/state-tree.ts';
import { GENESIS_TIP } from './chain-tip.ts';
import { findBoundary } from './find-boundary.ts';
import { firstMisfolded } from './fold-inputs.ts';
import type { Fraud } from './fraud.ts';
import type { StartingPoint } from './re-execute.ts';
import { SegmentReplay } from './segment-replay.ts';
import type { ExtraReads, SegmentRange, WitnessedSegment } from './segment-witness.ts';

export interface FraudSearch {
  readonly keccak: Keccak;
  /** A snapshot after an earlier batch; the empty state without. */
  readonly from?: StartingPoint;
  /** Commands between the snapshot and the accused batch, all of batches that were right. */
  readonly between: AsyncIterable<Command> | Iterable<Command>;
  readonly accused: SignedBatch;
  /** Segment that its blobs are known not to hold. */
  readonly misfolded?: number;
  /** As in signers.ts. */
  readonly recover: (records: readonly Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>;
  readonly extra?: ExtraReads;
}

/**
 * Frauds of the batch, likeliest to hold first: one of them does, unless the batch is as it should be, which gives none.
 */
export async function findFraud(search: FraudSearch): Promise<Fraud[]> {
  const { keccak, accused } = search;
  const misfolded = search.misfolded ?? firstMisfolded(accused, accused.inputs, keccak);
  if (misfolded !== undefined) return [{ check: 'inputs', segment: misfolded }];
  const { state, trees, nextStep } = begin(search);
  const segments = rangesOf(accused);
  const changes = new LedgerChanges();
  const replay = new SegmentReplay({
    ...{ state, trees, nextStep, segments, changes },
    ...(search.extra === undefined ? {} : { extra: search.extra }),
  });
  const records = splitLoosely(accused.inputs);
  const signers = await search.recover(records);
  let at = 0;
  const wrong = (done: readonly WitnessedSegment[]): Fraud | undefined => {
    for (const { witness, outcome } of done) {
      if (!isAsPosted(accused, at, outcome)) return { check: 'step', segment: at, witness, outcome };
      at++;
    }
    return undefined;
  };
  // A batch may begin within the last of these commands.
  for await (const command of search.between) {
    const fraud = wrong(replay.apply(command));
    if (fraud !== undefined) return [fraud];
  }
  for (const [i, record] of records.entries()) {
    const fraud = wrong(replay.apply({ record, signers: signers[i] ?? NO_SIGNERS }));
    if (fraud !== undefined) return [fraud];
  }
  const last = wrong(replay.end());
  if (last !== undefined) return [last];
  assert(at === segments.length, 'every segment was executed');
  return findBoundary(accused, trees.ledger, changes.all());
}

/** Records by their lengths alone; what is left behind the last whole one is left out. */
export function splitLoosely(inputs: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = viewOf(inputs);
  for (let at = 0; at + RECORD_HEADER_BYTES <= inputs.length; ) {
    const end = at + recordBytes(view, at);
    if (end > inputs.length) break;
    records.push(inputs.subarray(at, end));
    at = end;
  }
  return records;
}

function begin({ keccak, from }: FraudSearch) {
  if (from === undefined) {
    const trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
    return { state: new ExchangeState(keccak), trees, nextStep: GENESIS_TIP.nextStep };
  }
  const { state, trees } = loadSnapshot(from.snapshot, keccak);
  return { state, trees, nextStep: from.tip.nextStep };
}

function rangesOf({ header, trace, inputs }: SignedBatch): SegmentRange[] {
  let { firstStep } = header;
  let start = 0;
  return trace.map(({ nextStep, inputEnd }) => {
    const range = { firstStep, nextStep, inputs: inputs.subarray(start, inputEnd) };
    firstStep = nextStep;
    start = inputEnd;
    return range;
  });
}

/** What Challenges.checkStep compares. */
function isAsPosted(
  { header, trace }: SignedBatch,
  segment: number,
  outcome: WitnessedSegment['outcome'],
): boolean {
  const claimed: TraceEntry = trace[segment]!;
  return (
    outcome.fault === 0 &&
    equalBytes(outcome.stateRoot, claimed.stateRoot) &&
    outcome.nextSeq === claimed.nextSeq &&
    outcome.weight === claimed.weight &&
    (segment !== 0 || outcome.timeFirst === header.timeFirst) &&
    (segment !== trace.length - 1 || outcome.timeLast === header.timeLast)
  );
}
