/**
 * Configuration of an asset: what it is worth as collateral, what debts in it weigh, and the terms of its lending
 * pool. It comes through the L1 queue like the other configurations (market.ts). Packed big-endian, 144 bytes:
 *
 *    0 u16 asset                    2 u8  status                  3 u8  decimals
 *    4 16  symbol, ASCII, zero padded                            20 u16 feed          22 u16 0
 *   24 u32 collateralFactorPpm     28 u32 liquidationThresholdPpm
 *   32 u32 debtWeightInitialPpm    36 u32 debtWeightMaintenancePpm
 *   40 u64 tickValue               48 4 × (u32 upTo ‖ u32 ppm)
 *   80 u64 userCap                 88 u64 globalCap
 *   96 u32 baseRatePpm            100 u32 slope1Ppm             104 u32 slope2Ppm     108 u32 kinkPpm
 *  112 u32 reservePpm             116 u32 utilizationCapPpm
 *  120 u64 supplyCap              128 u64 borrowCap             136 u8 flags         137 7 zeros
 */
import { assert } from './assert.ts';
import { getU64be, setU64be, viewOf } from './bytes.ts';
import { ASSETS_MAX, MARKETS_MAX, MILLION, NOTIONAL_MAX, QUOTE_MAX, WHOLE_QUOTE_MAX } from './limits.ts';
import { QUOTE_ASSET } from './units.ts';

export const ASSET_ACTIVE = 0;
/** No new deposits as collateral and no new debts. */
export const ASSET_REDUCE_ONLY = 1;

/** Flag: it has a lending pool. */
export const LENDING = 1;
/** Flag of the quote asset: negative cash borrows from the pool. */
export const CASH_BORROWS = 2;

/** Feed of the quote asset, which is its own unit. */
export const NO_FEED = 0xffff;
export const ASSET_CONFIG_BYTES = 144;
export const HAIRCUTS_MAX = 4;
export const DECIMALS_MAX = 12;
/** Debts may weigh up to ten times their value, and rates reach 1,000 % a year. */
const WEIGHT_MAX_PPM = 10 * MILLION;
const RATE_MAX_PPM = 10 * MILLION;

/** A step of the tiered haircut: of the value up to `upTo` this share counts; beyond the last step nothing. */
export interface Haircut {
  /** Whole quote. */
  readonly upTo: number;
  readonly ppm: number;
}

export interface AssetConfig {
  readonly asset: number;
  readonly symbol: string;
  readonly status: 0 | 1;
  /** One whole is 10^decimals ledger units. Never changes. */
  readonly decimals: number;
  /** Market whose index is its price. */
  readonly feed: number;
  /** q that one whole is worth per tick of the feed: value = ⌊units · index · tickValue / 10^decimals⌋. Never changes. */
  readonly tickValue: number;
  /** Share of its value that counts for initial margin, and for maintenance margin. */
  readonly collateralFactorPpm: number;
  readonly liquidationThresholdPpm: number;
  /** What debts in it weigh, at least 1e6. */
  readonly debtWeightInitialPpm: number;
  readonly debtWeightMaintenancePpm: number;
  /** Rising; none: the whole value counts at any size. */
  readonly haircuts: readonly Haircut[];
  /** Units that one account, and all together, may hold as collateral; 0: no cap. */
  readonly userCap: number;
  readonly globalCap: number;
  /** Rates of a year: R0, S1 up to the kink, S2 beyond it. */
  readonly baseRatePpm: number;
  readonly slope1Ppm: number;
  readonly slope2Ppm: number;
  /** Utilization at the kink. */
  readonly kinkPpm: number;
  /** Share of interest that the reserve keeps. */
  readonly reservePpm: number;
  /** New debts take utilization no further. */
  readonly utilizationCapPpm: number;
  /** Units supplied to the pool, and borrowed from it; 0: no cap. */
  readonly supplyCap: number;
  readonly borrowCap: number;
  /** LENDING, CASH_BORROWS. */
  readonly flags: number;
}

