/** Commands, payloads and journals for the tests of this room; everything follows from a seed. */

import { EntryReader, EntryWriter } from '#journal/entry.ts';
import type { Journal, JournalSource, StateMark } from '#pipeline/ports.ts';
import { CLOCK, encodeRecord, MESSAGE, NO_SIGNERS } from '#protocol/command.ts';

/** mulberry32: uniform in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomBytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** A command whose body is random; every fifth is a CLOCK without body and signer. */
export function randomCommand(
  random: () => number,
  seq: number,
  bodyBytes = 20 + Math.floor(random() * 120),
): { record: Uint8Array; signers: Uint8Array } {
  if (random() < 0.2) return { record: encodeRecord(CLOCK, seq, new Uint8Array(0)), signers: NO_SIGNERS };
  return {
    record: encodeRecord(MESSAGE, seq, randomBytes(random, bodyBytes)),
    signers: randomBytes(random, 20),
  };
}

export interface Kept {
  readonly commands: { seq: number; record: Uint8Array; signers: Uint8Array }[];
  readonly marks: StateMark[];
}

/** Everything that a journal gives from `seq` on. */
export async function readAll(journal: JournalSource, seq = 1, through?: number): Promise<Kept> {
  const kept: Kept = { commands: [], marks: [] };
  for await (const record of journal.readFrom(seq, through)) {
    if (record.kind === 'mark') {
      const { seq: at, engineVersion, stateHash } = record;
      kept.marks.push({ seq: at, engineVersion, stateHash });
      continue;
    }
    const reader = new EntryReader(record.payload, record.count);
    for (let next = record.firstSeq; reader.next(); next++)
      if (next >= seq)
        kept.commands.push({ seq: next, record: reader.record.slice(), signers: reader.signers.slice() });
  }
  return kept;
}

export interface Appended {
  readonly firstSeq: number;
  readonly commands: { record: Uint8Array; signers: Uint8Array }[];
  readonly mark: StateMark | undefined;
}

/** Appends one random group (with a mark every third time); calls `offered` before the disk sees it. */
export async function appendRandom(
  journal: Journal,
  random: () => number,
  offered: (group: Appended) => void = () => {},
  most = 6,
): Promise<Appended> {
  const writer = new EntryWriter(64);
  const firstSeq = journal.lastSeq + 1;
  const count = 1 + Math.floor(random() * most);
  const commands = Array.from({ length: count }, (_, i) => randomCommand(random, firstSeq + i));
  for (const { record, signers } of commands) writer.append(record, signers);
  const mark =
    random() < 0.33
      ? { seq: firstSeq + count - 1, engineVersion: 1, stateHash: randomBytes(random, 32) }
      : undefined;
  const group = { firstSeq, commands, mark };
  offered(group);
  await journal.append({
    epoch: 1,
    after: journal.head.hash,
    firstSeq,
    count,
    payload: writer.payload,
    ...(mark === undefined ? {} : { mark }),
  });
  return group;
}
