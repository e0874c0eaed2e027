/**
 * What a challenger does on L1. First it commits to a proof, a block later it proves, so that whoever copies the
 * proof on its way earns nothing; when the claim period is over the reward is taken. Everything rejects with `L1Error`.
 *
 *   const proof = encodeFraudProof(batch, fraud, keccak);
 *   await checkProof(l1, rollup, proof);                       // rejects with the contract's reason
 *   const claim = { beneficiary, salt };
 *   await commitChallenge(l1, rollup, challengeCommitment(proof, claim));      // and wait for the next block
 *   const strike = await proveFraud(l1, rollup, proof, claim);
 *   await takeReward(l1, rollup, strike.hash);                 // after strike.claimUntilMs
 */
import {
  type Address,
  decodeFunctionResult,
  encodeAbiParameters,
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  type Log,
  parseEventLogs,
  type TransactionReceipt,
  zeroAddress,
  zeroHash,
} from 'viem';
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { Hash } from '#protocol/units.ts';
import { challengesAbi, rollupAbi } from './abi.ts';
import { type L1Client, send } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { L1Error, l1Error } from './errors.ts';
import { type FraudCheck, fraudCheckOf } from './fraud-proof.ts';
import { scanLogs } from './logs.ts';

/** Who earns a reward; the salt keeps the commitment from being guessed. */
export interface Claim {
  readonly beneficiary: Address;
  /** 32 bytes. */
  readonly salt: Hex;
}

/** A batch that was proven wrong. */
export interface Strike {
  readonly id: number;
  /** Of the struck batch; the fault under which its reward stands. */
  readonly hash: Hash;
  /** Undefined when no check of Challenges struck it: demanded inputs were not given. */
  readonly check: FraudCheck | undefined;
  /** Who sent the proof. */
  readonly by: Address | undefined;
  readonly blockNumber: number;
  readonly transaction: Hash;
}

export interface Reward {
  /** Zero when it was taken, burned or never there. */
  readonly amountWei: bigint;
  readonly claimUntilMs: number;
  /** Whose commitment is the oldest shown; undefined while none was. */
  readonly candidate: Address | undefined;
}

/** keccak256(abi.encode(beneficiary, salt, keccak256(proof))). */
export function challengeCommitment(proof: Hex, claim: Claim): Hex {
  const words = [{ type: 'address' }, { type: 'bytes32' }, { type: 'bytes32' }] as const;
  return keccak256(encodeAbiParameters(words, [claim.beneficiary, claim.salt, keccak256(proof)]));
}

/** Runs the proof as a call: resolves with the batch that it shows to be wrong, rejects with code `reverted`. */
export async function checkProof(
  l1: L1Client,
  rollup: RollupContracts,
  proof: Hex,
): Promise<{ readonly id: number; readonly hash: Hash }> {
  const check = fraudCheckOf(proof);
  if (check === undefined)
    throw new L1Error('rejected', `proof: expected the calldata of a check, got ${proof.slice(0, 10)}`);
  try {
    const { data } = await l1.public.call({ to: rollup.challenges, data: proof });
    // All checks return the same.
    const { id, hash } = decodeFunctionResult({
      abi: challengesAbi,
      functionName: 'checkClock',
      data: data ?? '0x',
    });
    return { id: Number(id), hash: fromHex(hash) };
  } catch (error) {
    throw l1Error(error, `check of a ${check} proof`);
  }
}

export function commitChallenge(
  l1: L1Client,
  rollup: RollupContracts,
  commitment: Hex,
): Promise<TransactionReceipt> {
  return send(l1, {
    to: rollup.challenges,
    data: encodeFunctionData({ abi: challengesAbi, functionName: 'commitChallenge', args: [commitment] }),
    doing: 'commit a challenge',
  });
}

/** The transaction that strikes; without a claim, or with one that is too young, it earns nothing. */
export const proveFraudData = (proof: Hex, claim?: Claim): Hex =>
  encodeFunctionData({
    abi: challengesAbi,
    functionName: 'proveFraud',
    args: [proof, claim?.beneficiary ?? zeroAddress, claim?.salt ?? zeroHash],
  });

/** Strikes the batch. Code `reverted` when the proof does not hold, or the batch is gone or final. */
export async function proveFraud(
  l1: L1Client,
  rollup: RollupContracts,
  proof: Hex,
  claim?: Claim,
): Promise<Strike & { readonly receipt: TransactionReceipt }> {
  const data = proveFraudData(proof, claim);
  const receipt = await send(l1, { to: rollup.challenges, data, doing: 'prove fraud' });
  const strike = strikesOf(rollup, receipt.logs)[0];
  if (strike === undefined)
    throw new L1Error('malformed', `transaction ${receipt.transactionHash}: expected BatchStruck, got none`);
  return { ...strike, receipt };
}

