/**
 * The operations of the EVM that code without state uses, so that a test can watch which way every JUMPI goes: a node
 * tells it a hundred times slower. No gas, no storage, no value. Yellow paper, appendix H; EIP-5656, EIP-3855.
 */
import type { Keccak } from '#protocol/hash.ts';
import type { Code } from './code.ts';
import { loadWord, Memory } from './memory.ts';

export interface CallResult {
  readonly success: boolean;
  readonly data: Uint8Array;
}

export interface World {
  readonly keccak: Keccak;
  /** What another contract, or a precompile, answers. */
  staticCall(to: bigint, data: Uint8Array): CallResult;
  /** A JUMPI stands at `at`, and jumps or not. */
  jumped(at: number, taken: boolean): void;
}

const WORD = (1n << 256n) - 1n;
const MODULUS = 1n << 256n;
const NOTHING = new Uint8Array(0);
/** More memory than this would have cost all gas long before. */
const PLACE_MAX = 1n << 24n;

const signed = (x: bigint): bigint => BigInt.asIntN(256, x);
const word = (x: bigint): bigint => BigInt.asUintN(256, x);
const flag = (x: boolean): bigint => (x ? 1n : 0n);

/** Two operands, the top of the stack first. */
const BINARY: readonly (((a: bigint, b: bigint) => bigint) | undefined)[] = ((): (
  | ((a: bigint, b: bigint) => bigint)
  | undefined
)[] => {
  const table: (((a: bigint, b: bigint) => bigint) | undefined)[] = new Array(256);
  table[0x01] = (a, b) => (a + b) & WORD;
  table[0x02] = (a, b) => (a * b) & WORD;
  table[0x03] = (a, b) => word(a - b);
  table[0x04] = (a, b) => (b === 0n ? 0n : a / b);
  table[0x05] = (a, b) => (b === 0n ? 0n : word(signed(a) / signed(b)));
  table[0x06] = (a, b) => (b === 0n ? 0n : a % b);
  table[0x07] = (a, b) => (b === 0n ? 0n : word(signed(a) % signed(b)));
  table[0x0a] = power;
  table[0x0b] = (a, b) => (a > 30n ? b : word(BigInt.asIntN(Number(a) * 8 + 8, b)));
  table[0x10] = (a, b) => flag(a < b);
  table[0x11] = (a, b) => flag(a > b);
  table[0x12] = (a, b) => flag(signed(a) < signed(b));
  table[0x13] = (a, b) => flag(signed(a) > signed(b));
  table[0x14] = (a, b) => flag(a === b);
  table[0x16] = (a, b) => a & b;
  table[0x17] = (a, b) => a | b;
  table[0x18] = (a, b) => a ^ b;
  table[0x1a] = (a, b) => (a > 31n ? 0n : (b >> (248n - 8n * a)) & 0xffn);
  table[0x1b] = (a, b) => (a > 255n ? 0n : (b << a) & WORD);
  table[0x1c] = (a, b) => (a > 255n ? 0n : b >> a);
  table[0x1d] = (a, b) => word(signed(b) >> (a > 255n ? 255n : a));
  return table;
})();

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let e = exponent, b = base; e > 0n; e >>= 1n, b = (b * b) % MODULUS)
    if ((e & 1n) === 1n) result = (result * b) % MODULUS;
  return result;
}

