/** Every scenario in this folder, against the real engine, with the invariants checked after every line. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Scenario } from './scenario.ts';

const folder = dirname(fileURLToPath(import.meta.url));
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort();

describe('scenarios', () => {
  it('are all here', () => {
    expect(files.length).toBeGreaterThanOrEqual(18);
  });

  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    const [first] = text.split('\n');
    it(`${file}: ${first!.replace(/^# */, '')}`, () => {
      new Scenario().run(text);
    });
  }
});

describe('the runner', () => {
  const fails = (text: string): string => {
    try {
      new Scenario().run(text);
    } catch (error) {
      return (error as Error).message;
    }
    return 'passed';
  };

  it('names the line, what was expected and what came', () => {
    expect(fails('alice deposits 100\nalice buys 1 @ 100 → fills 1 @ 100 from bob')).toBe(
      'line 2: alice buys 1 @ 100 → fills 1 @ 100 from bob\n  expected: fills 1 @ 100 from bob\n  got:      rests 1 @ 100',
    );
    expect(fails('alice deposits 100\nexpect alice cash 99')).toMatch(/cash: expected 99, got 100$/);
    expect(fails('alice deposits 100\nexpect book bids none; asks 1 @ 1 bob')).toMatch(
      /got bids none; asks none$/,
    );
  });

  it('does not pass over what it does not understand, nor over what a line did beside', () => {
    expect(fails('alice dances')).toMatch(/not understood/);
    expect(fails('alice deposits 100\nalice buys 1 @ 100 quickly')).toMatch(/not understood: quickly/);
    expect(fails('alice deposits 100\nalice buys 1 @ 100')).toMatch(/expected: done/);
    expect(fails('alice deposits 100\nalice buys 1 @ 100.05')).toMatch(/multiple of 1\/10, got 100.05/);
    expect(fails('alice deposits 100\nbob buys 1 @ 100')).toMatch(/somebody who has deposited, got bob/);
  });
});
