/** The kill switch: cancels everything, and lets the account do nothing but reduce until its owner unlocks it. */
import type { Session } from '../session.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** Locking needs the owner or a key of scope `lock`; unlocking the owner's own signature. */
export const setLock = async (
  session: Session,
  locked: boolean,
  options?: SendOptions,
): Promise<SingleOutcome> => sendOperation(session, { kind: 'lock', locked }, options);
