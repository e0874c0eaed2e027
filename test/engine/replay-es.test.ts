/**
 * Recorded order flow through the engine alone: every take fills exactly as it was recorded, and the end book is the
 * recorded one, queue places included. A real market's opening where its recording is there, and made ones always.
 */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { readRecording } from '#client/demo/recording.ts';
import { compareReplay, type ReplayVerdict } from '#client/demo/replay-compare.ts';
import { makeRecording } from '#test/demo/make-recording.ts';
import { type EngineReplay, replayThroughEngine } from '#test/demo/replay-engine.ts';
import { checkInvariants } from '#test/support/invariants.ts';

const FILE = '../shared/data/es-open30/es_replay.csv';

describe.each([1, 2, 3, 4])('a made recording, seed %i', (seed) => {
  test.each([19_200, 2_000_000])('around %i ticks comes out as the plain book has it', (mid) => {
    const recording = makeRecording({ seed, rows: 1_500, mid });
    const replay = replayThroughEngine(recording.rows);
    const takes = recording.rows.filter((row) => row.op === 'take').length;
    expect(replay.refused).toEqual([]);
    expect(takes).toBeGreaterThan(50);
    expect(compareReplay(takes, replay, recording)).toEqual({
      takes,
      takesEqual: takes,
      bookEqual: true,
      differences: [],
    });
    checkInvariants(replay.exchange.state, replay.exchange.deposited);
  });
});

describe.runIf(existsSync(FILE))('the recorded E-mini opening', () => {
  let replay: EngineReplay;
  let verdict: ReplayVerdict;

  beforeAll(async () => {
    const recording = await readRecording(FILE);
    replay = replayThroughEngine(recording.rows);
    const takes = recording.rows.filter((row) => row.op === 'take').length;
    verdict = compareReplay(takes, replay, recording);
  });

  test('no row is refused', () => {
    expect(replay.refused).toEqual([]);
  });

  test('all takes fill as recorded', () => {
    expect(verdict.differences).toEqual([]);
    expect(verdict.takes).toBe(1_794);
    expect(verdict.takesEqual).toBe(1_794);
    expect(replay.fills.length).toBe(3_408);
  });

  test('the end book is the recorded one', () => {
    expect(verdict.bookEqual).toBe(true);
    expect(replay.book.length).toBe(10_877);
  });

  test('money is conserved and the invariants hold at the end', () => {
    checkInvariants(replay.exchange.state, replay.exchange.deposited);
  });
});

if (!existsSync(FILE))
  test(`the recorded E-mini opening is not replayed: ${FILE} is not there`, () => {
    expect(existsSync(FILE)).toBe(false);
  });
