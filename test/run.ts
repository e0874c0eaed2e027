/**
 * `npm test`: types, lint, unit, scenario, simulation and contract tests, a slice of the attacks, end-to-end tests, one
 * after the other; the last line holds the true totals of all of them. `npm test -- unit contracts` runs only those
 * stages.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Count {
  passed: number;
  failed: number;
}

const BIN = join(import.meta.dirname, '..', 'node_modules', '.bin');

/** Runs a program to its end; standard output is shown, or handed back when `capture` is set. */
function run(
  program: string,
  args: readonly string[],
  capture = false,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(BIN, program), args, {
      stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      output += bytes;
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** A check without tests of its own counts as one. */
async function check(program: string, args: readonly string[]): Promise<Count> {
  const { code } = await run(program, args);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function vitest(project: string): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const report = join(folder, 'report.json');
  const { code } = await run('vitest', [
    'run',
    '--project',
    project,
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  let count: Count = { passed: 0, failed: 0 };
  if (existsSync(report)) {
    const totals = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numFailedTestSuites: number;
    };
    count = { passed: totals.numPassedTests, failed: totals.numFailedTests };
  }
  rmSync(folder, { recursive: true, force: true });
  // A file that does not load, or an error outside of any test, fails without a failed test.
  if (code !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

async function contracts(): Promise<Count> {
  const { code, output } = await run('forge', ['test', '--json'], true);
  const count: Count = { passed: 0, failed: 0 };
  const start = output.indexOf('{');
  const suites = (start < 0 ? {} : JSON.parse(output.slice(start))) as Record<
    string,
    { test_results: Record<string, { status: string; reason: string | null }> }
  >;
  for (const [suite, { test_results }] of Object.entries(suites)) {
    let failed = 0;
    for (const [name, result] of Object.entries(test_results)) {
      if (result.status === 'Success') continue;
      failed++;
      console.log(`  ✗ ${suite} ${name}: ${result.reason ?? result.status}`);
    }
    const passed = Object.keys(test_results).length - failed;
    console.log(`  ${failed === 0 ? '✓' : '✗'} ${suite} (${passed} passed, ${failed} failed)`);
    count.passed += passed;
    count.failed += failed;
  }
  if (code !== 0 && count.failed === 0) {
    console.log(output.slice(0, 4000));
    count.failed = 1;
  }
  return count;
}

/** The slice of the attack suite: an attack that is missed is a failed test. */
async function attacks(): Promise<Count> {
  const { code, output } = await run('tsx', ['test/attacks/run.ts', '--slice'], true);
  console.log(
    output
      .split('\n')
      .filter((line) => !line.startsWith('struck'))
      .join('\n'),
  );
  const [, struck, missed] = /^(\d+) struck, (\d+) missed$/m.exec(output) ?? [];
  const count: Count = { passed: Number(struck ?? 0), failed: Number(missed ?? 0) };
  if (code !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

const STAGES: Readonly<Record<string, () => Promise<Count>>> = {
  types: () => check('tsc', []),
  lint: () => check('biome', ['ci', '--error-on-warnings', '--colors=off']),
  unit: () => vitest('unit'),
  scenario: () => vitest('scenario'),
  simulation: () => vitest('simulation'),
  contracts,
  attacks,
  'end-to-end': () => vitest('end-to-end'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => STAGES[name] === undefined);
if (unknown !== undefined) {
  console.error(`npm test: expected stages from ${Object.keys(STAGES).join(', ')}, got ${unknown}`);
  process.exit(2);
}

const total: Count = { passed: 0, failed: 0 };
const lines: string[] = [];
for (const [name, stage] of Object.entries(STAGES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n── ${name}`);
  const start = Date.now();
  const count = await stage();
  total.passed += count.passed;
  total.failed += count.failed;
  lines.push(
    `${name.padEnd(12)} ${count.passed} passed, ${count.failed} failed, ${Math.round((Date.now() - start) / 1000)} s`,
  );
}
console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
