/** StepProver on L1: its deployment, and re-execution of a segment by a call that changes nothing. */
import {
  type Address,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  type Hex,
} from 'viem';
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { Hash } from '#protocol/units.ts';
import { type L1Client, send } from './client.ts';
import { type Artifacts, type ContractName, compileContracts } from './compile.ts';
import { L1Error, l1Error } from './errors.ts';
import { stepProverAbi } from './step-prover-abi.ts';

/** In the order of StepProver's constructor. */
export const STEP_FAMILIES = [
  'PlaceSteps',
  'MatchSteps',
  'AccountSteps',
  'MoneySteps',
  'QueueSteps',
  'MarketSteps',
  'ConfigureSteps',
  'LiquidationSteps',
  'IsolationSteps',
] as const satisfies readonly ContractName[];

export interface StepProverContracts {
  readonly stepProver: Address;
  readonly families: Readonly<Record<(typeof STEP_FAMILIES)[number], Address>>;
}

/** Deploys the families and the prover over them; they are stateless and serve any number of rollups. */
export async function deployStepProver(l1: L1Client, artifacts?: Artifacts): Promise<StepProverContracts> {
  const compiled = artifacts ?? (await compileContracts());
  const deploy = async (name: ContractName, args: readonly unknown[] = []): Promise<Address> => {
    const { abi, bytecode } = compiled[name];
    const receipt = await send(l1, {
      data: encodeDeployData({ abi, bytecode, args }),
      doing: `deploy ${name}`,
    });
    return getAddress(receipt.contractAddress!);
  };
  const families: Partial<Record<(typeof STEP_FAMILIES)[number], Address>> = {};
  for (const name of STEP_FAMILIES) families[name] = await deploy(name);
  const stepProver = await deploy('StepProver', [STEP_FAMILIES.map((name) => families[name])]);
  return { stepProver, families: families as StepProverContracts['families'] };
}

export interface SegmentCall {
  readonly preStateRoot: Hash;
  readonly steps: number;
  /** EIP-712 domain separator. */
  readonly domain: Hash;
  readonly inputs: Uint8Array;
  readonly ledger: Uint8Array;
  readonly book: Uint8Array;
  readonly carried: Uint8Array;
  readonly hints: Uint8Array;
}

export interface SegmentOutcome {
  readonly fault: number;
  readonly ledgerRoot: Hash;
  readonly bookRoot: Hash;
  readonly nextSeq: number;
  readonly weight: number;
  readonly timeFirst: number;
  readonly timeLast: number;
}

export const encodeRunSegment = (call: SegmentCall): Hex =>
  encodeFunctionData({
    abi: stepProverAbi,
    functionName: 'run',
    args: [
      toHex(call.preStateRoot),
      BigInt(call.steps),
      toHex(call.domain),
      toHex(call.inputs),
      {
        ledger: toHex(call.ledger),
        book: toHex(call.book),
        carried: toHex(call.carried),
        hints: toHex(call.hints),
      },
    ],
  });

export function decodeSegmentOutcome(data: Hex): SegmentOutcome {
  const outcome = decodeFunctionResult({ abi: stepProverAbi, functionName: 'run', data });
  return {
    fault: Number(outcome.fault),
    ledgerRoot: fromHex(outcome.ledgerRoot),
    bookRoot: fromHex(outcome.bookRoot),
    nextSeq: Number(outcome.nextSeq),
    weight: Number(outcome.weight),
    timeFirst: Number(outcome.timeFirst),
    timeLast: Number(outcome.timeLast),
  };
}

/** Re-executes a segment with at most `gas`; rejects with `L1Error`, code `reverted` when the witness does not open. */
export async function runSegment(
  l1: L1Client,
  stepProver: Address,
  call: SegmentCall,
  gas?: bigint,
): Promise<SegmentOutcome> {
  try {
    const { data } = await l1.public.call({
      to: stepProver,
      data: encodeRunSegment(call),
      ...(gas === undefined ? {} : { gas }),
    });
    return decodeSegmentOutcome(data ?? '0x');
  } catch (error) {
    throw l1Error(error, 'run segment');
  }
}

export interface MissingRead {
  readonly key: Uint8Array;
  /** Of a range: its prefix's length and the leaves that it should have had. */
  readonly range?: { readonly bits: number; readonly least: number };
}

/** What a witness lacks, as the contract that reverted says it; undefined when it said something else. */
export function missingOf(error: unknown): MissingRead | undefined {
  if (!(error instanceof L1Error) || error.revert === undefined) return undefined;
  const { name, args } = error.revert;
  const key = (): Uint8Array => fromHex(String(args[0]));
  if (name === 'LeafMissing' || name === 'OpaqueReached' || name === 'ValueWithheld') return { key: key() };
  if (name === 'RangeMissing')
    return { key: key(), range: { bits: Number(args[1]), least: Number(args[2]) } };
  return undefined;
}
