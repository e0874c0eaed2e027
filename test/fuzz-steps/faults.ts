/**
 * Segments that are not what they should be: records that admission refuses, or that are flipped, cut and stretched
 * until nobody knows; segments that claim other steps and inputs than the engine takes. The contract must find the
 * fault that the engine finds, and none where it finds none.
 */
import { createRecover, signersOf } from '#auth/recover.ts';
import { concat, setU48, viewOf } from '#protocol/bytes.ts';
import { type Command, DISCONNECT, encodeRecord, NO_SIGNERS, VERSION } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { SegmentReplay } from '#prover-stub/segment-replay.ts';
import type { SegmentRange, WitnessedSegment } from '#prover-stub/segment-witness.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { encodeSnapshot, loadSnapshot } from '#state/snapshot.ts';
import { testSigning } from '../auth/keys.ts';
import type { Random } from '../state/random-state.ts';
import { emptyTrees, rangesOf, traceSession, witnessesOf } from '../support/witnessed-session.ts';
import { compareSegment, type Disagreement, kindsOf } from './compare.ts';
import type { Coverage } from './coverage.ts';
import type { Rig } from './rig.ts';

/** More than any record here needs; the segment ends with a fault all the same. */
const STEPS_CLAIMED = 400;

/** A place within a session: the state there, and the commands that come next. */
export interface Place {
  readonly snapshot: Uint8Array;
  readonly now: number;
  readonly next: readonly Command[];
}

export function placeIn(commands: readonly Command[], at: number, keccak: Keccak): Place {
  const state = new ExchangeState(keccak);
  const trees = emptyTrees(keccak);
  // A range that never begins: the trees follow at the end.
  const watched: SegmentRange = { firstStep: Number.MAX_SAFE_INTEGER, nextStep: 0, inputs: NO_SIGNERS };
  const replay = new SegmentReplay({ state, trees, nextStep: 0, segments: [watched] });
  for (const command of commands.slice(0, at)) replay.apply(command);
  replay.bringTrees();
  return { snapshot: encodeSnapshot(state.seq, trees), now: state.now, next: commands.slice(at) };
}

/** What the engine makes of records from a place on, as one segment that claims all of them. */
export function replayAt(place: Place, records: readonly Command[], keccak: Keccak): WitnessedSegment {
  const { state, trees } = loadSnapshot(place.snapshot, keccak);
  const inputs = concat(...records.map(({ record }) => record));
  const range = { firstStep: 0, nextStep: STEPS_CLAIMED, inputs };
  const replay = new SegmentReplay({ state, trees, nextStep: 0, segments: [range] });
  const done = records.flatMap((record) => replay.apply(record));
  done.push(...replay.end());
  return done[0]!;
}

/** Alters a record, and says who signed what has become of it. */
export function altered(command: Command, random: Random, now: number, keccak: Keccak): Command {
  const { record } = command;
  let changed: Uint8Array = record.slice();
  const body = (bytes: Uint8Array): void => {
    changed = encodeRecord(record[4]!, Math.max(now, timeOf(record)), bytes);
  };
  switch (random.below(9)) {
    case 0:
      changed[
        random.between(RECORD_HEADER_BYTES, Math.max(RECORD_HEADER_BYTES, record.length - 1)) % record.length
      ]! ^= 1 << random.below(8);
      break;
    case 1:
      body(
        record.slice(
          RECORD_HEADER_BYTES,
          Math.max(RECORD_HEADER_BYTES, record.length - random.between(1, 40)),
        ),
      );
      break;
    case 2:
      body(concat(record.subarray(RECORD_HEADER_BYTES), random.bytes(random.between(1, 40))));
      break;
    case 3:
      changed[4] = random.below(9);
      break;
    case 4:
      changed[5] = random.below(2);
      setU48(viewOf(changed), 6, Math.max(0, now - random.below(2)));
      break;
    case 5:
      // Later: whatever is valid until then, or falls due before.
      setU48(viewOf(changed), 6, now + [1, 61_000, 100_000_000][random.below(3)]!);
      break;
    case 6:
      // The account, the market, the queue's index.
      changed[Math.min(record.length - 1, RECORD_HEADER_BYTES + random.below(12))]! ^= 1 << random.below(8);
      break;
    case 7:
      // Signature: v, s, r.
      changed[record.length - 1 - random.below(65)]! ^= random.between(1, 255);
      break;
    default: {
      const length = random.below(4);
      if (length === 0) body(random.bytes(random.below(RECORD_BODY_BYTES_MAX + 8)));
      else if (length === 1) changed = encodeRecord(VERSION, now, random.bytes(random.between(3, 5)));
      else {
        const account = new Uint8Array(4);
        viewOf(account).setUint32(0, random.below(14), true);
        changed = encodeRecord(DISCONNECT, now, account);
      }
    }
  }
  const isWhole = changed.length >= RECORD_HEADER_BYTES;
  const recover = createRecover(keccak);
  const signers = isWhole ? (signersOf(changed, testSigning, recover) ?? NO_SIGNERS) : NO_SIGNERS;
  return { record: changed, signers };
}

const timeOf = (record: Uint8Array): number =>
  viewOf(record).getUint16(10, true) * 2 ** 32 + viewOf(record).getUint32(6, true);

/** `count` altered records at one place of a session, each behind some honest ones. */
export async function compareRefusals(
  rig: Rig,
  place: Place,
  random: Random,
  count: number,
  keccak: Keccak,
  coverage?: Coverage,
): Promise<Disagreement | undefined> {
  for (let i = 0; i < count; i++) {
    const behind = random.below(3);
    const honest = place.next.slice(0, behind);
    const victim = place.next[behind + random.below(10)];
    if (victim === undefined) return undefined;
    const now = honest.length === 0 ? place.now : timeOf(honest.at(-1)!.record);
    const bad = altered(victim, random, now, keccak);
    const segment = replayAt(place, [...honest, bad], keccak);
    const what = await compareSegment(rig, segment);
    coverage?.fault(segment.outcome.fault);
    if (what !== undefined)
      return { where: `record of kind ${bad.record[4]} altered (${kindsOf(segment)})`, what };
  }
  return undefined;
}

/** Segments that claim more or fewer steps and inputs than they have: one fault or another, always the same one. */
export async function compareMisclaims(
  rig: Rig,
  commands: readonly Command[],
  random: Random,
  keccak: Keccak,
  coverage?: Coverage,
): Promise<Disagreement | undefined> {
  const batch = traceSession(commands, keccak);
  const honest = rangesOf(batch);
  for (let i = 0; i < 4; i++) {
    const at = random.below(honest.length - 2);
    const range = honest[at]!;
    const next = honest[at + 1]!;
    const after = honest[at + 2]!;
    const claims: readonly SegmentRange[] = [
      { ...range, nextStep: after.nextStep, inputs: concat(range.inputs, next.inputs, after.inputs) },
      { ...range, nextStep: range.nextStep + 1 },
      { ...range, inputs: concat(range.inputs, next.inputs) },
      { ...range, inputs: range.inputs.slice(0, 0) },
      { ...range, nextStep: range.firstStep + 1 },
    ];
    for (const claim of i === 0 ? claims : [claims[random.below(claims.length)]!]) {
      const [segment] = [...witnessesOf(commands, [claim], keccak)];
      const what = await compareSegment(rig, segment!);
      coverage?.fault(segment!.outcome.fault);
      if (what !== undefined) return { where: `misclaimed segment ${at} (${kindsOf(segment!)})`, what };
    }
  }
  return undefined;
}
