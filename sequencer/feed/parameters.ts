/** Reads the parameters of a query; what does not fit throws with field, expected and got. */

import type { HistoryCursor, HistoryPage } from '#pipeline/ports.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';

/** A query that can't be answered: told to whoever asked, nothing else happens. */
export class QueryRefusal extends Error {
  override readonly name = 'QueryRefusal';
  readonly code: RejectCode;
  constructor(code: RejectCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

export type Parameters = Readonly<Record<string, unknown>>;

const refuse = (field: string, expected: string, got: unknown): never => {
  throw new QueryRefusal(Reject.MALFORMED_FRAME, `query ${field}: expected ${expected}, got ${show(got)}`);
};

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

/** An integer from `min` (default 0) to `max`; undefined when absent. */
export function optionalInteger(
  parameters: Parameters,
  field: string,
  range: { min?: number; max?: number } = {},
): number | undefined {
  const value = parameters[field];
  if (value === undefined || value === null) return undefined;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
    return refuse(field, `an integer from ${min} to ${max}`, value);
  return value;
}

export function integer(
  parameters: Parameters,
  field: string,
  range: { min?: number; max?: number } = {},
): number {
  return optionalInteger(parameters, field, range) ?? refuse(field, 'an integer', parameters[field]);
}

/** 20 bytes from 0x… text. */
export function address(parameters: Parameters, field: string): Uint8Array {
  const value = parameters[field];
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value))
    return refuse(field, '0x and 40 hexadecimal digits', value);
  return Uint8Array.from({ length: 20 }, (_, i) => Number.parseInt(value.slice(2 + 2 * i, 4 + 2 * i), 16));
}

export const HISTORY_LIMIT_MAX = 1_000;
const HISTORY_LIMIT_DEFAULT = 100;

export function historyPage(parameters: Parameters): HistoryPage {
  const fromTime = optionalInteger(parameters, 'fromTime');
  const toTime = optionalInteger(parameters, 'toTime');
  const before = cursor(parameters.before);
  return {
    limit: optionalInteger(parameters, 'limit', { min: 1, max: HISTORY_LIMIT_MAX }) ?? HISTORY_LIMIT_DEFAULT,
    ...(before !== undefined && { before }),
    ...(fromTime !== undefined && { fromTime }),
    ...(toTime !== undefined && { toTime }),
  };
}

function cursor(value: unknown): HistoryCursor | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') return refuse('before', '{ seq, place }', value);
  const fields = value as Parameters;
  return { seq: integer(fields, 'seq'), place: integer(fields, 'place') };
}

/** At most `max` maps; none when absent. */
export function list(parameters: Parameters, field: string, max: number): readonly Parameters[] {
  const value = parameters[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > max)
    return refuse(field, `at most ${max} of them`, Array.isArray(value) ? value.length : value);
  for (const one of value) if (typeof one !== 'object' || one === null) refuse(field, 'maps', one);
  return value;
}

/** False when absent. */
export function optionalBoolean(parameters: Parameters, field: string): boolean {
  const value = parameters[field];
  if (value === undefined || value === null) return false;
  return typeof value === 'boolean' ? value : refuse(field, 'true or false', value);
}
