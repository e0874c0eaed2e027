/**
 * Where signed batches come from. The sequencer serves them over HTTP: GET BASE/batches/ID answers a msgpack map of
 * byte strings (header 510, hash 32, signature 65, trace 92 a segment, withdrawn, diff, inputs: the layouts of
 * protocol/batch.ts), 404 when there is no such batch yet.
 */
import { Unpackr } from 'msgpackr';
import { decodeHeader, decodeTrace, type SignedBatch } from '#protocol/batch.ts';

export interface BatchSource {
  /** The signed batch with this id, of the newest epoch; undefined while there is none. Rejects when it can't say. */
  get(id: number): Promise<SignedBatch | undefined>;
}

/** The sequencer could not be asked, or answered with something that is no batch. */
export class BatchSourceError extends Error {
  override readonly name = 'BatchSourceError';
}

const PARTS = ['header', 'hash', 'signature', 'trace', 'withdrawn', 'diff', 'inputs'] as const;
type Part = (typeof PARTS)[number];

const unpacker = new Unpackr({ useRecords: false, int64AsType: 'number' });

/** Throws `BatchSourceError` (field, expected, got). */
export function unpackBatch(body: Uint8Array): SignedBatch {
  let map: unknown;
  try {
    map = unpacker.unpack(body);
  } catch (cause) {
    throw new BatchSourceError(`batch: expected msgpack, got ${body.length} other bytes`, { cause });
  }
  if (typeof map !== 'object' || map === null)
    throw new BatchSourceError(`batch: expected a map, got ${map === null ? 'nil' : typeof map}`);
  const fields = map as Readonly<Record<string, unknown>>;
  const part = (name: Part): Uint8Array => {
    const value = fields[name];
    if (!(value instanceof Uint8Array))
      throw new BatchSourceError(`batch.${name}: expected bytes, got ${typeof value}`);
    return Uint8Array.from(value);
  };
  try {
    return {
      header: decodeHeader(part('header')),
      hash: part('hash'),
      signature: part('signature'),
      trace: decodeTrace(part('trace')),
      withdrawn: part('withdrawn'),
      diff: part('diff'),
      inputs: part('inputs'),
    };
  } catch (error) {
    if (error instanceof BatchSourceError) throw error;
    throw new BatchSourceError((error as Error).message, { cause: error });
  }
}

const TIMEOUT_MS = 10_000;

/** Asks the sequencer at `baseUrl` (http://host:port). */
export class HttpBatchSource implements BatchSource {
  private readonly baseUrl: string;

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl.replace(/\/$/, '');
  }

  async get(id: number): Promise<SignedBatch | undefined> {
    const url = `${this.baseUrl}/batches/${id}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause: unknown) => {
      throw new BatchSourceError(`${url}: no answer (${reason(cause)})`, { cause });
    });
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    if (response.status !== 200)
      throw new BatchSourceError(`${url}: expected status 200 or 404, got ${response.status}`);
    const batch = unpackBatch(new Uint8Array(await response.arrayBuffer()));
    if (batch.header.id !== id)
      throw new BatchSourceError(`${url}: expected batch ${id}, got ${batch.header.id}`);
    return batch;
  }
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
