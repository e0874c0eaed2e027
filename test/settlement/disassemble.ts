/** Opcodes of EVM code, one after the other; what is pushed is no opcode. */

const PUSH1 = 0x60;
const PUSH32 = 0x7f;

export function opcodesOf(code: Uint8Array): Set<number> {
  const seen = new Set<number>();
  for (let at = 0; at < code.length; at++) {
    const opcode = code[at]!;
    seen.add(opcode);
    if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH1 + 1;
  }
  return seen;
}
