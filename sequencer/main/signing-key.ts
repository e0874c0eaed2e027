/** The key that signs batches: from the environment, a file, or, on a development chain only, the well-known one. */
import { readFileSync } from 'node:fs';
import { fromHex } from '#protocol/bytes.ts';
import type { SequencerConfig } from '../config.ts';

export const DEVELOPMENT_CHAIN_ID = 31_337;
/** Second key of the mnemonic "test test … junk". KNOWN TO EVERYBODY: never used but on chain 31337. */
const DEVELOPMENT_KEY = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d';

/** 32 bytes. Throws one sentence when there is no key, or it is none. */
export function signingKey(
  config: Pick<SequencerConfig, 'key' | 'keyFile'>,
  chainId: number,
): { key: Uint8Array; isDevelopment: boolean } {
  if (config.key !== undefined) return { key: fromHex(config.key), isDevelopment: false };
  if (config.keyFile !== undefined) return { key: readKeyFile(config.keyFile), isDevelopment: false };
  if (chainId === DEVELOPMENT_CHAIN_ID) return { key: fromHex(DEVELOPMENT_KEY), isDevelopment: true };
  throw new Error(
    `signing key: expected --key-file or SLUICE_SEQUENCER_KEY on chain ${chainId}, got none; the development key is for chain ${DEVELOPMENT_CHAIN_ID} only`,
  );
}

function readKeyFile(path: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new Error(`signing key: expected a readable file ${path}, got ${(cause as Error).message}`, {
      cause,
    });
  }
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text))
    throw new Error(`signing key: expected 64 hexadecimal digits in ${path}, got something else`);
  return fromHex(text);
}
