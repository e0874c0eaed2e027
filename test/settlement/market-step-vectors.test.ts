/** The vector file that MarketSteps.sol is tested against says what the engine does now, of every kind of its steps. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Reject } from '#protocol/reject.ts';
import { StepKind } from '#state/trace.ts';
import { INADMISSIBLE } from '../support/step-vectors.ts';
import {
  MARKET_STEPS_FILE,
  marketStepVectors,
  TICK_STEPS_FILE,
  tickStepVectors,
} from './market-step-vectors.ts';

describe('steps of prices and time', () => {
  const vectors = marketStepVectors() as { kinds: number[]; codes: number[] };
  const ticks = tickStepVectors() as { kinds: number[] };
  const count = (kind: number, code: number): number =>
    vectors.kinds.filter((other, i) => other === kind && vectors.codes[i] === code).length;

  test('the files are what is built now', () => {
    expect(JSON.parse(readFileSync(MARKET_STEPS_FILE, 'utf8'))).toEqual(vectors);
    expect(JSON.parse(readFileSync(TICK_STEPS_FILE, 'utf8'))).toEqual(ticks);
  });

  test('has rounds that count and rounds that do not, samples, fundings and expiries', () => {
    expect(count(StepKind.PRICE_ROUND, Reject.NONE)).toBeGreaterThan(20);
    expect(count(StepKind.PRICE_ROUND, INADMISSIBLE)).toBeGreaterThan(25);
    for (const kind of [StepKind.SAMPLE, StepKind.FUNDING])
      expect(ticks.kinds.filter((other) => other === kind).length).toBeGreaterThan(20);
    expect(count(StepKind.EXPIRE, Reject.NONE)).toBeGreaterThan(8);
  });
});
