/**
 * The cases of test/vectors/exit.json: what client/escape/equity.ts says of prices, equities and shares, for
 * ExitLib.sol. `npx tsx test/client/exit-vectors.ts` writes the file; a test holds the file to this.
 *
 *   price    market, globals, config, prices (leaves); price, qm, fundingIndex
 *   asset    config, pool (leaves ASSET_CONFIG, POOL), feedPrice; price, tickValue, whole, supplyIndex, borrowIndex
 *   equity   leaf (ACCOUNT), price, qm, fundingIndex (of every market), asset (of every row); plus, minus, claim (quote),
 *            claims (of each row; 0 for the quote asset's)
 *   share    pools (pool, claimTotal, known, price, tickValue, whole of each asset), claims (of each); payments
 * Numbers are decimal text.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  claimsOf,
  EXIT_QUOTE,
  type ExitAsset,
  type ExitPrice,
  exitAsset,
  exitPrice,
  holdingsOf,
  readAccount,
} from '#client/escape/equity.ts';
import { type Pool, paymentsOf } from '#client/escape/shares.ts';
import { ASSET_CONFIG_BYTES, NO_FEED } from '#protocol/asset.ts';
import { concat, setI128be, setU48be, toHex, viewOf } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import { RAY } from '#state/asset-state.ts';
import { PRICES_PER_LEAF } from '#state/keys.ts';
import {
  ACCOUNT_BYTES,
  ASSET_ROW_BYTES,
  GLOBALS_BYTES,
  POOL_BYTES,
  POSITION_BYTES,
  PRICES_ROW_BYTES,
} from '#state/leaves.ts';

/** Deterministic bytes: keccak of a label and a counter. */
function stream(label: string): (length: number) => Uint8Array {
  let count = 0;
  return (length) => {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0; left -= 32)
      parts.push(keccak(concat(new TextEncoder().encode(label), Uint8Array.of(count >> 8, count++ & 255))));
    return concat(...parts).slice(0, length);
  };
}

function priceCases() {
  const random = stream('exit price');
  const NOW = 1_700_000_000_000;
  const VOID = 10_000;
  const shapes = [
    { index: 1_000, mark: 1_020, age: 0 },
    { index: 1_000, mark: 1_020, age: VOID },
    { index: 1_000, mark: 1_020, age: VOID + 1 },
    { index: 1_000, mark: 1_050, age: VOID + 1 },
    { index: 1_000, mark: 1_051, age: VOID + 1 },
    { index: 1_000, mark: 949, age: NOW },
    { index: 19, mark: 25, age: NOW },
    { index: 1, mark: 2 ** 32 - 1, age: NOW },
    { index: 2 ** 32 - 1, mark: 1, age: NOW },
    { index: 2 ** 32 - 1, mark: 0, age: NOW },
    { index: 0, mark: 77, age: NOW },
    { index: 0, mark: 0, age: 0 },
  ];
  return shapes.flatMap(({ index, mark, age }, i) =>
    [i, 1_008 + i].map((market) => {
      const globals = random(GLOBALS_BYTES);
      const prices = random(PRICES_PER_LEAF * PRICES_ROW_BYTES);
      const config = random(104);
      setU48be(viewOf(globals), 8, NOW);
      viewOf(globals).setUint32(44, VOID);
      const row = PRICES_ROW_BYTES * (market % PRICES_PER_LEAF);
      viewOf(prices).setUint32(row, index);
      viewOf(prices).setUint32(row + 4, mark);
      setU48be(viewOf(prices), row + 8, NOW - age);
      const { price, qm, fundingIndex } = exitPrice(market, { globals, config, prices });
      return {
        market,
        globals: toHex(globals),
        config: toHex(config),
        prices: toHex(prices),
        price: `${price}`,
        qm: `${qm}`,
        fundingIndex: `${fundingIndex}`,
      };
    }),
  );
}

function assetCases() {
  const random = stream('exit asset');
  return Array.from({ length: 12 }, (_, i) => {
    const config = random(ASSET_CONFIG_BYTES);
    const pool = random(POOL_BYTES);
    config[3] = i;
    viewOf(config).setUint16(20, i % 4 === 3 ? NO_FEED : 1_000 + i);
    const feedPrice = i % 5 === 4 ? 0n : viewOf(random(4)).getUint32(0);
    const price = { price: BigInt(feedPrice), qm: 1n, fundingIndex: 0n };
    const asset = exitAsset({ config, pool }, (market) => {
      if (market !== 1_000 + i) throw new Error(`expected the feed ${1_000 + i}, got ${market}`);
      return price;
    });
    return { config: toHex(config), pool: toHex(pool), feedPrice: `${feedPrice}`, ...assetText(asset) };
  });
}

const assetText = (asset: ExitAsset) => ({
  price: `${asset.price}`,
  tickValue: `${asset.tickValue}`,
  whole: `${asset.whole}`,
  supplyIndex: `${asset.supplyIndex}`,
  borrowIndex: `${asset.borrowIndex}`,
});

