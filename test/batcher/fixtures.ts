/** A batcher with real stores in a directory of its own, fed from a journal in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { Batcher, type BatcherOptions } from '#batcher/batcher.ts';
import { DraftFile } from '#batcher/draft-file.ts';
import { KeySigner } from '#batcher/signer.ts';
import { LevelBatchStore } from '#journal/batch-store.ts';
import { EntryWriter } from '#journal/entry.ts';
import { MemoryJournal } from '#journal/memory-journal.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { FileSnapshotStore } from '#journal/snapshot-store.ts';
import type { L1Anchor } from '#pipeline/ports.ts';
import { systemClock } from '#pipeline/system-clock.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import type { Command } from '#protocol/command.ts';
import { TEST_DOMAIN, testKey } from '../auth/keys.ts';

export const keccak = await createWasmKeccak();
export const SEQUENCER = testKey(77);

/** Journal payload of commands. */
export function payloadOf(commands: readonly Command[]): Uint8Array {
  const writer = new EntryWriter();
  for (const { record, signers } of commands) writer.append(record, signers);
  return writer.payload.slice();
}

/** Resolves when the condition holds; the test's own timeout ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** An L1 view whose anchor the test moves. */
export class TestAnchor {
  anchor: L1Anchor | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(number?: number) {
    if (number !== undefined) this.move(number);
  }

  move(number: number): void {
    this.anchor = { number, hash: new Uint8Array(32).fill(number), timeMs: 1000 * number };
    for (const listener of [...this.listeners]) listener();
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Data directory, journal and L1 of one sequencer, through restarts of its batcher. */
export class Desk {
  readonly directory = mkdtempSync(join(tmpdir(), 'sluice-batcher-'));
  readonly disk = new NodeDisk();
  readonly journal = new MemoryJournal();
  readonly l1: TestAnchor;
  readonly signed: SignedBatch[] = [];
  readonly snapshots: number[] = [];
  /** Why the batcher gave up; undefined while it has not. */
  fatal: Error | undefined;
  private stores: { batches: LevelBatchStore; snapshots: FileSnapshotStore } | undefined;
  private isNew = true;

  constructor(l1 = new TestAnchor(100)) {
    this.l1 = l1;
  }

  async open(): Promise<{ batches: LevelBatchStore; snapshots: FileSnapshotStore }> {
    if (this.stores !== undefined) return this.stores;
    const place = { disk: this.disk, directory: this.directory, create: this.isNew };
    this.isNew = false;
    this.stores = {
      batches: await LevelBatchStore.open(place),
      snapshots: await FileSnapshotStore.open(place),
    };
    return this.stores;
  }

  async start(options: Partial<BatcherOptions> = {}): Promise<Batcher> {
    const stores = await this.open();
    return Batcher.start({
      domain: TEST_DOMAIN,
      keccak,
      journal: this.journal,
      ...stores,
      drafts: new DraftFile(this.disk, this.directory),
      signer: new KeySigner(SEQUENCER.secret, stores.batches, keccak),
      scheduler: systemClock,
      l1: this.l1,
      epoch: 1,
      policy: { commandsMax: 40, bytesMax: 64_000, intervalMs: 60_000 },
      snapshotEvery: 90,
      onBatch: (batch) => this.signed.push(batch),
      onSnapshot: ({ seq }) => this.snapshots.push(seq),
      onFatal: (error) => {
        this.fatal ??= error;
      },
      ...options,
    });
  }

  /** Makes commands durable, and tells the batcher when there is one. */
  async append(commands: readonly Command[], batcher?: Batcher): Promise<void> {
    if (commands.length === 0) return;
    const firstSeq = this.journal.lastSeq + 1;
    const payload = payloadOf(commands);
    const { hash } = this.journal.head;
    await this.journal.append({ epoch: 1, after: hash, firstSeq, count: commands.length, payload });
    batcher?.onCommands(firstSeq, commands.length, payload);
  }

  async closeStores(): Promise<void> {
    await this.stores?.batches.close();
    await this.stores?.snapshots.close();
    this.stores = undefined;
  }

  async dispose(): Promise<void> {
    await this.closeStores();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
