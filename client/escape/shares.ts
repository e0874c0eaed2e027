/**
 * What claims are paid: each in its own token as far as that goes, and what is lacking out of the tokens of which there
 * is more than claims. Twin of the second half of settlement/contracts/libraries/ExitLib.sol.
 */
import { type ExitAsset, worth } from './equity.ts';

/** Of one asset. */
export interface Pool {
  /** What there is for claims, and their sum, units. */
  readonly pool: bigint;
  readonly claimTotal: bigint;
  /** Undefined: nobody has proven what it is worth, so a surplus of it can't be shared by value. */
  readonly asset: ExitAsset | undefined;
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** ⌊pool · claim / max(total, pool)⌋. */
export const shareOf = (claim: bigint, { pool, claimTotal }: Pool): bigint =>
  claim === 0n ? 0n : (pool * claim) / larger(claimTotal, pool);

/** q that a claim lacks in its own asset: ⌊worth · (total − pool) / total⌋. */
export function lackOf(claim: bigint, { pool, claimTotal, asset }: Pool): bigint {
  if (asset === undefined || claimTotal <= pool) return 0n;
  return (worth(claim, asset) * (claimTotal - pool)) / claimTotal;
}

/** q that all claims of an asset lack, rounded up. */
export const lackTotal = ({ pool, claimTotal, asset }: Pool): bigint =>
  asset === undefined || claimTotal <= pool ? 0n : -worth(pool - claimTotal, asset);

/** Units of an asset beyond its claims, which cover what claims of other assets lack. */
export const surplusOf = ({ pool, claimTotal, asset }: Pool): bigint =>
  asset === undefined || asset.price === 0n || pool <= claimTotal ? 0n : pool - claimTotal;

/** ⌊surplus · lack / max(lacks, surpluses)⌋. */
export const coverOf = (of: {
  readonly surplus: bigint;
  readonly lack: bigint;
  readonly lacks: bigint;
  readonly surpluses: bigint;
}): bigint => (of.lack === 0n ? 0n : (of.surplus * of.lack) / larger(of.lacks, of.surpluses));

/** What an owner with these claims (units by asset) is paid of each pool, in the order of the pools. */
export function paymentsOf(pools: readonly Pool[], claims: ReadonlyMap<number, bigint>): bigint[] {
  const claim = (asset: number): bigint => claims.get(asset) ?? 0n;
  let [lacks, surpluses, lack] = [0n, 0n, 0n];
  for (const [i, pool] of pools.entries()) {
    lacks += lackTotal(pool);
    lack += lackOf(claim(i), pool);
    if (pool.asset !== undefined) surpluses += worth(surplusOf(pool), pool.asset);
  }
  return pools.map((pool, i) => {
    const own = shareOf(claim(i), pool);
    return lacks === 0n ? own : own + coverOf({ surplus: surplusOf(pool), lack, lacks, surpluses });
  });
}
