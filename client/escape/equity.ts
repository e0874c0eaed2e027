/**
 * What a market and an account are worth in the exit: twin of settlement/contracts/libraries/ExitLib.sol, held to it
 * by test/vectors/exit.json. Everything in bigint: a ledger is taken as it is, whatever stands in it.
 */
import { getI128be, getU48be, toHex, viewOf } from '#protocol/bytes.ts';
import { clamp, fdiv } from '#protocol/fixed-point.ts';
import { FUNDING_PAYMENT_MAX } from '#protocol/limits.ts';
import { PRICES_PER_LEAF } from '#state/keys.ts';
import { ACCOUNT_BYTES, POSITION_BYTES, PRICES_ROW_BYTES } from '#state/leaves.ts';

/** What a lot is worth, and the funding owed on it. */
export interface ExitPrice {
  /** Ticks. */
  readonly price: bigint;
  /** q per tick and lot. */
  readonly qm: bigint;
  /** 1e-9 q per lot, cumulative. */
  readonly fundingIndex: bigint;
}

export interface LedgerPosition {
  readonly market: number;
  /** Lots, signed. */
  readonly size: bigint;
  /** q. */
  readonly v: bigint;
  readonly fundingIndex: bigint;
}

export interface LedgerAccount {
  readonly owner: `0x${string}`;
  readonly subaccount: number;
  /** q. */
  readonly cash: bigint;
  readonly positions: readonly LedgerPosition[];
}

/** A mark that stands in for a void index stays within 5 % of it. */
const BAND_PPM = 50_000n;
const MILLION = 1_000_000n;
const CLAIM_MAX = 2n ** 64n - 1n;
const PAYMENT_MAX = BigInt(FUNDING_PAYMENT_MAX);

/** `globals`, `config`, `prices`: leaves GLOBALS, MARKET_CONFIG of the market and PRICES of its group. */
export function exitPrice(
  market: number,
  leaves: { readonly globals: Uint8Array; readonly config: Uint8Array; readonly prices: Uint8Array },
): ExitPrice {
  const clock = viewOf(leaves.globals);
  const prices = viewOf(leaves.prices);
  const row = PRICES_ROW_BYTES * (market % PRICES_PER_LEAF);
  const index = BigInt(prices.getUint32(row));
  const mark = BigInt(prices.getUint32(row + 4));
  const isVoid = getU48be(clock, 8) > getU48be(prices, row + 8) + clock.getUint32(44);
  return {
    price: choosePrice(index, mark, isVoid),
    qm: viewOf(leaves.config).getBigUint64(20),
    fundingIndex: getI128be(prices, row + 18),
  };
}

/** The index; when it is void the mark, within the band around it; without an index the mark. */
export function choosePrice(index: bigint, mark: bigint, isVoid: boolean): bigint {
  if (index === 0n) return mark;
  if (!isVoid) return index;
  const room = (index * BAND_PPM) / MILLION;
  return clamp(mark, index - room, index + room);
}

export function readAccount(leaf: Uint8Array): LedgerAccount {
  const view = viewOf(leaf);
  const positions: LedgerPosition[] = [];
  for (let n = 0; n < leaf[87]!; n++) {
    const at = ACCOUNT_BYTES + n * POSITION_BYTES;
    positions.push({
      market: view.getUint16(at),
      size: view.getBigInt64(at + 2),
      v: view.getBigInt64(at + 10),
      fundingIndex: getI128be(view, at + 18),
    });
  }
  return {
    owner: toHex(leaf.subarray(0, 20)),
    subaccount: leaf[20]!,
    cash: view.getBigInt64(21),
    positions,
  };
}

/** What a position adds to its account's equity, q. */
export function positionValue(position: LedgerPosition, price: ExitPrice): bigint {
  const owed = fdiv(-position.size * (price.fundingIndex - position.fundingIndex), 1_000_000_000n);
  return position.size * price.price * price.qm + position.v + clamp(owed, -PAYMENT_MAX, PAYMENT_MAX);
}

/** Cash and positions at exit prices, q; open orders are void. */
export function equityOf(account: LedgerAccount, priceOf: (market: number) => ExitPrice): bigint {
  let equity = account.cash;
  for (const position of account.positions)
    if (position.size !== 0n) equity += positionValue(position, priceOf(position.market));
  return equity;
}

/** Equity as a claim; below zero it claims nothing. */
export const claimOf = (equity: bigint): bigint => clamp(equity, 0n, CLAIM_MAX);

/** ⌊pool · claim / max(claimTotal, value)⌋. */
export function shareOf(of: {
  readonly pool: bigint;
  readonly claim: bigint;
  readonly claimTotal: bigint;
  readonly value: bigint;
}): bigint {
  if (of.claim === 0n) return 0n;
  let among = of.value;
  if (among < of.claimTotal) among = of.claimTotal;
  return (of.pool * of.claim) / among;
}
