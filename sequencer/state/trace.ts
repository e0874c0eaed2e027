/**
 * Where the engine says what it touches: each step before its first effect, and each leaf that it changes.
 * The live engine has `NO_TRACE`; batcher and verifier attach one that keeps the trees, cuts segments and
 * records diffs. Calls carry what is needed to find the leaf's key, also after the thing itself is gone.
 */

/** The kinds of step, in the order of `STEP_WEIGHTS`; one Solidity step each. */
export const StepKind = {
  /** Opens a signed message: signature, nonce, register. */
  MESSAGE: 1,
  PLACE: 2,
  /** One resting order met by the incoming one. */
  MATCH: 3,
  /** The incoming order's rest comes to rest, or is not kept. */
  REST: 4,
  CANCEL: 5,
  CANCEL_ALL: 6,
  /** One order of a walk (cancel-all, dead-man, disconnect, forced) is canceled, or the walk ends. */
  WALK: 7,
  AMEND: 8,
  WITHDRAW: 9,
  TRANSFER: 10,
  SESSION_KEY: 11,
  CANCEL_AFTER: 12,
  CANCEL_ON_DISCONNECT: 13,
  PRICE_ROUND: 14,
  SAMPLE: 15,
  FUNDING: 16,
  EXPIRE: 17,
  DEPOSIT: 18,
  FORCED: 19,
  CONFIGURE: 20,
  CLOCK: 21,
  DISCONNECT: 22,
  VERSION: 23,
  /** Looks at the margin of one account: starts, carries on or ends its liquidation. */
  EVALUATE: 26,
  /** Opens a subaccount: isolated to a market, or of another risk pool. */
  ISOLATE: 33,
  SET_LEVERAGE: 34,
  LOCK: 35,
} as const;

export interface Trace {
  /** A record of so many bytes is applied from the next step on. */
  record(bytes: number): void;
  /** The next step begins; the state is as the step before left it. */
  step(kind: number): void;
  globals(): void;
  counters(): void;
  account(account: number): void;
  /** An account was created for (owner, subaccount). */
  owner(account: number): void;
  marketConfig(market: number): void;
  marketState(market: number): void;
  /** Index, mark or funding index of the market changed. */
  prices(market: number): void;
  publishers(): void;
  oracle(market: number): void;
  /** The owner of `account` withdrew `asset`; so the asset's total changed too. */
  withdrawn(account: number, asset: number): void;
  assetConfig(asset: number): void;
  /** The asset's pool, or the sum of balances, changed. */
  pool(asset: number): void;
  /** The account's liquidation began, changed or ended. */
  liquidation(account: number): void;
  /** The insurance fund of a pool changed. */
  fund(riskPool: number): void;
  /** The pacing of the market's liquidations changed. */
  marketRisk(market: number): void;
  queue(): void;
  /** An order leaf appeared, changed or went. */
  order(market: number, side: number, price: number, priority: number, orderId: number): void;
  level(market: number, side: number, price: number): void;
  /** The index leaves of an order appeared, changed or went. */
  orderIndex(account: number, market: number, orderId: number, clientId: number): void;
  sessionKey(account: number, key: Uint8Array): void;
  expiry(time: number, kind: number, id: number): void;
  register(register: number): void;
}

const nothing = (): void => {};

export const NO_TRACE: Trace = {
  record: nothing,
  step: nothing,
  globals: nothing,
  counters: nothing,
  account: nothing,
  owner: nothing,
  marketConfig: nothing,
  marketState: nothing,
  prices: nothing,
  publishers: nothing,
  oracle: nothing,
  withdrawn: nothing,
  assetConfig: nothing,
  pool: nothing,
  liquidation: nothing,
  fund: nothing,
  marketRisk: nothing,
  queue: nothing,
  order: nothing,
  level: nothing,
  orderIndex: nothing,
  sessionKey: nothing,
  expiry: nothing,
  register: nothing,
};
