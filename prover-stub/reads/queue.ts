/** What entries of the L1 queue look at: DEPOSIT, FORCED, CONFIGURE. */

import { decodeAssetConfig } from '#protocol/asset.ts';
import { viewOf } from '#protocol/bytes.ts';
import { QUEUE_ENTRY, recordKind } from '#protocol/command.ts';
import { RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { decodeMarketConfig } from '#protocol/market.ts';
import {
  decodeEvaluatePayload,
  decodeMoneyPayload,
  decodeQueueEntry,
  decodeReduceOnlyPayload,
  QUEUE_CANCEL_ALL,
  QUEUE_CONFIGURE_ASSET,
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
  QUEUE_DEPOSIT,
  QUEUE_EVALUATE_LIQUIDATION,
  QUEUE_REDUCE_ONLY_IOC,
  QUEUE_WITHDRAW,
  type QueueEntry,
} from '#protocol/queue-entry.ts';
import * as keys from '#state/keys.ts';
import { fundings, margins, market, type StepContext, type StepReads } from './collector.ts';
import { evaluationReads, recordEvaluationReads } from './liquidation.ts';

/** Of a record of its own or of an entry. */
export function evaluateReads(reads: StepReads, context: StepContext): void {
  if (recordKind(viewOf(context.record)) === QUEUE_ENTRY) queueEntryReads(reads, context);
  else recordEvaluationReads(reads, context);
}

export function queueEntryReads(reads: StepReads, context: StepContext): void {
  const entry = decodeQueueEntry(context.record.subarray(RECORD_HEADER_BYTES));
  reads.leaf(keys.queueKey());
  if (entry === undefined) return;
  switch (entry.kind) {
    case QUEUE_DEPOSIT:
      depositReads(reads, context, entry);
      break;
    case QUEUE_WITHDRAW:
      forcedWithdrawReads(reads, context, entry);
      break;
    case QUEUE_CANCEL_ALL:
      if (entry.payload.length === 1)
        reads.leaf(keys.ownerKey(entry.owner, entry.payload[0]!), keys.registerKey(keys.REGISTER_WALK));
      break;
    case QUEUE_REDUCE_ONLY_IOC:
      forcedReduceReads(reads, context, entry);
      break;
    case QUEUE_EVALUATE_LIQUIDATION: {
      const account = decodeEvaluatePayload(entry.payload);
      if (account !== undefined) evaluationReads(reads, context, account);
      break;
    }
    case QUEUE_CONFIGURE_CHAIN:
      break;
    case QUEUE_CONFIGURE_MARKET: {
      const config = decodeMarketConfig(entry.payload);
      if (config !== undefined) market(reads, config.market);
      break;
    }
    case QUEUE_CONFIGURE_ASSET: {
      const config = decodeAssetConfig(entry.payload);
      if (config !== undefined) reads.leaf(keys.assetConfigKey(config.asset), keys.poolKey(config.asset));
      break;
    }
    case QUEUE_CONFIGURE_PUBLISHER:
      reads.leaf(keys.publishersKey());
      break;
  }
}

function depositReads(reads: StepReads, { state }: StepContext, { owner, payload }: QueueEntry): void {
  const money = decodeMoneyPayload(payload);
  if (money === undefined) return;
  const { asset, subaccount } = money;
  const account = state.accountOf(owner, subaccount) || state.accounts.count + 1;
  reads.leaf(
    keys.ownerKey(owner, subaccount),
    keys.accountKey(account),
    keys.withdrawnKey(owner, asset),
    keys.withdrawnTotalKey(asset),
  );
}

function forcedWithdrawReads(reads: StepReads, { state }: StepContext, { owner, payload }: QueueEntry): void {
  const money = decodeMoneyPayload(payload);
  if (money === undefined) return;
  const { asset, subaccount } = money;
  reads.leaf(keys.ownerKey(owner, subaccount));
  const account = state.accountOf(owner, subaccount);
  if (account === 0) return;
  reads.leaf(keys.accountKey(account), keys.withdrawnKey(owner, asset), keys.withdrawnTotalKey(asset));
  margins(reads, state, account);
  fundings(reads, state, account);
}

function forcedReduceReads(reads: StepReads, { state }: StepContext, { owner, payload }: QueueEntry): void {
  const wanted = decodeReduceOnlyPayload(payload);
  if (wanted === undefined) return;
  reads.leaf(keys.ownerKey(owner, wanted.subaccount));
  const account = state.accountOf(owner, wanted.subaccount);
  if (account === 0) return;
  reads.leaf(keys.accountKey(account), keys.countersKey(), keys.registerKey(keys.REGISTER_INCOMING));
  market(reads, wanted.market);
}
