/**
 * The cases of test/vectors/configuration.json: payloads of configuration entries and whether
 * sequencer/protocol/market.ts takes them, for ConfigurationLib.sol. `npx tsx test/settlement/configuration-vectors.ts`
 * writes the file; a test holds the file to this.
 *
 *   base16 … base19: a valid payload of each kind; kind, length, offset, patch, valid: of case i, whose payload
 *   is its kind's base cut or zero-padded to the length and overwritten by the patch from the offset on
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeAssetConfig, encodeAssetConfig } from '#protocol/asset.ts';
import { concat, toHex, viewOf } from '#protocol/bytes.ts';
import {
  DEFAULT_CHAIN_PARAMETERS,
  decodeChainParameters,
  decodeMarketConfig,
  decodePublisher,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  NO_MARKET_LIMITS,
} from '#protocol/market.ts';
import {
  QUEUE_CONFIGURE_ASSET,
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
} from '#protocol/queue-entry.ts';

import { TEST_ASSET, TEST_QUOTE_ASSET } from '#test/support/assets.ts';

export interface ConfigurationCase {
  readonly kind: number;
  readonly length: number;
  readonly offset: number;
  readonly patch: string;
  readonly valid: boolean;
}

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly width: 1 | 2 | 4 | 8;
}

const CHAIN_FIELDS: readonly Field[] = Array.from({ length: 24 }, (_, i) => ({
  name: `chain word ${i}`,
  offset: 4 * i,
  width: 4,
}));

const MARKET_FIELDS: readonly Field[] = [
  { name: 'market', offset: 0, width: 2 },
  { name: 'status', offset: 2, width: 1 },
  { name: 'tiers', offset: 3, width: 1 },
  { name: 'symbol start', offset: 4, width: 1 },
  { name: 'symbol inside', offset: 6, width: 1 },
  { name: 'symbol end', offset: 19, width: 1 },
  { name: 'qm', offset: 20, width: 8 },
  { name: 'maxPrice', offset: 28, width: 4 },
  { name: 'maxPosition', offset: 32, width: 8 },
  { name: 'maxOpenInterest', offset: 40, width: 8 },
  { name: 'maxOrderSize', offset: 48, width: 8 },
  { name: 'minNotional', offset: 56, width: 8 },
  { name: 'takerFeePpm', offset: 64, width: 4 },
  { name: 'makerFeePpm', offset: 68, width: 4 },
  { name: 'bandPpm', offset: 72, width: 4 },
  { name: 'profitWeightPpm', offset: 76, width: 4 },
  { name: 'tickSizeE9', offset: 80, width: 8 },
  { name: 'riskPool', offset: 88, width: 1 },
  { name: 'flags', offset: 89, width: 1 },
  { name: 'bytes 90 and 91', offset: 90, width: 2 },
  ...Array.from({ length: 9 }, (_, i): Field => ({ name: `limit ${i}`, offset: 92 + 4 * i, width: 4 })),
  ...[0, 1, 2].flatMap((tier): Field[] => [
    { name: `tier ${tier} lower`, offset: 128 + 16 * tier, width: 8 },
    { name: `tier ${tier} initialPpm`, offset: 136 + 16 * tier, width: 4 },
    { name: `tier ${tier} maintenancePpm`, offset: 140 + 16 * tier, width: 4 },
  ]),
];

const ASSET_FIELDS: readonly Field[] = [
  { name: 'asset', offset: 0, width: 2 },
  { name: 'status', offset: 2, width: 1 },
  { name: 'decimals', offset: 3, width: 1 },
  { name: 'symbol start', offset: 4, width: 1 },
  { name: 'symbol end', offset: 19, width: 1 },
  { name: 'feed', offset: 20, width: 2 },
  { name: 'bytes 22 and 23', offset: 22, width: 2 },
  ...[24, 28, 32, 36].map((offset): Field => ({ name: `weight at ${offset}`, offset, width: 4 })),
  { name: 'tickValue', offset: 40, width: 8 },
  ...Array.from(
    { length: 8 },
    (_, i): Field => ({ name: `haircut word ${i}`, offset: 48 + 4 * i, width: 4 }),
  ),
  { name: 'userCap', offset: 80, width: 8 },
  { name: 'globalCap', offset: 88, width: 8 },
  ...Array.from({ length: 6 }, (_, i): Field => ({ name: `rate word ${i}`, offset: 96 + 4 * i, width: 4 })),
  { name: 'supplyCap', offset: 120, width: 8 },
  { name: 'borrowCap', offset: 128, width: 8 },
  { name: 'flags', offset: 136, width: 1 },
  { name: 'byte 137', offset: 137, width: 1 },
  { name: 'byte 143', offset: 143, width: 1 },
];

const PUBLISHER_FIELDS: readonly Field[] = [
  { name: 'index', offset: 0, width: 1 },
  { name: 'weight', offset: 21, width: 4 },
];

/** Values at which some bound turns, and their neighbors. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  8n,
  16n,
  32n,
  0x2dn,
  0x30n,
  0x39n,
  0x41n,
  0x5an,
  0x61n,
  100n,
  500n,
  1_000n,
  1_024n,
  3_000n,
  10_000n,
  50_000n,
  60_000n,
  100_000n,
  600_000n,
  1_000_000n,
  3_600_000n,
  86_400_000n,
  281_474_976n,
  2n ** 31n,
  2n ** 32n - 500n,
  2n ** 32n - 501n,
  2n ** 32n,
  2n ** 48n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n,
];

const chain = encodeChainParameters(DEFAULT_CHAIN_PARAMETERS);
const market = encodeMarketConfig({
  market: 3,
  symbol: 'BTC-PERP',
  status: 0,
  qm: 10,
  maxPrice: 10_000_000,
  maxPosition: 1_000_000,
  maxOpenInterest: 0,
  maxOrderSize: 500_000,
  minNotional: 10_000_000,
  takerFeePpm: 500,
  makerFeePpm: -100,
  bandPpm: 50_000,
  profitWeightPpm: 1_000_000,
  ...NO_MARKET_LIMITS,
  tickSizeE9: 100_000_000,
  tiers: [
    { lower: 0, initialPpm: 20_000, maintenancePpm: 10_000 },
    { lower: 1_000, initialPpm: 50_000, maintenancePpm: 25_000 },
    { lower: 100_000, initialPpm: 100_000, maintenancePpm: 50_000 },
  ],
});
const asset = encodeAssetConfig(TEST_ASSET);
const publisher = encodePublisher({ index: 2, address: new Uint8Array(20).fill(0xab), weight: 5 });

const DECODERS: Readonly<Record<number, (payload: Uint8Array) => unknown>> = {
  [QUEUE_CONFIGURE_CHAIN]: decodeChainParameters,
  [QUEUE_CONFIGURE_MARKET]: decodeMarketConfig,
  [QUEUE_CONFIGURE_PUBLISHER]: decodePublisher,
  [QUEUE_CONFIGURE_ASSET]: decodeAssetConfig,
};

function bytesOf(value: bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, value);
  return bytes.subarray(8 - width);
}

export const CONFIGURATION_BASES = [
  { kind: QUEUE_CONFIGURE_CHAIN, payload: chain, fields: CHAIN_FIELDS },
  { kind: QUEUE_CONFIGURE_MARKET, payload: market, fields: MARKET_FIELDS },
  { kind: QUEUE_CONFIGURE_PUBLISHER, payload: publisher, fields: PUBLISHER_FIELDS },
  { kind: QUEUE_CONFIGURE_ASSET, payload: asset, fields: ASSET_FIELDS },
] as const;

export function configurationCases(): ConfigurationCase[] {
  const cases: ConfigurationCase[] = [];
  for (const { kind, payload, fields } of CONFIGURATION_BASES) {
    const add = (length: number, offset: number, patch: Uint8Array): void => {
      const changed = new Uint8Array(length);
      changed.set(payload.subarray(0, length));
      changed.set(patch, offset);
      const valid = DECODERS[kind]!(changed) !== undefined;
      cases.push({ kind, length, offset, patch: toHex(patch), valid });
    };
    const none = new Uint8Array(0);
    for (const length of [payload.length, payload.length + 1, payload.length - 1, payload.length + 16, 0])
      add(length, 0, none);
    for (const { offset, width } of fields) {
      const values = new Set(EDGES.flatMap((edge) => [edge - 1n, edge, edge + 1n]));
      for (const value of values)
        if (value >= 0n && value < 1n << BigInt(8 * width))
          add(payload.length, offset, bytesOf(value, width));
    }
    if (kind === QUEUE_CONFIGURE_ASSET) {
      // The quote asset, and all but it.
      add(payload.length, 0, encodeAssetConfig(TEST_QUOTE_ASSET));
      for (const [offset, width, value] of [
        [20, 2, 0n],
        [24, 4, 999_999n],
        [40, 8, 2n],
        [3, 1, 7n],
        [48, 8, (1n << 32n) | 1n],
      ] as const) {
        const changed = encodeAssetConfig(TEST_QUOTE_ASSET);
        changed.set(bytesOf(value, width), offset);
        add(payload.length, 0, changed);
      }
    }
    if (kind !== QUEUE_CONFIGURE_MARKET) continue;
    // The bound on the product, met and missed by one.
    for (const [qm, maxPrice, maxPosition] of [
      [2n ** 16n, 2n ** 16n, 2n ** 16n],
      [2n ** 16n, 2n ** 16n, 2n ** 16n + 1n],
      [1n, 2n ** 32n - 1n, 2n ** 16n],
      [1n, 2n ** 32n - 1n, 2n ** 16n + 1n],
      [2n ** 48n, 1n, 1n],
      [2n ** 48n, 2n ** 32n - 1n, 2n ** 48n - 1n],
    ] as const)
      add(payload.length, 20, concat(bytesOf(qm, 8), bytesOf(maxPrice, 4), bytesOf(maxPosition, 8)));
  }
  return cases;
}

export const CONFIGURATION_FILE = fileURLToPath(new URL('../vectors/configuration.json', import.meta.url));

export function configurationFile(): string {
  const cases = configurationCases();
  const columns = {
    kind: cases.map((one) => one.kind),
    length: cases.map((one) => one.length),
    offset: cases.map((one) => one.offset),
    patch: cases.map((one) => one.patch),
    valid: cases.map((one) => (one.valid ? 1 : 0)),
  };
  const bases = Object.fromEntries(
    CONFIGURATION_BASES.map(({ kind, payload }) => [`base${kind}`, toHex(payload)]),
  );
  return `${JSON.stringify({ ...bases, ...columns })}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(CONFIGURATION_FILE, configurationFile());
