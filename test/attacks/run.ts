/**
 * `npm run attacks -- [--only TEXT] [--list] [--slice] [--seed S]`: every attack on a real Anvil, named as it goes; then
 * honest batches under mutated and starved proofs. The last line is `N struck, M missed`; exit code 1 when any is
 * missed, or an honest batch is struck. `--slice`: the part of them that `npm test` runs.
 */
import { flagsOf, whole } from '#test/support/flags.ts';
import type { Attack } from './attack.ts';
import { tryBlobs } from './blobs.ts';
import { allAttacks } from './catalog.ts';
import { dropCopies } from './changed-engine.ts';
import { besiege } from './honest.ts';
import { SCENES } from './scenes.ts';
import { Stage } from './stage.ts';
import { onHonest, tryAttacks, type Verdict } from './trial.ts';
import { World } from './world.ts';

/** Altered fields are many and alike: of them the slice has every so many. */
const SLICE_STRIDE = 9;

const SIEGE = { segments: 4, flips: 6, gasStep: 20 };
const SLICE_SIEGE = { segments: 2, flips: 1, gasStep: 120 };

const values = flagsOf(
  'attacks',
  'Cheats in every way that is listed, and has an honest challenger strike each.',
)
  .option('--only <text>', 'attacks whose name or family holds this text', '')
  .option('--list', 'name the attacks and run none', false)
  .option('--slice', 'the part that npm test runs', false)
  .option('--seed <n>', 'which altered fields the slice has', whole, 1)
  .parse()
  .opts<{ only: string; list: boolean; slice: boolean; seed: number }>();
const started = Date.now();
const world = await World.open();
const tell = ({ attack, words, struck: isStruck }: Verdict): void => {
  if (isStruck) struck++;
  else missed.push(attack.name);
  console.log(`${isStruck ? 'struck' : 'MISSED'}  ${attack.name}  (${words})`);
};
let struck = 0;
let besieged = 0;
let consistent = 0;
const missed: string[] = [];
try {
  const stages = new Map<string, Stage>();
  const stageOf = ({ scene, stepwise }: Pick<Attack, 'scene' | 'stepwise'>): Stage => {
    const id = `${scene} ${stepwise}`;
    const stage = stages.get(id) ?? new Stage({ world, scene, stepwise });
    stages.set(id, stage);
    return stage;
  };
  const all = allAttacks(stageOf);
  const named = all.filter(({ name, family }) => `${family} ${name}`.includes(values.only));
  const chosen = values.slice ? sliceOf(named, values.seed) : named;
  const sieges = [
    ...SCENES.map((scene) => ({ scene, stepwise: false })),
    { scene: 'ticks', stepwise: true },
  ].filter(({ scene }) => `honest batch: ${scene}`.includes(values.only)) as Pick<
    Attack,
    'scene' | 'stepwise'
  >[];
  consistent = chosen.filter(({ isConsistent }) => isConsistent).length;
  if (values.list) for (const { name } of chosen) console.log(name);
  else {
    for (const stage of new Set(chosen.map(stageOf))) {
      const attacks = chosen.filter((attack) => stageOf(attack) === stage);
      const inBlobs = attacks.filter(({ family }) => family === 'blobs');
      await tryAttacks(
        stage,
        attacks.filter((attack) => !inBlobs.includes(attack)),
        tell,
      );
      await tryBlobs(stage, inBlobs, tell);
    }
    for (const { scene, stepwise } of sieges) {
      const stage = stageOf({ scene, stepwise });
      const options = { seed: values.seed, ...(values.slice ? SLICE_SIEGE : SIEGE) };
      await onHonest(stage, () =>
        besiege(stage, options, ({ name, mutations, limits, strikes }) => {
          besieged += mutations + limits;
          for (const words of strikes) missed.push(`honest batch struck: ${name}, ${words}`);
          console.log(
            `${strikes.length === 0 ? 'stood ' : 'FELL  '}  honest batch: ${name}  (${mutations} mutated proofs, ${limits} gas limits)`,
          );
        }),
      );
    }
  }
} finally {
  dropCopies();
  await world.stop();
}
if (values.list) process.exit(0);
for (const name of missed) console.log(`missed: ${name}`);
console.log(
  `${besieged} mutated or starved proofs against honest batches, ${consistent} attacks self-consistent`,
);
console.log(`${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${struck} struck, ${missed.length} missed`);
process.exit(missed.length === 0 ? 0 : 1);

/** All attacks but those on fields, and of these a part that the seed chooses. */
function sliceOf(attacks: readonly Attack[], seed: number): Attack[] {
  const fields = attacks.filter(({ family }) => family === 'field');
  const part = new Set(fields.filter((_, i) => i % SLICE_STRIDE === seed % SLICE_STRIDE));
  // Commitments and openings take seconds each.
  const [blob] = attacks.filter(({ family }) => family === 'blobs');
  return attacks.filter(
    (attack) =>
      part.has(attack) || attack === blob || (attack.family !== 'field' && attack.family !== 'blobs'),
  );
}
