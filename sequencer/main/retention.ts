/**
 * How far back the data must reach: to the last batch that is final. Nothing before it can be struck; what comes after
 * may have to be judged again.
 */
import type { FileSnapshotStore } from '#journal/snapshot-store.ts';
import type { BatchStore } from '#pipeline/ports.ts';
import type { Seq } from '#protocol/units.ts';
import type { L1Follower } from '#settlement/l1/follower.ts';

export class Retention {
  /** Last command of the newest final batch; 0 before the first. */
  finalSeq: Seq = 0;
  private readonly batches: Pick<BatchStore, 'get'>;
  private readonly snapshots: Pick<FileSnapshotStore, 'keepFor'>;
  private readonly l1: Pick<L1Follower, 'final'>;
  private finalId = 0;

  constructor(
    batches: Pick<BatchStore, 'get'>,
    snapshots: Pick<FileSnapshotStore, 'keepFor'>,
    l1: Pick<L1Follower, 'final'>,
  ) {
    this.batches = batches;
    this.snapshots = snapshots;
    this.l1 = l1;
  }

  /** To be called before snapshots are dropped or the journal is pruned: at the start and from time to time. */
  async refresh(): Promise<void> {
    const { final } = this.l1;
    if (final !== this.finalId) {
      this.finalId = final;
      const batch = await this.batches.get(final);
      if (batch !== undefined) this.finalSeq = batch.header.nextSeq - 1;
    }
    this.snapshots.keepFor(this.finalSeq);
  }

  /**
   * The journal may be dropped up to this command, given the snapshots that are kept: it must go on from one of them, and
   * hold the command at which the final batch ends.
   */
  prunableSeq(snapshots: readonly Seq[]): Seq {
    const { finalSeq } = this;
    return Math.max(0, Math.min(finalSeq - 1, Math.max(0, ...snapshots.filter((seq) => seq <= finalSeq))));
  }
}
