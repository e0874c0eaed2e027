/** Entries of the L1 queue, as its events tell them. */
import { parseEventLogs } from 'viem';
import { fromHex } from '#protocol/bytes.ts';
import type { QueueEntry } from '#protocol/queue-entry.ts';
import { queueAbi } from '#settlement/l1/abi.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { l1Error } from '#settlement/l1/errors.ts';
import { scanLogs } from '#settlement/l1/logs.ts';
import { SluiceError } from '../errors.ts';

/**
 * Entries `from` to before `to`, in order. Rejects with `L1Error`, and with a `SluiceError` NOT_FOUND when the node
 * leaves one out.
 */
export async function queueEntries(
  l1: L1Client,
  rollup: RollupContracts,
  range: { readonly from: number; readonly to: number },
): Promise<QueueEntry[]> {
  if (range.from >= range.to) return [];
  const latest = Number(await l1.public.getBlockNumber());
  const [, , block] = await l1.public
    .readContract({
      address: rollup.queue,
      abi: queueAbi,
      functionName: 'entries',
      args: [BigInt(range.from)],
    })
    .catch((error) => {
      throw l1Error(error, `queue entry ${range.from}`);
    });
  const filter = { abi: queueAbi, eventName: 'Enqueued', address: rollup.queue };
  const entries = new Map<number, QueueEntry>();
  for await (const piece of scanLogs(l1, filter, { fromBlock: Number(block), toBlock: latest }))
    for (const { args } of parseEventLogs({ abi: queueAbi, eventName: 'Enqueued', logs: piece.logs })) {
      const { index, kind, owner, payload } = args;
      if (index < range.from || index >= range.to) continue;
      entries.set(Number(index), {
        index: Number(index),
        kind,
        owner: fromHex(owner),
        payload: fromHex(payload),
      });
    }
  return Array.from({ length: range.to - range.from }, (_, i) => {
    const entry = entries.get(range.from + i);
    if (entry !== undefined) return entry;
    throw new SluiceError('NOT_FOUND', `l1 ${l1.url}: expected queue entry ${range.from + i}, got none`);
  });
}
