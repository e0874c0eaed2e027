/**
 * Which leaves and ranges the Solidity handler of a step looks at: what the docstrings of settlement/contracts/step say,
 * named before the step is run. What a step writes is named by the engine itself (segment-witness.ts); a key too many
 * costs some gas, a key too few makes the contract revert with its name.
 */
import { MESSAGE_HEADER_BYTES, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import * as keys from '#state/keys.ts';
import { StepKind } from '#state/trace.ts';
import {
  cancelAfterReads,
  cancelOnDisconnectReads,
  disconnectReads,
  isolateReads,
  lockReads,
  messageReads,
  sessionKeyReads,
  setLeverageReads,
  transferReads,
  withdrawReads,
} from './reads/accounts.ts';
import { EXPIRY_BITS, SIDE_BITS, type StepContext, StepReads, sideOrders } from './reads/collector.ts';
import { evaluateReads, queueEntryReads } from './reads/queue.ts';
import { expireReads, fundingReads, priceRoundReads, sampleReads } from './reads/ticks.ts';
import {
  amendReads,
  cancelAllReads,
  cancelReads,
  matchReads,
  placeReads,
  restReads,
  walkReads,
} from './reads/trading.ts';

/** All registers, by their kind byte. */
const REGISTER_BITS = 8;
const REGISTERS = 4;

type OperationReads = (reads: StepReads, context: StepContext, at: number) => void;
type OwnReads = (reads: StepReads, context: StepContext) => void;

/** Steps that execute the current operation of the open message. */
const OPERATIONS: Readonly<Record<number, OperationReads>> = {
  [StepKind.PLACE]: placeReads,
  [StepKind.CANCEL]: cancelReads,
  [StepKind.CANCEL_ALL]: cancelAllReads,
  [StepKind.AMEND]: amendReads,
  [StepKind.WITHDRAW]: withdrawReads,
  [StepKind.TRANSFER]: transferReads,
  [StepKind.SESSION_KEY]: sessionKeyReads,
  [StepKind.CANCEL_AFTER]: cancelAfterReads,
  [StepKind.CANCEL_ON_DISCONNECT]: cancelOnDisconnectReads,
  [StepKind.SET_LEVERAGE]: setLeverageReads,
  [StepKind.ISOLATE]: isolateReads,
  [StepKind.LOCK]: lockReads,
};

const OTHERS: Readonly<Record<number, OwnReads>> = {
  [StepKind.MESSAGE]: messageReads,
  [StepKind.MATCH]: matchReads,
  [StepKind.REST]: restReads,
  [StepKind.WALK]: walkReads,
  [StepKind.PRICE_ROUND]: priceRoundReads,
  [StepKind.SAMPLE]: sampleReads,
  [StepKind.FUNDING]: fundingReads,
  [StepKind.EXPIRE]: expireReads,
  [StepKind.DEPOSIT]: queueEntryReads,
  [StepKind.FORCED]: queueEntryReads,
  [StepKind.CONFIGURE]: queueEntryReads,
  [StepKind.CLOCK]: () => {},
  [StepKind.DISCONNECT]: disconnectReads,
  [StepKind.VERSION]: () => {},
  [StepKind.EVALUATE]: evaluateReads,
};

/** The reads of the step of `kind` that comes next. */
export function stepReads(kind: number, context: StepContext): StepReads {
  const reads = new StepReads();
  reads.leaf(keys.globalsKey());
  const operation = OPERATIONS[kind];
  if (operation !== undefined) {
    const { offset } = context.state.message;
    reads.leaf(keys.registerKey(keys.REGISTER_MESSAGE));
    operation(reads, context, RECORD_HEADER_BYTES + MESSAGE_HEADER_BYTES + offset);
  } else if (OTHERS[kind] !== undefined) OTHERS[kind](reads, context);
  else throw new Error(`step kind: expected a known one, got ${kind}`);
  const ends = kind === StepKind.REST || kind === StepKind.WALK;
  if (ends && context.state.message.active) reads.leaf(keys.registerKey(keys.REGISTER_MESSAGE));
  return reads;
}

/** What the schedule looks at to tell which step is next; the slices of steps do not hold it for that. */
export function scheduleReads({ state }: Pick<StepContext, 'state'>): StepReads {
  const reads = new StepReads();
  reads.leaf(keys.globalsKey());
  reads.range(keys.registerKey(0), REGISTER_BITS, REGISTERS);
  reads.leaf(keys.registerKey(keys.REGISTER_RECORD));
  const { incoming, walk, message } = state;
  if (incoming.active) reads.range(sideOrders(incoming.market, 1 - (incoming.flags & 1)), SIDE_BITS, 1);
  else if (!walk.active && !message.active) reads.range(keys.expiryKey(0, 0, 0), EXPIRY_BITS, 1);
  return reads;
}
