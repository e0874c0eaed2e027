/** What a vault is told of a token when it is deployed, and how many of the token's decimals the ledger counts. */
import type { Address } from 'viem';
import { L1Error } from './errors.ts';

export interface VaultAsset {
  readonly token: Address;
  /** Token units in a ledger unit, a power of ten; default 1. */
  readonly scale?: bigint;
  /** Ledger units. */
  readonly depositMin: number;
  readonly cap: number;
}

/**
 * Throws `L1Error` code `malformed` where the scale is no power of ten: amounts of such an asset could not be written as
 * decimals.
 */
export function ledgerDecimals(of: {
  readonly asset: number;
  readonly symbol: string;
  readonly tokenDecimals: number;
  readonly scale: bigint;
}): number {
  const zeros = of.scale.toString().length - 1;
  if (of.scale !== 10n ** BigInt(zeros) || zeros > of.tokenDecimals)
    throw new L1Error(
      'malformed',
      `asset ${of.asset} (${of.symbol}): expected a scale of 1 to 10^${of.tokenDecimals}, a power of ten, got ${of.scale}`,
    );
  return of.tokenDecimals - zeros;
}
