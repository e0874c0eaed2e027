/** One seed of the differential fuzz: segments, single steps, altered records, misclaimed segments. */
import type { Command } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { Random } from '../state/random-state.ts';
import { compareSegments, compareSteps, type Disagreement } from './compare.ts';
import type { Coverage } from './coverage.ts';
import { compareMisclaims, compareRefusals, placeIn } from './faults.ts';
import type { Rig } from './rig.ts';
import { StepSession } from './step-session.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Commands that the session tries after its start. */
  readonly commands: number;
  readonly keccak: Keccak;
  readonly coverage?: Coverage;
}

export interface Found extends Disagreement {
  /** Where segments of the whole session disagree: what can be shrunk. */
  readonly session?: readonly Command[];
}

const PLACES = 3;
const ALTERED_AT_A_PLACE = 25;

export async function fuzzSession(rig: Rig, options: FuzzOptions): Promise<Found | undefined> {
  const { seed, keccak, coverage } = options;
  const { commands } = new StepSession(seed).run(options.commands);
  const wrong = await compareSegments(rig, commands, keccak, coverage);
  if (wrong !== undefined) return { ...wrong, session: commands };
  const steps = await compareSteps(rig, commands, keccak, coverage);
  if (steps !== undefined) return steps;
  const random = new Random(seed);
  for (let i = 0; i < PLACES; i++) {
    const place = placeIn(commands, random.below(commands.length - 20), keccak);
    const refused = await compareRefusals(rig, place, random, ALTERED_AT_A_PLACE, keccak, coverage);
    if (refused !== undefined) return refused;
  }
  return compareMisclaims(rig, commands, random, keccak, coverage);
}
