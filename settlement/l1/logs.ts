/**
 * Reads event logs over a range of blocks in pieces: nodes cap range or answer size, so a piece that is refused is
 * halved, and grows again after.
 */
import { type Abi, type Address, encodeEventTopics, type Hex, type Log } from 'viem';
import type { L1Client } from './client.ts';
import { l1Error } from './errors.ts';

export interface LogFilter {
  readonly abi: Abi;
  /** Every event of the ABI when left out. */
  readonly eventName?: string;
  readonly address?: Address | readonly Address[];
}

export interface LogPiece {
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly logs: Log[];
}

const PIECE_BLOCKS_MAX = 10_000;

/** Pieces in ascending order that cover the range without gaps. Rejects with `L1Error`. */
export async function* scanLogs(
  l1: L1Client,
  filter: LogFilter,
  range: { readonly fromBlock: number; readonly toBlock: number },
): AsyncGenerator<LogPiece> {
  const topics: Hex[] =
    filter.eventName === undefined
      ? []
      : [encodeEventTopics({ abi: filter.abi, eventName: filter.eventName })[0] as Hex];
  let blocks = PIECE_BLOCKS_MAX;
  let from = range.fromBlock;
  while (from <= range.toBlock) {
    const to = Math.min(range.toBlock, from + blocks - 1);
    let logs: Log[];
    try {
      logs = await getLogs(l1, {
        topics,
        from,
        to,
        ...(filter.address === undefined ? {} : { address: filter.address }),
      });
    } catch (error) {
      const sorted = l1Error(error, `l1 ${l1.url}: logs of blocks ${from} to ${to}`);
      if (sorted.code !== 'rejected' || to === from) throw sorted;
      blocks = Math.max(1, Math.floor((to - from + 1) / 2));
      continue;
    }
    yield { fromBlock: from, toBlock: to, logs };
    from = to + 1;
    blocks = Math.min(PIECE_BLOCKS_MAX, blocks * 2);
  }
}

async function getLogs(
  l1: L1Client,
  query: { topics: Hex[]; from: number; to: number; address?: Address | readonly Address[] },
): Promise<Log[]> {
  const raw = (await l1.public.request({
    method: 'eth_getLogs',
    params: [
      {
        fromBlock: hexNumber(query.from),
        toBlock: hexNumber(query.to),
        topics: query.topics,
        ...(query.address === undefined ? {} : { address: query.address as Address | Address[] }),
      },
    ],
  } as never)) as unknown as RawLog[];
  return raw.map(
    (log) =>
      ({
        ...log,
        blockNumber: BigInt(log.blockNumber),
        logIndex: Number(log.logIndex),
        transactionIndex: Number(log.transactionIndex),
        removed: false,
      }) as unknown as Log,
  );
}

interface RawLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly transactionIndex: Hex;
  readonly logIndex: Hex;
}

const hexNumber = (value: number): Hex => `0x${value.toString(16)}`;
