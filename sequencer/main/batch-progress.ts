/** Where batches stand: signed ones from the store, committed and final ones as far as L1 was seen. */
import type { BatchState, BatchStore, BatchView } from '#pipeline/ports.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import type { Seq } from '#protocol/units.ts';
import type { L1Follower } from '#settlement/l1/follower.ts';

type FollowedL1 = Pick<L1Follower, 'committed' | 'final' | 'batch' | 'strike'>;

export class BatchProgress implements BatchView {
  signed: { id: number; nextSeq: Seq } | undefined;
  /** Bytes of the last signed batch's inputs and diff. */
  lastBytes = 0;
  private readonly store: BatchStore;
  private readonly l1: FollowedL1;
  /** First seq after each batch that was looked at; batches of a chain never change. */
  private readonly ends = new Map<number, Seq>();
  private firstId = 1;

  constructor(store: BatchStore, l1: FollowedL1) {
    this.store = store;
    this.l1 = l1;
  }

  /** Reads what was signed before; to be called once, before use. */
  async refresh(): Promise<void> {
    const latest = await this.store.latest();
    if (latest === undefined) return;
    this.firstId = (await this.store.list(0, 1))[0]?.header.id ?? latest.header.id;
    this.onSigned(latest);
  }

  /** A batch was signed and stored. */
  onSigned({ header, inputs, diff }: SignedBatch): void {
    const { id, nextSeq } = header;
    if (this.signed === undefined) this.firstId = Math.min(this.firstId, id);
    this.signed = { id, nextSeq };
    this.lastBytes = inputs.length + diff.length;
    this.ends.set(id, nextSeq);
  }

  get committed(): number {
    return this.l1.committed;
  }
  get final(): number {
    return this.l1.final;
  }
  /** Signed batches that L1 has not committed. */
  get unposted(): number {
    return this.signed === undefined ? 0 : Math.max(0, this.signed.id - this.l1.committed);
  }

  async batchOf(seq: Seq): Promise<BatchState | undefined> {
    const { signed } = this;
    if (signed === undefined || seq >= signed.nextSeq) return undefined;
    let low = this.firstId;
    let high = signed.id;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const end = await this.endOf(middle);
      if (end > seq) high = middle;
      else low = middle + 1;
    }
    const followed = this.l1.batch(low);
    if (followed !== undefined)
      return {
        id: low,
        hash: followed.hash,
        stage: followed.stage,
        transaction: followed.transaction,
        finalAtMs: followed.finalAtMs,
      };
    const batch = await this.store.get(low);
    if (batch === undefined || this.isVoid(batch)) return undefined;
    return { id: low, hash: batch.hash, stage: 'batched' };
  }

  /** Signed in an epoch that a strike has ended, and L1 does not have it: it will never be committed. */
  private isVoid({ header }: SignedBatch): boolean {
    const { strike } = this.l1;
    return strike !== undefined && header.epoch <= strike.epoch && header.id > this.l1.committed;
  }

  private async endOf(id: number): Promise<Seq> {
    const known = this.ends.get(id);
    if (known !== undefined) return known;
    const end = (await this.store.get(id))?.header.nextSeq ?? 0;
    this.ends.set(id, end);
    return end;
  }
}
