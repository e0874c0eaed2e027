/** Deployed code, read once: what each place holds, where it goes on, and where a jump may land. */
export interface Code {
  readonly bytes: Uint8Array;
  /** By place: what a PUSH there pushes. */
  readonly pushed: readonly (bigint | undefined)[];
  /** By place: where the next operation stands. */
  readonly after: Uint32Array;
  readonly destinations: Uint8Array;
}

const PUSH0 = 0x5f;
const PUSH32 = 0x7f;
const JUMPDEST = 0x5b;

export function readCode(bytes: Uint8Array): Code {
  const pushed: (bigint | undefined)[] = new Array(bytes.length);
  const after = new Uint32Array(bytes.length);
  const destinations = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const operation = bytes[at]!;
    const width = operation >= PUSH0 && operation <= PUSH32 ? operation - PUSH0 : 0;
    if (operation === JUMPDEST) destinations[at] = 1;
    if (operation >= PUSH0 && operation <= PUSH32) {
      let value = 0n;
      for (let n = 1; n <= width; n++) value = (value << 8n) | BigInt(bytes[at + n] ?? 0);
      pushed[at] = value;
    }
    after[at] = at + 1 + width;
    at += 1 + width;
  }
  return { bytes, pushed, after, destinations };
}
