/** docs/gas.md out of measurements, and what a test reads back of it. */
import { SEGMENT_INPUT_BYTES_MAX, SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { BYTE_WEIGHT, STEP_WEIGHTS } from '#state/step-weights.ts';
import { StepKind } from '#state/trace.ts';
import type { StepCost } from './step-gas.ts';

type Costs = ReadonlyMap<number, StepCost>;

const grouped = (number: number): string => number.toLocaleString('en-US');

export function gasDocument(typical: Costs, worst: Costs): string {
  const rows = Object.entries(StepKind).map(([name, kind]) => {
    const cells = [typical.get(kind), worst.get(kind)].flatMap((cost) =>
      cost === undefined ? ['', ''] : [grouped(cost.gas), grouped(cost.bytes)],
    );
    const weight = STEP_WEIGHTS[kind]!;
    return `| ${name} | ${[...cells, grouped(weight), Math.floor(SEGMENT_WEIGHT_MAX / weight)].join(' | ')} |`;
  });
  return `# Gas of steps

What re-execution of one step costs on L1, as a segment of its own: its part of both trees as calldata, parsing, hashing twice, the step itself. Steps of one segment share paths, so a segment costs less than the sum of its steps. Written by \`npm run gas:steps\`; a test holds the worst figures and the weights against the contracts.

- **Typical**: median over a random session of a dozen accounts and 19 markets.
- **Worst**: both accounts hold 16 positions in 16 leaves of prices, markets have 8 tiers, books 45 levels a side, rounds 16 publishers, messages 50 operations; and beside every leaf that the step looks at stand others that part from it in each bit that users choose (owners, client ids, prices, expiry times, session keys) or that counting can reach (2^24 accounts, 2^40 orders).
- **Bytes**: multiproofs and hints. Records come on top, once a segment: at most ${grouped(SEGMENT_INPUT_BYTES_MAX)} bytes of inputs and one carried record.
- **Weight**: what the step counts in its segment (sequencer/state/step-weights.ts): not less than its worst gas, nor than ${BYTE_WEIGHT} times its worst bytes. A segment weighs at most ${grouped(SEGMENT_WEIGHT_MAX)}; so it stays below 12 million gas, with the proof around it, and below the 131,072 bytes that nodes take as one transaction.

| Step | Typical gas | bytes | Worst gas | bytes | Weight | At most a segment |
|---|--:|--:|--:|--:|--:|--:|
${rows.join('\n')}
`;
}

/** Worst gas and bytes by the name of the kind. */
export function worstOfDocument(text: string): Map<string, { gas: number; bytes: number }> {
  const rows = text.matchAll(/^\| ([A-Z_]+) \|[^|]*\|[^|]*\| ([\d,]+) \| ([\d,]+) \|/gm);
  const number = (cell: string): number => Number(cell.replaceAll(',', ''));
  return new Map(
    [...rows].map(([, name, gas, bytes]) => [name!, { gas: number(gas!), bytes: number(bytes!) }]),
  );
}
