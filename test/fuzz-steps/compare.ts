/** One session through the engine and through the contracts: every segment, and single steps for their reject codes. */
import { decodeFunctionResult, encodeFunctionData } from 'viem';
import { toHex } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { domainSeparator } from '#protocol/signing.ts';
import type { WitnessedSegment } from '#prover-stub/segment-witness.ts';
import type { STEP_FAMILIES } from '#settlement/l1/step-prover.ts';
import { stepProverAbi } from '#settlement/l1/step-prover-abi.ts';
import { StepKind } from '#state/trace.ts';
import { TEST_DOMAIN } from '../auth/keys.ts';
import { type StepVector, stepsOf } from '../support/step-vectors.ts';
import { rangesOf, traceSession, witnessesOf } from '../support/witnessed-session.ts';
import type { Coverage } from './coverage.ts';
import { callContract, disagreement, type Rig } from './rig.ts';

/** In words: where, what was expected, what came. */
export interface Disagreement {
  readonly where: string;
  readonly what: string;
}

type Family = (typeof STEP_FAMILIES)[number];

const KIND_NAMES: readonly string[] = Object.entries(StepKind).reduce<string[]>((names, [name, kind]) => {
  names[kind] = name;
  return names;
}, []);
export const kindName = (kind: number): string => KIND_NAMES[kind]!;

const FAMILY_OF: Readonly<Record<number, Family>> = Object.fromEntries(
  Object.entries({
    PlaceSteps: ['PLACE', 'AMEND'],
    MatchSteps: ['MATCH', 'REST'],
    MoneySteps: ['WITHDRAW', 'TRANSFER'],
    QueueSteps: ['DEPOSIT', 'FORCED'],
    MarketSteps: ['PRICE_ROUND', 'SAMPLE', 'FUNDING', 'EXPIRE'],
    ConfigureSteps: ['CONFIGURE'],
    LiquidationSteps: ['EVALUATE'],
    IsolationSteps: ['ISOLATE', 'SET_LEVERAGE'],
  } satisfies Partial<Record<Family, (keyof typeof StepKind)[]>>).flatMap(([family, kinds]) =>
    kinds.map((kind) => [StepKind[kind], family as Family]),
  ),
);

export const familyOf = (kind: number): Family => FAMILY_OF[kind] ?? 'AccountSteps';

/** Re-executes every segment on the contract; the first that comes out otherwise, or does not open, is told. */
export async function compareSegments(
  rig: Rig,
  commands: readonly Command[],
  keccak: Keccak,
  coverage?: Coverage,
): Promise<Disagreement | undefined> {
  const batch = traceSession(commands, keccak);
  let index = 0;
  for (const segment of witnessesOf(commands, rangesOf(batch), keccak)) {
    const found = await compareSegment(rig, segment);
    if (found !== undefined) return { where: `segment ${index} (${kindsOf(segment)})`, what: found };
    coverage?.segment(segment);
    index++;
  }
  return undefined;
}

export async function compareSegment(rig: Rig, segment: WitnessedSegment): Promise<string | undefined> {
  try {
    return disagreement(segment, await rig.run(segment.witness));
  } catch (error) {
    return `expected an outcome, got ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function kindsOf({ kinds }: Pick<WitnessedSegment, 'kinds'>): string {
  const shown = kinds.slice(0, 40).map(kindName).join(' ');
  return kinds.length > 40 ? `${shown} and ${kinds.length - 40} more` : shown;
}

/** Runs every step by itself in its family: its writes and its reject code. */
export async function compareSteps(
  rig: Rig,
  commands: readonly Command[],
  keccak: Keccak,
  coverage?: Coverage,
): Promise<Disagreement | undefined> {
  const domain = toHex(domainSeparator(TEST_DOMAIN, keccak));
  let index = 0;
  for (const step of stepsOf(commands, { keccak })) {
    const what = await compareStep(rig, step, domain);
    if (what !== undefined) return { where: `step ${index} (${kindName(step.kind)})`, what };
    coverage?.code(step.kind, step.code);
    index++;
  }
  return undefined;
}

async function compareStep(rig: Rig, step: StepVector, domain: `0x${string}`): Promise<string | undefined> {
  const data = encodeFunctionData({
    abi: stepProverAbi,
    functionName: 'step',
    args: [step.kind, toHex(step.record), domain, toHex(step.slice)],
  });
  const to = rig.contracts.families[familyOf(step.kind)];
  let answer: `0x${string}`;
  try {
    answer = await callContract(rig, to, data);
  } catch (error) {
    return `expected an outcome, got ${error instanceof Error ? error.message : String(error)}`;
  }
  const [, code] = decodeFunctionResult({ abi: stepProverAbi, functionName: 'step', data: answer });
  return Number(code) === step.code ? undefined : `code: expected ${step.code}, got ${code}`;
}
