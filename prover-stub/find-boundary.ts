/**
 * What of a batch whose segments are all right can still be proven wrong: clock, queue cursor, totals withdrawn, and the
 * ledger diff, each against the ledger before and after it.
 */
import { type SignedBatch, WITHDRAWN_ENTRY_BYTES } from '#protocol/batch.ts';
import { equalBytes, getU48be, getU128be, setU64be, viewOf } from '#protocol/bytes.ts';
import { withdrawnTotals } from '#state/batch-assembly.ts';
import { applyDiff, DiffError, encodeDiff, type LeafChange } from '#state/diff.ts';
import { globalsKey, KEY_BYTES, queueKey, withdrawnTotalKey } from '#state/keys.ts';
import type { LeafValue } from '#state/leaves.ts';
import type { StateTree } from '#state/state-tree.ts';
import { encodeProof, prove } from '#state/tree-proof.ts';
import type { Fraud } from './fraud.ts';
import { keyText } from './ledger-delta.ts';

/** Every segment is right: what is left to be wrong are diff, cursor and totals. */
export function findBoundary(batch: SignedBatch, ledger: StateTree, changes: readonly LeafChange[]): Fraud[] {
  const frauds: Fraud[] = [];
  const { header } = batch;
  const proofs = new BoundaryProofs(ledger, changes);
  const clock = ledger.get(globalsKey());
  const now = clock === undefined ? 0 : getU48be(viewOf(clock), 8);
  if (now !== header.timeLast) frauds.push({ check: 'clock', post: proofs.post(globalsKey()) });
  const cursor = new Uint8Array(header.queueNext === 0 ? 0 : 40);
  if (header.queueNext > 0) {
    setU64be(viewOf(cursor), 0, header.queueNext);
    cursor.set(header.queueHash, 8);
  }
  if (!equalBytes(cursor, ledger.get(queueKey()) ?? new Uint8Array(0)))
    frauds.push({ check: 'queue', post: proofs.post(queueKey()) });
  const executed = new Map(withdrawnTotals(changes).map(({ asset, amount }) => [asset, amount]));
  const listed = withdrawnListed(batch.withdrawn);
  for (const asset of new Set([...executed.keys(), ...listed.keys()])) {
    if ((executed.get(asset) ?? 0n) === (listed.get(asset) ?? 0n)) continue;
    const key = withdrawnTotalKey(asset);
    frauds.push({ check: 'withdrawn', asset, pre: proofs.pre(key), post: proofs.post(key) });
  }
  if (!equalBytes(encodeDiff(changes), batch.diff))
    for (const key of suspects(batch.diff, changes, (one) => proofs.before(one)))
      frauds.push({ check: 'diff', key, pre: proofs.pre(key), post: proofs.post(key) });
  return frauds;
}

function withdrawnListed(withdrawn: Uint8Array): Map<number, bigint> {
  const view = viewOf(withdrawn);
  const listed = new Map<number, bigint>();
  for (let at = 0; at + WITHDRAWN_ENTRY_BYTES <= withdrawn.length; at += WITHDRAWN_ENTRY_BYTES)
    listed.set(view.getUint16(at), getU128be(view, at + 2));
  return listed;
}

/** Keys of which one shows that the posted diff is wrong. */
function suspects(
  diff: Uint8Array,
  changes: readonly LeafChange[],
  before: (key: Uint8Array) => LeafValue,
): Uint8Array[] {
  const asked: Uint8Array[] = [];
  const found: Uint8Array[] = [];
  const executed = new Map(changes.map((change) => [keyText(change.key), change]));
  const differing = (posted: ReadonlyMap<string, LeafValue>): void => {
    for (const { key, newValue } of changes) {
      const value = posted.has(keyText(key)) ? posted.get(keyText(key)) : before(key);
      if (!isSame(value, newValue)) found.push(key);
    }
    for (const key of asked)
      if (!executed.has(keyText(key)) && !isSame(posted.get(keyText(key)), before(key))) found.push(key);
  };
  try {
    const posted = applyDiff(diff, (key) => {
      asked.push(key);
      return before(key);
    });
    differing(new Map(posted.map(({ key, value }) => [keyText(key), value])));
  } catch (error) {
    if (!(error instanceof DiffError)) throw error;
    // Wrong against the leaf that was asked for last, or wrong in itself somewhere behind it.
    const last = asked.at(-1);
    if (last !== undefined) found.push(last);
    found.push(new Uint8Array(KEY_BYTES).fill(0xff));
  }
  return found;
}

const isSame = (a: LeafValue, b: LeafValue): boolean =>
  a === b || (a !== undefined && b !== undefined && equalBytes(a, b));

/** Proofs under the ledger after the batch, and under the one before, to which it goes back and forth. */
class BoundaryProofs {
  private readonly ledger: StateTree;
  private readonly changes: readonly LeafChange[];

  constructor(ledger: StateTree, changes: readonly LeafChange[]) {
    this.ledger = ledger;
    this.changes = changes;
  }

  post(key: Uint8Array): Uint8Array {
    return encodeProof(prove(this.ledger, key));
  }

  pre(key: Uint8Array): Uint8Array {
    this.put('oldValue');
    const proof = this.post(key);
    this.put('newValue');
    return proof;
  }

  before(key: Uint8Array): LeafValue {
    const change = this.changes.find((one) => equalBytes(one.key, key));
    return change === undefined ? this.ledger.get(key) : change.oldValue;
  }

  private put(which: 'oldValue' | 'newValue'): void {
    for (const change of this.changes) {
      const value = change[which];
      if (value === undefined) this.ledger.delete(change.key);
      else this.ledger.set(change.key, value);
    }
  }
}
