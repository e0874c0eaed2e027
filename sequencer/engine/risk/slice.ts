/** Which position of an account is liquidated next, and what the arithmetic of its slices needs to know of it. */
import type { ExchangeState } from '#state/exchange-state.ts';
import type { LiquidatedPosition } from './liquidation.ts';
import { type Margin, maintenanceRequirement } from './margin.ts';

/** q: maintenance margin of one position at the mark. */
export function requirementOf(state: ExchangeState, slot: number): number {
  const { positions } = state;
  const market = state.markets[positions.market(slot)]!;
  return maintenanceRequirement(market.tiers, Math.abs(positions.size(slot)) * market.lotValue(market.mark));
}

/** Position of the account with the largest maintenance margin, of equal ones that of the lowest market; -1 without any. */
export function largestPosition(state: ExchangeState, account: number): number {
  let largest = -1;
  let most = 0;
  for (let slot = state.accounts.firstPosition[account]!; slot >= 0; slot = state.positions.next(slot)) {
    const requirement = requirementOf(state, slot);
    if (requirement <= most) continue;
    most = requirement;
    largest = slot;
  }
  return largest;
}

/** `margin` of its account as it stands. */
export function liquidatedPosition(state: ExchangeState, slot: number, margin: Margin): LiquidatedPosition {
  const { positions } = state;
  const market = state.markets[positions.market(slot)]!;
  return {
    size: positions.size(slot),
    mark: market.mark,
    qm: market.config.qm,
    requirement: requirementOf(state, slot),
    equity: margin.equityMaintenance,
    maintenance: margin.maintenance,
  };
}
