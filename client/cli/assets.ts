/** Assets on the command line: named by symbol or number, shown by their decimals. */
import { Option } from 'commander';
import type { AssetInfo, RollupContracts } from '#settlement/l1/contracts.ts';
import { formatUnits } from '../units.ts';
import { UsageError } from './failure.ts';

export const assetOption = (): Option =>
  new Option('--asset <asset>', 'asset by symbol or number (default: the quote asset)');

/** The asset of this symbol, in any case, or number; undefined means the quote asset. */
export function assetNamed(rollup: RollupContracts, text: string | undefined, field = '--asset'): AssetInfo {
  const wanted = (text ?? '0').toLowerCase();
  const found = rollup.assets.find(
    ({ asset, symbol }) => `${asset}` === wanted || symbol.toLowerCase() === wanted,
  );
  if (found !== undefined) return found;
  const known = rollup.assets.map(({ asset, symbol }) => `${symbol} (${asset})`).join(', ');
  throw new UsageError(`${field}: expected one of ${known}, got ${text}`);
}

/** Ledger units as text, `1.5 tETH`. */
export const amountText = ({ decimals, symbol }: AssetInfo, units: number | bigint): string =>
  `${formatUnits(units, decimals)} ${symbol}`;

/** Units of the token itself as text: what a wallet shows. */
export const tokenText = ({ tokenDecimals, symbol }: AssetInfo, tokens: bigint): string =>
  `${formatUnits(tokens, tokenDecimals)} ${symbol}`;
