/**
 * Path proofs of one leaf of a state tree, and what a verifier concludes from them: inclusion, absence, first
 * key under a prefix, no key under a prefix, and the root after an update, an insertion or a deletion.
 * Solidity twin: settlement/contracts/libraries/TreeProof.sol; shared vectors: test/vectors/tree.json.
 *
 * Packed proof, big-endian:
 *      0  b32 mask          bit i set = a node with bitIndex i stands on the path from the root to the leaf;
 *                           bit 0 is the most significant (mask = Σ 1 << (255 - bitIndex))
 *     32  n × b32           siblings in root-to-leaf order, that is by rising bitIndex; n = popcount(mask)
 *     32 + 32·n  b32        found key: the leaf that the searched key's bits lead to
 *     64 + 32·n  …          found value, to the end; 0 … LEAF_VALUE_BYTES_MAX bytes
 *   Bytes 0 … 32 + 32·n alone are a *packed path*, for callers who know key and value themselves.
 *   The proof of the empty tree is zero bytes long; a tree of one key has mask 0 and no sibling.
 *   A bit mask can't repeat or reorder indices, so that "strictly increasing" holds by construction.
 *
 * Folding (every verification begins with it): h = keccak256(0x00 ‖ found ‖ keccak256(value)); for each node
 * on the path, from the largest bitIndex to the smallest: the found key's bit at bitIndex is 0 →
 * h = keccak256(0x01 ‖ bitIndex ‖ h ‖ sibling), is 1 → h = keccak256(0x01 ‖ bitIndex ‖ sibling ‖ h).
 * h must equal the root. Zero bytes prove exactly the zero root. Then, with 256-bit words, high(L) = the L most
 * significant bits, low(L) = ~high(L):
 *
 *   inclusion, update, delete of k   found = k
 *   absence, insert of k             found ≠ k and (k ^ found) & mask = 0; or the empty tree
 *   first under (prefix, L)          (found ^ prefix) & high(L) = 0 and found & mask & low(L) = 0
 *   none under (prefix, L)           x = (found ^ prefix) & high(L), x ≠ 0 and x & mask = 0; or the empty tree
 *
 *   root after update   the same fold with the new value
 *   root after insert   d = first bit in which k and found differ; the node (d, the fold of all indices > d, new
 *                       leaf on the side of k's bit d) takes that place in the fold of the indices < d;
 *                       on the empty tree: the new leaf's hash
 *   root after delete   the sibling at the largest index, folded over the other indices; mask 0 → zero root
 *
 * Bits of `prefix` beyond L are ignored. L = 0: every key has the prefix, so only the empty tree proves none;
 * L = 256: first under = inclusion, none under = absence.
 */
import type { Hash } from '#protocol/units.ts';

/** One node on the path: its bit and the hash of the child that the path does not take. */
export interface Sibling {
  readonly bitIndex: number;
  readonly hash: Hash;
}

/** `undefined` stands for the proof of the empty tree wherever a proof is taken or given. */
export interface PathProof {
  readonly foundKey: Uint8Array;
  readonly foundValue: Uint8Array;
  /** From the root to the leaf, bitIndex strictly increasing. */
  readonly siblings: readonly Sibling[];
}
