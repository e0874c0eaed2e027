/**
 * The ledger as of a final batch, for withdrawal proofs and totals: from a snapshot, moved on by verified diffs. It
 * moves only when somebody asks.
 */
import { assert } from '#protocol/assert.ts';
import { equalBytes, getU128be, toHex, viewOf } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { WithdrawalProofView } from '#protocol/query.ts';
import type { Address } from '#protocol/units.ts';
import { applyDiff } from '#state/diff.ts';
import { withdrawnKey } from '#state/keys.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { StateTree } from '#state/state-tree.ts';
import { encodePath, prove } from '#state/tree-proof.ts';
import { type LedgerTotals, totalsOf } from './totals.ts';
import type { VerifiedChain } from './verified-chain.ts';

export class FinalLedger {
  private readonly chain: VerifiedChain;
  private readonly keccak: Keccak;
  /** Newest batch that is verified and final; 0 before the first. */
  private readonly target: () => number;
  private tree: StateTree | undefined;
  private through = 0;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(chain: VerifiedChain, keccak: Keccak, target: () => number) {
    this.chain = chain;
    this.keccak = keccak;
    this.target = target;
  }

  /** Everything that `owner` has withdrawn of the asset; null when nothing is final yet or there is nothing. */
  proof(owner: Address, asset: number): Promise<WithdrawalProofView | null> {
    return this.read((tree, batch) => {
      const key = withdrawnKey(owner, asset);
      const value = batch === 0 ? undefined : tree.get(key);
      if (value === undefined) return null;
      return {
        batch,
        ledgerRoot: toHex(tree.root()),
        total: getU128be(viewOf(value), 0).toString(),
        proof: toHex(encodePath(prove(tree, key)!.siblings)),
      };
    });
  }

  totals(): Promise<LedgerTotals & { readonly batch: number; readonly ledgerRoot: string }> {
    return this.read((tree, batch) => ({ batch, ledgerRoot: toHex(tree.root()), ...totalsOf(tree) }));
  }

  /** What it holds may be of batches that are gone. */
  forget(): void {
    this.tree = undefined;
  }

  /** One after the other: a move is not to be read halfway. */
  private read<Answer>(answer: (tree: StateTree, batch: number) => Answer): Promise<Answer> {
    const mine = this.turn.then(async () => answer(await this.move(), this.through));
    this.turn = mine.catch(() => {});
    return mine;
  }

  private async move(): Promise<StateTree> {
    const target = this.target();
    if (this.tree === undefined || this.through > target) await this.begin(target);
    const tree = this.tree!;
    try {
      while (this.through < target) await this.moveOn(tree);
    } catch (error) {
      this.tree = undefined;
      throw error;
    }
    return tree;
  }

  private async begin(target: number): Promise<void> {
    this.tree = new StateTree(this.keccak);
    this.through = 0;
    const id = (await this.chain.snapshotIds()).find((one) => one <= target);
    const point = id === undefined ? undefined : await this.chain.snapshot(id);
    if (point === undefined) return;
    this.tree = loadSnapshot(point.snapshot, this.keccak).trees.ledger;
    this.through = point.tip.id;
  }

  private async moveOn(tree: StateTree): Promise<void> {
    const id = this.through + 1;
    const row = await this.chain.row(id);
    if (row === undefined) {
      // Pruned below a newer snapshot that is final.
      const before = this.through;
      await this.begin(this.target());
      assert(this.through > before, `final ledger: expected the diff of batch ${id} or a later snapshot`);
      return;
    }
    for (const { key, value } of applyDiff(row.diff, (at) => tree.get(at)))
      if (value === undefined) tree.delete(key);
      else tree.set(key, value);
    assert(
      equalBytes(tree.root(), row.tip.ledgerRoot),
      `final ledger: expected root ${toHex(row.tip.ledgerRoot)} after batch ${id}, got ${toHex(tree.root())}`,
    );
    this.through = id;
  }
}
