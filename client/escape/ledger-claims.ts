/** What a final ledger says of claims: those of one owner, and the sums of all, which every account counts for. */
import { viewOf } from '#protocol/bytes.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import type { Address } from '#settlement/l1/client.ts';
import { assetConfigKey, globalsKey, KeyKind, marketConfigKey, poolKey, pricesKey } from '#state/keys.ts';
import {
  claimsOf,
  EXIT_QUOTE,
  type ExitAsset,
  type ExitPrice,
  equityOf,
  exitAsset,
  exitPrice,
  feedOf,
  type Holdings,
  holdingsOf,
  readAccount,
} from './equity.ts';
import type { FinalLedger } from './final-ledger.ts';

/** Of one account. */
export interface OwnClaim {
  readonly account: number;
  readonly subaccount: number;
  readonly holdings: Holdings;
  /** q; negative: the account owes more than it holds, and claims nothing. */
  readonly equity: bigint;
  /** Units by asset. */
  readonly claims: ReadonlyMap<number, bigint>;
}

export interface LedgerClaims {
  readonly own: readonly OwnClaim[];
  /** Sum of the owner's, and of everybody's claims, units by asset. */
  readonly ownTotals: ReadonlyMap<number, bigint>;
  readonly totals: ReadonlyMap<number, bigint>;
  /** Markets of own positions, and those that price assets. */
  readonly markets: readonly number[];
  /** What an asset is worth; undefined for one that the ledger does not know. */
  readonly asset: (asset: number) => ExitAsset | undefined;
}

/** Linear in the ledger. */
export function claimsIn(ledger: FinalLedger, owner: Address): LedgerClaims {
  const { market, asset } = pricesIn(ledger);
  const own: OwnClaim[] = [];
  const ownTotals = new Map<number, bigint>();
  const totals = new Map<number, bigint>();
  const markets = new Set<number>();
  const prices = {
    market,
    asset: (id: number): ExitAsset => {
      const known = asset(id);
      if (known === undefined)
        throw new Error(`final ledger: expected a configuration of asset ${id}, got none`);
      return known;
    },
  };
  for (const { key, value } of ledger.tree.entries()) {
    if (key[0] === KeyKind.ASSET_CONFIG) {
      const feed = feedOf(value);
      if (feed !== undefined) markets.add(feed);
    }
    if (key[0] !== KeyKind.ACCOUNT) continue;
    const account = readAccount(value);
    if (account.isNobodys) continue;
    const holdings = holdingsOf(account, prices);
    const claims = claimsOf(holdings);
    add(totals, claims);
    if (account.owner !== owner) continue;
    add(ownTotals, claims);
    const { subaccount } = account;
    own.push({
      ...{ account: viewOf(key).getUint32(1), subaccount },
      ...{ holdings, equity: equityOf(holdings), claims },
    });
    for (const position of account.positions) if (position.size !== 0n) markets.add(position.market);
  }
  return { own, ownTotals, totals, markets: [...markets].sort((a, b) => a - b), asset };
}

function pricesIn(ledger: FinalLedger) {
  const leaf = (key: Uint8Array): Uint8Array => ledger.tree.get(key)!;
  const market = remembered(
    (id): ExitPrice =>
      exitPrice(id, {
        globals: leaf(globalsKey()),
        config: leaf(marketConfigKey(id)),
        prices: leaf(pricesKey(id)),
      }),
  );
  const asset = remembered((id): ExitAsset | undefined => {
    const config = ledger.tree.get(assetConfigKey(id));
    if (config !== undefined) return exitAsset({ config, pool: leaf(poolKey(id)) }, market);
    return id === QUOTE_ASSET ? EXIT_QUOTE : undefined;
  });
  return { market, asset };
}

function remembered<Value>(find: (id: number) => Value): (id: number) => Value {
  const found = new Map<number, Value>();
  return (id) => {
    if (!found.has(id)) found.set(id, find(id));
    return found.get(id)!;
  };
}

function add(sums: Map<number, bigint>, claims: ReadonlyMap<number, bigint>): void {
  for (const [asset, claim] of claims) sums.set(asset, (sums.get(asset) ?? 0n) + claim);
}
