/**
 * Events: what applying one command did, in order. They are rows of safe integers in one preallocated
 * buffer, so that the hot path allocates nothing; consumers read columns by the offsets below.
 *
 * A row has EVENT_STRIDE columns. Column 0 is the kind, 1 the command's seq, 2 its time; the rest by kind.
 * Unused columns are 0. Amounts in q or asset units, prices in ticks, sizes in lots.
 */

export const EVENT_STRIDE = 20;

export const EventKind = {
  /** One operation of a message is done: what its sender is told. */
  OPERATION_RESULT: 1,
  /** An order came to rest (also after an amend that lost its place). */
  ORDER_RESTED: 2,
  TRADE: 3,
  /** A resting order left the book, or the rest of an incoming one was not kept; fills are TRADEs. */
  ORDER_REMOVED: 4,
  /** Price and/or size of a resting order changed in place (its priority kept). */
  ORDER_REDUCED: 5,
  DEPOSIT: 6,
  WITHDRAWAL: 7,
  TRANSFER: 8,
  ACCOUNT_CREATED: 9,
  SESSION_KEY_SET: 10,
  PRICE: 11,
  SAMPLE: 12,
  FUNDING_RATE: 13,
  FUNDING_PAYMENT: 14,
  MARKET_CONFIGURED: 15,
  QUEUE_PROCESSED: 16,
  DEAD_MAN_SET: 17,
  CHAIN_CONFIGURED: 18,
  PUBLISHER_CONFIGURED: 19,
  ASSET_CONFIGURED: 20,
  LIQUIDATION_STARTED: 21,
  LIQUIDATION_PHASE: 22,
  LIQUIDATION_ENDED: 23,
  /** Follows its TRADE. */
  LIQUIDATION_FILL: 24,
  LEVERAGE_SET: 34,
  /** The kill switch went on or off. */
  LOCK_SET: 40,
} as const;

/** Column offsets by kind. */
export const OPERATION_RESULT = {
  account: 3,
  /** Place in the message, from 0. */
  index: 4,
  /** Kind byte of the operation. */
  operation: 5,
  /** Reject code, 0 when done. */
  code: 6,
  orderId: 7,
  clientId: 8,
  /** Lots filled by this operation. */
  filled: 9,
  /** Lots left resting. */
  remaining: 10,
  /** Orders canceled (cancel-all). */
  canceled: 11,
  /** q paid or received for the lots filled: Σ price · size · qm. */
  filledQuote: 12,
} as const;
export const ORDER_RESTED = {
  market: 3,
  side: 4,
  price: 5,
  size: 6,
  orderId: 7,
  account: 8,
  clientId: 9,
  /** Place in time priority. */
  priority: 10,
  flags: 11,
  expiry: 12,
  /** 1 when it rests again after an amend. */
  amended: 13,
} as const;
export const TRADE = {
  market: 3,
  price: 4,
  size: 5,
  makerOrderId: 6,
  takerOrderId: 7,
  makerAccount: 8,
  takerAccount: 9,
  takerSide: 10,
  makerRemaining: 11,
  takerRemaining: 12,
  /** q, negative for a rebate. */
  makerFee: 13,
  takerFee: 14,
  makerClientId: 15,
  takerClientId: 16,
  /** Rises by one per trade of the chain. */
  tradeId: 17,
  /** 1 when the taker was liquidated: no price for others. */
  liquidation: 18,
} as const;
export const ORDER_REMOVED = {
  market: 3,
  side: 4,
  price: 5,
  /** Open size that was removed. */
  size: 6,
  orderId: 7,
  account: 8,
  clientId: 9,
  reason: 10,
  /** 1 when it rested in the book, 0 when it is the rest of an incoming order. */
  rested: 11,
} as const;
export const ORDER_REDUCED = {
  market: 3,
  side: 4,
  price: 5,
  oldSize: 6,
  newSize: 7,
  orderId: 8,
  account: 9,
  clientId: 10,
  /** 0 amend, 1 self-trade decrement. */
  cause: 11,
} as const;
export const DEPOSIT = { account: 3, asset: 4, amount: 5, queueIndex: 6 } as const;
export const WITHDRAWAL = { account: 3, asset: 4, amount: 5, forced: 6 } as const;
export const TRANSFER = { from: 3, to: 4, asset: 5, amount: 6 } as const;
/** `isolatedMarket`: market + 1, 0 when it is a cross account. */
export const ACCOUNT_CREATED = { account: 3, subaccount: 4, riskPool: 5, isolatedMarket: 6 } as const;
export const SESSION_KEY_SET = { account: 3, scope: 4, expiry: 5 } as const;
export const PRICE = { market: 3, code: 4, index: 5, confidence: 6, mark: 7, reports: 8 } as const;
export const SAMPLE = { market: 3, mark: 4, bid: 5, ask: 6, premiumPpb: 7 } as const;
/** Rate per funding interval, ppb; `paused` 1 when the index was void. */
export const FUNDING_RATE = { market: 3, ratePpb: 4, index: 5, paused: 6 } as const;
export const FUNDING_PAYMENT = { account: 3, market: 4, amount: 5, position: 6 } as const;
export const MARKET_CONFIGURED = { market: 3, status: 4 } as const;
export const QUEUE_PROCESSED = { index: 3, kind: 4, code: 5 } as const;
export const DEAD_MAN_SET = { account: 3, deadline: 4 } as const;
export const PUBLISHER_CONFIGURED = { index: 3, weight: 4 } as const;
export const LOCK_SET = { account: 3, locked: 4 } as const;
export const ASSET_CONFIGURED = { asset: 3, status: 4 } as const;
/** The phase that it begins with, enters, or ends in; V and MM of the account as of then, q. */
export const LIQUIDATION_PHASE = { account: 3, phase: 4, equity: 5, maintenance: 6 } as const;
/** A slice was filled on the book; the fee, q, went to the insurance fund of the pool. */
export const LIQUIDATION_FILL = {
  account: 3,
  market: 4,
  side: 5,
  price: 6,
  size: 7,
  fee: 8,
  riskPool: 9,
  tradeId: 10,
} as const;
export const LIQUIDATION_STARTED = LIQUIDATION_PHASE;
export const LIQUIDATION_ENDED = LIQUIDATION_PHASE;
/** `initialPpm` 0: removed. */
export const LEVERAGE_SET = { account: 3, market: 4, initialPpm: 5 } as const;

