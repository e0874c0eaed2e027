/**
 * The cases of test/vectors/steps-isolation.json: steps of IsolationSteps.sol out of scripted sessions, as
 * test/support/step-vectors.ts draws them. `npx tsx test/settlement/isolation-step-vectors.ts` writes the file; a test
 * holds it to this.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { StepKind } from '#state/trace.ts';
import { EpisodeSession } from '../fuzz-steps/episodes/episode.ts';
import { ISOLATION_EPISODES } from '../fuzz-steps/episodes/isolation.ts';
import { pickSteps, type StepVector, stepsOf, vectorColumns } from '../support/step-vectors.ts';

export const ISOLATION_KINDS: readonly number[] = [StepKind.ISOLATE, StepKind.SET_LEVERAGE];

function* all(): Generator<StepVector> {
  for (const { play } of ISOLATION_EPISODES) {
    const session = new EpisodeSession(1);
    play(session);
    yield* stepsOf(session.commands, { keccak, wants: (kind) => ISOLATION_KINDS.includes(kind) });
  }
}

export const isolationStepVectors = (each = 3): Record<string, unknown> =>
  vectorColumns(pickSteps(all(), each));

export const ISOLATION_STEPS_FILE = fileURLToPath(
  new URL('../vectors/steps-isolation.json', import.meta.url),
);

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(ISOLATION_STEPS_FILE, `${JSON.stringify(isolationStepVectors(), undefined, 1)}\n`);
