/** The machine that watches branches computes as BigInt does, on words up to their ends. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { readCode } from './code.ts';
import { execute, type World } from './machine.ts';

const world: World = {
  keccak: nobleKeccak,
  staticCall: () => ({ success: false, data: new Uint8Array(0) }),
  jumped: () => {},
};

const bytesOf = (word: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, n) =>
    Number((BigInt.asUintN(256, word) >> BigInt(248 - 8 * n)) & 0xffn),
  );

/** PUSH b, PUSH a, operation, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN. */
function result(operation: number, a: bigint, b: bigint): bigint {
  const code = concat(
    Uint8Array.of(0x7f),
    bytesOf(b),
    Uint8Array.of(0x7f),
    bytesOf(a),
    Uint8Array.of(operation, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3),
  );
  return BigInt(toHex(execute(readCode(code), new Uint8Array(0), world).data));
}

const edge = fc.constantFrom(0n, 1n, 2n, 31n, 32n, 255n, 256n, 1n << 255n, (1n << 256n) - 1n, 1n << 128n);
const word = fc.oneof(edge, fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }));
const signed = (x: bigint): bigint => BigInt.asIntN(256, x);
const truth = (x: boolean): bigint => (x ? 1n : 0n);

const OPERATIONS: readonly (readonly [name: string, code: number, of: (a: bigint, b: bigint) => bigint])[] = [
  ['ADD', 0x01, (a, b) => a + b],
  ['MUL', 0x02, (a, b) => a * b],
  ['SUB', 0x03, (a, b) => a - b],
  ['DIV', 0x04, (a, b) => (b === 0n ? 0n : a / b)],
  ['SDIV', 0x05, (a, b) => (b === 0n ? 0n : signed(a) / signed(b))],
  ['MOD', 0x06, (a, b) => (b === 0n ? 0n : a % b)],
  ['SMOD', 0x07, (a, b) => (b === 0n ? 0n : signed(a) % signed(b))],
  ['SLT', 0x12, (a, b) => truth(signed(a) < signed(b))],
  ['SGT', 0x13, (a, b) => truth(signed(a) > signed(b))],
  ['LT', 0x10, (a, b) => truth(a < b)],
  ['GT', 0x11, (a, b) => truth(a > b)],
  ['BYTE', 0x1a, (a, b) => (a < 32n ? BigInt(bytesOf(b)[Number(a)]!) : 0n)],
  ['SHL', 0x1b, (a, b) => (a < 256n ? b * 2n ** a : 0n)],
  ['SHR', 0x1c, (a, b) => (a < 256n ? b / 2n ** a : 0n)],
  ['SAR', 0x1d, (a, b) => signed(b) >> (a < 256n ? a : 256n)],
  ['SIGNEXTEND', 0x0b, (a, b) => (a < 31n ? BigInt.asIntN(8 * Number(a + 1n), b) : b)],
];

test.each(OPERATIONS)('%s', (_name, code, of) => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(result(code, a, b)).toBe(BigInt.asUintN(256, of(a, b)));
    }),
  );
});

test('a jump to where nothing may land, and a read beyond what was returned, end the call', () => {
  for (const code of [Uint8Array.of(0x60, 9, 0x56), Uint8Array.of(0x60, 1, 0x5f, 0x5f, 0x3e)])
    expect(execute(readCode(code), new Uint8Array(0), world).success).toBe(false);
});
