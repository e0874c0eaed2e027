/** The vector file that AccountSteps.sol is tested against says what the engine does now, of every kind of its steps. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Reject } from '#protocol/reject.ts';
import { StepKind } from '#state/trace.ts';
import { ACCOUNT_KINDS, ACCOUNT_STEPS_FILE, accountStepVectors } from './account-step-vectors.ts';

const vectors = accountStepVectors() as { kinds: number[]; codes: number[] };

test('the file is what is built now', () => {
  expect(JSON.parse(readFileSync(ACCOUNT_STEPS_FILE, 'utf8'))).toEqual(vectors);
});

test('has every kind of step, and every code that one of them gives', () => {
  const found = new Set(vectors.kinds.map((kind, i) => `${kind}/${vectors.codes[i]}`));
  const expected = [
    ...ACCOUNT_KINDS.map((kind) => [kind, Reject.NONE]),
    [StepKind.CANCEL, Reject.UNKNOWN_MARKET],
    [StepKind.CANCEL, Reject.UNKNOWN_ORDER],
    [StepKind.CANCEL_ALL, Reject.UNKNOWN_MARKET],
    [StepKind.SESSION_KEY, Reject.TOO_MANY_SESSION_KEYS],
    [StepKind.SESSION_KEY, Reject.INVALID_SESSION_KEY],
    [StepKind.CANCEL_AFTER, Reject.INVALID_DEADLINE],
    [StepKind.CANCEL_ON_DISCONNECT, Reject.INVALID_DEADLINE],
    [StepKind.LOCK, Reject.SCOPE_NOT_ALLOWED],
  ];
  expect([...found].sort()).toEqual(expected.map((pair) => pair.join('/')).sort());
});
