/**
 * The cases of test/vectors/message.json: what sequencer/protocol, sequencer/auth and the engine's admission say of
 * records, for the contracts. `npx tsx test/settlement/message-vectors.ts` writes the file; a test holds it to this.
 *
 *   domain      separator under which everything is signed
 *   messages    records of every kind of operation under both schemes, with digest and signer
 *   forms       well-formed records; bit n (0 = most significant of the first byte) of `flips`: the body stays
 *               well-formed when its bit n is turned
 *   signatures  digests and 65 bytes each, with the address that they recover to, zero when none
 *   judged      own steps of records as the engine's admission judges them: kind, record, slice, reject code
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { createRecover, type PublicKeyRecovery, recoverWithNoble } from '#auth/recover.ts';
import { concat, toHex, viewOf } from '#protocol/bytes.ts';
import { encodeRecord, MESSAGE } from '#protocol/command.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { checkMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { signDigest, signedMessage, type TestKey, testKey, testSigning } from '../auth/keys.ts';
import { Random } from '../state/random-state.ts';
import { judgedCases } from './judged-records.ts';
import { OPERATIONS, to32 } from './sample-operations.ts';

const TIME = 1_700_000_000_000;
const SAFE = Number.MAX_SAFE_INTEGER;
const ORDER = secp256k1.Point.CURVE().n;

/** Bodies of every kind of operation under both schemes, and of bundles up to the longest. */
export function messageBodies(): { key: TestKey; body: Uint8Array }[] {
  const bundles = [OPERATIONS, Array.from({ length: 50 }, () => OPERATIONS[0]!)];
  const alone = OPERATIONS.map((operation) => [operation]);
  const made = (operations: readonly Operation[], i: number, scheme: 1 | 2) => {
    const key = testKey(40 + i);
    const fields = { account: 0xfffe_fdfc - i, nonce: SAFE - i, validUntil: TIME + i, operations };
    return { key, body: signedMessage(fields, key, scheme) };
  };
  return [
    ...alone.map((operations, i) => made(operations, i, 1)),
    ...[...alone, ...bundles].map((operations, i) => made(operations, i, 2)),
  ];
}

const recordOf = (body: Uint8Array): Uint8Array => encodeRecord(MESSAGE, TIME, body);
const isWellFormed = (body: Uint8Array): boolean => checkMessage(viewOf(body), 0, body.length) === 0;

function messages(): Record<string, string[]> {
  const made = messageBodies();
  return {
    records: made.map(({ body }) => toHex(recordOf(body))),
    digests: made.map(({ body }) => toHex(testSigning.message(body))),
    signers: made.map(({ key }) => toHex(key.address)),
  };
}

function forms(): Record<string, string[]> {
  const bodies = messageBodies()
    .map(({ body }) => body)
    .filter((body) => body.length < 1_000);
  const flips = bodies.map((body) => {
    const flipped = body.slice();
    const result = new Uint8Array(body.length);
    for (let bit = 0; bit < 8 * body.length; bit++) {
      const mask = 0x80 >> (bit & 7);
      flipped[bit >> 3]! ^= mask;
      if (isWellFormed(flipped)) result[bit >> 3]! |= mask;
      flipped[bit >> 3]! ^= mask;
    }
    return result;
  });
  return { records: bodies.map((body) => toHex(recordOf(body))), flips: flips.map(toHex) };
}

/** Digests with 65 bytes each, good and bad. */
export function signatureCases(): { digest: Uint8Array; signature: Uint8Array }[] {
  const random = new Random(7);
  const cases: { digest: Uint8Array; signature: Uint8Array }[] = [];
  const digest = random.bytes(32);
  const good = signDigest(digest, testKey(9));
  const [r, s] = [good.slice(0, 32), good.slice(32, 64)];
  const scalars = [0n, 1n, 2n, ORDER / 2n, ORDER / 2n + 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n];
  for (const v of [0, 1, 26, 27, 28, 29, 255])
    cases.push({ digest, signature: concat(r, s, Uint8Array.of(v)) });
  for (const scalar of scalars)
    for (const v of [27, 28]) {
      cases.push({ digest, signature: concat(to32(scalar), s, Uint8Array.of(v)) });
      cases.push({ digest, signature: concat(r, to32(scalar), Uint8Array.of(v)) });
    }
  // Half of these r are no x of a point.
  for (let i = 0; i < 24; i++)
    cases.push({
      digest: random.bytes(32),
      signature: concat(
        random.bytes(32),
        Uint8Array.of(random.below(0x7f)),
        random.bytes(31),
        Uint8Array.of(27 + (i & 1)),
      ),
    });
  // Digests not below the order, and zero.
  for (const value of [0n, ORDER - 1n, ORDER, ORDER + 5n, 2n ** 256n - 1n])
    cases.push({ digest: to32(value), signature: signDigest(to32(value === 0n ? 1n : value), testKey(3)) });
  cases.push(...infinities());
  return cases;
}

/** s · R = digest · G: the key would be the point at infinity. */
function infinities(): { digest: Uint8Array; signature: Uint8Array }[] {
  return [1n, 2n, 12_345n].flatMap((k) => {
    const z = 0x1234_5678_9abc_def0n * k;
    const point = secp256k1.Point.BASE.multiply(k).toAffine();
    const s = (z * secp256k1.Point.Fn.inv(k)) % ORDER;
    const isHigh = s > ORDER / 2n;
    const odd = (point.y & 1n) === 1n;
    const signature = (v: number): Uint8Array =>
      concat(to32(point.x), to32(isHigh ? ORDER - s : s), Uint8Array.of(v));
    const v = odd !== isHigh ? 28 : 27;
    return [v, 55 - v].map((each) => ({ digest: to32(z), signature: signature(each) }));
  });
}

export function recovered(recovery: PublicKeyRecovery): string[] {
  const recover = createRecover(keccak, recovery);
  return signatureCases().map(({ digest, signature }) =>
    toHex(recover(digest, signature) ?? new Uint8Array(20)),
  );
}

function signatures(): Record<string, string[]> {
  const cases = signatureCases();
  return {
    digests: cases.map(({ digest }) => toHex(digest)),
    signatures: cases.map(({ signature }) => toHex(signature)),
    signers: recovered(recoverWithNoble),
  };
}

export const messageVectors = (): Record<string, unknown> => {
  const judged = judgedCases();
  return {
    domain: toHex(testSigning.separator),
    messages: messages(),
    forms: forms(),
    signatures: signatures(),
    judged: {
      whys: judged.map(({ why }) => why),
      kinds: judged.map(({ kind }) => kind),
      codes: judged.map(({ code }) => code),
      records: judged.map(({ record }) => record),
      slices: judged.map(({ slice }) => slice),
    },
  };
};

export const MESSAGE_FILE = fileURLToPath(new URL('../vectors/message.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(MESSAGE_FILE, `${JSON.stringify(messageVectors(), undefined, 1)}\n`);
