/** What re-execution of a segment leads to: the twin of StepProver's Outcome, computed by the engine. */
import type { Hash } from '#protocol/units.ts';

/** Why a segment can't be executed as it is claimed; numbers as in settlement/contracts/step/IStepProver.sol. */
export const StepFault = {
  NONE: 0,
  /** A record's header is none, or its time falls. */
  BAD_RECORD: 1,
  /** A record that may not be sequenced comes to its own step. */
  INADMISSIBLE: 2,
  /** The next step would be beyond SEGMENT_WEIGHT_MAX. */
  OVERWEIGHT: 3,
  /** Not every record of the segment's inputs has begun. */
  INPUTS_LEFT: 4,
  /** A record is needed and none of the segment's inputs is left. */
  NO_INPUT: 5,
} as const;

export const faultName = (fault: number): string =>
  Object.entries(StepFault).find(([, number]) => number === fault)?.[0] ?? `fault ${fault}`;

export interface StepOutcome {
  /** With a fault nothing else counts. */
  readonly fault: number;
  readonly stateRoot: Hash;
  readonly nextSeq: number;
  readonly weight: number;
  /** Clock after the first step began, and at the end, ms. */
  readonly timeFirst: number;
  readonly timeLast: number;
}
