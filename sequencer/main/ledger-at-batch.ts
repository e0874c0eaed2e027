/** The ledger as of one batch, moved on by the diffs of those that follow; each is held against its header's root. */
import { equalBytes, getU128be, toHex, viewOf } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { WithdrawalProofView } from '#protocol/query.ts';
import type { Address, Hash } from '#protocol/units.ts';
import { applyDiff } from '#state/diff.ts';
import { withdrawnKey } from '#state/keys.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { StateTree } from '#state/state-tree.ts';
import { encodePath, prove } from '#state/tree-proof.ts';

export class LedgerAtBatch {
  private readonly keccak: Keccak;
  private tree: StateTree;
  /** 0: the empty ledger before the first batch. */
  batchId = 0;

  constructor(keccak: Keccak) {
    this.keccak = keccak;
    this.tree = new StateTree(keccak);
  }

  /** Starts over from a snapshot of the state after batch `batchId`; throws when it does not give its roots. */
  load(payload: Uint8Array, batchId: number): void {
    this.tree = loadSnapshot(payload, this.keccak).trees.ledger;
    this.batchId = batchId;
  }

  /** Batch `id` must be the next one. Throws when its diff does not lead to `root`; then nothing is known any more. */
  apply(id: number, diff: Uint8Array, root: Hash): void {
    if (id !== this.batchId + 1)
      throw new Error(`final ledger: expected batch ${this.batchId + 1} next, got ${id}`);
    const { tree } = this;
    for (const { key, value } of applyDiff(diff, (changed) => tree.get(changed)))
      if (value === undefined) tree.delete(key);
      else tree.set(key, value);
    const got = tree.root();
    if (!equalBytes(got, root)) {
      this.tree = new StateTree(this.keccak);
      this.batchId = 0;
      throw new Error(`final ledger: expected root ${toHex(root)} after batch ${id}, got ${toHex(got)}`);
    }
    this.batchId = id;
  }

  /** Null when the owner has never withdrawn the asset as of this batch. */
  proof(owner: Address, asset: number): WithdrawalProofView | null {
    const { tree } = this;
    const key = withdrawnKey(owner, asset);
    const value = tree.get(key);
    const path = value === undefined ? undefined : prove(tree, key);
    if (value === undefined || path === undefined) return null;
    return {
      batch: this.batchId,
      ledgerRoot: toHex(tree.root()),
      total: getU128be(viewOf(value), 0).toString(),
      proof: toHex(encodePath(path.siblings)),
    };
  }
}
