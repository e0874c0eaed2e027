/** docs/threat-model.md names tests: each file is there, and each forge test stands in a file of its own line. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '#settlement/l1/compile.ts';

const SKIPPED = new Set(['node_modules', 'out', 'cache', '.cache', '.git', 'data']);

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const file = path.join(directory, entry.name);
    return entry.isDirectory() ? filesUnder(file) : [file];
  });
}

test('every test that the threat model names exists', () => {
  const files = filesUnder(PROJECT_ROOT);
  const lines = readFileSync(path.join(PROJECT_ROOT, 'docs/threat-model.md'), 'utf8').split('\n');
  const wrong: string[] = [];
  let named = 0;
  for (const line of lines) {
    const places = [...line.matchAll(/[\w/-]+(?:\.t\.sol|\.test\.ts|\.sol|\.ts|\.md)\b/g)].map(([name]) => {
      const found = files.filter((file) => file.endsWith(`/${name}`));
      if (found.length !== 1) wrong.push(`${name}: expected one file, got ${found.length}`);
      return found[0];
    });
    const text = places
      .flatMap((file) => (file === undefined ? [] : [readFileSync(file, 'utf8')]))
      .join('\n');
    for (const [name] of line.matchAll(/\b(?:test|testFuzz|invariant)_\w+/g)) {
      named++;
      if (!text.includes(`function ${name}(`)) wrong.push(`${name}: expected in a file of its line`);
    }
    for (const [, script] of line.matchAll(/`npm run ([\w:-]+)`/g)) {
      const { scripts } = JSON.parse(readFileSync(path.join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
        scripts: Record<string, string>;
      };
      if (scripts[script!] === undefined) wrong.push(`npm run ${script}: expected a script`);
    }
  }
  expect(wrong).toEqual([]);
  expect(named).toBeGreaterThan(40);
});
