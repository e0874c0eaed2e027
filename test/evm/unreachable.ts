/** Branches of the step libraries that no call can take, and why they stand there all the same. */
import { type BranchCoverage, describe } from './branch-coverage.ts';
import type { Branch } from './branches.ts';

interface Unreachable extends Pick<Branch, 'file' | 'condition' | 'way'> {
  readonly why: string;
}

export const UNREACHABLE: readonly Unreachable[] = [
  {
    file: 'step/Leaves.sol',
    condition: 'leaf.changed',
    way: true,
    why: 'No handler removes what it has written in the same step; one that does must still write it.',
  },
  ...[true, false].map((way) => ({
    file: 'step/StepProver.sol',
    condition: 'i < FAMILIES',
    way,
    why: 'The list of families is there to be looked at; no proof asks for it.',
  })),
  {
    file: 'step/leaves/Account.sol',
    condition: 'place == NONE',
    way: true,
    why: 'Only positions that a fill or an order has just touched are released; without one there is nothing to do.',
  },
  {
    file: 'step/leaves/Account.sol',
    condition: 'n < rows',
    way: true,
    why: 'No step gives an account an asset row yet: none is read,',
  },
  {
    file: 'step/leaves/Account.sol',
    condition: 'n < rows',
    way: true,
    why: 'and none is written.',
  },
  {
    file: 'step/pricing/OraclePrice.sol',
    condition: 'n < words.length',
    way: false,
    why: 'Reports that count have weight, and by the last of them half of it is reached; of no reports the median is 0.',
  },
];

/** Branches not taken without a reason, and reasons for branches that were taken. */
export function unexplained(coverage: BranchCoverage): string[] {
  const reasons = new Set(UNREACHABLE);
  const lines: string[] = [];
  for (const [branch, taken] of coverage.ways()) {
    const { file, condition, way } = branch;
    const reason = [...reasons].find(
      (one) => one.file === file && one.condition === condition && one.way === way,
    );
    if (!taken && reason === undefined) lines.push(describe(branch));
    if (!taken && reason !== undefined) reasons.delete(reason);
  }
  return [
    ...lines,
    ...[...reasons].map(({ file, condition }) => `${file} has a reason but is taken: ${condition}`),
  ];
}
