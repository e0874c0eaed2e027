/** What falls due by time, earliest first: a binary heap whose entries are dropped lazily when they are void. */

export interface Due {
  readonly time: number;
  /** EXPIRY_ORDER or EXPIRY_DEAD_MAN (keys.ts). */
  readonly kind: number;
  /** Order id or account. */
  readonly id: number;
}

/** In the order of their keys in the tree. */
const before = (a: Due, b: Due): boolean =>
  a.time !== b.time ? a.time < b.time : a.kind !== b.kind ? a.kind < b.kind : a.id < b.id;

export class ExpiryQueue {
  private readonly heap: Due[] = [];
  private readonly isValid: (due: Due) => boolean;

  /** `isValid` tells whether an entry still stands (the order rests with that expiry, the deadline is armed). */
  constructor(isValid: (due: Due) => boolean) {
    this.isValid = isValid;
  }

  push(due: Due): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(due, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  /** The first entry that still stands, without taking it. */
  peek(): Due | undefined {
    while (this.heap.length > 0 && !this.isValid(this.heap[0]!)) this.pop();
    return this.heap[0];
  }

  /** Time of the first entry that may still stand; Infinity when there is none. Cheap, for the hot path. */
  nextTime(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : this.heap[0]!.time;
  }

  pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