/** Why an order left the book or was not kept. */
export const RemoveReason = {
  CANCELED: 1,
  CANCELED_ALL: 2,
  EXPIRED: 3,
  /** Rest of an IOC or market order. */
  NOT_FILLED: 4,
  SELF_TRADE: 5,
  REDUCE_ONLY: 6,
  /** Its owner could not carry the fill. */
  MARGIN: 7,
  DEAD_MAN: 8,
  DISCONNECT: 9,
  FORCED: 10,
  /** Taken out by an amend; ORDER_RESTED follows when it rests again. */
  AMENDED: 11,
  MARKET_HALTED: 12,
  /** A fill could take its owner's cash beyond the bounds of the ledger. */
  POSITION_LIMIT: 13,
  /** Its owner's account is under liquidation. */
  LIQUIDATION: 14,
} as const;
export const REMOVE_REASON_NAMES = [
  '',
  'canceled',
  'canceled-all',
  'expired',
  'not-filled',
  'self-trade',
  'reduce-only',
  'margin',
  'dead-man',
  'disconnect',
  'forced',
  'amended',
  'market-halted',
  'position-limit',
  'liquidation',
] as const;

/** Rows of one command; grows by doubling, never shrinks. */
export class EventBuffer {
  data: Float64Array;
  /** Rows in use. */
  count = 0;
  private seq = 0;
  private time = 0;

  constructor(rows = 1024) {
    this.data = new Float64Array(rows * EVENT_STRIDE);
  }

  /** Forgets the rows and stamps those to come. */
  start(seq: number, time: number): void {
    this.count = 0;
    this.seq = seq;
    this.time = time;
  }

  /** Appends a zeroed row and returns its offset in `data` (re-read `data` afterwards: it may have grown). */
  add(kind: number): number {
    const at = this.count * EVENT_STRIDE;
    if (at === this.data.length) {
      const grown = new Float64Array(this.data.length * 2);
      grown.set(this.data);
      this.data = grown;
    }
    const { data } = this;
    data[at] = kind;
    data[at + 1] = this.seq;
    data[at + 2] = this.time;
    // A loop: for so few columns a call of fill costs more than they do.
    for (let column = at + 3; column < at + EVENT_STRIDE; column++) data[column] = 0;
    this.count++;
    return at;
  }
}

/** Column offsets of each kind by name, for displays and tests. */
export const EVENT_COLUMNS: Readonly<Record<keyof typeof EventKind, Readonly<Record<string, number>>>> = {
  OPERATION_RESULT,
  ORDER_RESTED,
  TRADE,
  ORDER_REMOVED,
  ORDER_REDUCED,
  DEPOSIT,
  WITHDRAWAL,
  TRANSFER,
  ACCOUNT_CREATED,
  SESSION_KEY_SET,
  PRICE,
  SAMPLE,
  FUNDING_RATE,
  FUNDING_PAYMENT,
  MARKET_CONFIGURED,
  QUEUE_PROCESSED,
  DEAD_MAN_SET,
  CHAIN_CONFIGURED: {},
  PUBLISHER_CONFIGURED,
  ASSET_CONFIGURED,
  LIQUIDATION_STARTED,
  LIQUIDATION_PHASE,
  LIQUIDATION_ENDED,
  LEVERAGE_SET,
  LIQUIDATION_FILL,
  LOCK_SET,
};

const KIND_NAMES = new Map<number, keyof typeof EventKind>(
  Object.entries(EventKind).map(([name, kind]) => [kind, name as keyof typeof EventKind]),
);

export type DecodedEvent = { event: keyof typeof EventKind; seq: number; time: number } & Record<
  string,
  number | string
>;

/** One row as an object with named fields; for tests, displays and rare consumers. */
export function decodeEvent(data: Float64Array, row: number): DecodedEvent {
  const at = row * EVENT_STRIDE;
  const name = KIND_NAMES.get(data[at]!);
  if (name === undefined) throw new Error(`event: expected a known kind, got ${data[at]}`);
  const decoded: DecodedEvent = { event: name, seq: data[at + 1]!, time: data[at + 2]! };
  for (const [column, offset] of Object.entries(EVENT_COLUMNS[name])) decoded[column] = data[at + offset]!;
  return decoded;
}
