/** The vector file that the message libraries are tested against says what this side says, and leaves no reason out. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { recoverWithNative, recoverWithNoble } from '#auth/recover.ts';
import { viewOf } from '#protocol/bytes.ts';
import { checkMessage } from '#protocol/message.ts';
import { Reject } from '#protocol/reject.ts';
import { StepKind } from '#state/trace.ts';
import { MESSAGE_FILE, messageBodies, messageVectors, recovered } from './message-vectors.ts';

interface JudgedColumns {
  readonly kinds: number[];
  readonly codes: number[];
}
const vectors = messageVectors() as { judged: JudgedColumns };

test('the file is what is built now', () => {
  expect(JSON.parse(readFileSync(MESSAGE_FILE, 'utf8'))).toEqual(vectors);
});

test('both libraries recover the same signers, or none', () => {
  expect(recovered(recoverWithNative!)).toEqual(recovered(recoverWithNoble));
});

test('every reason to refuse a message has a case, and so has its admission', () => {
  const { kinds, codes } = vectors.judged;
  const found = new Set(codes.filter((_, i) => kinds[i] === StepKind.MESSAGE));
  const expected = [
    Reject.NONE,
    Reject.MALFORMED_MESSAGE,
    Reject.UNKNOWN_OPERATION,
    Reject.MALFORMED_OPERATION,
    Reject.TOO_MANY_OPERATIONS,
    Reject.BAD_SIGNATURE,
    Reject.UNKNOWN_ACCOUNT,
    Reject.SIGNER_NOT_AUTHORIZED,
    Reject.SESSION_KEY_EXPIRED,
    Reject.MESSAGE_EXPIRED,
    Reject.NONCE_TOO_OLD,
    Reject.NONCE_USED,
    Reject.NONCE_TOO_FAR_AHEAD,
    Reject.SCOPE_NOT_ALLOWED,
  ];
  expect([...found].sort((a, b) => a - b)).toEqual(expected);
});

test('a message is well formed at its own length alone, as the contract is tested to hold', () => {
  for (const { body } of messageBodies())
    for (let length = 0; length <= body.length + 40; length++) {
      const resized = new Uint8Array(length);
      resized.set(body.subarray(0, length));
      expect(checkMessage(viewOf(resized), 0, length) === 0).toBe(length === body.length);
    }
});
