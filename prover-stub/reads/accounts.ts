/** What MESSAGE and the operations on an account look at: money, session keys, timers. */
import { getU64, viewOf } from '#protocol/bytes.ts';
import { RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { checkMessage, messageAccount } from '#protocol/message.ts';
import { NO_MARKET } from '#protocol/operation.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import * as keys from '#state/keys.ts';
import { fundings, margins, type StepContext, type StepReads } from './collector.ts';

export function messageReads(reads: StepReads, { state, record, signers }: StepContext): void {
  const view = viewOf(record);
  const body = RECORD_HEADER_BYTES;
  if (checkMessage(view, body, record.length - body) !== 0 || signers.length !== 20) return;
  const account = messageAccount(view, body);
  reads.leaf(keys.accountKey(account), keys.registerKey(keys.REGISTER_MESSAGE));
  if (state.accounts.has(account) && !state.accounts.isOwner(account, signers, 0))
    reads.leaf(keys.sessionKeyKey(account, signers));
}

export function withdrawReads(reads: StepReads, { state }: StepContext): void {
  const { account } = state.message;
  const owner = state.accounts.owner(account);
  reads.leaf(
    keys.accountKey(account),
    keys.withdrawnKey(owner, QUOTE_ASSET),
    keys.withdrawnTotalKey(QUOTE_ASSET),
  );
  margins(reads, state, account);
  fundings(reads, state, account);
}

export function transferReads(reads: StepReads, { state, record }: StepContext, at: number): void {
  const { account } = state.message;
  reads.leaf(keys.accountKey(account), keys.accountKey(viewOf(record).getUint32(at + 4, true)));
  margins(reads, state, account);
  fundings(reads, state, account);
}

export function sessionKeyReads(reads: StepReads, { state, record }: StepContext, at: number): void {
  const { account } = state.message;
  reads.leaf(keys.accountKey(account), keys.sessionKeyKey(account, record.slice(at + 4, at + 24)));
}

export function cancelAfterReads(reads: StepReads, { state, record }: StepContext, at: number): void {
  const { account } = state.message;
  const before = state.accounts.deadMan[account]!;
  const deadline = getU64(viewOf(record), at + 8);
  reads.leaf(keys.accountKey(account));
  for (const time of [before, deadline])
    if (time !== 0 && time < 2 ** 48) reads.leaf(keys.expiryKey(time, keys.EXPIRY_DEAD_MAN, account));
}

export function cancelOnDisconnectReads(reads: StepReads, { state }: StepContext): void {
  reads.leaf(keys.accountKey(state.message.account));
}

export function setLeverageReads(reads: StepReads, { state, record }: StepContext, at: number): void {
  const { account } = state.message;
  const market = viewOf(record).getUint16(at + 2, true);
  reads.leaf(keys.accountKey(account), keys.marketConfigKey(market), keys.pricesKey(market));
  margins(reads, state, account);
}

export function isolateReads(reads: StepReads, { state, record }: StepContext, at: number): void {
  const { account } = state.message;
  const market = viewOf(record).getUint16(at + 2, true);
  reads.leaf(
    keys.accountKey(account),
    keys.ownerKey(state.accounts.owner(account), record[at + 1]!),
    keys.accountKey(state.accounts.count + 1),
  );
  if (market !== NO_MARKET) reads.leaf(keys.marketConfigKey(market));
}

export function lockReads(reads: StepReads, { state }: StepContext): void {
  reads.leaf(keys.accountKey(state.message.account), keys.registerKey(keys.REGISTER_WALK));
}

/** DISCONNECT: a record of its own. */
export function disconnectReads(reads: StepReads, { record }: StepContext): void {
  if (record.length !== RECORD_HEADER_BYTES + 4) return;
  const account = viewOf(record).getUint32(RECORD_HEADER_BYTES, true);
  reads.leaf(keys.accountKey(account), keys.registerKey(keys.REGISTER_WALK));
}
