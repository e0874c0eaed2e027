/**
 * Reject codes in order of precedence: where several rules are broken, the lowest code wins.
 * Codes are never reused. 0 is success.
 * Ranges: 1-99 form and transport, 100-199 authentication, 200-299 order form and market rules,
 * 300-399 book rules, 400-499 risk, 500-599 money movement, 600-699 oracle, 700-799 L1 queue.
 */
export const Reject = {
  NONE: 0,
  // Form and transport: before sequencing, nothing is stored
  MALFORMED_FRAME: 1,
  UNKNOWN_FRAME: 2,
  MALFORMED_MESSAGE: 3,
  UNKNOWN_OPERATION: 4,
  MALFORMED_OPERATION: 5,
  TOO_MANY_OPERATIONS: 6,
  RATE_LIMITED: 10,
  BUSY: 11,
  SHUTTING_DOWN: 12,
  NOT_LOGGED_IN: 13,
  UNKNOWN_QUERY: 14,
  UNKNOWN_CHANNEL: 15,
  L1_STALE: 16,
  BATCH_STRUCK: 17,
  // Authentication: before sequencing
  BAD_SIGNATURE: 100,
  UNKNOWN_ACCOUNT: 101,
  SIGNER_NOT_AUTHORIZED: 102,
  SESSION_KEY_EXPIRED: 103,
  MESSAGE_EXPIRED: 104,
  NONCE_TOO_OLD: 105,
  NONCE_USED: 106,
  NONCE_TOO_FAR_AHEAD: 107,
  SCOPE_NOT_ALLOWED: 108,
  // Order form and market rules
  UNKNOWN_MARKET: 200,
  MARKET_HALTED: 201,
  MARKET_REDUCE_ONLY: 202,
  INVALID_TIME_IN_FORCE: 203,
  INVALID_FLAGS: 204,
  PRICE_OUT_OF_RANGE: 205,
  SIZE_OUT_OF_RANGE: 206,
  NOTIONAL_TOO_SMALL: 207,
  EXPIRY_IN_PAST: 208,
  PRICE_OUTSIDE_BAND: 209,
  DUPLICATE_CLIENT_ID: 210,
  UNKNOWN_ORDER: 211,
  TOO_MANY_OPEN_ORDERS: 212,
  TOO_MANY_POSITIONS: 213,
  NOTHING_TO_AMEND: 214,
  /** The account is under liquidation: it may only reduce. */
  LIQUIDATING: 215,
  /** Its kill switch is on: it may only reduce. */
  ACCOUNT_LOCKED: 216,
  /** The market is the price feed of an asset: it has no orders. */
  MARKET_FEED_ONLY: 220,
  /** The account is isolated to another market. */
  ACCOUNT_ISOLATED: 221,
  MARKET_ISOLATED_ONLY: 222,
  RISK_POOL_MISMATCH: 223,
  INVALID_LEVERAGE: 224,
  // Book rules
  POST_ONLY_WOULD_CROSS: 300,
  FOK_NOT_FILLABLE: 301,
  REDUCE_ONLY_WOULD_INCREASE: 302,
  // Risk
  ORACLE_STALE: 400,
  POSITION_TOO_LARGE: 401,
  OPEN_INTEREST_TOO_LARGE: 402,
  INSUFFICIENT_MARGIN: 403,
  // Money movement
  UNKNOWN_ASSET: 500,
  AMOUNT_OUT_OF_RANGE: 501,
  INSUFFICIENT_FREE_COLLATERAL: 502,
  TRANSFER_NOT_ALLOWED: 503,
  TOO_MANY_SESSION_KEYS: 504,
  INVALID_SESSION_KEY: 505,
  INVALID_DEADLINE: 506,
  SUBACCOUNT_EXISTS: 510,
  // Oracle
  TOO_FEW_REPORTS: 600,
  UNKNOWN_PUBLISHER: 601,
  REPORT_STALE: 602,
  REPORT_OUT_OF_ORDER: 603,
  REPORT_FROM_FUTURE: 604,
  // L1 queue
  QUEUE_ENTRY_INVALID: 700,
  CONFIGURATION_INVALID: 701,
} as const;

export type RejectName = keyof typeof Reject;
export type RejectCode = (typeof Reject)[RejectName];

const NAMES = new Map<number, RejectName>(
  Object.entries(Reject).map(([name, code]) => [code, name as RejectName]),
);

/** `NONCE_USED` for 106; `UNKNOWN_CODE_n` for a code that this version does not know. */
export function rejectName(code: number): string {
  return NAMES.get(code) ?? `UNKNOWN_CODE_${code}`;
}
