/**
 * The last changes of one stream, each with the seq that made it: what a reader who holds an older sequence has
 * to be told. Rows of `columns` numbers, the seq first.
 */
import { assert } from '#protocol/assert.ts';

export class ChangeRing {
  readonly columns: number;
  readonly rows: Float64Array;
  private readonly capacity: number;
  private head = 0;
  private held = 0;
  /** Changes up to this seq may be missing here. */
  private lostThrough: number;

  /** `startSeq`: nothing is known of what changed up to then. */
  constructor(shape: { columns: number; capacity: number }, startSeq: number) {
    assert(shape.columns >= 1 && shape.capacity >= 1, 'a ring has columns and room');
    this.columns = shape.columns;
    this.capacity = shape.capacity;
    this.rows = new Float64Array(shape.columns * shape.capacity);
    this.lostThrough = startSeq;
  }

  /** Adds a row, to be filled in `rows` where it says; column 0 is the seq, which never falls. */
  push(seq: number): number {
    if (this.held === this.capacity) {
      this.lostThrough = this.rows[this.head * this.columns]!;
      this.head = (this.head + 1) % this.capacity;
      this.held--;
    }
    const at = ((this.head + this.held) % this.capacity) * this.columns;
    this.held++;
    this.rows[at] = seq;
    return at;
  }

  /** True when every change after `seq` is held. */
  reaches(seq: number): boolean {
    return seq >= this.lostThrough;
  }

  /** Visits the rows after `seq`, oldest first. */
  since(seq: number, visit: (rows: Float64Array, at: number) => void): void {
    // Usually few rows are new: look for the first of them from the end.
    let first = this.held;
    while (first > 0 && this.rows[this.offset(first - 1)]! > seq) first--;
    for (let n = first; n < this.held; n++) visit(this.rows, this.offset(n));
  }

  private offset(n: number): number {
    return ((this.head + n) % this.capacity) * this.columns;
  }
}
