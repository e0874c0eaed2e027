/** What falls due by time, earliest first: a binary heap whose entries are dropped lazily when they are void. */

export interface Due {
  readonly time: number;
  /** EXPIRY_ORDER or EXPIRY_DEAD_MAN (keys.ts). */
  readonly kind: number;
  /** Order id or account. */
  readonly id: number;
}

/** Entries below which void ones are not worth looking for. */
const CLEAN_FROM = 1024;

/** In the order of their keys in the tree. */
const before = (a: Due, b: Due): boolean =>
  a.time !== b.time ? a.time < b.time : a.kind !== b.kind ? a.kind < b.kind : a.id < b.id;

export class ExpiryQueue {
  private heap: Due[] = [];
  private cleanAt = CLEAN_FROM;
  private readonly isValid: (due: Due) => boolean;

  /** `isValid` tells whether an entry still stands (the order rests with that expiry, the deadline is armed). */
  constructor(isValid: (due: Due) => boolean) {
    this.isValid = isValid;
  }

  /** Entries held, void ones included: at most twice those that stood at the last cleaning, or 1,024. */
  get length(): number {
    return this.heap.length;
  }

  push(due: Due): void {
    if (this.heap.length >= this.cleanAt) this.clean();
    this.heap.push(due);
    this.rise(this.heap.length - 1);
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
    heap[0] = last;
    this.sink(0);
  }

  /**
   * Drops void and repeated entries: orders that were canceled long before a far expiry, timers set again and
   * again. Each costs its push a constant, because the next cleaning waits until the queue has doubled.
   */
  private clean(): void {
    const seen = new Set<number>();
    this.heap = this.heap.filter((due) => {
      // One time stands for an order or a timer, so its id and kind name the entry.
      const name = due.id * 2 + due.kind;
      if (!this.isValid(due) || seen.has(name)) return false;
      seen.add(name);
      return true;
    });
    for (let at = (this.heap.length >> 1) - 1; at >= 0; at--) this.sink(at);
    this.cleanAt = Math.max(CLEAN_FROM, 2 * this.heap.length);
  }

  private rise(from: number): void {
    const { heap } = this;
    const due = heap[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(due, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  private sink(from: number): void {
    const { heap } = this;
    const due = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, due)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = due;
  }
}
