/**
 * When a batch ends: so many commands, so many bytes, or so much time. Above all it stays within what the
 * rollup takes as one transaction (116 KiB), also where one command changes more than that.
 */
import { assert } from '#protocol/assert.ts';
import { HEADER_BYTES, TRACE_ENTRY_BYTES, WITHDRAWN_ENTRY_BYTES } from '#protocol/batch.ts';
import {
  ASSETS_MAX,
  COMMIT_CALLDATA_BYTES_MAX,
  RECORD_BODY_BYTES_MAX,
  SEGMENT_INPUT_BYTES_MAX,
  SIGNATURE_BYTES,
} from '#protocol/limits.ts';
import { STEP_DIFF_BYTES_MAX } from '#state/tree-trace.ts';

export interface BatchPolicy {
  readonly commandsMax: number;
  /** Inputs, trace and diff; a batch that has so many is cut, within a command too. */
  readonly bytesMax: number;
  /**
   * Where inputs are posted in blobs or not at all: so many of them cut a batch, and `bytesMax` counts trace and diff
   * alone. Such batches may be too large to be posted in any other way.
   */
  readonly inputBytesMax?: number;
  /** From the first command that is not in a batch to the cut, ms. */
  readonly intervalMs: number;
}

/** Selector, offsets, lengths and padding of commitBatch, the totals withdrawn. */
const ENVELOPE_BYTES = 4_096;
/** Inputs, trace and diff of a batch never take more. */
export const BATCH_BYTES_HARD = COMMIT_CALLDATA_BYTES_MAX - HEADER_BYTES - SIGNATURE_BYTES - ENVELOPE_BYTES;
/** The highest `bytesMax`: room for some steps is left above it, so that segments stay worth their cost. */
const BYTES_MAX_MAX = BATCH_BYTES_HARD - 6 * STEP_DIFF_BYTES_MAX;

/** What six blobs hold, less a segment, after which a batch can end. */
export const INPUT_BYTES_MAX_MAX = 6 * 4_096 * 31 - SEGMENT_INPUT_BYTES_MAX;

export const DEFAULT_POLICY: BatchPolicy = {
  commandsMax: 4_000,
  bytesMax: 84_000,
  intervalMs: 2_000,
};

/** Throws a sentence with field, expected and got. */
export function checkPolicy(policy: BatchPolicy): void {
  const range = (field: keyof BatchPolicy, low: number, high: number): void => {
    const value = policy[field] ?? Number.NaN;
    if (!Number.isSafeInteger(value) || value < low || value > high)
      throw new Error(`batch policy, ${field}: expected an integer from ${low} to ${high}, got ${value}`);
  };
  range('commandsMax', 1, 1_000_000);
  range('bytesMax', 1_024, BYTES_MAX_MAX);
  range('intervalMs', 1, 86_400_000);
  if (policy.inputBytesMax !== undefined) range('inputBytesMax', 1_024, INPUT_BYTES_MAX_MAX);
}

export const isFull = (
  open: { readonly commands: number; readonly bytes: number; readonly inputBytes: number },
  { commandsMax, bytesMax, inputBytesMax = Number.POSITIVE_INFINITY }: BatchPolicy,
): boolean => open.commands >= commandsMax || open.bytes >= bytesMax || open.inputBytes >= inputBytesMax;

assert(
  TRACE_ENTRY_BYTES + RECORD_BODY_BYTES_MAX + STEP_DIFF_BYTES_MAX < BATCH_BYTES_HARD / 8,
  'a single step of the longest record is far from a full batch',
);
assert(
  ASSETS_MAX * WITHDRAWN_ENTRY_BYTES < ENVELOPE_BYTES / 2,
  'the totals withdrawn of every asset fit the envelope',
);
checkPolicy(DEFAULT_POLICY);
