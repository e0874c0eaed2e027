/** Weights against what the contracts need at the worst, and docs/gas.md against both. `npm run gas:steps` writes it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import {
  MESSAGE_BYTES_MAX,
  RECORD_BODY_BYTES_MAX,
  RECORD_HEADER_BYTES,
  SEGMENT_INPUT_BYTES_MAX,
  SEGMENT_WEIGHT_MAX,
} from '#protocol/limits.ts';
import { PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { BYTE_WEIGHT, STEP_WEIGHTS } from '#state/step-weights.ts';
import { StepKind } from '#state/trace.ts';
import { worstOfDocument } from '../fuzz-steps/gas-document.ts';
import { type Rig, SEGMENT_CALLDATA_MAX, SEGMENT_GAS_MAX, startRig } from '../fuzz-steps/rig.ts';
import { type StepCost, worstCosts } from '../fuzz-steps/step-gas.ts';

const document = worstOfDocument(readFileSync(path.join(PROJECT_ROOT, 'docs', 'gas.md'), 'utf8'));
/** How far a figure may move before the table is to be written anew. */
const DRIFT = 0.02;
/** Header, trace openings, ABI and envelope of a proof; what the contracts around the step prover need. */
const PROOF_BYTES = 4_096;
const PROOF_GAS = 1_500_000;

let rig: Rig;
let worst: ReadonlyMap<number, StepCost>;

beforeAll(async () => {
  rig = await startRig();
  worst = await worstCosts(rig, await createWasmKeccak());
}, 300_000);
afterAll(() => rig?.stop());

test.each(Object.entries(StepKind))('%s weighs no less than its dearest step', (name, kind) => {
  const { gas, bytes } = worst.get(kind)!;
  const weight = STEP_WEIGHTS[kind]!;
  expect(gas).toBeLessThanOrEqual(weight);
  expect(bytes * BYTE_WEIGHT).toBeLessThanOrEqual(weight);
  const written = document.get(name)!;
  expect(Math.abs(written.gas - gas), 'npm run gas:steps').toBeLessThanOrEqual(gas * DRIFT);
  expect(Math.abs(written.bytes - bytes), 'npm run gas:steps').toBeLessThanOrEqual(bytes * DRIFT);
});

test('the heaviest segment fits a transaction, with everything around it', () => {
  const carried = RECORD_HEADER_BYTES + Math.max(RECORD_BODY_BYTES_MAX, MESSAGE_BYTES_MAX);
  const records = SEGMENT_INPUT_BYTES_MAX + carried;
  const bytes = SEGMENT_WEIGHT_MAX / BYTE_WEIGHT + records + PROOF_BYTES;
  expect(bytes).toBeLessThanOrEqual(SEGMENT_CALLDATA_MAX);
  expect(SEGMENT_WEIGHT_MAX + 21_000 + 16 * (records + PROOF_BYTES) + PROOF_GAS).toBeLessThanOrEqual(
    Number(SEGMENT_GAS_MAX),
  );
});
