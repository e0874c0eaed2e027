/** The steps of orders that Solidity is tested against are those that the engine takes now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TRADE_VECTORS_FILE, tradeVectors } from './trade-vectors.ts';

test('the file is what is built now', () => {
  expect(JSON.parse(readFileSync(TRADE_VECTORS_FILE, 'utf8'))).toEqual(tradeVectors());
});
