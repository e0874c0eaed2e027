/** The clock of price replays: it moves with what is reported, and never back. */
import { describe, expect, test } from 'vitest';
import { ReportClock } from '#pipeline/report-clock.ts';

describe('the report clock', () => {
  test('stands until a later time is reported', () => {
    const clock = new ReportClock(1_000);
    expect(clock.nowMs()).toBe(1_000);
    clock.advance(61_000);
    expect(clock.nowMs()).toBe(61_000);
    clock.advance(2_000);
    expect(clock.nowMs()).toBe(61_000);
  });

  test('lets timers run by the machine', async () => {
    const clock = new ReportClock(1);
    await new Promise<void>((resolve) => clock.after(1, resolve));
    const before = clock.monotonicUs();
    expect(clock.monotonicUs()).toBeGreaterThanOrEqual(before);
    expect(clock.nowMs()).toBe(1);
  });
});