/** Runs code to its end. Throws on an operation that code without state has no use for. */
export function execute(code: Code, input: Uint8Array, world: World): CallResult {
  const { bytes, pushed, after, destinations } = code;
  const stack: bigint[] = [];
  const memory = new Memory();
  const padded = new Uint8Array(input.length + 64);
  padded.set(input);
  const inputView = new DataView(padded.buffer);
  let returned: Uint8Array = NOTHING;
  let at = 0;
  const pop = (): bigint => stack.pop()!;
  const place = (): number => {
    const x = stack.pop()!;
    if (x > PLACE_MAX) throw new OutOfGas();
    return Number(x);
  };
  /** Where a copy reads from: beyond the end of everything it reads zeros. */
  const source = (): number => {
    const x = stack.pop()!;
    return x > PLACE_MAX ? Number(PLACE_MAX) : Number(x);
  };
  const jump = (to: bigint): number => {
    const destination = to < BigInt(bytes.length) ? Number(to) : -1;
    if (destination < 0 || destinations[destination] !== 1) throw new OutOfGas();
    return destination;
  };
  try {
    for (;;) {
      const operation = at < bytes.length ? bytes[at]! : 0;
      if (operation >= 0x5f && operation <= 0x7f) stack.push(pushed[at]!);
      else if (operation >= 0x80 && operation <= 0x8f) stack.push(stack[stack.length - operation + 0x7f]!);
      else if (operation >= 0x90 && operation <= 0x9f) {
        const top = stack.length - 1;
        const other = top - operation + 0x8f;
        const held = stack[top]!;
        stack[top] = stack[other]!;
        stack[other] = held;
      } else {
        const binary = BINARY[operation];
        if (binary !== undefined) {
          const a = stack.pop()!;
          const last = stack.length - 1;
          stack[last] = binary(a, stack[last]!);
        } else {
          switch (operation) {
            case 0x00:
              return { success: true, data: NOTHING };
            case 0x15:
              stack.push(flag(pop() === 0n));
              break;
            case 0x19:
              stack.push(pop() ^ WORD);
              break;
            case 0x20: {
              const from = place();
              const hash = world.keccak(memory.part(from, place()));
              stack.push(loadWord(new DataView(hash.buffer, hash.byteOffset), 0));
              break;
            }
            case 0x34:
              stack.push(0n);
              break;
            case 0x35: {
              const from = source();
              stack.push(from >= input.length ? 0n : loadWord(inputView, from));
              break;
            }
            case 0x36:
              stack.push(BigInt(input.length));
              break;
            case 0x37:
            case 0x39: {
              const to = place();
              const from = source();
              memory.copy(to, operation === 0x37 ? input : bytes, from, place());
              break;
            }
            case 0x38:
              stack.push(BigInt(bytes.length));
              break;
            case 0x3d:
              stack.push(BigInt(returned.length));
              break;
            case 0x3e: {
              const to = place();
              const from = place();
              const length = place();
              if (from + length > returned.length) throw new OutOfGas();
              memory.copy(to, returned, from, length);
              break;
            }
            case 0x50:
              stack.pop();
              break;
            case 0x51:
              stack.push(memory.load(place()));
              break;
            case 0x52: {
              const to = place();
              memory.store(to, pop());
              break;
            }
            case 0x53: {
              const to = place();
              memory.storeByte(to, Number(pop() & 0xffn));
              break;
            }
            case 0x56:
              at = jump(pop());
              continue;
            case 0x57: {
              const to = pop();
              const taken = pop() !== 0n;
              world.jumped(at, taken);
              if (taken) {
                at = jump(to);
                continue;
              }
              break;
            }
            case 0x59:
              stack.push(BigInt(memory.size));
              break;
            case 0x5a:
              stack.push(1n << 40n);
              break;
            case 0x5b:
              break;
            case 0x5e: {
              const to = place();
              const from = place();
              memory.move(to, from, place());
              break;
            }
            case 0xf3: {
              const from = place();
              return { success: true, data: memory.part(from, place()).slice() };
            }
            case 0xfa: {
              pop();
              const to = pop();
              const from = place();
              const data = memory.part(from, place()).slice();
              const out = place();
              const room = place();
              const answer = world.staticCall(to, data);
              returned = answer.data;
              memory.touch(out, room);
              memory.copy(out, returned, 0, Math.min(room, returned.length));
              stack.push(flag(answer.success));
              break;
            }
            case 0xfd: {
              const from = place();
              return { success: false, data: memory.part(from, place()).slice() };
            }
            case 0xfe:
              return { success: false, data: NOTHING };
            default:
              throw new Error(
                `operation at ${at}: expected one without state, got 0x${operation.toString(16)}`,
              );
          }
        }
      }
      at = after[at]!;
    }
  } catch (error) {
    if (error instanceof OutOfGas) return { success: false, data: NOTHING };
    throw error;
  }
}

/** What a node would call out of gas, a bad jump, or a read beyond what was returned. */
class OutOfGas extends Error {}
