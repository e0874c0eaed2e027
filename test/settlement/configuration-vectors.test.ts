/** The configuration payloads that Solidity is tested against are judged as this side judges them now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CONFIGURATION_FILE, configurationCases, configurationFile } from './configuration-vectors.ts';

test('the file is what is built now, and has both kinds of cases for each kind of entry', () => {
  expect(readFileSync(CONFIGURATION_FILE, 'utf8') === configurationFile()).toBe(true);
  for (const kind of [16, 17, 18]) {
    const cases = configurationCases().filter((one) => one.kind === kind);
    expect(cases.filter(({ valid }) => valid).length).toBeGreaterThan(20);
    expect(cases.filter(({ valid }) => !valid).length).toBeGreaterThan(20);
  }
});
