/** Records, a plain fold of them, and a sequencer's receipts on a journal in memory and a memory on the real disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { EntryWriter } from '#journal/entry.ts';
import { MemoryJournal } from '#journal/memory-journal.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { ReceiptSlot } from '#journal/receipt-slot.ts';
import { concat } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord, MESSAGE, QUEUE_ENTRY } from '#protocol/command.ts';
import { nobleKeccak as keccak, ZERO_HASH } from '#protocol/hash.ts';
import { encodeQueueEntry } from '#protocol/queue-entry.ts';
import type { InputCursor, SignedReceipt } from '#protocol/receipt.ts';
import { Receipts, type ReceiptsOptions } from '#receipts/receipts.ts';
import { TEST_DOMAIN, testKey } from '../auth/keys.ts';
import { ManualClock } from '../support/manual-clock.ts';

export const SEQUENCER = testKey(77);
export const INTERVAL_MS = 250;

/** A journal's records: messages, clocks and L1 queue entries, of which the next one counts. */
export const anyRecords = (count: number): fc.Arbitrary<Uint8Array[]> =>
  fc
    .array(fc.record({ kind: fc.constantFrom(MESSAGE, CLOCK, QUEUE_ENTRY), seed: fc.nat({ max: 1_000 }) }), {
      minLength: count,
      maxLength: count,
    })
    .map((rows) => {
      let index = 0;
      return rows.map(({ kind, seed }, time) => {
        if (kind === CLOCK) return encodeRecord(CLOCK, time, new Uint8Array(0));
        const payload = keccak(Uint8Array.of(seed & 255, seed >> 8)).subarray(0, seed % 33);
        if (kind === MESSAGE) return encodeRecord(MESSAGE, time, concat(payload, Uint8Array.of(seed % 256)));
        // Some entries are out of place, as the engine would refuse them.
        const entry = { index: seed % 5 === 0 ? index + 1 : index++, kind: 2, owner: payload, payload };
        return encodeRecord(
          QUEUE_ENTRY,
          time,
          encodeQueueEntry({ ...entry, owner: concat(payload, new Uint8Array(20)).subarray(0, 20) }),
        );
      });
    });

/** What the definition says, step by step and with nothing kept. */
export function plainCursor(records: readonly Uint8Array[], through = records.length): InputCursor {
  let inputHash: Uint8Array = ZERO_HASH;
  let queueHash: Uint8Array = ZERO_HASH;
  let queueNext = 0;
  for (const record of records.slice(0, through)) {
    inputHash = keccak(concat(inputHash, keccak(record)));
    if (record[4] !== QUEUE_ENTRY || Number(viewU64(record, 12)) !== queueNext) continue;
    const [kind, owner, payload] = [record.subarray(20, 21), record.subarray(24, 44), record.subarray(44)];
    queueHash = keccak(concat(queueHash, kind, owner, keccak(payload)));
    queueNext++;
  }
  return { seq: through, inputHash, queueNext, queueHash };
}

const viewU64 = (bytes: Uint8Array, at: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);

export const payloadOf = (records: readonly Uint8Array[]): Uint8Array => {
  const writer = new EntryWriter();
  for (const record of records) writer.append(record, new Uint8Array(0));
  return writer.payload.slice();
};

/** One sequencer's journal, memory and clock, through restarts of its receipts. */
export class ReceiptDesk {
  readonly directory = mkdtempSync(join(tmpdir(), 'sluice-receipts-'));
  readonly disk = new NodeDisk();
  readonly clock = new ManualClock();
  journal = new MemoryJournal();
  readonly records: Uint8Array[] = [];
  /** In the order of telling. */
  readonly told: SignedReceipt[] = [];
  readonly remembered: SignedReceipt[] = [];
  fatal: Error | undefined;
  slot: ReceiptSlot | undefined;
  receipts: Receipts | undefined;

  async start(options: Partial<ReceiptsOptions> = {}): Promise<Receipts> {
    this.slot ??= await ReceiptSlot.open(this.disk, this.directory);
    const { slot } = this;
    this.receipts = await Receipts.start({
      domain: TEST_DOMAIN,
      key: SEQUENCER.secret,
      journal: this.journal,
      memory: {
        last: slot.last,
        remember: async (receipt) => {
          if (receipt.seq > this.journal.lastSeq) throw new Error('expected durable commands only');
          await slot.remember(receipt);
          this.remembered.push(receipt);
        },
      },
      scheduler: this.clock,
      epoch: 1,
      intervalMs: INTERVAL_MS,
      keptCommands: 100_000,
      onFatal: (error) => {
        this.fatal ??= error;
      },
      ...options,
    });
    this.receipts.listen((receipt) => this.told.push(receipt));
    return this.receipts;
  }

  /** Makes records durable, and tells the receipts when they run. */
  async append(records: readonly Uint8Array[]): Promise<void> {
    if (records.length === 0) return;
    const firstSeq = this.journal.lastSeq + 1;
    const payload = payloadOf(records);
    const { hash } = this.journal.head;
    await this.journal.append({ epoch: 1, after: hash, firstSeq, count: records.length, payload });
    this.records.push(...records);
    this.receipts?.onCommands(firstSeq, records.length, payload);
  }

  /** The process ends: nothing is signed any more, and the memory is read anew. */
  async crash(): Promise<void> {
    await this.receipts?.close();
    this.receipts = undefined;
    await this.slot?.close();
    this.slot = undefined;
  }

  async dispose(): Promise<void> {
    await this.crash();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
