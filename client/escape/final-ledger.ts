/**
 * The ledger of the last final batch, rebuilt from L1 alone: the diffs of all final batches, each held against the root
 * that its header names, the last against the root that the contract holds.
 */
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import type { Hash } from '#protocol/units.ts';
import { rollupAbi } from '#settlement/l1/abi.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { eventsOf, type L1EventOf } from '#settlement/l1/events.ts';
import { scanLogs } from '#settlement/l1/logs.ts';
import { fetchPostedBatch } from '#settlement/l1/posted-batch.ts';
import { readBatchRecord } from '#settlement/l1/rollup-state.ts';
import { applyDiff } from '#state/diff.ts';
import { StateTree } from '#state/state-tree.ts';
import { encodePath, prove } from '#state/tree-proof.ts';
import { SluiceError } from '../errors.ts';

/** Batches that are fetched at once. */
const AHEAD = 8;

export interface ProvenValue {
  readonly value: Uint8Array;
  readonly path: Uint8Array;
}

export class FinalLedger {
  readonly tree: StateTree;
  private readonly l1: L1Client;
  private readonly rollup: RollupContracts;
  private readonly keccak: Keccak;
  private readonly domain: SigningDomain;
  private through = 0;

  constructor(l1: L1Client, rollup: RollupContracts, keccak: Keccak) {
    this.l1 = l1;
    this.rollup = rollup;
    this.keccak = keccak;
    this.domain = new SigningDomain(rollup.domain, keccak);
    this.tree = new StateTree(keccak);
  }

  /** The batch at which it stands; 0 before the first. */
  get batchId(): number {
    return this.through;
  }

  /**
   * Moves on to final batch `id`, whose ledger root is `root`. `onBatch` is told of each. Rejects with `L1Error`, and
   * with a `SluiceError` MALFORMED_ANSWER when L1's batches do not lead to that root.
   */
  async moveTo(id: number, root: Hash, onBatch?: (done: number, of: number) => void): Promise<void> {
    if (id > this.through) {
      const commits = await this.commits(this.through + 1, id);
      for (let first = 0; first < commits.length; first += AHEAD) {
        const part = commits.slice(first, first + AHEAD);
        const batches = await Promise.all(
          part.map((commit) => fetchPostedBatch(this.l1, commit, this.domain, this.keccak)),
        );
        for (const batch of batches) {
          this.apply(batch.diff, batch.header.id, batch.header.postLedgerRoot);
          onBatch?.(this.through, id);
        }
      }
    }
    if (id > 0) this.check(root, id);
  }

  /** A leaf and its proof; undefined when the ledger has no such key. */
  prove(key: Uint8Array): ProvenValue | undefined {
    const value = this.tree.get(key);
    if (value === undefined) return undefined;
    return { value, path: encodePath(prove(this.tree, key)!.siblings) };
  }

  private apply(diff: Uint8Array, id: number, root: Hash): void {
    const { tree } = this;
    for (const { key, value } of applyDiff(diff, (at) => tree.get(at)))
      if (value === undefined) tree.delete(key);
      else tree.set(key, value);
    this.through = id;
    this.check(root, id);
  }

  private check(root: Hash, id: number): void {
    const got = this.tree.root();
    if (!equalBytes(got, root))
      throw new SluiceError(
        'MALFORMED_ANSWER',
        `final ledger: expected root ${toHex(root)} after batch ${id}, got ${toHex(got)}`,
      );
  }

  /** Of each batch the commit that stands: the last one under its id, as those before were struck. */
  private async commits(from: number, to: number): Promise<L1EventOf<'committed'>[]> {
    const [first, last] = await Promise.all([
      readBatchRecord(this.l1, this.rollup, from),
      readBatchRecord(this.l1, this.rollup, to),
    ]);
    const filter = { abi: rollupAbi, eventName: 'BatchCommitted', address: this.rollup.rollup };
    const byId = new Map<number, L1EventOf<'committed'>>();
    const range = { fromBlock: first.committedBlock, toBlock: last.committedBlock };
    for await (const piece of scanLogs(this.l1, filter, range))
      for (const event of eventsOf(piece.logs)) if (event.kind === 'committed') byId.set(event.id, event);
    return Array.from({ length: to - from + 1 }, (_, i) => {
      const event = byId.get(from + i);
      if (event !== undefined) return event;
      throw new SluiceError(
        'NOT_FOUND',
        `l1 ${this.l1.url}: expected the commit of batch ${from + i}, got none`,
      );
    });
  }
}
