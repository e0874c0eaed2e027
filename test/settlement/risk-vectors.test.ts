/** The accounts that Solidity's margin and admission are tested against are judged as the engine judges them now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RISK_VECTORS_FILE, riskVectors } from './risk-vectors.ts';

test('the file is what is built now', () => {
  expect(JSON.parse(readFileSync(RISK_VECTORS_FILE, 'utf8'))).toEqual(riskVectors());
});
