/** Which branches of the step libraries segments have taken: the segments run again where every JUMPI can be watched. */
import { createRecover } from '#auth/recover.ts';
import { concat, fromHex, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { STEP_FAMILIES, type StepProverContracts } from '#settlement/l1/step-prover.ts';
import type { Watch } from '../fuzz-steps/rig.ts';
import { type Branch, type WatchedContract, watchContracts } from './branches.ts';
import { type CallResult, execute, type World } from './machine.ts';

const FIRST_FAMILY = 0x1000n;
const ECRECOVER = 1n;
const NOTHING = new Uint8Array(0);

export class BranchCoverage {
  readonly branches: readonly Branch[];
  /** By branch: it is in the code that was compiled. */
  private readonly isThere: Uint8Array;
  private readonly taken: Uint8Array;
  private readonly contracts: ReadonlyMap<string, WatchedContract>;
  private readonly keccak: Keccak;
  private readonly recover: ReturnType<typeof createRecover>;

  constructor(keccak: Keccak) {
    const families = STEP_FAMILIES.map((_, n) => [`FAMILY_${n}`, FIRST_FAMILY + BigInt(n)] as const);
    const { branches, contracts } = watchContracts(Object.fromEntries(families));
    this.branches = branches;
    this.contracts = contracts;
    this.taken = new Uint8Array(branches.length);
    this.isThere = new Uint8Array(branches.length);
    for (const contract of contracts.values())
      for (const places of contract.branches.values()) for (const branch of places) this.isThere[branch] = 1;
    this.keccak = keccak;
    this.recover = createRecover(keccak);
  }

  /** Runs a call of StepProver, or of a family by its name, and marks what it takes. What it calls may answer for itself. */
  call(data: Uint8Array, contract = 'StepProver', staticCall = this.staticCall): CallResult {
    const { code, branches } = this.contracts.get(contract)!;
    return execute(code, data, {
      keccak: this.keccak,
      staticCall,
      jumped: (at, taken) => {
        const ways = branches.get(at);
        if (ways !== undefined) this.taken[ways[taken ? 1 : 0]] = 1;
      },
    });
  }

  /** For a rig: every call is run again, and must be answered as the node answers it. */
  watch({ stepProver, families }: StepProverContracts): Watch {
    const names = new Map<string, string>(Object.entries(families).map(([name, address]) => [address, name]));
    names.set(stepProver, 'StepProver');
    return (to, data, answer) => {
      const { success, data: got } = this.call(fromHex(data), names.get(to)!);
      if (success === (answer !== undefined) && (!success || toHex(got) === answer)) return;
      throw new Error(`${names.get(to)}: expected ${answer ?? 'it to revert'}, got ${success} ${toHex(got)}`);
    };
  }

  /** Branches that are in the code, with whether they were taken. */
  *ways(): Generator<readonly [branch: Branch, taken: boolean], void, undefined> {
    for (const [n, branch] of this.branches.entries())
      if (this.isThere[n] === 1) yield [branch, this.taken[n] === 1];
  }

  private readonly staticCall: World['staticCall'] = (to, data) => {
    if (to === ECRECOVER) return { success: true, data: this.ecrecover(data) };
    const family = STEP_FAMILIES[Number(to - FIRST_FAMILY)];
    if (family === undefined)
      throw new Error(`call: expected a family or ecrecover, got 0x${to.toString(16)}`);
    return this.call(data, family);
  };

  /** Digest ‖ v ‖ r ‖ s, each a word; nothing when there is no such signer. */
  private ecrecover(data: Uint8Array): Uint8Array {
    const signature = concat(data.subarray(64, 128), data.subarray(63, 64));
    const signer = this.recover(data.subarray(0, 32), signature);
    return signer === undefined ? NOTHING : concat(new Uint8Array(12), signer);
  }
}

/** A table per library, and a line per branch not taken. */
export function branchLines(coverage: BranchCoverage): string[] {
  const files = new Map<string, { reached: number; total: number; missed: string[] }>();
  for (const [branch, taken] of coverage.ways()) {
    const row = files.get(branch.file) ?? { reached: 0, total: 0, missed: [] };
    files.set(branch.file, row);
    row.total++;
    if (taken) row.reached++;
    else row.missed.push(describe(branch));
  }
  const rows = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const all = rows.reduce((sum, [, { reached, total }]) => [sum[0]! + reached, sum[1]! + total], [0, 0]);
  return [
    ...rows.flatMap(([file, { reached, total, missed }]) => [
      `${file.padEnd(40)} ${`${reached} of ${total}`.padStart(10)}`,
      ...missed.map((line) => `    ${line}`),
    ]),
    `branches reached: ${all[0]} of ${all[1]}`,
  ];
}

export const describe = ({ file, line, condition, way }: Branch): string =>
  `${file}:${line} never ${way}: ${condition}`;
