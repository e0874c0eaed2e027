/**
 * Who signs batches. The signer remembers what it has signed before it signs, and never signs a second hash for
 * an (epoch, id): two headers for one place are a proof of fraud.
 */

import { addressOfKey, signDigest } from '#auth/sign-digest.ts';
import type { BatchStore, SignedCommitment } from '#pipeline/ports.ts';
import type { BatchHeader } from '#protocol/batch.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { Address, Hash } from '#protocol/units.ts';

export interface BatchSigner {
  /** 20 bytes; the Rollup's sequencer. */
  readonly address: Address;
  /** 65 bytes over `hash`, the header's digest. Rejects when another hash was ever allowed for its place. */
  sign(header: BatchHeader, hash: Hash): Promise<Uint8Array>;
}

/** Durable memory of commitments: BatchStore.remember. */
export type SignerMemory = Pick<BatchStore, 'remember'>;

/** Holds the key in memory. */
export class KeySigner implements BatchSigner {
  readonly address: Address;
  private readonly key: Uint8Array;
  private readonly memory: SignerMemory;

  /** `key`: 32 bytes; throws when it is no key. */
  constructor(key: Uint8Array, memory: SignerMemory, keccak: Keccak) {
    this.address = addressOfKey(key, keccak);
    this.key = key.slice();
    this.memory = memory;
  }

  async sign(header: BatchHeader, hash: Hash): Promise<Uint8Array> {
    const { epoch, id, parentHash } = header;
    const commitment: SignedCommitment = { epoch, id, parentHash, hash };
    await this.memory.remember(commitment);
    return signDigest(hash, this.key);
  }
}
