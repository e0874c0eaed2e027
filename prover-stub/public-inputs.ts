/**
 * What a proof of a batch is about, in bytes: whoever verifies the proof computes them from the header alone.
 * Big-endian:
 *
 *     0 u16 version = 1      2 u64 chain id         10 20  Rollup contract
 *    30 b32 hash of the header (its EIP-712 digest: binds every field)
 *    62 b32 preLedgerRoot   94 b32 preBookRoot    126 b32 postLedgerRoot   158 b32 postBookRoot
 *   190 b32 traceRoot      222 b32 inputsHash     254 b32 diffHash         286 b32 withdrawnHash
 *   318 u64 queueFirst     326 u64 queueNext      334 b32 queueHash        366 end
 *
 * The statement: the inputs with this hash, applied to the state with the pre-roots by the rules, give the post-roots,
 * this trace, this diff and these totals, and take up the queue entries queueFirst … queueNext - 1 of the queue with
 * this prefix hash. That the header follows its parent, and its anchor and times, are L1's to check.
 */
import type { BatchHeader } from '#protocol/batch.ts';
import { setU64be, viewOf } from '#protocol/bytes.ts';
import type { Domain } from '#protocol/signing.ts';
import type { Hash } from '#protocol/units.ts';

export const PUBLIC_INPUTS_VERSION = 1;
export const PUBLIC_INPUTS_BYTES = 366;

/** `hash`: of the header under `domain`. */
export function encodePublicInputs(header: BatchHeader, hash: Hash, domain: Domain): Uint8Array {
  const bytes = new Uint8Array(PUBLIC_INPUTS_BYTES);
  const view = viewOf(bytes);
  view.setUint16(0, PUBLIC_INPUTS_VERSION);
  setU64be(view, 2, domain.chainId);
  bytes.set(domain.verifyingContract, 10);
  bytes.set(hash, 30);
  const { preLedgerRoot, preBookRoot, postLedgerRoot, postBookRoot } = header;
  const { traceRoot, inputsHash, diffHash, withdrawnHash, queueHash } = header;
  bytes.set(preLedgerRoot, 62);
  bytes.set(preBookRoot, 94);
  bytes.set(postLedgerRoot, 126);
  bytes.set(postBookRoot, 158);
  bytes.set(traceRoot, 190);
  bytes.set(inputsHash, 222);
  bytes.set(diffHash, 254);
  bytes.set(withdrawnHash, 286);
  setU64be(view, 318, header.queueFirst);
  setU64be(view, 326, header.queueNext);
  bytes.set(queueHash, 334);
  return bytes;
}
