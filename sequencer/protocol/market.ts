/**
 * Configuration that reaches the state machine through the L1 queue: markets, chain parameters, publishers (assets:
 * asset.ts). Packed big-endian, because contracts bound and forward it; one entry is at most 256 bytes.
 *
 *   MarketConfig (128 + 16 a tier)                     ChainParameters (96)
 *    0 u16 market        2 u8 status   3 u8 tiers       0 u32 stalenessMs        48 u32 liquidationBufferPpm
 *    4 16  symbol, ASCII, zero padded                   4 u32 voidMs             52 u32 sliceIntervalMs
 *   20 u64 qm            28 u32 maxPrice                8 u32 futureMs           56 u32 bookPhaseMs
 *   32 u64 maxPosition   40 u64 maxOpenInterest        12 u32 sampleIntervalMs   60 u32 auctionMs
 *   48 u64 maxOrderSize  56 u64 minNotional            16 u32 fundingIntervalMs  64 u32 auctionRoundMs
 *   64 u32 takerFeePpm   68 i32 makerFeePpm            20 u32 openOrdersMax      68 u32 discountStartPpm
 *   72 u32 bandPpm       76 u32 profitWeightPpm        24 u32 sessionKeysMax     72 u32 liquidationFeePpm
 *   80 u64 tickSizeE9    88 u8 riskPool  89 u8 flags   28 u32 indexEmaTauMs      76 u32 smallNotional
 *   90 u16 0             92 u32 profitCap              32 u32 markEmaTauMs       80 u32 sliceNotional
 *   96 u32 openInterestLower   100 u32 …Upper          36 u32 markClampPpm       84 u32 stableFeed
 *  104 u32 concentrationPpm    108 u32 confidenceMaxPpm 40 u32 withdrawalFloorPpm 88 u32 depegPpm
 *  112 u32 deviationPpm        116 u32 backstopCap     44 u32 twapTauMs          92 u32 depegSlope
 *  120 u32 insuranceClaim      124 u32 0
 *  128 tiers: u64 lower (quote, whole) ‖ u32 initialPpm ‖ u32 maintenancePpm
 */
import { getU64be, setU64be, viewOf } from './bytes.ts';
import {
  MARKETS_MAX,
  MILLION,
  NOTIONAL_MAX,
  OPEN_ORDERS_PER_ACCOUNT_MAX,
  PRICE_MAX,
  RISK_POOL_MAX,
  SESSION_KEYS_PER_ACCOUNT_MAX,
  SIZE_MAX,
  TIERS_MAX,
  WHOLE_QUOTE_MAX,
} from './limits.ts';

export const MARKET_ACTIVE = 0;
export const MARKET_REDUCE_ONLY = 1;
export const MARKET_HALTED = 2;
export type MarketStatus = 0 | 1 | 2;

export interface MarginTier {
  /** Notional at which the tier begins, in whole quote units (multiples of 1e6 q); the first is 0. */
  readonly lower: number;
  readonly initialPpm: number;
  readonly maintenancePpm: number;
}

export interface MarketConfig {
  readonly market: number;
  readonly symbol: string;
  readonly status: MarketStatus;
  /** q of notional per tick and lot: tick · lot / 1e-6. */
  readonly qm: number;
  /** Ticks; an index above it halts the market. */
  readonly maxPrice: number;
  /** Lots. */
  readonly maxPosition: number;
  /** Lots; 0: no limit. */
  readonly maxOpenInterest: number;
  /** Lots. */
  readonly maxOrderSize: number;
  /** q. */
  readonly minNotional: number;
  readonly takerFeePpm: number;
  /** Negative: a rebate, never larger than the taker's fee. */
  readonly makerFeePpm: number;
  /** Limit prices stay within this of the mark; 0: no band. */
  readonly bandPpm: number;
  /** Share of unrealized profit that counts for initial margin. */
  readonly profitWeightPpm: number;
  /** Display only: quote per tick, in 1e-9. */
  readonly tickSizeE9: number;
  /** Accounts of this pool alone may trade it. */
  readonly riskPool: number;
  /** ISOLATED_ONLY, FEED_ONLY, FAST_BACKSTOP. */
  readonly flags: number;
  /** Most unrealized profit of one account that counts for its initial margin, whole quote; 0: no cap. */
  readonly profitCap: number;
  /** Whole quote of open interest at which initial margin begins to rise, and at which it is 100 %; 0 and 0: off. */
  readonly openInterestLower: number;
  readonly openInterestUpper: number;
  /** How much initial margin rises with notional beyond the book's depth; 0: off. */
  readonly concentrationPpm: number;
  /** A round whose confidence is wider than this share of the index is uncertain; 0: off. */
  readonly confidenceMaxPpm: number;
  /** A move of one round beyond this must be repeated before it can liquidate; 0: off. */
  readonly deviationPpm: number;
  /** Notional that the backstop vault takes, whole quote; 0: none. */
  readonly backstopCap: number;
  /** What the market may claim of its pool's insurance fund a day, whole quote; 0: nothing. */
  readonly insuranceClaim: number;
  /** 1 … 8, ascending. */
  readonly tiers: readonly MarginTier[];
}

