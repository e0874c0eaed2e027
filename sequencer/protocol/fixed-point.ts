/**
 * Exact integer arithmetic with stated rounding. JavaScript's bigint `/` and Solidity's signed `/` both
 * truncate, so floor and ceil are explicit here (margin.md section 1).
 */

const MILLION = 1_000_000;

/** ⌈n·ratePpm / 1e6⌉, exact for 0 <= n <= 2^53 - 1 and 0 <= ratePpm <= 1e6, without bigint. */
export function mulPpmUp(n: number, ratePpm: number): number {
  const millions = Math.floor(n / MILLION);
  const rest = n - millions * MILLION;
  return millions * ratePpm + Math.ceil((rest * ratePpm) / MILLION);
}

/** ⌊n·ratePpm / 1e6⌋, same domain as `mulPpmUp`. */
export function mulPpmDown(n: number, ratePpm: number): number {
  const millions = Math.floor(n / MILLION);
  const rest = n - millions * MILLION;
  return millions * ratePpm + Math.floor((rest * ratePpm) / MILLION);
}

/** ⌊a / b⌋ for 0 <= a <= 2^53 - 1, b > 0: a float division can round up to the next integer, this can't. */
export const divDown = (a: number, b: number): number => (a - (a % b)) / b;

/** ⌈a / b⌉, same domain. */
export function divUp(a: number, b: number): number {
  const rest = a % b;
  return rest === 0 ? a / b : (a - rest) / b + 1;
}

/** ⌊a / b⌋ toward minus infinity, b > 0. */
export function fdiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

/** ⌈a / b⌉ toward plus infinity, b > 0. */
export function cdiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b > 0n ? q + 1n : q;
}

/** ⌊a·b / d⌋ toward minus infinity for safe integers, d > 0; bigint only when a·b leaves 2^53. */
export function mulDivDown(a: number, b: number, d: number): number {
  const product = a * b;
  if (Number.isSafeInteger(product)) {
    const rest = product % d;
    const q = (product - rest) / d;
    return rest < 0 ? q - 1 : q;
  }
  return Number(fdiv(BigInt(a) * BigInt(b), BigInt(d)));
}

export const clamp = (x: bigint, low: bigint, high: bigint): bigint => (x < low ? low : x > high ? high : x);

/** Middle of three. */
export function median3(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
