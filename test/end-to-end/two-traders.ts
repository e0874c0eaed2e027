/** What two traders do so that there is a history: orders that trade, and one that rests, round by round. */
import type { SluiceClient } from '#client/client.ts';
import { MARK, MARKET } from './funded-l1.ts';
import { until } from './until.ts';

/** Seqs of the orders: in each round the maker's ask, the taker's bid that takes it, an ask that rests. */
export async function trade(
  clients: readonly SluiceClient[],
  rounds: number,
  { pauseMs = 0 }: { readonly pauseMs?: number } = {},
): Promise<number[]> {
  const [maker, taker] = clients as [SluiceClient, SluiceClient];
  const seqs: number[] = [];
  const place = async (client: SluiceClient, side: 0 | 1, price: number): Promise<void> => {
    const operation = { kind: 'place', market: MARKET, side, price, size: 10, timeInForce: 0 } as const;
    seqs.push((await client.sendOperations([operation])).seq);
  };
  for (let round = 0; round < rounds; round++) {
    await place(maker, 1, MARK + 10);
    await place(taker, 0, MARK + 10);
    await place(maker, 1, MARK + 20 + round);
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return seqs;
}

export const stageOf = async (client: SluiceClient, seq: number): Promise<string> =>
  (await client.finality({ seq })).stage;

export const committed = (seq: number, client: SluiceClient): Promise<void> =>
  until(`command ${seq} to be committed`, async () =>
    ['committed', 'final'].includes(await stageOf(client, seq)),
  );
