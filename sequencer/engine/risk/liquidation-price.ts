/**
 * The liquidation prices of an account in one market: the nearest mark prices, below and above, at which its
 * equity V_M is less than its maintenance margin while every other price stands still. The maintenance of all
 * other positions is in them, as it is in the rule that liquidates.
 */
import { COPIED_ACCOUNT, copyAccount, moveMarket } from '#state/account-copy.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { MarketState } from '#state/market-state.ts';
import { addExposure, Exposure, Margin, MarginCalculator } from './margin.ts';

/** Ticks; 0 where no price of that side liquidates. Both are the mark when the account is liquidatable now. */
export interface LiquidationPrices {
  readonly below: number;
  readonly above: number;
}

export const NO_LIQUIDATION: LiquidationPrices = { below: 0, above: 0 };

/** V_M − M in q of the account if the mark of the market were `price` ticks. */
type Surplus = (price: number) => number;

export function liquidationPrices(
  state: ExchangeState,
  account: number,
  marketId: number,
): LiquidationPrices {
  const market = state.market(marketId);
  if (market === undefined || market.mark === 0) return NO_LIQUIDATION;
  const copy = copyAccount(state, account);
  const surplus = surplusOf(copy, market);
  if (surplus(market.mark) < 0) return { below: market.mark, above: market.mark };
  const turns = turningPrices(copy, market);
  return {
    below: nearest(surplus, [...turns.filter((price) => price < market.mark).reverse(), 1], market.mark),
    above: nearest(
      surplus,
      [...turns.filter((price) => price > market.mark), market.config.maxPrice],
      market.mark,
    ),
  };
}

/** `market` is that of the live state; it is moved in the copy alone. */
function surplusOf(copy: ExchangeState, market: MarketState): Surplus {
  const id = market.config.market;
  const margins = new MarginCalculator(copy);
  const whole = new Margin();
  if (feedsAssets(copy, id))
    return (price) => {
      moveMarket(copy, market, price);
      margins.compute(whole, COPIED_ACCOUNT);
      return whole.equityMaintenance - whole.maintenance;
    };
  // Nothing but the position moves with this market: the rest is computed once.
  margins.compute(whole, COPIED_ACCOUNT, id);
  const rest = whole.equityMaintenance - whole.maintenance;
  const exposure = new Exposure().load(copy, copy.findPosition(COPIED_ACCOUNT, id));
  const one = new Margin();
  return (price) => {
    one.reset(0);
    addExposure(one, moveMarket(copy, market, price), exposure);
    return rest + one.equityMaintenance - one.maintenance;
  };
}

const feedsAssets = (copy: ExchangeState, market: number): boolean =>
  copy.accounts.assetRows(COPIED_ACCOUNT).some(({ asset }) => copy.assets[asset]?.config.feed === market);

/**
 * Prices at which the surplus changes its slope, rising: between two of them it is a straight line but for
 * rounding, so that its ends tell whether it falls below zero.
 */
function turningPrices(copy: ExchangeState, market: MarketState): number[] {
  const { mark, index } = market;
  const { maxPrice, market: id } = market.config;
  const prices: number[] = [];
  const add = (price: bigint): void => {
    for (const near of [price, price + 1n])
      if (near >= 1n && near <= BigInt(maxPrice)) prices.push(Number(near));
  };
  const slot = copy.findPosition(COPIED_ACCOUNT, id);
  const size = slot < 0 ? 0 : Math.abs(copy.positions.size(slot));
  if (size > 0)
    for (const tier of market.tiers) add(BigInt(tier.lower) / (BigInt(size) * BigInt(market.config.qm)));
  for (const { asset, balance } of copy.accounts.assetRows(COPIED_ACCOUNT)) {
    const config = copy.assets[asset]?.config;
    if (config?.feed !== id || balance === 0 || index === 0) continue;
    const perTick = BigInt(balance) * BigInt(config.tickValue);
    if (perTick === 0n) continue;
    for (const { upTo } of config.haircuts)
      add(
        (BigInt(upTo) * 1_000_000n * 10n ** BigInt(config.decimals) * BigInt(mark)) /
          (perTick * BigInt(index)),
      );
  }
  return prices.sort((a, b) => a - b);
}

/** The price nearest to `start` with a surplus below zero, on the way along `stops` away from it; 0 for none. */
function nearest(surplus: Surplus, stops: readonly number[], start: number): number {
  let good = start;
  for (const stop of stops) {
    if (surplus(stop) >= 0) {
      good = stop;
      continue;
    }
    let bad = stop;
    while (Math.abs(bad - good) > 1) {
      const middle = Math.floor((good + bad) / 2);
      if (surplus(middle) < 0) bad = middle;
      else good = middle;
    }
    return bad;
  }
  return 0;
}
