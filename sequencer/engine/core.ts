/** What every handler works with: the state, where to say what happened, and where to say what was touched. */

import { viewOf } from '#protocol/bytes.ts';
import { EventBuffer, EventKind, OPERATION_RESULT } from '#protocol/event.ts';
import { MESSAGE_HEADER_BYTES, RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { OPERATION_BYTES } from '#protocol/operation.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { REGISTER_MESSAGE, REGISTER_RECORD } from '#state/keys.ts';
import type { Trace } from '#state/trace.ts';
import { FillOutcome } from './risk/fill.ts';

/** An order's fields as read from its operation. */
export class OrderFields {
  account = 0;
  market = 0;
  flags = 0;
  price = 0;
  size = 0;
  clientId = 0;
  expiry = 0;
}

export class Core {
  /** Scratch records, so that orders and fills allocate nothing. */
  readonly order = new OrderFields();
  readonly fill = new FillOutcome();
  readonly state: ExchangeState;
  readonly trace: Trace;
  readonly events = new EventBuffer();
  /** The record being applied, copied so that no command needs a view of its own. */
  readonly bytes = new Uint8Array(RECORD_HEADER_BYTES + RECORD_BODY_BYTES_MAX);
  readonly view = viewOf(this.bytes);
  /** Its length. */
  length = 0;
  private pending = false;
  /** Due ticks run; the record's own step comes after them. */
  private ticking = false;
  /** Time of the record being applied; `state.now` follows with its first step. */
  time = 0;

  constructor(state: ExchangeState, trace: Trace) {
    this.state = state;
    this.trace = trace;
  }

  /** Takes in a record, at most as long as limits allow. */
  load(record: Uint8Array): void {
    this.bytes.set(record);
    this.length = record.length;
  }

  /** The loaded record, stamped `time`, is applied from the next step on. */
  begin(time: number, record: Uint8Array): void {
    this.time = time;
    this.pending = true;
    this.ticking = true;
    this.state.record.record = record;
    this.events.start(this.state.seq + 1, time);
    this.trace.record(this.length);
  }

  /** The ticks are done: the next step is the record's own. */
  endTicks(): void {
    this.ticking = false;
  }

  /** A step begins: call before its first effect. The first one of a record moves the clock and the seq. */
  step(kind: number): void {
    this.trace.step(kind);
    const { record } = this.state;
    if (this.ticking !== record.active) {
      record.active = this.ticking;
      this.trace.register(REGISTER_RECORD);
    }
    if (!this.pending) return;
    this.pending = false;
    this.state.seq++;
    this.state.now = this.time;
    this.trace.globals();
  }
}

/** What one operation did, for its sender. */
export interface OperationOutcome {
  code: number;
  orderId?: number;
  clientId?: number;
  filled?: number;
  remaining?: number;
  canceled?: number;
  filledQuote?: number;
}

/** Ends the current operation of the message register: tells its sender, and moves on to the next one. */
export function finishOperation(core: Core, outcome: OperationOutcome): void {
  const { state, events } = core;
  const { message } = state;
  const kind = core.bytes[RECORD_HEADER_BYTES + MESSAGE_HEADER_BYTES + message.offset]!;
  const at = events.add(EventKind.OPERATION_RESULT);
  const row = events.data;
  row[at + OPERATION_RESULT.account] = message.account;
  row[at + OPERATION_RESULT.index] = message.next;
  row[at + OPERATION_RESULT.operation] = kind;
  row[at + OPERATION_RESULT.code] = outcome.code;
  row[at + OPERATION_RESULT.orderId] = outcome.orderId ?? 0;
  row[at + OPERATION_RESULT.clientId] = outcome.clientId ?? 0;
  row[at + OPERATION_RESULT.filled] = outcome.filled ?? 0;
  row[at + OPERATION_RESULT.remaining] = outcome.remaining ?? 0;
  row[at + OPERATION_RESULT.canceled] = outcome.canceled ?? 0;
  row[at + OPERATION_RESULT.filledQuote] = outcome.filledQuote ?? 0;
  message.next++;
  message.offset += OPERATION_BYTES[kind]!;
  if (message.next === message.count) message.active = false;
  core.trace.register(REGISTER_MESSAGE);
}
