/** What a verifier says when a posted batch is not what re-execution gives: the first wrong thing, named. */
import { equalBytes, toHex } from '#protocol/bytes.ts';

/** Which statement of a batch is wrong. */
export type Part =
  /** The transaction's bytes are no batch. */
  | 'calldata'
  | 'signature'
  /** A field of the header against the batch before, the posted bytes or L1. */
  | 'header'
  | 'trace'
  | 'inputs'
  | 'queue'
  | 'anchor'
  | 'time'
  /** What a segment claims against its re-execution. */
  | 'segment'
  | 'diff'
  | 'withdrawn'
  /** A batch or root that L1 calls final is not the one that was verified. */
  | 'finality';

/** Half-open range. */
export interface Range {
  readonly first: number;
  readonly next: number;
}

export interface Difference {
  readonly batch: number;
  readonly part: Part;
  /** Index in the batch's trace, from 0. */
  readonly segment?: number;
  /** Steps in which the wrong thing lies. */
  readonly steps?: Range;
  /** Seqs of the commands that have steps there. */
  readonly commands?: Range;
  /** Kinds of those steps, in order, equal neighbors counted: `PLACE, MATCH × 3`. */
  readonly kinds?: string;
  readonly field: string;
  readonly expected: string;
  readonly got: string;
  /** Ledger leaves that the posted diff has otherwise, as far as they can be told. */
  readonly leaves?: readonly string[];
}

export class DifferenceFound extends Error {
  override readonly name = 'DifferenceFound';
  readonly difference: Difference;

  constructor(difference: Difference) {
    super(sentenceOf(difference));
    this.difference = difference;
  }
}

export function sentenceOf(difference: Difference): string {
  const { batch, part, segment, steps, commands, kinds, field, expected, got, leaves } = difference;
  const span = (noun: string, { first, next }: Range): string =>
    next - first === 1 ? `${noun} ${first}` : `${noun}s ${first} to ${next - 1}`;
  const place = [
    ...(steps === undefined ? [] : [span('step', steps)]),
    ...(commands === undefined || commands.next === commands.first ? [] : [span('command', commands)]),
    ...(kinds === undefined ? [] : [kinds]),
  ].join(', ');
  const where = [
    ...(segment === undefined ? [] : [`segment ${segment}`]),
    ...(part === 'segment' ? [] : [part]),
  ].join(', ');
  return [
    `batch ${batch}, ${where}${place === '' ? '' : ` (${place})`}, ${field}: expected ${expected}, got ${got}`,
    ...(leaves ?? []),
  ].join('; ');
}

export type Comparable = number | bigint | string | Uint8Array;

export const show = (value: Comparable): string => (value instanceof Uint8Array ? toHex(value) : `${value}`);

export const isSame = (a: Comparable, b: Comparable): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array ? equalBytes(a, b) : a === b;

/** Where a check stands; spread into the difference. */
export type Place = Pick<Difference, 'batch' | 'part'> &
  Partial<Pick<Difference, 'segment' | 'steps' | 'commands' | 'kinds' | 'leaves'>>;

export function differ(place: Place, field: string, expected: Comparable, got: Comparable): never {
  throw new DifferenceFound({ ...place, field, expected: show(expected), got: show(got) });
}

export function checkSame(place: Place, field: string, expected: Comparable, got: Comparable): void {
  if (!isSame(expected, got)) differ(place, field, expected, got);
}

export function checkAtLeast(place: Place, field: string, least: number, got: number): void {
  if (!(got >= least)) differ(place, field, `at least ${least}`, got);
}

export function checkAtMost(place: Place, field: string, most: number, got: number): void {
  if (!(got <= most)) differ(place, field, `at most ${most}`, got);
}
