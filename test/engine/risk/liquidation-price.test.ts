/** Liquidation prices: published cases, and that the account is liquidatable at the price and not one tick before. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liquidationPrices } from '#engine/risk/liquidation-price.ts';
import type { MarketConfig } from '#protocol/market.ts';
import { Desk } from '../../support/desk.ts';
import { TEST_MARKET } from '../../support/exchange.ts';

const Q = 1_000_000;
/** Ticks of 0.01, 1/10,000 a lot: one q per tick and lot. */
const TICKS = 100;
const LOTS = 10_000;

const market = (id: number, tiers: MarketConfig['tiers']): MarketConfig => ({
  ...TEST_MARKET,
  market: id,
  symbol: `M${id}-PERP`,
  maxPrice: 20_000_000,
  maxPosition: 14_000_000,
  maxOrderSize: 14_000_000,
  takerFeePpm: 0,
  makerFeePpm: 0,
  tiers,
});
const flat = (maintenancePpm: number): MarketConfig['tiers'] => [
  { lower: 0, initialPpm: maintenancePpm, maintenancePpm },
];

/** An account with `equity` and the signed sizes, each opened at its mark. */
function holding(
  equity: number,
  markets: readonly { config: MarketConfig; mark: number; size: number }[],
): { desk: Desk; account: number } {
  const desk = new Desk({ markets: markets.map(({ config }) => config) });
  for (const { config, mark } of markets) desk.price(config.market, mark);
  const account = desk.deposit(1, 100_000_000 * Q);
  const other = desk.deposit(2, 100_000_000 * Q);
  for (const { config, mark, size } of markets) {
    if (size > 0) desk.trade(account, other, size, mark, config.market);
    if (size < 0) desk.trade(other, account, -size, mark, config.market);
  }
  desk.state.accounts.cash[account] = desk.cash(account) + equity - 100_000_000 * Q;
  return { desk, account };
}

/** V_M < M as the engine computes it when the market's mark is `price`. */
function isLiquidatable(desk: Desk, account: number, id: number, price: number): boolean {
  const state = desk.state.market(id)!;
  const { mark } = state;
  state.mark = price;
  const { equityMaintenance, maintenance } = desk.engine.risk.margin(account);
  state.mark = mark;
  return equityMaintenance < maintenance;
}

describe('liquidation price', () => {
  it('vector 3: 1 BTC at 100,000 with equity of 5,000 and 1.25 % maintenance margin', () => {
    const config = market(0, flat(12_500));
    const mark = 100_000 * TICKS;
    const long = holding(5_000 * Q, [{ config, mark, size: LOTS }]);
    expect(liquidationPrices(long.desk.state, long.account, 0)).toEqual({ below: 96_202_53, above: 0 });
    const short = holding(5_000 * Q, [{ config, mark, size: -LOTS }]);
    // The root is 103,703.7037: at .70 the margin still holds.
    expect(liquidationPrices(short.desk.state, short.account, 0)).toEqual({ below: 0, above: 103_703_71 });
  });

  it('counts the maintenance of every other position, so that the room shown is the room there is', () => {
    const first = market(0, flat(50_000));
    const second = market(1, flat(50_000));
    const held = [
      { config: first, mark: 10_000 * TICKS, size: LOTS },
      { config: second, mark: 8_000 * TICKS, size: -LOTS },
    ] as const;
    const { desk, account } = holding(960 * Q, held);
    // Alone: (10,000 − 960) / 0.95 = 9,515.8, a room of 4.8 %. With 400 for the other: 9,936.8, a room of 0.6 %.
    expect(liquidationPrices(desk.state, account, 0).below).toBe(9_936_84);
    expect(liquidationPrices(desk.state, account, 1).above).toBe(8_057_15);
    const alone = holding(960 * Q, held.slice(0, 1));
    expect(liquidationPrices(alone.desk.state, alone.account, 0).below).toBe(9_515_78);
  });

  it('is none for a position whose price alone can not bring the account there', () => {
    const config = market(0, flat(50_000));
    const { desk, account } = holding(20_000 * Q, [{ config, mark: 10_000 * TICKS, size: LOTS }]);
    expect(liquidationPrices(desk.state, account, 0)).toEqual({ below: 0, above: 0 });
    expect(liquidationPrices(desk.state, account, 7)).toEqual({ below: 0, above: 0 });
  });

  it('is the mark when the account is liquidatable now', () => {
    const config = market(0, flat(50_000));
    const { desk, account } = holding(400 * Q, [{ config, mark: 10_000 * TICKS, size: LOTS }]);
    expect(liquidationPrices(desk.state, account, 0)).toEqual({ below: 10_000_00, above: 10_000_00 });
  });

  it('is exact to the tick over tiers, several markets and both sides', () => {
    const tiers = [
      { lower: 0, initialPpm: 20_000, maintenancePpm: 10_000 },
      { lower: 20_000, initialPpm: 100_000, maintenancePpm: 60_000 },
      { lower: 50_000, initialPpm: 400_000, maintenancePpm: 300_000 },
    ];
    const size = fc.integer({ min: -30_000, max: 30_000 });
    fc.assert(
      fc.property(
        size.filter((lots) => lots !== 0),
        size,
        fc.integer({ min: 0, max: 60_000 }),
        (one, two, equity) => {
          const { desk, account } = holding(equity * Q, [
            { config: market(0, tiers), mark: 10_000 * TICKS, size: one },
            { config: market(1, tiers), mark: 3_000 * TICKS, size: two },
          ]);
          const { below, above } = liquidationPrices(desk.state, account, 0);
          const at = (price: number): boolean => isLiquidatable(desk, account, 0, price);
          if (at(10_000 * TICKS)) {
            expect([below, above]).toEqual([10_000 * TICKS, 10_000 * TICKS]);
            return;
          }
          expect(one > 0 ? above : below).toBe(0);
          const price = one > 0 ? below : above;
          const inward = one > 0 ? 1 : -1;
          if (price === 0) expect(at(one > 0 ? 1 : 20_000_000)).toBe(false);
          else expect([at(price), at(price + inward)]).toEqual([true, false]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
