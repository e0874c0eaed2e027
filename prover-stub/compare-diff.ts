/** The posted ledger diff against the leaves that re-execution changed, leaf by leaf. */
import { compareBytes, equalBytes } from '#protocol/bytes.ts';
import { applyDiff, DiffError, type LeafChange } from '#state/diff.ts';
import type { LeafValue } from '#state/leaves.ts';
import { keyText } from './ledger-delta.ts';
import { firstDifference, type LeafDifference } from './name-leaves.ts';

export interface DiffComparison {
  /** Leaves that the posted diff has otherwise than re-execution, by ascending key. */
  readonly differences: readonly LeafDifference[];
  /** Why the posted bytes are no diff of the ledger before the batch. */
  readonly malformed?: string;
}

/** `before`: a leaf of the ledger before the batch; `changes`: what re-execution changed. */
export function compareDiff(
  posted: Uint8Array,
  changes: readonly LeafChange[],
  before: (key: Uint8Array) => LeafValue,
): DiffComparison {
  const claimed = new Map<string, LeafValue>();
  const keys = new Map<string, Uint8Array>();
  try {
    for (const { key, value } of applyDiff(posted, before)) {
      claimed.set(keyText(key), value);
      keys.set(keyText(key), key);
    }
  } catch (error) {
    if (error instanceof DiffError) return { differences: [], malformed: error.message };
    throw error;
  }
  const executed = new Map<string, LeafValue>();
  for (const { key, newValue } of changes) {
    executed.set(keyText(key), newValue);
    keys.set(keyText(key), key);
  }
  const differences: LeafDifference[] = [];
  for (const [id, key] of [...keys].sort(([, a], [, b]) => compareBytes(a, b))) {
    const expected = executed.has(id) ? executed.get(id) : before(key);
    const got = claimed.has(id) ? claimed.get(id) : before(key);
    if (expected !== undefined && got !== undefined && equalBytes(expected, got)) continue;
    const difference = firstDifference(key, expected, got);
    if (difference !== undefined) differences.push(difference);
  }
  return { differences };
}
