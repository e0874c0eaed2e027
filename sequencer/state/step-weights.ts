/**
 * What one step of each kind may cost at most when a contract re-executes it. Constants: a segment's weight is the sum
 * over its steps, whatever they did, so that nobody can argue about it. A weight is not less than the gas of the dearest
 * step of its kind as a transaction of its own, nor than BYTE_WEIGHT times the bytes of its witness, at the depth that
 * users can force on paths: docs/gas.md, measured by `npm run gas:steps`.
 */
import { assert } from '#protocol/assert.ts';
import { SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { StepKind } from './trace.ts';

/**
 * Weight of a byte of a step's witness: a segment of the greatest weight leaves 10 KiB of the 128 KiB that nodes take as
 * one transaction for its records, header and trace.
 */
export const BYTE_WEIGHT = 83;

const WEIGHT: Readonly<Record<keyof typeof StepKind, number>> = {
  MESSAGE: 430_000,
  PLACE: 1_940_000,
  MATCH: 3_740_000,
  REST: 1_520_000,
  CANCEL: 1_250_000,
  CANCEL_ALL: 150_000,
  WALK: 1_220_000,
  AMEND: 2_500_000,
  WITHDRAW: 2_310_000,
  TRANSFER: 1_960_000,
  SESSION_KEY: 390_000,
  CANCEL_AFTER: 580_000,
  CANCEL_ON_DISCONNECT: 220_000,
  PRICE_ROUND: 640_000,
  SAMPLE: 640_000,
  FUNDING: 400_000,
  EXPIRE: 1_300_000,
  DEPOSIT: 1_400_000,
  FORCED: 3_000_000,
  CONFIGURE: 400_000,
  CLOCK: 250_000,
  DISCONNECT: 420_000,
  VERSION: 230_000,
  EVALUATE: 2_400_000,
  ISOLATE: 800_000,
  SET_LEVERAGE: 1_400_000,
  LOCK: 230_000,
};

/** Weight by StepKind. */
export const STEP_WEIGHTS: readonly number[] = Object.entries(StepKind).reduce<number[]>(
  (weights, [name, kind]) => {
    weights[kind] = WEIGHT[name as keyof typeof StepKind];
    return weights;
  },
  [0],
);

export function stepWeight(kind: number): number {
  const weight = STEP_WEIGHTS[kind];
  if (weight === undefined || weight === 0)
    throw new Error(`step kind: expected 1 to ${STEP_WEIGHTS.length - 1}, got ${kind}`);
  return weight;
}

assert(
  STEP_WEIGHTS.every((weight) => Number.isSafeInteger(weight) && weight <= SEGMENT_WEIGHT_MAX),
  'every step fits a segment',
);
