/**
 * The cases of test/vectors/exit.json: what client/escape/equity.ts says of prices, equities and shares, for
 * ExitLib.sol. `npx tsx test/client/exit-vectors.ts` writes the file; a test holds the file to this.
 *
 *   price    market, globals, config, prices (leaves); price, qm, fundingIndex
 *   equity   leaf (ACCOUNT), price, qm, fundingIndex (of every market); equity, claim
 *   share    pool, claim, claimTotal, value; share
 * Numbers are decimal text.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { claimOf, type ExitPrice, equityOf, exitPrice, readAccount, shareOf } from '#client/escape/equity.ts';
import { concat, setI128be, setU48be, toHex, viewOf } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { PRICES_PER_LEAF } from '#state/keys.ts';
import { ACCOUNT_BYTES, GLOBALS_BYTES, POSITION_BYTES, PRICES_ROW_BYTES } from '#state/leaves.ts';

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

function equityCases() {
  const random = stream('exit equity');
  const signed = (bits: number): bigint => BigInt.asIntN(bits, BigInt(toHex(random(16))));
  return Array.from({ length: 60 }, (_, i) => {
    // From what engines reach to what only the widths of the fields bound.
    const [cashBits, sizeBits, priceBits, indexBits] = [
      [40, 20, 20, 50],
      [52, 40, 24, 80],
      [64, 64, 32, 128],
    ][i % 3] as [number, number, number, number];
    const count = i % 17;
    const leaf = random(ACCOUNT_BYTES + count * POSITION_BYTES);
    const view = viewOf(leaf);
    leaf[87] = count;
    leaf[88] = 0;
    view.setBigInt64(21, signed(cashBits));
    for (let n = 0; n < count; n++) {
      const at = ACCOUNT_BYTES + n * POSITION_BYTES;
      view.setUint16(at, 3 * n);
      view.setBigInt64(at + 2, n % 5 === 4 ? 0n : signed(sizeBits));
      view.setBigInt64(at + 10, signed(cashBits));
      setI128be(view, at + 18, signed(indexBits));
    }
    const price: ExitPrice = {
      price: BigInt.asUintN(priceBits, signed(64)),
      qm: i % 3 === 2 ? BigInt.asUintN(64, signed(64)) : 10n,
      fundingIndex: signed(indexBits),
    };
    const equity = equityOf(readAccount(leaf), () => price);
    return {
      leaf: toHex(leaf),
      owner: readAccount(leaf).owner,
      price: `${price.price}`,
      qm: `${price.qm}`,
      fundingIndex: `${price.fundingIndex}`,
      equity: `${equity}`,
      claim: `${claimOf(equity)}`,
    };
  });
}

function shareCases() {
  const shapes = [
    [1_000n, 700n, 1_700n, 1_000n],
    [1_000n, 1_000n, 1_700n, 1_000n],
    [1_000n, 400n, 950n, 1_000n],
    [60n, 400n, 1_000n, 1_000n],
    [0n, 5n, 5n, 0n],
    [2n ** 51n, 2n ** 64n - 1n, 2n ** 64n - 1n, 2n ** 51n],
    [2n ** 51n, 1n, 2n ** 64n, 2n ** 51n],
    [2n ** 51n, 2n ** 64n - 1n, 2n ** 96n, 2n ** 51n],
  ] as const;
  return shapes.map(([pool, claim, claimTotal, value]) => ({
    pool: `${pool}`,
    claim: `${claim}`,
    claimTotal: `${claimTotal}`,
    value: `${value}`,
    share: `${shareOf({ pool, claim, claimTotal, value })}`,
  }));
}

export const exitVectors = () => ({ price: priceCases(), equity: equityCases(), share: shareCases() });

export const EXIT_FILE = fileURLToPath(new URL('../vectors/exit.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(EXIT_FILE, `${JSON.stringify(exitVectors(), null, 1)}\n`);
