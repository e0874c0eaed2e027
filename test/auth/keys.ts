/** Deterministic keys and signatures for tests. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concat } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { encodeUnsignedMessage, type MessageFields } from '#protocol/message.ts';
import { type Domain, SigningDomain } from '#protocol/signing.ts';

export const TEST_DOMAIN: Domain = { chainId: 31_337, verifyingContract: new Uint8Array(20).fill(0xc0) };
export const testSigning = new SigningDomain(TEST_DOMAIN, nobleKeccak);

export interface TestKey {
  readonly secret: Uint8Array;
  /** 20 bytes. */
  readonly address: Uint8Array;
}

/** The n-th key, n from 1. */
export function testKey(n: number): TestKey {
  const secret = new Uint8Array(32);
  new DataView(secret.buffer).setUint32(28, n);
  return { secret, address: nobleKeccak(secp256k1.getPublicKey(secret, false).subarray(1)).slice(12) };
}

/** r ‖ s ‖ v with low s. */
export function signDigest(digest: Uint8Array, key: TestKey): Uint8Array {
  const signature = secp256k1.sign(digest, key.secret, { prehash: false, format: 'recovered' });
  return concat(signature.subarray(1), Uint8Array.of(27 + signature[0]!));
}

export function signedMessage(fields: MessageFields, key: TestKey, scheme?: 1 | 2): Uint8Array {
  const unsigned = encodeUnsignedMessage(fields, scheme);
  return concat(unsigned, signDigest(testSigning.message(unsigned), key));
}
