/**
 * One segment of a batch's trace, opened under the header's traceRoot. Solidity twin:
 * settlement/contracts/libraries/TraceProof.sol. Big-endian:
 *
 *   segment (112 bytes): u64 firstStep ‖ u64 firstSeq ‖ u32 inputStart ‖ entry (batch.ts, 92 bytes)
 *   leaf    = keccak256(0x02 ‖ u32 index ‖ segment)
 *   path    = the siblings, 32 bytes each, from the leaf to the root; a node without one is lifted as it is
 */
import { encodeTrace, TRACE_ENTRY_BYTES, type TraceEntry } from './batch.ts';
import { concat, equalBytes, setU64be, viewOf } from './bytes.ts';
import type { Keccak } from './hash.ts';
import type { Hash } from './units.ts';

const START_BYTES = 20;
export const SEGMENT_BYTES = START_BYTES + TRACE_ENTRY_BYTES;

export interface SegmentOpening {
  readonly index: number;
  /** 112 bytes. */
  readonly segment: Uint8Array;
  readonly path: Uint8Array;
}

/** Where the batch begins. */
export interface BatchStart {
  readonly firstStep: number;
  readonly firstSeq: number;
}

/** Segment `index` as its leaf holds it. */
export function encodeSegment(trace: readonly TraceEntry[], start: BatchStart, index: number): Uint8Array {
  const previous = trace[index - 1];
  const bytes = new Uint8Array(SEGMENT_BYTES);
  const view = viewOf(bytes);
  setU64be(view, 0, previous?.nextStep ?? start.firstStep);
  setU64be(view, 8, previous?.nextSeq ?? start.firstSeq);
  view.setUint32(16, previous?.inputEnd ?? 0);
  bytes.set(encodeTrace([trace[index]!]), START_BYTES);
  return bytes;
}

export function segmentLeaf(index: number, segment: Uint8Array, keccak: Keccak): Hash {
  const prefix = new Uint8Array(5);
  prefix[0] = 0x02;
  viewOf(prefix).setUint32(1, index);
  return keccak(concat(prefix, segment));
}

const nodeOf = (left: Hash, right: Hash, keccak: Keccak): Hash =>
  keccak(concat(Uint8Array.of(0x04), left, right));

/** Throws unless the trace has a segment `index`. */
export function openSegment(
  trace: readonly TraceEntry[],
  start: BatchStart,
  index: number,
  keccak: Keccak,
): SegmentOpening {
  if (trace[index] === undefined)
    throw new Error(`trace: expected a segment from 0 to ${trace.length - 1}, got ${index}`);
  let nodes = trace.map((_, i) => segmentLeaf(i, encodeSegment(trace, start, i), keccak));
  const path: Hash[] = [];
  for (let at = index; nodes.length > 1; at >>= 1) {
    const sibling = nodes[at ^ 1];
    if (sibling !== undefined) path.push(sibling);
    const parents: Hash[] = [];
    for (let i = 0; i < nodes.length; i += 2) {
      const right = nodes[i + 1];
      parents.push(right === undefined ? nodes[i]! : nodeOf(nodes[i]!, right, keccak));
    }
    nodes = parents;
  }
  return { index, segment: encodeSegment(trace, start, index), path: concat(...path) };
}

/** Whether the opening is that of a segment under this root over `length` segments. */
export function verifySegment(root: Hash, length: number, opening: SegmentOpening, keccak: Keccak): boolean {
  const { index, segment, path } = opening;
  if (segment.length !== SEGMENT_BYTES || index < 0 || index >= length) return false;
  let node = segmentLeaf(index, segment, keccak);
  let used = 0;
  for (let at = index, count = length; count > 1; at >>= 1, count = (count + 1) >> 1) {
    if (at % 2 === 0 && at + 1 === count) continue;
    const sibling = path.subarray(used, used + 32);
    if (sibling.length !== 32) return false;
    used += 32;
    node = at % 2 === 0 ? nodeOf(node, sibling, keccak) : nodeOf(sibling, node, keccak);
  }
  return used === path.length && equalBytes(node, root);
}
