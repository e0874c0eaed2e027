/** Commands after a strike, judged again: what stays, what is replaced, and what is stamped anew. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Engine } from '#engine/engine.ts';
import { EntryReader, EntryWriter } from '#journal/entry.ts';
import { MemoryJournal } from '#journal/memory-journal.ts';
import type { JournalSource } from '#pipeline/ports.ts';
import { toHex, viewOf } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  DISCONNECT,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
  recordKind,
  recordTime,
} from '#protocol/command.ts';
import type { Operation } from '#protocol/operation.ts';
import { judgeAgain } from '#sequencer/main/judge-again.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { Corridor, leavesOf, MemoryL1, recoverFrom } from '../support/corridor.ts';

const SEED = Number(process.env.SEED ?? 20_261_124);
console.log(`judged again: SEED=${SEED}`);

const place = (side: 0 | 1, price: number, size: number): Operation => ({
  kind: 'place',
  market: 0,
  side,
  price,
  size,
  timeInForce: 0,
});

/** A lived history: deposits, prices, orders of two accounts, time that passes. */
async function history(steps: readonly { side: 0 | 1; offset: number; size: number; waitMs: number }[]) {
  const corridor = await new Corridor().start();
  const accounts = [await corridor.deposit(1, 10 ** 12), await corridor.deposit(2, 10 ** 12)];
  await corridor.price(0, 1_000_000);
  for (const [i, { side, offset, size, waitMs }] of steps.entries()) {
    if (waitMs > 0) await corridor.clock.advance(waitMs);
    if (i % 4 === 3) await corridor.price(0, 1_000_000 + offset);
    if (i % 5 === 4) await corridor.deposit(10 + i, 1_000_000);
    await corridor.send(accounts[i % 2]!, place(side, 1_000_000 + offset, size));
  }
  return { corridor, commands: await commandsOf(corridor.journal) };
}

async function commandsOf(journal: JournalSource): Promise<Command[]> {
  const commands: Command[] = [];
  for await (const frame of journal.readFrom(1)) {
    if (frame.kind !== 'commands') continue;
    const reader = new EntryReader(frame.payload, frame.count);
    while (reader.next()) commands.push({ record: reader.record.slice(), signers: reader.signers.slice() });
  }
  return commands;
}

/** Appends `commands` in frames of one to `most` commands. */
async function journalOf(commands: readonly Command[], most: number, epoch = 1): Promise<MemoryJournal> {
  const journal = new MemoryJournal();
  await append(journal, commands, most, epoch);
  return journal;
}

async function append(
  journal: MemoryJournal,
  commands: readonly Command[],
  most: number,
  epoch: number,
): Promise<void> {
  for (let at = 0; at < commands.length; at += most) {
    const writer = new EntryWriter();
    const group = commands.slice(at, at + most);
    for (const { record, signers } of group) writer.append(record, signers);
    const { seq, hash } = journal.head;
    const { payload, count } = writer;
    await journal.append({ epoch, firstSeq: seq + 1, count, payload, after: hash });
  }
}

const shown = ({ record, signers }: Command): string => `${toHex(record)} ${toHex(signers)}`;
const timeOf = ({ record }: Command): number => recordTime(viewOf(record));
const kindOf = ({ record }: Command): number => recordKind(viewOf(record));

/** The state after the first `count` commands. */
function stateAfter(commands: readonly Command[], count: number): ExchangeState {
  const engine = new Engine(new ExchangeState());
  for (const command of commands.slice(0, count)) engine.apply(command);
  return engine.state;
}

const STEPS = fc.array(
  fc.record({
    side: fc.constantFrom(0 as const, 1 as const),
    offset: fc.integer({ min: -20, max: 20 }),
    size: fc.integer({ min: 5, max: 50 }),
    waitMs: fc.constantFrom(0, 0, 10, 1_500),
  }),
  { minLength: 6, maxLength: 24 },
);
/** Shares of the history. */
const share = () => fc.double({ min: 0, max: 1, noNaN: true });

