/**
 * How the program fails: one sentence with a code on standard error (or one JSON object with --json), and an exit
 * code that scripts can tell apart.
 */
import { CommanderError } from 'commander';
import type { L1Error } from '#settlement/l1/errors.ts';
import { RejectedError, SluiceError } from '../errors.ts';

export const ExitCode = {
  OK: 0,
  /** Anything that is not listed below; of a verifier: it found a difference. */
  FAILED: 1,
  /** The command line, the environment or the configuration file is wrong. */
  USAGE: 2,
  /** The sequencer or L1 can't be reached, or went away. */
  UNREACHABLE: 3,
  /** The exchange or a contract said no. */
  REJECTED: 4,
} as const;

/** A fault of the one who calls: wrong flag, missing value, wrong configuration. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Failure {
  readonly code: string;
  readonly sentence: string;
  readonly exitCode: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

const UNREACHABLE_CODES = ['CONNECT_FAILED', 'NOT_CONNECTED', 'CONNECTION_LOST', 'TIMEOUT', 'WRONG_CHAIN'];
const USAGE_CODES = ['INVALID_ARGUMENT', 'INVALID_DECIMAL', 'SIGNER_MISSING', 'PROTOCOL_MISMATCH'];

export function failureOf(error: unknown): Failure {
  if (error instanceof RejectedError)
    return {
      code: error.code,
      sentence: error.shortMessage,
      exitCode: ExitCode.REJECTED,
      details: { ...error.details, rejectCode: error.rejectCode },
    };
  if (error instanceof SluiceError)
    return {
      code: error.code,
      sentence: error.shortMessage,
      exitCode: UNREACHABLE_CODES.includes(error.code)
        ? ExitCode.UNREACHABLE
        : USAGE_CODES.includes(error.code)
          ? ExitCode.USAGE
          : ExitCode.FAILED,
      details: error.details,
    };
  if (isL1Error(error))
    return {
      code: `L1_${error.code.replaceAll('-', '_').toUpperCase()}`,
      sentence: error.message,
      exitCode:
        error.code === 'unreachable'
          ? ExitCode.UNREACHABLE
          : error.code === 'reverted'
            ? ExitCode.REJECTED
            : ExitCode.FAILED,
      ...(error.details === undefined ? {} : { details: { details: error.details } }),
    };
  if (error instanceof CommanderError)
    return {
      code: 'USAGE',
      sentence: error.message
        .replace(/^error: /, '')
        .replace("command-argument value '", "argument '")
        .replace(/\.$/, ''),
      exitCode: ExitCode.USAGE,
    };
  if (error instanceof UsageError)
    return { code: 'USAGE', sentence: error.message, exitCode: ExitCode.USAGE };
  const named = error as { code?: unknown };
  return {
    code: typeof named?.code === 'string' ? named.code : 'FAILED',
    sentence: error instanceof Error ? error.message : String(error),
    exitCode: ExitCode.FAILED,
  };
}

/** By name: loading the class would load everything that talks to L1. */
const isL1Error = (error: unknown): error is L1Error => error instanceof Error && error.name === 'L1Error';

/** Writes the failure to standard error and returns its exit code. */
export function report(error: unknown, json: boolean): number {
  const failure = failureOf(error);
  const { code, sentence, details } = failure;
  if (json)
    process.stderr.write(`${JSON.stringify({ error: { code, message: sentence, details } }, jsonValue)}\n`);
  else process.stderr.write(`error ${code}: ${sentence.split('\n')[0]}\n`);
  if (process.env.SLUICE_STACKS === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return failure.exitCode;
}

/** bigint and bytes as text. */
export const jsonValue = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint'
    ? value.toString()
    : value instanceof Uint8Array
      ? `0x${Buffer.from(value).toString('hex')}`
      : value;
