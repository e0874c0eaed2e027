/**
 * The state machine: apply(state, command) → events. One switch, the table of contents; the rules stand in
 * handlers/, one file per command. Pure: time, prices and L1 facts come in as commands.
 */
import { assert, InvariantError } from '#protocol/assert.ts';
import { viewOf } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import * as command from '#protocol/command.ts';
import { type EventBuffer, RemoveReason } from '#protocol/event.ts';
import { RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { Reject } from '#protocol/reject.ts';
import { ENGINE_VERSION, type ExchangeState } from '#state/exchange-state.ts';
import { NO_TRACE, StepKind, type Trace } from '#state/trace.ts';
import { runIncoming } from './book/match.ts';
import { Core } from './core.ts';
import { evaluate, evaluatedAccount } from './handlers/evaluate.ts';
import { applyMessage, authenticate } from './handlers/message.ts';
import { applyPriceRound, judgeRound } from './handlers/price-round.ts';
import { applyQueueEntry, nextEntry } from './handlers/queue-entry.ts';
import { runDueTicks } from './handlers/ticks.ts';
import { openWalk, runWalk } from './handlers/walk.ts';
import { RiskChecks } from './risk/pre-trade.ts';

export class Engine {
  readonly state: ExchangeState;
  readonly risk: RiskChecks;
  private readonly core: Core;

  constructor(state: ExchangeState, trace: Trace = NO_TRACE) {
    this.state = state;
    this.core = new Core(state, trace);
    this.risk = new RiskChecks(state);
  }

  /** What the last applied command did; overwritten by the next one. */
  get events(): EventBuffer {
    return this.core.events;
  }

  /**
   * Whether a command may enter the sequence if stamped `time`: 0, or why not. Only what is admitted is
   * stamped, journaled and posted. Changes nothing.
   */
  admit(candidate: Command, time: number): number {
    const { record, signers } = candidate;
    if (record.length > this.core.bytes.length) return Reject.MALFORMED_MESSAGE;
    this.core.load(record);
    switch (record[4]) {
      case command.MESSAGE:
        return authenticate(this.core, signers, time).code;
      case command.PRICE_ROUND:
        return judgeRound(this.state, record, signers, time).code;
      case command.QUEUE_ENTRY:
        return nextEntry(this.core, record) === undefined ? Reject.QUEUE_ENTRY_INVALID : Reject.NONE;
      case command.DISCONNECT:
        return this.disconnectable(record) === 0 ? Reject.UNKNOWN_ACCOUNT : Reject.NONE;
      case command.CLOCK:
        return Reject.NONE;
      case command.VERSION:
        return isVersion(record) ? Reject.NONE : Reject.MALFORMED_MESSAGE;
      case command.EVALUATE:
        return evaluatedAccount(this.state, record) === 0 ? Reject.UNKNOWN_ACCOUNT : Reject.NONE;
      default:
        return Reject.MALFORMED_MESSAGE;
    }
  }

  /** Applies one stamped command. Its record must be whole, of a known kind, and not before the last one. */
  apply(next: Command): void {
    const { record, signers } = next;
    const { core, state } = this;
    if (record.length > core.bytes.length)
      wrongRecord('length', `at most ${core.bytes.length}`, record.length);
    core.load(record);
    const { view } = core;
    checkRecord(view, record.length, state.now);
    core.begin(command.recordTime(view), record);
    runDueTicks(core);
    core.endTicks();
    switch (command.recordKind(view)) {
      case command.MESSAGE:
        applyMessage(core, this.risk, record, signers);
        break;
      case command.PRICE_ROUND:
        applyPriceRound(core, record, signers);
        break;
      case command.QUEUE_ENTRY:
        applyQueueEntry(core, this.risk, record);
        break;
      case command.CLOCK:
        core.step(StepKind.CLOCK);
        break;
      case command.DISCONNECT:
        this.disconnect(record);
        break;
      case command.VERSION:
        core.step(StepKind.VERSION);
        assert(record.length === RECORD_HEADER_BYTES + 4, 'a version record has a body of 4 bytes');
        assert(
          view.getUint32(RECORD_HEADER_BYTES, true) === ENGINE_VERSION,
          `these rules are version ${ENGINE_VERSION}, the record asks for ${view.getUint32(RECORD_HEADER_BYTES, true)}`,
        );
        state.engineVersion = ENGINE_VERSION;
        core.trace.globals();
        break;
      case command.EVALUATE:
        this.evaluate(record);
        break;
    }
  }

  private evaluate(record: Uint8Array): void {
    const { core, state } = this;
    core.step(StepKind.EVALUATE);
    const account = evaluatedAccount(state, record);
    if (account === 0) return;
    evaluate(core, this.risk, account);
    if (state.walk.active) runWalk(core);
    if (state.incoming.active) runIncoming(core, this.risk);
  }

  /** The account of a DISCONNECT if it has asked for cancel-on-disconnect, else 0. */
  private disconnectable(record: Uint8Array): number {
    if (record.length !== RECORD_HEADER_BYTES + 4) return 0;
    const account = viewOf(record).getUint32(RECORD_HEADER_BYTES, true);
    const { accounts } = this.state;
    return accounts.has(account) && accounts.disconnectGrace[account]! > 0 ? account : 0;
  }

  private disconnect(record: Uint8Array): void {
    this.core.step(StepKind.DISCONNECT);
    const account = this.disconnectable(record);
    if (account === 0) return;
    openWalk(this.core, { account, market: -1, reason: RemoveReason.DISCONNECT, ofMessage: false });
    runWalk(this.core);
  }
}

/** A VERSION record of the rules that this engine is. */
const isVersion = (record: Uint8Array): boolean =>
  record.length === RECORD_HEADER_BYTES + 4 &&
  viewOf(record).getUint32(RECORD_HEADER_BYTES, true) === ENGINE_VERSION;

function wrongRecord(field: string, expected: string, got: number): never {
  throw new InvariantError(`record ${field}: expected ${expected}, got ${got}`);
}

/** Throws `InvariantError`: such a record is refused before it is stamped, and is a fraud on L1. */
function checkRecord(view: DataView, length: number, now: number): void {
  if (length < RECORD_HEADER_BYTES) wrongRecord('length', `at least ${RECORD_HEADER_BYTES}`, length);
  const body = command.recordBodyBytes(view);
  if (body > RECORD_BODY_BYTES_MAX || length !== RECORD_HEADER_BYTES + body)
    wrongRecord('body length', `${length - RECORD_HEADER_BYTES}, at most ${RECORD_BODY_BYTES_MAX}`, body);
  const kind = command.recordKind(view);
  if (kind < 1 || kind > command.COMMAND_KINDS_MAX)
    wrongRecord('kind', `1 … ${command.COMMAND_KINDS_MAX}`, kind);
  if (view.getUint8(5) !== 0) wrongRecord('reserved byte', '0', view.getUint8(5));
  if (command.recordTime(view) < now) wrongRecord('time', `at least ${now}`, command.recordTime(view));
}
