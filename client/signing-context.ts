/** Under which chain and contract a connection's signatures are made, with the digests computed by fast keccak. */
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { fromHex } from '#protocol/bytes.ts';
import { type Keccak, nobleKeccak } from '#protocol/hash.ts';
import { type Domain, SigningDomain } from '#protocol/signing.ts';

export interface SigningContext {
  readonly domain: Domain;
  readonly digests: SigningDomain;
}

/** keccak256 in WebAssembly where it compiles, some seven times faster than the reference in JavaScript. */
export const createFastKeccak = (): Promise<Keccak> => createWasmKeccak().catch(() => nobleKeccak);

/** `rollup`: 0x… of the Rollup contract, or its 20 bytes. */
export function signingContext(chainId: number, rollup: string | Uint8Array, keccak: Keccak): SigningContext {
  const verifyingContract = typeof rollup === 'string' ? fromHex(rollup) : rollup;
  const domain = { chainId, verifyingContract };
  return { domain, digests: new SigningDomain(domain, keccak) };
}
