/** Everything that can be wrong with a journal, as one error with a code and the facts behind it. */

export type JournalErrorCode =
  /** There is no journal in the data directory, or only the beginning of one. */
  | 'no-journal'
  /** `create` met a journal. */
  | 'exists'
  /** Another process works on the data directory. */
  | 'locked'
  /** Bytes on disk differ from what was written. */
  | 'corrupt'
  /** A frame does not follow the one before it: seq, epoch or hash. */
  | 'broken-chain'
  /** A segment file is not there, or has another length than its name says. */
  | 'missing-segment'
  /** The journal ends before what is known to have been durable. */
  | 'lost-tail'
  /** A read below what is kept. */
  | 'pruned'
  /** Refused, nothing written: a newer writer exists, or this one is not where it believes to be. */
  | 'stale-epoch'
  | 'wrong-predecessor'
  | 'wrong-seq'
  | 'bad-append'
  /** Refused, nothing written: no space for another segment. */
  | 'disk-full'
  /** An append is in flight. */
  | 'busy'
  /** A write or flush failed: the journal is dead and the process must end. */
  | 'flush-failed'
  | 'closed'
  /** Entries of a payload do not parse. */
  | 'malformed-entry';

export interface JournalErrorFacts {
  /** File name inside the journal's folder. */
  readonly segment?: string;
  /** Byte in that file. */
  readonly offset?: number;
  readonly field?: string;
  readonly expected?: string | number;
  readonly got?: string | number;
}

export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly code: JournalErrorCode;
  readonly facts: JournalErrorFacts;

  constructor(code: JournalErrorCode, message: string, facts: JournalErrorFacts = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.facts = facts;
  }
}

/** What is wrong on disk: one sentence with segment, offset, expected, got and the command that helps. */
export function damage(
  code: 'corrupt' | 'broken-chain' | 'missing-segment' | 'lost-tail',
  directory: string,
  facts: Required<JournalErrorFacts>,
): JournalError {
  return new JournalError(
    code,
    `journal of ${directory}, ${facts.segment} at byte ${facts.offset}: ${facts.field}: expected ` +
      `${facts.expected}, got ${facts.got}; nothing was changed, see what can be saved with: ` +
      `sluice doctor --data ${directory}`,
    facts,
  );
}

/** What was wrong with an append; nothing was written. */
export function refused(
  code: 'stale-epoch' | 'wrong-predecessor' | 'wrong-seq' | 'bad-append',
  field: string,
  expected: string | number,
  got: string | number,
): JournalError {
  return new JournalError(code, `journal append refused: ${field}: expected ${expected}, got ${got}`, {
    field,
    expected,
    got,
  });
}