function equityCases() {
  const random = stream('exit equity');
  const signed = (bits: number): bigint => BigInt.asIntN(bits, BigInt(toHex(random(16))));
  const unsigned = (bits: number): bigint => BigInt.asUintN(bits, signed(128));
  return Array.from({ length: 90 }, (_, i) => {
    // From what engines reach to what only the widths of the fields bound.
    const [cashBits, sizeBits, priceBits, indexBits, unitBits] = [
      [40, 20, 20, 50, 36],
      [52, 40, 24, 80, 50],
      [64, 64, 32, 128, 64],
    ][i % 3] as [number, number, number, number, number];
    const isWide = i % 3 === 2;
    // Every other account has no positions: what it owes is then of the size of what it holds.
    const count = i % 2 === 0 ? i % 17 : 0;
    const rows = i % 9;
    const leaf = random(ACCOUNT_BYTES + count * POSITION_BYTES + rows * ASSET_ROW_BYTES);
    const view = viewOf(leaf);
    leaf[87] = count;
    leaf[88] = rows;
    view.setBigInt64(21, signed(cashBits));
    for (let n = 0; n < count; n++) {
      const at = ACCOUNT_BYTES + n * POSITION_BYTES;
      view.setUint16(at, 3 * n);
      view.setBigInt64(at + 2, n % 5 === 4 ? 0n : signed(sizeBits));
      view.setBigInt64(at + 10, signed(cashBits));
      setI128be(view, at + 18, signed(indexBits));
    }
    for (let n = 0; n < rows; n++) {
      const at = ACCOUNT_BYTES + count * POSITION_BYTES + n * ASSET_ROW_BYTES;
      // Mostly with the quote asset's row first.
      view.setUint16(at, i % 4 === 0 ? n + 1 : n);
      view.setBigUint64(at + 2, n % 3 === 2 ? 0n : unsigned(unitBits));
      view.setBigUint64(at + 10, n % 4 === 1 ? unsigned(unitBits) : 0n);
      view.setBigUint64(at + 18, n % 3 === 2 ? unsigned(unitBits) : 0n);
    }
    const price: ExitPrice = {
      price: unsigned(priceBits),
      qm: isWide ? unsigned(64) : 10n,
      fundingIndex: signed(indexBits),
    };
    const asset: ExitAsset = {
      price: i % 11 === 10 ? 0n : unsigned(priceBits),
      tickValue: isWide ? unsigned(48) : 10_000n,
      whole: 10n ** BigInt(i % 13),
      supplyIndex: isWide ? unsigned(128) : RAY + unsigned(80),
      borrowIndex: isWide ? unsigned(128) : RAY + unsigned(86),
    };
    const account = readAccount(leaf);
    const holdings = holdingsOf(account, { market: () => price, asset: () => asset });
    const claims = claimsOf(holdings);
    return {
      leaf: toHex(leaf),
      owner: account.owner,
      price: `${price.price}`,
      qm: `${price.qm}`,
      fundingIndex: `${price.fundingIndex}`,
      asset: assetText(asset),
      plus: `${holdings.plus}`,
      minus: `${holdings.minus}`,
      claim: `${claims.get(QUOTE_ASSET) ?? 0n}`,
      claims: account.assets.map((row) =>
        row.asset === QUOTE_ASSET ? '0' : `${claims.get(row.asset) ?? 0n}`,
      ),
    };
  });
}

function shareCases() {
  const random = stream('exit share');
  const up = (bits: number): bigint => BigInt.asUintN(bits, BigInt(toHex(random(16))));
  const cases = Array.from({ length: 40 }, (_, i) => {
    const pools: Pool[] = Array.from({ length: 1 + (i % 4) }, (_, n) => {
      const bits = i % 5 === 4 ? 51 : 12;
      const price: ExitAsset = {
        ...EXIT_QUOTE,
        price: i % 7 === 6 ? 0n : up(20) + 1n,
        tickValue: up(16) + 1n,
        whole: 10n ** BigInt(i % 9),
      };
      const asset = n === 0 ? EXIT_QUOTE : i % 6 === 5 ? undefined : price;
      return { pool: n === i % 4 ? 0n : up(bits), claimTotal: up(bits), asset };
    });
    // An owner has a part of all claims, or all of them.
    const claims = pools.map(({ claimTotal }) => (i % 3 === 0 ? claimTotal : claimTotal / (2n + up(3))));
    return { pools, claims };
  });
  const lone = (pool: bigint, claim: bigint, claimTotal: bigint) => ({
    pools: [{ pool, claimTotal, asset: EXIT_QUOTE }],
    claims: [claim],
  });
  const shapes = [
    ...cases,
    lone(1_000n, 700n, 1_700n),
    lone(1_000n, 400n, 950n),
    lone(0n, 5n, 5n),
    lone(2n ** 51n, 2n ** 64n - 1n, 2n ** 89n),
    lone(2n ** 51n, 0n, 0n),
  ];
  return shapes.map(({ pools, claims }) => ({
    pools: pools.map(({ pool, claimTotal, asset }) => ({
      pool: `${pool}`,
      claimTotal: `${claimTotal}`,
      known: asset !== undefined,
      ...assetText(asset ?? { ...EXIT_QUOTE, price: 0n, tickValue: 0n, whole: 0n }),
    })),
    claims: claims.map(String),
    payments: paymentsOf(pools, new Map(claims.entries())).map(String),
  }));
}

export const exitVectors = () => ({
  price: priceCases(),
  asset: assetCases(),
  equity: equityCases(),
  share: shareCases(),
});

export const EXIT_FILE = fileURLToPath(new URL('../vectors/exit.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(EXIT_FILE, `${JSON.stringify(exitVectors(), null, 1)}\n`);
