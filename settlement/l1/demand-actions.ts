/** Demands for inputs on L1 (contracts/interfaces/IDemands.sol): reading them, making them, answering, striking. */
import { decodeFunctionData, encodeFunctionData, parseEventLogs } from 'viem';
import { encodeHeader, type SignedBatch } from '#protocol/batch.ts';
import { equalBytes, fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import type { Hash } from '#protocol/units.ts';
import { demandsAbi } from './abi.ts';
import { type Address, type Hex, type L1Client, send } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { l1Error } from './errors.ts';
import { segmentProof } from './fraud-proof.ts';
import { scanLogs } from './logs.ts';

export interface DemandParameters {
  readonly answerSeconds: number;
  readonly intervalSeconds: number;
  readonly provingSeconds: number;
}

/** An open demand. */
export interface OpenDemand {
  readonly id: number;
  readonly batch: number;
  readonly batchHash: Hash;
  /** Of the segment: running hashes before and after its records, and their bytes. */
  readonly startHash: Hash;
  readonly endHash: Hash;
  readonly inputBytes: number;
  readonly answerUntilMs: number;
  readonly demander: Address;
  readonly feeWei: bigint;
}

/** Rejects with `L1Error`. */
export async function readDemandParameters(l1: L1Client, rollup: RollupContracts): Promise<DemandParameters> {
  const contract = { address: rollup.demands, abi: demandsAbi } as const;
  try {
    const [answer, interval, proving] = await Promise.all([
      l1.public.readContract({ ...contract, functionName: 'answerWindow' }),
      l1.public.readContract({ ...contract, functionName: 'answerInterval' }),
      l1.public.readContract({ ...contract, functionName: 'provingPeriod' }),
    ]);
    return {
      answerSeconds: Number(answer),
      intervalSeconds: Number(interval),
      provingSeconds: Number(proving),
    };
  } catch (error) {
    throw l1Error(error, `demands ${rollup.demands}`);
  }
}

export interface DemandCounts {
  /** Demands ever made: their ids are 1 to this. */
  readonly count: number;
  readonly open: number;
  /** What the next one costs. */
  readonly feeWei: bigint;
}

export async function readDemandCounts(l1: L1Client, rollup: RollupContracts): Promise<DemandCounts> {
  const contract = { address: rollup.demands, abi: demandsAbi } as const;
  try {
    const [count, open, feeWei] = await Promise.all([
      l1.public.readContract({ ...contract, functionName: 'count' }),
      l1.public.readContract({ ...contract, functionName: 'open' }),
      l1.public.readContract({ ...contract, functionName: 'demandFee' }),
    ]);
    return { count: Number(count), open, feeWei };
  } catch (error) {
    throw l1Error(error, `demands ${rollup.demands}`);
  }
}

/** Undefined when it is closed, or was never made. */
export async function readDemand(
  l1: L1Client,
  rollup: RollupContracts,
  id: number,
): Promise<OpenDemand | undefined> {
  try {
    const demand = await l1.public.readContract({
      address: rollup.demands,
      abi: demandsAbi,
      functionName: 'demand',
      args: [BigInt(id)],
    });
    const batchHash = fromHex(demand.batchHash);
    if (batchHash.every((byte) => byte === 0)) return undefined;
    return {
      id,
      batch: Number(demand.batch),
      batchHash,
      startHash: fromHex(demand.startHash),
      endHash: fromHex(demand.endHash),
      inputBytes: demand.inputBytes,
      answerUntilMs: Number(demand.answerUntil) * 1000,
      demander: demand.demander,
      feeWei: demand.fee,
    };
  } catch (error) {
    throw l1Error(error, `demand ${id}`);
  }
}

/** The segment that a demand is for, with its records; undefined when the batch has no such segment. */
export function demandedSegment(
  batch: Pick<SignedBatch, 'trace' | 'inputs'>,
  demand: Pick<OpenDemand, 'endHash' | 'inputBytes'>,
): { readonly segment: number; readonly inputs: Uint8Array } | undefined {
  let start = 0;
  for (const [segment, { inputEnd, inputHash }] of batch.trace.entries()) {
    if (equalBytes(inputHash, demand.endHash) && inputEnd - start === demand.inputBytes)
      return { segment, inputs: batch.inputs.subarray(start, inputEnd) };
    start = inputEnd;
  }
  return undefined;
}

/** Demands the records of a segment; resolves with the id. Rejects with `L1Error`. */
export async function demandInputs(
  l1: L1Client,
  rollup: RollupContracts,
  of: {
    readonly batch: Pick<SignedBatch, 'header' | 'trace'>;
    readonly segment: number;
    readonly feeWei: bigint;
  },
): Promise<number> {
  const { header } = of.batch;
  const receipt = await send(l1, {
    to: rollup.demands,
    data: encodeFunctionData({
      abi: demandsAbi,
      functionName: 'demandInputs',
      args: [toHex(encodeHeader(header)), segmentProof(of.batch, of.segment, nobleKeccak)],
    }),
    value: of.feeWei,
    doing: `demand for segment ${of.segment} of batch ${header.id}`,
  });
  const [event] = parseEventLogs({ abi: demandsAbi, eventName: 'InputsDemanded', logs: receipt.logs });
  return Number(event!.args.id);
}

export const encodeAnswer = (id: number, inputs: Uint8Array): Hex =>
  encodeFunctionData({ abi: demandsAbi, functionName: 'answerInputs', args: [BigInt(id), toHex(inputs)] });

/** Strikes the batch of a demand that nobody answered. Rejects with `L1Error`. */
export async function strikeUnanswered(
  l1: L1Client,
  rollup: RollupContracts,
  demand: number,
  header: SignedBatch['header'],
): Promise<void> {
  await send(l1, {
    to: rollup.demands,
    data: encodeFunctionData({
      abi: demandsAbi,
      functionName: 'strikeUnanswered',
      args: [BigInt(demand), toHex(encodeHeader(header))],
    }),
    doing: `strike of batch ${header.id} for unanswered demand ${demand}`,
  });
}

/** The fee of a demand whose batch was struck meanwhile is owed to who made it. */
export async function withdrawDemand(l1: L1Client, rollup: RollupContracts, demand: number): Promise<void> {
  const data = encodeFunctionData({
    abi: demandsAbi,
    functionName: 'withdrawDemand',
    args: [BigInt(demand)],
  });
  await send(l1, { to: rollup.demands, data, doing: `withdrawal of demand ${demand}` });
}

/** Wei that the contract owes an address. */
export async function readOwed(l1: L1Client, rollup: RollupContracts, demander: Address): Promise<bigint> {
  try {
    return await l1.public.readContract({
      address: rollup.demands,
      abi: demandsAbi,
      functionName: 'owed',
      args: [demander],
    });
  } catch (error) {
    throw l1Error(error, `demands ${rollup.demands}`);
  }
}

export async function withdrawOwed(l1: L1Client, rollup: RollupContracts): Promise<void> {
  const data = encodeFunctionData({ abi: demandsAbi, functionName: 'withdrawOwed' });
  await send(l1, { to: rollup.demands, data, doing: 'withdrawal of what demands earned' });
}

/** Records that answers have put on L1, by demand. Rejects with `L1Error`. */
export async function readAnswers(
  l1: L1Client,
  rollup: RollupContracts,
  of: { readonly batch: number; readonly fromBlock: number },
): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = [];
  try {
    const toBlock = Number(await l1.public.getBlockNumber());
    const filter = { abi: demandsAbi, eventName: 'InputsAnswered', address: rollup.demands };
    for await (const piece of scanLogs(l1, filter, { fromBlock: of.fromBlock, toBlock }))
      for (const event of parseEventLogs({
        abi: demandsAbi,
        eventName: 'InputsAnswered',
        logs: piece.logs,
      })) {
        if (Number(event.args.batch) !== of.batch || event.transactionHash === null) continue;
        const { input } = await l1.public.getTransaction({ hash: event.transactionHash });
        const inputs = answerOf(input);
        if (inputs !== undefined) answers.push(inputs);
      }
  } catch (error) {
    throw l1Error(error, `answers for batch ${of.batch}`);
  }
  return answers;
}

/** Records in the calldata of an answer: an account without code sent it, so they stand in the transaction's input. */
function answerOf(input: Hex): Uint8Array | undefined {
  try {
    const call = decodeFunctionData({ abi: demandsAbi, data: input });
    return call.functionName === 'answerInputs' ? fromHex(call.args[1]) : undefined;
  } catch {
    return undefined;
  }
}
