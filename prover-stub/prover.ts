/**
 * Proofs of batches. One interface; behind it an attestation now: a verifier that re-executed the batch signs what
 * it is about (public-inputs.ts). A zero-knowledge prover is a second implementation of the same interface.
 *
 * Attestation (105 bytes):  0 u32 kind = 1   4 u32 0   8 b32 keccak256 of the public inputs   40 65 signature
 * The signature is over the EIP-712 type `Attestation(uint64 batch,bytes32 publicInputsHash)` in the rollup's domain.
 */
import type { Recover } from '#auth/recover.ts';
import { addressOfKey, signDigest } from '#auth/sign-digest.ts';
import { BATCH_VERSION, type SignedBatch } from '#protocol/batch.ts';
import { equalBytes, viewOf } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { AbiWords, type Domain, SigningDomain, typeHash } from '#protocol/signing.ts';
import type { Address, Hash } from '#protocol/units.ts';
import { encodePublicInputs } from './public-inputs.ts';
import type { RecordSigners } from './re-execute.ts';

/** A batch that re-execution has found to be as posted, with what a prover needs to execute it once more. */
export interface VerifiedBatch {
  readonly posted: SignedBatch;
  readonly records: readonly Uint8Array[];
  readonly signers: RecordSigners;
}

export interface Proof {
  readonly batch: number;
  readonly publicInputs: Uint8Array;
  /** In the form of its prover. */
  readonly bytes: Uint8Array;
}

export interface Prover {
  /** Rejects when no proof can be made. */
  prove(batch: VerifiedBatch): Promise<Proof>;
}

export const ATTESTATION_TYPE = 'Attestation(uint64 batch,bytes32 publicInputsHash)';
export const ATTESTATION_BYTES = 105;
const KIND_ATTESTATION = 1;
const HASH_AT = 8;
const SIGNATURE_AT = 40;

function attestationDigest(batch: number, publicInputsHash: Hash, domain: Domain, keccak: Keccak): Hash {
  const words = new AbiWords(3).hash(typeHash(ATTESTATION_TYPE, keccak)).uint(batch).hash(publicInputsHash);
  return new SigningDomain(domain, keccak).digest(keccak(words.bytes));
}

/** Signs what the verifier has re-executed. */
export class AttestingProver implements Prover {
  readonly address: Address;
  private readonly key: Uint8Array;
  private readonly domain: Domain;
  private readonly keccak: Keccak;

  /** `key`: 32 bytes; throws when it is no key. */
  constructor(key: Uint8Array, domain: Domain, keccak: Keccak) {
    this.address = addressOfKey(key, keccak);
    this.key = key.slice();
    this.domain = domain;
    this.keccak = keccak;
  }

  prove({ posted }: VerifiedBatch): Promise<Proof> {
    const { header, hash } = posted;
    if (header.version !== BATCH_VERSION)
      return Promise.reject(
        new Error(`prover: expected a batch of version ${BATCH_VERSION}, got ${header.version}`),
      );
    const publicInputs = encodePublicInputs(header, hash, this.domain);
    const inputsHash = this.keccak(publicInputs);
    const digest = attestationDigest(header.id, inputsHash, this.domain, this.keccak);
    const bytes = new Uint8Array(ATTESTATION_BYTES);
    viewOf(bytes).setUint32(0, KIND_ATTESTATION);
    bytes.set(inputsHash, HASH_AT);
    bytes.set(signDigest(digest, this.key), SIGNATURE_AT);
    return Promise.resolve({ batch: header.id, publicInputs, bytes });
  }
}

/** Who attested the proof; undefined when it is no attestation of these public inputs. */
export function attesterOf(
  proof: Proof,
  domain: Domain,
  { keccak, recover }: { readonly keccak: Keccak; readonly recover: Recover },
): Address | undefined {
  const { batch, publicInputs, bytes } = proof;
  if (bytes.length !== ATTESTATION_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0) !== KIND_ATTESTATION || view.getUint32(4) !== 0) return undefined;
  const inputsHash = keccak(publicInputs);
  if (!equalBytes(inputsHash, bytes.subarray(HASH_AT, SIGNATURE_AT))) return undefined;
  return recover(attestationDigest(batch, inputsHash, domain, keccak), bytes.subarray(SIGNATURE_AT));
}
