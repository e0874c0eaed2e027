/** Who is who in the attacks: keys, account numbers, publishers. */
import { type TestKey, testKey } from '../auth/keys.ts';

export const KEY = {
  makerA: testKey(100),
  makerB: testKey(101),
  taker: testKey(102),
  rich: testKey(103),
  poor: testKey(104),
  stranger: testKey(900),
  /** Of makerA: may trade. */
  trading: testKey(300),
  /** Of makerB: may only cancel. */
  canceling: testKey(301),
  /** Of the taker: ends soon. */
  ending: testKey(302),
  /** Of nobody yet. */
  spare: testKey(303),
} satisfies Record<string, TestKey>;

/**
 * Accounts in the order in which the first deposits make them; `vault` is the taker's second. Two of the taker's are opened
 * by the scene of isolation alone: one of the BTC market, one of another risk pool.
 */
export const ACCOUNT = {
  makerA: 1,
  makerB: 2,
  taker: 3,
  rich: 4,
  poor: 5,
  vault: 6,
  isolated: 7,
  pooled: 8,
} as const;
export type AccountName = keyof typeof ACCOUNT;

export const PUBLISHERS: readonly TestKey[] = [500, 501, 502, 503, 504].map(testKey);
/** Comes in through the queue. */
export const LATE_PUBLISHER: TestKey = testKey(505);

/** What an account number is called in the names of attacks. */
export function accountName(account: number): string {
  return Object.entries(ACCOUNT).find(([, number]) => number === account)?.[0] ?? `account ${account}`;
}
