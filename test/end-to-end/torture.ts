/**
 * `npm run torture -- --cycles 200 --seed 7 --keep`: kills the sequencer under load as often as asked; exit code 1
 * when anything that was replied to is gone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flagsOf, whole } from '#test/support/flags.ts';
import { TortureRig } from './torture-rig.ts';

const { cycles, seed, keep } = flagsOf('torture', 'Kills the sequencer under load, again and again.')
  .option('--cycles <n>', 'kills', whole, 200)
  .option('--seed <n>', 'of load and moments', whole, Date.now() % 2 ** 31)
  .option('--keep', 'leave the data directory behind', false)
  .parse()
  .opts<{ cycles: number; seed: number; keep: boolean }>();

const directory = await mkdtemp(join(tmpdir(), 'sluice-torture-'));
console.log(`torture: ${cycles} cycles, seed ${seed}, in ${directory}`);
const rig = await TortureRig.start({ directory, seed });
let lost = 0;
let replies = 0;
let isSame = false;
const restarts: number[] = [];
try {
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const report = await rig.cycle(100 + ((cycle * 37) % 400));
    replies += report.replies;
    lost += report.lost.length;
    restarts.push(report.restartMs);
    for (const sentence of report.lost) console.log(`cycle ${cycle}: LOST ${sentence}`);
    if (cycle % 10 === 0 || cycle === cycles)
      console.log(
        `cycle ${cycle}: ${replies} replies, ${lost} lost, restart ${Math.round(report.restartMs)} ms`,
      );
  }
  const { commands, snapshotSeq, same } = await rig.finish();
  isSame = same;
  restarts.sort((a, b) => a - b);
  console.log(
    `${cycles} kills, ${replies} replies, ${lost} lost, ${commands} commands, snapshot at ${snapshotSeq}, ` +
      `replay ${same ? 'agrees to the last leaf' : 'DIFFERS'}, restart p50 ${Math.round(restarts[Math.floor(restarts.length / 2)]!)} ms`,
  );
} finally {
  await rig.stop();
  if (!keep) await rm(directory, { recursive: true, force: true });
}
process.exitCode = lost === 0 && isSame ? 0 : 1;
