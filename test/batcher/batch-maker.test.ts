import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOfKey, signWithNative, signWithNoble } from '#auth/sign-digest.ts';
import { BatchMaker, type MadeBatch } from '#batcher/batch-maker.ts';
import { type BatchPolicy, checkPolicy, INPUT_BYTES_MAX_MAX, isFull } from '#batcher/policy.ts';
import { Engine } from '#engine/engine.ts';
import { TRACE_ENTRY_BYTES } from '#protocol/batch.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { SEGMENT_INPUT_BYTES_MAX } from '#protocol/limits.ts';
import { STREAM_BYTES_MAX } from '#settlement/l1/blob-codec.ts';
import { GENESIS_START } from '#state/batch-builder.ts';
import { encodeDiff } from '#state/diff.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { StateTree } from '#state/state-tree.ts';
import { STEP_DIFF_BYTES_MAX, TreeTrace } from '#state/tree-trace.ts';
import { testKey } from '../auth/keys.ts';
import { RandomSession } from '../support/random-session.ts';
import { keccak, payloadOf } from './fixtures.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`batch maker properties: SEED=${SEED}`);

const maker = (policy: BatchPolicy, ends: readonly number[] = []): BatchMaker =>
  new BatchMaker({ start: GENESIS_START, policy, snapshotEvery: 1_000_000, ends }, keccak);

function all(made: MadeBatch[], last: MadeBatch | undefined): MadeBatch[] {
  return last === undefined ? made : [...made, last];
}

describe('a batch maker', () => {
  it('cuts by commands and bytes, however its commands arrive, and the same again at the same ends', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.record({
          commandsMax: fc.integer({ min: 1, max: 60 }),
          bytesMax: fc.integer({ min: 1_024, max: 9_000 }),
          intervalMs: fc.constant(1),
        }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        (seed, policy, groups) => {
          const { commands } = new RandomSession({ seed }).run(100);
          const whole = maker(policy);
          const expected = all(whole.apply(payloadOf(commands), 1, commands.length), whole.cut());
          const pieces = maker(policy);
          const made: MadeBatch[] = [];
          for (let at = 0, i = 0; at < commands.length; i++) {
            const group = commands.slice(at, at + groups[i % groups.length]!);
            // A group may come with commands that were taken before.
            const back = Math.min(at, i % 3);
            const again = commands.slice(at - back, at + group.length);
            made.push(...pieces.apply(payloadOf(again), at - back + 1, again.length));
            at += group.length;
          }
          expect(all(made, pieces.cut())).toEqual(expected);
          const other = { commandsMax: 3, bytesMax: 50_000, intervalMs: 1 };
          const again = maker(
            other,
            expected.map(({ batch }) => batch.nextStep),
          );
          expect(again.apply(payloadOf(commands), 1, commands.length)).toEqual(expected);
          for (const { batch } of expected)
            expect(batch.nextSeq - batch.firstSeq).toBeLessThanOrEqual(policy.commandsMax);
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('cuts by inputs alone where these are posted apart, and makes larger batches then', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1_024, max: 20_000 }), (seed, inputBytesMax) => {
        const { commands } = new RandomSession({ seed }).run(200);
        const policy = { commandsMax: 1_000_000, bytesMax: 100_000, intervalMs: 1, inputBytesMax };
        const apart = maker(policy);
        const made = all(apart.apply(payloadOf(commands), 1, commands.length), apart.cut());
        for (const [i, { batch }] of made.entries()) {
          // A segment beyond at most.
          expect(batch.inputs.length).toBeLessThan(inputBytesMax + SEGMENT_INPUT_BYTES_MAX);
          if (i < made.length - 1) expect(batch.inputs.length).toBeGreaterThanOrEqual(inputBytesMax);
        }
        const together = maker({ commandsMax: 1_000_000, bytesMax: inputBytesMax, intervalMs: 1 });
        const smaller = all(together.apply(payloadOf(commands), 1, commands.length), together.cut());
        expect(smaller.length).toBeGreaterThanOrEqual(made.length);
        const ends = made.map(({ batch }) => batch.nextStep);
        expect(maker(policy, ends).apply(payloadOf(commands), 1, commands.length)).toEqual(made);
      }),
      { seed: SEED, numRuns: 15 },
    );
  });

  it('refuses more inputs than blobs hold', () => {
    const policy = { commandsMax: 1, bytesMax: 9_000, intervalMs: 1 };
    checkPolicy({ ...policy, inputBytesMax: INPUT_BYTES_MAX_MAX });
    expect(INPUT_BYTES_MAX_MAX + SEGMENT_INPUT_BYTES_MAX).toBe(STREAM_BYTES_MAX);
    expect(() => checkPolicy({ ...policy, inputBytesMax: INPUT_BYTES_MAX_MAX + 1 })).toThrow(
      'batch policy, inputBytesMax: expected an integer from 1024 to 757760, got 757761',
    );
  });

  it('refuses commands with a gap', () => {
    const { commands } = new RandomSession({ seed: 1 }).run(5);
    const fresh = maker({ commandsMax: 100, bytesMax: 9_000, intervalMs: 1 });
    expect(() => fresh.apply(payloadOf(commands.slice(1)), 2, commands.length - 1)).toThrow(
      /expected command 1 next, got 2/,
    );
  });

  it('snapshots only between commands, at the end of a batch', () => {
    const { commands } = new RandomSession({ seed: 2 }).run(200);
    const policy = { commandsMax: 10, bytesMax: 64_000, intervalMs: 1 };
    const made = new BatchMaker({ start: GENESIS_START, policy, snapshotEvery: 25, ends: [] }, keccak).apply(
      payloadOf(commands),
      1,
      commands.length,
    );
    const at = made.filter(({ snapshot }) => snapshot !== undefined).map(({ batch }) => batch.nextSeq - 1);
    expect(at.slice(0, 3)).toEqual([30, 60, 90]);
  });
});

describe('a trace with a hard bound', () => {
  it('gives no batch with more bytes, whatever one command does', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 8_000 }), (seed, room) => {
        const hard = STEP_DIFF_BYTES_MAX + 6_000 + room;
        const state = new ExchangeState(keccak);
        const trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
        const trace = new TreeTrace({ state, trees, keccak, batchBytesMax: 2_000, batchBytesHard: hard });
        const engine = new Engine(state, trace);
        for (const command of new RandomSession({ seed, traders: 30 }).run(250).commands) {
          trace.begin(command.record);
          engine.apply(command);
          trace.end();
          const closed = trace.takeClosed();
          if (isFull(trace.open, { commandsMax: 1e6, bytesMax: 2_000, intervalMs: 1 }))
            closed.push(trace.close());
          for (const { inputs, segments, changes } of closed)
            expect(
              inputs.length + segments.length * TRACE_ENTRY_BYTES + encodeDiff(changes).length,
            ).toBeLessThanOrEqual(hard);
        }
      }),
      { seed: SEED, numRuns: 30 },
    );
  });
});

describe('signing a digest', () => {
  it('gives the same bytes natively as by the reference', () => {
    expect(signWithNative).toBeDefined();
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 1, max: 1e6 }),
        (digest, n) => {
          const { secret } = testKey(n);
          expect(signWithNative!(digest, secret)).toEqual(signWithNoble(digest, secret));
        },
      ),
      { seed: SEED, numRuns: 100 },
    );
    expect(addressOfKey(testKey(5).secret, nobleKeccak)).toEqual(testKey(5).address);
  });
});
