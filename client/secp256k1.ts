/**
 * Signing with a raw key: libsecp256k1 where its binary loads, noble otherwise. Both are deterministic
 * (RFC 6979), keep s in the lower half (EIP-2) and so give the same bytes.
 */
import { createRequire } from 'node:module';
import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';

/** From a 32-byte digest and a 32-byte key to r ‖ s ‖ v, v 27 or 28. */
export type SignDigest = (digest: Uint8Array, privateKey: Uint8Array) => Uint8Array;

interface NativeBinding {
  ecdsaSign(
    digest: Uint8Array,
    privateKey: Uint8Array,
    options: object,
    output: Uint8Array,
  ): { signature: Uint8Array; recid: number };
}

export const signWithNoble: SignDigest = (digest, privateKey) => {
  const recovered = noble.sign(digest, privateKey, { prehash: false, format: 'recovered', lowS: true });
  const signature = new Uint8Array(SIGNATURE_BYTES);
  signature.set(recovered.subarray(1), 0);
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
  const options = {};
  return (digest, privateKey) => {
    const signature = new Uint8Array(SIGNATURE_BYTES);
    const { recid } = binding.ecdsaSign(digest, privateKey, options, signature.subarray(0, 64));
    signature[64] = 27 + recid;
    return signature;
  };
}

/** Undefined where the binary does not load. */
export const signWithNative: SignDigest | undefined = loadNative();
export const signDigest: SignDigest = signWithNative ?? signWithNoble;

/** 64 bytes x ‖ y of a key; throws when the key is not from 1 to n - 1. */
export const publicKeyOf = (privateKey: Uint8Array): Uint8Array =>
  noble.getPublicKey(privateKey, false).subarray(1);
