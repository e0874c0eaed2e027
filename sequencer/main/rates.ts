/** How much of something happened per second, over the last few seconds. */
import type { Scheduler } from '#pipeline/ports.ts';

const SAMPLE_MS = 500;
const SAMPLES = 10;

export class Rates<Name extends string> {
  private readonly scheduler: Scheduler;
  private readonly read: () => Readonly<Record<Name, number>>;
  private readonly samples: { us: number; values: Readonly<Record<Name, number>> }[] = [];
  private cancel: (() => void) | undefined;

  /** `read`: totals that only rise. */
  constructor(scheduler: Scheduler, read: () => Readonly<Record<Name, number>>) {
    this.scheduler = scheduler;
    this.read = read;
    this.sample();
  }

  perSecond(name: Name): number {
    const first = this.samples[0]!;
    const last = { us: this.scheduler.monotonicUs(), values: this.read() };
    const seconds = (last.us - first.us) / 1_000_000;
    return seconds <= 0 ? 0 : (last.values[name] - first.values[name]) / seconds;
  }

  stop(): void {
    this.cancel?.();
  }

  private sample(): void {
    this.samples.push({ us: this.scheduler.monotonicUs(), values: { ...this.read() } });
    if (this.samples.length > SAMPLES) this.samples.shift();
    this.cancel = this.scheduler.after(SAMPLE_MS, () => this.sample());
  }
}
