/**
 * keccak256 is injected (`Keccak`), so that a shell can give the wasm one to what hashes much; noble's is
 * the reference and the default. A differential test holds them together.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Hash } from './units.ts';

/** Synchronous keccak256; must return a fresh 32-byte array. */
export type Keccak = (bytes: Uint8Array) => Hash;

export const nobleKeccak: Keccak = (bytes) => keccak_256(bytes);

export const HASH_BYTES = 32;
export const ZERO_HASH: Hash = new Uint8Array(HASH_BYTES);
