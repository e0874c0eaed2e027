/** The distance of an account from liquidation, and the level of a warning by the table of quantiles. */
import { describe, expect, it } from 'vitest';
import { ALL_MARKETS, alertLevel, riskDistance } from '#engine/risk/distance.ts';
import { Desk } from '../../support/desk.ts';
import { TEST_MARKET } from '../../support/exchange.ts';

const ONE_PERCENT = 10_000n ** 2n;

/** Longs and shorts of two markets with 5 % maintenance, both at 1,000,000 ticks: one lot is one quote. */
function holding(equity: number, sizes: readonly [number, number]): { desk: Desk; account: number } {
  const tiers = [{ lower: 0, initialPpm: 50_000, maintenancePpm: 50_000 }];
  const markets = [0, 1].map((market) => ({
    ...TEST_MARKET,
    market,
    symbol: `M${market}-PERP`,
    takerFeePpm: 0,
    makerFeePpm: 0,
    tiers,
  }));
  const desk = new Desk({ markets });
  const [account, other] = [desk.deposit(1, 1e12), desk.deposit(2, 1e12)];
  sizes.forEach((size, market) => {
    desk.price(market, 1_000_000);
    if (size > 0) desk.trade(account, other, size, 1_000_000, market);
    if (size < 0) desk.trade(other, account, -size, 1_000_000, market);
  });
  desk.state.accounts.cash[account] = desk.cash(account) + equity * 1e6 - 1e12;
  return { desk, account };
}

describe('risk distance', () => {
  it('is the room over what a move of prices costs, maintenance margin with it', () => {
    const { desk, account } = holding(100, [1_000, 0]);
    // Room 100 − 50; a fall costs 1,000 and gives back 50 of the requirement.
    const found = riskDistance(desk.state, account, () => ONE_PERCENT);
    expect(found).toMatchObject({ distancePpm: 52_631, variance: ONE_PERCENT });
    const short = holding(100, [-1_000, 0]);
    expect(riskDistance(short.desk.state, short.account, () => ONE_PERCENT)!.distancePpm).toBe(47_619);
  });

  it('sees all markets together, and each alone: a hedged account is near only by one of them', () => {
    const both = holding(150, [1_000, 1_000]);
    // Room 150 − 100 over 950 each way: together 50 / 1,900.
    expect(riskDistance(both.desk.state, both.account, () => ONE_PERCENT)).toMatchObject({
      market: ALL_MARKETS,
      distancePpm: 26_315,
    });
    const hedged = holding(150, [1_000, -1_000]);
    expect(riskDistance(hedged.desk.state, hedged.account, () => ONE_PERCENT)).toMatchObject({
      market: 1,
      distancePpm: 47_619,
    });
    // In deviations, the market that moves more is the nearer danger.
    const wild = (market: number): bigint => (market === 0 ? 4n * ONE_PERCENT : ONE_PERCENT);
    expect(riskDistance(hedged.desk.state, hedged.account, wild)).toMatchObject({ market: 0 });
  });

  it('is nothing for whom prices can not hurt, and 0 for whom they have', () => {
    const calm = holding(100, [0, 0]);
    expect(riskDistance(calm.desk.state, calm.account, () => ONE_PERCENT)).toBeUndefined();
    const gone = holding(40, [1_000, 0]);
    expect(riskDistance(gone.desk.state, gone.account, () => ONE_PERCENT)).toMatchObject({ distancePpm: 0 });
  });
});

describe('alert level', () => {
  it('is by the quantiles 2.576, 1.960 and 1.282 of the deviation over the horizon', () => {
    const levels = [25_761, 25_759, 19_601, 19_599, 12_821, 12_819].map((d) =>
      alertLevel(d, ONE_PERCENT, 1n),
    );
    expect(levels).toEqual([0, 1, 1, 2, 2, 3]);
    // A day is √24 = 4.899 hours' deviations.
    expect(alertLevel(126_200, ONE_PERCENT, 24n)).toBe(0);
    expect(alertLevel(126_190, ONE_PERCENT, 24n)).toBe(1);
  });
});
