/**
 * Who signed: recovers addresses from 65-byte signatures, by libsecp256k1 where its binary loads and by
 * noble otherwise. Both accept exactly what the contracts accept: v 27 or 28, s in the lower half (EIP-2).
 */
import { createRequire } from 'node:module';
import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { compareBytes, fromHex, viewOf } from '#protocol/bytes.ts';
import {
  type Command,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  recordBodyBytes,
  recordKind,
} from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import {
  PRICE_REPORT_BYTES,
  PRICE_ROUND_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  SIGNATURE_BYTES,
} from '#protocol/limits.ts';
import { checkMessage } from '#protocol/message.ts';
import { checkPriceRound, decodeReport } from '#protocol/price-report.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import type { Address } from '#protocol/units.ts';

export const ADDRESS_BYTES = 20;

/** The part of the native binding that is used; `ecdsaRecover` throws when there is no such point. */
interface NativeBinding {
  ecdsaRecover(
    signature: Uint8Array,
    recoveryId: number,
    digest: Uint8Array,
    compressed: boolean,
    output: Uint8Array,
  ): Uint8Array;
}

/** n / 2, rounded down: the highest s that is taken (EIP-2). */
const S_MAX = fromHex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0');

/** The 65-byte public key 0x04 ‖ x ‖ y, or undefined when the signature has none. */
export type PublicKeyRecovery = (
  digest: Uint8Array,
  compact: Uint8Array,
  recoveryId: 0 | 1,
) => Uint8Array | undefined;

/** The reference. */
export const recoverWithNoble: PublicKeyRecovery = (digest, compact, recoveryId) => {
  try {
    return noble.Signature.fromBytes(compact, 'compact')
      .addRecoveryBit(recoveryId)
      .recoverPublicKey(digest)
      .toBytes(false);
  } catch {
    return undefined;
  }
};

function loadNative(): PublicKeyRecovery | undefined {
  let binding: NativeBinding;
  try {
    // The package's own entry falls back to a slower library in silence; its binding either loads or throws.
    binding = createRequire(import.meta.url)('secp256k1/bindings.js') as NativeBinding;
  } catch {
    return undefined;
  }
  return (digest, compact, recoveryId) => {
    try {
      return binding.ecdsaRecover(compact, recoveryId, digest, false, new Uint8Array(65));
    } catch {
      return undefined;
    }
  };
}

/** Undefined where the binary does not load. */
export const recoverWithNative: PublicKeyRecovery | undefined = loadNative();

export type Recover = (digest: Uint8Array, signature: Uint8Array) => Address | undefined;

/**
 * A function from a 32-byte digest and r ‖ s ‖ v to the 20-byte address, or undefined when the signature is
 * none: another length, v not 27 or 28, s in the upper half, r or s zero or not below n, no such point.
 */
export function createRecover(
  keccak: Keccak,
  recoverKey: PublicKeyRecovery = recoverWithNative ?? recoverWithNoble,
): Recover {
  return (digest, signature) => {
    if (signature.length !== SIGNATURE_BYTES || digest.length !== 32) return undefined;
    const v = signature[64]!;
    if (v !== 27 && v !== 28) return undefined;
    if (compareBytes(signature.subarray(32, 64), S_MAX) > 0) return undefined;
    const key = recoverKey(digest, signature.subarray(0, 64), v === 27 ? 0 : 1);
    return key === undefined ? undefined : keccak(key.subarray(1)).subarray(12);
  };
}

/**
 * Signers of a whole command record (command.ts), 20 bytes per signature in order; empty for kinds without
 * signatures; undefined when the body is malformed or any signature is bad.
 */
export function signersOf(
  record: Uint8Array,
  domain: SigningDomain,
  recover: Recover,
): Command['signers'] | undefined {
  const view = viewOf(record);
  if (record.length < RECORD_HEADER_BYTES) return undefined;
  const bodyBytes = recordBodyBytes(view);
  if (record.length !== RECORD_HEADER_BYTES + bodyBytes) return undefined;
  switch (recordKind(view)) {
    case MESSAGE:
      return signerOfMessage(record.subarray(RECORD_HEADER_BYTES), domain, recover);
    case PRICE_ROUND: {
      if (!checkPriceRound(view, RECORD_HEADER_BYTES, bodyBytes)) return undefined;
      const market = view.getUint16(RECORD_HEADER_BYTES, true);
      const count = view.getUint8(RECORD_HEADER_BYTES + 2);
      const signers = new Uint8Array(count * ADDRESS_BYTES);
      for (let i = 0; i < count; i++) {
        const at = RECORD_HEADER_BYTES + PRICE_ROUND_HEADER_BYTES + i * PRICE_REPORT_BYTES;
        const signer = signerOfReport(record.subarray(at, at + PRICE_REPORT_BYTES), market, domain, recover);
        if (signer === undefined) return undefined;
        signers.set(signer, i * ADDRESS_BYTES);
      }
      return signers;
    }
    default:
      return NO_SIGNERS;
  }
}

/** Signer of a whole signed message; undefined when it is malformed or its signature is bad. */
export function signerOfMessage(
  message: Uint8Array,
  domain: SigningDomain,
  recover: Recover,
): Address | undefined {
  if (checkMessage(viewOf(message), 0, message.length) !== 0) return undefined;
  return recover(domain.message(message), message.subarray(message.length - SIGNATURE_BYTES));
}

/** Signer of an 89-byte report on `market`. */
export function signerOfReport(
  report: Uint8Array,
  market: number,
  domain: SigningDomain,
  recover: Recover,
): Address | undefined {
  if (report.length !== PRICE_REPORT_BYTES || report[1] !== 0) return undefined;
  const view = viewOf(report);
  if (view.getUint32(12, true) >= 0x20_0000) return undefined;
  const decoded = decodeReport(view, 0, market);
  return recover(domain.report(decoded), decoded.signature);
}
