/**
 * The ledger as of the newest final batch, for withdrawal proofs: built from the diffs of signed batches, each
 * held against the root in its header. It moves only when somebody asks, in slices that hold nobody up.
 */
import type { BatchStore, SnapshotStore } from '#pipeline/ports.ts';
import { equalBytes, getU128be, toHex, viewOf } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { WithdrawalProofView } from '#protocol/query.ts';
import type { Address, Hash } from '#protocol/units.ts';
import { applyDiff } from '#state/diff.ts';
import { withdrawnKey } from '#state/keys.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { StateTree } from '#state/state-tree.ts';
import { encodePath, prove } from '#state/tree-proof.ts';

export interface FinalLedgerOptions {
  readonly batches: BatchStore;
  readonly snapshots: SnapshotStore;
  readonly keccak: Keccak;
  /** Newest final batch on L1; 0 before the first. */
  readonly finalId: () => number;
}

/** Leaves that are set before the event loop gets its turn. */
const LEAVES_A_SLICE = 256;

export class FinalLedger {
  private readonly options: FinalLedgerOptions;
  private tree: StateTree | undefined;
  /** The batch whose ledger the tree is; 0: the empty one. */
  private through = 0;
  private moving: Promise<void> = Promise.resolve();

  constructor(options: FinalLedgerOptions) {
    this.options = options;
  }

  /** Null when nothing is final yet, or the owner has never withdrawn the asset as of then. */
  async proof(owner: Address, asset: number): Promise<WithdrawalProofView | null> {
    // One move at a time; a failed one is tried again by the next who asks.
    const moved = this.moving.then(
      () => this.moveOn(),
      () => this.moveOn(),
    );
    this.moving = moved;
    await moved;
    const { tree } = this;
    if (tree === undefined || this.through === 0) return null;
    const key = withdrawnKey(owner, asset);
    const value = tree.get(key);
    const proof = value === undefined ? undefined : prove(tree, key);
    if (value === undefined || proof === undefined) return null;
    return {
      batch: this.through,
      ledgerRoot: toHex(tree.root()),
      total: getU128be(viewOf(value), 0).toString(),
      proof: toHex(encodePath(proof.siblings)),
    };
  }

  private async moveOn(): Promise<void> {
    const { batches, finalId } = this.options;
    const target = finalId();
    if (this.tree === undefined || target < this.through) await this.begin(target);
    while (this.through < target) {
      const batch = await batches.get(this.through + 1);
      if (batch === undefined)
        throw new Error(`final ledger: expected batch ${this.through + 1} in the store`);
      await this.apply(batch.diff, batch.header.postLedgerRoot, batch.header.id);
    }
  }

  /** From the newest snapshot that is not beyond the target, else from nothing. */
  private async begin(target: number): Promise<void> {
    const { snapshots, keccak } = this.options;
    this.tree = new StateTree(keccak);
    this.through = 0;
    for (const info of await snapshots.list()) {
      if (info.batchId > target || info.batchId === 0) continue;
      const { trees } = loadSnapshot((await snapshots.load(info.seq)).payload, keccak);
      this.tree = trees.ledger;
      this.through = info.batchId;
      return;
    }
  }

  private async apply(diff: Uint8Array, root: Hash, id: number): Promise<void> {
    const tree = this.tree!;
    const changed = applyDiff(diff, (key) => tree.get(key));
    for (let at = 0; at < changed.length; at++) {
      const { key, value } = changed[at]!;
      if (value === undefined) tree.delete(key);
      else tree.set(key, value);
      if (at % LEAVES_A_SLICE === LEAVES_A_SLICE - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    if (!equalBytes(tree.root(), root)) {
      this.tree = undefined;
      throw new Error(
        `final ledger: expected root ${toHex(root)} after batch ${id}, got ${toHex(tree.root())}`,
      );
    }
    this.through = id;
  }
}
