/** Memory of one call: zeros without end, grown as it is touched. */
export class Memory {
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  /** Bytes touched, in whole words. */
  size = 0;

  touch(at: number, length: number): void {
    if (length === 0) return;
    const end = (at + length + 31) & ~31;
    if (end <= this.size) return;
    this.size = end;
    if (end <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(end, 2 * this.bytes.length));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  load(at: number): bigint {
    this.touch(at, 32);
    return loadWord(this.view, at);
  }

  store(at: number, value: bigint): void {
    this.touch(at, 32);
    this.view.setBigUint64(at, value >> 192n);
    this.view.setBigUint64(at + 8, (value >> 128n) & LOW);
    this.view.setBigUint64(at + 16, (value >> 64n) & LOW);
    this.view.setBigUint64(at + 24, value & LOW);
  }

  storeByte(at: number, value: number): void {
    this.touch(at, 1);
    this.bytes[at] = value;
  }

  /** The bytes themselves, until the next write. */
  part(at: number, length: number): Uint8Array {
    this.touch(at, length);
    return this.bytes.subarray(at, at + length);
  }

  /** Copies `length` bytes of `source` from `from` on; zeros stand behind its end. */
  copy(at: number, source: Uint8Array, from: number, length: number): void {
    this.touch(at, length);
    const there = from >= source.length ? 0 : Math.min(length, source.length - from);
    this.bytes.set(source.subarray(from, from + there), at);
    this.bytes.fill(0, at + there, at + length);
  }

  move(to: number, from: number, length: number): void {
    this.touch(Math.max(to, from), length);
    this.bytes.copyWithin(to, from, from + length);
  }
}

const LOW = (1n << 64n) - 1n;

/** Big-endian word at a place that lies within. */
export function loadWord(view: DataView, at: number): bigint {
  const high = (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
  return (high << 128n) | (view.getBigUint64(at + 16) << 64n) | view.getBigUint64(at + 24);
}
