/**
 * `npm run gas:contracts`: measures the contracts' calls (test/contracts/Gas*.t.sol) and writes test/vectors/gas.json,
 * against which the same tests hold them within 1 %, and docs/gas-contracts.md.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { GAS_DOCUMENT, GAS_VECTORS, gasDocument, readGas } from './document.ts';

const run = spawnSync('npx', ['forge', 'test', '--match-path', 'test/contracts/Gas*.t.sol', '-vv'], {
  cwd: PROJECT_ROOT,
  env: { ...process.env, SLUICE_GAS_WRITE: 'true' },
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
const gas = readGas(run.stdout);
if (run.status !== 0 || gas.size === 0) {
  process.stderr.write(
    `${run.stdout}\n${run.stderr}\ngas: expected the calls to be measured, got exit code ${run.status}\n`,
  );
  process.exit(1);
}
writeFileSync(path.join(PROJECT_ROOT, GAS_VECTORS), `${JSON.stringify(Object.fromEntries(gas), null, 2)}\n`);
writeFileSync(path.join(PROJECT_ROOT, GAS_DOCUMENT), gasDocument(gas));
for (const [name, used] of gas) console.log(`${name.padEnd(64)} ${String(used).padStart(9)}`);
console.log(`${gas.size} calls: ${GAS_VECTORS}, ${GAS_DOCUMENT}`);
