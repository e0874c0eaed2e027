/** What prices and time look at: PRICE_ROUND, SAMPLE, FUNDING, EXPIRE. */
import { nearLevels } from '#engine/pricing/depth.ts';
import { impactNotional } from '#engine/pricing/funding.ts';
import { mayLiquidate } from '#engine/pricing/validity.ts';
import { getU48be, getU64be, viewOf } from '#protocol/bytes.ts';
import { recordTime } from '#protocol/command.ts';
import { DEPTH_LEVELS_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { BUY, SELL } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import * as keys from '#state/keys.ts';
import type { MarketState } from '#state/market-state.ts';
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

export function sampleReads(reads: StepReads, { state, record }: StepContext): void {
  const id = state.sampleCursor;
  const sampled = state.markets[id]!;
  market(reads, id);
  // The clock is the record's from its first tick on.
  const isSound = mayLiquidate(state, sampled, recordTime(viewOf(record)));
  for (const side of [BUY, SELL]) {
    const near = Math.min(nearLevels(sampled.book(side), sampled.mark) + 1, DEPTH_LEVELS_MAX);
    const max = isSound ? Math.max(near, impactLevels(state, sampled, side)) : near;
    reads.range(sideLevels(id, side), SIDE_BITS, max);
  }
}

/** Levels that are read until they hold the impact notional, or one more than there are. */
function impactLevels(state: ExchangeState, sampled: MarketState, side: number): number {
  const book = sampled.book(side);
  const target = impactNotional(sampled.tiers[0]!.initialPpm);
  let quote = 0;
  for (let n = 0; n < Math.min(book.depth, DEPTH_LEVELS_MAX); n++) {
    quote += state.levels.size(book.levelAt(n)) * sampled.lotValue(book.priceAt(n));
    if (quote >= target) return n + 1;
  }
  return Math.min(book.depth + 1, DEPTH_LEVELS_MAX);
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
