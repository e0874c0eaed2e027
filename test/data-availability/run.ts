/** `npm run bytes`: what an order costs on L1 in each carrier; prints the table and writes it into its page of docs. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { measureCosts } from './measure.ts';
import { costTable, withTable } from './table.ts';

const costs = await measureCosts([
  { perSignature: 1, orders: 2_400 },
  { perSignature: 20, orders: 7_000 },
]);
const table = costTable(costs);
console.log(table);
const file = path.join(PROJECT_ROOT, 'docs', 'data-availability.md');
writeFileSync(file, withTable(readFileSync(file, 'utf8'), table));
console.log(`wrote ${file}`);
