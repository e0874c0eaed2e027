/** What a ledger owes, added up from its leaves: for holding it against what the vault has. Layouts: state/leaves.ts. */
import { getU128be, toHex, viewOf } from '#protocol/bytes.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import { KeyKind } from '#state/keys.ts';
import { ACCOUNT_BYTES, POSITION_BYTES } from '#state/leaves.ts';
import type { StateTree } from '#state/state-tree.ts';

export interface LedgerTotals {
  readonly accounts: number;
  /** q, each: Σ cash, Σ v of positions, Σ fees and Σ funding balances of the markets, Σ insurance funds. */
  readonly cash: bigint;
  readonly entryValue: bigint;
  readonly fees: bigint;
  readonly funding: bigint;
  readonly insurance: bigint;
  /** Sum of the five: everything in the ledger that has not been withdrawn. */
  readonly owed: bigint;
  /** Σ of everything ever withdrawn of the quote asset, paid or not. */
  readonly withdrawn: bigint;
  readonly withdrawals: readonly {
    readonly owner: string;
    readonly asset: number;
    readonly amount: bigint;
  }[];
}

const CASH_AT = 21;
const POSITIONS_AT = 87;
const POSITION_V_AT = 10;
const FEES_AT = 9;
const FUNDING_BALANCE_AT = 17;

/** Linear in the ledger. */
export function totalsOf(ledger: StateTree): LedgerTotals {
  let accounts = 0;
  let [cash, entryValue, fees, funding, insurance, withdrawn] = [0n, 0n, 0n, 0n, 0n, 0n];
  const withdrawals: { owner: string; asset: number; amount: bigint }[] = [];
  for (const { key, value } of ledger.entries()) {
    const view = viewOf(value);
    switch (key[0]) {
      case KeyKind.ACCOUNT:
        accounts++;
        cash += view.getBigInt64(CASH_AT);
        for (let n = 0; n < value[POSITIONS_AT]!; n++)
          entryValue += view.getBigInt64(ACCOUNT_BYTES + n * POSITION_BYTES + POSITION_V_AT);
        break;
      case KeyKind.MARKET_STATE:
        fees += view.getBigInt64(FEES_AT);
        funding += view.getBigInt64(FUNDING_BALANCE_AT);
        break;
      case KeyKind.FUND:
        insurance += view.getBigInt64(0);
        break;
      case KeyKind.WITHDRAWN: {
        const asset = viewOf(key).getUint16(21);
        const amount = getU128be(view, 0);
        if (asset === QUOTE_ASSET) withdrawn += amount;
        withdrawals.push({ owner: toHex(key.subarray(1, 21)), asset, amount });
        break;
      }
    }
  }
  const owed = cash + entryValue + fees + funding + insurance;
  return { accounts, cash, entryValue, fees, funding, insurance, owed, withdrawn, withdrawals };
}
