/**
 * The step prover against the engine: random sessions on an Anvil, each segment within 12M gas, each step with its reject
 * code, altered records refused exactly when admission refuses them. More of it: `npm run fuzz:steps`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { StepKind } from '#state/trace.ts';
import { compareSegments } from '../fuzz-steps/compare.ts';
import { Coverage } from '../fuzz-steps/coverage.ts';
import { fuzzSession } from '../fuzz-steps/fuzz.ts';
import { type Rig, startRig } from '../fuzz-steps/rig.ts';
import { StepSession } from '../fuzz-steps/step-session.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_122);
console.log(`step prover: SEED=${SEED}`);
const keccak = await createWasmKeccak();
const coverage = new Coverage();
let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
}, 120_000);

afterAll(async () => {
  await rig?.stop();
  console.log(coverage.lines().join('\n'));
});

test('segments, steps, refusals and misclaims of a session come out as in the engine', async () => {
  expect(await fuzzSession(rig, { seed: SEED, commands: 250, keccak, coverage })).toBeUndefined();
}, 180_000);

test.each([1, 2])(
  'segments of session %d come out as in the engine',
  async (n) => {
    const { commands } = new StepSession(SEED + n).run(400);
    expect(await compareSegments(rig, commands, keccak, coverage)).toBeUndefined();
  },
  180_000,
);

test('the sessions reached every kind of step but VERSION, which is rare, and most reject codes', () => {
  const kinds = Object.values(StepKind).filter((kind) => kind !== StepKind.VERSION);
  expect(kinds.filter((kind) => !coverage.kinds.has(kind))).toEqual([]);
  expect(coverage.steps).toBeGreaterThan(5_000);
  expect(coverage.codes.size).toBeGreaterThan(20);
  expect(coverage.refused).toBeGreaterThan(20);
});
