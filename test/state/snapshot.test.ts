import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { Engine } from '#engine/engine.ts';
import { stateDigest } from '#pipeline/state-digest.ts';
import { toHex } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import { decodeEvent } from '#protocol/event.ts';
import { allLeaves } from '#state/all-leaves.ts';
import { GENESIS_START } from '#state/batch-builder.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import {
  decodeSnapshotHeader,
  encodeSnapshot,
  loadSnapshot,
  loadState,
  snapshotChunks,
} from '#state/snapshot.ts';
import { StateTree } from '#state/state-tree.ts';
import { TreeTrace } from '#state/tree-trace.ts';
import { RandomSession } from '../support/random-session.ts';
import { randomState } from './random-state.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`snapshot properties: SEED=${SEED}`);
const keccak = await createWasmKeccak();

const treesOf = (state: ExchangeState): { ledger: StateTree; book: StateTree } => {
  const { ledger, book } = allLeaves(state);
  const trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
  trees.ledger.loadSorted(ledger);
  trees.book.loadSorted(book);
  return trees;
};

/** Root after each command, and every event, of a state that goes on. */
function continued(state: ExchangeState, commands: readonly Command[]): string[] {
  const trace = new TreeTrace({
    state,
    trees: treesOf(state),
    keccak,
    start: { ...GENESIS_START, nextSeq: state.seq + 1 },
  });
  const engine = new Engine(state, trace);
  return commands.map((command) => {
    trace.begin(command.record);
    engine.apply(command);
    trace.end();
    const { postLedgerRoot, postBookRoot } = trace.close();
    // A funding payment of nothing is told or not as a cache happens to stand; it changes nothing.
    const events = Array.from({ length: engine.events.count }, (_, row) =>
      JSON.stringify(decodeEvent(engine.events.data, row)),
    ).filter((event) => !/FUNDING_PAYMENT.*"amount":0,/.test(event));
    return [toHex(postLedgerRoot), toHex(postBookRoot), ...events].join('\n');
  });
}

describe('a snapshot', () => {
  it('of a random session goes on to the same roots and events as the state it was taken of', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 250 }),
        fc.integer({ min: 1, max: 120 }),
        (seed, before, after) => {
          const session = new RandomSession({ seed });
          session.run(before);
          const at = session.commands.length;
          session.run(after);
          const state = new ExchangeState(keccak);
          const engine = new Engine(state);
          for (const command of session.commands.slice(0, at)) engine.apply(command);
          const bytes = encodeSnapshot(state.seq, treesOf(state));
          expect(toHex(stateDigest(loadState(bytes, keccak)))).toBe(toHex(stateDigest(state)));
          const rest = session.commands.slice(at);
          const expected = continued(state, rest);
          expect(continued(loadSnapshot(bytes, keccak).state, rest)).toEqual(expected);
          expect(continued(loadState(bytes, keccak), rest)).toEqual(expected);
        },
      ),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('of any state comes back byte for byte', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 200 }), (seed, orders) => {
        const state = randomState(seed, { accounts: 8, orders });
        const trees = treesOf(state);
        const bytes = encodeSnapshot(state.seq, trees);
        const loaded = loadSnapshot(bytes, keccak);
        expect(toHex(loaded.trees.ledger.root())).toBe(toHex(trees.ledger.root()));
        expect(toHex(loaded.trees.book.root())).toBe(toHex(trees.book.root()));
        expect(encodeSnapshot(loaded.state.seq, treesOf(loaded.state))).toEqual(bytes);
        expect(decodeSnapshotHeader(bytes)).toEqual(loaded.header);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('of the empty state is a header, and its roots are zero', () => {
    const bytes = encodeSnapshot(0, treesOf(new ExchangeState()));
    expect(toHex(bytes)).toBe(`0x534c534e00010000${'00'.repeat(80)}`);
    expect(loadSnapshot(bytes, keccak).state.seq).toBe(0);
  });

  it('comes in pieces that make the same bytes', () => {
    const state = randomState(3, { accounts: 9000, orders: 9000 });
    const trees = treesOf(state);
    const chunks = [...snapshotChunks(state.seq, trees)];
    expect(chunks.length).toBeGreaterThan(3);
    expect(Buffer.concat(chunks).equals(encodeSnapshot(state.seq, trees))).toBe(true);
    for (const chunk of chunks) expect(chunk.length).toBeLessThan(1024 * 1024 + 8192);
  });

  it('with any byte changed or cut off is refused', () => {
    const state = randomState(4, { accounts: 3, orders: 12 });
    const bytes = encodeSnapshot(state.seq, treesOf(state));
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i]! ^= 1 << (i % 8);
      expect(() => loadSnapshot(changed, keccak), `byte ${i}`).toThrow();
    }
    for (let length = 0; length < bytes.length; length += 7)
      expect(() => loadSnapshot(bytes.subarray(0, length), keccak), `length ${length}`).toThrow();
    expect(() => loadSnapshot(Buffer.concat([bytes, Buffer.alloc(1)]), keccak)).toThrow(/expected \d+ bytes/);
  });
});
