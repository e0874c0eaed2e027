/** Assets from a file: the one that docs/configuration.md shows, and what is wrong with others in one sentence each. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAssetFile } from '#client/cli/asset-file.ts';
import { amountText, assetNamed, tokenText } from '#client/cli/assets.ts';
import { DEMO_ASSETS, DEMO_MARKETS } from '#client/demo/markets.ts';
import { assetConfigProblem } from '#protocol/asset.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';

const MARKETS = DEMO_MARKETS.map(({ config }) => config);
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'assets-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function read(text: string) {
  const file = path.join(directory, 'assets.yaml');
  writeFileSync(file, text);
  return readAssetFile(file, MARKETS);
}

test('the file of the documentation', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const shown = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
  const { tokens, assets } = read(shown.find((text) => text.startsWith('- token'))!);
  expect(tokens).toEqual([
    { name: 'tUSD', symbol: 'tUSD', decimals: 6, ledgerDecimals: 6 },
    { name: 'Test Solana', symbol: 'tSOL', decimals: 9, ledgerDecimals: 6 },
  ]);
  expect(assets).toEqual([
    DEMO_ASSETS[0],
    {
      ...DEMO_ASSETS[1],
      asset: 1,
      symbol: 'SOL',
      decimals: 6,
      feed: 2,
      // A tick of SOL-PERP is 0.001 quote.
      tickValue: 1_000,
      collateralFactorPpm: 600_000,
      liquidationThresholdPpm: 700_000,
      haircuts: [
        { upTo: 100_000, ppm: 1_000_000 },
        { upTo: 500_000, ppm: 500_000 },
      ],
      globalCap: 100_000_000_000,
      baseRatePpm: 20_000,
      kinkPpm: 700_000,
    },
  ]);
  expect(assets.map(assetConfigProblem)).toEqual([undefined, undefined]);
});

test('the default assets are sound and worth what their markets say', () => {
  for (const [i, config] of DEMO_ASSETS.entries()) {
    expect(assetConfigProblem(config)).toBeUndefined();
    expect(config.asset).toBe(i);
    if (i > 0) expect(config.tickValue).toBe(MARKETS[config.feed]!.tickSizeE9 / 1_000);
  }
});

const QUOTE = '- { token: { symbol: tUSD, decimals: 6 }, symbol: USD, decimals: 6 }\n';

test.each([
  ['', 'list: Invalid input: expected array, received null'],
  ['- { symbol: USD }', '0.token: Invalid input: expected object, received undefined'],
  [
    `${QUOTE}- { token: { symbol: tX, decimals: 8 }, symbol: X, decimals: 8 }`,
    '1.feed: expected one of BTC-PERP, ETH-PERP, SOL-PERP, got none',
  ],
  [
    QUOTE.replace('decimals: 6 }\n', 'decimals: 6, feed: BTC-PERP }\n'),
    '0.feed: expected none for the quote asset, got BTC-PERP',
  ],
  [QUOTE.replace('decimals: 6 }\n', 'decimals: 6, weight: 1 }\n'), '0: Unrecognized key: "weight"'],
])('%j', (text, sentence) => {
  expect(() => read(text)).toThrow(`assets.yaml: ${sentence}`);
});

test('assets are named by symbol or number, and shown by their decimals', () => {
  const asset = (number: number, symbol: string, decimals: number, tokenDecimals: number) => ({
    ...{ asset: number, symbol, decimals, tokenDecimals, token: '0x' as const },
    ...{ scale: 10n ** BigInt(tokenDecimals - decimals), depositMin: 1, cap: 1 },
  });
  const rollup = { assets: [asset(0, 'tUSD', 6, 6), asset(1, 'tETH', 8, 18)] } as unknown as RollupContracts;
  expect(assetNamed(rollup, undefined).symbol).toBe('tUSD');
  for (const name of ['tETH', 'teth', '1']) expect(assetNamed(rollup, name).asset).toBe(1);
  expect(() => assetNamed(rollup, 'tBTC')).toThrow('--asset: expected one of tUSD (0), tETH (1), got tBTC');
  expect(amountText(rollup.assets[1]!, 150_000_000)).toBe('1.5 tETH');
  expect(tokenText(rollup.assets[1]!, 10n ** 18n)).toBe('1 tETH');
});