/** Byte offsets of the u32 fields, with their bounds. */
const PPM_FIELDS: readonly (readonly [keyof AssetConfig, number, number, number])[] = [
  ['collateralFactorPpm', 24, 0, MILLION],
  ['liquidationThresholdPpm', 28, 0, MILLION],
  ['debtWeightInitialPpm', 32, MILLION, WEIGHT_MAX_PPM],
  ['debtWeightMaintenancePpm', 36, MILLION, WEIGHT_MAX_PPM],
  ['baseRatePpm', 96, 0, RATE_MAX_PPM],
  ['slope1Ppm', 100, 0, RATE_MAX_PPM],
  ['slope2Ppm', 104, 0, RATE_MAX_PPM],
  ['kinkPpm', 108, 1, MILLION - 1],
  ['reservePpm', 112, 0, MILLION],
  ['utilizationCapPpm', 116, 0, MILLION],
];
const UNIT_FIELDS: readonly (readonly [keyof AssetConfig, number])[] = [
  ['userCap', 80],
  ['globalCap', 88],
  ['supplyCap', 120],
  ['borrowCap', 128],
];

export function encodeAssetConfig(config: AssetConfig): Uint8Array {
  const bytes = new Uint8Array(ASSET_CONFIG_BYTES);
  const view = viewOf(bytes);
  view.setUint16(0, config.asset);
  bytes[2] = config.status;
  bytes[3] = config.decimals;
  for (let i = 0; i < config.symbol.length; i++) bytes[4 + i] = config.symbol.charCodeAt(i);
  view.setUint16(20, config.feed);
  for (const [field, offset] of PPM_FIELDS) view.setUint32(offset, config[field] as number);
  setU64be(view, 40, config.tickValue);
  config.haircuts.forEach((haircut, i) => {
    view.setUint32(48 + 8 * i, haircut.upTo);
    view.setUint32(52 + 8 * i, haircut.ppm);
  });
  for (const [field, offset] of UNIT_FIELDS) setU64be(view, offset, config[field] as number);
  bytes[136] = config.flags;
  return bytes;
}

/** Undefined when the bytes are not one whole configuration within the bounds of `assetConfigProblem`. */
export function decodeAssetConfig(bytes: Uint8Array): AssetConfig | undefined {
  if (bytes.length !== ASSET_CONFIG_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint16(22) !== 0 || bytes.subarray(137).some((byte) => byte !== 0)) return undefined;
  let end = 20;
  while (end > 4 && bytes[end - 1] === 0) end--;
  const haircuts: Haircut[] = [];
  for (let i = 0; i < HAIRCUTS_MAX; i++) {
    const upTo = view.getUint32(48 + 8 * i);
    const ppm = view.getUint32(52 + 8 * i);
    if (upTo === 0 && ppm !== 0) return undefined;
    // Unused rows stand behind the used ones.
    if (upTo !== 0 && haircuts.length < i) return undefined;
    if (upTo !== 0) haircuts.push({ upTo, ppm });
  }
  const numbers = Object.fromEntries([
    ...PPM_FIELDS.map(([field, offset]) => [field, view.getUint32(offset)]),
    ...UNIT_FIELDS.map(([field, offset]) => [field, getU64be(view, offset)]),
  ]);
  const config = {
    ...numbers,
    asset: view.getUint16(0),
    status: bytes[2],
    decimals: bytes[3],
    symbol: String.fromCharCode(...bytes.subarray(4, end)),
    feed: view.getUint16(20),
    tickValue: getU64be(view, 40),
    haircuts,
    flags: bytes[136],
  } as unknown as AssetConfig;
  return assetConfigProblem(config) === undefined ? config : undefined;
}

