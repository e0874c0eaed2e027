/**
 * What steps cost on the contract, each as a segment of its own: calldata, parsing and hashing are all its own, so that a
 * segment of several costs less than their sum. Typical ones of a random session, and the worst that bounds allow.
 */
import { Engine } from '#engine/engine.ts';
import type { Command } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { SegmentReplay } from '#prover-stub/segment-replay.ts';
import type { SegmentRange, SegmentWitness, WitnessedSegment } from '#prover-stub/segment-witness.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { KeyKind } from '#state/keys.ts';
import { openMultiproof } from '#state/multiproof.ts';
import { encodeSnapshot, loadSnapshot } from '#state/snapshot.ts';
import { NO_TRACE, StepKind, type Trace } from '#state/trace.ts';
import { emptyTrees, witnessesOf } from '../support/witnessed-session.ts';
import { kindName } from './compare.ts';
import { deepen } from './deepen.ts';
import { hintKeys } from './hint-keys.ts';
import { disagreement, type Rig, witnessBytes } from './rig.ts';
import { StepSession } from './step-session.ts';
import { WorstSession } from './worst-session.ts';

export interface StepCost {
  readonly kind: number;
  /** Of a transaction that re-executes it, its base cost left out. */
  readonly gas: number;
  /** Multiproofs and hints. */
  readonly bytes: number;
}

const NO_INPUTS = new Uint8Array(0);
const TYPICAL_OF_A_KIND = 7;
const TRANSACTION_GAS = 21_000;

/** Every step of a session by number: its kind, and the record that it is the first step of. */
function stepsOf(commands: readonly Command[]): { kind: number; inputs: Uint8Array; command: number }[] {
  const steps: { kind: number; inputs: Uint8Array; command: number }[] = [];
  let command = -1;
  let inputs: Uint8Array = NO_INPUTS;
  const trace: Trace = {
    ...NO_TRACE,
    step: (kind) => {
      steps.push({ kind, inputs, command });
      inputs = NO_INPUTS;
    },
  };
  const engine = new Engine(new ExchangeState(), trace);
  for (const one of commands) {
    command++;
    inputs = one.record;
    engine.apply(one);
  }
  return steps;
}

async function costOf(rig: Rig, kind: number, segment: WitnessedSegment): Promise<StepCost> {
  const wrong = disagreement(segment, await rig.run(segment.witness, 30_000_000n));
  if (wrong !== undefined) throw new Error(`gas of ${kindName(kind)}: ${wrong}`);
  return {
    kind,
    gas: Number(await rig.gas(segment.witness)) - TRANSACTION_GAS,
    bytes: witnessBytes(segment.witness),
  };
}

/** Medians by kind, over the same random session each time. */
export async function typicalCosts(rig: Rig, keccak: Keccak): Promise<Map<number, StepCost>> {
  const { commands } = new StepSession(5).run(500);
  const steps = stepsOf(commands);
  const chosen: (SegmentRange & { kind: number })[] = [];
  for (const kind of Object.values(StepKind)) {
    const all = [...steps.entries()].filter(([, step]) => step.kind === kind);
    const stride = Math.max(1, Math.floor(all.length / TYPICAL_OF_A_KIND));
    for (let i = all.length - 1, n = 0; i >= 0 && n < TYPICAL_OF_A_KIND; i -= stride, n++) {
      const [firstStep, { inputs }] = all[i]!;
      chosen.push({ kind, firstStep, nextStep: firstStep + 1, inputs });
    }
  }
  chosen.sort((a, b) => a.firstStep - b.firstStep);
  const costs = new Map<number, StepCost[]>();
  let next = 0;
  for (const segment of witnessesOf(commands, chosen, keccak)) {
    const { kind } = chosen[next++]!;
    costs.set(kind, [...(costs.get(kind) ?? []), await costOf(rig, kind, segment)]);
  }
  return new Map([...costs].map(([kind, all]) => [kind, median(all)]));
}

function median(costs: StepCost[]): StepCost {
  const sorted = costs.sort((a, b) => a.gas - b.gas);
  return sorted[sorted.length >> 1]!;
}

/** The dearest of each kind, by gas and by bytes, in the worst state and with the deepest paths. */
export async function worstCosts(rig: Rig, keccak: Keccak): Promise<Map<number, StepCost>> {
  const session = new WorstSession();
  const { commands, from } = session;
  const steps = stepsOf(commands);
  const worst = new Map<number, StepCost>();
  const state = new ExchangeState(keccak);
  const trees = emptyTrees(keccak);
  const never: SegmentRange = { firstStep: Number.MAX_SAFE_INTEGER, nextStep: 0, inputs: NO_INPUTS };
  const replay = new SegmentReplay({ state, trees, nextStep: 0, segments: [never] });
  for (const [index, command] of commands.entries()) {
    if (index >= from) {
      const first = steps.findIndex((step) => step.command === index);
      const own = steps.slice(first).filter((step) => step.command === index);
      replay.bringTrees();
      const snapshot = encodeSnapshot(state.seq, trees);
      for (const step of measuredSteps(own)) {
        const { kind, inputs } = own[step]!;
        const range = { firstStep: step, nextStep: step + 1, inputs };
        const cost = await costOf(rig, kind, deepened(snapshot, command, range, keccak));
        const before = worst.get(kind);
        const gas = Math.max(cost.gas, before?.gas ?? 0);
        worst.set(kind, { kind, gas, bytes: Math.max(cost.bytes, before?.bytes ?? 0) });
      }
    }
    replay.apply(command);
  }
  return worst;
}

/** Of many equal steps in a row the first and the last; ticks of one market alone. */
function measuredSteps(own: readonly { kind: number }[]): number[] {
  return [...own.keys()].filter(
    (i) => own[i - 1]?.kind !== own[i]!.kind || (own[i + 1]?.kind !== own[i]!.kind && i > 0),
  );
}

/** The step's segment once more, with all that it looks at as deep as can be. */
function deepened(
  snapshot: Uint8Array,
  command: Command,
  range: SegmentRange,
  keccak: Keccak,
): WitnessedSegment {
  const replayed = (looked?: SegmentWitness): WitnessedSegment => {
    const { state, trees } = loadSnapshot(snapshot, keccak);
    if (looked !== undefined) {
      const { leaves, ranges } = hintKeys(looked.hints);
      const opened = [openMultiproof(looked.ledger, keccak), openMultiproof(looked.book, keccak)];
      const given = opened.flatMap((one) => one.leaves).filter(({ value }) => value !== undefined);
      const ranged = new Set([KeyKind.EXPIRY, KeyKind.ORDER, ...ranges.map(({ prefix }) => prefix[0]!)]);
      deepen(trees, [...leaves, ...given.map(({ key }) => key)], ranged);
    }
    const replay = new SegmentReplay({ state, trees, nextStep: 0, segments: [range] });
    return [...replay.apply(command), ...replay.end()][0]!;
  };
  return replayed(replayed().witness);
}