/** Traded by isolated accounts alone. */
export const ISOLATED_ONLY = 1;
/** Has a price and no orders: an asset's or the quote asset's own feed. */
export const FEED_ONLY = 2;
/** The backstop vault takes over at once, without an auction. */
export const FAST_BACKSTOP = 4;

/** A market without caps and add-ons, in the common pool. */
export const NO_MARKET_LIMITS = {
  riskPool: 0,
  flags: 0,
  profitCap: 0,
  openInterestLower: 0,
  openInterestUpper: 0,
  concentrationPpm: 0,
  confidenceMaxPpm: 0,
  deviationPpm: 0,
  backstopCap: 0,
  insuranceClaim: 0,
} as const;

export interface ChainParameters {
  /** A report older than this does not count. */
  readonly stalenessMs: number;
  /** Without a round for so long the index is void: no new risk, no funding. */
  readonly voidMs: number;
  /** How far ahead of the clock a report may be. */
  readonly futureMs: number;
  readonly sampleIntervalMs: number;
  readonly fundingIntervalMs: number;
  readonly openOrdersMax: number;
  readonly sessionKeysMax: number;
  readonly indexEmaTauMs: number;
  readonly markEmaTauMs: number;
  readonly markClampPpm: number;
  /** After a withdrawal, equity stays at or above this share of the positions' notional. */
  readonly withdrawalFloorPpm: number;
  /** Averaging time of the index for what assets are worth as initial margin. */
  readonly twapTauMs: number;
  /** A liquidation restores equity to maintenance margin and this share of it. */
  readonly liquidationBufferPpm: number;
  /** Slices on the book grow by a fifth of the position in each such interval. */
  readonly sliceIntervalMs: number;
  /** A book phase that has not restored the account after this long becomes an auction. */
  readonly bookPhaseMs: number;
  /** Time in which an auction's discount rises to its end, and after which the backstop takes over. */
  readonly auctionMs: number;
  /** Bids of one such interval are one round. */
  readonly auctionRoundMs: number;
  /** Discount of an auction at its start, of notional. */
  readonly discountStartPpm: number;
  /** Most that a book liquidation pays the insurance fund, of what it traded. */
  readonly liquidationFeePpm: number;
  /** Whole quote: an account with less notional is auctioned as a whole. */
  readonly smallNotional: number;
  /** Whole quote: a position below this is liquidated in one slice. */
  readonly sliceNotional: number;
  /** Market id + 1 whose index is the quote asset's own price, in 1e-6; 0: it counts as 1. */
  readonly stableFeed: number;
  /** Below this price of the quote asset initial margin rises, */
  readonly depegPpm: number;
  /** by this many times the difference. */
  readonly depegSlope: number;
}

export const DEFAULT_CHAIN_PARAMETERS: ChainParameters = {
  stalenessMs: 3_000,
  voidMs: 10_000,
  futureMs: 3_000,
  sampleIntervalMs: 5_000,
  fundingIntervalMs: 3_600_000,
  openOrdersMax: 1_000,
  sessionKeysMax: 16,
  indexEmaTauMs: 150_000,
  markEmaTauMs: 30_000,
  markClampPpm: 5_000,
  withdrawalFloorPpm: 100_000,
  twapTauMs: 300_000,
  liquidationBufferPpm: 100_000,
  sliceIntervalMs: 10_000,
  bookPhaseMs: 15_000,
  auctionMs: 60_000,
  auctionRoundMs: 500,
  discountStartPpm: 2_500,
  liquidationFeePpm: 10_000,
  smallNotional: 1_000,
  sliceNotional: 100_000,
  stableFeed: 0,
  depegPpm: 990_000,
  depegSlope: 4,
};

