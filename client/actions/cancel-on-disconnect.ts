/** All orders are canceled when the account's connection is lost for longer than the grace period. */
import type { Session } from '../session.ts';
import { integer } from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** `graceMs`: time to come back; `false` turns it off. */
export const cancelOnDisconnect = async (
  session: Session,
  setting: false | { readonly graceMs: number },
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    {
      kind: 'cancel-on-disconnect',
      enabled: setting !== false,
      graceMs: setting === false ? 0 : integer('graceMs', setting.graceMs, 2 ** 32 - 1),
    },
    options,
  );
