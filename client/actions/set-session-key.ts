/** Lets another key sign for the account: with an end, and only what its scope says. Never withdrawals. */
import { fromHex } from '#protocol/bytes.ts';
import { SCOPE_ALL, SCOPE_CANCEL, SCOPE_LOCK, SCOPE_TRADE } from '#protocol/operation.ts';
import { invalidArgument } from '../errors.ts';
import type { Session } from '../session.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

export type SessionScope = 'all' | 'trade' | 'cancel' | 'lock';
const SCOPES: Readonly<Record<SessionScope, number>> = {
  all: SCOPE_ALL,
  trade: SCOPE_TRADE,
  cancel: SCOPE_CANCEL,
  lock: SCOPE_LOCK,
};

const addressBytes = (key: Uint8Array | string): Uint8Array => {
  const bytes = typeof key === 'string' ? fromHex(key) : key;
  if (bytes.length !== 20)
    throw invalidArgument('session key', 'an address of 20 bytes', `${bytes.length} bytes`);
  return bytes;
};

/** Needs the owner's own signature. `expiry`: milliseconds. */
export const setSessionKey = async (
  session: Session,
  key: { readonly address: Uint8Array | string; readonly expiry: number; readonly scope?: SessionScope },
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    {
      kind: 'session-key',
      key: addressBytes(key.address),
      scope: SCOPES[key.scope ?? 'all'],
      expiry: key.expiry,
    },
    options,
  );

/** Ends a session key at once. */
export const endSessionKey = async (
  session: Session,
  key: { readonly address: Uint8Array | string },
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    { kind: 'session-key', key: addressBytes(key.address), scope: 0, expiry: 0 },
    options,
  );
