/** Exit prices, equities and shares: the vectors that Solidity is tested against, and twins inside TypeScript. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  choosePrice,
  claimsOf,
  EXIT_QUOTE,
  type ExitAsset,
  type ExitPrice,
  equityOf,
  holdingsOf,
  readAccount,
  worth,
} from '#client/escape/equity.ts';
import { paymentsOf } from '#client/escape/shares.ts';
import { Margin, MarginCalculator, unsettledFunding } from '#engine/risk/margin.ts';
import { accountLeaf } from '#state/leaves.ts';
import { totalMoney } from '../support/invariants.ts';
import { RandomSession } from '../support/random-session.ts';
import { EXIT_FILE, exitVectors } from './exit-vectors.ts';

test('the file is what is built now', () => {
  expect(JSON.parse(readFileSync(EXIT_FILE, 'utf8'))).toEqual(exitVectors());
});

test('a void price stays within five percent of the last index', () => {
  const ticks = fc.bigInt({ min: 1n, max: 2n ** 32n - 1n });
  fc.assert(
    fc.property(ticks, ticks, (index, mark) => {
      const price = choosePrice(index, mark, true);
      expect(price * 20n >= index * 19n && price * 20n <= index * 21n).toBe(true);
      expect(choosePrice(index, mark, false)).toBe(index);
    }),
  );
});

/** A bitcoin and an ether, priced, beside the quote asset. */
const PRICED: readonly ExitAsset[] = [
  EXIT_QUOTE,
  { ...EXIT_QUOTE, price: 650_000n, tickValue: 100_000n, whole: 10n ** 8n },
  { ...EXIT_QUOTE, price: 320_000n, tickValue: 10_000n, whole: 10n ** 8n },
];

test('an account claims of all that it holds alike, together what is left when it has paid what it owes', () => {
  const held = fc.tuple(...PRICED.map(() => fc.bigInt({ min: -(2n ** 45n), max: 2n ** 45n })));
  fc.assert(
    fc.property(held, ([quote, ...units]) => {
      const values = [quote!, ...units.map((n, i) => worth(n, PRICED[i + 1]!))];
      const sum = (of: readonly bigint[]): bigint => of.reduce((total, value) => total + value, 0n);
      const plus = sum(values.filter((value) => value > 0n));
      const minus = -sum(values.filter((value) => value < 0n));
      const claims = claimsOf({
        quote: quote!,
        units: units.map((n, i) => ({ asset: i + 1, units: n })),
        plus,
        minus,
      });
      let claimed = 0n;
      for (const [asset, claim] of claims) {
        expect(claim <= [quote!, ...units][asset]!).toBe(true);
        claimed += worth(claim, PRICED[asset]!);
      }
      const equity = plus - minus;
      expect(claimed <= (equity > 0n ? equity : 0n)).toBe(true);
      // Each asset is rounded down to a unit, a bitcoin's unit is worth 650 q.
      if (equity > 0n) expect(equity - claimed <= 1_000n).toBe(true);
    }),
  );
});

test('payments never sum beyond a pool, give nobody more than the claims, and leave only rounding while claims lack', () => {
  const units = fc.bigInt({ min: 0n, max: 2n ** 45n });
  const claimants = fc.array(fc.tuple(units, units, units), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.tuple(units, units, units), claimants, (there, claims) => {
      const pools = PRICED.map((asset, i) => ({
        pool: there[i]!,
        claimTotal: claims.reduce((sum, one) => sum + one[i]!, 0n),
        asset,
      }));
      const value = (amounts: readonly bigint[]): bigint =>
        amounts.reduce((sum, amount, i) => sum + worth(amount, PRICED[i]!), 0n);
      const payments = claims.map((one) => paymentsOf(pools, new Map(one.entries())));
      // What lacks is rounded up per asset, and a unit is worth up to 650 q.
      for (const [i, payment] of payments.entries())
        expect(value(payment) <= value(claims[i]!) + 3n).toBe(true);
      for (const [i, { pool }] of pools.entries())
        expect(payments.reduce((sum, one) => sum + one[i]!, 0n) <= pool).toBe(true);
      const paid = payments.reduce((sum, one) => sum + value(one), 0n);
      const most = value(pools.map(({ pool }) => pool));
      const asked = value(pools.map(({ claimTotal }) => claimTotal));
      const rounding = BigInt(claims.length) * 3_000n;
      expect(most - paid <= rounding || asked - paid <= rounding).toBe(true);
    }),
  );
});

test('at the mark it is the equity that the engine computes, and all together are what the ledger owes', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const { state } = new RandomSession({ seed }).run(600);
    const calculator = new MarginCalculator(state);
    const margin = new Margin();
    let [sum, unsettled, withdrawn] = [0n, 0n, 0n];
    for (let account = 1; account <= state.accounts.count; account++) {
      const read = readAccount(accountLeaf(state, account)!);
      const market = (id: number): ExitPrice => {
        const { mark, config, fundingIndex } = state.markets[id]!;
        return { price: BigInt(mark), qm: BigInt(config.qm), fundingIndex };
      };
      const asset = (id: number): ExitAsset => {
        throw new Error(`expected no row of an asset, got one of ${id}`);
      };
      const equity = equityOf(holdingsOf(read, { market, asset }));
      expect(equity, `seed ${seed}, account ${account}`).toBe(
        BigInt(calculator.compute(margin, account).equityMaintenance),
      );
      sum += equity;
      for (let slot = state.accounts.firstPosition[account]!; slot >= 0; slot = state.positions.next(slot))
        unsettled += BigInt(unsettledFunding(state, slot));
    }
    let unowned = 0n;
    for (const market of state.markets) unowned += BigInt(market!.fees) + BigInt(market!.fundingBalance);
    for (const amount of state.withdrawn.values()) withdrawn += amount;
    // What no account owns covers the funding that is still to be settled, and stays in the vault.
    expect(sum + unowned - unsettled + withdrawn).toBe(totalMoney(state));
    expect(unowned - unsettled >= 0n).toBe(true);
  }
});
