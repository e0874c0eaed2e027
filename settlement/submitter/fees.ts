/** Prices of the submitter's transactions: what the chain asks, bumps of at least a tenth, all under one cap. */
import { bumped, type Fees } from '../l1/transactions.ts';

export interface FeeMarket {
  readonly baseFeePerGas: bigint;
  /** What the node suggests. */
  readonly maxPriorityFeePerGas: bigint;
}

/** Room for six full blocks in a row: 1.125^6 is just above 2. */
const HEADROOM = 2n;

/** A node that saw one lavish transaction suggests its tip to everybody: no more than this share of the cap at first. */
const TIP_SHARE = 10n;

/** Prices for a new transaction; undefined when base fee and tip are above the cap. */
export function feesNow(market: FeeMarket, capPerGas: bigint): Fees | undefined {
  const tip = smaller(market.maxPriorityFeePerGas, capPerGas / TIP_SHARE);
  if (market.baseFeePerGas + tip > capPerGas) return undefined;
  return {
    maxFeePerGas: smaller(HEADROOM * market.baseFeePerGas + tip, capPerGas),
    maxPriorityFeePerGas: tip,
  };
}

/** Prices for another version of a transaction: a tenth above, or what the chain asks now; undefined above the cap. */
export function feesAfter(last: Fees, market: FeeMarket, capPerGas: bigint): Fees | undefined {
  const least = bumped(last);
  const asked = feesNow(market, capPerGas);
  const maxPriorityFeePerGas = larger(least.maxPriorityFeePerGas, asked?.maxPriorityFeePerGas ?? 0n);
  const maxFeePerGas = larger(larger(least.maxFeePerGas, asked?.maxFeePerGas ?? 0n), maxPriorityFeePerGas);
  return maxFeePerGas > capPerGas ? undefined : { maxFeePerGas, maxPriorityFeePerGas };
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
