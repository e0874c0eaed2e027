/**
 * Queries: the names, parameters and answers of QUERY and QUERY_RESULT frames (wire.ts), packed as msgpack maps.
 * Types only. Prices in ticks, sizes in lots, money in q or units of the asset, times in milliseconds, addresses
 * and hashes as 0x… text; totals that can exceed 2^53 are decimal text. History is newest first.
 */
import type { ChainParameters, MarketConfig } from './market.ts';

/** Queries that name an account need its LOGIN on the same connection. */
export const PRIVATE_QUERIES = [
  'account',
  'what-if',
  'open-orders',
  'order',
  'orders',
  'fills',
  'funding',
  'transfers',
] as const satisfies readonly (keyof QueryTable)[];

export interface MarketView {
  readonly config: MarketConfig;
  /** MARKET_ACTIVE, MARKET_REDUCE_ONLY or MARKET_HALTED, as it is now. */
  readonly status: number;
  /** Ticks; 0 while there was none. */
  readonly indexPrice: number;
  readonly indexTime: number;
  readonly indexVoid: boolean;
  readonly markPrice: number;
  readonly lastPrice: number;
  readonly openInterest: number;
  /** Initial rate of the least notional as it is now: that of the first tier, or what open interest asks for. */
  readonly initialPpm: number;
  /** What open interest asks for as of the last sample; 0 nothing. */
  readonly openInterestPpm: number;
  /** Whole quote within 2 % of the mark on the thinner side, as of the last sample; 0 unknown. */
  readonly depth: number;
  readonly nextFundingTime: number;
}

export interface ChainView {
  readonly chainId: number;
  /** 0x… of the Rollup contract. */
  readonly rollup: string;
  /** L1 queue entries taken up so far: the entry with this index is the next one. */
  readonly queueNext: number;
  readonly parameters: ChainParameters;
  readonly publishers: readonly {
    readonly index: number;
    readonly address: string;
    readonly weight: number;
  }[];
}

export interface PositionView {
  readonly market: number;
  /** Signed lots. */
  readonly size: number;
  /** q: minus the signed cost of what is held. */
  readonly v: number;
  readonly markPrice: number;
  /** q at the mark price. */
  readonly unrealizedPnl: number;
  /** q not yet settled. */
  readonly unsettledFunding: number;
  /** Open lots that are not reduce-only. */
  readonly bidSize: number;
  readonly askSize: number;
  readonly reduceOnlySize: number;
  /**
   * The nearest marks below and above at which the account's equity is less than its maintenance margin, all other
   * prices standing still; 0 where this market alone can't bring it there. Both are the mark when it is there now.
   */
  readonly liquidationBelow: number;
  readonly liquidationAbove: number;
  /** The account's own floor of the initial rate; 0 none. */
  readonly leveragePpm: number;
}

export interface SessionKeyView {
  readonly key: string;
  readonly scope: number;
  readonly expiry: number;
}

export interface AccountView {
  readonly account: number;
  readonly owner: string;
  readonly subaccount: number;
  /** Markets of this pool alone may be traded. */
  readonly riskPool: number;
  /** The one market of an isolated account; null for a cross account. */
  readonly isolatedMarket: number | null;
  /** Last command that this view includes. */
  readonly seq: number;
  /** q. */
  readonly cash: number;
  readonly equity: number;
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
  /** q that could be withdrawn or transferred now. */
  readonly freeCollateral: number;
  readonly openOrders: number;
  /** Highest nonce used by the owner's signature, and by each session key. */
  readonly nonce: number;
  readonly sessionKeys: readonly (SessionKeyView & { readonly nonce: number })[];
  /** Dead-man deadline; 0 disarmed. */
  readonly cancelAfter: number;
  /** Grace period in milliseconds; -1 off. */
  readonly cancelOnDisconnect: number;
  /** Its kill switch is on: it may only reduce, and nothing leaves it. */
  readonly locked: boolean;
  readonly positions: readonly PositionView[];
}

/** Most orders, and most price moves, of one `what-if`. */
export const WHAT_IF_ORDERS_MAX = 32;
export const WHAT_IF_PRICES_MAX = 32;

export interface WhatIfParameters {
  readonly account: number;
  /** q that come in (+) or go out (−). */
  readonly cash?: number;
  /** Marks in ticks; index prices move in proportion. */
  readonly prices?: readonly { readonly market: number; readonly price: number }[];
  /** In turn, after prices and cash. An order rests at its price, or is `filled` there whole as the taker. */
  readonly orders?: readonly {
    readonly market: number;
    readonly side: 0 | 1;
    readonly price: number;
    readonly size: number;
    readonly reduceOnly?: boolean;
    readonly filled?: boolean;
  }[];
}

/** The part of an account's view that depends on prices, positions and orders. */
export type RiskView = Pick<
  AccountView,
  'cash' | 'equity' | 'initialMargin' | 'maintenanceMargin' | 'freeCollateral' | 'positions'
>;

