/** `kill -9` of the sequencer under load: no order that was replied to is lost, none comes twice, roots agree. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TortureRig } from './torture-rig.ts';

const CYCLES = 20;
const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`kill -9 under load: SEED=${SEED}`);

it(`survives ${CYCLES} kills under load`, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-kill-'));
  const rig = await TortureRig.start({ directory, seed: SEED });
  try {
    const lost: string[] = [];
    let replies = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const report = await rig.cycle(150 + (cycle % 5) * 60);
      lost.push(...report.lost.map((sentence) => `cycle ${cycle}: ${sentence}`));
      replies += report.replies;
    }
    expect(lost).toEqual([]);
    expect(replies).toBeGreaterThan(20 * CYCLES);
    const { commands, snapshotSeq, same } = await rig.finish();
    console.log(`${replies} replies, ${commands} commands, snapshot at ${snapshotSeq}`);
    expect(same).toBe(true);
    expect(snapshotSeq).toBeGreaterThan(0);
  } finally {
    await rig.stop();
    await rm(directory, { recursive: true, force: true });
  }
}, 600_000);
