/**
 * What was signed before a restart must be found again in the journal. A new epoch after a strike is the only way out:
 * the strike made what was said in the epochs before it void.
 */
import type { InputCursor, SignedReceipt } from '#protocol/receipt.ts';
import type { Seq } from '#protocol/units.ts';
import type { ChainMark } from './input-chain.ts';

export interface RestartFacts {
  /** Where the history begins here. */
  readonly start: InputCursor;
  /** The last receipt that may have left the process. */
  readonly last: SignedReceipt | undefined;
  /** Last command of the journal. */
  readonly lastSeq: Seq;
  readonly epoch: number;
  readonly struckEpoch?: number;
}

/** Throws one sentence when the journal can't contain what was signed. */
export function marksOf({ start, last, lastSeq, epoch, struckEpoch = 0 }: RestartFacts): ChainMark[] {
  if (last === undefined || last.epoch <= struckEpoch) return [];
  const what = `receipt ${last.seq} of epoch ${last.epoch}`;
  if (last.epoch > epoch)
    throw new Error(`receipts: expected epoch ${last.epoch} or later, got ${epoch}: ${what} was signed`);
  if (last.seq > lastSeq)
    throw new Error(
      `receipts: expected the journal to reach command ${last.seq}, for which a receipt was signed in epoch ${last.epoch}, ` +
        `got ${lastSeq}: restore the journal; signing on would contradict the receipt`,
    );
  // What lies before the start is in a signed batch, which the batcher answers for.
  return last.seq < start.seq ? [] : [{ cursor: last, what }];
}