export const MARKET_HEADER_BYTES = 128;
const TIER_BYTES = 16;
export const CHAIN_PARAMETERS_BYTES = 96;

const LIMITS_OFFSET = 92;
const LIMIT_FIELDS = [
  'profitCap',
  'openInterestLower',
  'openInterestUpper',
  'concentrationPpm',
  'confidenceMaxPpm',
  'deviationPpm',
  'backstopCap',
  'insuranceClaim',
] as const satisfies readonly (keyof MarketConfig)[];

export function encodeMarketConfig(config: MarketConfig): Uint8Array {
  const bytes = new Uint8Array(MARKET_HEADER_BYTES + TIER_BYTES * config.tiers.length);
  const view = viewOf(bytes);
  view.setUint16(0, config.market);
  bytes[2] = config.status;
  bytes[3] = config.tiers.length;
  for (let i = 0; i < config.symbol.length; i++) bytes[4 + i] = config.symbol.charCodeAt(i);
  setU64be(view, 20, config.qm);
  view.setUint32(28, config.maxPrice);
  setU64be(view, 32, config.maxPosition);
  setU64be(view, 40, config.maxOpenInterest);
  setU64be(view, 48, config.maxOrderSize);
  setU64be(view, 56, config.minNotional);
  view.setUint32(64, config.takerFeePpm);
  view.setInt32(68, config.makerFeePpm);
  view.setUint32(72, config.bandPpm);
  view.setUint32(76, config.profitWeightPpm);
  setU64be(view, 80, config.tickSizeE9);
  bytes[88] = config.riskPool;
  bytes[89] = config.flags;
  LIMIT_FIELDS.forEach((field, i) => {
    view.setUint32(LIMITS_OFFSET + 4 * i, config[field]);
  });
  config.tiers.forEach((tier, i) => {
    const at = MARKET_HEADER_BYTES + i * TIER_BYTES;
    setU64be(view, at, tier.lower);
    view.setUint32(at + 8, tier.initialPpm);
    view.setUint32(at + 12, tier.maintenancePpm);
  });
  return bytes;
}

