/** Signs 1 to 50 operations as one message, sends it, and waits until it is executed and durable. */
import { concat } from '#protocol/bytes.ts';
import { MESSAGE_OPERATIONS_MAX } from '#protocol/limits.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { Reject, rejectName } from '#protocol/reject.ts';
import { OPERATION_STATUS_NAMES, type OperationResult, type Reply } from '#protocol/wire.ts';
import { invalidArgument, RejectedError } from '../errors.ts';
import { type Identity, isStaleNonce, type Session } from '../session.ts';
import { settled } from '../transport.ts';

export interface SendOptions {
  /** Sign as another than the session's signer, for another account; needs no login. */
  readonly as?: Identity;
  /** Milliseconds by the server's clock after which the message is refused; default now + messageLifetimeMs. */
  readonly validUntil?: number;
}

/** What became of one operation. Sizes in lots. */
export interface OperationOutcome {
  readonly status: (typeof OPERATION_STATUS_NAMES)[number];
  /** Name of the reject code; undefined when done. An order that was filled in part may carry one too. */
  readonly code: string | undefined;
  readonly rejectCode: number;
  readonly orderId: number;
  readonly filledSize: number;
  readonly remainingSize: number;
  /** Orders canceled by a cancel-all. */
  readonly canceled: number;
}

export interface MessageOutcome {
  /** Place in the journal. */
  readonly seq: number;
  /** Milliseconds. */
  readonly time: number;
  readonly account: number;
  /** In the order of the operations. */
  readonly results: readonly OperationOutcome[];
}

/** Times that a message is signed anew when its nonce was used by another program with the same key. */
const NONCE_ATTEMPTS_MAX = 8;
/** How far ahead a program steps, at random, when another with the same key takes the same nonces. */
const NONCE_STEP_MAX = 64;

/**
 * Throws a RejectedError when the message is refused whole (nothing was executed), CONNECTION_LOST or TIMEOUT when
 * the outcome is unknown. Operations refused one by one are results with a code. A refused nonce is replaced and
 * the message signed again, a few times: a refused one was never executed.
 */
export async function sendOperations(
  session: Session,
  operations: readonly Operation[],
  options: SendOptions = {},
): Promise<MessageOutcome> {
  const identity = session.identity(options.as);
  for (let attempt = 1; ; attempt++) {
    try {
      return outcomeOf(await signAndSend(session, operations, identity, options));
    } catch (error) {
      if (!isStaleNonce(error) || attempt === NONCE_ATTEMPTS_MAX) throw error;
      const nonces = session.nonces(identity);
      if (error.rejectCode === Reject.NONCE_TOO_OLD && options.as === undefined) await session.refreshNonce();
      nonces.raise(nonces.latest + Math.floor(Math.random() * NONCE_STEP_MAX));
    }
  }
}

function signAndSend(
  session: Session,
  operations: readonly Operation[],
  identity: Identity,
  options: SendOptions,
): Promise<Reply> {
  if (identity.signer.slow)
    return session
      .inTurn(async () => {
        const message = await signOperations(session, operations, identity, options.validUntil);
        return { reply: send(session, message) };
      })
      .then(({ reply }) => reply);
  const message = signOperations(session, operations, identity, options.validUntil) as Uint8Array;
  return send(session, message);
}

const send = (session: Session, message: Uint8Array): Promise<Reply> =>
  settled<Reply>((settle) =>
    session.transport.sendMessage(message, {
      done: (reply) => {
        session.replies.emit({ seq: reply.seq, time: reply.time, message });
        settle.done(reply);
      },
      failed: settle.failed,
    }),
  );

/** A whole signed message with the next nonce; at once for signers that are not slow. */
export function signOperations(
  session: Session,
  operations: readonly Operation[],
  identity: Identity = session.identity(),
  validUntil: number = defaultValidUntil(session, identity),
): Uint8Array | Promise<Uint8Array> {
  if (operations.length < 1 || operations.length > MESSAGE_OPERATIONS_MAX)
    throw invalidArgument('operations', `1 to ${MESSAGE_OPERATIONS_MAX}`, operations.length);
  const unsigned = encodeUnsignedMessage({
    account: identity.account,
    nonce: session.nonces(identity).next(),
    validUntil,
    operations,
  });
  const signature = identity.signer.signMessage(session.context, unsigned);
  return signature instanceof Uint8Array
    ? concat(unsigned, signature)
    : signature.then((bytes) => concat(unsigned, bytes));
}

/** A human in front of a wallet gets more time. */
const SLOW_LIFETIME_MS_MIN = 300_000;

const defaultValidUntil = (session: Session, identity: Identity): number =>
  session.transport.serverNow() +
  (identity.signer.slow
    ? Math.max(session.messageLifetimeMs, SLOW_LIFETIME_MS_MIN)
    : session.messageLifetimeMs);

export const outcomeOf = (reply: Reply): MessageOutcome => ({
  seq: reply.seq,
  time: reply.time,
  account: reply.account,
  results: reply.results.map(operationOutcome),
});

const operationOutcome = (result: OperationResult): OperationOutcome => ({
  status: OPERATION_STATUS_NAMES[result.status]!,
  code: result.code === 0 ? undefined : rejectName(result.code),
  rejectCode: result.code,
  orderId: result.orderId,
  filledSize: result.filledSize,
  remainingSize: result.remainingSize,
  canceled: result.canceled,
});

/** What became of the only operation of a message. */
export interface SingleOutcome extends OperationOutcome {
  readonly seq: number;
  readonly time: number;
}

/** Sends one operation; throws a RejectedError when it was refused. */
export async function sendOperation(
  session: Session,
  operation: Operation,
  options: SendOptions = {},
): Promise<SingleOutcome> {
  const { seq, time, results } = await sendOperations(session, [operation], options);
  const result = results[0]!;
  if (result.status === 'rejected')
    throw new RejectedError(result.rejectCode, '', { details: { seq, time, operation } });
  return { seq, time, ...result };
}
