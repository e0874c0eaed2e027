/** What the demo and a replay trade: markets, assets, chain parameters, and the windows of their development chain. */
import { type AssetConfig, CASH_BORROWS, LENDING, NO_FEED } from '#protocol/asset.ts';
import { MILLION, NOTIONAL_MAX, QUOTE_MAX } from '#protocol/limits.ts';
import {
  type ChainParameters,
  DEFAULT_CHAIN_PARAMETERS,
  type MarketConfig,
  NO_MARKET_LIMITS,
} from '#protocol/market.ts';
import type { ReplayPlan } from './replay-plan.ts';

const maxPositionOf = (market: { qm: number; maxPrice: number }): number =>
  Math.floor(NOTIONAL_MAX / (market.maxPrice * market.qm));

const MAJOR_TIERS = [
  { lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 },
  { lower: 1_000_000, initialPpm: 40_000, maintenancePpm: 24_000 },
  { lower: 10_000_000, initialPpm: 100_000, maintenancePpm: 60_000 },
] as const;

interface DemoMarket {
  readonly config: MarketConfig;
  /** Ticks; where the publishers' random walk begins. */
  readonly startPrice: number;
}

function demoMarket(
  market: number,
  symbol: string,
  shape: { tickSizeE9: number; qm: number; maxPrice: number; startPrice: number },
): DemoMarket {
  const maxPosition = maxPositionOf(shape);
  return {
    startPrice: shape.startPrice,
    config: {
      market,
      symbol,
      status: 0,
      qm: shape.qm,
      maxPrice: shape.maxPrice,
      maxPosition,
      maxOpenInterest: 0,
      maxOrderSize: maxPosition,
      minNotional: MILLION,
      takerFeePpm: 450,
      makerFeePpm: -50,
      bandPpm: 100_000,
      profitWeightPpm: MILLION,
      ...NO_MARKET_LIMITS,
      tickSizeE9: shape.tickSizeE9,
      tiers: MAJOR_TIERS,
    },
  };
}

/** Tick 0.1 · lot 0.0001 BTC, tick 0.01 · lot 0.001 ETH, tick 0.001 · lot 0.1 SOL: 10, 10 and 100 q. */
export const DEMO_MARKETS: readonly DemoMarket[] = [
  demoMarket(0, 'BTC-PERP', { tickSizeE9: 100_000_000, qm: 10, maxPrice: 10_000_000, startPrice: 650_000 }),
  demoMarket(1, 'ETH-PERP', { tickSizeE9: 10_000_000, qm: 10, maxPrice: 10_000_000, startPrice: 320_000 }),
  demoMarket(2, 'SOL-PERP', { tickSizeE9: 1_000_000, qm: 100, maxPrice: 10_000_000, startPrice: 150_000 }),
];

const NO_CAPS = { userCap: 0, globalCap: 0, supplyCap: 0, borrowCap: 0 } as const;

/** Lending terms of the two majors; the quote asset's are steeper, as it is what is borrowed. */
const MAJOR_RATES = {
  baseRatePpm: 0,
  slope1Ppm: 40_000,
  slope2Ppm: 600_000,
  kinkPpm: 800_000,
  reservePpm: 100_000,
  utilizationCapPpm: 950_000,
} as const;

/** Counts 80 % of its price for initial margin and 85 % for maintenance margin; debts in it weigh more than it does. */
const MAJOR_WEIGHTS = {
  collateralFactorPpm: 800_000,
  liquidationThresholdPpm: 850_000,
  debtWeightInitialPpm: 1_200_000,
  debtWeightMaintenancePpm: 1_100_000,
  haircuts: [
    { upTo: 1_000_000, ppm: MILLION },
    { upTo: 5_000_000, ppm: 900_000 },
  ],
} as const;

/**
 * The quote asset with its lending pool, ether and bitcoin priced by their markets: a whole is worth tickValue q a tick,
 * 0.01 and 0.1 quote.
 */
export const DEMO_ASSETS: readonly AssetConfig[] = [
  {
    asset: 0,
    symbol: 'USD',
    status: 0,
    decimals: 6,
    feed: NO_FEED,
    tickValue: 1,
    collateralFactorPpm: MILLION,
    liquidationThresholdPpm: MILLION,
    debtWeightInitialPpm: MILLION,
    debtWeightMaintenancePpm: MILLION,
    haircuts: [],
    ...NO_CAPS,
    ...MAJOR_RATES,
    slope1Ppm: 50_000,
    slope2Ppm: 950_000,
    flags: LENDING | CASH_BORROWS,
  },
  {
    asset: 1,
    symbol: 'ETH',
    status: 0,
    decimals: 8,
    feed: 1,
    tickValue: 10_000,
    ...MAJOR_WEIGHTS,
    ...NO_CAPS,
    ...MAJOR_RATES,
    flags: LENDING,
  },
  {
    asset: 2,
    symbol: 'BTC',
    status: 0,
    decimals: 8,
    feed: 0,
    tickValue: 100_000,
    ...MAJOR_WEIGHTS,
    ...NO_CAPS,
    ...MAJOR_RATES,
    flags: LENDING,
  },
];

