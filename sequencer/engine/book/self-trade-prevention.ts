/** An incoming order that meets a resting order of its owner's, of whichever sub-account, never trades with it. */
import { RemoveReason } from '#protocol/event.ts';
import { stpOfFlags } from '#protocol/operation.ts';
import { STP_DECREMENT, STP_EXPIRE_BOTH, STP_EXPIRE_MAKER, STP_EXPIRE_TAKER } from '#protocol/units.ts';
import type { Core } from '../core.ts';
import { cancelResting, dropIncoming, reduceAndTell } from './resting.ts';

/** Applies the incoming order's choice to it and to the resting order in `maker`. */
export function preventSelfTrade(core: Core, maker: number): void {
  const { incoming, orders } = core.state;
  const choice = stpOfFlags(incoming.flags);
  if (choice === STP_DECREMENT) {
    const lots = Math.min(incoming.remaining, orders.size(maker));
    if (lots === orders.size(maker)) cancelResting(core, maker, RemoveReason.SELF_TRADE);
    else reduceAndTell(core, maker, lots, 1);
    if (lots === incoming.remaining) dropIncoming(core, incoming, RemoveReason.SELF_TRADE);
    else incoming.remaining -= lots;
    return;
  }
  if (choice === STP_EXPIRE_MAKER || choice === STP_EXPIRE_BOTH)
    cancelResting(core, maker, RemoveReason.SELF_TRADE);
  if (choice === STP_EXPIRE_TAKER || choice === STP_EXPIRE_BOTH)
    dropIncoming(core, incoming, RemoveReason.SELF_TRADE);
}
