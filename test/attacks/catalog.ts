/** All attacks. */
import { ACCOUNT_RULES } from './account-rules.ts';
import { alteredFields } from './altered-fields.ts';
import type { Attack } from './attack.ts';
import { byBlobs } from './blobs.ts';
import { byCommands } from './commands.ts';
import { ISOLATION_RULES } from './isolation-rules.ts';
import { LIQUIDATION_RULES } from './liquidation-rules.ts';
import { MATCH_RULES } from './match-rules.ts';
import { ORDER_RULES } from './order-rules.ts';
import { byPosting } from './posted.ts';
import { byRules } from './rules.ts';
import { SCENES } from './scenes.ts';
import type { Stage } from './stage.ts';
import { TIME_RULES } from './time-rules.ts';

export function allAttacks(stageOf: (of: Pick<Attack, 'scene' | 'stepwise'>) => Stage): Attack[] {
  const seen = new Set<string>();
  return [
    ...byRules([
      ...MATCH_RULES,
      ...ORDER_RULES,
      ...ACCOUNT_RULES,
      ...TIME_RULES,
      ...ISOLATION_RULES,
      ...LIQUIDATION_RULES,
    ]),
    ...byCommands(),
    ...byPosting(),
    ...byBlobs(),
    ...SCENES.flatMap((scene) => alteredFields(stageOf({ scene, stepwise: true }), seen)),
  ];
}
