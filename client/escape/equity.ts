/**
 * What a market, an asset and an account are worth in the exit: twin of settlement/contracts/libraries/ExitLib.sol, held
 * to it by test/vectors/exit.json. Everything in bigint: a ledger is taken as it is, whatever stands in it.
 */

import { NO_FEED } from '#protocol/asset.ts';
import { getI128be, getU48be, getU128be, toHex, viewOf } from '#protocol/bytes.ts';
import { cdiv, clamp, fdiv } from '#protocol/fixed-point.ts';
import { FUNDING_PAYMENT_MAX } from '#protocol/limits.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import { BACKSTOP_VAULT } from '#state/accounts.ts';
import { RAY } from '#state/asset-state.ts';
import { PRICES_PER_LEAF } from '#state/keys.ts';
import { ACCOUNT_BYTES, ASSET_ROW_BYTES, POSITION_BYTES, PRICES_ROW_BYTES } from '#state/leaves.ts';

/** What a lot is worth, and the funding owed on it. */
export interface ExitPrice {
  /** Ticks. */
  readonly price: bigint;
  /** q per tick and lot. */
  readonly qm: bigint;
  /** 1e-9 q per lot, cumulative. */
  readonly fundingIndex: bigint;
}

/** What a unit of an asset is worth, and a share of its lending pool. */
export interface ExitAsset {
  /** Ticks of its feed. */
  readonly price: bigint;
  /** q per tick that a whole is worth. */
  readonly tickValue: bigint;
  /** Units in a whole. */
  readonly whole: bigint;
  /** Units per share, times RAY. */
  readonly supplyIndex: bigint;
  readonly borrowIndex: bigint;
}

/** Units and shares of one asset. */
export interface LedgerRow {
  readonly asset: number;
  readonly balance: bigint;
  readonly supplyShares: bigint;
  readonly debtShares: bigint;
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
  readonly assets: readonly LedgerRow[];
  /** The account of a backstop vault: nobody's to claim. */
  readonly isNobodys: boolean;
}

/** Where prices come from; both throw for what they do not know. */
export interface ExitPrices {
  readonly market: (market: number) => ExitPrice;
  readonly asset: (asset: number) => ExitAsset;
}

/** What an account holds and owes, at exit prices. */
export interface Holdings {
  /** q: cash, positions, shares of the quote asset's pool. */
  readonly quote: bigint;
  /** Units of each other asset of which it has a row, less what it owes of it. */
  readonly units: readonly { readonly asset: number; readonly units: bigint }[];
  /** Value of all that it holds, and of all that it owes, q. */
  readonly plus: bigint;
  readonly minus: bigint;
}

/** A mark that stands in for a void index stays within 5 % of it. */
const BAND_PPM = 50_000n;
const MILLION = 1_000_000n;
const HELD_MAX = 2n ** 64n - 1n;
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

/** The quote asset: a unit is a q, whatever its pool says. */
export const EXIT_QUOTE: ExitAsset = {
  price: 1n,
  tickValue: 1n,
  whole: 1n,
  supplyIndex: RAY,
  borrowIndex: RAY,
};

/** `config`, `pool`: leaves ASSET_CONFIG and POOL of the asset; `priceOf`: of its feed, which the quote asset has not. */
export function exitAsset(
  leaves: { readonly config: Uint8Array; readonly pool: Uint8Array },
  priceOf: (market: number) => ExitPrice,
): ExitAsset {
  const config = viewOf(leaves.config);
  const pool = viewOf(leaves.pool);
  const feed = feedOf(leaves.config);
  const worth =
    feed === undefined
      ? EXIT_QUOTE
      : {
          price: priceOf(feed).price,
          tickValue: config.getBigUint64(40),
          whole: 10n ** BigInt(leaves.config[3]!),
        };
  return { ...worth, supplyIndex: getU128be(pool, 0), borrowIndex: getU128be(pool, 16) };
}

/** Market that prices an asset, undefined for the quote asset. */
export function feedOf(config: Uint8Array): number | undefined {
  const feed = viewOf(config).getUint16(20);
  return feed === NO_FEED ? undefined : feed;
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
  const assets: LedgerRow[] = [];
  for (let n = 0; n < leaf[88]!; n++) {
    const at = ACCOUNT_BYTES + leaf[87]! * POSITION_BYTES + n * ASSET_ROW_BYTES;
    assets.push({
      asset: view.getUint16(at),
      balance: view.getBigUint64(at + 2),
      supplyShares: view.getBigUint64(at + 10),
      debtShares: view.getBigUint64(at + 18),
    });
  }
  return {
    owner: toHex(leaf.subarray(0, 20)),
    subaccount: leaf[20]!,
    cash: view.getBigInt64(21),
    positions,
    assets,
    isNobodys: (leaf[90]! & BACKSTOP_VAULT) !== 0,
  };
}

/** What a position adds to its account's equity, q. */
export function positionValue(position: LedgerPosition, price: ExitPrice): bigint {
  const owed = fdiv(-position.size * (price.fundingIndex - position.fundingIndex), 1_000_000_000n);
  return position.size * price.price * price.qm + position.v + clamp(owed, -PAYMENT_MAX, PAYMENT_MAX);
}

const bounded = (held: bigint): bigint => clamp(held, -HELD_MAX, HELD_MAX);

/** Units of an asset that an account holds, less what it owes of it. */
export function unitsOf(row: LedgerRow, asset: ExitAsset): bigint {
  const held = row.balance + (row.supplyShares * asset.supplyIndex) / RAY;
  return bounded(held - cdiv(row.debtShares * asset.borrowIndex, RAY));
}

/** q that units of an asset are worth: holdings rounded down, debts up. */
export const worth = (units: bigint, asset: ExitAsset): bigint =>
  fdiv(units * asset.price * asset.tickValue, asset.whole);

/** Everything at exit prices and full weight; open orders are void. */
export function holdingsOf(account: LedgerAccount, prices: ExitPrices): Holdings {
  let quote = account.cash;
  for (const position of account.positions)
    if (position.size !== 0n) quote += positionValue(position, prices.market(position.market));
  let [plus, minus] = [0n, 0n];
  const weigh = (value: bigint): void => {
    if (value < 0n) minus -= value;
    else plus += value;
  };
  const units = [];
  for (const row of account.assets) {
    const asset = prices.asset(row.asset);
    const net = unitsOf(row, asset);
    if (row.asset === QUOTE_ASSET) {
      quote += net;
      continue;
    }
    units.push({ asset: row.asset, units: net });
    weigh(worth(net, asset));
  }
  quote = bounded(quote);
  weigh(quote);
  return { quote, units, plus, minus };
}

/** What is left of an account when all is paid, q; negative when it owes more than it holds. */
export const equityOf = ({ plus, minus }: Holdings): bigint => plus - minus;

/** Of `held` units of an asset, or q, what is left when what the account owes is taken from all it holds alike. */
export function claimOf(held: bigint, { plus, minus }: Pick<Holdings, 'plus' | 'minus'>): bigint {
  if (held <= 0n) return 0n;
  if (minus === 0n) return held;
  return minus >= plus ? 0n : (held * (plus - minus)) / plus;
}

/** Claims of an account, units by asset; assets of which it claims nothing are left out. */
export function claimsOf(holdings: Holdings): ReadonlyMap<number, bigint> {
  const claims = new Map<number, bigint>();
  for (const { asset, units } of [{ asset: QUOTE_ASSET, units: holdings.quote }, ...holdings.units]) {
    const claim = claimOf(units, holdings);
    if (claim > 0n) claims.set(asset, claim);
  }
  return claims;
}
