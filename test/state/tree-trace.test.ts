import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { Engine } from '#engine/engine.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import { nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import { SEGMENT_INPUT_BYTES_MAX, SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { allLeaves, checkTrees } from '#state/all-leaves.ts';
import type { BatchTrace } from '#state/batch-builder.ts';
import { applyDiff, encodeDiff } from '#state/diff.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { stateRoot } from '#state/state-root.ts';
import { StateTree } from '#state/state-tree.ts';
import { stepWeight } from '#state/step-weights.ts';
import { StepKind, type Trace } from '#state/trace.ts';
import { TreeTrace, type TreeTraceOptions } from '#state/tree-trace.ts';
import { RandomSession } from '../support/random-session.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`tree trace properties: SEED=${SEED}`);
const keccak = await createWasmKeccak();

class Traced {
  readonly state = new ExchangeState(keccak);
  readonly trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
  readonly trace: TreeTrace;
  readonly engine: Engine;
  readonly kinds: number[] = [];

  constructor(
    options: Partial<TreeTraceOptions> = {},
    wrap: (trace: TreeTrace, own: Traced) => Trace = (t) => t,
  ) {
    this.trace = new TreeTrace({ state: this.state, trees: this.trees, keccak, ...options });
    this.engine = new Engine(this.state, wrap(this.trace, this));
  }

  apply(command: Command): void {
    this.trace.begin(command.record);
    this.engine.apply(command);
    this.trace.end();
  }

  /** Follows whole batches; throws where one is not reached by its commands. */
  follow(batches: readonly BatchTrace[], commands: readonly Command[]): BatchTrace[] {
    const followed: BatchTrace[] = [];
    for (const batch of batches) {
      this.trace.follow(batch.segments.map((segment) => segment.nextStep));
      for (const command of commands.slice(batch.firstSeq - 1, batch.nextSeq - 1)) this.apply(command);
      followed.push(...this.trace.takeClosed());
    }
    return followed;
  }
}

function expectTreesOf(state: ExchangeState, trees: { ledger: StateTree; book: StateTree }): void {
  checkTrees(state, trees);
  const text = ([key, value]: readonly [Uint8Array, Uint8Array]): string => `${toHex(key)} ${toHex(value)}`;
  const { ledger, book } = allLeaves(state);
  expect([...trees.ledger.entries()].map(({ key, value }) => text([key, value]))).toEqual(ledger.map(text));
  expect([...trees.book.entries()].map(({ key, value }) => text([key, value]))).toEqual(book.map(text));
}

const session = fc.record({ seed: fc.integer(), commands: fc.integer({ min: 1, max: 250 }) });