describe('judging again', () => {
  it('keeps every command of an honest history, wherever the strike goes back to, and ends with a clock', async () => {
    await fc.assert(
      fc.asyncProperty(
        STEPS,
        fc.record({ from: share(), copied: share(), start: share(), most: fc.integer({ min: 1, max: 9 }) }),
        async (steps, { from, copied, start, most }) => {
          const { corridor, commands } = await history(steps);
          const fromSeq = 1 + Math.floor(from * commands.length);
          const alreadyThere = Math.floor(copied * (fromSeq - 1));
          const target = await journalOf(commands.slice(0, alreadyThere), most);
          const replaced = await judgeAgain({
            source: await journalOf(commands, most),
            target,
            start: stateAfter(commands, Math.floor(start * (fromSeq - 1))),
            ...{ copied: alreadyThere, fromSeq, epoch: 2, oldestMs: 0, l1: corridor.l1 },
          });
          expect(replaced).toEqual([]);
          const got = await commandsOf(target);
          expect(got.slice(0, -1).map(shown)).toEqual(commands.map(shown));
          expect(got.at(-1)).toEqual({
            record: encodeRecord(CLOCK, corridor.state.now, new Uint8Array(0)),
            signers: NO_SIGNERS,
          });
          const { engine } = await recoverFrom(target);
          expect(engine.state.seq).toBe(commands.length + 1);
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('puts a clock in the place of each command that these rules would not have admitted', async () => {
    const met = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        STEPS,
        fc.array(
          fc.record({ at: share(), what: fc.constantFrom('message', 'entry', 'round', 'gone', 'kind') }),
          { minLength: 1, maxLength: 6 },
        ),
        share(),
        async (steps, intruders, from) => {
          const { corridor, commands } = await history(steps);
          const fromSeq = 1 + Math.floor(from * (commands.length / 2));
          const bad = new Map<Command, string>();
          const tampered = [...commands];
          for (const { at, what } of intruders) {
            const least = fromSeq + Math.floor(commands.length / 4);
            const place = least + Math.floor(at * (tampered.length - least));
            const time = timeOf(tampered[place - 1]!);
            const before = tampered.slice(0, place).filter((command) => !bad.has(command));
            const again = (kind: number): Command | undefined => {
              const one = before.findLast((command) => kindOf(command) === kind);
              return one && { record: encodeRecord(kind, time, one.record.slice(12)), signers: one.signers };
            };
            const made: [Command | undefined, string] = {
              message: [again(MESSAGE), 'NONCE_USED'] as const,
              entry: [again(QUEUE_ENTRY), 'QUEUE_ENTRY_INVALID'] as const,
              round: [again(PRICE_ROUND), 'REPORT'] as const,
              gone: [
                { record: encodeRecord(DISCONNECT, time, Uint8Array.of(9, 9, 0, 0)), signers: NO_SIGNERS },
                'UNKNOWN_ACCOUNT',
              ] as const,
              kind: [
                { record: encodeRecord(6, time, Uint8Array.of(255, 0, 0, 0)), signers: NO_SIGNERS },
                'MALFORMED_MESSAGE',
              ] as const,
            }[what] as [Command | undefined, string];
            if (made[0] === undefined) continue;
            bad.set(made[0], made[1]);
            tampered.splice(place, 0, made[0]);
          }
          const target = await journalOf(tampered.slice(0, fromSeq - 1), 3);
          const replaced = await judgeAgain({
            source: await journalOf(tampered, 4),
            target,
            start: stateAfter(tampered, fromSeq - 1),
            ...{ copied: fromSeq - 1, fromSeq, epoch: 2, oldestMs: 0, l1: corridor.l1 },
          });
          const places = [...tampered.keys()].filter((i) => bad.has(tampered[i]!));
          expect(replaced.map(({ seq }) => seq)).toEqual(places.map((i) => i + 1));
          for (const { seq, reason } of replaced) {
            expect(reason).toMatch(bad.get(tampered[seq - 1]!)!);
            met.add(reason);
          }
          const clocked = tampered.map((command) =>
            bad.has(command)
              ? { record: encodeRecord(CLOCK, timeOf(command), new Uint8Array(0)), signers: NO_SIGNERS }
              : command,
          );
          expect((await commandsOf(target)).slice(0, -1).map(shown)).toEqual(clocked.map(shown));
          const expected = stateAfter(
            [
              ...clocked,
              { record: encodeRecord(CLOCK, corridor.state.now, new Uint8Array(0)), signers: NO_SIGNERS },
            ],
            clocked.length + 1,
          );
          expect(leavesOf((await recoverFrom(target)).engine.state)).toEqual(leavesOf(expected));
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
    expect([...met].sort()).toEqual(
      expect.arrayContaining(['MALFORMED_MESSAGE', 'NONCE_USED', 'QUEUE_ENTRY_INVALID', 'UNKNOWN_ACCOUNT']),
    );
  });

  it('stamps what is too old for L1 anew, queue entries first, and loses no deposit', async () => {
    let expired = 0;
    await fc.assert(
      fc.asyncProperty(STEPS, share(), share(), async (steps, from, old) => {
        const { corridor, commands } = await history(steps);
        const fromSeq = 1 + Math.floor(from * (commands.length - 1));
        const span = corridor.state.now - timeOf(commands[0]!);
        const oldestMs = timeOf(commands[0]!) + Math.floor(old * (span + 100_000));
        const target = await journalOf(commands.slice(0, fromSeq - 1), 3);
        const replaced = await judgeAgain({
          source: await journalOf(commands, 4),
          target,
          start: stateAfter(commands, fromSeq - 1),
          ...{ copied: fromSeq - 1, fromSeq, epoch: 2, oldestMs, l1: corridor.l1 },
        });
        expired += replaced.length;
        const judged = (await commandsOf(target)).slice(fromSeq - 1);
        expect(judged.length).toBe(commands.length - fromSeq + 2);
        let last = 0;
        for (const command of judged) {
          expect(timeOf(command)).toBeGreaterThanOrEqual(Math.max(oldestMs, last));
          last = timeOf(command);
        }
        const isEntry = (command: Command) => kindOf(command) === QUEUE_ENTRY;
        const moved = commands.slice(fromSeq - 1).filter((one) => isEntry(one) && timeOf(one) < oldestMs);
        expect(judged.slice(0, moved.length).every(isEntry)).toBe(true);
        expect(judged.filter(isEntry).map(({ record }) => toHex(record.slice(12)))).toEqual(
          commands
            .slice(fromSeq - 1)
            .filter(isEntry)
            .map(({ record }) => toHex(record.slice(12))),
        );
        const { state } = (await recoverFrom(target)).engine;
        expect(state.queueNext).toBe(corridor.state.queueNext);
        expect(state.accounts.count).toBe(corridor.state.accounts.count);
      }),
      { seed: SEED, numRuns: 40 },
    );
    // Old prices are no prices any more.
    expect(expired).toBeGreaterThan(0);
  });

  it('stops where L1 has another queue than the journal', async () => {
    const { commands } = await history([{ side: 0, offset: 0, size: 5, waitMs: 0 }]);
    const l1 = new MemoryL1();
    for (let i = 0; i < 20; i++) l1.add(0, new Uint8Array(20), new Uint8Array(13));
    await expect(
      judgeAgain({
        ...{ source: await journalOf(commands, 4), target: new MemoryJournal(), start: new ExchangeState() },
        ...{ copied: 0, fromSeq: 1, epoch: 2, oldestMs: 0, l1 },
      }),
    ).rejects.toThrow(/queue entry 0 of the journal to be that of L1, got another/);
  });
});
