/** The vector files that MoneySteps.sol and QueueSteps.sol are tested against say what the engine does now, and hold every code. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Reject } from '#protocol/reject.ts';
import { StepKind } from '#state/trace.ts';
import { INADMISSIBLE } from '../support/step-vectors.ts';
import { MONEY_STEPS_FILE, moneyStepVectors, QUEUE_STEPS_FILE } from './money-step-vectors.ts';

describe('steps of money and of the L1 queue', () => {
  const vectors = moneyStepVectors();
  const codes = (columns: Record<string, unknown>): Set<string> => {
    const held = columns as { kinds: number[]; codes: number[] };
    return new Set(held.kinds.map((kind, i) => `${kind}/${held.codes[i]}`));
  };

  test('the files are what is built now', () => {
    expect(JSON.parse(readFileSync(MONEY_STEPS_FILE, 'utf8'))).toEqual(vectors.money);
    expect(JSON.parse(readFileSync(QUEUE_STEPS_FILE, 'utf8'))).toEqual(vectors.queue);
  });

  test('have every code that a step of theirs can give', () => {
    const { NONE, ORACLE_STALE, UNKNOWN_ASSET, AMOUNT_OUT_OF_RANGE, INSUFFICIENT_FREE_COLLATERAL } = Reject;
    const money = [NONE, ORACLE_STALE, UNKNOWN_ASSET, AMOUNT_OUT_OF_RANGE, INSUFFICIENT_FREE_COLLATERAL];
    expect([...codes(vectors.money!)]).toEqual(
      expect.arrayContaining([
        ...money.map((code) => `${StepKind.WITHDRAW}/${code}`),
        ...[...money, Reject.TRANSFER_NOT_ALLOWED].map((code) => `${StepKind.TRANSFER}/${code}`),
      ]),
    );
    expect([...codes(vectors.queue!)]).toEqual(
      expect.arrayContaining([
        ...[NONE, UNKNOWN_ASSET, AMOUNT_OUT_OF_RANGE, Reject.QUEUE_ENTRY_INVALID].map(
          (code) => `${StepKind.DEPOSIT}/${code}`,
        ),
        ...[...money, Reject.UNKNOWN_ACCOUNT, Reject.QUEUE_ENTRY_INVALID, INADMISSIBLE].map(
          (code) => `${StepKind.FORCED}/${code}`,
        ),
        ...[Reject.UNKNOWN_MARKET, Reject.PRICE_OUT_OF_RANGE, Reject.SIZE_OUT_OF_RANGE].map(
          (code) => `${StepKind.FORCED}/${code}`,
        ),
        `${StepKind.FORCED}/${Reject.REDUCE_ONLY_WOULD_INCREASE}`,
        ...[NONE, Reject.CONFIGURATION_INVALID].map((code) => `${StepKind.CONFIGURE}/${code}`),
      ]),
    );
  });
});
