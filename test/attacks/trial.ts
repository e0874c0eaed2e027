/**
 * An attack on trial: an honest verifier, who has only what was posted, finds what is wrong, builds the proof and sends
 * it; the rollup must strike the batch. The same proof against the honest twin, and the attack's own proof where the
 * twin was committed instead, must be refused.
 */
import { decodeFunctionResult, encodeFunctionData } from 'viem';
import type { SignedBatch } from '#protocol/batch.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { buildProof } from '#prover-stub/build-proof.ts';
import { type FraudSearch, findFraud } from '#prover-stub/find-fraud.ts';
import type { Fraud } from '#prover-stub/fraud.ts';
import { faultName } from '#prover-stub/step-outcome.ts';
import { rollupAbi } from '#settlement/l1/abi.ts';
import { decodeCommitBatch, encodeCommitBatch } from '#settlement/l1/batch-calldata.ts';
import { proveFraudData } from '#settlement/l1/challenge-actions.ts';
import type { Hex } from '#settlement/l1/client.ts';
import { L1Error, l1Error } from '#settlement/l1/errors.ts';
import { encodeFraudProof } from '#settlement/l1/fraud-proof.ts';
import { globalsKey, queueKey, withdrawnTotalKey } from '#state/keys.ts';
import { SUBMITTER } from '../settlement/l1-fixture.ts';
import type { Attack } from './attack.ts';
import type { Stage } from './stage.ts';
import type { World } from './world.ts';

/** What no transaction of a challenger may need. */
const STRIKE_GAS_MAX = 16_000_000;
const COMMIT_GAS = 12_000_000;
const SENDS_MAX = 5;
const HEAD = encodeFunctionData({ abi: rollupAbi, functionName: 'head' });

export interface Verdict {
  readonly attack: Attack;
  readonly struck: boolean;
  /** `STEP`, `DIFF`, … and the gas of the strike; or why it was missed. */
  readonly words: string;
}

/** An attack with its batch and a proof that the contract's check accepts. */
interface Prepared {
  readonly attack: Attack;
  readonly batch: SignedBatch;
  readonly fraud: Fraud;
  readonly proof: Hex;
}

/** Tries attacks on one stage; tells each verdict as it falls. */
export async function tryAttacks(
  stage: Stage,
  attacks: readonly Attack[],
  tell: (verdict: Verdict) => void,
): Promise<void> {
  const { world } = stage;
  const snapshot = new L1Snapshot(world);
  await snapshot.take();
  const prepared: Prepared[] = [];
  for (const attack of attacks) {
    try {
      prepared.push(await prepare(stage, attack));
    } catch (error) {
      tell({ attack, struck: false, words: sentence(error) });
    }
  }
  const frauds = await findFraud(searchOf(world, stage.honest));
  if (frauds.length > 0) throw new Error(`scene ${stage.scene}: the honest batch seems to be a fraud`);
  await commitBatch(world, stage.honest);
  const refused = new Map<Prepared, string | undefined>();
  for (const one of prepared) refused.set(one, await twinStands(stage, one));
  for (const one of prepared) {
    const { attack } = one;
    await snapshot.restore();
    try {
      const wrong = refused.get(one);
      if (wrong !== undefined) throw new Error(wrong);
      const gas = await strike(world, one);
      tell({ attack, struck: true, words: `${describe(one.fraud)}, ${gas.toLocaleString('en-US')} gas` });
    } catch (error) {
      tell({ attack, struck: false, words: sentence(error) });
    }
  }
  await snapshot.restore();
}

/** With the stage's honest batch on L1, and gone again afterwards. */
export async function onHonest(stage: Stage, act: () => Promise<void>): Promise<void> {
  const snapshot = new L1Snapshot(stage.world);
  await snapshot.take();
  await commitBatch(stage.world, stage.honest);
  await act();
  await snapshot.restore();
}

/** What an honest verifier goes by: the snapshot after the batch before, and what was posted. */
export function searchOf(world: World, batch: SignedBatch): FraudSearch {
  const { keccak, domain, base, recover } = world;
  const accused = decodeCommitBatch(encodeCommitBatch(batch), domain, keccak);
  const from = { snapshot: base.snapshot, tip: base.tip };
  return { keccak, from, between: [], accused, recover };
}

async function prepare(stage: Stage, attack: Attack): Promise<Prepared> {
  const { world } = stage;
  const batch = await attack.forge(stage);
  if (equalBytes(batch.hash, stage.honest.hash)) throw new Error('the batch is the honest one');
  const reasons: string[] = [];
  const built = await buildProof({
    ...{ l1: world.l1, rollup: world.fixture.rollup, keccak: world.keccak },
    search: () => searchOf(world, batch),
    say: (reason) => reasons.push(reason),
  });
  if (built === undefined)
    throw new Error(reasons.length === 0 ? 'the verifier finds nothing wrong' : reasons.join('; '));
  if (built.repairs > 0)
    throw new Error(`the witness lacked what only the contract named: ${reasons.join('; ')}`);
  return { attack, batch, ...built };
}

/** With the honest twin on L1: undefined when both proofs are refused, else in words what was not. */
async function twinStands(stage: Stage, { batch, fraud, proof }: Prepared): Promise<string | undefined> {
  const { world } = stage;
  const own = await refusal(world, proof);
  // Its header is of a batch that is not there.
  if (own !== 'WrongField' && own !== 'NoSuchBatch')
    return `with the twin on L1 its own proof ended with ${own}`;
  const twin = encodeFraudProof(stage.honest, twinOf(stage, fraud, batch), world.keccak);
  const got = await refusal(world, twin);
  return got === 'NoFraud' ? undefined : `the proof against the honest twin ended with ${got}`;
}

