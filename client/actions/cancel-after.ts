/** Dead-man timer: all orders are canceled at the deadline unless it is moved on before. */
import type { Session } from '../session.ts';
import { integer } from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** `afterMs` from now by the server's clock, at least a second; 0 disarms. */
export const cancelAfter = async (
  session: Session,
  timer: { readonly afterMs: number },
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    {
      kind: 'cancel-after',
      deadline:
        timer.afterMs === 0
          ? 0
          : session.transport.serverNow() + Math.ceil(integer('afterMs', timer.afterMs)),
    },
    options,
  );