/** One sentence (field, expected, got) when a bound is broken; undefined when the configuration is sound. */
export function assetConfigProblem(config: AssetConfig): string | undefined {
  const within = (field: keyof AssetConfig, low: number, high: number): string | undefined => {
    const value = config[field] as number;
    return Number.isSafeInteger(value) && value >= low && value <= high
      ? undefined
      : `asset.${field}: expected an integer from ${low} to ${high}, got ${value}`;
  };
  let problem =
    within('asset', 0, ASSETS_MAX - 1) ??
    within('status', 0, 1) ??
    within('decimals', 0, DECIMALS_MAX) ??
    within('tickValue', 1, NOTIONAL_MAX) ??
    within('flags', 0, LENDING | CASH_BORROWS);
  for (const [field, , low, high] of PPM_FIELDS) problem ??= within(field, low, high);
  for (const [field] of UNIT_FIELDS) problem ??= within(field, 0, QUOTE_MAX);
  if (problem !== undefined) return problem;
  if (!/^[A-Z0-9-]{1,16}$/.test(config.symbol))
    return `asset.symbol: expected 1 to 16 of A-Z, 0-9 and -, got ${JSON.stringify(config.symbol)}`;
  if (config.collateralFactorPpm > config.liquidationThresholdPpm)
    return `asset.collateralFactorPpm: expected at most liquidationThresholdPpm ${config.liquidationThresholdPpm}, got ${config.collateralFactorPpm}`;
  if (config.debtWeightMaintenancePpm > config.debtWeightInitialPpm)
    return `asset.debtWeightMaintenancePpm: expected at most debtWeightInitialPpm ${config.debtWeightInitialPpm}, got ${config.debtWeightMaintenancePpm}`;
  return haircutProblem(config.haircuts) ?? feedProblem(config);
}

function haircutProblem(haircuts: readonly Haircut[]): string | undefined {
  if (haircuts.length > HAIRCUTS_MAX)
    return `asset.haircuts: expected at most ${HAIRCUTS_MAX}, got ${haircuts.length}`;
  let before: Haircut = { upTo: 0, ppm: MILLION };
  for (const [i, { upTo, ppm }] of haircuts.entries()) {
    if (!Number.isSafeInteger(upTo) || upTo <= before.upTo || upTo > WHOLE_QUOTE_MAX)
      return `asset.haircuts[${i}].upTo: expected ${before.upTo + 1} to ${WHOLE_QUOTE_MAX}, got ${upTo}`;
    if (!Number.isSafeInteger(ppm) || ppm < 0 || ppm > before.ppm)
      return `asset.haircuts[${i}].ppm: expected 0 to ${before.ppm}, got ${ppm}`;
    before = { upTo, ppm };
  }
  return undefined;
}

/** The quote asset is the unit of everything: it needs no feed, and counts in full. */
function feedProblem(config: AssetConfig): string | undefined {
  const must = (field: keyof AssetConfig, value: number): string | undefined =>
    config[field] === value
      ? undefined
      : `asset.${field}: expected ${value} for the quote asset, got ${config[field]}`;
  if (config.asset === QUOTE_ASSET)
    return (
      must('feed', NO_FEED) ??
      must('tickValue', 1) ??
      must('decimals', 6) ??
      must('collateralFactorPpm', MILLION) ??
      must('liquidationThresholdPpm', MILLION) ??
      must('debtWeightInitialPpm', MILLION) ??
      must('debtWeightMaintenancePpm', MILLION) ??
      (config.haircuts.length === 0
        ? undefined
        : `asset.haircuts: expected none for the quote asset, got ${config.haircuts.length}`)
    );
  if (config.feed >= MARKETS_MAX)
    return `asset.feed: expected a market from 0 to ${MARKETS_MAX - 1}, got ${config.feed}`;
  return (config.flags & CASH_BORROWS) === 0
    ? undefined
    : `asset.flags: expected ${CASH_BORROWS} for the quote asset alone, got ${config.flags}`;
}

assert(NO_FEED >= MARKETS_MAX, 'no market has the id of "no feed"');
