/** MESSAGE: authenticates a signed message, then runs its operations in order. */
import { MESSAGE_HEADER_BYTES, NONCE_AHEAD_MS_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import {
  checkMessage,
  messageAccount,
  messageNonce,
  messageOperationCount,
  messageValidUntil,
} from '#protocol/message.ts';
import * as op from '#protocol/operation.ts';
import { Reject } from '#protocol/reject.ts';
import { type NonceWindow, nonceState, useNonce } from '#state/accounts.ts';
import type { SessionKey } from '#state/exchange-state.ts';
import { REGISTER_MESSAGE } from '#state/keys.ts';
import { SCOPE_OWNER } from '#state/registers.ts';
import { StepKind } from '#state/trace.ts';
import type { Core } from '../core.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';
import {
  setCancelAfter,
  setCancelOnDisconnect,
  setLeverage,
  setLock,
  setSessionKey,
} from './account-settings.ts';
import { amend } from './amend.ts';
import { cancel } from './cancel.ts';
import { cancelAll } from './cancel-all.ts';
import { isolate } from './isolate.ts';
import { transfer, withdraw } from './money.ts';
import { place } from './place.ts';

/** Scope that each operation kind needs; SCOPE_OWNER: only the owner's own signature. */
const SCOPE_NEEDED: readonly number[] = [
  SCOPE_OWNER,
  op.SCOPE_TRADE,
  op.SCOPE_ALL,
  op.SCOPE_ALL,
  op.SCOPE_TRADE,
  SCOPE_OWNER,
  SCOPE_OWNER,
  SCOPE_OWNER,
  op.SCOPE_ALL,
  op.SCOPE_ALL,
  SCOPE_OWNER,
  op.SCOPE_TRADE,
  SCOPE_OWNER,
  SCOPE_OWNER,
  // Unlocking needs the owner: the operation itself says so.
  op.SCOPE_LOCK,
];

const mayOperate = (scope: number, kind: number): boolean => {
  if (scope === SCOPE_OWNER) return true;
  const needed = SCOPE_NEEDED[kind]!;
  return needed !== SCOPE_OWNER && (scope & needed) !== 0;
};

export interface Authentication {
  code: number;
  scope: number;
  nonces: NonceWindow | undefined;
  sessionKey: SessionKey | undefined;
}

const refused = (code: number): Authentication => ({
  code,
  scope: 0,
  nonces: undefined,
  sessionKey: undefined,
});

/**
 * Everything that decides whether the loaded message enters the sequence, at time `time`; `signer` are the 20
 * bytes recovered from its signature. Changes nothing.
 */
export function authenticate(core: Core, signer: Uint8Array, time: number): Authentication {
  const { state, view } = core;
  const body = RECORD_HEADER_BYTES;
  const malformed = checkMessage(view, body, core.length - body);
  if (malformed !== Reject.NONE) return refused(malformed);
  if (signer.length !== 20) return refused(Reject.BAD_SIGNATURE);
  const account = messageAccount(view, body);
  const { accounts } = state;
  if (!accounts.has(account)) return refused(Reject.UNKNOWN_ACCOUNT);
  let scope = SCOPE_OWNER;
  let nonces = accounts.nonce(account);
  let sessionKey: SessionKey | undefined;
  if (!accounts.isOwner(account, signer, 0)) {
    sessionKey = state.sessionKey(account, signer);
    if (sessionKey === undefined) return refused(Reject.SIGNER_NOT_AUTHORIZED);
    if (sessionKey.expiry <= time) return refused(Reject.SESSION_KEY_EXPIRED);
    scope = sessionKey.scope;
    nonces = sessionKey.nonces;
  }
  if (messageValidUntil(view, body) < time) return refused(Reject.MESSAGE_EXPIRED);
  const nonce = messageNonce(view, body);
  const freshness = nonceState(nonces, nonce);
  if (freshness === 'old') return refused(Reject.NONCE_TOO_OLD);
  if (freshness === 'used') return refused(Reject.NONCE_USED);
  if (nonce > time + NONCE_AHEAD_MS_MAX) return refused(Reject.NONCE_TOO_FAR_AHEAD);
  let at = body + MESSAGE_HEADER_BYTES;
  for (let i = messageOperationCount(view, body); i > 0; i--) {
    const kind = view.getUint8(at);
    if (!mayOperate(scope, kind)) return refused(Reject.SCOPE_NOT_ALLOWED);
    at += op.OPERATION_BYTES[kind]!;
  }
  return { code: Reject.NONE, scope, nonces, sessionKey };
}

export function applyMessage(core: Core, risk: RiskChecks, record: Uint8Array, signers: Uint8Array): void {
  const { state, trace, view } = core;
  core.step(StepKind.MESSAGE);
  const authentication = authenticate(core, signers, state.now);
  // The sequencer refuses such a message before it is stamped; as an input it does nothing.
  if (authentication.code !== Reject.NONE) return;
  const body = RECORD_HEADER_BYTES;
  const account = messageAccount(view, body);
  useNonce(authentication.nonces!, messageNonce(view, body));
  if (authentication.sessionKey === undefined) trace.account(account);
  else trace.sessionKey(account, authentication.sessionKey.key);
  const { message } = state;
  message.active = true;
  message.record = record;
  message.account = account;
  message.scope = authentication.scope;
  message.count = messageOperationCount(view, body);
  message.next = 0;
  message.offset = 0;
  trace.register(REGISTER_MESSAGE);
  while (message.active) operate(core, risk, view, body + MESSAGE_HEADER_BYTES + message.offset);
}

function operate(core: Core, risk: RiskChecks, view: DataView, at: number): void {
  switch (view.getUint8(at)) {
    case op.PLACE:
      place(core, risk, view, at);
      break;
    case op.CANCEL:
      cancel(core, view, at);
      break;
    case op.CANCEL_ALL:
      cancelAll(core, view, at);
      break;
    case op.AMEND:
      amend(core, risk, view, at);
      break;
    case op.WITHDRAW:
      withdraw(core, risk, view, at);
      break;
    case op.TRANSFER:
      transfer(core, risk, view, at);
      break;
    case op.SESSION_KEY:
      setSessionKey(core, view, at);
      break;
    case op.CANCEL_AFTER:
      setCancelAfter(core, view, at);
      break;
    case op.CANCEL_ON_DISCONNECT:
      setCancelOnDisconnect(core, view, at);
      break;
    case op.SET_LEVERAGE:
      setLeverage(core, risk, view, at);
      break;
    case op.ISOLATE:
      isolate(core, view, at);
      break;
    case op.LOCK:
      setLock(core, view, at);
      break;
  }
}
