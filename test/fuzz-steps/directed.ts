/** What chance does not reach, by script: episodes, bad records, broken witnesses, and steps out of the vector files. */
import { decodeFunctionResult, encodeFunctionData, type Hex } from 'viem';
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { stepProverAbi } from '#settlement/l1/step-prover-abi.ts';
import type { BranchCoverage } from '../evm/branch-coverage.ts';
import { Random } from '../state/random-state.ts';
import { compareBadRecords } from './bad-records.ts';
import { compareBroken } from './broken-witnesses.ts';
import { compareSegments, compareSteps, type Disagreement, familyOf } from './compare.ts';
import type { Coverage } from './coverage.ts';
import { BOUND_EPISODES } from './episodes/bounds.ts';
import { type Episode, EpisodeSession } from './episodes/episode.ts';
import { ISOLATION_EPISODES } from './episodes/isolation.ts';
import { LIQUIDATION_EPISODES } from './episodes/liquidations.ts';
import { ORACLE_EPISODES } from './episodes/oracle.ts';
import { ORDER_EPISODES } from './episodes/orders.ts';
import { compareMisclaims } from './faults.ts';
import type { Rig } from './rig.ts';
import { compareWritten } from './scripted-families.ts';
import { vectorSteps } from './vector-steps.ts';

export const EPISODES: readonly Episode[] = [
  ...ORDER_EPISODES,
  ...BOUND_EPISODES,
  ...LIQUIDATION_EPISODES,
  ...ISOLATION_EPISODES,
  ...ORACLE_EPISODES,
];

export interface DirectedOptions {
  readonly seed: number;
  readonly keccak: Keccak;
  readonly coverage: Coverage;
  readonly branches?: BranchCoverage | undefined;
}

export async function compareDirected(rig: Rig, options: DirectedOptions): Promise<Disagreement | undefined> {
  const { keccak, coverage, branches } = options;
  for (const episode of EPISODES) {
    const found = await compareEpisode(rig, episode, options);
    if (found !== undefined) return { ...found, where: `episode "${episode.name}", ${found.where}` };
  }
  const found = (await compareBadRecords(rig, keccak, coverage)) ?? (await compareBroken(rig, keccak));
  if (found !== undefined || branches === undefined) return found;
  return compareVectors(branches) ?? compareWritten(branches, keccak);
}

async function compareEpisode(
  rig: Rig,
  { play }: Episode,
  { seed, keccak, coverage }: DirectedOptions,
): Promise<Disagreement | undefined> {
  const session = new EpisodeSession(seed);
  play(session);
  const { commands } = session;
  return (
    (await compareSegments(rig, commands, keccak, coverage)) ??
    (await compareSteps(rig, commands, keccak, coverage)) ??
    (await compareMisclaims(rig, commands, new Random(seed), keccak, coverage))
  );
}

/** Forge replays them on the compiled families; here only the way through the code is of interest, and the code. */
function compareVectors(branches: BranchCoverage): Disagreement | undefined {
  for (const { name, kind, record, slice, code, domain } of vectorSteps()) {
    const data = encodeFunctionData({
      abi: stepProverAbi,
      functionName: 'step',
      args: [kind, toHex(record), domain as Hex, toHex(slice)],
    });
    const answer = branches.call(fromHex(data), familyOf(kind));
    const got = answer.success
      ? Number(
          decodeFunctionResult({ abi: stepProverAbi, functionName: 'step', data: toHex(answer.data) })[1],
        )
      : `it reverted with ${toHex(answer.data)}`;
    if (got !== code) return { where: name, what: `code: expected ${code}, got ${got}` };
  }
  return undefined;
}
