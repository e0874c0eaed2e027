/** Exit prices, equities and shares: the vectors that Solidity is tested against, and twins inside TypeScript. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choosePrice, equityOf, readAccount, shareOf } from '#client/escape/equity.ts';
import { Margin, MarginCalculator, unsettledFunding } from '#engine/risk/margin.ts';
import { clamp } from '#protocol/fixed-point.ts';
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

test('shares never sum beyond the pool, and what stays is less than a unit each', () => {
  const units = fc.bigInt({ min: 0n, max: 2n ** 51n });
  fc.assert(
    fc.property(units, fc.array(units, { minLength: 1, maxLength: 20 }), (pool, claims) => {
      const claimTotal = claims.reduce((sum, claim) => sum + claim, 0n);
      const paid = claims.reduce((sum, claim) => sum + shareOf({ pool, claim, claimTotal, value: pool }), 0n);
      expect(paid <= pool && paid <= claimTotal).toBe(true);
      const least = clamp(pool, 0n, claimTotal);
      expect(least - paid < BigInt(claims.length)).toBe(true);
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
      const equity = equityOf(read, (id) => {
        const market = state.markets[id]!;
        return {
          price: BigInt(market.mark),
          qm: BigInt(market.config.qm),
          fundingIndex: market.fundingIndex,
        };
      });
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
