/** Where the chain of batches stands after one of them: what the next one must go on from. */
import { type BatchHeader, FIRST_BATCH_ID, FIRST_EPOCH, FIRST_SEQ, FIRST_STEP } from '#protocol/batch.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import type { Hash } from '#protocol/units.ts';

export interface ChainTip {
  /** 0 before the first batch. */
  readonly id: number;
  readonly epoch: number;
  readonly hash: Hash;
  readonly ledgerRoot: Hash;
  readonly bookRoot: Hash;
  readonly inputHash: Hash;
  readonly nextStep: number;
  readonly nextSeq: number;
  readonly queueNext: number;
  readonly timeLast: number;
  readonly anchorNumber: number;
  /**
   * Queue entries whose records stand in inputs so far: `queueNext`, or one more where the batch ended between
   * the ticks before an entry and the entry itself.
   */
  readonly inputsQueueNext: number;
  /** Over all batches. */
  readonly segments: number;
}

export const GENESIS_TIP: ChainTip = {
  id: FIRST_BATCH_ID - 1,
  epoch: FIRST_EPOCH,
  hash: ZERO_HASH,
  ledgerRoot: ZERO_HASH,
  bookRoot: ZERO_HASH,
  inputHash: ZERO_HASH,
  nextStep: FIRST_STEP,
  nextSeq: FIRST_SEQ,
  queueNext: 0,
  timeLast: 0,
  anchorNumber: 0,
  inputsQueueNext: 0,
  segments: 0,
};

export const tipAfter = (
  header: BatchHeader,
  rest: Pick<ChainTip, 'hash' | 'inputsQueueNext' | 'segments'>,
): ChainTip => ({
  id: header.id,
  epoch: header.epoch,
  ledgerRoot: header.postLedgerRoot,
  bookRoot: header.postBookRoot,
  inputHash: header.postInputHash,
  nextStep: header.nextStep,
  nextSeq: header.nextSeq,
  queueNext: header.queueNext,
  timeLast: header.timeLast,
  anchorNumber: header.anchorNumber,
  ...rest,
});
