/** Open-addressing hash from positive safe integers to slots: linear probing, backward-shift delete. */

const EMPTY = 0;

/** Spreads dense and sparse ids alike; a 53-bit id is folded to 32 bits first. */
function hash(id: number, mask: number): number {
  const low = id | 0;
  const high = (id / 4294967296) | 0;
  let h = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 15;
  return h & mask;
}

export class IdHash {
  private keys: Float64Array;
  private values: Int32Array;
  private mask: number;
  /** Ids held. */
  size = 0;

  constructor(capacity = 1024) {
    this.keys = new Float64Array(capacity);
    this.values = new Int32Array(capacity);
    this.mask = capacity - 1;
  }

  /** The slot of `id`, -1 when it is not held. */
  get(id: number): number {
    const { keys, mask } = this;
    let at = hash(id, mask);
    for (;;) {
      const found = keys[at]!;
      if (found === id) return this.values[at]!;
      if (found === EMPTY) return -1;
      at = (at + 1) & mask;
    }
  }

  /** Inserts or replaces; `id` is at least 1. */
  set(id: number, slot: number): void {
    if (this.size * 2 >= this.mask) this.grow();
    const { keys, mask } = this;
    let at = hash(id, mask);
    while (keys[at] !== EMPTY && keys[at] !== id) at = (at + 1) & mask;
    if (keys[at] === EMPTY) this.size++;
    keys[at] = id;
    this.values[at] = slot;
  }

  delete(id: number): void {
    const { keys, values, mask } = this;
    let at = hash(id, mask);
    while (keys[at] !== id) {
      if (keys[at] === EMPTY) return;
      at = (at + 1) & mask;
    }
    this.size--;
    // Shift back what probed past the hole, so that no tombstones are needed.
    let next = at;
    for (;;) {
      next = (next + 1) & mask;
      const id2 = keys[next]!;
      if (id2 === EMPTY) break;
      const home = hash(id2, mask);
      if (((next - home) & mask) >= ((next - at) & mask)) {
        keys[at] = id2;
        values[at] = values[next]!;
        at = next;
      }
    }
    keys[at] = EMPTY;
  }

  private grow(): void {
    const { keys, values } = this;
    const capacity = keys.length * 2;
    this.keys = new Float64Array(capacity);
    this.values = new Int32Array(capacity);
    this.mask = capacity - 1;
    this.size = 0;
    for (let i = 0; i < keys.length; i++) if (keys[i] !== EMPTY) this.set(keys[i]!, values[i]!);
  }
}
