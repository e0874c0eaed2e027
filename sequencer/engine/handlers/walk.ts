/** Walks cancel an account's orders one step each, by market and order id: cancel-all, dead-man, disconnect, forced. */
import { REGISTER_WALK } from '#state/keys.ts';
import { StepKind } from '#state/trace.ts';
import { cancelResting } from '../book/resting.ts';
import type { Core } from '../core.ts';

/** Opens the walk register; the caller's step is the one in which it opens. */
export function openWalk(
  core: Core,
  walk: { account: number; market: number; reason: number; ofMessage: boolean },
): void {
  const register = core.state.walk;
  register.active = true;
  register.account = walk.account;
  register.market = walk.market;
  register.reason = walk.reason;
  register.ofMessage = walk.ofMessage;
  register.canceled = 0;
  core.trace.register(REGISTER_WALK);
}

/** Runs the walk to its end; the last step finds nothing and closes it. Returns the orders canceled. */
export function runWalk(core: Core): number {
  const { walk } = core.state;
  for (;;) {
    core.step(StepKind.WALK);
    core.trace.register(REGISTER_WALK);
    const slot = nextOrder(core);
    if (slot < 0) {
      walk.active = false;
      return walk.canceled;
    }
    cancelResting(core, slot, walk.reason);
    walk.canceled++;
  }
}

/** The account's first order by (market, order id), -1 when none is left. */
function nextOrder(core: Core): number {
  const { accounts, positions, walk } = core.state;
  for (let slot = accounts.firstPosition[walk.account]!; slot >= 0; slot = positions.next(slot)) {
    if (walk.market >= 0 && positions.market(slot) !== walk.market) continue;
    const head = positions.ownHead(slot);
    if (head >= 0) return head;
  }
  return -1;
}