/** Shows a commitment that is older than the strike and than the present candidate's, with its own proof. */
export function claimReward(
  l1: L1Client,
  rollup: RollupContracts,
  hash: Hash,
  shown: Claim & { readonly proof: Hex },
): Promise<TransactionReceipt> {
  return send(l1, {
    to: rollup.challenges,
    data: encodeFunctionData({
      abi: challengesAbi,
      functionName: 'claimReward',
      args: [toHex(hash), shown.beneficiary, shown.salt, shown.proof],
    }),
    doing: 'claim a reward',
  });
}

/** Pays the candidate, or burns what nobody claimed; only after the claim period. */
export function takeReward(l1: L1Client, rollup: RollupContracts, hash: Hash): Promise<TransactionReceipt> {
  return send(l1, {
    to: rollup.challenges,
    data: encodeFunctionData({ abi: challengesAbi, functionName: 'takeReward', args: [toHex(hash)] }),
    doing: 'take a reward',
  });
}

/** Adds to the sequencer's bond, which a strike takes whole; anyone may. */
export function topUpBond(l1: L1Client, rollup: RollupContracts, wei: bigint): Promise<TransactionReceipt> {
  return send(l1, {
    to: rollup.rollup,
    value: wei,
    data: encodeFunctionData({ abi: rollupAbi, functionName: 'topUpBond' }),
    doing: 'top up the bond',
  });
}

/** The reward for a struck batch. */
export async function readReward(l1: L1Client, rollup: RollupContracts, hash: Hash): Promise<Reward> {
  try {
    const reward = await l1.public.readContract({
      address: rollup.challenges,
      abi: challengesAbi,
      functionName: 'rewardOf',
      args: [toHex(hash)],
    });
    return {
      amountWei: reward.amount,
      claimUntilMs: Number(reward.claimUntil) * 1000,
      candidate: reward.candidate === zeroAddress ? undefined : getAddress(reward.candidate),
    };
  } catch (error) {
    throw l1Error(error, 'reward');
  }
}

/** Block in which a commitment was made; undefined when it was not. */
export async function readCommitment(
  l1: L1Client,
  rollup: RollupContracts,
  commitment: Hex,
): Promise<number | undefined> {
  try {
    const block = await l1.public.readContract({
      address: rollup.challenges,
      abi: challengesAbi,
      functionName: 'committedBlock',
      args: [commitment],
    });
    return block === 0n ? undefined : Number(block);
  } catch (error) {
    throw l1Error(error, 'challenge commitment');
  }
}

/** Every strike of the rollup, in the order of the chain. */
export async function readStrikes(
  l1: L1Client,
  rollup: RollupContracts,
  range: { readonly fromBlock?: number } = {},
): Promise<Strike[]> {
  try {
    const latest = Number(await l1.public.getBlockNumber());
    const blocks = { fromBlock: range.fromBlock ?? rollup.createdBlock, toBlock: latest };
    const logs: Log[] = [];
    const filter = { abi: rollupAbi, address: [rollup.rollup, rollup.challenges] };
    for await (const piece of scanLogs(l1, filter, blocks)) logs.push(...piece.logs);
    return strikesOf(rollup, logs);
  } catch (error) {
    throw l1Error(error, 'strikes');
  }
}

function strikesOf(rollup: RollupContracts, logs: readonly Log[]): Strike[] {
  const from = (address: Address) => logs.filter((log) => getAddress(log.address) === getAddress(address));
  const proven = parseEventLogs({
    abi: challengesAbi,
    eventName: 'FraudProven',
    logs: from(rollup.challenges),
  });
  return parseEventLogs({ abi: rollupAbi, eventName: 'BatchStruck', logs: from(rollup.rollup) }).map(
    ({ args, blockNumber, transactionHash }) => {
      const proof = proven.find((one) => one.args.hash === args.hash);
      return {
        id: Number(args.id),
        hash: fromHex(args.hash),
        check: proof === undefined ? undefined : fraudCheckOf(proof.args.check),
        by: proof === undefined ? undefined : getAddress(proof.args.by),
        blockNumber: Number(blockNumber),
        transaction: fromHex(transactionHash!),
      };
    },
  );
}
