/** The same commands give the same events and the same state: again, in another process, whatever came before. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '#protocol/command.ts';
import { decodeEvent } from '#protocol/event.ts';
import { RandomSession } from '../support/random-session.ts';
import { decodeCommands, encodeCommands, outcomeOf, stateHash } from './outcome.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`determinism: SEED=${SEED}`);

describe('determinism', () => {
  let directory: string;
  let commands: readonly Command[];
  let live: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-determinism-'));
    const session = new RandomSession({
      seed: SEED,
      traders: 6,
      chain: { fundingIntervalMs: 20_000, voidMs: 60_000 },
    }).run(3_000);
    commands = session.commands;
    live = stateHash(session.state);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('holds in this process: live, replayed, and replayed from bytes', () => {
    const outcome = outcomeOf(commands);
    expect(outcome.split(' ')[1]).toBe(live);
    expect(outcomeOf(decodeCommands(encodeCommands(commands)))).toBe(outcome);
  });

  it('holds in another process', () => {
    const file = join(directory, 'commands');
    writeFileSync(file, encodeCommands(commands));
    const child = join(dirname(fileURLToPath(import.meta.url)), 'replay-child.ts');
    const printed = execFileSync(process.execPath, ['--import', 'tsx', child, file], { encoding: 'utf8' });
    expect(printed.trim()).toBe(outcomeOf(commands));
  });

  it('admission changes nothing: judging a command, even a bad one, at any time leaves the outcome', () => {
    const session = new RandomSession({ seed: SEED + 1, traders: 6 }).run(200);
    const before = stateHash(session.state);
    for (const command of session.commands.slice(-100)) {
      session.engine.admit(command, session.now);
      session.engine.admit({ ...command, signers: new Uint8Array(20) }, session.now + 5);
      session.engine.admit({ ...command, record: command.record.slice(0, 20) }, session.now);
    }
    expect(stateHash(session.state)).toBe(before);
  });

  it('one changed byte of one command is another outcome', () => {
    const changed = decodeCommands(encodeCommands(commands));
    // The time of the last record, one millisecond later.
    const last = changed.at(-1)!.record;
    last[6] = (last[6]! + 1) % 256;
    expect(outcomeOf(changed)).not.toBe(outcomeOf(commands));
  });

  it('what is admitted does something at the same time stamp: it is no silent no-op', () => {
    const session = new RandomSession({ seed: SEED + 2, traders: 6 });
    const { engine } = session;
    const apply = engine.apply.bind(engine);
    let silent = 0;
    let applied = 0;
    engine.apply = (command) => {
      const before = engine.state.seq;
      apply(command);
      applied++;
      expect(engine.state.seq).toBe(before + 1);
      const kinds = Array.from({ length: engine.events.count }, (_, row) =>
        decodeEvent(engine.events.data, row),
      ).map((event) => event.event);
      const expected = ['', 'OPERATION_RESULT', 'PRICE', 'QUEUE_PROCESSED'][command.record[4]!];
      if (expected !== undefined && !kinds.includes(expected as never)) silent++;
    };
    session.run(2_000);
    expect(applied).toBeGreaterThanOrEqual(2_000);
    expect(silent).toBe(0);
  });
});
