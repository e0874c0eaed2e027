/**
 * The batches that were verified, on disk, and snapshots between them: where a restarted verifier goes on, and
 * where it goes back to when L1 reorganizes. Kept are the two newest snapshots and the newest one that is final;
 * rows of batches from the oldest of these on.
 */
import type { ChainTip } from './chain-tip.ts';
import type { Proof } from './prover.ts';
import type { StartingPoint } from './re-execute.ts';
import { type Operation, rowKey, type VerifierStore } from './store.ts';

export interface VerifiedRow {
  readonly tip: ChainTip;
  /** Ledger diff as posted, which is what re-execution gave. */
  readonly diff: Uint8Array;
  /** Where this verifier makes proofs. */
  readonly proof?: Pick<Proof, 'publicInputs' | 'bytes'>;
}

interface SnapshotRow {
  readonly tip: ChainTip;
  readonly pieces: number;
}

const PIECE_BYTES = 1024 * 1024;
const NEWEST_KEPT = 2;

const pieceKey = (id: number, piece: number): string =>
  `${rowKey('piece', id)}/${rowKey('', piece).slice(1)}`;

export class VerifiedChain {
  private readonly store: VerifierStore;

  constructor(store: VerifierStore) {
    this.store = store;
  }

  row(id: number): Promise<VerifiedRow | undefined> {
    return this.store.get<VerifiedRow>(rowKey('verified', id));
  }

  put(row: VerifiedRow): Promise<void> {
    return this.store.write([{ type: 'put', key: rowKey('verified', row.tip.id), value: row }]);
  }

  /** Ids of batches after which there is a snapshot, newest first. */
  async snapshotIds(): Promise<number[]> {
    const ids: number[] = [];
    for await (const id of this.store.numbers('snapshot')) ids.push(id);
    return ids;
  }

  async snapshotTip(id: number): Promise<ChainTip | undefined> {
    return (await this.store.get<SnapshotRow>(rowKey('snapshot', id)))?.tip;
  }

  async snapshot(id: number): Promise<StartingPoint | undefined> {
    const row = await this.store.get<SnapshotRow>(rowKey('snapshot', id));
    if (row === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    for (let piece = 0; piece < row.pieces; piece++) {
      const bytes = await this.store.get<Uint8Array>(pieceKey(id, piece));
      if (bytes === undefined) return undefined;
      pieces.push(bytes);
    }
    return { tip: row.tip, snapshot: new Uint8Array(Buffer.concat(pieces)) };
  }

  /** Keeps a snapshot, and drops what no longer serves when batches up to `final` are final. */
  async keepSnapshot({ tip, snapshot }: StartingPoint, final: number): Promise<void> {
    const operations: Operation[] = [];
    const pieces = Math.ceil(snapshot.length / PIECE_BYTES);
    for (let piece = 0; piece < pieces; piece++)
      operations.push({
        type: 'put',
        key: pieceKey(tip.id, piece),
        value: snapshot.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES),
      });
    const row: SnapshotRow = { tip, pieces };
    operations.push({ type: 'put', key: rowKey('snapshot', tip.id), value: row });
    const ids = [tip.id, ...(await this.snapshotIds()).filter((id) => id !== tip.id)];
    const finalId = ids.find((id) => id <= final);
    const kept = new Set([...ids.slice(0, NEWEST_KEPT), ...(finalId === undefined ? [] : [finalId])]);
    for (const id of ids) if (!kept.has(id)) operations.push(...(await this.dropping(id)));
    // Without a final snapshot the final ledger is made from the first batch on.
    if (finalId !== undefined)
      for await (const id of this.store.numbers('verified'))
        if (id < Math.min(...kept)) operations.push({ type: 'del', key: rowKey('verified', id) });
    await this.store.write(operations);
  }

  async dropSnapshot(id: number): Promise<void> {
    await this.store.write(await this.dropping(id));
  }

  /** Forgets what lies behind batch `id`. */
  async rewind(id: number): Promise<void> {
    const operations: Operation[] = [];
    for await (const number of this.store.numbers('verified')) {
      if (number <= id) break;
      operations.push({ type: 'del', key: rowKey('verified', number) });
    }
    for (const number of await this.snapshotIds())
      if (number > id) operations.push(...(await this.dropping(number)));
    if (operations.length > 0) await this.store.write(operations);
  }

  private async dropping(id: number): Promise<Operation[]> {
    const row = await this.store.get<SnapshotRow>(rowKey('snapshot', id));
    return [
      { type: 'del', key: rowKey('snapshot', id) },
      ...Array.from(
        { length: row?.pieces ?? 0 },
        (_, piece): Operation => ({ type: 'del', key: pieceKey(id, piece) }),
      ),
    ];
  }
}
