/**
 * Signing a digest with a raw key: libsecp256k1 where its binary loads, noble otherwise. Both are deterministic
 * (RFC 6979) with s in the lower half (EIP-2), and so give the same bytes.
 */
import { createRequire } from 'node:module';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import type { Keccak } from '#protocol/hash.ts';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';
import type { Address } from '#protocol/units.ts';

/** From a 32-byte digest and a 32-byte key to r ‖ s ‖ v, v 27 or 28. */
export type SignDigest = (digest: Uint8Array, key: Uint8Array) => Uint8Array;

interface NativeBinding {
  ecdsaSign(
    digest: Uint8Array,
    key: Uint8Array,
    options: object,
    output: Uint8Array,
  ): { signature: Uint8Array; recid: number };
}

export const signWithNoble: SignDigest = (digest, key) => {
  const recovered = secp256k1.sign(digest, key, { prehash: false, format: 'recovered', lowS: true });
  const signature = new Uint8Array(SIGNATURE_BYTES);
  signature.set(recovered.subarray(1));
  signature[64] = 27 + recovered[0]!;
  return signature;
};

function loadNative(): SignDigest | undefined {
  let binding: NativeBinding;
  try {
    // The package's own entry falls back to a slower library in silence; its binding either loads or throws.
    binding = createRequire(import.meta.url)('secp256k1/bindings.js') as NativeBinding;
  } catch {
    return undefined;
  }
  return (digest, key) => {
    const signature = new Uint8Array(SIGNATURE_BYTES);
    const { recid } = binding.ecdsaSign(digest, key, {}, signature.subarray(0, 64));
    signature[64] = 27 + recid;
    return signature;
  };
}

/** Undefined where the binary does not load. */
export const signWithNative: SignDigest | undefined = loadNative();
export const signDigest: SignDigest = signWithNative ?? signWithNoble;

/** 64 bytes x ‖ y of a 32-byte key; throws when it is none. */
export const publicKeyOf = (key: Uint8Array): Uint8Array => secp256k1.getPublicKey(key, false).subarray(1);

/** The address of a 32-byte key; throws when it is none. */
export const addressOfKey = (key: Uint8Array, keccak: Keccak): Address => keccak(publicKeyOf(key)).slice(12);
