/** The vector file that IsolationSteps.sol is tested against says what the engine does now, with every code. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Reject } from '#protocol/reject.ts';
import { StepKind } from '#state/trace.ts';
import { ISOLATION_STEPS_FILE, isolationStepVectors } from './isolation-step-vectors.ts';

const vectors = isolationStepVectors() as { kinds: number[]; codes: number[] };

test('the file is what is built now', () => {
  expect(JSON.parse(readFileSync(ISOLATION_STEPS_FILE, 'utf8'))).toEqual(vectors);
});

test('has every code that one of the steps gives', () => {
  const found = new Set(vectors.kinds.map((kind, i) => `${kind}/${vectors.codes[i]}`));
  const of = (kind: number, ...codes: number[]): string[] => codes.map((code) => `${kind}/${code}`);
  const expected = [
    ...of(StepKind.ISOLATE, Reject.NONE, Reject.UNKNOWN_MARKET, Reject.MARKET_FEED_ONLY),
    ...of(StepKind.ISOLATE, Reject.SUBACCOUNT_EXISTS),
    ...of(StepKind.SET_LEVERAGE, Reject.NONE, Reject.UNKNOWN_MARKET, Reject.TOO_MANY_POSITIONS),
    ...of(StepKind.SET_LEVERAGE, Reject.MARKET_FEED_ONLY, Reject.ACCOUNT_ISOLATED),
    ...of(StepKind.SET_LEVERAGE, Reject.MARKET_ISOLATED_ONLY, Reject.RISK_POOL_MISMATCH),
    ...of(StepKind.SET_LEVERAGE, Reject.INVALID_LEVERAGE, Reject.INSUFFICIENT_MARGIN),
  ];
  expect([...found].sort()).toEqual(expected.sort());
});
