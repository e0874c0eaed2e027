/**
 * In which markets an account may take on risk: those of its risk pool, and an isolated account in its own market alone.
 * What only reduces a position is never kept out.
 */
import { FEED_ONLY, ISOLATED_ONLY, type MarketConfig } from '#protocol/market.ts';
import { Reject } from '#protocol/reject.ts';
import { type Accounts, NOT_ISOLATED } from '#state/accounts.ts';

/** Reject code for new risk of `account` in a market, 0 when it may have it. */
export function accessRefusal(accounts: Accounts, account: number, config: MarketConfig): number {
  const isolatedMarket = accounts.isolatedMarket[account]!;
  if ((config.flags & FEED_ONLY) !== 0) return Reject.MARKET_FEED_ONLY;
  if (isolatedMarket === NOT_ISOLATED) {
    if ((config.flags & ISOLATED_ONLY) !== 0) return Reject.MARKET_ISOLATED_ONLY;
  } else if (isolatedMarket !== config.market) return Reject.ACCOUNT_ISOLATED;
  return accounts.riskPool[account] === config.riskPool ? Reject.NONE : Reject.RISK_POOL_MISMATCH;
}
