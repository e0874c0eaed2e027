/**
 * What StepProver does with families that write what no family writes; on the watched machine, where they can answer
 * anything. test/contracts/StepProver.t.sol has contracts that do.
 */
import { encodeFunctionResult, toFunctionSelector } from 'viem';
import { concat, fromHex, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { decodeSegmentOutcome, encodeRunSegment } from '#settlement/l1/step-prover.ts';
import { stepProverAbi } from '#settlement/l1/step-prover-abi.ts';
import { ownerKey } from '#state/keys.ts';
import type { BranchCoverage } from '../evm/branch-coverage.ts';
import { witnessOfState } from './broken-witnesses.ts';
import type { Disagreement } from './compare.ts';

interface Written {
  readonly name: string;
  readonly writes: Uint8Array;
  /** Signature of the error; empty where the writes are taken. */
  readonly error: string;
}

const write = (kind: number, length: number, value: Uint8Array = new Uint8Array(0)): Uint8Array =>
  concat(Uint8Array.of(kind), new Uint8Array(31), Uint8Array.of(length >> 8, length & 0xff), value);

const WRITTEN: readonly Written[] = [
  { name: 'nothing', writes: new Uint8Array(0), error: '' },
  {
    name: 'a value cut short',
    writes: write(0x40, 5, new Uint8Array(4)),
    error: 'WritesMalformed(uint256,uint256)',
  },
  {
    name: 'too long a value',
    writes: write(0x40, 4_097, new Uint8Array(4_097)),
    error: 'ValueLength(uint256,uint256)',
  },
  {
    name: 'removals of what is not there',
    writes: concat(write(0x03, 0xffff), write(0x40, 0xffff)),
    error: '',
  },
];

export function compareWritten(branches: BranchCoverage, keccak: Keccak): Disagreement | undefined {
  const domain = new Uint8Array(32);
  const owner = ownerKey(new Uint8Array(20).fill(1), 0);
  const witness = witnessOfState(keccak, ({ ledger }) => ledger.set(owner, new Uint8Array(4)));
  const data = fromHex(encodeRunSegment({ ...witness, domain }));
  for (const { name, writes, error } of WRITTEN) {
    const answer = encodeFunctionResult({
      abi: stepProverAbi,
      functionName: 'step',
      result: [toHex(writes), 0n],
    });
    const { success, data: got } = branches.call(data, 'StepProver', () => ({
      success: true,
      data: fromHex(answer),
    }));
    const what = success
      ? `fault ${decodeSegmentOutcome(toHex(got)).fault}`
      : `error ${toHex(got.subarray(0, 4))}`;
    const expected = error === '' ? 'fault 0' : `error ${toFunctionSelector(error)}`;
    if (what !== expected)
      return { where: `a family writes ${name}`, what: `expected ${expected}, got ${what}` };
  }
  return undefined;
}
