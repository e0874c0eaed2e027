/** QUEUE_ENTRY: what L1 asks for — deposits, forced withdrawals and cancels, configuration. */
import { DEPOSIT, EventKind, QUEUE_PROCESSED, RemoveReason } from '#protocol/event.ts';
import { QUOTE_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { MARKET_ORDER_BIT, NO_MARKET, REDUCE_ONLY_BIT } from '#protocol/operation.ts';
import {
  decodeEvaluatePayload,
  decodeMoneyPayload,
  decodeQueueEntry,
  decodeReduceOnlyPayload,
  nextQueueHash,
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
import { Reject } from '#protocol/reject.ts';
import { IOC, QUOTE_ASSET } from '#protocol/units.ts';
import { LIQUIDATING } from '#state/accounts.ts';
import { StepKind } from '#state/trace.ts';
import { runIncoming } from '../book/match.ts';
import type { Core } from '../core.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';
import { addCash } from '../risk/settle-fill.ts';
import { withdrawable } from '../risk/withdrawable.ts';
import { configureAsset, configureChain, configureMarket, configurePublisher } from './configure.ts';
import { evaluate } from './evaluate.ts';
import { openAccount } from './isolate.ts';
import { payOut } from './money.ts';
import { checkOrder, openIncoming } from './place.ts';
import { openWalk, runWalk } from './walk.ts';

const STEP_BY_KIND = new Map<number, number>([
  [QUEUE_DEPOSIT, StepKind.DEPOSIT],
  [QUEUE_CONFIGURE_CHAIN, StepKind.CONFIGURE],
  [QUEUE_CONFIGURE_MARKET, StepKind.CONFIGURE],
  [QUEUE_CONFIGURE_PUBLISHER, StepKind.CONFIGURE],
  [QUEUE_CONFIGURE_ASSET, StepKind.CONFIGURE],
  [QUEUE_EVALUATE_LIQUIDATION, StepKind.EVALUATE],
]);

/** The entry of a record, undefined unless it is whole and the next one in the queue. */
export function nextEntry(core: Core, record: Uint8Array): QueueEntry | undefined {
  const entry = decodeQueueEntry(record.subarray(RECORD_HEADER_BYTES));
  return entry?.index === core.state.queueNext ? entry : undefined;
}

export function applyQueueEntry(core: Core, risk: RiskChecks, record: Uint8Array): void {
  const { state, trace, events } = core;
  const entry = decodeQueueEntry(record.subarray(RECORD_HEADER_BYTES));
  // By its bytes alone: which step comes next must not depend on where the queue stands.
  core.step(entry === undefined ? StepKind.FORCED : (STEP_BY_KIND.get(entry.kind) ?? StepKind.FORCED));
  if (entry?.index !== state.queueNext) return;
  state.queueHash = nextQueueHash(state.keccak, state.queueHash, entry);
  state.queueNext = entry.index + 1;
  trace.queue();
  const code = process(core, risk, entry);
  const at = events.add(EventKind.QUEUE_PROCESSED);
  events.data[at + QUEUE_PROCESSED.index] = entry.index;
  events.data[at + QUEUE_PROCESSED.kind] = entry.kind;
  events.data[at + QUEUE_PROCESSED.code] = code;
  if (state.walk.active) runWalk(core);
  if (state.incoming.active) runIncoming(core, risk);
}

function process(core: Core, risk: RiskChecks, entry: QueueEntry): number {
  switch (entry.kind) {
    case QUEUE_DEPOSIT:
      return deposit(core, entry);
    case QUEUE_WITHDRAW:
      return forcedWithdraw(core, risk, entry);
    case QUEUE_CANCEL_ALL:
      return forcedCancelAll(core, entry);
    case QUEUE_REDUCE_ONLY_IOC:
      return forcedReduce(core, risk, entry);
    case QUEUE_EVALUATE_LIQUIDATION:
      return forcedEvaluate(core, risk, entry);
    case QUEUE_CONFIGURE_CHAIN:
      return configureChain(core, entry.payload);
    case QUEUE_CONFIGURE_MARKET:
      return configureMarket(core, entry.payload);
    case QUEUE_CONFIGURE_ASSET:
      return configureAsset(core, entry.payload);
    case QUEUE_CONFIGURE_PUBLISHER:
      return configurePublisher(core, entry.payload);
    default:
      return Reject.QUEUE_ENTRY_INVALID;
  }
}

/** A deposit that can't be credited to the account (another asset, or beyond the cash bound) goes back to L1. */
function deposit(core: Core, entry: QueueEntry): number {
  const { state, trace, events } = core;
  const money = decodeMoneyPayload(entry.payload);
  if (money === undefined) return Reject.QUEUE_ENTRY_INVALID;
  const { asset, subaccount, amount } = money;
  let account = state.accountOf(entry.owner, subaccount);
  if (account === 0)
    account = openAccount(core, entry.owner, { subaccount, riskPool: 0, isolatedMarket: NO_MARKET });
  if (asset !== QUOTE_ASSET || state.accounts.cash[account]! + amount > QUOTE_MAX / 2) {
    state.setWithdrawn(entry.owner, asset, state.withdrawnBy(entry.owner, asset) + BigInt(amount));
    trace.withdrawn(account, asset);
    return asset === QUOTE_ASSET ? Reject.AMOUNT_OUT_OF_RANGE : Reject.UNKNOWN_ASSET;
  }
  addCash(core, account, amount);
  trace.account(account);
  const at = events.add(EventKind.DEPOSIT);
  events.data[at + DEPOSIT.account] = account;
  events.data[at + DEPOSIT.asset] = asset;
  events.data[at + DEPOSIT.amount] = amount;
  events.data[at + DEPOSIT.queueIndex] = entry.index;
  return Reject.NONE;
}

/** Pays min(requested, what may be withdrawn). */
function forcedWithdraw(core: Core, risk: RiskChecks, entry: QueueEntry): number {
  const { state } = core;
  const money = decodeMoneyPayload(entry.payload);
  if (money === undefined) return Reject.QUEUE_ENTRY_INVALID;
  const account = state.accountOf(entry.owner, money.subaccount);
  if (account === 0) return Reject.UNKNOWN_ACCOUNT;
  const margin = risk.margin(account);
  if ((state.accounts.flags[account]! & LIQUIDATING) !== 0) return Reject.LIQUIDATING;
  if (margin.stale) return Reject.ORACLE_STALE;
  if (money.asset !== QUOTE_ASSET) return Reject.UNKNOWN_ASSET;
  if (money.amount === 0) return Reject.AMOUNT_OUT_OF_RANGE;
  const amount = Math.min(money.amount, withdrawable(state, account, margin));
  if (amount === 0) return Reject.INSUFFICIENT_FREE_COLLATERAL;
  payOut(core, account, amount, true);
  return Reject.NONE;
}

function forcedCancelAll(core: Core, entry: QueueEntry): number {
  if (entry.payload.length !== 1) return Reject.QUEUE_ENTRY_INVALID;
  const account = core.state.accountOf(entry.owner, entry.payload[0]!);
  if (account === 0) return Reject.UNKNOWN_ACCOUNT;
  openWalk(core, { account, market: -1, reason: RemoveReason.FORCED, ofMessage: false });
  return Reject.NONE;
}

/** An order that only reduces, at once or not at all: who is refused by the gateway can still close a position. */
function forcedReduce(core: Core, risk: RiskChecks, entry: QueueEntry): number {
  const { state, order } = core;
  const wanted = decodeReduceOnlyPayload(entry.payload);
  if (wanted === undefined) return Reject.QUEUE_ENTRY_INVALID;
  const account = state.accountOf(entry.owner, wanted.subaccount);
  if (account === 0) return Reject.UNKNOWN_ACCOUNT;
  order.account = account;
  order.market = wanted.market;
  // Own resting orders in its way are canceled (self-trade prevention 0).
  order.flags = wanted.side | (IOC << 1) | REDUCE_ONLY_BIT | (wanted.price === 0 ? MARKET_ORDER_BIT : 0);
  order.price = wanted.price;
  order.size = wanted.size;
  order.clientId = 0;
  order.expiry = 0;
  const code = checkOrder(core, risk, order);
  if (code === Reject.NONE) openIncoming(core, order, { reducing: risk.reducing, forced: true });
  return code;
}

/** Anyone may ask for a look at any account. */
function forcedEvaluate(core: Core, risk: RiskChecks, entry: QueueEntry): number {
  const account = decodeEvaluatePayload(entry.payload);
  if (account === undefined) return Reject.QUEUE_ENTRY_INVALID;
  return core.state.accounts.has(account) ? evaluate(core, risk, account) : Reject.UNKNOWN_ACCOUNT;
}
