/**
 * A clock for playing recorded prices: it stands still until a publisher reports a later time. Timers run by the
 * machine's clock, so that batches are cut and posted as ever; what happens in the exchange follows from what it is
 * sent alone, however fast that comes.
 */
import type { TimeMs } from '#protocol/units.ts';
import type { Clock, Scheduler } from './ports.ts';
import { systemClock } from './system-clock.ts';

export class ReportClock implements Clock, Scheduler {
  private time: TimeMs;

  /** Stands at `start`, ms since 1970 UTC. */
  constructor(start: TimeMs) {
    this.time = start;
  }

  /** It never goes back. */
  advance(time: TimeMs): void {
    if (time > this.time) this.time = time;
  }

  nowMs(): TimeMs {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    return systemClock.after(ms, callback);
  }

  monotonicUs(): number {
    return systemClock.monotonicUs();
  }
}
