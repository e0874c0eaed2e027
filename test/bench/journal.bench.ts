/**
 * The journal on this machine's disk: one group commit beside a bare write and flush, throughput in groups of
 * 1,000, opening and replaying. Commits and bare flushes alternate, so that what disturbs one disturbs both.
 */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { EntryReader, EntryWriter } from '#journal/entry.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { createJournal, SegmentJournal } from '#journal/segment-journal.ts';
import { encodeRecord, MESSAGE } from '#protocol/command.ts';
import { percentile, type Row } from './rows.ts';

/** Entries of 150 bytes, as in performance.md section 2. */
const ENTRY_BYTES = 150;
const COMMITS = 2000;
const GROUPS = 500;
const GROUP = 1000;

const write = promisify(fs.write);
const flush = promisify(fs.fdatasync);

/** Fills a directory of its own beside the system's other temporary files and removes it. */
export async function measure(): Promise<Row[]> {
  const directory = fs.mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    return await measureIn(directory);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

async function measureIn(directory: string): Promise<Row[]> {
  const disk = new NodeDisk();
  await createJournal({ disk, directory });
  const journal = await SegmentJournal.open({ disk, directory });
  const record = encodeRecord(MESSAGE, 1, new Uint8Array(ENTRY_BYTES - 5 - 20 - 12).fill(0x5a));
  const signers = new Uint8Array(20).fill(7);
  const writer = new EntryWriter();
  const append = async (count: number): Promise<void> => {
    writer.reset();
    for (let i = 0; i < count; i++) writer.append(record, signers);
    await journal.append({
      epoch: 1,
      after: journal.head.hash,
      firstSeq: journal.lastSeq + 1,
      count,
      payload: writer.payload,
    });
  };

  const bareBytes = Math.ceil((100 * ENTRY_BYTES) / 512) * 512;
  const bare = await disk.create(`${directory}/bare`, COMMITS * bareBytes);
  await bare.close();
  const descriptor = fs.openSync(`${directory}/bare`, 'r+');
  const bytes = new Uint8Array(bareBytes).fill(0x5a);
  const commits: number[] = [];
  const flushes: number[] = [];
  for (let i = 0; i < COMMITS; i++) {
    let start = performance.now();
    await append(100);
    commits.push(performance.now() - start);
    start = performance.now();
    await write(descriptor, bytes, 0, bytes.length, i * bytes.length);
    await flush(descriptor);
    flushes.push(performance.now() - start);
  }
  fs.closeSync(descriptor);

  let start = performance.now();
  for (let i = 0; i < GROUPS; i++) await append(GROUP);
  const appendSeconds = (performance.now() - start) / 1000;
  await journal.close();

  start = performance.now();
  const reopened = await SegmentJournal.open({ disk, directory });
  const openSeconds = (performance.now() - start) / 1000;
  start = performance.now();
  let replayed = 0;
  for await (const found of reopened.readFrom(1)) {
    if (found.kind === 'mark') continue;
    const reader = new EntryReader(found.payload, found.count);
    while (reader.next()) replayed++;
  }
  const replaySeconds = (performance.now() - start) / 1000;
  if (replayed !== reopened.lastSeq)
    throw new Error(`replay: expected ${reopened.lastSeq} records, got ${replayed}`);
  await reopened.close();

  commits.sort((a, b) => a - b);
  flushes.sort((a, b) => a - b);
  const commitRow = (name: string, share: number): Row => ({
    name: `journal: commit of 100 records ${name}`,
    value: 1000 * percentile(commits, share),
    unit: 'µs',
    baseline: { name: 'write and fdatasync of as many bytes', value: 1000 * percentile(flushes, share) },
  });
  return [
    commitRow('p50', 0.5),
    commitRow('p99', 0.99),
    {
      name: 'journal: append in groups of 1,000',
      value: (GROUPS * GROUP) / appendSeconds,
      unit: 'records/s',
    },
    { name: 'journal: open and check everything', value: replayed / openSeconds, unit: 'records/s' },
    { name: 'journal: read back every record', value: replayed / replaySeconds, unit: 'records/s' },
  ];
}
