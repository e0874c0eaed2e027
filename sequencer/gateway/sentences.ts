/** What a client is told beside a code: one sentence with what was expected. */
import { LOGIN_AGE_MS_MAX, MESSAGE_OPERATIONS_MAX } from '#protocol/limits.ts';
import { Reject, rejectName } from '#protocol/reject.ts';

const SENTENCES = new Map<number, string>([
  [
    Reject.MALFORMED_FRAME,
    'frame: expected the length, flags and body that its type has in docs/wire-protocol.md',
  ],
  [Reject.UNKNOWN_FRAME, 'frame: expected a type that a client may send, 0x01 … 0x07'],
  [Reject.MALFORMED_MESSAGE, 'message: expected header, operations and signature to make up its length'],
  [Reject.UNKNOWN_OPERATION, 'operation: expected a kind from 1 to 9'],
  [Reject.MALFORMED_OPERATION, 'operation: expected fields in range and zero bytes where drawn'],
  [Reject.TOO_MANY_OPERATIONS, `message: expected 1 … ${MESSAGE_OPERATIONS_MAX} operations`],
  [
    Reject.RATE_LIMITED,
    'rate: expected no more than the quotas in HELLO allow; nothing was done, send it again later',
  ],
  [Reject.BUSY, 'busy: expected fewer frames in flight; nothing was done, send it again later'],
  [Reject.SHUTTING_DOWN, 'the sequencer is shutting down; nothing was done'],
  [Reject.NOT_LOGGED_IN, 'expected a LOGIN of this account on this connection before'],
  [Reject.UNKNOWN_QUERY, 'query: expected one of the names in docs/wire-protocol.md'],
  [Reject.UNKNOWN_CHANNEL, 'subscription: expected ticker, bookL2, bookL3, trades, status or account'],
  [
    Reject.BATCH_STRUCK,
    'a batch was struck on L1; nothing is taken until the sequencer was recovered, and its greeting will say which receipts are void',
  ],
  [Reject.L1_STALE, 'L1 has not answered for too long; withdrawals wait until it does'],
  [Reject.BAD_SIGNATURE, 'signature: expected r ‖ s ‖ v with low s and v 27 or 28 over the EIP-712 digest'],
  [Reject.UNKNOWN_ACCOUNT, 'account: expected one that a deposit or transfer has created'],
  [
    Reject.SIGNER_NOT_AUTHORIZED,
    "signer: expected the account's owner or one of its session keys; is the signing domain that of HELLO?",
  ],
  [Reject.SESSION_KEY_EXPIRED, 'session key: expected one that has not expired'],
  [
    Reject.MESSAGE_EXPIRED,
    `time: expected validUntil in the future, or a LOGIN signed at most ${LOGIN_AGE_MS_MAX / 1_000} s from now`,
  ],
  [Reject.NONCE_TOO_OLD, "nonce: expected one inside the signer's window"],
  [Reject.NONCE_USED, 'nonce: expected one that was not used before'],
  [Reject.NONCE_TOO_FAR_AHEAD, 'nonce: expected at most a day of milliseconds ahead of the clock'],
  [
    Reject.SCOPE_NOT_ALLOWED,
    "scope: expected an operation that this session key may sign, or the owner's signature",
  ],
]);

/** Falls back on the code's name. */
export const sentenceOf = (code: number): string => SENTENCES.get(code) ?? rejectName(code);