export interface WhatIfView {
  /** Last command that this view includes. */
  readonly seq: number;
  readonly before: RiskView;
  readonly after: RiskView;
  /** What margin says to each order: 0 or a reject code; a refused one is left out of `after`. */
  readonly codes: readonly number[];
}

export interface SubaccountView {
  readonly account: number;
  readonly subaccount: number;
  readonly riskPool: number;
  readonly isolatedMarket: number | null;
}

export interface OpenOrderView {
  readonly market: number;
  readonly orderId: number;
  readonly clientId: number;
  readonly side: number;
  readonly price: number;
  /** Open lots. */
  readonly size: number;
  readonly timeInForce: number;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly expiry: number;
  readonly priority: number;
}

/** One past event: a row of protocol/event.ts by column name, with `event` its kind, and where it stands. */
export interface HistoryEntry {
  readonly event: string;
  readonly seq: number;
  readonly time: number;
  readonly cursor: { readonly seq: number; readonly place: number };
  readonly [column: string]: unknown;
}

export interface HistoryParameters {
  readonly account: number;
  /** At most 1,000; default 100. */
  readonly limit?: number;
  /** Only what is older than this place. */
  readonly before?: { readonly seq: number; readonly place: number };
  readonly fromTime?: number;
  readonly toTime?: number;
}

export interface CandleView {
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly trades: number;
}

/** How far a command has come, in this order. */
export const FINALITY_STAGES = ['accepted', 'journaled', 'batched', 'committed', 'final'] as const;
export type FinalityStage = (typeof FINALITY_STAGES)[number];

export interface FinalityView {
  readonly seq: number;
  readonly stage: FinalityStage;
  /** Present from `batched` on. */
  readonly batch?: number;
  readonly batchHash?: string;
  /** Present from `committed` on: the L1 transaction and, while the window runs, when it ends. */
  readonly transaction?: string;
  readonly finalAt?: number;
}

export interface WithdrawalProofView {
  /** The batch under whose root the proof opens: the newest final one. */
  readonly batch: number;
  /** Ledger root after it. */
  readonly ledgerRoot: string;
  /** Units of the asset ever withdrawn by this owner, as of that batch. Decimal text. */
  readonly total: string;
  /** Packed path of WITHDRAWN(owner, asset), without key and value (state/tree-proof.ts); Vault.withdraw takes it. */
  readonly proof: string;
}

/** Shows that a command stands in the history that a receipt names (receipt.ts). Byte strings. */
export interface ReceiptView {
  /** 149 bytes: the first receipt at or after the command that is still kept. */
  readonly receipt: Uint8Array;
  /** Running input hash before the command. */
  readonly before: Uint8Array;
  /** Record hashes from the command on to the receipt's, 32 bytes each: folded after `before` they give its hash. */
  readonly links: Uint8Array;
}

/** Every query: what it takes and what it answers. */
export interface QueryTable {
  chain: { parameters: object; answer: ChainView };
  markets: { parameters: object; answer: readonly MarketView[] };
  /** Accounts of an owner, by subaccount. */
  accounts: {
    parameters: { readonly owner: string };
    answer: readonly SubaccountView[];
  };
  account: { parameters: { readonly account: number }; answer: AccountView };
  'what-if': { parameters: WhatIfParameters; answer: WhatIfView };
  'open-orders': {
    parameters: { readonly account: number; readonly market?: number };
    answer: readonly OpenOrderView[];
  };
  /** By order id, or by market and client id; resting orders only. */
  order: {
    parameters: {
      readonly account: number;
      readonly orderId?: number;
      readonly market?: number;
      readonly clientId?: number;
    };
    answer: OpenOrderView | null;
  };
  orders: { parameters: HistoryParameters; answer: readonly HistoryEntry[] };
  fills: { parameters: HistoryParameters; answer: readonly HistoryEntry[] };
  funding: { parameters: HistoryParameters; answer: readonly HistoryEntry[] };
  transfers: { parameters: HistoryParameters; answer: readonly HistoryEntry[] };
  trades: {
    parameters: Omit<HistoryParameters, 'account'> & { readonly market: number };
    answer: readonly HistoryEntry[];
  };
  'funding-rates': {
    parameters: Omit<HistoryParameters, 'account'> & { readonly market: number };
    answer: readonly HistoryEntry[];
  };
  candles: {
    parameters: {
      readonly market: number;
      readonly intervalMs: number;
      readonly from: number;
      readonly to: number;
      readonly limit?: number;
    };
    answer: readonly CandleView[];
  };
  /** Of a command by its seq, or of the command that made an order. */
  finality: { parameters: { readonly seq?: number; readonly orderId?: number }; answer: FinalityView };
  /** Null while no receipt covers the command. */
  receipt: { parameters: { readonly seq: number }; answer: ReceiptView | null };
  'withdrawal-proof': {
    parameters: { readonly owner: string; readonly asset: number };
    answer: WithdrawalProofView | null;
  };
}

export type QueryName = keyof QueryTable;
