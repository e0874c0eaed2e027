/** Attacks by an engine of other rules, as a table: name, scene, edits; everything else follows from them. */
import type { Attack } from './attack.ts';
import { changedEngine, type Edit } from './changed-engine.ts';
import type { SceneName } from './scenes.ts';

/** Some deviations heal before the segment ends: they are shown with a segment for every step. */
export type Rule = readonly [name: string, scene: SceneName | `${SceneName} stepwise`, ...edits: Edit[]];

export const byRules = (rules: readonly Rule[]): Attack[] =>
  rules.map(([name, where, ...edits]) => ({
    ...{ name, family: 'rules', isConsistent: true },
    scene: where.split(' ')[0] as SceneName,
    stepwise: where.endsWith(' stepwise'),
    forge: async (stage) => stage.forge({ engine: await changedEngine(edits) }),
  }));
