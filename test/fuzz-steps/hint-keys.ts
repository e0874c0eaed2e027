/** Reads hints back: what the steps of a witness ask for. */
import { viewOf } from '#protocol/bytes.ts';

export interface HintKeys {
  readonly leaves: readonly Uint8Array[];
  readonly ranges: readonly { readonly prefix: Uint8Array; readonly bits: number; readonly max: number }[];
}

/** Of each step. */
export function hintsByStep(hints: Uint8Array): HintKeys[] {
  const steps: HintKeys[] = [];
  const view = viewOf(hints);
  for (let at = 0; at < hints.length; ) {
    const end = at + 2 + view.getUint16(at);
    at += 2;
    const leaves: Uint8Array[] = [];
    const ranges: { prefix: Uint8Array; bits: number; max: number }[] = [];
    while (at < end) {
      const key = new Uint8Array(32);
      if (hints[at] === 0) {
        const n = hints[at + 1]!;
        key.set(hints.subarray(at + 2, at + 2 + n));
        leaves.push(key);
        at += 2 + n;
      } else {
        const bits = view.getUint16(at + 1);
        const n = Math.ceil(bits / 8);
        key.set(hints.subarray(at + 3, at + 3 + n));
        ranges.push({ prefix: key, bits, max: hints[at + 3 + n]! });
        at += 4 + n;
      }
    }
    if (at !== end) throw new Error(`hints: expected a step to end at byte ${end}, got ${at}`);
    steps.push({ leaves, ranges });
  }
  return steps;
}

/** Of all steps together. */
export function hintKeys(hints: Uint8Array): HintKeys {
  const steps = hintsByStep(hints);
  return { leaves: steps.flatMap(({ leaves }) => leaves), ranges: steps.flatMap(({ ranges }) => ranges) };
}
