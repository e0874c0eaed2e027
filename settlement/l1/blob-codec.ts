/**
 * A stream of bytes ↔ the blobs of one transaction (EIP-4844), twin of contracts/libraries/BlobLib.sol:
 *
 *   blob       4,096 field elements of 32 bytes, big-endian, each below the modulus of BLS12-381's scalar field
 *   element    0 u8 0   1 31 bytes of the stream
 *
 * The stream fills elements and blobs in order, byte b stands in element ⌊b / 31⌋ of all; zeros after its end. A
 * transaction carries at most six blobs on the networks known, so a stream has at most 761,856 bytes.
 */
import { viewOf } from '#protocol/bytes.ts';

export const BLOB_ELEMENTS = 4_096;
export const ELEMENT_BYTES = 31;
/** Of the stream. */
export const BLOB_STREAM_BYTES = BLOB_ELEMENTS * ELEMENT_BYTES;
/** As the network carries it. */
export const BLOB_BYTES = BLOB_ELEMENTS * 32;
export const BLOBS_MAX = 6;
export const STREAM_BYTES_MAX = BLOBS_MAX * BLOB_STREAM_BYTES;
/** What a blob costs, in blob gas. */
export const GAS_PER_BLOB = 131_072n;

/** Blobs that so many bytes fill. */
export const blobsFor = (length: number): number => Math.ceil(length / BLOB_STREAM_BYTES);

/** Throws when the stream does not fit one transaction. */
export function packBlobs(stream: Uint8Array): Uint8Array[] {
  if (stream.length > STREAM_BYTES_MAX)
    throw new RangeError(`blobs: expected at most ${STREAM_BYTES_MAX} bytes, got ${stream.length}`);
  return Array.from({ length: blobsFor(stream.length) }, (_, i) => {
    const blob = new Uint8Array(BLOB_BYTES);
    const part = stream.subarray(i * BLOB_STREAM_BYTES, (i + 1) * BLOB_STREAM_BYTES);
    for (let at = 0, element = 0; at < part.length; at += ELEMENT_BYTES, element += 32)
      blob.set(part.subarray(at, at + ELEMENT_BYTES), element + 1);
    return blob;
  });
}

/** A stretch of a stream, as `readElements` names it. */
export interface ElementRange {
  /** Of the whole stream: blob · 4,096 + element. */
  readonly first: number;
  readonly count: number;
}

/** The elements that hold bytes `start` to `end` of the stream. */
export function elementsOf(start: number, end: number): ElementRange {
  const first = Math.floor(start / ELEMENT_BYTES);
  return { first, count: end === start ? 0 : Math.floor((end - 1) / ELEMENT_BYTES) - first + 1 };
}

export interface UnpackedStream {
  readonly bytes: Uint8Array;
  /** First element of these that holds more than 31 bytes, which no writer of streams makes; undefined: none does. */
  readonly unclean: number | undefined;
}

/** The first `length` bytes of the stream. Throws when the blobs are too few or not of their size. */
export function unpackBlobs(blobs: readonly Uint8Array[], length: number): UnpackedStream {
  if (blobs.length < blobsFor(length))
    throw new RangeError(`blobs: expected ${blobsFor(length)}, got ${blobs.length}`);
  for (const [i, blob] of blobs.entries())
    if (blob.length !== BLOB_BYTES)
      throw new RangeError(`blob ${i}: expected ${BLOB_BYTES} bytes, got ${blob.length}`);
  const { count } = elementsOf(0, length);
  const whole = new Uint8Array(count * ELEMENT_BYTES);
  let unclean: number | undefined;
  for (let element = 0; element < count; element++) {
    const blob = blobs[Math.floor(element / BLOB_ELEMENTS)]!;
    const at = (element % BLOB_ELEMENTS) * 32;
    if (blob[at] !== 0) unclean ??= element;
    whole.set(blob.subarray(at + 1, at + 32), element * ELEMENT_BYTES);
  }
  return { bytes: whole.subarray(0, length), unclean };
}

/** Of the field whose elements a blob holds. */
export const MODULUS = 52435875175126190479447740508185965837690552500527637822603658699938581184513n;
/** A primitive 4,096th root of unity: 7 ^ ((MODULUS − 1) / 4,096). */
const ROOT = 39033254847818212395286706435128746857159659164139250548781411570340225835782n;

/** Where the blob's polynomial takes the value of `element`: ROOT to the power of the element's 12 bits reversed. */
export function pointOf(element: number): bigint {
  let point = 1n;
  let power = ROOT;
  for (let bit = 11; bit >= 0; bit--) {
    if ((element >> bit) & 1) point = (point * power) % MODULUS;
    power = (power * power) % MODULUS;
  }
  return point;
}

/** The value of an element of one blob. */
export function elementAt(blob: Uint8Array, element: number): bigint {
  const view = viewOf(blob);
  let value = 0n;
  for (let i = 0; i < 4; i++) value = (value << 64n) | view.getBigUint64(element * 32 + i * 8);
  return value;
}
