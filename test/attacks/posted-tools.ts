/** What attacks on posted bytes are made of: other entries of the trace, other records, other diffs, other headers. */
import { assert } from '#protocol/assert.ts';
import type { TraceEntry } from '#protocol/batch.ts';
import { compareBytes, concat } from '#protocol/bytes.ts';
import { SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { nextQueueHash } from '#protocol/queue-entry.ts';
import { splitRecords } from '#prover-stub/split-inputs.ts';
import { applyDiff, encodeDiff, type LeafChange } from '#state/diff.ts';
import { globalsKey } from '#state/keys.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { stateRoot } from '#state/state-root.ts';
import type { Posted } from './forger.ts';
import type { SceneName } from './scenes.ts';
import type { Stage } from './stage.ts';

export type Alter = (posted: Posted, stage: Stage) => void;

/** Changes one entry of the trace. */
export const entry =
  (
    index: number | 'last' | 'lightest',
    change: (entry: TraceEntry, posted: Posted) => Partial<TraceEntry>,
  ): Alter =>
  (posted) => {
    const weights = posted.trace.map(({ weight }) => weight);
    const places = { last: weights.length - 1, lightest: weights.indexOf(Math.min(...weights)) };
    const at = typeof index === 'number' ? index : places[index];
    const old = posted.trace[at]!;
    posted.trace[at] = { ...old, ...change(old, posted) };
  };

export const flipped = (bytes: Uint8Array, at = 0): Uint8Array => {
  const changed = bytes.slice();
  changed[at]! ^= 1;
  return changed;
};

/** Other inputs, under running hashes that fit them: `change` gets the records of each segment. */
export const records =
  (change: (segments: Uint8Array[][], stage: Stage) => void): Alter =>
  (posted, stage) => {
    const { keccak } = stage.world;
    let start = 0;
    const segments = posted.trace.map(({ inputEnd }) => {
      const part = splitRecords(posted.inputs.subarray(start, inputEnd)).map((record) => record.slice());
      start = inputEnd;
      return part;
    });
    change(segments, stage);
    let hash = posted.header.preInputHash;
    let inputEnd = 0;
    posted.trace = posted.trace.map((old, i) => {
      for (const record of segments[i]!) {
        hash = keccak(concat(hash, keccak(record)));
        inputEnd += record.length;
      }
      return { ...old, inputEnd, inputHash: hash };
    });
    posted.inputs = concat(...segments.flat());
    posted.header = { ...posted.header, postInputHash: hash };
  };

/** Another diff of the same ledger. */
export const changes =
  (change: (list: LeafChange[], stage: Stage) => LeafChange[]): Alter =>
  (posted, stage) => {
    const { ledger } = loadSnapshot(stage.world.base.snapshot, stage.world.keccak).trees;
    const list = applyDiff(posted.diff, (key) => ledger.get(key)).map(({ key, value }) => ({
      key,
      oldValue: ledger.get(key),
      newValue: value,
    }));
    posted.diff = encodeDiff(change(list, stage));
  };

export const isKind =
  (kind: number) =>
  ({ key }: LeafChange): boolean =>
    key[0] === kind;
export const without = (kind: number): Alter =>
  changes((list) => {
    const at = list.findIndex(isKind(kind));
    assert(at >= 0, `the batch changes a leaf of kind ${kind}`);
    return list.filter((_, i) => i !== at);
  });
export const altered = (kind: number, byte: number): Alter =>
  changes((list) => {
    const at = list.findIndex(isKind(kind));
    assert(at >= 0, `the batch changes a leaf of kind ${kind}`);
    return list.map((one, i) => (i === at ? { ...one, newValue: flipped(one.newValue!, byte) } : one));
  });
/** A leaf that the batch leaves alone. */
export const superfluous = (key: Uint8Array): Alter =>
  changes((list, { world }) => {
    const oldValue = loadSnapshot(world.base.snapshot, world.keccak).trees.ledger.get(key)!;
    return [...list, { key, oldValue, newValue: flipped(oldValue, 30) }];
  });

export const rootOf =
  (index: number): Alter =>
  (posted, stage) =>
    entry(index, ({ stateRoot }) => ({ stateRoot: stage.world.keccak(stateRoot) }))(posted, stage);

export const lastRoot =
  (field: 'postLedgerRoot' | 'postBookRoot'): Alter =>
  (posted, { world }) => {
    posted.header = { ...posted.header, [field]: world.keccak(posted.header[field]) };
    const { postLedgerRoot, postBookRoot } = posted.header;
    const root = stateRoot(postLedgerRoot, postBookRoot, world.keccak);
    posted.trace[posted.trace.length - 1] = { ...posted.trace.at(-1)!, stateRoot: root };
  };

export const header =
  (change: (header: Posted['header'], stage: Stage) => Partial<Posted['header']>): Alter =>
  (posted, stage) => {
    posted.header = { ...posted.header, ...change(posted.header, stage) };
  };

/** The queue's cursor somewhere else on the real queue. */
export const cursor = (shift: number): Alter =>
  header((h, { world }) => {
    const first = world.base.tip.queueNext;
    const queueNext = h.queueNext + shift;
    const queueHash = world.waiting
      .slice(0, queueNext - first)
      .reduce((hash, one) => nextQueueHash(world.keccak, hash, one), world.base.batch.header.queueHash);
    return { queueNext, queueHash };
  });

/** The first two segments as one, with the weight that a segment may have at most. */
export const merged: Alter = (posted) => {
  const [first, second] = posted.trace;
  const weight = Math.min(SEGMENT_WEIGHT_MAX, first!.weight + second!.weight);
  posted.trace.splice(0, 2, { ...second!, weight });
};

/** All of it as one segment. */
export const oneSegment: Alter = (posted) => {
  posted.trace = [{ ...posted.trace.at(-1)!, weight: SEGMENT_WEIGHT_MAX }];
};

/** A run that bridges nothing: the same leaves, and not as an encoder writes them. */
export function longWay(posted: Posted, { world }: Stage): void {
  const { ledger } = loadSnapshot(world.base.snapshot, world.keccak).trees;
  const list = applyDiff(posted.diff, (key) => ledger.get(key));
  const first = list.find(({ key }) => compareBytes(key, globalsKey()) === 0);
  assert(first !== undefined, 'every batch changes the globals');
  // The first entry's head, length of its suffix and suffix stand before its runs.
  const runs = 2 + posted.diff[1]!;
  posted.diff = concat(posted.diff.subarray(0, runs), Uint8Array.of(0xf0), posted.diff.subarray(runs));
}

export type Row = readonly [name: string, scene: SceneName, stepwise: boolean, alter: Alter];
