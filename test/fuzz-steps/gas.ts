/** `npm run gas:steps`: measures what steps cost on the contract and writes docs/gas.md. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { BYTE_WEIGHT, STEP_WEIGHTS } from '#state/step-weights.ts';
import { StepKind } from '#state/trace.ts';
import { gasDocument } from './gas-document.ts';
import { startRig } from './rig.ts';
import { typicalCosts, worstCosts } from './step-gas.ts';

const keccak = await createWasmKeccak();
const rig = await startRig();
try {
  const typical = await typicalCosts(rig, keccak);
  const worst = await worstCosts(rig, keccak);
  const file = path.join(PROJECT_ROOT, 'docs', 'gas.md');
  writeFileSync(file, gasDocument(typical, worst));
  console.log(`wrote ${file}`);
  for (const [name, kind] of Object.entries(StepKind)) {
    const { gas, bytes } = worst.get(kind)!;
    const needed = Math.max(gas, bytes * BYTE_WEIGHT);
    const weight = STEP_WEIGHTS[kind]!;
    const verdict = needed > weight ? 'TOO LOW' : `${Math.round((100 * needed) / weight)} % used`;
    console.log(`${name.padEnd(21)} needs ${needed}, weighs ${weight}: ${verdict}`);
    if (needed > weight) process.exitCode = 1;
  }
} finally {
  await rig.stop();
}
