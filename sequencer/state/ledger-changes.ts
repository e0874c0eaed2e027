/** The ledger leaves that a batch has changed so far: values at its start and now, and how large the diff can be. */
import { equalBytes } from '#protocol/bytes.ts';
import type { LeafChange } from './diff.ts';
import type { LeafValue } from './leaves.ts';

interface Change {
  readonly key: Uint8Array;
  readonly oldValue: LeafValue;
  newValue: LeafValue;
  bytes: number;
}

/** Head, suffix length, length of the value, end of the runs (diff.ts). */
const ENTRY_OVERHEAD = 5;
const RUN_BYTES = 15;
/** The run's own byte and one that bridges the distance to it. */
const RUN_START_BYTES = 2;
/** What each further bridging byte spans. */
const HOP_BYTES = 240;

export class LedgerChanges {
  /** Upper bound for the encoded diff. */
  bytes = 0;
  private readonly held = new Map<string, Change>();

  /** Notes a write; `before` is what the leaf held just before it. */
  note(key: Uint8Array, before: LeafValue, value: LeafValue): void {
    const id = String.fromCharCode(...key);
    let change = this.held.get(id);
    if (change === undefined) {
      change = { key, oldValue: before, newValue: value, bytes: 0 };
      this.held.set(id, change);
    }
    change.newValue = value;
    this.bytes -= change.bytes;
    change.bytes = entryBound(change);
    this.bytes += change.bytes;
  }

  /** What differs from the batch's start, in any order; the encoder sorts. */
  all(): LeafChange[] {
    const changes: LeafChange[] = [];
    for (const { key, oldValue, newValue } of this.held.values())
      if (!isSame(oldValue, newValue)) changes.push({ key, oldValue, newValue });
    return changes;
  }

  clear(): void {
    this.held.clear();
    this.bytes = 0;
  }
}

const isSame = (a: LeafValue, b: LeafValue): boolean =>
  a === b || (a !== undefined && b !== undefined && equalBytes(a, b));

/** Not below what the encoder writes for the change: every differing byte, and a run byte for each stretch. */
function entryBound({ key, oldValue, newValue }: Change): number {
  if (isSame(oldValue, newValue)) return 0;
  let end = key.length;
  while (end > 0 && key[end - 1] === 0) end--;
  let bytes = ENTRY_OVERHEAD + end;
  if (newValue === undefined) return bytes;
  bytes += Math.ceil(newValue.length / HOP_BYTES);
  let stretch = 0;
  for (let i = 0; i < newValue.length; i++) {
    if (newValue[i] === (oldValue?.[i] ?? 0)) {
      stretch = 0;
      continue;
    }
    if (stretch === 0) bytes += RUN_START_BYTES;
    else if (stretch % RUN_BYTES === 0) bytes++;
    stretch++;
    bytes++;
  }
  return bytes;
}