/** Undefined when the bytes are not one whole configuration within the bounds of `marketConfigProblem`. */
export function decodeMarketConfig(bytes: Uint8Array): MarketConfig | undefined {
  if (bytes.length < MARKET_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  const tierCount = bytes[3]!;
  if (tierCount > TIERS_MAX || bytes.length !== MARKET_HEADER_BYTES + TIER_BYTES * tierCount)
    return undefined;
  const tiers: MarginTier[] = [];
  for (let i = 0; i < tierCount; i++) {
    const at = MARKET_HEADER_BYTES + i * TIER_BYTES;
    tiers.push({
      lower: getU64be(view, at),
      initialPpm: view.getUint32(at + 8),
      maintenancePpm: view.getUint32(at + 12),
    });
  }
  let end = 20;
  while (end > 4 && bytes[end - 1] === 0) end--;
  const config: MarketConfig = {
    market: view.getUint16(0),
    status: bytes[2] as MarketStatus,
    symbol: String.fromCharCode(...bytes.subarray(4, end)),
    qm: getU64be(view, 20),
    maxPrice: view.getUint32(28),
    maxPosition: getU64be(view, 32),
    maxOpenInterest: getU64be(view, 40),
    maxOrderSize: getU64be(view, 48),
    minNotional: getU64be(view, 56),
    takerFeePpm: view.getUint32(64),
    makerFeePpm: view.getInt32(68),
    bandPpm: view.getUint32(72),
    profitWeightPpm: view.getUint32(76),
    tickSizeE9: getU64be(view, 80),
    riskPool: bytes[88]!,
    flags: bytes[89]!,
    profitCap: view.getUint32(92),
    openInterestLower: view.getUint32(96),
    openInterestUpper: view.getUint32(100),
    concentrationPpm: view.getUint32(104),
    confidenceMaxPpm: view.getUint32(108),
    deviationPpm: view.getUint32(112),
    backstopCap: view.getUint32(116),
    insuranceClaim: view.getUint32(120),
    tiers,
  };
  if (view.getUint16(90) !== 0 || view.getUint32(124) !== 0) return undefined;
  return marketConfigProblem(config) === undefined ? config : undefined;
}

/** One sentence (field, expected, got) when a bound is broken; undefined when the configuration is sound. */
export function marketConfigProblem(config: MarketConfig): string | undefined {
  const integer = (field: keyof MarketConfig, low: number, high: number): string | undefined => {
    const value = config[field] as number;
    return Number.isSafeInteger(value) && value >= low && value <= high
      ? undefined
      : `market.${field}: expected an integer from ${low} to ${high}, got ${value}`;
  };
  const ranges =
    integer('market', 0, MARKETS_MAX - 1) ??
    integer('status', 0, 2) ??
    integer('qm', 1, NOTIONAL_MAX) ??
    integer('maxPrice', 1, PRICE_MAX) ??
    integer('maxPosition', 1, SIZE_MAX) ??
    integer('maxOpenInterest', 0, SIZE_MAX) ??
    integer('maxOrderSize', 1, SIZE_MAX) ??
    integer('minNotional', 0, NOTIONAL_MAX) ??
    integer('takerFeePpm', 0, 100_000) ??
    integer('makerFeePpm', -config.takerFeePpm, 100_000) ??
    integer('bandPpm', 0, MILLION) ??
    integer('profitWeightPpm', 0, MILLION) ??
    integer('tickSizeE9', 0, Number.MAX_SAFE_INTEGER) ??
    integer('riskPool', 0, RISK_POOL_MAX) ??
    integer('flags', 0, ISOLATED_ONLY | FEED_ONLY | FAST_BACKSTOP) ??
    integer('profitCap', 0, WHOLE_QUOTE_MAX) ??
    integer('openInterestLower', 0, WHOLE_QUOTE_MAX) ??
    integer('openInterestUpper', 0, WHOLE_QUOTE_MAX) ??
    integer('concentrationPpm', 0, 10 * MILLION) ??
    integer('confidenceMaxPpm', 0, MILLION) ??
    integer('deviationPpm', 0, MILLION) ??
    integer('backstopCap', 0, WHOLE_QUOTE_MAX) ??
    integer('insuranceClaim', 0, WHOLE_QUOTE_MAX);
  if (ranges !== undefined) return ranges;
  if (!/^[A-Z0-9-]{1,16}$/.test(config.symbol))
    return `market.symbol: expected 1 to 16 of A-Z, 0-9 and -, got ${JSON.stringify(config.symbol)}`;
  if (BigInt(config.maxPosition) * BigInt(config.maxPrice) * BigInt(config.qm) > BigInt(NOTIONAL_MAX))
    return `market.maxPosition · maxPrice · qm: expected at most 2^48, got ${
      BigInt(config.maxPosition) * BigInt(config.maxPrice) * BigInt(config.qm)
    }`;
  if (
    config.openInterestUpper <= config.openInterestLower &&
    (config.openInterestLower !== 0 || config.openInterestUpper !== 0)
  )
    return `market.openInterestUpper: expected above openInterestLower ${config.openInterestLower}, got ${config.openInterestUpper}`;
  if (config.tiers.length < 1 || config.tiers.length > TIERS_MAX)
    return `market.tiers: expected 1 to ${TIERS_MAX}, got ${config.tiers.length}`;
  for (const [i, tier] of config.tiers.entries()) {
    const previous = config.tiers[i - 1];
    if (previous === undefined ? tier.lower !== 0 : tier.lower <= previous.lower)
      return `market.tiers[${i}].lower: expected 0 for the first and rising values, got ${tier.lower}`;
    if (tier.lower > NOTIONAL_MAX / MILLION)
      return `market.tiers[${i}].lower: expected at most 2^48 q, got ${tier.lower} quote`;
    if (tier.maintenancePpm < 1 || tier.maintenancePpm > tier.initialPpm || tier.initialPpm > MILLION)
      return `market.tiers[${i}]: expected 0 < maintenancePpm <= initialPpm <= 1e6, got ${tier.maintenancePpm} and ${tier.initialPpm}`;
    if (
      previous !== undefined &&
      (tier.maintenancePpm < previous.maintenancePpm || tier.initialPpm < previous.initialPpm)
    )
      return `market.tiers[${i}]: expected rates that do not fall, got ${tier.initialPpm} after ${previous.initialPpm}`;
  }
  return undefined;
}

const CHAIN_FIELDS: readonly (readonly [keyof ChainParameters, number, number])[] = [
  ['stalenessMs', 100, 600_000],
  ['voidMs', 100, 3_600_000],
  ['futureMs', 0, 60_000],
  ['sampleIntervalMs', 100, 3_600_000],
  ['fundingIntervalMs', 1_000, 86_400_000],
  ['openOrdersMax', 1, OPEN_ORDERS_PER_ACCOUNT_MAX],
  ['sessionKeysMax', 0, SESSION_KEYS_PER_ACCOUNT_MAX],
  ['indexEmaTauMs', 1, 86_400_000],
  ['markEmaTauMs', 1, 86_400_000],
  ['markClampPpm', 0, MILLION],
  ['withdrawalFloorPpm', 0, MILLION],
  ['twapTauMs', 1, 86_400_000],
  ['liquidationBufferPpm', 0, MILLION],
  ['sliceIntervalMs', 1_000, 3_600_000],
  ['bookPhaseMs', 1_000, 3_600_000],
  ['auctionMs', 1_000, 3_600_000],
  ['auctionRoundMs', 100, 60_000],
  ['discountStartPpm', 0, MILLION],
  ['liquidationFeePpm', 0, 100_000],
  ['smallNotional', 0, WHOLE_QUOTE_MAX],
  ['sliceNotional', 0, WHOLE_QUOTE_MAX],
  ['stableFeed', 0, MARKETS_MAX],
  ['depegPpm', 0, MILLION],
  ['depegSlope', 0, 100],
];

export function encodeChainParameters(parameters: ChainParameters): Uint8Array {
  const bytes = new Uint8Array(CHAIN_PARAMETERS_BYTES);
  const view = viewOf(bytes);
  CHAIN_FIELDS.forEach(([field], i) => {
    view.setUint32(4 * i, parameters[field]);
  });
  return bytes;
}

export function decodeChainParameters(bytes: Uint8Array): ChainParameters | undefined {
  if (bytes.length !== CHAIN_PARAMETERS_BYTES) return undefined;
  const view = viewOf(bytes);
  const values = Object.fromEntries(CHAIN_FIELDS.map(([field], i) => [field, view.getUint32(4 * i)]));
  const parameters = values as unknown as ChainParameters;
  return chainParametersProblem(parameters) === undefined ? parameters : undefined;
}

export function chainParametersProblem(parameters: ChainParameters): string | undefined {
  for (const [field, low, high] of CHAIN_FIELDS) {
    const value = parameters[field];
    if (!Number.isSafeInteger(value) || value < low || value > high)
      return `chain.${field}: expected an integer from ${low} to ${high}, got ${value}`;
  }
  if (parameters.voidMs < parameters.stalenessMs)
    return `chain.voidMs: expected at least stalenessMs ${parameters.stalenessMs}, got ${parameters.voidMs}`;
  return undefined;
}

/** Payload of CONFIGURE_PUBLISHER. */
export function encodePublisher(publisher: {
  index: number;
  address: Uint8Array;
  weight: number;
}): Uint8Array {
  const bytes = new Uint8Array(25);
  bytes[0] = publisher.index;
  bytes.set(publisher.address, 1);
  viewOf(bytes).setUint32(21, publisher.weight);
  return bytes;
}

export function decodePublisher(
  bytes: Uint8Array,
): { index: number; address: Uint8Array; weight: number } | undefined {
  if (bytes.length !== 25 || bytes[0]! >= 16) return undefined;
  const weight = viewOf(bytes).getUint32(21);
  return weight > MILLION ? undefined : { index: bytes[0]!, address: bytes.slice(1, 21), weight };
}
