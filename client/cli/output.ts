/** What commands print: tables for people, JSON for programs (--json). */
import Table from 'cli-table3';
import { jsonValue } from './failure.ts';

const PLAIN = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

export type Cell = string | number;

/** Columns whose heading ends in `>` are right-aligned; the mark is not shown. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const made = new Table({
    head: headings.map((heading) => heading.replace(/>$/, '')),
    colAligns: headings.map((heading) => (heading.endsWith('>') ? 'right' : 'left')),
    chars: PLAIN,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) made.push(row.map(String));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Names on the left, values on the right. */
export const facts = (rows: readonly (readonly [string, Cell | undefined])[]): string => {
  const shown = rows.filter((row): row is readonly [string, Cell] => row[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
};

export const json = (value: unknown): string => JSON.stringify(value, jsonValue, 2);
/** One line, for streams. */
export const jsonLine = (value: unknown): string => JSON.stringify(value, jsonValue);

/** Prints one result: `value` as JSON, or the text made for people. */
export function print(options: { readonly json?: boolean }, value: unknown, text: () => string): void {
  process.stdout.write(`${options.json ? json(value) : text()}\n`);
}

/** Prints one item of a stream. */
export function printLine(options: { readonly json?: boolean }, value: unknown, text: () => string): void {
  process.stdout.write(`${options.json ? jsonLine(value) : text()}\n`);
}

export const time = (ms: number): string => (ms === 0 ? '-' : new Date(ms).toISOString());
export const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 23);
