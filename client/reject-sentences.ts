/** What a refused operation broke, in words: the exchange answers operations by code alone. */
import { MESSAGE_OPERATIONS_MAX } from '#protocol/limits.ts';
import { Reject, rejectName } from '#protocol/reject.ts';

const SENTENCES = new Map<number, string>([
  [
    Reject.SCOPE_NOT_ALLOWED,
    'this session key may not sign that: the owner must sign it, or widen its scope',
  ],
  [Reject.UNKNOWN_MARKET, 'there is no such market'],
  [Reject.MARKET_HALTED, 'the market is halted'],
  [Reject.MARKET_REDUCE_ONLY, 'the market takes only orders that reduce a position'],
  [
    Reject.INVALID_TIME_IN_FORCE,
    'the time in force does not fit the order (an expiry is for GTD, market orders do not rest)',
  ],
  [Reject.INVALID_FLAGS, 'the flags contradict each other or the time in force'],
  [Reject.PRICE_OUT_OF_RANGE, 'the price is 0 or above the market’s highest'],
  [Reject.SIZE_OUT_OF_RANGE, 'the size is 0 or above the market’s largest order'],
  [Reject.NOTIONAL_TOO_SMALL, 'price times size is below the market’s least notional'],
  [Reject.EXPIRY_IN_PAST, 'the expiry lies in the past'],
  [Reject.PRICE_OUTSIDE_BAND, 'the price is too far from the mark price'],
  [Reject.DUPLICATE_CLIENT_ID, 'a resting order of this account has this client id'],
  [Reject.UNKNOWN_ORDER, 'no such order of this account rests'],
  [Reject.TOO_MANY_OPEN_ORDERS, 'the account has as many open orders as it may have'],
  [
    Reject.ACCOUNT_LOCKED,
    'the kill switch of the account is on: it may only reduce until its owner unlocks it',
  ],
  [Reject.TOO_MANY_POSITIONS, 'the account has positions or orders in as many markets as it may have'],
  [Reject.NOTHING_TO_AMEND, 'price and size are as they were'],
  [Reject.LIQUIDATING, 'the account is under liquidation: it may only reduce and be paid into'],
  [Reject.MARKET_FEED_ONLY, 'the market is a price feed: it has no orders'],
  [Reject.ACCOUNT_ISOLATED, 'the account is isolated to another market'],
  [Reject.MARKET_ISOLATED_ONLY, 'only isolated accounts trade this market'],
  [Reject.RISK_POOL_MISMATCH, 'the market belongs to another risk pool than the account'],
  [Reject.INVALID_LEVERAGE, 'the leverage is below 1: an initial rate beyond 100 %'],
  [Reject.POST_ONLY_WOULD_CROSS, 'a post-only order would have traded at once'],
  [Reject.FOK_NOT_FILLABLE, 'a fill-or-kill order could not be filled whole'],
  [Reject.REDUCE_ONLY_WOULD_INCREASE, 'a reduce-only order would not reduce the position'],
  [Reject.ORACLE_STALE, 'the market has no fresh index price, so nothing that adds risk is taken'],
  [Reject.POSITION_TOO_LARGE, 'the position could become larger than the market allows'],
  [Reject.OPEN_INTEREST_TOO_LARGE, 'the market’s open interest is at its limit'],
  [Reject.INSUFFICIENT_MARGIN, 'the account’s margin does not carry this order'],
  [Reject.UNKNOWN_ASSET, 'there is no such asset'],
  [Reject.AMOUNT_OUT_OF_RANGE, 'the amount is 0 or larger than any balance'],
  [Reject.INSUFFICIENT_FREE_COLLATERAL, 'so much is not free: positions and open orders need their margin'],
  [Reject.TRANSFER_NOT_ALLOWED, 'transfers go to another sub-account of the same owner'],
  [Reject.TOO_MANY_SESSION_KEYS, 'the account has as many session keys as it may have'],
  [Reject.INVALID_SESSION_KEY, 'the session key’s address, scope or expiry is not valid'],
  [Reject.INVALID_DEADLINE, 'the deadline is nearer than a second or the grace longer than ten minutes'],
  [Reject.SUBACCOUNT_EXISTS, 'the owner has this sub-account already'],
  [Reject.TOO_MANY_OPERATIONS, `a message carries 1 to ${MESSAGE_OPERATIONS_MAX} operations`],
]);

/** One sentence for any code. */
export const rejectSentence = (code: number): string =>
  SENTENCES.get(code) ?? `refused with ${rejectName(code)}`;
