/**
 * `npm run fuzz:steps -- [--seed S] [--segments N] [--commands C] [--coverage]`: scripted episodes, then random sessions,
 * through the engine and through the contracts on an Anvil, until N segments agree (0: until it is stopped), from seed S
 * on (default: the clock). Ends with exit code 1 at the first that does not, with the command that shows it again and the
 * shortest session that still does; and when a step kind, reject code or fault was not reached. With --coverage, a table
 * of the branches of the step libraries that were taken, and exit code 1 when one was not.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { toHex } from '#protocol/bytes.ts';
import { flagsOf, whole } from '#test/support/flags.ts';
import { BranchCoverage, branchLines } from '../evm/branch-coverage.ts';
import { unexplained } from '../evm/unreachable.ts';
import { Coverage } from './coverage.ts';
import { compareDirected, EPISODES } from './directed.ts';
import { fuzzSession } from './fuzz.ts';
import { startRig } from './rig.ts';
import { shrink } from './shrink.ts';

const values = flagsOf('fuzz:steps', 'Runs random sessions through the engine and through the contracts.')
  .option('--seed <n>', 'of the first session', whole, Date.now() % 1_000_000)
  .option('--segments <n>', 'segments to compare', whole, 1_000)
  .option('--commands <n>', 'commands a session', whole, 400)
  .option('--coverage', 'print which branches of the step libraries were taken', false)
  .parse()
  .opts<{ seed: number; segments: number; commands: number; coverage: boolean }>();
const { segments: wanted, commands } = values;
const keccak = await createWasmKeccak();
const branches = values.coverage ? new BranchCoverage(keccak) : undefined;
const rig = await startRig(undefined, branches && ((contracts) => branches.watch(contracts)));
const coverage = new Coverage();
let stopped = false;
process.once('SIGINT', () => {
  stopped = true;
});
const fail = (lines: readonly string[]): void => {
  if (lines.length === 0) return;
  console.error(lines.join('\n'));
  process.exitCode = 1;
};
try {
  const seed = values.seed;
  const scripted = await compareDirected(rig, { seed, keccak, coverage, branches });
  if (scripted !== undefined) throw new Error(`seed ${seed}, ${scripted.where}: ${scripted.what}`);
  console.log(
    `seed ${seed}: ${EPISODES.length} episodes, ${coverage.segments} segments, ${coverage.steps} steps`,
  );
  for (let seed = values.seed; !stopped && (wanted === 0 || coverage.segments < wanted); seed++) {
    const found = await fuzzSession(rig, { seed, commands, keccak, coverage });
    console.log(`seed ${seed}: ${coverage.segments} segments, ${coverage.steps} steps so far`);
    if (found === undefined) continue;
    console.error(`seed ${seed}, ${found.where}: ${found.what}`);
    console.error(`again: npm run fuzz:steps -- --seed ${seed} --segments 1 --commands ${commands}`);
    process.exitCode = 1;
    if (found.session === undefined) break;
    console.error('looking for a shorter session …');
    const shortest = await shrink(rig, found.session, keccak);
    const folder = join('.cache', 'fuzz-steps');
    const file = join(folder, `seed-${seed}.json`);
    mkdirSync(folder, { recursive: true });
    const rows = shortest.commands.map(({ record, signers }) => [toHex(record), toHex(signers)]);
    writeFileSync(file, `${JSON.stringify(rows, null, 1)}\n`);
    console.error(
      `${shortest.commands.length} commands still show it, ${shortest.found.where}: ${shortest.found.what}`,
    );
    console.error(`their records and signers: ${file}`);
    break;
  }
  console.log(coverage.lines().join('\n'));
  fail(coverage.missing().map((name) => `not reached: ${name}`));
  if (branches !== undefined) {
    console.log(branchLines(branches).join('\n'));
    fail(unexplained(branches));
  }
} finally {
  await rig.stop();
}
