/**
 * The verifier's own LevelDB. Everything in it can be had again from L1, so what is damaged is found out and thrown
 * away, never repaired. Keys are ASCII; numbers in keys are 16 hexadecimal digits, so that rows sort by them.
 *
 *   meta                format, chain, rollup
 *   log                 L1 cursor and counters          (l1-log.ts)
 *   queue/N             queue entry N                   (l1-log.ts)
 *   commit/N, final/N   events of batch N               (l1-log.ts)
 *   strike/N            strike N and what it removed    (l1-log.ts)
 *   inputs/N            inputs of batch N that are not in calldata, and its hash (inputs-source.ts)
 *   verified/N          tip after batch N, its diff     (verified-chain.ts)
 *   snapshot/N          tip, number of pieces           (verified-chain.ts)
 *   piece/N/M           piece M of the snapshot after batch N
 *   case/N              batch that was accused, and how far that has come (challenger.ts)
 *
 * A value is  0 b8 the first bytes of keccak256 of the rest   8 msgpack.
 */
import { Level } from 'level';
import { Packr } from 'msgpackr';
import { compareBytes, concat } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';

const FORMAT = 2;
const CHECK_BYTES = 8;
const META = 'meta';

export interface StoreIdentity {
  readonly chainId: number;
  /** Address of the Rollup, any case. */
  readonly rollup: string;
}

/** `locked`, `foreign` and `not-open` need the operator; `corrupt` is cured by starting over. */
export class VerifierStoreError extends Error {
  override readonly name = 'VerifierStoreError';
  readonly code: 'locked' | 'not-open' | 'foreign' | 'corrupt';

  constructor(code: VerifierStoreError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

export const rowKey = (kind: string, number: number): string =>
  `${kind}/${number.toString(16).padStart(16, '0')}`;

const numberOf = (key: string): number => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 16);

export class VerifierStore {
  readonly path: string;
  private readonly level: Level<string, Uint8Array>;
  private readonly keccak: Keccak;
  private readonly packr = new Packr({ useRecords: false, int64AsType: 'number' });

  /** Made when it is not there. Rejects with `VerifierStoreError`. */
  static async open(path: string, identity: StoreIdentity, keccak: Keccak): Promise<VerifierStore> {
    const level = new Level<string, Uint8Array>(path, { keyEncoding: 'utf8', valueEncoding: 'view' });
    try {
      await level.open();
    } catch (error) {
      throw openError(path, error);
    }
    const store = new VerifierStore(path, level, keccak);
    try {
      await store.identify(identity);
      return store;
    } catch (error) {
      await level.close();
      throw error;
    }
  }

  private constructor(path: string, level: Level<string, Uint8Array>, keccak: Keccak) {
    this.path = path;
    this.level = level;
    this.keccak = keccak;
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    const bytes = await this.level.get(key);
    return bytes === undefined ? undefined : this.unpack<Value>(key, bytes);
  }

  /**
   * All of it or nothing; later operations win. Not flushed: what a crash of the machine takes away are the newest
   * writes, and L1 has them still.
   */
  async write(operations: readonly Operation[]): Promise<void> {
    const batch = operations.map((operation) =>
      operation.type === 'del'
        ? operation
        : { type: 'put' as const, key: operation.key, value: this.pack(operation.value) },
    );
    await this.level.batch(batch);
  }

  /** Rows `kind/N` with first ≤ N < next, ascending. */
  async *rows<Value>(
    kind: string,
    range: { readonly first?: number; readonly next?: number } = {},
  ): AsyncGenerator<{ number: number; value: Value }> {
    const bounds = { gte: rowKey(kind, range.first ?? 0), lt: boundOf(kind, range.next) };
    for await (const [key, bytes] of this.level.iterator(bounds))
      yield { number: numberOf(key), value: this.unpack<Value>(key, bytes) };
  }

  /** The numbers N of rows `kind/N`, descending. */
  async *numbers(kind: string): AsyncGenerator<number> {
    const bounds = { gte: rowKey(kind, 0), lt: boundOf(kind, undefined), reverse: true };
    for await (const key of this.level.keys(bounds)) yield numberOf(key);
  }

  /** Forgets everything but whose store it is. */
  async clear(): Promise<void> {
    await this.level.clear({ gt: META });
    await this.level.clear({ lt: META });
  }

  close(): Promise<void> {
    return this.level.close();
  }

  private async identify({ chainId, rollup }: StoreIdentity): Promise<void> {
    const mine = { format: FORMAT, chainId, rollup: rollup.toLowerCase() };
    let held: typeof mine | undefined;
    try {
      held = await this.get<typeof mine>(META);
    } catch (error) {
      if (!(error instanceof VerifierStoreError)) throw error;
    }
    if (held !== undefined && (held.chainId !== chainId || held.rollup !== mine.rollup))
      throw new VerifierStoreError(
        'foreign',
        `${this.path}: expected a store of rollup ${rollup} on chain ${chainId}, got one of ${held.rollup} on chain ${held.chainId}: give another --data DIR`,
      );
    if (held?.format === FORMAT) return;
    await this.level.clear();
    await this.write([{ type: 'put', key: META, value: mine }]);
  }

  private pack(value: unknown): Uint8Array {
    const bytes = this.packr.pack(value);
    return concat(this.keccak(bytes).subarray(0, CHECK_BYTES), bytes);
  }

  private unpack<Value>(key: string, bytes: Uint8Array): Value {
    const check = bytes.subarray(0, CHECK_BYTES);
    const rest = bytes.subarray(CHECK_BYTES);
    if (compareBytes(check, this.keccak(rest).subarray(0, CHECK_BYTES)) !== 0)
      throw new VerifierStoreError(
        'corrupt',
        `${this.path}, ${key}: its bytes are not those that were written`,
      );
    return plain(this.packr.unpack(rest)) as Value;
  }
}

const boundOf = (kind: string, next: number | undefined): string =>
  next === undefined ? `${kind}/g` : rowKey(kind, next);

/** Buffers, which msgpackr gives, as plain arrays with memory of their own. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
  return value;
}

function openError(path: string, error: unknown): VerifierStoreError {
  const cause = (error as Error).cause as (Error & { code?: string }) | undefined;
  if (cause?.code === 'LEVEL_LOCKED')
    return new VerifierStoreError(
      'locked',
      `${path}: in use by another process: stop that one, or give another --data DIR`,
      error,
    );
  return new VerifierStoreError(
    'not-open',
    `${path}: can not be opened (${(cause ?? (error as Error)).message}): remove it, and it is made again from L1`,
    error,
  );
}
