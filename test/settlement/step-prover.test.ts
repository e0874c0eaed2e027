/**
 * The step prover against the engine: random sessions on an Anvil, each segment within 12M gas, each step with its reject
 * code, altered records refused exactly when admission refuses them. More of it: `npm run fuzz:steps`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { concat, viewOf } from '#protocol/bytes.ts';
import { StepReads } from '#prover-stub/reads/collector.ts';
import { SegmentReplay } from '#prover-stub/segment-replay.ts';
import { encodeHints, type WitnessedSegment } from '#prover-stub/segment-witness.ts';
import { type MissingRead, missingOf } from '#settlement/l1/step-prover.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { StepKind } from '#state/trace.ts';
import { compareSegments } from '../fuzz-steps/compare.ts';
import { Coverage } from '../fuzz-steps/coverage.ts';
import { fuzzSession } from '../fuzz-steps/fuzz.ts';
import { disagreement, type Rig, startRig } from '../fuzz-steps/rig.ts';
import { StepSession } from '../fuzz-steps/step-session.ts';
import { emptyTrees, rangesOf, traceSession, witnessesOf } from '../support/witnessed-session.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
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

test.each([0, 10, 20])(
  'segments, steps, refusals and misclaims of session %d come out as in the engine',
  async (n) => {
    expect(await fuzzSession(rig, { seed: SEED + n, commands: 350, keccak, coverage })).toBeUndefined();
  },
  180_000,
);

test.each([1, 2])(
  'segments of session %d come out as in the engine',
  async (n) => {
    const { commands } = new StepSession(SEED + n).run(400);
    expect(await compareSegments(rig, commands, keccak, coverage)).toBeUndefined();
  },
  180_000,
);

test('a witness that lacks a leaf is told so by the contract, and is whole with it', async () => {
  const { commands } = new StepSession(SEED).run(20);
  const segments = rangesOf(traceSession(commands, keccak));
  const [{ witness }] = [...witnessesOf(commands, segments, keccak)] as [WitnessedSegment];
  // Without the hints of its first step.
  const items = viewOf(witness.hints).getUint16(0);
  const short = { ...witness, hints: concat(new Uint8Array(2), witness.hints.subarray(2 + items)) };
  const found: MissingRead[] = [];
  for (let tries = 0; tries < 8; tries++) {
    const error = await rig.run(short).catch((cause: unknown) => cause);
    const missing = missingOf(error);
    if (missing === undefined) break;
    found.push(missing);
    const reads = new StepReads();
    reads.leaf(...found.map(({ key }) => key));
    short.hints = concat(encodeHints(reads), witness.hints.subarray(2 + items));
  }
  expect(found.map(({ range }) => range)).toEqual(found.map(() => undefined));
  expect(found.length).toBeGreaterThan(1);
  const extra = { leaves: found.map(({ key }) => key), ranges: [] };
  const state = new ExchangeState(keccak);
  const replay = new SegmentReplay({ state, trees: emptyTrees(keccak), nextStep: 0, segments, extra });
  const [repaired] = commands.flatMap((command) => replay.apply(command));
  expect(disagreement(repaired!, await rig.run(repaired!.witness))).toBeUndefined();
});

test('the sessions reached every kind of step but VERSION, which is rare, and most reject codes', () => {
  const kinds = Object.values(StepKind).filter((kind) => kind !== StepKind.VERSION);
  expect(kinds.filter((kind) => !coverage.kinds.has(kind))).toEqual([]);
  expect(coverage.steps).toBeGreaterThan(5_000);
  expect(coverage.codes.size).toBeGreaterThan(24);
  expect(coverage.refused).toBeGreaterThan(20);
});
