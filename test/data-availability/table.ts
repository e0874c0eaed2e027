/** The table of docs/data-availability.md, and its place there. */
import type { Cost } from './measure.ts';

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';
const BLOB_GAS = 131_072;

const COLUMNS = [
  'Orders a signature',
  'Inputs in',
  'Orders',
  'Batches',
  'Inputs B/order',
  'Diff B/order',
  'Trace B/order',
  'Calldata B/order',
  'Gas/order',
  'Blob gas/order',
] as const;

const rowOf = (cost: Cost): string[] => {
  const per = (total: number, digits = 1): string => (total / cost.orders).toFixed(digits);
  return [
    `${cost.perSignature}`,
    cost.carrier,
    `${cost.orders}`,
    `${cost.batches}`,
    per(cost.inputBytes),
    per(cost.diffBytes),
    per(cost.traceBytes),
    per(cost.calldataBytes),
    per(cost.gas, 0),
    per(cost.blobs * BLOB_GAS, 0),
  ];
};

export function costTable(costs: readonly Cost[]): string {
  const rows = costs.map(rowOf);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(COLUMNS), line(COLUMNS.map((_, i) => (i === 1 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}

/** The page with the table in its place. Throws when the page has no place for it. */
export function withTable(page: string, table: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`page: expected ${BEGIN} and ${END}, got neither in order`);
  return `${page.slice(0, begin + BEGIN.length)}\n${table}\n${page.slice(end)}`;
}
