/**
 * Branded units. All are integers held in JavaScript numbers (|x| <= 2^53 - 1) unless a bigint is named.
 * Brands cost nothing at run time and keep a price from being passed as a size.
 */

declare const unit: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [unit]?: Name };

/** Whole ticks of the market, 1 … 2^32 - 1. */
export type Price = Branded<number, 'Price'>;
/** Whole lots of the market, unsigned unless a name says otherwise. */
export type Size = Branded<number, 'Size'>;
/** Millionths of the quote asset (q = 1e-6 quote), signed. */
export type Quote = Branded<number, 'Quote'>;
/** Rates in parts per million. */
export type Ppm = Branded<number, 'Ppm'>;
/** Milliseconds since 1970 UTC. */
export type TimeMs = Branded<number, 'TimeMs'>;
/** Position of a command in the journal; the first command is 1. */
export type Seq = Branded<number, 'Seq'>;
export type AccountId = Branded<number, 'AccountId'>;
export type MarketId = Branded<number, 'MarketId'>;
export type AssetId = Branded<number, 'AssetId'>;
export type OrderId = Branded<number, 'OrderId'>;

/** 20 bytes. */
export type Address = Uint8Array;
/** 32 bytes. */
export type Hash = Uint8Array;

/** The quote asset in which markets settle; later collaterals take the next ids. */
export const QUOTE_ASSET: AssetId = 0;

export type Side = 0 | 1;
export const BUY: Side = 0;
export const SELL: Side = 1;
export const oppositeSide = (side: Side): Side => (1 - side) as Side;
/** +1 for buy, -1 for sell. */
export const signOf = (side: Side): 1 | -1 => (side === BUY ? 1 : -1);

export const GTC = 0;
export const GTD = 1;
export const IOC = 2;
export const FOK = 3;
export type TimeInForce = 0 | 1 | 2 | 3;
export const TIME_IN_FORCE_NAMES = ['GTC', 'GTD', 'IOC', 'FOK'] as const;

/** What happens when an incoming order meets a resting order of the same owner account. */
export const STP_EXPIRE_MAKER = 0;
export const STP_EXPIRE_TAKER = 1;
export const STP_EXPIRE_BOTH = 2;
export const STP_DECREMENT = 3;
export type SelfTradePrevention = 0 | 1 | 2 | 3;
export const SELF_TRADE_PREVENTION_NAMES = [
  'expire-maker',
  'expire-taker',
  'expire-both',
  'decrement',
] as const;
