/** Whether bytes are the inputs that a batch's trace names: what each segment takes up folds to its running hash. */
import type { SignedBatch } from '#protocol/batch.ts';
import { concat, equalBytes, viewOf } from '#protocol/bytes.ts';
import { recordBytes } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import type { Hash } from '#protocol/units.ts';

/** Running hash after whole records; undefined when the bytes end within one. Twin: InputFold.sol. */
export function foldRecords(start: Hash, inputs: Uint8Array, keccak: Keccak): Hash | undefined {
  const view = viewOf(inputs);
  let hash = start;
  for (let at = 0; at < inputs.length; ) {
    if (at + RECORD_HEADER_BYTES > inputs.length) return undefined;
    const end = at + recordBytes(view, at);
    if (end > inputs.length) return undefined;
    hash = keccak(concat(hash, keccak(inputs.subarray(at, end))));
    at = end;
  }
  return hash;
}

export interface SegmentInputs {
  readonly start: number;
  readonly end: number;
  /** Running hashes before and after. */
  readonly before: Hash;
  readonly after: Hash;
}

/** What each segment of the batch takes up. */
export function segmentsOf({ header, trace }: Pick<SignedBatch, 'header' | 'trace'>): SegmentInputs[] {
  let start = 0;
  let before = header.preInputHash;
  return trace.map(({ inputEnd, inputHash }) => {
    const segment = { start, end: inputEnd, before, after: inputHash };
    start = inputEnd;
    before = inputHash;
    return segment;
  });
}

export const isSegment = (
  { start, end, before, after }: SegmentInputs,
  bytes: Uint8Array,
  keccak: Keccak,
): boolean => {
  if (bytes.length !== end - start) return false;
  const hash = foldRecords(before, bytes, keccak);
  return hash !== undefined && equalBytes(hash, after);
};

/** The first segment whose part is something else; undefined when these are the batch's inputs. */
export function firstMisfolded(
  batch: Pick<SignedBatch, 'header' | 'trace'>,
  inputs: Uint8Array,
  keccak: Keccak,
): number | undefined {
  const segments = segmentsOf(batch);
  const at = segments.findIndex((one) => !isSegment(one, inputs.subarray(one.start, one.end), keccak));
  if (at >= 0) return at;
  return inputs.length === (segments.at(-1)?.end ?? 0) ? undefined : segments.length - 1;
}
