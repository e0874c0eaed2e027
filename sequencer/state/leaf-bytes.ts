/** Sequential big-endian fields of leaf values. */
import {
  getI64be,
  getI128be,
  getU48be,
  getU64be,
  setI64be,
  setI128be,
  setU48be,
  setU64be,
  viewOf,
} from '#protocol/bytes.ts';

/** Writes fields one after the other into a value of known length; `done` checks that it is full. */
export class LeafWriter {
  private readonly value: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(length: number) {
    this.value = new Uint8Array(length);
    this.view = viewOf(this.value);
  }

  u8(value: number): this {
    this.value[this.at++] = value;
    return this;
  }
  u16(value: number): this {
    this.view.setUint16(this.at, value);
    this.at += 2;
    return this;
  }
  u32(value: number): this {
    this.view.setUint32(this.at, value);
    this.at += 4;
    return this;
  }
  u48(value: number): this {
    setU48be(this.view, this.at, value);
    this.at += 6;
    return this;
  }
  /** A safe integer. */
  u64(value: number): this {
    setU64be(this.view, this.at, value);
    this.at += 8;
    return this;
  }
  /** A safe integer. */
  i64(value: number): this {
    setI64be(this.view, this.at, value);
    this.at += 8;
    return this;
  }
  i128(value: bigint): this {
    setI128be(this.view, this.at, value);
    this.at += 16;
    return this;
  }
  bytes(value: Uint8Array): this {
    this.value.set(value, this.at);
    this.at += value.length;
    return this;
  }

  done(): Uint8Array {
    if (this.at !== this.value.length)
      throw new Error(`leaf value: expected ${this.value.length} bytes to be written, got ${this.at}`);
    return this.value;
  }
}

/** Reads fields one after the other; `done` checks that nothing is left. */
export class LeafReader {
  private readonly noun: string;
  private readonly value: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  /** `noun` names the leaf in errors. */
  constructor(noun: string, value: Uint8Array) {
    this.noun = noun;
    this.value = value;
    this.view = viewOf(value);
  }

  private take(width: number): number {
    const at = this.at;
    if (at + width > this.value.length)
      throw new Error(`${this.noun} leaf: expected at least ${at + width} bytes, got ${this.value.length}`);
    this.at += width;
    return at;
  }

  /** A number whose 64-bit field may not leave the safe integers. */
  private safe(value: number): number {
    if (!Number.isSafeInteger(value))
      throw new Error(`${this.noun} leaf: expected a safe integer before byte ${this.at}, got ${value}`);
    return value;
  }

  u8(): number {
    return this.value[this.take(1)]!;
  }
  u16(): number {
    return this.view.getUint16(this.take(2));
  }
  u32(): number {
    return this.view.getUint32(this.take(4));
  }
  u48(): number {
    return getU48be(this.view, this.take(6));
  }
  u64(): number {
    return this.safe(getU64be(this.view, this.take(8)));
  }
  i64(): number {
    return this.safe(getI64be(this.view, this.take(8)));
  }
  i128(): bigint {
    return getI128be(this.view, this.take(16));
  }
  /** A copy. */
  bytes(length: number): Uint8Array {
    const at = this.take(length);
    return this.value.slice(at, at + length);
  }
  /** Everything that is left, a copy. */
  rest(): Uint8Array {
    return this.bytes(this.value.length - this.at);
  }

  done(): void {
    if (this.at !== this.value.length)
      throw new Error(`${this.noun} leaf: expected ${this.at} bytes, got ${this.value.length}`);
  }
}
