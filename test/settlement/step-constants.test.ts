/** Constants that the step contracts have twice: each must be the one of its TypeScript twin, and none be missing. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { STEP_WEIGHTS } from '#state/step-weights.ts';
import { StepKind } from '#state/trace.ts';

const source = (name: string): string =>
  readFileSync(path.join(PROJECT_ROOT, 'settlement/contracts/step', name), 'utf8');

/** Name → value of the constants that are written as a number. */
function constants(text: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [, name, value] of text.matchAll(/ constant (\w+) = ([\d_]+);/g))
    found[name!] = Number(value!.replaceAll('_', ''));
  return found;
}

describe('step contracts', () => {
  it('number the kinds of step as the engine does', () => {
    const { STEP_KINDS, ...kinds } = constants(source('StepKind.sol'));
    expect(kinds).toEqual(StepKind);
    expect(STEP_KINDS).toBeGreaterThan(Math.max(...Object.values(StepKind)));
  });

  it('weigh each kind as the batcher does', () => {
    const text = source('StepWeights.sol');
    const expected = Object.fromEntries(
      Object.entries(StepKind).map(([name, kind]) => [name, STEP_WEIGHTS[kind]]),
    );
    expect(constants(text)).toEqual(expected);
    const table = [...text.matchAll(/weights\[StepKind\.(\w+)\] = (\w+);/g)];
    expect(table.map(([, place]) => place).sort()).toEqual(Object.keys(StepKind).sort());
    for (const [, place, weight] of table) expect(weight).toBe(place);
  });

  it('hold segments to the same weight', () => {
    expect(constants(source('Limits.sol')).SEGMENT_WEIGHT_MAX).toBe(SEGMENT_WEIGHT_MAX);
  });
});
