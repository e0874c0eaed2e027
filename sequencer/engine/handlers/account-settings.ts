/** SESSION_KEY, CANCEL_AFTER, CANCEL_ON_DISCONNECT, SET_LEVERAGE, LOCK: what an account has switched on. */
import { getU64 } from '#protocol/bytes.ts';
import {
  DEAD_MAN_SET,
  EventKind,
  LEVERAGE_SET,
  LOCK_SET,
  RemoveReason,
  SESSION_KEY_SET,
} from '#protocol/event.ts';
import { MILLION, POSITIONS_MAX, TIME_MS_MAX } from '#protocol/limits.ts';
import { SCOPE_ALL } from '#protocol/operation.ts';
import { Reject } from '#protocol/reject.ts';
import { LOCKED, newNonceWindow } from '#state/accounts.ts';
import { EXPIRY_DEAD_MAN } from '#state/keys.ts';
import { SCOPE_OWNER } from '#state/registers.ts';
import { StepKind } from '#state/trace.ts';
import { type Core, finishOperation } from '../core.ts';
import { accessRefusal } from '../risk/access.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';
import { openWalk, runWalk } from './walk.ts';

/** The nearest dead-man deadline that may be set: room for the next heartbeat. */
export const DEAD_MAN_AHEAD_MIN_MS = 1_000;
/** A longer grace would keep orders alive that nobody watches. */
export const DISCONNECT_GRACE_MAX_MS = 600_000;

export function setSessionKey(core: Core, view: DataView, at: number): void {
  const { state, trace, events } = core;
  core.step(StepKind.SESSION_KEY);
  const { account } = state.message;
  const scope = view.getUint8(at + 1);
  const key = new Uint8Array(view.buffer, view.byteOffset + at + 4, 20).slice();
  const expiry = getU64(view, at + 24);
  const existing = state.sessionKey(account, key);
  let code: number = Reject.NONE;
  const ends = expiry === 0;
  const validScope = ends ? scope === 0 : scope >= 1 && (scope & ~SCOPE_ALL) === 0;
  const validExpiry = ends || (expiry > state.now && expiry <= TIME_MS_MAX);
  const full = state.accounts.sessionKeys[account]! >= state.chain.sessionKeysMax;
  const isZero = key.every((byte) => byte === 0);
  if (existing === undefined && !ends && full) code = Reject.TOO_MANY_SESSION_KEYS;
  else if (!validScope || !validExpiry || isZero || (existing === undefined && ends))
    code = Reject.INVALID_SESSION_KEY;
  if (code === Reject.NONE) {
    // An ended key keeps its leaf: its used nonces must stay used if it is registered again.
    if (existing === undefined) {
      state.addSessionKey(account, { key, scope, expiry, nonces: newNonceWindow() });
      trace.account(account);
    } else {
      existing.scope = scope;
      existing.expiry = expiry;
    }
    trace.sessionKey(account, key);
    const row = events.add(EventKind.SESSION_KEY_SET);
    events.data[row + SESSION_KEY_SET.account] = account;
    events.data[row + SESSION_KEY_SET.scope] = scope;
    events.data[row + SESSION_KEY_SET.expiry] = expiry;
  }
  finishOperation(core, { code });
}

export function setCancelAfter(core: Core, view: DataView, at: number): void {
  const { state, trace, events } = core;
  core.step(StepKind.CANCEL_AFTER);
  const { account } = state.message;
  const deadline = getU64(view, at + 8);
  if (deadline !== 0 && (deadline < state.now + DEAD_MAN_AHEAD_MIN_MS || deadline > TIME_MS_MAX)) {
    finishOperation(core, { code: Reject.INVALID_DEADLINE });
    return;
  }
  const before = state.accounts.deadMan[account]!;
  if (before !== 0) trace.expiry(before, EXPIRY_DEAD_MAN, account);
  state.accounts.deadMan[account] = deadline;
  trace.account(account);
  if (deadline !== 0) {
    state.expiries.push({ time: deadline, kind: EXPIRY_DEAD_MAN, id: account });
    trace.expiry(deadline, EXPIRY_DEAD_MAN, account);
  }
  const row = events.add(EventKind.DEAD_MAN_SET);
  events.data[row + DEAD_MAN_SET.account] = account;
  events.data[row + DEAD_MAN_SET.deadline] = deadline;
  finishOperation(core, { code: Reject.NONE });
}

