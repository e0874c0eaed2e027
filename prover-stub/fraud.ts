/** Statements that a committed batch is wrong, each with what a contract needs to see it: one per check of Challenges. */
import type { SegmentWitness } from './segment-witness.ts';
import type { StepOutcome } from './step-outcome.ts';

export type Fraud =
  /** Re-execution of the segment leads elsewhere. */
  | {
      readonly check: 'step';
      readonly segment: number;
      readonly witness: SegmentWitness;
      readonly outcome: StepOutcome;
    }
  /** The segment's part of the inputs is no whole records, or does not fold to the trace's hash. */
  | { readonly check: 'inputs'; readonly segment: number }
  /** The diff and the leaf `key` before and after do not go together. Packed proofs (state/tree-proof.ts). */
  | { readonly check: 'diff'; readonly key: Uint8Array; readonly pre: Uint8Array; readonly post: Uint8Array }
  /** The clock after the batch is not timeLast. */
  | { readonly check: 'clock'; readonly post: Uint8Array }
  /** The queue's cursor after the batch is not the header's. */
  | { readonly check: 'queue'; readonly post: Uint8Array }
  /** The total withdrawn of an asset did not grow by what the batch lists. */
  | {
      readonly check: 'withdrawn';
      readonly asset: number;
      readonly pre: Uint8Array;
      readonly post: Uint8Array;
    };

export function describeFraud(fraud: Fraud): string {
  switch (fraud.check) {
    case 'step':
    case 'inputs':
      return `${fraud.check} of segment ${fraud.segment}`;
    case 'withdrawn':
      return `total withdrawn of asset ${fraud.asset}`;
    default:
      return fraud.check;
  }
}
