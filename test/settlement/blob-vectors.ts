/**
 * The cases of test/vectors/blob.json: what settlement/l1/blob-codec.ts and kzg.ts say, for BlobLib.sol and
 * FraudChecks.checkBlobs. `npx tsx test/settlement/blob-vectors.ts` writes the file, which takes a minute; a test holds
 * the file to this.
 *
 *   points     element of a blob, and where its polynomial takes its value
 *   streams    name, stream (in short), versioned hashes of its blobs, a range start to end with its bytes, openings of
 *              exactly the elements that hold it, and whether these hold 31 bytes each
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { concat, toHex, viewOf } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord, MESSAGE } from '#protocol/command.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import {
  BLOB_ELEMENTS,
  BLOB_STREAM_BYTES,
  elementsOf,
  packBlobs,
  pointOf,
  unpackBlobs,
} from '#settlement/l1/blob-codec.ts';
import { type ElementOpening, Kzg, versionedHash } from '#settlement/l1/kzg.ts';

export interface BlobPoint {
  readonly element: number;
  /** 32 bytes. */
  readonly point: string;
}
export interface BlobStream {
  readonly name: string;
  readonly length: number;
  readonly start: number;
  readonly end: number;
  readonly data: string;
  readonly clean: boolean;
}
export interface OpenedStream extends BlobStream {
  readonly hashes: readonly string[];
  readonly openings: readonly ElementOpening[];
}

const ELEMENTS = [0, 1, 2, 3, 7, 8, 255, 1_000, 2_047, 2_048, 4_094, 4_095];

export const blobPoints = (): BlobPoint[] =>
  ELEMENTS.map((element) => ({
    element,
    point: `0x${pointOf(element).toString(16).padStart(64, '0')}`,
  }));

/** Five records, of which the segments of ChallengeFixture.sol take two, two and one. */
export function fiveRecords(): Uint8Array {
  const records = Array.from({ length: 5 }, (_, i) => {
    const body = concat(keccak(Uint8Array.of(i)), Uint8Array.of(i));
    return i % 3 === 2 ? encodeRecord(CLOCK, i, new Uint8Array(0)) : encodeRecord(MESSAGE, i, body);
  });
  return concat(...records);
}

function longStream(): Uint8Array {
  const stream = new Uint8Array(BLOB_STREAM_BYTES + 100);
  const view = viewOf(stream);
  for (let at = 0; at + 8 <= stream.length; at += 8) view.setUint32(at, (at * 2_654_435_761) >>> 0);
  return stream;
}

interface Source {
  readonly name: string;
  readonly length: number;
  readonly blobs: readonly Uint8Array[];
  readonly start: number;
  readonly end: number;
}

function sources(): Source[] {
  const short = fiveRecords();
  const altered = short.slice();
  altered[100]! ^= 1;
  const unclean = packBlobs(short);
  unclean[0]![3 * 32] = 1;
  const long = longStream();
  const all = { start: 0, end: short.length, length: short.length };
  const far = { length: long.length, blobs: packBlobs(long) };
  return [
    { name: 'honest', blobs: packBlobs(short), ...all },
    { name: 'altered', blobs: packBlobs(altered), ...all },
    { name: 'unclean', blobs: unclean, ...all },
    { name: 'two blobs', ...far, start: BLOB_STREAM_BYTES - 20, end: BLOB_STREAM_BYTES + 40 },
    { name: 'within one element', ...far, start: 62, end: 93 },
    { name: 'a single byte', ...far, start: 92, end: 93 },
  ];
}

/** All but the proofs. */
export const blobStreams = (): BlobStream[] => sources().map(streamOf);

function streamOf({ name, length, blobs, start, end }: Source): BlobStream {
  const { bytes } = unpackBlobs(blobs, length);
  const { first, count } = elementsOf(start, end);
  const clean = Array.from({ length: count }, (_, i) => first + i).every(
    (element) => blobs[Math.floor(element / BLOB_ELEMENTS)]![(element % BLOB_ELEMENTS) * 32] === 0,
  );
  return { name, length, start, end, data: toHex(bytes.subarray(start, end)), clean };
}

async function opened(kzg: Kzg): Promise<OpenedStream[]> {
  const streams: OpenedStream[] = [];
  for (const source of sources()) {
    const commitments: `0x${string}`[] = [];
    for (const blob of source.blobs) commitments.push(await kzg.commitment(blob));
    const { first, count } = elementsOf(source.start, source.end);
    const openings: ElementOpening[] = [];
    for (let index = first; index < first + count; index++) {
      const blob = Math.floor(index / BLOB_ELEMENTS);
      openings.push(await kzg.open(source.blobs[blob]!, { index, commitment: commitments[blob]! }));
    }
    streams.push({ ...streamOf(source), hashes: commitments.map(versionedHash), openings });
  }
  return streams;
}

export const BLOB_VECTOR_FILE = fileURLToPath(new URL('../vectors/blob.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kzg = new Kzg();
  const vectors = { points: blobPoints(), streams: await opened(kzg) };
  await kzg.close();
  writeFileSync(BLOB_VECTOR_FILE, `${JSON.stringify(vectors, null, 1)}\n`);
}
