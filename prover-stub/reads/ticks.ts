/** What prices and time look at: PRICE_ROUND, SAMPLE, FUNDING, EXPIRE. */
import { getU48be, getU64be, viewOf } from '#protocol/bytes.ts';
import { DEPTH_LEVELS_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { BUY, SELL } from '#protocol/units.ts';
import * as keys from '#state/keys.ts';
import {
  EXPIRY_BITS,
  market,
  restingOrder,
  SIDE_BITS,
  type StepContext,
  type StepReads,
  sideLevels,
} from './collector.ts';

export function priceRoundReads(reads: StepReads, { record }: StepContext): void {
  if (record.length < RECORD_HEADER_BYTES + 2) return;
  const id = viewOf(record).getUint16(RECORD_HEADER_BYTES, true);
  reads.leaf(keys.publishersKey(), keys.oracleKey(id));
  market(reads, id);
}

export function sampleReads(reads: StepReads, { state }: StepContext): void {
  const id = state.sampleCursor;
  market(reads, id);
  for (const side of [BUY, SELL]) reads.range(sideLevels(id, side), SIDE_BITS, DEPTH_LEVELS_MAX);
}

export function fundingReads(reads: StepReads, { state }: StepContext): void {
  market(reads, state.fundingCursor);
}

/** The engine has taken the first expiry off its queue by now; it still stands in the tree. */
export function expireReads(reads: StepReads, { state, trees }: StepContext): void {
  const prefix = keys.expiryKey(0, 0, 0);
  reads.range(prefix, EXPIRY_BITS, 1);
  const first = trees.book.firstUnder(prefix, EXPIRY_BITS);
  if (first === undefined) return;
  reads.leaf(first.key);
  const view = viewOf(first.key);
  const id = getU64be(view, 8);
  if (first.key[7] === keys.EXPIRY_ORDER) {
    restingOrder(reads, state, state.orders.find(id));
    return;
  }
  reads.leaf(keys.accountKey(id), keys.registerKey(keys.REGISTER_WALK));
  reads.leaf(keys.expiryKey(getU48be(view, 1), keys.EXPIRY_DEAD_MAN, id));
}
