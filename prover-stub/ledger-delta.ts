/** The ledger leaves that a batch changed, gathered segment by segment. */
import { equalBytes } from '#protocol/bytes.ts';
import type { LeafChange } from '#state/diff.ts';
import type { LeafValue } from '#state/leaves.ts';

interface Change {
  readonly key: Uint8Array;
  readonly oldValue: LeafValue;
  newValue: LeafValue;
}

export const keyText = (key: Uint8Array): string => String.fromCharCode(...key);

export class LedgerDelta {
  private readonly changes = new Map<string, Change>();

  add(changes: readonly LeafChange[]): void {
    for (const { key, oldValue, newValue } of changes) {
      const id = keyText(key);
      const held = this.changes.get(id);
      if (held === undefined) this.changes.set(id, { key, oldValue, newValue });
      else held.newValue = newValue;
    }
  }

  /** What differs from the batch's start, in no order of use. */
  all(): LeafChange[] {
    return [...this.changes.values()].filter(({ oldValue, newValue }) =>
      oldValue === undefined || newValue === undefined
        ? oldValue !== newValue
        : !equalBytes(oldValue, newValue),
    );
  }

  /** The value before the batch; `now` is the value at present. */
  before(key: Uint8Array, now: LeafValue): LeafValue {
    const change = this.changes.get(keyText(key));
    return change === undefined ? now : change.oldValue;
  }
}
