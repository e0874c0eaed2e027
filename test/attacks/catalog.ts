/** All attacks. */
import { alteredFields } from './altered-fields.ts';
import type { Attack } from './attack.ts';
import { SCENES } from './scenes.ts';
import type { Stage } from './stage.ts';

export function allAttacks(stageOf: (of: Pick<Attack, 'scene' | 'stepwise'>) => Stage): Attack[] {
  const seen = new Set<string>();
  return SCENES.flatMap((scene) => alteredFields(stageOf({ scene, stepwise: true }), seen));
}
