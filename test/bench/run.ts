/** `npm run bench [-- --only NAME] [--json]`: every figure with its baseline, taken in one run. */
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { Row } from './rows.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const suites = readdirSync(dirname(fileURLToPath(import.meta.url)))
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.slice(0, -'.bench.ts'.length))
  .sort();
if (values.help) {
  console.log(`npm run bench [-- --only NAME …] [--json]\n\nNAME: ${suites.join(', ')}`);
  process.exit(0);
}
const unknown = values.only?.find((name) => !suites.includes(name));
if (unknown !== undefined) {
  console.error(`bench: --only: expected one of ${suites.join(', ')}, got ${unknown}`);
  process.exit(2);
}

const verdict = (row: Row): string => {
  if (row.ratio === undefined) return '';
  const { value, floor, stretch, higherIsBetter } = row.ratio;
  const reaches = (target: number): boolean => (higherIsBetter ? value >= target : value <= target);
  return reaches(stretch) ? 'stretch' : reaches(floor) ? 'floor' : 'short';
};
const short = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

const rows: Row[] = [];
for (const suite of values.only ?? suites) {
  if (!values.json) console.error(`measuring ${suite} …`);
  const { measure } = (await import(`./${suite}.bench.ts`)) as { measure: () => Promise<Row[]> };
  rows.push(...(await measure()));
}
if (values.json) {
  console.log(
    JSON.stringify(
      {
        rows: rows.map((row) => ({
          ...row,
          floor: row.ratio?.floor,
          stretch: row.ratio?.stretch,
          verdict: verdict(row),
        })),
      },
      undefined,
      2,
    ),
  );
} else {
  const table = new Table({
    head: ['figure', 'value', 'unit', 'baseline', 'ratio', 'floor', 'stretch', 'verdict'],
  });
  for (const row of rows)
    table.push([
      row.name,
      short(row.value),
      row.unit,
      row.baseline === undefined ? '' : `${row.baseline.name}: ${short(row.baseline.value)}`,
      row.ratio === undefined ? '' : short(row.ratio.value),
      row.ratio === undefined ? '' : short(row.ratio.floor),
      row.ratio === undefined ? '' : short(row.ratio.stretch),
      verdict(row),
    ]);
  console.log(table.toString());
}
process.exit(0);