/** The same statement about the honest batch. */
function twinOf(stage: Stage, fraud: Fraud, batch: SignedBatch): Fraud {
  const { honest } = stage;
  switch (fraud.check) {
    case 'step': {
      // The segment of the honest batch that holds the struck one's first step.
      const step = fraud.segment === 0 ? batch.header.firstStep : batch.trace[fraud.segment - 1]!.nextStep;
      const holding = honest.trace.findIndex(({ nextStep }) => nextStep > step);
      const segment = holding < 0 ? honest.trace.length - 1 : holding;
      const { witness, outcome } = stage.witnesses()[segment]!;
      return { check: 'step', segment, witness, outcome };
    }
    case 'inputs':
      return { check: 'inputs', segment: Math.min(fraud.segment, honest.trace.length - 1) };
    case 'diff':
      return { check: 'diff', key: fraud.key, ...stage.leaf(fraud.key) };
    case 'clock':
      return { check: 'clock', post: stage.leaf(globalsKey()).post };
    case 'queue':
      return { check: 'queue', post: stage.leaf(queueKey()).post };
    case 'withdrawn':
      return { check: 'withdrawn', asset: fraud.asset, ...stage.leaf(withdrawnTotalKey(fraud.asset)) };
  }
}

/** The error's name with which `proveFraud` refuses, or what happened instead. */
export async function refusal(world: World, proof: Hex, gas?: number): Promise<string> {
  const { l1, fixture } = world;
  try {
    await l1.public.call({
      to: fixture.rollup.challenges,
      data: proveFraudData(proof),
      gas: BigInt(gas ?? STRIKE_GAS_MAX),
    });
    return 'a strike';
  } catch (error) {
    const known = l1Error(error, 'prove fraud');
    return known.revert?.name ?? known.message;
  }
}

/** Commits the batch, proves the fraud; rejects unless the batch is gone then. Resolves with the gas. */
export async function strike(
  world: World,
  { batch, proof }: Pick<Prepared, 'batch' | 'proof'>,
): Promise<number> {
  await commitBatch(world, batch);
  return strikeCommitted(world, proof);
}

/** As `strike`, of a batch that is on L1. */
export async function strikeCommitted(world: World, proof: Hex): Promise<number> {
  const { rollup } = world.fixture;
  const receipt = await transact(world, rollup.challenges, proveFraudData(proof), STRIKE_GAS_MAX);
  const { data } = await world.l1.public.call({ to: rollup.rollup, data: HEAD });
  const head = decodeFunctionResult({ abi: rollupAbi, functionName: 'head', data: data! });
  if (head.id !== 1n || head.epoch !== 2 || head.hash !== toHex(world.base.batch.hash))
    throw new Error(`head: expected batch 1 in epoch 2, got batch ${head.id} in epoch ${head.epoch}`);
  return Number(receipt.gasUsed);
}

export async function commitBatch(world: World, batch: SignedBatch): Promise<void> {
  const { rollup } = world.fixture;
  try {
    await transact(world, rollup.rollup, encodeCommitBatch(batch), COMMIT_GAS);
  } catch (error) {
    throw new Error(`the rollup did not take the batch: ${sentence(error)}`, { cause: error });
  }
}

export async function transact(world: World, to: Hex, data: Hex, gas: number): Promise<{ gasUsed: Hex }> {
  const from = world.fixture.devnet.accounts[SUBMITTER]!.address;
  const call = { from, to, data, gas: `0x${gas.toString(16)}` };
  for (let sent = 0; sent < SENDS_MAX; sent++) {
    const hash = await world.rpc<Hex>('eth_sendTransaction', call);
    // What is sent right after a revert to a snapshot is dropped now and then: then it is not known any more.
    while ((await world.rpc('eth_getTransactionByHash', hash)) !== null) {
      const receipt = await world.rpc<{ status: Hex; gasUsed: Hex } | null>(
        'eth_getTransactionReceipt',
        hash,
      );
      if (receipt === null) continue;
      if (receipt.status === '0x1') return receipt;
      await world.l1.public.call({ account: from, to, data, gas: BigInt(gas) }).catch((error) => {
        throw l1Error(error, 'transaction');
      });
      throw new Error(`transaction ${hash} reverted`);
    }
  }
  throw new Error(`expected the transaction to be mined, got it dropped ${SENDS_MAX} times`);
}

export class L1Snapshot {
  private readonly world: World;
  private id = '';

  constructor(world: World) {
    this.world = world;
  }

  async take(): Promise<void> {
    this.id = await this.world.rpc<string>('evm_snapshot');
  }

  /** Back to where it was taken, any number of times. */
  async restore(): Promise<void> {
    await this.world.rpc('evm_revert', this.id);
    await this.take();
  }
}

function describe(fraud: Fraud): string {
  const name = fraud.check.toUpperCase();
  return fraud.check === 'step' && fraud.outcome.fault !== 0
    ? `${name} ${faultName(fraud.outcome.fault)}`
    : name;
}

function sentence(error: unknown): string {
  if (error instanceof L1Error) return error.revert?.name ?? error.message;
  return error instanceof Error ? error.message : String(error);
}
