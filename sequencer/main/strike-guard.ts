/**
 * Keeps a struck history from going on. At the start: nothing may have been made of these data in an epoch that a
 * strike ended, unless they were recovered from it. While it runs: the first strike of the epoch ends the process.
 * An epoch that the sequencer opened by itself, without a strike, makes nothing void and stops nothing.
 */
import type { SegmentJournal } from '#journal/segment-journal.ts';
import type { BatchStore, ReceiptMemory } from '#pipeline/ports.ts';
import type { FollowedStrike, L1Follower } from '#settlement/l1/follower.ts';
import type { Recovered } from './recovered-file.ts';

export interface MadeData {
  readonly journal: Pick<SegmentJournal, 'lastEpoch' | 'lastSeq'>;
  readonly batches: Pick<BatchStore, 'latest'>;
  readonly lastReceipt: Pick<ReceiptMemory, 'last'>;
  /** Of these data. */
  readonly recovered: Recovered | undefined;
}

/** The newest epoch in which anything was made of these data; 0 while there is nothing. */
export async function dataEpoch({ journal, batches, lastReceipt, recovered }: MadeData): Promise<number> {
  return Math.max(
    journal.lastSeq === 0 ? 0 : journal.lastEpoch,
    (await batches.latest())?.header.epoch ?? 0,
    lastReceipt.last?.epoch ?? 0,
    recovered?.epoch ?? 0,
  );
}

/** True when a strike made void what stands in the data and they were not recovered from it. */
export async function needsRecovery(data: MadeData, struckEpoch: number): Promise<boolean> {
  const epoch = await dataEpoch(data);
  return epoch !== 0 && epoch <= struckEpoch;
}

export const recoverCommand = (directory: string): string =>
  `sluice recover --data ${directory} --into NEW, then start with --data NEW`;

/** Throws one sentence when the data must be recovered before anything is added to them. */
export async function checkNotStruck(data: MadeData, directory: string, struckEpoch: number): Promise<void> {
  if (!(await needsRecovery(data, struckEpoch))) return;
  throw new Error(
    `--data ${directory}: a strike on L1 ended epoch ${struckEpoch}, expected data that were recovered from it, got those of ` +
      `epoch ${await dataEpoch(data)}; nothing was started: ${recoverCommand(directory)}`,
  );
}

/** Calls back once, at the first strike that ends `epoch` or a later one; returns what stops it. */
export function onStrike(
  follower: Pick<L1Follower, 'strike' | 'onChange'>,
  epoch: number,
  callback: (strike: FollowedStrike) => void,
): () => void {
  const look = (): void => {
    const { strike } = follower;
    if (strike === undefined || strike.epoch < epoch) return;
    stop();
    callback(strike);
  };
  const stop = follower.onChange(look);
  look();
  return stop;
}

/** With what a struck sequencer ends. */
export const strikeSentence = (strike: FollowedStrike, directory: string): string =>
  `batch ${strike.id} was struck on L1 in block ${strike.blockNumber}: it and all after it are void, and the bond is gone; ` +
  `nothing more is taken: ${recoverCommand(directory)}`;
