/**
 * What can go wrong with L1, as values: `L1Error.code` says what, `message` says it in a sentence, `details` and
 * `cause` keep the rest. `l1Error` sorts what viem throws into them.
 */
import {
  BaseError,
  ContractFunctionRevertedError,
  decodeErrorResult,
  type Hex,
  HttpRequestError,
  InsufficientFundsError,
  NonceTooHighError,
  NonceTooLowError,
  RpcRequestError,
  SocketClosedError,
  TimeoutError,
  WebSocketRequestError,
} from 'viem';
import { contractErrors } from './abi.ts';

export type L1ErrorCode =
  /** No answer: connection refused, timed out, closed, or an HTTP error. */
  | 'unreachable'
  /** The node serves another chain than expected. */
  | 'wrong-chain'
  /** A contract refused; `revert` has its error. */
  | 'reverted'
  | 'insufficient-funds'
  | 'nonce-too-low'
  | 'nonce-too-high'
  /** A transaction with this nonce waits with a fee that this one does not beat by enough. */
  | 'replacement-underpriced'
  /** The node has this very transaction. */
  | 'already-known'
  /** Fee below what the node takes. */
  | 'underpriced'
  /** No rollup, or more than one, on this chain. */
  | 'no-rollup'
  | 'ambiguous-rollup'
  /** The chain forgot what it said: a reorg deeper than what was kept. */
  | 'deep-reorg'
  /** L1 has bytes or events that don't fit together. */
  | 'malformed'
  | 'compile'
  /** The embedded L1 could not be started; the message says what to do. */
  | 'devnet'
  /** Anything else that the node answered. */
  | 'rejected';

export interface Revert {
  /** Name of the custom error, or of Solidity's `Error` and `Panic`. */
  readonly name: string;
  readonly args: readonly unknown[];
}

export class L1Error extends Error {
  override readonly name = 'L1Error';
  readonly code: L1ErrorCode;
  readonly details: string | undefined;
  readonly revert: Revert | undefined;

  constructor(
    code: L1ErrorCode,
    message: string,
    more: { readonly cause?: unknown; readonly details?: string; readonly revert?: Revert } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.details = more.details;
    this.revert = more.revert;
  }
}

/** True for errors that may pass by themselves: the same call can be tried again. */
export const isTransient = (error: unknown): boolean =>
  error instanceof L1Error && error.code === 'unreachable';

const MESSAGES: readonly (readonly [RegExp, L1ErrorCode])[] = [
  [/replacement transaction underpriced/i, 'replacement-underpriced'],
  [/already known|already imported|known transaction/i, 'already-known'],
  [/nonce too low|nonce is too low|lower than the current nonce/i, 'nonce-too-low'],
  [/nonce too high|nonce is too high/i, 'nonce-too-high'],
  [/insufficient funds/i, 'insufficient-funds'],
  [/underpriced|max fee per gas less than block base fee|less than `?baseFee/i, 'underpriced'],
];

/** Sorts an error; `doing` names what was tried, for the sentence. An `L1Error` is returned as it is. */
export function l1Error(error: unknown, doing: string): L1Error {
  if (error instanceof L1Error) return error;
  const details = error instanceof BaseError ? error.details || error.shortMessage : String(error);
  const make = (code: L1ErrorCode, revert?: Revert): L1Error =>
    new L1Error(code, `${doing}: ${revert === undefined ? details : revertSentence(revert)}`, {
      cause: error,
      details,
      ...(revert === undefined ? {} : { revert }),
    });
  if (!(error instanceof BaseError)) return make('rejected');
  const reverted = error.walk((inner) => inner instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError)
    return make('reverted', {
      name: reverted.data?.errorName ?? 'Error',
      args: reverted.data?.args ?? (reverted.reason === undefined ? [] : [reverted.reason]),
    });
  const data = revertData(error);
  if (data !== undefined) return make('reverted', decodeRevert(data));
  if (error.walk((inner) => inner instanceof InsufficientFundsError) !== null)
    return make('insufficient-funds');
  if (error.walk((inner) => inner instanceof NonceTooLowError) !== null) return make('nonce-too-low');
  if (error.walk((inner) => inner instanceof NonceTooHighError) !== null) return make('nonce-too-high');
  const text = texts(error);
  for (const [pattern, code] of MESSAGES) if (pattern.test(text)) return make(code);
  const unreachable = error.walk(
    (inner) =>
      inner instanceof HttpRequestError ||
      inner instanceof TimeoutError ||
      inner instanceof SocketClosedError ||
      inner instanceof WebSocketRequestError,
  );
  if (unreachable !== null) return make('unreachable');
  return make('rejected');
}

/** Bytes that a call reverted with, as nodes put them into the JSON-RPC error's `data`. */
function revertData(error: BaseError): Hex | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const data = (at as { data?: unknown }).data;
    const text = typeof data === 'object' && data !== null ? (data as { data?: unknown }).data : data;
    if (typeof text === 'string' && /^0x([0-9a-f]{2})*$/i.test(text)) return text as Hex;
  }
  return /execution reverted/i.test(texts(error)) ? '0x' : undefined;
}

/** Names a revert by the contracts' errors, also one inside a TransferFailed; the bytes when it is none of them. */
export function decodeRevert(data: Hex): Revert {
  if (data === '0x') return { name: 'Reverted', args: [] };
  try {
    const { errorName, args } = decodeErrorResult({ abi: contractErrors, data });
    if (errorName === 'TransferFailed')
      return { name: errorName, args: [args[0], revertSentence(decodeRevert(args[1]))] };
    return { name: errorName, args: args ?? [] };
  } catch {
    return { name: 'Unknown', args: [data] };
  }
}

function texts(error: BaseError): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    parts.push(at.message);
    if (at instanceof RpcRequestError) parts.push(at.details);
  }
  return parts.join('\n');
}

/** `WrongField("parentHash", expected, got)`, with short strings that contracts pack into bytes32 made readable. */
export function revertSentence(revert: Revert): string {
  return `${revert.name}(${revert.args.map(argument).join(', ')})`;
}

function argument(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  const match = /^0x((?:[2-7][0-9a-f])+?)(?:00)*$/.exec(value);
  if (match === null || value.length !== 66 || match[1]!.length > 62) return value;
  return JSON.stringify(Buffer.from(match[1]!, 'hex').toString('ascii'));
}
