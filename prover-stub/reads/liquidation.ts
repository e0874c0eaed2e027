/** What the steps of liquidations look at: EVALUATE. */
import { largestPosition } from '#engine/risk/slice.ts';
import { viewOf } from '#protocol/bytes.ts';
import { RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import * as keys from '#state/keys.ts';
import { margins, type StepContext, type StepReads } from './collector.ts';

/** Of an EVALUATE record; that of the L1 queue is in queue.ts. */
export function recordEvaluationReads(reads: StepReads, context: StepContext): void {
  const { record } = context;
  if (record.length === RECORD_HEADER_BYTES + 4)
    evaluationReads(reads, context, viewOf(record).getUint32(RECORD_HEADER_BYTES, true));
}

export function evaluationReads(reads: StepReads, { state }: StepContext, account: number): void {
  reads.leaf(keys.accountKey(account));
  if (!state.accounts.has(account)) return;
  reads.leaf(keys.liquidationKey(account), keys.registerKey(keys.REGISTER_WALK));
  margins(reads, state, account);
  if (!state.liquidations.has(account)) return;
  const largest = largestPosition(state, account);
  if (largest < 0) return;
  const market = state.positions.market(largest);
  reads.leaf(
    keys.marketStateKey(market),
    keys.marketRiskKey(market),
    keys.countersKey(),
    keys.registerKey(keys.REGISTER_INCOMING),
  );
}
