/** Recovery: snapshot and journal lead back to the same leaves, consumers get what they lack, damage has a sentence. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '#engine/engine.ts';
import { EntryWriter } from '#journal/entry.ts';
import { MemoryJournal } from '#journal/memory-journal.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { FileSnapshotStore } from '#journal/snapshot-store.ts';
import type { EventConsumer, EventRows, SnapshotStore } from '#pipeline/ports.ts';
import { stateDigest } from '#pipeline/state-digest.ts';
import { toHex } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import { EVENT_STRIDE } from '#protocol/event.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { allLeaves } from '#state/all-leaves.ts';
import { ENGINE_VERSION, ExchangeState } from '#state/exchange-state.ts';
import { encodeSnapshot } from '#state/snapshot.ts';
import { StateTree } from '#state/state-tree.ts';
import { leavesOf, recoverFrom } from '../support/corridor.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RandomSession } from '../support/random-session.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`recovery properties: SEED=${SEED}`);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-recovery-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

let stores = 0;
const newStore = async (): Promise<{ store: FileSnapshotStore; folder: string }> => {
  const folder = join(directory, String(++stores));
  const disk = new NodeDisk();
  await disk.makeDirectory(folder);
  return { store: await FileSnapshotStore.open({ disk, directory: folder, create: true }), folder };
};

/** Groups of up to `groupMax`, a mark after every `markEvery` groups. */
async function journalOf(
  commands: readonly Command[],
  shape: { groupMax: number; markEvery: number; wrongMarkAt?: number },
): Promise<MemoryJournal> {
  const journal = new MemoryJournal();
  const engine = new Engine(new ExchangeState());
  const entries = new EntryWriter();
  let groups = 0;
  for (let at = 0; at < commands.length; ) {
    const count = Math.min(1 + ((at * 7) % shape.groupMax), commands.length - at);
    entries.reset();
    for (const { record, signers } of commands.slice(at, at + count)) {
      entries.append(record, signers);
      engine.apply({ record, signers });
    }
    const seq = at + count;
    const stateHash = stateDigest(engine.state).slice();
    if (shape.wrongMarkAt !== undefined && seq >= shape.wrongMarkAt) stateHash[0]! ^= 1;
    const isMark = ++groups % shape.markEvery === 0;
    await journal.append({
      epoch: 1,
      after: journal.head.hash,
      firstSeq: at + 1,
      count,
      payload: entries.payload,
      ...(isMark && { mark: { seq, engineVersion: ENGINE_VERSION, stateHash } }),
    });
    at += count;
  }
  return journal;
}

async function saveSnapshot(
  store: SnapshotStore,
  commands: readonly Command[],
  seq: number,
  engineVersion = ENGINE_VERSION,
): Promise<void> {
  const engine = new Engine(new ExchangeState());
  for (const command of commands.slice(0, seq)) engine.apply(command);
  const { ledger, book } = allLeaves(engine.state);
  const trees = { ledger: new StateTree(nobleKeccak), book: new StateTree(nobleKeccak) };
  for (const [key, value] of ledger) trees.ledger.set(key, value);
  for (const [key, value] of book) trees.book.set(key, value);
  const [ledgerRoot, bookRoot] = [trees.ledger.root(), trees.book.root()];
  await store.save({ seq, ledgerRoot, bookRoot, batchId: 1, engineVersion }, encodeSnapshot(seq, trees));
}

/** Remembers the rows that it was given, and how far it said to be. */
class Taker implements EventConsumer {
  readonly name = 'taker';
  readonly rows: string[] = [];
  readonly acknowledgedSeq: number;
  constructor(acknowledgedSeq: number) {
    this.acknowledgedSeq = acknowledgedSeq;
  }
  onEvents(rows: EventRows): void {
    for (let row = 0; row < rows.count; row++)
      this.rows.push(rows.data.slice(row * EVENT_STRIDE, (row + 1) * EVENT_STRIDE).join());
  }
}

const rowsOf = (commands: readonly Command[], from: number): string[] => {
  const engine = new Engine(new ExchangeState());
  const taker = new Taker(0);
  commands.forEach((command, i) => {
    engine.apply(command);
    if (i + 1 > from) taker.onEvents(engine.events);
  });
  return taker.rows;
};

