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
import { concat, equalBytes } from '#protocol/bytes.ts';
import { HASH_BYTES, type Keccak, ZERO_HASH } from '#protocol/hash.ts';
import { LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import type { Hash } from '#protocol/units.ts';
import { KEY_BYTES } from './keys.ts';
import { bitAt, checkKey, KEY_BITS, LEAF_TAG, NODE_TAG, prefixKey, type StateTree } from './state-tree.ts';

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

const MASK_BYTES = KEY_BITS / 8;

/** Proof of the leaf that the bits of `key` lead to: for inclusion, absence, update, insert and delete of `key`. */
export function prove(tree: StateTree, key: Uint8Array): PathProof | undefined {
  const path = tree.search(key);
  if (path === undefined) return undefined;
  return { foundKey: path.key, foundValue: path.value, siblings: path.siblings };
}

/** Proof of the first key under the first `bits` bits of `prefix`, or that there is none. */
export const proveUnder = (tree: StateTree, prefix: Uint8Array, bits: number): PathProof | undefined =>
  prove(tree, prefixKey(prefix, bits));

/** Whether `key` holds `value` in the tree with `root`. False for any proof that is malformed or does not open. */
export const verifyInclusion = (
  root: Hash,
  key: Uint8Array,
  value: Uint8Array,
  proof: PathProof | undefined,
  keccak: Keccak,
): boolean =>
  proof !== undefined &&
  opens(root, proof, keccak) &&
  equalBytes(proof.foundKey, key) &&
  equalBytes(proof.foundValue, value);

/** Whether `key` is not in the tree with `root`. */
export function verifyAbsence(
  root: Hash,
  key: Uint8Array,
  proof: PathProof | undefined,
  keccak: Keccak,
): boolean {
  checkKey(key);
  if (!opens(root, proof, keccak)) return false;
  return proof === undefined || leadsElsewhere(proof, key, KEY_BITS);
}

/** Whether the proof's leaf is the least key under the first `bits` bits of `prefix`. */
export function verifyFirstUnder(
  root: Hash,
  prefix: Uint8Array,
  bits: number,
  proof: PathProof | undefined,
  keccak: Keccak,
): boolean {
  const target = prefixKey(prefix, bits);
  if (proof === undefined || !opens(root, proof, keccak)) return false;
  if (firstDifference(proof.foundKey, target) < bits) return false;
  return proof.siblings.every(({ bitIndex }) => bitIndex < bits || bitAt(proof.foundKey, bitIndex) === 0);
}

/** Whether no key begins with the first `bits` bits of `prefix`. */
export function verifyNoneUnder(
  root: Hash,
  prefix: Uint8Array,
  bits: number,
  proof: PathProof | undefined,
  keccak: Keccak,
): boolean {
  const target = prefixKey(prefix, bits);
  if (!opens(root, proof, keccak)) return false;
  return proof === undefined || leadsElsewhere(proof, target, bits);
}

/** The root once `key`, which must be there, holds `newValue`; undefined when the proof does not show that. */
export function rootAfterUpdate(
  root: Hash,
  key: Uint8Array,
  newValue: Uint8Array,
  proof: PathProof | undefined,
  keccak: Keccak,
): Hash | undefined {
  if (proof === undefined || !opens(root, proof, keccak) || !equalBytes(proof.foundKey, key))
    return undefined;
  return fold(leafHash(key, newValue, keccak), key, proof.siblings, keccak);
}

/** The root once `key`, which must not be there, holds `value`; undefined when the proof does not show that. */
export function rootAfterInsert(
  root: Hash,
  key: Uint8Array,
  value: Uint8Array,
  proof: PathProof | undefined,
  keccak: Keccak,
): Hash | undefined {
  if (!verifyAbsence(root, key, proof, keccak)) return undefined;
  const leaf = leafHash(key, value, keccak);
  if (proof === undefined) return leaf;
  const { foundKey, foundValue, siblings } = proof;
  const bitIndex = firstDifference(foundKey, key);
  const below = siblings.filter((sibling) => sibling.bitIndex > bitIndex);
  const above = siblings.filter((sibling) => sibling.bitIndex < bitIndex);
  const displaced = fold(leafHash(foundKey, foundValue, keccak), foundKey, below, keccak);
  return fold(leaf, key, [...above, { bitIndex, hash: displaced }], keccak);
}

/** The root once `key`, which must be there, is gone; undefined when the proof does not show that. */
export function rootAfterDelete(
  root: Hash,
  key: Uint8Array,
  proof: PathProof | undefined,
  keccak: Keccak,
): Hash | undefined {
  if (proof === undefined || !opens(root, proof, keccak) || !equalBytes(proof.foundKey, key))
    return undefined;
  const lifted = proof.siblings.at(-1);
  if (lifted === undefined) return ZERO_HASH.slice();
  return fold(lifted.hash, key, proof.siblings.slice(0, -1), keccak);
}

/** Packed path: mask and siblings, without key and value. */
export function encodePath(siblings: readonly Sibling[]): Uint8Array {
  const mask = new Uint8Array(MASK_BYTES);
  for (const { bitIndex } of siblings) mask[bitIndex >> 3]! |= 0x80 >> (bitIndex & 7);
  return concat(mask, ...siblings.map(({ hash }) => hash));
}

/** Packed proof; zero bytes for the empty tree. */
export function encodeProof(proof: PathProof | undefined): Uint8Array {
  if (proof === undefined) return new Uint8Array(0);
  return concat(encodePath(proof.siblings), proof.foundKey, proof.foundValue);
}

/** Throws on a length that the mask does not account for, or a value beyond LEAF_VALUE_BYTES_MAX. */
export function decodeProof(bytes: Uint8Array): PathProof | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length < MASK_BYTES)
    throw new Error(`tree proof mask: expected ${MASK_BYTES} bytes, got ${bytes.length}`);
  const siblings: Sibling[] = [];
  let at = MASK_BYTES;
  for (let bitIndex = 0; bitIndex < KEY_BITS; bitIndex++) {
    if (bitAt(bytes, bitIndex) === 0) continue;
    siblings.push({ bitIndex, hash: bytes.slice(at, at + HASH_BYTES) });
    at += HASH_BYTES;
  }
  const valueAt = at + KEY_BYTES;
  if (bytes.length < valueAt)
    throw new Error(
      `tree proof: expected at least ${valueAt} bytes for ${siblings.length} siblings and the key, got ${bytes.length}`,
    );
  if (bytes.length - valueAt > LEAF_VALUE_BYTES_MAX)
    throw new Error(
      `tree proof value: expected at most ${LEAF_VALUE_BYTES_MAX} bytes, got ${bytes.length - valueAt}`,
    );
  return { foundKey: bytes.slice(at, valueAt), foundValue: bytes.slice(valueAt), siblings };
}

