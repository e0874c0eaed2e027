/**
 * Everything the client throws: one class, keyed by `code`, with one short sentence, the facts beside it and the
 * cause kept. Codes of the exchange are the names of protocol/reject.ts; the client's own are listed here.
 */
import { rejectName } from '#protocol/reject.ts';
import { rejectSentence } from './reject-sentences.ts';

export const CLIENT_ERROR_CODES = [
  /** The server could not be reached, or did not greet. */
  'CONNECT_FAILED',
  /** There is no connection now: nothing was sent. */
  'NOT_CONNECTED',
  /** The connection ended before the answer: what was sent may or may not have been executed. */
  'CONNECTION_LOST',
  /** No answer in time: what was sent may or may not have been executed. */
  'TIMEOUT',
  /** The client was closed by its owner. */
  'CLOSED',
  /** The server speaks another protocol version. */
  'PROTOCOL_MISMATCH',
  /** The server serves another chain or contract than expected. */
  'WRONG_CHAIN',
  /** The server sent bytes that are no frame. */
  'MALFORMED_ANSWER',
  /** An argument is out of range or of the wrong form. */
  'INVALID_ARGUMENT',
  /** Text that is no decimal number, or not a whole number of ticks, lots or units. */
  'INVALID_DECIMAL',
  /** The call needs a signer or an account that the client was not given. */
  'SIGNER_MISSING',
  'ACCOUNT_MISSING',
  /** The signer refused or failed. */
  'SIGNING_FAILED',
  /** The settlement layer refused or could not be reached. */
  'L1_FAILED',
  /** What was asked for does not exist (yet). */
  'NOT_FOUND',
] as const;
export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number];

export interface SluiceErrorFacts {
  /** Fields that a program can use: expected, got, tag, seq, … */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class SluiceError extends Error {
  override readonly name: string = 'SluiceError';
  /** A `ClientErrorCode`, or the name of a reject code for a `RejectedError`. */
  readonly code: string;
  readonly shortMessage: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ClientErrorCode | (string & {}), shortMessage: string, facts: SluiceErrorFacts = {}) {
    super(shortMessage, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.shortMessage = shortMessage;
    this.details = facts.details ?? {};
  }
}

/** The exchange said no. `code` is the name, `rejectCode` the number of protocol/reject.ts; `sentence` may be empty. */
export class RejectedError extends SluiceError {
  override readonly name = 'RejectedError';
  readonly rejectCode: number;

  constructor(rejectCode: number, sentence: string, facts: SluiceErrorFacts = {}) {
    const code = rejectName(rejectCode);
    super(code, sentence === '' ? rejectSentence(rejectCode) : sentence, facts);
    this.rejectCode = rejectCode;
  }
}

/** True when it is not known whether what was sent has been executed. */
export const isOutcomeUnknown = (error: unknown): boolean =>
  error instanceof SluiceError && (error.code === 'CONNECTION_LOST' || error.code === 'TIMEOUT');

export const invalidArgument = (field: string, expected: string, got: unknown): SluiceError =>
  new SluiceError('INVALID_ARGUMENT', `${field}: expected ${expected}, got ${display(got)}`, {
    details: { field, expected, got },
  });

const display = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : String(value);
