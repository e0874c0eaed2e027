/**
 * Assets of a development chain from a file, YAML or JSON: a list, the quote asset first. What is left out is as on the
 * default chain (client/demo/markets.ts); docs/configuration.md shows a whole file.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { type AssetConfig, CASH_BORROWS, LENDING } from '#protocol/asset.ts';
import type { MarketConfig } from '#protocol/market.ts';
import type { TestToken } from '#settlement/l1/test-tokens.ts';
import { DEMO_ASSETS } from '../demo/markets.ts';
import { UsageError } from './failure.ts';

const whole = z.int().min(0);

const assetSchema = z.strictObject({
  token: z.strictObject({
    name: z.string().min(1).optional(),
    symbol: z.string().min(1),
    decimals: z.int().min(0).max(36),
  }),
  symbol: z.string(),
  decimals: whole,
  feed: z.string().optional(),
  status: z.union([z.literal(0), z.literal(1)]).optional(),
  tickValue: whole.optional(),
  collateralFactorPpm: whole.optional(),
  liquidationThresholdPpm: whole.optional(),
  debtWeightInitialPpm: whole.optional(),
  debtWeightMaintenancePpm: whole.optional(),
  haircuts: z.array(z.strictObject({ upTo: whole, ppm: whole })).optional(),
  userCap: whole.optional(),
  globalCap: whole.optional(),
  baseRatePpm: whole.optional(),
  slope1Ppm: whole.optional(),
  slope2Ppm: whole.optional(),
  kinkPpm: whole.optional(),
  reservePpm: whole.optional(),
  utilizationCapPpm: whole.optional(),
  supplyCap: whole.optional(),
  borrowCap: whole.optional(),
  lending: z.boolean().optional(),
});

type AssetEntry = z.output<typeof assetSchema>;

/** Throws `UsageError`; the bounds of the numbers are checked by the deployment (`assetConfigProblem`). */
export function readAssetFile(
  file: string,
  markets: readonly MarketConfig[],
): { tokens: TestToken[]; assets: AssetConfig[] } {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UsageError(`assets file ${file}: ${(cause as Error).message.split('\n')[0]}`, { cause });
  }
  const parsed = z.array(assetSchema).min(1).max(64).safeParse(content);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new UsageError(`assets file ${file}: ${path.join('.') || 'list'}: ${message}`);
  }
  return {
    tokens: parsed.data.map(({ token, decimals }) => ({
      ...{ name: token.name ?? token.symbol, symbol: token.symbol },
      ...{ decimals: token.decimals, ledgerDecimals: Math.min(decimals, token.decimals) },
    })),
    assets: parsed.data.map((entry, asset) => configOf(entry, asset, { file, markets })),
  };
}

function configOf(
  { token: _, feed, lending, ...given }: AssetEntry,
  asset: number,
  at: { readonly file: string; readonly markets: readonly MarketConfig[] },
): AssetConfig {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (asset === 0) {
    if (feed !== undefined)
      throw new UsageError(`assets file ${at.file}: 0.feed: expected none for the quote asset, got ${feed}`);
    const flags = lending === false ? 0 : LENDING | CASH_BORROWS;
    return { ...DEMO_ASSETS[0]!, flags, ...set, asset };
  }
  const market = at.markets.find(({ symbol }) => symbol === feed);
  if (market === undefined)
    throw new UsageError(
      `assets file ${at.file}: ${asset}.feed: expected one of ${at.markets.map(({ symbol }) => symbol).join(', ')}, got ${feed ?? 'none'}`,
    );
  // A tick is tickSizeE9 · 1e-9 quote, a q is 1e-6 of it.
  const tickValue = Math.floor(market.tickSizeE9 / 1_000);
  const flags = lending === false ? 0 : LENDING;
  return { ...DEMO_ASSETS[1]!, tickValue, flags, ...set, asset, feed: market.market };
}
