/** A replay: the recorded flow through the exchange, its prices by the publishers, and the comparison at the end. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SluiceClient } from '../client.ts';
import { SluiceError } from '../errors.ts';
import { runPublishers } from '../publisher/run-publishers.ts';
import { keySigner } from '../signer.ts';
import type { DemoOptions } from './flags.ts';
import type { Job } from './job.ts';
import { REPLAY_CHAIN, REPLAY_MARKET, replayFunding, replayMarket } from './markets.ts';
import { formatBook, formatFills, type Recording } from './recording.ts';
import { firstPrice, playRecording, ReplayPrices } from './replay.ts';
import { compareReplay } from './replay-compare.ts';
import { planReplay } from './replay-plan.ts';

const PRICE_INTERVAL_MS = 1_000;
const FIRST_PRICE_MS_MAX = 30_000;

export function replayJob(
  options: DemoOptions,
  recording: Recording,
  publisherKeys: () => readonly string[],
): Job {
  const { rows } = recording;
  const plan = planReplay(rows, { market: REPLAY_MARKET });
  const market = replayMarket(plan);
  return {
    kind: 'replay',
    title: `Sluice: replay of ${path.basename(recording.file)}, ${rows.length} rows, speed ${options.speed}`,
    chain: REPLAY_CHAIN,
    markets: [market],
    accounts: plan.accounts,
    funding: replayFunding(plan, market),
    withdrawShare: 1,
    async run({ supervisor, identities, tally, signal, say }) {
      const { url } = supervisor;
      const prices = new ReplayPrices(firstPrice(rows));
      const publishers = await runPublishers({
        url,
        signers: publisherKeys().map((key) => keySigner(key)),
        source: () => prices,
        intervalMs: PRICE_INTERVAL_MS,
      });
      try {
        await untilPriced(url, signal);
        const result = await playRecording({
          url,
          market: REPLAY_MARKET,
          rows,
          plan,
          senders: identities,
          speed: options.speed,
          tally,
          prices,
          signal,
          onProgress: (row) => say(`row ${row} of ${rows.length}`),
        });
        if (options.fills !== undefined) await writeFile(options.fills, formatFills(result.fills));
        if (options.bookEnd !== undefined) await writeFile(options.bookEnd, formatBook(result.book));
        const takes = rows.filter((row) => row.op === 'take').length;
        const verdict = compareReplay(takes, result, recording);
        return { replay: { ...verdict, differences: [...result.refusals, ...verdict.differences] } };
      } finally {
        await publishers.stop();
      }
    },
  };
}

/** Orders are admitted once the market has an index. */
async function untilPriced(url: string, signal: AbortSignal): Promise<void> {
  const client = await SluiceClient.connect({ url });
  try {
    const until = performance.now() + FIRST_PRICE_MS_MAX;
    while ((await client.markets()).some(({ indexPrice, indexVoid }) => indexPrice === 0 || indexVoid)) {
      signal.throwIfAborted();
      if (performance.now() > until)
        throw new SluiceError('TIMEOUT', 'publishers: expected a first index price within 30 s, got none');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await client.close();
  }
}
