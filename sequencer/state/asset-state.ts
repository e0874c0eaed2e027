/** One asset: its configuration, the sums of what accounts hold of it, and its lending pool. */
import type { AssetConfig } from '#protocol/asset.ts';

/** Indexes count in 1e27: a share is worth index / RAY units. */
export const RAY = 10n ** 27n;

export class AssetState {
  config: AssetConfig;
  /** Units that a supply share, and a debt share, are worth, times RAY. */
  supplyIndex = RAY;
  borrowIndex = RAY;
  supplyShares = 0;
  debtShares = 0;
  /** Units supplied and not lent. */
  cash = 0;
  /** Units of interest kept back. */
  reserve = 0;
  /** Time up to which interest has accrued, ms. */
  accrued: number;
  /** Borrow rate of a year as of the last accrual. */
  ratePpm = 0;
  /** Σ of the accounts' balances, units. */
  collateral = 0;

  /** `now`: interest accrues from here on. */
  constructor(config: AssetConfig, now: number) {
    this.config = config;
    this.accrued = now;
  }
}

/** What an account holds of one asset, in units and shares of the pool. */
export interface AssetRow {
  readonly asset: number;
  balance: number;
  supplyShares: number;
  debtShares: number;
}
