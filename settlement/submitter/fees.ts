/** Prices of the submitter's transactions: what the chain asks, bumps of at least a tenth, all under one cap. */
import { bumped, type Fees } from '../l1/transactions.ts';

export interface FeeMarket {
  readonly baseFeePerGas: bigint;
  /** What the node suggests. */
  readonly maxPriorityFeePerGas: bigint;
  /** Undefined where the chain takes no blobs. */
  readonly blobBaseFeePerGas: bigint | undefined;
}

/** Room for six full blocks in a row: 1.125^6 is just above 2. */
const HEADROOM = 2n;

/** A node that saw one lavish transaction suggests its tip to everybody: no more than this share of the cap at first. */
const TIP_SHARE = 10n;

/**
 * Prices for a new transaction; undefined when base fee and tip, or for one with blobs the price of these, are above
 * the cap.
 */
export function feesNow(market: FeeMarket, capPerGas: bigint, withBlobs = false): Fees | undefined {
  const tip = smaller(market.maxPriorityFeePerGas, capPerGas / TIP_SHARE);
  const blobFee = market.blobBaseFeePerGas ?? capPerGas + 1n;
  if (market.baseFeePerGas + tip > capPerGas || (withBlobs && blobFee > capPerGas)) return undefined;
  return {
    maxFeePerGas: smaller(HEADROOM * market.baseFeePerGas + tip, capPerGas),
    maxPriorityFeePerGas: tip,
    ...(withBlobs ? { maxFeePerBlobGas: smaller(HEADROOM * blobFee, capPerGas) } : {}),
  };
}

/**
 * Prices for another version of a transaction: as much above as nodes demand, or what the chain asks now; undefined
 * above the cap.
 */
export function feesAfter(last: Fees, market: FeeMarket, capPerGas: bigint): Fees | undefined {
  const withBlobs = last.maxFeePerBlobGas !== undefined;
  const least = bumped(last);
  const asked = feesNow(market, capPerGas, withBlobs);
  const maxPriorityFeePerGas = larger(least.maxPriorityFeePerGas, asked?.maxPriorityFeePerGas ?? 0n);
  const maxFeePerGas = larger(larger(least.maxFeePerGas, asked?.maxFeePerGas ?? 0n), maxPriorityFeePerGas);
  const maxFeePerBlobGas = larger(least.maxFeePerBlobGas ?? 0n, asked?.maxFeePerBlobGas ?? 0n);
  if (maxFeePerGas > capPerGas || maxFeePerBlobGas > capPerGas) return undefined;
  return { maxFeePerGas, maxPriorityFeePerGas, ...(withBlobs ? { maxFeePerBlobGas } : {}) };
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
