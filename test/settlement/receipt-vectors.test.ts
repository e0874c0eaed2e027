/** The vector files of receipts and trace openings say what this side says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RECEIPT_VECTOR_FILES, receiptVectors } from './receipt-vectors.ts';

test('the files are what is built now', () => {
  const vectors = receiptVectors();
  for (const name of ['receipt', 'traceProof'] as const)
    expect(JSON.parse(readFileSync(RECEIPT_VECTOR_FILES[name], 'utf8'))).toEqual({ cases: vectors[name] });
});
