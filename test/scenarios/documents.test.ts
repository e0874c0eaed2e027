/** The worked examples of the documents, in the language of scenarios: each block is run as it stands. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Scenario } from './scenario.ts';

const folder = new URL('../../docs/', import.meta.url);
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .sort()
  .flatMap((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    return [...text.matchAll(/^```scenario\n(.*?)^```$/gms)].map((match, i) => ({
      name: `${name}, example ${i + 1}`,
      text: match[1]!,
    }));
  });

describe('documents', () => {
  it('have examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  it.each(examples)('$name', ({ text }) => {
    new Scenario().run(text);
  });
});
