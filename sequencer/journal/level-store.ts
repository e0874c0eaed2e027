/**
 * Opens LevelDB stores the one way that is safe here: never created by accident (a missing CURRENT file would
 * give a new, empty store), and every failure one sentence. LevelDB itself notices neither holes nor flips
 * (values are checked by who reads them).
 */
import { Level } from 'level';
import { crc32c } from './crc32c.ts';
import { StoreError } from './store-error.ts';

export type ByteLevel = Level<Uint8Array, Uint8Array>;

export interface LevelStoreOptions {
  /** Directory of the store. */
  readonly path: string;
  /** True only at genesis: makes the store when it is not there. */
  readonly create: boolean;
  /** Snappy; default true. */
  readonly compression?: boolean;
}

export async function openLevel(options: LevelStoreOptions): Promise<ByteLevel> {
  const { path, create, compression = true } = options;
  const level: ByteLevel = new Level<Uint8Array, Uint8Array>(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: create,
    compression,
  });
  try {
    await level.open();
    return level;
  } catch (error) {
    const cause = (error as Error).cause as (Error & { code?: string }) | undefined;
    if (cause?.code === 'LEVEL_LOCKED')
      throw new StoreError(
        'locked',
        path,
        'in use by another process: stop that one, or give another --data DIR',
        error,
      );
    const reason = (cause ?? (error as Error)).message;
    throw new StoreError(
      'not-open',
      path,
      reason.includes('create_if_missing')
        ? 'no store there, and it is only made at genesis: give the right --data DIR, or rebuild it with: sluice doctor'
        : `can not be opened (${reason}): rebuild it from the journal with: sluice doctor`,
      error,
    );
  }
}

/** The same bytes as a Uint8Array: LevelDB gives Buffers, whose `slice` does not copy. */
export const plainBytes = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const CRC_BYTES = 4;

/** The value with its CRC-32C (u32, little-endian) in front, under which `unseal` reads it. */
export function seal(value: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(CRC_BYTES + value.length);
  sealed.set(value, CRC_BYTES);
  new DataView(sealed.buffer).setUint32(0, crc32c(value), true);
  return sealed;
}

/** The value of `seal`, copied; throws `corrupt` when it is another one. `what` names it in the message. */
export function unseal(sealed: Uint8Array, store: string, what: string): Uint8Array {
  const value = plainBytes(sealed).slice(CRC_BYTES);
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const got = sealed.length < CRC_BYTES ? 'no CRC' : view.getUint32(0, true);
  const expected = crc32c(value);
  if (got !== expected)
    throw new StoreError(
      'corrupt',
      store,
      `${what}: CRC: expected ${expected}, got ${got}; rebuild it with: sluice doctor`,
    );
  return value;
}
