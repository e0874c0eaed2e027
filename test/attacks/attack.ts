/** What an attack is: a batch that the real key signs and the real rollup takes, and that is not what honesty makes. */
import type { SignedBatch } from '#protocol/batch.ts';
import type { SceneName } from './scenes.ts';
import type { Stage } from './stage.ts';

export type Family = 'field' | 'rules' | 'commands' | 'batch' | 'blobs';

export interface Attack {
  /** `match: maker's cash +1` */
  readonly name: string;
  readonly family: Family;
  readonly scene: SceneName;
  /** The scene's honest twin has a segment for every step. */
  readonly stepwise: boolean;
  /** Everything follows from one deviation: other rules, other commands, another time. */
  readonly isConsistent: boolean;
  forge(stage: Stage): Promise<SignedBatch> | SignedBatch;
}
