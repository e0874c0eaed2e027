/** Kinds of ACCOUNT_EVENT frames (wire.ts): money, rights and warnings of an account. */

export const AccountEventKind = {
  DEPOSIT: 1,
  WITHDRAWAL: 2,
  TRANSFER: 3,
  FUNDING_PAYMENT: 4,
  ACCOUNT_CREATED: 5,
  SESSION_KEY_SET: 6,
  DEAD_MAN_SET: 7,
  LEVERAGE_SET: 8,
  LOCK_SET: 9,
  /** The chance that the account becomes liquidatable has become another one. */
  RISK_ALERT: 10,
} as const;
/** By kind: `funding-payment` for 4. */
export const ACCOUNT_EVENT_NAMES: readonly string[] = [
  '',
  ...Object.keys(AccountEventKind).map((name) => name.toLowerCase().replaceAll('_', '-')),
];
