/**
 * `npm run attacks -- [--only TEXT] [--list] [--slice] [--seed S]`: every attack on a real Anvil, named as it goes. The last line is
 * `N struck, M missed`; exit code 1 when any is missed. `--slice`: the part of them that `npm test` runs.
 */
import { parseArgs } from 'node:util';
import type { Attack } from './attack.ts';
import { allAttacks } from './catalog.ts';
import { Stage } from './stage.ts';
import { tryAttacks } from './trial.ts';
import { World } from './world.ts';

/** Altered fields are many and alike: of them the slice has every so many. */
const SLICE_STRIDE = 6;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    slice: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
const started = Date.now();
const world = await World.open();
let struck = 0;
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
  const named = all.filter(({ name }) => name.includes(values.only));
  const chosen = values.slice ? sliceOf(named, Number(values.seed)) : named;
  if (values.list) for (const { name } of chosen) console.log(name);
  else {
    for (const stage of new Set(chosen.map(stageOf))) {
      const attacks = chosen.filter((attack) => stageOf(attack) === stage);
      await tryAttacks(stage, attacks, ({ attack, words, struck: isStruck }) => {
        if (isStruck) struck++;
        else missed.push(attack.name);
        console.log(`${isStruck ? 'struck' : 'MISSED'}  ${attack.name}  (${words})`);
      });
    }
  }
} finally {
  await world.stop();
}
for (const name of missed) console.log(`missed: ${name}`);
console.log(`${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${struck} struck, ${missed.length} missed`);
process.exit(missed.length === 0 ? 0 : 1);

/** All attacks but those on fields, and of these a part that the seed chooses. */
function sliceOf(attacks: readonly Attack[], seed: number): Attack[] {
  const fields = attacks.filter(({ family }) => family === 'field');
  const part = new Set(fields.filter((_, i) => i % SLICE_STRIDE === seed % SLICE_STRIDE));
  return attacks.filter((attack) => attack.family !== 'field' || part.has(attack));
}
