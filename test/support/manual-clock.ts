/** A clock that stands still until the test moves it; what was asked for comes due in order. */
import type { Clock, Scheduler } from '#pipeline/ports.ts';

interface Alarm {
  readonly at: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock, Scheduler {
  private now: number;
  private readonly alarms: Alarm[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.now = startMs;
  }

  nowMs(): number {
    return this.now;
  }
  monotonicUs(): number {
    return this.now * 1000;
  }
  /** Jumps without ringing: also backwards. */
  set(ms: number): void {
    this.now = ms;
  }

  after(ms: number, callback: () => void): () => void {
    const alarm: Alarm = { at: this.now + ms, callback };
    this.alarms.push(alarm);
    return () => {
      const at = this.alarms.indexOf(alarm);
      if (at >= 0) this.alarms.splice(at, 1);
    };
  }

  /** Moves on by `ms`; each alarm on the way rings at its time, and what it starts settles before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settle();
      let first: Alarm | undefined;
      for (const alarm of this.alarms) if (first === undefined || alarm.at < first.at) first = alarm;
      if (first === undefined || first.at > end) break;
      this.alarms.splice(this.alarms.indexOf(first), 1);
      this.now = Math.max(this.now, first.at);
      first.callback();
    }
    this.now = end;
    await settle();
  }
}

/** Lets microtasks and immediates run out. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