describe('recovery', () => {
  it('comes back to the same leaves from any snapshot, and gives consumers exactly what they lack', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.array(fc.integer({ min: 1, max: 250 }), { maxLength: 3 }),
        fc.integer({ min: 0, max: 250 }),
        fc.integer({ min: 1, max: 40 }),
        async (seed, snapshotSeqs, acknowledged, groupMax) => {
          const session = new RandomSession({ seed }).run(250);
          const { commands, state } = session;
          const journal = await journalOf(commands, { groupMax, markEvery: 3 });
          const { store } = await newStore();
          for (const seq of new Set(snapshotSeqs)) await saveSnapshot(store, commands, seq);
          const taker = new Taker(acknowledged);
          const recovered = await recoverFrom(journal, { snapshots: store, events: [taker] });
          await store.close();
          const usable = snapshotSeqs.filter((seq) => seq <= acknowledged);
          expect(recovered.snapshotSeq).toBe(Math.max(0, ...usable));
          expect(recovered.snapshotSeq + recovered.replayed).toBe(commands.length);
          expect(recovered.notes).toEqual([]);
          expect(leavesOf(recovered.engine.state)).toEqual(leavesOf(state));
          expect(toHex(stateDigest(recovered.engine.state))).toBe(toHex(stateDigest(state)));
          expect(taker.rows).toEqual(rowsOf(commands, acknowledged));
          // And both go on alike.
          const known = commands.length;
          session.run(20);
          for (const command of commands.slice(known)) recovered.engine.apply(command);
          expect(leavesOf(recovered.engine.state)).toEqual(leavesOf(state));
        },
      ),
      { seed: SEED, numRuns: 12 },
    );
  });

  it('reaches the same state in another process', async () => {
    const { commands, state } = new RandomSession({ seed: SEED }).run(600);
    const entries = new EntryWriter();
    for (const { record, signers } of commands) entries.append(record, signers);
    const file = join(directory, 'entries');
    await writeFile(file, entries.payload);
    const program = new URL('./replay-program.ts', import.meta.url).pathname;
    const child = spawnSync(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), program, file, String(commands.length)],
      { encoding: 'utf8', env: { ...process.env, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8' } },
    );
    expect(child.stderr.replace(/^npm warn.*$/gm, '').trim()).toBe('');
    const leaves = toHex(nobleKeccak(new TextEncoder().encode(leavesOf(state).join('\n'))));
    expect(JSON.parse(child.stdout)).toEqual({
      seq: commands.length,
      digest: toHex(stateDigest(state)),
      leaves,
    });
  });

  it('passes over damaged snapshots and those of another engine, and says so', async () => {
    const { commands, state } = new RandomSession({ seed: SEED }).run(120);
    const journal = await journalOf(commands, { groupMax: 9, markEvery: 2 });
    const { store, folder } = await newStore();
    await saveSnapshot(store, commands, 30);
    await saveSnapshot(store, commands, 60, ENGINE_VERSION + 1);
    await saveSnapshot(store, commands, 90);
    const files = (await readdir(join(folder, 'snapshots'))).filter((name) => name !== 'index').sort();
    const newest = join(folder, 'snapshots', files.at(-1)!);
    const bytes = await readFile(newest);
    bytes[Math.floor(bytes.length / 2)]! ^= 4;
    await writeFile(newest, bytes);
    const recovered = await recoverFrom(journal, { snapshots: store });
    await store.close();
    expect(recovered.snapshotSeq).toBe(30);
    expect(recovered.notes).toEqual([
      expect.stringMatching(/^snapshot 90: .+/),
      `snapshot 60: expected engine version ${ENGINE_VERSION}, got ${ENGINE_VERSION + 1}`,
    ]);
    expect(leavesOf(recovered.engine.state)).toEqual(leavesOf(state));
  });

  it('prefers a gap in history to an exchange that does not come back, and names it', async () => {
    const { commands, state } = new RandomSession({ seed: SEED }).run(120);
    const journal = await journalOf(commands, { groupMax: 9, markEvery: 2 });
    await journal.pruneBelow(70);
    const { store } = await newStore();
    await saveSnapshot(store, commands, 80);
    await saveSnapshot(store, commands, 100);
    const recovered = await recoverFrom(journal, { snapshots: store, events: [new Taker(75)] });
    await store.close();
    expect(recovered.snapshotSeq).toBe(80);
    expect(recovered.notes).toEqual([
      'history lacks the events of commands 76 to 80: no older snapshot is left',
    ]);
    expect(leavesOf(recovered.engine.state)).toEqual(leavesOf(state));
  });

  it('ends in one sentence without a snapshot that the journal continues', async () => {
    const { commands } = new RandomSession({ seed: SEED }).run(60);
    const journal = await journalOf(commands, { groupMax: 5, markEvery: 2 });
    await journal.pruneBelow(40);
    await expect(recoverFrom(journal)).rejects.toThrow(
      /recovery: expected a readable snapshot at or after command \d+, where the journal begins, got none of 0: restore/,
    );
  });

  it('stops where the replay goes another way than the journal says', async () => {
    const { commands } = new RandomSession({ seed: SEED }).run(60);
    const journal = await journalOf(commands, { groupMax: 5, markEvery: 1, wrongMarkAt: 33 });
    await expect(recoverFrom(journal)).rejects.toThrow(
      /recovery: expected state 0x[0-9a-f]{64} after command 3[3-9], got 0x[0-9a-f]{64}/,
    );
  });

  it('tells how far it is while it works for long', async () => {
    const { commands } = new RandomSession({ seed: SEED }).run(80);
    const journal = await journalOf(commands, { groupMax: 4, markEvery: 5 });
    const clock = new ManualClock();
    const seen: number[] = [];
    // Every look at the clock takes six tenths of a second here.
    const scheduler = {
      after: clock.after.bind(clock),
      monotonicUs: () => {
        clock.set(clock.nowMs() + 600);
        return clock.monotonicUs();
      },
    };
    await recoverFrom(journal, { scheduler, onProgress: ({ seq, lastSeq }) => seen.push(seq / lastSeq) });
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});
