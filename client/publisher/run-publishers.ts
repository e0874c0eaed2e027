/** Several publishers in one process, each with its own key, connection and error. */
import type { SluiceError } from '../errors.ts';
import type { KeySigner } from '../signer.ts';
import type { PriceSource } from './price-source.ts';
import { Publisher, type PublisherTotals } from './publisher.ts';

export interface PublishersOptions {
  readonly url: string;
  readonly signers: readonly KeySigner[];
  /** Source of the publisher with this place in `signers`. */
  readonly source: (place: number) => PriceSource;
  readonly markets?: readonly number[];
  readonly intervalMs?: number;
  readonly onTrouble?: (error: SluiceError, place: number) => void;
}

export interface RunningPublishers {
  readonly publishers: readonly Publisher[];
  /** Of all together. */
  totals(): PublisherTotals;
  stop(): Promise<void>;
}

/** Starts them all; when one can't begin, those that have are stopped and its error is thrown. */
export async function runPublishers(options: PublishersOptions): Promise<RunningPublishers> {
  const { url, markets, intervalMs, onTrouble } = options;
  const started = await Promise.allSettled(
    options.signers.map((signer, place) =>
      Publisher.start({
        url,
        signer,
        source: options.source(place),
        ...(markets === undefined ? {} : { markets }),
        ...(intervalMs === undefined ? {} : { intervalMs }),
        ...(onTrouble === undefined ? {} : { onTrouble: (error) => onTrouble(error, place) }),
      }),
    ),
  );
  const publishers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(publishers.map((publisher) => publisher.stop()));
  };
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return {
    publishers,
    stop,
    totals: () => {
      const sum: PublisherTotals = { sent: 0, taken: 0, refused: 0, skipped: 0 };
      for (const { totals } of publishers)
        for (const name of ['sent', 'taken', 'refused', 'skipped'] as const) sum[name] += totals[name];
      return sum;
    },
  };
}