describe('a tree trace', () => {
  it('holds in its trees, after every command, exactly the leaves of the state', () => {
    fc.assert(
      fc.property(session, ({ seed, commands }) => {
        const traced = new Traced();
        for (const command of new RandomSession({ seed }).run(commands).commands) {
          traced.apply(command);
          const batch = traced.trace.close();
          expectTreesOf(traced.state, traced.trees);
          expect(batch.nextSeq).toBe(traced.state.seq + 1);
        }
      }),
      { seed: SEED, numRuns: 12 },
    );
  });

  it('holds at every step the roots that leaves marked so far give, whichever way they are cut', () => {
    // The roots of a trace that cuts before every step, next to those of one that cuts by weight.
    fc.assert(
      fc.property(session, ({ seed, commands: count }) => {
        const { commands } = new RandomSession({ seed }).run(count);
        const coarse = new Traced();
        for (const command of commands) coarse.apply(command);
        const whole = coarse.trace.close();
        const fine = new Traced();
        const every = Array.from({ length: whole.nextStep }, (_, i) => i + 1);
        fine.trace.follow(every);
        for (const command of commands) fine.apply(command);
        const [steps] = fine.trace.takeClosed();
        expect(steps!.postLedgerRoot).toEqual(whole.postLedgerRoot);
        expect(steps!.postBookRoot).toEqual(whole.postBookRoot);
        expect(steps!.inputs).toEqual(whole.inputs);
        for (const segment of whole.segments) {
          const at = steps!.segments[segment.nextStep - 1]!;
          expect(at.nextStep).toBe(segment.nextStep);
          expect(toHex(at.stateRoot)).toBe(toHex(segment.stateRoot));
          expect(toHex(at.inputHash)).toBe(toHex(segment.inputHash));
          expect([at.nextSeq, at.inputEnd]).toEqual([segment.nextSeq, segment.inputEnd]);
        }
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('keeps segments within weight and input bytes, and counts both', () => {
    const { commands } = new RandomSession({ seed: 5 }).run(1500);
    const kinds: number[] = [];
    const traced = new Traced({}, (trace) => {
      const step = trace.step.bind(trace);
      trace.step = (kind) => {
        kinds.push(kind);
        step(kind);
      };
      return trace;
    });
    for (const command of commands) traced.apply(command);
    const batch = traced.trace.close();
    expect(batch.segments.length).toBeGreaterThan(10);
    expect(batch.nextStep).toBe(kinds.length);
    let first = 0;
    let inputStart = 0;
    for (const [i, segment] of batch.segments.entries()) {
      const weight = kinds.slice(first, segment.nextStep).reduce((sum, kind) => sum + stepWeight(kind), 0);
      expect(segment.weight).toBe(weight);
      expect(weight).toBeLessThanOrEqual(SEGMENT_WEIGHT_MAX);
      expect(segment.inputEnd - inputStart).toBeLessThanOrEqual(SEGMENT_INPUT_BYTES_MAX);
      const next = batch.segments[i + 1];
      if (next !== undefined) {
        const nextKind = kinds[segment.nextStep]!;
        const isHeavy = weight + stepWeight(nextKind) > SEGMENT_WEIGHT_MAX;
        const isLong = segment.inputEnd - inputStart + 2060 > SEGMENT_INPUT_BYTES_MAX;
        expect(isHeavy || isLong).toBe(true);
      }
      first = segment.nextStep;
      inputStart = segment.inputEnd;
    }
    expect(batch.inputs).toEqual(concat(...commands.map((command) => command.record)));
    let hash: Uint8Array = ZERO_HASH;
    for (const { record } of commands) hash = nobleKeccak(concat(hash, nobleKeccak(record)));
    expect(toHex(batch.postInputHash)).toBe(toHex(hash));
    expect(batch.segments.at(-1)!.stateRoot).toEqual(
      stateRoot(batch.postLedgerRoot, batch.postBookRoot, nobleKeccak),
    );
    const seen = new Set(kinds);
    for (const [name, kind] of Object.entries(StepKind)) expect(seen.has(kind), name).toBe(true);
  });

  it('gives a diff that turns the ledger before the batch into the one after', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }), (seed, cuts) => {
        const generator = new RandomSession({ seed });
        const traced = new Traced();
        const ledger = new StateTree(nobleKeccak);
        let done = 0;
        for (const count of [1, ...cuts]) {
          generator.run(count);
          for (const command of generator.commands.slice(done)) traced.apply(command);
          done = generator.commands.length;
          const { bytes } = traced.trace.open;
          const batch = traced.trace.close();
          expect(toHex(ledger.root())).toBe(toHex(batch.preLedgerRoot));
          const diff = encodeDiff(batch.changes);
          // The running bound was taken at the last cut of the open batch; the diff at most fits what it says then.
          expect(bytes).toBeGreaterThanOrEqual(batch.inputs.length);
          for (const { key, value } of applyDiff(diff, (key) => ledger.get(key)))
            value === undefined ? ledger.delete(key) : ledger.set(key, value);
          expect(toHex(ledger.root())).toBe(toHex(batch.postLedgerRoot));
          expect(batch.timeFirst).toBeLessThanOrEqual(batch.timeLast);
          expect(batch.timeLast).toBe(traced.state.now);
        }
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('ends batches by itself beyond its bytes, within commands too, and is followed there', () => {
    fc.assert(
      fc.property(
        session,
        fc.integer({ min: 300, max: 6_000 }),
        ({ seed, commands: count }, batchBytesMax) => {
          const { commands } = new RandomSession({ seed, traders: 12 }).run(count);
          const making = new Traced({ batchBytesMax });
          const made: BatchTrace[] = [];
          for (const command of commands) {
            making.apply(command);
            made.push(...making.trace.takeClosed());
          }
          if (making.trace.open.steps > 0) made.push(making.trace.close());
          const following = new Traced();
          const followed = following.follow(made, commands);
          expect(followed.length).toBe(made.length);
          for (const [i, batch] of made.entries()) {
            const { changes, ...rest } = followed[i]!;
            const { changes: expected, ...same } = batch;
            expect(rest).toEqual(same);
            expect(encodeDiff(changes)).toEqual(encodeDiff(expected));
          }
          expectTreesOf(following.state, following.trees);
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('is found out by its trees when any kind of mark is left out', () => {
    const { commands } = new RandomSession({ seed: SEED }).run(1200);
    const marks = [
      'globals',
      'counters',
      'account',
      'owner',
      'marketConfig',
      'marketState',
      'prices',
      'publishers',
      'oracle',
      'withdrawn',
      'queue',
      'order',
      'level',
      'orderIndex',
      'sessionKey',
      'expiry',
    ] as const satisfies readonly (keyof Trace)[];
    for (const mark of marks) {
      const traced = new Traced();
      Object.defineProperty(traced.trace, mark, { value: () => {} });
      // Looked at again and again: what came and went between two looks leaves no trace.
      const look = (): void => {
        for (const [i, command] of commands.entries()) {
          traced.apply(command);
          if (i % 50 !== 49) continue;
          if (traced.trace.open.steps > 0) traced.trace.close();
          checkTrees(traced.state, traced.trees);
        }
      };
      expect(look, mark).toThrow(/expected/);
    }
  });

  it('can follow a batch cut within one command at every step', () => {
    const generator = new RandomSession({ seed: 11 }).run(300);
    const making = new Traced();
    let longest = 0;
    let at = 0;
    for (const [i, command] of generator.commands.entries()) {
      const before = making.trace.nextStep;
      making.apply(command);
      if (making.trace.nextStep - before > longest) {
        longest = making.trace.nextStep - before;
        at = i;
      }
    }
    expect(longest).toBeGreaterThan(20);
    const single = new Traced();
    for (const command of generator.commands.slice(0, at)) single.apply(command);
    const start = single.trace.close().nextStep;
    // The long command as one batch per step: the first holds its record, the others no input at all.
    const roots: string[] = [];
    for (let step = 0; step < longest; step++) {
      single.trace.follow([start + step + 1]);
      if (step === 0) single.apply(generator.commands[at]!);
      const [batch] = single.trace.takeClosed();
      expect(batch!.inputs.length > 0).toBe(step === 0);
      expect(batch!.isWhole).toBe(step === longest - 1);
      roots.push(toHex(batch!.segments[0]!.stateRoot));
    }
    expect(new Set(roots).size).toBe(longest);
    single.trace.unfollow();
    expectTreesOf(single.state, single.trees);
  });
});
