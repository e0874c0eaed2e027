/**
 * Honest batches under fire: proofs against them in which one part after the other is flipped, cut, stretched or taken
 * from another segment, and proofs that get too little gas. None may strike.
 */
import { decodeFunctionData, encodeFunctionData } from 'viem';
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { Fraud } from '#prover-stub/fraud.ts';
import { challengesAbi } from '#settlement/l1/abi.ts';
import type { Hex } from '#settlement/l1/client.ts';
import { encodeFraudProof } from '#settlement/l1/fraud-proof.ts';
import { accountKey, globalsKey, marketConfigKey, queueKey, withdrawnTotalKey } from '#state/keys.ts';
import { Random } from '../state/random-state.ts';
import { ACCOUNT } from './keys.ts';
import type { Stage } from './stage.ts';
import { refusal } from './trial.ts';

export interface Siege {
  readonly name: string;
  /** Mutated proofs and gas limits that were tried. */
  readonly mutations: number;
  readonly limits: number;
  /** What struck, in words. */
  readonly strikes: readonly string[];
}

export interface SiegeOptions {
  readonly seed: number;
  /** Segments of each batch, and flipped bits in each part of a proof. */
  readonly segments: number;
  readonly flips: number;
  /** From a gas limit to the next, percent. */
  readonly gasStep: number;
}

const GAS_LEAST = 60_000;
const GAS_MOST = 16_000_000;

/** The stage's honest batch must be on L1. */
export async function besiege(
  stage: Stage,
  options: SiegeOptions,
  tell: (siege: Siege) => void,
): Promise<void> {
  const random = new Random(options.seed);
  const proofs = honestProofs(stage, random, options.segments);
  for (const [i, { name, proof }] of proofs.entries()) {
    const strikes: string[] = [];
    const attempt = async (words: string, data: Hex, gas?: number): Promise<void> => {
      if ((await refusal(stage.world, data, gas)) === 'a strike') strikes.push(words);
    };
    const unchanged = await refusal(stage.world, proof);
    if (unchanged !== 'NoFraud') strikes.push(`as it is: ${unchanged}`);
    // Of the same check on something else.
    const other = proofs[i + 1]?.proof.slice(0, 10) === proof.slice(0, 10) ? proofs[i + 1] : proofs[i - 1];
    const mutated = [...mutations(proof, other?.proof, random, options.flips)];
    for (const { words, data } of mutated) await attempt(words, data);
    let limits = 0;
    for (
      let gas = GAS_LEAST;
      gas < GAS_MOST;
      gas = Math.ceil((gas * (100 + options.gasStep)) / 100), limits++
    )
      await attempt(`${gas} gas`, proof, gas);
    tell({
      name: `${stage.scene}${stage.stepwise ? ' stepwise' : ''}, ${name}`,
      mutations: mutated.length,
      limits,
      strikes,
    });
  }
}

/** What a challenger would say of the batch if it were wrong. */
function honestProofs(stage: Stage, random: Random, segments: number): { name: string; proof: Hex }[] {
  const { honest, world } = stage;
  const chosen = new Set([0, honest.trace.length - 1]);
  while (chosen.size < Math.min(segments, honest.trace.length)) chosen.add(random.below(honest.trace.length));
  const frauds: [string, Fraud][] = [];
  const numbers = [...chosen].sort((a, b) => a - b);
  for (const segment of numbers) {
    const { witness, outcome } = stage.witnesses()[segment]!;
    frauds.push([`steps of segment ${segment}`, { check: 'step', segment, witness, outcome }]);
  }
  for (const segment of numbers) frauds.push([`inputs of segment ${segment}`, { check: 'inputs', segment }]);
  for (const [name, key] of [
    ['an account', accountKey(ACCOUNT.taker)],
    ['globals', globalsKey()],
    ['a configuration', marketConfigKey(1)],
    ['an account that is not there', accountKey(99)],
    ['the last key', new Uint8Array(32).fill(0xff)],
  ] as const)
    frauds.push([`diff of ${name}`, { check: 'diff', key, ...stage.leaf(key) }]);
  frauds.push(['clock', { check: 'clock', post: stage.leaf(globalsKey()).post }]);
  frauds.push(['queue', { check: 'queue', post: stage.leaf(queueKey()).post }]);
  for (const asset of [0, 1])
    frauds.push([
      `withdrawals of asset ${asset}`,
      { check: 'withdrawn', asset, ...stage.leaf(withdrawnTotalKey(asset)) },
    ]);
  return frauds.map(([name, fraud]) => ({ name, proof: encodeFraudProof(honest, fraud, world.keccak) }));
}

interface Mutation {
  readonly words: string;
  readonly data: Hex;
}

/** Every part of the proof in other ways, one at a time. */
function* mutations(proof: Hex, other: Hex | undefined, random: Random, flips: number): Generator<Mutation> {
  const { functionName, args } = decodeFunctionData({ abi: challengesAbi, data: proof });
  const foreign =
    other === undefined ? undefined : decodeFunctionData({ abi: challengesAbi, data: other }).args;
  const encode = (changed: unknown): Hex =>
    encodeFunctionData({ abi: challengesAbi, functionName, args: changed } as never);
  for (const path of partsOf(args)) {
    const part = at(args, path);
    const where = path.join('.');
    for (const [how, value] of variants(part, random, flips))
      yield { words: `${functionName} ${where} ${how}`, data: encode(replaced(args, path, value)) };
    const theirs = foreign === undefined ? undefined : at(foreign, path);
    if (theirs !== undefined && theirs !== part)
      yield { words: `${functionName} ${where} of another`, data: encode(replaced(args, path, theirs)) };
  }
}

function* variants(part: unknown, random: Random, flips: number): Generator<readonly [string, unknown]> {
  if (typeof part === 'number') {
    yield ['one more', part + 1];
    if (part > 0) yield ['one less', part - 1];
    return;
  }
  const bytes = fromHex(part as Hex);
  for (let i = 0; i < flips && bytes.length > 0; i++) {
    const changed = bytes.slice();
    const place = random.below(bytes.length);
    changed[place]! ^= 1 << random.below(8);
    yield [`flipped at ${place}`, toHex(changed)];
  }
  // Of fixed width: a key.
  if (bytes.length === 32) return;
  yield ['with a byte more', toHex(Uint8Array.of(...bytes, 0))];
  if (bytes.length === 0) return;
  yield ['without its last byte', toHex(bytes.slice(0, -1))];
  yield ['cut in half', toHex(bytes.slice(0, bytes.length >> 1))];
  yield ['left out', '0x'];
  yield ['of zeros', toHex(new Uint8Array(bytes.length))];
}

type Path = readonly (string | number)[];

/** Paths to all values that are not made of others. */
function partsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => partsOf((value as Record<string | number, unknown>)[key], [...path, key]));
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (one, key) => (one as Record<string | number, unknown> | undefined)?.[key],
    value,
  );
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}
