/** keccak256 in WebAssembly as the protocol's `Keccak`: some seven times faster than the reference. */
import { createKeccak } from 'hash-wasm';
import type { Keccak } from '#protocol/hash.ts';

/** Compiles one instance; the function returned is synchronous and gives a fresh 32-byte array each time. */
export async function createWasmKeccak(): Promise<Keccak> {
  const hasher = await createKeccak(256);
  return (bytes) => hasher.init().update(bytes).digest('binary');
}