export function setCancelOnDisconnect(core: Core, view: DataView, at: number): void {
  const { state, trace } = core;
  core.step(StepKind.CANCEL_ON_DISCONNECT);
  const { account } = state.message;
  const enabled = view.getUint8(at + 1) === 1;
  const graceMs = view.getUint32(at + 4, true);
  if (graceMs > DISCONNECT_GRACE_MAX_MS) {
    finishOperation(core, { code: Reject.INVALID_DEADLINE });
    return;
  }
  state.accounts.disconnectGrace[account] = enabled ? graceMs + 1 : 0;
  trace.account(account);
  finishOperation(core, { code: Reject.NONE });
}

/** The account's own floor of the initial rate in one market; its record is kept while the setting stands. */
export function setLeverage(core: Core, risk: RiskChecks, view: DataView, at: number): void {
  const { state, trace, events } = core;
  core.step(StepKind.SET_LEVERAGE);
  const { account } = state.message;
  const market = view.getUint16(at + 2, true);
  const initialPpm = view.getUint32(at + 4, true);
  const code = leverageRefusal(core, risk, { account, market, initialPpm });
  if (code === Reject.NONE) {
    const slot =
      initialPpm === 0 ? state.findPosition(account, market) : state.ensurePosition(account, market);
    if (slot >= 0) {
      state.positions.setLeveragePpm(slot, initialPpm);
      state.releasePosition(account, slot);
      trace.account(account);
    }
    const row = events.add(EventKind.LEVERAGE_SET);
    events.data[row + LEVERAGE_SET.account] = account;
    events.data[row + LEVERAGE_SET.market] = market;
    events.data[row + LEVERAGE_SET.initialPpm] = initialPpm;
  }
  finishOperation(core, { code });
}

function leverageRefusal(
  core: Core,
  risk: RiskChecks,
  setting: { account: number; market: number; initialPpm: number },
): number {
  const { state } = core;
  const { accounts } = state;
  const { account, initialPpm } = setting;
  const market = state.market(setting.market);
  if (market === undefined) return Reject.UNKNOWN_MARKET;
  const slot = state.findPosition(account, setting.market);
  if (initialPpm === 0) return Reject.NONE;
  if (slot < 0 && accounts.positionCount[account]! >= POSITIONS_MAX) return Reject.TOO_MANY_POSITIONS;
  const access = accessRefusal(accounts, account, market.config);
  if (access !== Reject.NONE) return access;
  if (initialPpm > MILLION) return Reject.INVALID_LEVERAGE;
  return slot < 0 || risk.carriesLeverage(account, slot, initialPpm)
    ? Reject.NONE
    : Reject.INSUFFICIENT_MARGIN;
}

/**
 * The kill switch: every order is canceled, and from then on the account may only reduce and nothing leaves it. A key
 * of scope LOCK may lock; the owner's signature alone unlocks.
 */
export function setLock(core: Core, view: DataView, at: number): void {
  const { state, trace, events } = core;
  core.step(StepKind.LOCK);
  const { account, scope } = state.message;
  const locks = view.getUint8(at + 1) === 1;
  if (!locks && scope !== SCOPE_OWNER) {
    finishOperation(core, { code: Reject.SCOPE_NOT_ALLOWED });
    return;
  }
  const { flags } = state.accounts;
  flags[account] = locks ? flags[account]! | LOCKED : flags[account]! & ~LOCKED;
  trace.account(account);
  const row = events.add(EventKind.LOCK_SET);
  events.data[row + LOCK_SET.account] = account;
  events.data[row + LOCK_SET.locked] = locks ? 1 : 0;
  if (!locks) {
    finishOperation(core, { code: Reject.NONE });
    return;
  }
  openWalk(core, { account, market: -1, reason: RemoveReason.CANCELED_ALL, ofMessage: true });
  finishOperation(core, { code: Reject.NONE, canceled: runWalk(core) });
}
