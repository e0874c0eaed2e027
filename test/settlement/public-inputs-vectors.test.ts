/** The vector file of public inputs says what this side says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PUBLIC_INPUTS_VECTOR_FILE, publicInputsVectors } from './public-inputs-vectors.ts';

test('the file is what is built now', async () => {
  const cases = await publicInputsVectors();
  expect(JSON.parse(readFileSync(PUBLIC_INPUTS_VECTOR_FILE, 'utf8'))).toEqual({ cases });
  for (const { publicInputs } of cases) expect(publicInputs.length).toBe(2 + 2 * 366);
});
