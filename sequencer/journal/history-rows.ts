/**
 * Event rows packed for history: all rows of one list (an account's fills, a market's trades, …) that one
 * flush gathered are one value, because LevelDB costs by the key. A row:
 *
 *   varint seq less the seq of the row before (of the group for the first)
 *   varint time less the time of the row before (zigzag)
 *   u8     kind      u8 columns that follow, C (trailing zeros are left out)
 *   C      zigzag varints: columns 3 … 2 + C of protocol/event.ts
 *
 * Varints are little-endian base 128 with safe integers. About 40 bytes a trade instead of 160.
 */
import { EVENT_STRIDE } from '#protocol/event.ts';

const ROW_BYTES_MAX = 2 * 8 + 2 + (EVENT_STRIDE - 3) * 8;

export class RowWriter {
  private bytes = new Uint8Array(256);
  private used = 0;
  private seq = 0;
  private time = 0;
  /** Rows since `reset`. */
  count = 0;
  firstSeq = 0;
  lastSeq = 0;
  lastTime = 0;

  /** Packed rows; a copy. */
  take(): Uint8Array {
    return this.bytes.slice(0, this.used);
  }

  /** Appends the row at `at` of `data`; rows come in order of seq. */
  add(data: Float64Array, at: number): void {
    if (this.used + ROW_BYTES_MAX > this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes.subarray(0, this.used));
      this.bytes = grown;
    }
    const seq = data[at + 1]!;
    const time = data[at + 2]!;
    if (this.count === 0) {
      this.firstSeq = seq;
      this.seq = seq;
    }
    this.varint(seq - this.seq);
    this.zigzag(time - this.time);
    let columns = EVENT_STRIDE - 3;
    while (columns > 0 && data[at + 2 + columns] === 0) columns--;
    this.bytes[this.used++] = data[at]!;
    this.bytes[this.used++] = columns;
    for (let i = 3; i < 3 + columns; i++) this.zigzag(data[at + i]!);
    this.seq = seq;
    this.time = time;
    this.lastSeq = seq;
    this.lastTime = time;
    this.count++;
  }

  private zigzag(value: number): void {
    // Doubling a safe integer stays exact: it only moves the exponent, and the sign bit comes as a second step.
    if (value >= 0) this.doubled(value, 0);
    else this.doubled(-value - 1, 1);
  }

  /** varint(2 · value + low) without leaving the safe integers: the first byte takes six bits of the value. */
  private doubled(value: number, low: number): void {
    const rest = Math.floor(value / 64);
    this.bytes[this.used++] = ((value % 64) << 1) | low | (rest > 0 ? 0x80 : 0);
    if (rest > 0) this.varint(rest);
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.used++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.used++] = rest;
  }
}

/** All rows of one value, oldest first; undefined when the bytes are not whole rows. */
export function readRows(bytes: Uint8Array, firstSeq: number): number[][] | undefined {
  const rows: number[][] = [];
  let at = 0;
  let seq = firstSeq;
  let time = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 49) return Number.NaN;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const zigzag = (): number => {
    const first = bytes[at++];
    if (first === undefined) return Number.NaN;
    const value = ((first & 0x7f) >> 1) + (first < 0x80 ? 0 : varint() * 64);
    return (first & 1) === 0 ? value : -value - 1;
  };
  while (at < bytes.length) {
    seq += varint();
    time += zigzag();
    const kind = bytes[at++];
    const columns = bytes[at++];
    if (kind === undefined || columns === undefined || columns > EVENT_STRIDE - 3) return undefined;
    const row = new Array<number>(EVENT_STRIDE).fill(0);
    row[0] = kind;
    row[1] = seq;
    row[2] = time;
    for (let i = 3; i < 3 + columns; i++) row[i] = zigzag();
    for (const value of row) if (!Number.isSafeInteger(value)) return undefined;
    rows.push(row);
  }
  return rows;
}
