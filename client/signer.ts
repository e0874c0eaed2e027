/**
 * Signers: who puts a name under a message. A raw key (an owner's or a session key) signs digests at once; a viem
 * account shows readable typed data. All give 65 bytes r ‖ s ‖ v, v 27 or 28, s in the lower half.
 */

import { publicKeyOf, type SignDigest, signDigest } from '#auth/sign-digest.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { type Keccak, nobleKeccak } from '#protocol/hash.ts';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';
import type { Address } from '#protocol/units.ts';
import { invalidArgument, SluiceError } from './errors.ts';
import type { SigningContext } from './signing-context.ts';
import { loginTypedData, messageTypedData, type TypedMessage } from './typed-data.ts';

export interface Signer {
  /** 20 bytes. */
  readonly address: Address;
  /**
   * True when a signature takes human time or a network trip: the client then signs one message after the
   * other, so that nonces reach the server in order.
   */
  readonly slow: boolean;
  /** Signs a well-formed message (the bytes before its signature). */
  signMessage(context: SigningContext, unsigned: Uint8Array): Uint8Array | Promise<Uint8Array>;
  signLogin(context: SigningContext, account: number, time: number): Uint8Array | Promise<Uint8Array>;
}

/** A signer that holds its key and answers at once. */
export interface KeySigner extends Signer {
  readonly slow: false;
  signMessage(context: SigningContext, unsigned: Uint8Array): Uint8Array;
  signLogin(context: SigningContext, account: number, time: number): Uint8Array;
  /** Signs any 32-byte digest, as publishers do. */
  signDigest(digest: Uint8Array): Uint8Array;
}

/** The address of a 32-byte private key. */
export const addressOfKey = (privateKey: Uint8Array, keccak: Keccak = nobleKeccak): Address =>
  keccak(publicKeyOf(privateKey)).subarray(12);

/**
 * A signer from 32 bytes or their hexadecimal text: the owner's key or a session key alike. Throws
 * INVALID_ARGUMENT when they are no key; the key never appears in an error.
 */
export function keySigner(privateKey: Uint8Array | string, sign: SignDigest = signDigest): KeySigner {
  const key = parseKey(privateKey);
  return {
    address: addressOfKey(key),
    slow: false,
    signMessage: (context, unsigned) => sign(context.digests.message(unsigned), key),
    signLogin: (context, account, time) => sign(context.digests.login(account, time), key),
    signDigest: (digest) => sign(digest, key),
  };
}

function parseKey(privateKey: Uint8Array | string): Uint8Array {
  const wrong = (): SluiceError =>
    invalidArgument('private key', '32 bytes from 1 to n - 1', 'something else (not shown)');
  try {
    const key = typeof privateKey === 'string' ? fromHex(privateKey.trim()) : privateKey.slice();
    if (key.length !== 32) throw wrong();
    publicKeyOf(key);
    return key;
  } catch {
    throw wrong();
  }
}

/** What is needed of a viem account: local, or of a wallet client bound to one. */
export interface TypedDataAccount {
  readonly address: `0x${string}`;
  signTypedData(typed: never): Promise<`0x${string}`>;
}

/**
 * A signer from a viem account. Single operations and logins are shown as readable types, bundles as the type
 * Operations with their packed bytes. Throws SIGNING_FAILED, cause kept, when the account refuses.
 */
export function viemSigner(account: TypedDataAccount): Signer {
  const sign = async (typed: TypedMessage): Promise<Uint8Array> => {
    let text: `0x${string}`;
    try {
      text = await account.signTypedData(typed as never);
    } catch (cause) {
      throw new SluiceError('SIGNING_FAILED', `the account did not sign the ${typed.primaryType}`, {
        cause,
        details: { type: typed.primaryType, address: account.address },
      });
    }
    return normalizeSignature(fromHex(text));
  };
  return {
    address: fromHex(account.address),
    slow: true,
    signMessage: (context, unsigned) => sign(messageTypedData(context.domain, unsigned)),
    signLogin: (context, accountId, time) => sign(loginTypedData(context.domain, accountId, time)),
  };
}

/** Hardware wallets give v as 0 or 1; the protocol wants 27 or 28. */
function normalizeSignature(signature: Uint8Array): Uint8Array {
  const v = signature[64];
  if (signature.length !== SIGNATURE_BYTES || v === undefined || !(v <= 1 || v === 27 || v === 28))
    throw new SluiceError(
      'SIGNING_FAILED',
      `signature: expected 65 bytes that end in 0, 1, 27 or 28, got ${signature.length} bytes ${toHex(signature)}`,
    );
  if (v <= 1) signature[64] = 27 + v;
  return signature;
}
