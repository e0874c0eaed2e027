/** The machine's clock and timers: the only place of the product's corridor that reads them. */
import type { Clock, Scheduler } from './ports.ts';

/** Longest delay that a timer takes; longer waits are cut and asked for again. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock & Scheduler = {
  nowMs: () => Date.now(),
  monotonicUs: () => performance.now() * 1000,
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), TIMEOUT_MS_MAX)).unref();
    return () => clearTimeout(timer);
  },
};
