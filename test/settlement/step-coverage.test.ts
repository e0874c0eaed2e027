/**
 * Every kind of step, every reject code, every fault and every branch of the step libraries is reached, by script, and
 * comes out as in the engine. The same with random sessions: `npm run fuzz:steps -- --coverage`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { BranchCoverage, branchLines } from '../evm/branch-coverage.ts';
import { UNREACHABLE, unexplained } from '../evm/unreachable.ts';
import { Coverage } from '../fuzz-steps/coverage.ts';
import { compareDirected } from '../fuzz-steps/directed.ts';
import { type Rig, startRig } from '../fuzz-steps/rig.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`step coverage: SEED=${SEED}`);
const keccak = await createWasmKeccak();

describe('the step libraries', () => {
  const coverage = new Coverage();
  let branches: BranchCoverage;
  let rig: Rig;

  beforeAll(async () => {
    branches = new BranchCoverage(keccak);
    rig = await startRig(undefined, (contracts) => branches.watch(contracts));
  }, 180_000);

  afterAll(async () => {
    await rig?.stop();
    console.log([...coverage.lines(), ...branchLines(branches)].join('\n'));
  });

  test('episodes, bad records, broken witnesses and vectors come out as in the engine', async () => {
    expect(await compareDirected(rig, { seed: SEED, keccak, coverage, branches })).toBeUndefined();
  }, 180_000);

  test('every kind of step, reject code and fault was reached', () => {
    expect(coverage.missing()).toEqual([]);
  });

  test('every branch was taken but those of which it is said why not', () => {
    const ways = [...branches.ways()];
    expect(ways.length).toBeGreaterThan(1_300);
    expect(unexplained(branches)).toEqual([]);
    expect(ways.filter(([, taken]) => !taken)).toHaveLength(UNREACHABLE.length);
  });
});
