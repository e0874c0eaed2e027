/** Whether a replay came out as it was recorded: takes fill by fill, the end book order by order. */
import { formatBook, formatFills, type RecordedFill, type RecordedOrder } from './recording.ts';

export interface ReplayVerdict {
  readonly takes: number;
  /** Takes whose fills are the recorded ones, in the recorded order. Undefined where nothing was recorded. */
  readonly takesEqual: number | undefined;
  readonly bookEqual: boolean | undefined;
  /** The first things that differ, for people. */
  readonly differences: readonly string[];
}

const DIFFERENCES_MAX = 10;

export interface ReplayOutcome {
  readonly fills: readonly RecordedFill[];
  readonly book: readonly RecordedOrder[];
}

export function compareReplay(
  takes: number,
  outcome: ReplayOutcome,
  recorded: { readonly [Part in keyof ReplayOutcome]: ReplayOutcome[Part] | undefined },
): ReplayVerdict {
  const differences: string[] = [];
  const tell = (sentence: string): void => {
    if (differences.length < DIFFERENCES_MAX) differences.push(sentence);
  };
  return {
    takes,
    takesEqual: recorded.fills && takesEqual(takes, outcome.fills, recorded.fills, tell),
    bookEqual: recorded.book && booksEqual(outcome.book, recorded.book, tell),
    differences,
  };
}

/** True when nothing that can be compared differs. */
export const isEqualReplay = (verdict: ReplayVerdict): boolean =>
  (verdict.takesEqual ?? verdict.takes) === verdict.takes && verdict.bookEqual !== false;

function takesEqual(
  takes: number,
  got: readonly RecordedFill[],
  expected: readonly RecordedFill[],
  tell: (sentence: string) => void,
): number {
  const gotByTake = fillsByTake(got);
  const expectedByTake = fillsByTake(expected);
  let equal = 0;
  for (let take = 1; take <= takes; take++) {
    const mine = gotByTake.get(take) ?? '';
    const theirs = expectedByTake.get(take) ?? '';
    if (mine === theirs) equal++;
    else tell(`take ${take}: expected ${theirs || 'no fill'}, got ${mine || 'no fill'}`);
  }
  return equal;
}

function fillsByTake(fills: readonly RecordedFill[]): Map<number, string> {
  const byTake = new Map<number, string>();
  for (const fill of fills) {
    const line = formatFills([fill]).split('\n')[1]!;
    const before = byTake.get(fill.takeId);
    byTake.set(fill.takeId, before === undefined ? line : `${before} | ${line}`);
  }
  return byTake;
}

function booksEqual(
  got: readonly RecordedOrder[],
  expected: readonly RecordedOrder[],
  tell: (sentence: string) => void,
): boolean {
  const mine = formatBook(got).split('\n');
  const theirs = formatBook(expected).split('\n');
  let equal = true;
  for (let i = 0; i < Math.max(mine.length, theirs.length) && equal; i++) {
    if (mine[i] === theirs[i]) continue;
    equal = false;
    tell(`book row ${i}: expected ${theirs[i] || 'no more'}, got ${mine[i] || 'no more'}`);
  }
  return equal;
}