export const DEMO_CHAIN: ChainParameters = {
  ...DEFAULT_CHAIN_PARAMETERS,
  // Everything runs on one machine, which may be busy with other things for a few seconds.
  stalenessMs: 10_000,
  voidMs: 30_000,
};

export const REPLAY_MARKET = 0;
const REPLAY_INITIAL_PPM = 50_000;

/**
 * The market of a replay: the tick of an E-mini future and a multiplier of 1, unless a recording's prices or
 * sizes need smaller units. It has no price band: real books reach far from the mid.
 */
export function replayMarket(plan: ReplayPlan): MarketConfig {
  const maxPrice = Math.max(65_535, 2 * plan.priceMax);
  const lotsMax = Math.max(plan.sizeMax, ...plan.lotsMax);
  const qm = Math.min(250_000, Math.floor(NOTIONAL_MAX / (maxPrice * lotsMax)));
  if (qm < 1)
    throw new Error(
      `replay: expected prices times sizes of one account within 2^48, got ${maxPrice} ticks times ${lotsMax} lots`,
    );
  const maxPosition = maxPositionOf({ qm, maxPrice });
  return {
    market: REPLAY_MARKET,
    symbol: 'ES-PERP',
    status: 0,
    qm,
    maxPrice,
    maxPosition,
    maxOpenInterest: 0,
    maxOrderSize: maxPosition,
    minNotional: 1,
    takerFeePpm: 200,
    makerFeePpm: -50,
    bandPpm: 0,
    profitWeightPpm: MILLION,
    ...NO_MARKET_LIMITS,
    tickSizeE9: 250_000_000,
    tiers: [{ lower: 0, initialPpm: REPLAY_INITIAL_PPM, maintenancePpm: REPLAY_INITIAL_PPM / 2 }],
  };
}

/**
 * q for each account of a replay: three times what its margin can ever ask for, at least a million quote, and all
 * of them together within what the vault takes.
 */
export function replayFunding(plan: ReplayPlan, market: MarketConfig): number {
  const notional = BigInt(Math.max(...plan.lotsMax)) * BigInt(market.maxPrice) * BigInt(market.qm);
  const margin = Number((3n * notional * BigInt(REPLAY_INITIAL_PPM)) / BigInt(MILLION));
  return Math.min(Math.floor(QUOTE_MAX / plan.accounts), Math.max(1_000_000 * MILLION, margin));
}

export const REPLAY_CHAIN: ChainParameters = {
  ...DEFAULT_CHAIN_PARAMETERS,
  // A replay must not change its course because the machine was busy.
  stalenessMs: 600_000,
  voidMs: 3_600_000,
  futureMs: 60_000,
  openOrdersMax: 10_000,
};

/** 0.1 quote. */
export const PRICES_TICK_E9 = 100_000_000;
const PRICES_TIERS = [
  { lower: 0, initialPpm: 20_000, maintenancePpm: 10_000 },
  { lower: 250_000, initialPpm: 40_000, maintenancePpm: 20_000 },
  { lower: 2_500_000, initialPpm: 100_000, maintenancePpm: 50_000 },
] as const;

/** The market of a price replay, leverage up to 50; `priceMost`: the highest price of the series, ticks. */
export const pricesMarket = (priceMost: number): MarketConfig => ({
  ...demoMarket(0, 'BTC-PERP', {
    tickSizeE9: PRICES_TICK_E9,
    qm: 10,
    maxPrice: 2 * priceMost,
    startPrice: priceMost,
  }).config,
  tiers: PRICES_TIERS,
});

/** One row a minute. */
export const PRICES_CHAIN: ChainParameters = {
  ...DEFAULT_CHAIN_PARAMETERS,
  stalenessMs: 90_000,
  voidMs: 150_000,
  futureMs: 60_000,
  sampleIntervalMs: 60_000,
  openOrdersMax: 10_000,
};

/** Seconds from commit to final on the development chain of a demo. */
export const WINDOW_SECONDS = 2;
