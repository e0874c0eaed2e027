/** The account's own leverage in a market: it asks at least 1 / leverage of its positions and orders there. */
import { MILLION } from '#protocol/limits.ts';
import { invalidArgument } from '../errors.ts';
import type { Session } from '../session.ts';
import { type MarketReference, marketIdOf } from './order-form.ts';
import { type SendOptions, type SingleOutcome, sendOperation } from './send-operations.ts';

/** ⌈1e6 / leverage⌉ ppm; 0 for 0, which gives the setting up. Throws INVALID_ARGUMENT for other numbers below 1. */
export function initialPpmOf(leverage: number): number {
  if (leverage === 0) return 0;
  if (!(leverage >= 1 && leverage <= MILLION))
    throw invalidArgument('leverage', `a number from 1 to ${MILLION}, or 0 to give it up`, leverage);
  return Math.ceil(MILLION / leverage);
}

/** A session key that may trade is enough. */
export const setLeverage = async (
  session: Session,
  setting: { readonly market: MarketReference; readonly leverage: number },
  options?: SendOptions,
): Promise<SingleOutcome> =>
  sendOperation(
    session,
    {
      kind: 'set-leverage',
      market: marketIdOf(session, setting.market),
      initialPpm: initialPpmOf(setting.leverage),
    },
    options,
  );
