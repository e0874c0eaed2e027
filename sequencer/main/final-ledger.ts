/**
 * The ledger as of the newest final batch, for withdrawal proofs: built from the diffs of signed batches in a
 * thread of its own, so that nobody's order waits for it. It begins when somebody asks for the first time.
 */
import { Worker } from 'node:worker_threads';
import type { BatchStore, SnapshotStore } from '#pipeline/ports.ts';
import type { WithdrawalProofView } from '#protocol/query.ts';
import type { Address } from '#protocol/units.ts';
import type { LedgerAnswer, LedgerRequest } from './final-ledger-worker.ts';

export interface FinalLedgerOptions {
  readonly batches: Pick<BatchStore, 'get'>;
  readonly snapshots: Pick<SnapshotStore, 'list' | 'load'>;
  /** Newest final batch on L1; 0 before the first. */
  readonly finalId: () => number;
}

export class FinalLedger {
  private readonly options: FinalLedgerOptions;
  private worker: Worker | undefined;
  /** The batch at which the thread's ledger stands. */
  private at = 0;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(options: FinalLedgerOptions) {
    this.options = options;
  }

  /** Null when nothing is final yet, or the owner has never withdrawn the asset as of then. */
  proof(owner: Address, asset: number): Promise<WithdrawalProofView | null> {
    const proof = this.turn.then(async () => {
      const target = this.options.finalId();
      if (target === 0) return null;
      await this.moveTo(target);
      return (await this.ask({ kind: 'prove', owner, asset })).proof;
    });
    // One asker at a time; a failure is that asker's alone.
    this.turn = proof.catch(() => {});
    return proof;
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private async moveTo(target: number): Promise<void> {
    const { batches, snapshots } = this.options;
    if (this.worker === undefined || target < this.at) {
      await this.close();
      this.start();
      // From the newest snapshot that is not beyond the target, else from the empty ledger.
      const base = (await snapshots.list()).find(({ batchId }) => batchId > 0 && batchId <= target);
      if (base !== undefined) {
        const { payload } = await snapshots.load(base.seq);
        await this.ask({ kind: 'load', payload, batchId: base.batchId });
      }
    }
    while (this.at < target) {
      const id = this.at + 1;
      const batch = await batches.get(id);
      if (batch === undefined) throw new Error(`final ledger: expected batch ${id} in the store, got none`);
      await this.ask({ kind: 'apply', id, diff: batch.diff, root: batch.header.postLedgerRoot });
    }
  }

  private start(): void {
    const program = new URL('./final-ledger-worker.ts', import.meta.url).href;
    this.worker = new Worker(new URL('../auth/thread.mjs', import.meta.url), {
      workerData: { program },
      execArgv: [],
    });
    this.worker.unref();
    this.at = 0;
  }

  private async ask(request: LedgerRequest): Promise<LedgerAnswer> {
    const { worker } = this;
    if (worker === undefined) throw new Error('final ledger: expected its thread to run, it was closed');
    const answer = await new Promise<LedgerAnswer>((resolve, reject) => {
      const fail = (cause: unknown): void =>
        reject(new Error('final ledger: expected its thread to answer, it ended', { cause }));
      worker.once('exit', fail);
      worker.once('error', fail);
      worker.once('message', (told: LedgerAnswer) => {
        worker.off('exit', fail);
        worker.off('error', fail);
        resolve(told);
      });
      worker.postMessage(request);
    }).catch(async (error) => {
      // The next one who asks begins anew.
      await this.close();
      throw error;
    });
    this.at = answer.batchId;
    if (answer.failure !== undefined) throw new Error(answer.failure);
    return answer;
  }
}
