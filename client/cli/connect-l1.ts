/** From flags to an L1 with the trader's key, and to the rollup on it. */
import { connectL1, type Hex, type L1Client } from '#settlement/l1/client.ts';
import { findRollup, type RollupContracts } from '#settlement/l1/contracts.ts';
import { keySigner } from '../signer.ts';
import { traderKey } from './connect.ts';
import type { KeyOptions, L1FlagOptions } from './options.ts';

/** L1 with the trader's key, and the rollup on it. */
export async function onL1(
  options: KeyOptions & L1FlagOptions,
): Promise<{ l1: L1Client; rollup: RollupContracts }> {
  const reader = await connectL1({ url: options.l1 });
  const key = traderKey(options, reader.chainId);
  const text = (key.startsWith('0x') ? key : `0x${key}`) as Hex;
  // Checks the form, so that a wrong key is refused in our words.
  keySigner(text);
  const l1 = await connectL1({ url: options.l1, key: text });
  return { l1, rollup: await theRollup(l1, options) };
}

export const theRollup = (l1: L1Client, options: L1FlagOptions): Promise<RollupContracts> =>
  findRollup(l1, options.rollup === undefined ? {} : { address: options.rollup as Hex });
