/** Commands executed twice: once as the batcher cuts them into segments, once for the witnesses of these segments. */
import { Engine } from '#engine/engine.ts';
import type { TraceEntry } from '#protocol/batch.ts';
import type { Command } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { SegmentReplay } from '#prover-stub/segment-replay.ts';
import type { SegmentRange, WitnessedSegment } from '#prover-stub/segment-witness.ts';
import type { BatchTrace } from '#state/batch-builder.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import type { StateTrees } from '#state/state-root.ts';
import { StateTree } from '#state/state-tree.ts';
import { TreeTrace } from '#state/tree-trace.ts';

export interface WitnessedSession {
  readonly batch: BatchTrace;
  readonly segments: readonly TraceEntry[];
  readonly witnessed: readonly WitnessedSegment[];
}

/** Keeps the trees and cuts segments by weight and bytes. */
export function traceSession(commands: readonly Command[], keccak: Keccak): BatchTrace {
  const state = new ExchangeState(keccak);
  const trace = new TreeTrace({ state, trees: emptyTrees(keccak), keccak });
  const engine = new Engine(state, trace);
  for (const command of commands) {
    trace.begin(command.record);
    engine.apply(command);
    trace.end();
  }
  return trace.close();
}

/** What each segment of a batch that begins at genesis claims. */
export function rangesOf(batch: Pick<BatchTrace, 'segments' | 'inputs'>): SegmentRange[] {
  let firstStep = 0;
  let inputStart = 0;
  return batch.segments.map(({ nextStep, inputEnd }) => {
    const range = { firstStep, nextStep, inputs: batch.inputs.slice(inputStart, inputEnd) };
    firstStep = nextStep;
    inputStart = inputEnd;
    return range;
  });
}

export function* witnessesOf(
  commands: Iterable<Command>,
  segments: readonly SegmentRange[],
  keccak: Keccak,
): Generator<WitnessedSegment, void, undefined> {
  const state = new ExchangeState(keccak);
  const replay = new SegmentReplay({ state, trees: emptyTrees(keccak), nextStep: 0, segments });
  for (const command of commands) yield* replay.apply(command);
  yield* replay.end();
}

export function witnessSession(commands: readonly Command[], keccak: Keccak): WitnessedSession {
  const batch = traceSession(commands, keccak);
  const witnessed = [...witnessesOf(commands, rangesOf(batch), keccak)];
  return { batch, segments: batch.segments, witnessed };
}

export const emptyTrees = (keccak: Keccak): StateTrees => ({
  ledger: new StateTree(keccak),
  book: new StateTree(keccak),
});
