/** What Solidity's auctions and deleveraging are tested against is what the engine computes now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WATERFALL_VECTORS_FILE, waterfallVectors } from './waterfall-vectors.ts';

test('the file is what is built now', () => {
  expect(JSON.parse(readFileSync(WATERFALL_VECTORS_FILE, 'utf8'))).toEqual(waterfallVectors());
});