export const leafHash = (key: Uint8Array, value: Uint8Array, keccak: Keccak): Hash =>
  keccak(concat(Uint8Array.of(LEAF_TAG), key, keccak(value)));

/** Whether the proof is well-formed and belongs to `root`. */
function opens(root: Hash, proof: PathProof | undefined, keccak: Keccak): boolean {
  if (proof === undefined) return equalBytes(root, ZERO_HASH);
  const { foundKey, foundValue, siblings } = proof;
  if (foundKey.length !== KEY_BYTES || foundValue.length > LEAF_VALUE_BYTES_MAX) return false;
  let above = -1;
  for (const { bitIndex, hash } of siblings) {
    if (!Number.isInteger(bitIndex) || bitIndex <= above || bitIndex >= KEY_BITS) return false;
    if (hash.length !== HASH_BYTES) return false;
    above = bitIndex;
  }
  return equalBytes(fold(leafHash(foundKey, foundValue, keccak), foundKey, siblings, keccak), root);
}

/** From the leaf, or whatever stands below `siblings`, up to the root; directions are the bits of `key`. */
function fold(bottom: Hash, key: Uint8Array, siblings: readonly Sibling[], keccak: Keccak): Hash {
  let hash = bottom;
  for (let i = siblings.length - 1; i >= 0; i--) {
    const { bitIndex, hash: sibling } = siblings[i]!;
    const head = Uint8Array.of(NODE_TAG, bitIndex);
    hash = keccak(bitAt(key, bitIndex) === 0 ? concat(head, hash, sibling) : concat(head, sibling, hash));
  }
  return hash;
}

/**
 * Whether the search for anything that begins with the first `bits` bits of `target` ends in the proof's leaf,
 * and that leaf does not: they differ within those bits, but in none that a node on the path decides by.
 */
function leadsElsewhere(proof: PathProof, target: Uint8Array, bits: number): boolean {
  if (firstDifference(proof.foundKey, target) >= bits) return false;
  return proof.siblings.every(
    ({ bitIndex }) => bitIndex >= bits || bitAt(proof.foundKey, bitIndex) === bitAt(target, bitIndex),
  );
}

/** KEY_BITS when the keys are equal. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < KEY_BYTES; i++) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return 8 * i + Math.clz32(difference) - 24;
  }
  return KEY_BITS;
}
