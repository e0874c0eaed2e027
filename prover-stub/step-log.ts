/** A trace that remembers of what kind its steps were, for sentences about them. */
import { StepKind } from '#state/trace.ts';
import { TreeTrace } from '#state/tree-trace.ts';
import type { Range } from './difference.ts';

const KINDS_SHOWN_MAX = 12;
const NAMES: readonly string[] = Object.entries(StepKind).reduce<string[]>((names, [name, kind]) => {
  names[kind] = name;
  return names;
}, []);

export class StepLog extends TreeTrace {
  private kinds: number[] = [];
  /** Number of the step that kinds[0] is of. */
  private first = 0;
  private isEmpty = true;

  override step(kind: number): void {
    if (this.isEmpty) this.first = this.nextStep;
    this.isEmpty = false;
    this.kinds.push(kind);
    super.step(kind);
  }

  /** Number after the last step that was executed, also ahead of a followed batch. */
  get executed(): number {
    return this.isEmpty ? this.nextStep : this.first + this.kinds.length;
  }

  /** Forgets the steps of the batches before; keeps those that ran ahead of them. */
  forget(): void {
    if (this.isEmpty) return;
    this.kinds = this.kinds.slice(this.nextStep - this.first);
    this.first = this.nextStep;
    this.isEmpty = this.kinds.length === 0;
  }

  /** `MESSAGE, PLACE × 2, MATCH`. */
  kindsOf({ first, next }: Range): string {
    const kinds = this.kinds.slice(first - this.first, next - this.first);
    const words: string[] = [];
    let count = 0;
    for (const [i, kind] of kinds.entries()) {
      count++;
      if (kinds[i + 1] === kind) continue;
      words.push(count === 1 ? NAMES[kind]! : `${NAMES[kind]} × ${count}`);
      count = 0;
    }
    const more = words.length - KINDS_SHOWN_MAX;
    return more > 0 ? `${words.slice(0, KINDS_SHOWN_MAX).join(', ')} and ${more} more` : words.join(', ');
  }
}
