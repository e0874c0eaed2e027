/** Byte access used by every codec: little-endian on the wire and in records, big-endian in the trees. */

const POW32 = 2 ** 32;

/** A growable view pair over one buffer, so that fields are read in place and nothing is allocated. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Little-endian u64 as a number; the caller checks `Number.isSafeInteger`. */
export const getU64 = (view: DataView, offset: number): number =>
  view.getUint32(offset + 4, true) * POW32 + view.getUint32(offset, true);

export function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % POW32, true);
  view.setUint32(offset + 4, Math.floor(value / POW32), true);
}

/** Little-endian i64 of a safe integer. */
export const getI64 = (view: DataView, offset: number): number =>
  view.getInt32(offset + 4, true) * POW32 + view.getUint32(offset, true);

export function setI64(view: DataView, offset: number, value: number): void {
  const high = Math.floor(value / POW32);
  view.setUint32(offset, value - high * POW32, true);
  view.setInt32(offset + 4, high, true);
}

export const getU48 = (view: DataView, offset: number): number =>
  view.getUint16(offset + 4, true) * POW32 + view.getUint32(offset, true);

export function setU48(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % POW32, true);
  view.setUint16(offset + 4, Math.floor(value / POW32), true);
}

/** Big-endian u64 of a safe integer. */
export const getU64be = (view: DataView, offset: number): number =>
  view.getUint32(offset, false) * POW32 + view.getUint32(offset + 4, false);

export function setU64be(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / POW32), false);
  view.setUint32(offset + 4, value % POW32, false);
}

export const getI64be = (view: DataView, offset: number): number =>
  view.getInt32(offset, false) * POW32 + view.getUint32(offset + 4, false);

export function setI64be(view: DataView, offset: number, value: number): void {
  const high = Math.floor(value / POW32);
  view.setInt32(offset, high, false);
  view.setUint32(offset + 4, value - high * POW32, false);
}

/** Big-endian two's complement i128 / u128. */
export function setI128be(view: DataView, offset: number, value: bigint): void {
  view.setBigInt64(offset, value >> 64n, false);
  view.setBigUint64(offset + 8, value & 0xffff_ffff_ffff_ffffn, false);
}

export const getI128be = (view: DataView, offset: number): bigint =>
  (view.getBigInt64(offset, false) << 64n) | view.getBigUint64(offset + 8, false);

export const setU128be = setI128be;
export const getU128be = (view: DataView, offset: number): bigint =>
  (view.getBigUint64(offset, false) << 64n) | view.getBigUint64(offset + 8, false);

export function concat(...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Negative, zero or positive as `a` sorts before, with or after `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0;

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/** Lower-case hexadecimal with the 0x prefix. */
export function toHex(bytes: Uint8Array): `0x${string}` {
  let text = '0x';
  for (const byte of bytes) text += HEX[byte];
  return text as `0x${string}`;
}

/** Throws on anything but an even number of hexadecimal digits, with or without 0x. */
export function fromHex(text: string): Uint8Array {
  const digits = text.startsWith('0x') ? text.slice(2) : text;
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits))
    throw new Error(`hex: expected an even number of hexadecimal digits, got ${JSON.stringify(text)}`);
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Big-endian u48. */
export function setU48be(view: DataView, offset: number, value: number): void {
  view.setUint16(offset, Math.floor(value / POW32), false);
  view.setUint32(offset + 2, value % POW32, false);
}

export const getU48be = (view: DataView, offset: number): number =>
  view.getUint16(offset, false) * POW32 + view.getUint32(offset + 2, false);
