/** The plain demo: publishers with a random walk, market makers and takers, until the time is over or Ctrl-C. */
import { formatPrice } from '../units.ts';
import type { DemoOptions } from './flags.ts';
import { Interrupted, type Job } from './job.ts';
import { DEMO_CHAIN, DEMO_MARKETS } from './markets.ts';
import { startTraders, TRADER_COUNT, TRADER_FUNDING } from './traders.ts';

/** Quotes are withdrawn on the way out, but nobody waits longer than this for that. */
const STOP_MS_MAX = 3_000;

export const demoJob = (options: DemoOptions): Job => ({
  kind: 'demo',
  title: `Sluice: ${DEMO_MARKETS.length} perpetual markets, seed ${options.seed}`,
  chain: DEMO_CHAIN,
  markets: DEMO_MARKETS.map(({ config }) => config),
  accounts: TRADER_COUNT,
  funding: TRADER_FUNDING,
  // So that a second start in the same directory finds money to trade with.
  withdrawShare: 0.5,
  async run({ supervisor, identities, tally, signal, say }) {
    say('starting the publishers');
    await supervisor.startPublishers(
      options.seed,
      new Map(DEMO_MARKETS.map(({ config, startPrice }) => [config.symbol, formatPrice(config, startPrice)])),
    );
    const traders = await startTraders({ url: supervisor.url, identities, seed: options.seed, tally });
    say('trading');
    try {
      await untilTimeIsOver(options.duration, signal);
    } finally {
      say('stopping the traders');
      const stopped = traders.stop();
      if (signal.aborted) await Promise.race([stopped, pause(STOP_MS_MAX)]);
      else await stopped;
    }
    return { replay: undefined };
  },
});

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

function untilTimeIsOver(seconds: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason ?? new Interrupted());
    };
    // A timer holds the process up even where the run has no end of its own.
    const timer = seconds === undefined ? undefined : setTimeout(() => resolve(), seconds * 1_000);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
