/**
 * EVALUATE, of a record or of the L1 queue: looks at the margin of one account and does what the waterfall of margin.md
 * section 7 demands now. V < M for the first time: its orders are canceled, and it may only reduce from then on. After
 * that it stands on the book while C ≤ V and `bookPhaseMs` have not passed, and each look sends a slice of its largest
 * position there; then it stands in the auction. V ≥ M ends it.
 */
import { viewOf } from '#protocol/bytes.ts';
import { EventKind, LIQUIDATION_PHASE, RemoveReason } from '#protocol/event.ts';
import { RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { MARKET_HALTED } from '#protocol/market.ts';
import { REDUCE_ONLY_BIT } from '#protocol/operation.ts';
import { Reject } from '#protocol/reject.ts';
import { BUY, IOC, SELL } from '#protocol/units.ts';
import { LIQUIDATING } from '#state/accounts.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { Liquidation, PHASE_AUCTION, PHASE_BOOK, PHASE_RESTRICTED } from '#state/liquidation-state.ts';
import type { Core } from '../core.ts';
import { closeOut, flowLots, flowMs, sliceLots, slicePrice } from '../risk/liquidation.ts';
import type { Margin } from '../risk/margin.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';
import { largestPosition, liquidatedPosition } from '../risk/slice.ts';
import { openIncoming } from './place.ts';
import { openWalk } from './walk.ts';

/** The account of an EVALUATE record, 0 when it is of no account. */
export function evaluatedAccount(state: ExchangeState, record: Uint8Array): number {
  if (record.length !== RECORD_HEADER_BYTES + 4) return 0;
  const account = viewOf(record).getUint32(RECORD_HEADER_BYTES, true);
  return state.accounts.has(account) ? account : 0;
}

/** The account exists. May open the walk's or the incoming order's register; the caller runs it. */
export function evaluate(core: Core, risk: RiskChecks, account: number): number {
  const { state } = core;
  const margin = risk.margin(account);
  if (margin.frozen) return Reject.ORACLE_STALE;
  const held = state.liquidations.get(account);
  if (margin.equityMaintenance >= margin.maintenance) {
    if (held !== undefined) end(core, account, margin);
  } else if (held === undefined) start(core, account, margin);
  else carryOn(core, account, held, margin);
  return Reject.NONE;
}

function start(core: Core, account: number, margin: Margin): void {
  const { state, trace } = core;
  state.accounts.flags[account] = state.accounts.flags[account]! | LIQUIDATING;
  state.liquidations.set(account, new Liquidation(state.now));
  trace.account(account);
  trace.liquidation(account);
  tell(core, EventKind.LIQUIDATION_STARTED, { account, phase: PHASE_RESTRICTED, margin });
  openWalk(core, { account, market: -1, reason: RemoveReason.LIQUIDATION, ofMessage: false });
}

function end(core: Core, account: number, margin: Margin): void {
  const { state, trace } = core;
  const { flags } = state.accounts;
  const held = state.liquidations.get(account)!;
  flags[account] = flags[account]! & ~LIQUIDATING;
  state.liquidations.delete(account);
  trace.account(account);
  trace.liquidation(account);
  tell(core, EventKind.LIQUIDATION_ENDED, { account, phase: held.phase, margin });
}

/** Phases follow one another, none is skipped back to. */
function carryOn(core: Core, account: number, held: Liquidation, margin: Margin): void {
  const { state } = core;
  const onBook = margin.equityMaintenance >= closeOut(margin.maintenance);
  const isLate = held.phase === PHASE_BOOK && state.now - held.phaseBegan >= state.chain.bookPhaseMs;
  if (held.phase <= PHASE_BOOK && (!onBook || isLate)) enter(core, account, held, PHASE_AUCTION, margin);
  else if (held.phase <= PHASE_BOOK) {
    if (held.phase === PHASE_RESTRICTED) enter(core, account, held, PHASE_BOOK, margin);
    sendSlice(core, account, held, margin);
  }
}

/**
 * A slice of the position with the largest maintenance margin becomes the incoming order, which the caller runs: not so
 * soon after the last one, nor while the market has taken as much as its depth allows.
 */
function sendSlice(core: Core, account: number, held: Liquidation, margin: Margin): void {
  const { state, trace, order } = core;
  const { chain, now } = state;
  if (now < held.sliceTime + chain.auctionRoundMs) return;
  const slot = largestPosition(state, account);
  const id = state.positions.market(slot);
  const market = state.markets[id]!;
  if (market.status() === MARKET_HALTED || now < market.pacedUntil) return;
  const position = liquidatedPosition(state, slot, margin);
  const clock = { elapsedMs: now - held.phaseBegan, intervalMs: chain.sliceIntervalMs };
  const lotValue = market.lotValue(market.mark);
  let size = sliceLots(position, clock, chain.sliceNotional);
  if (market.depth > 0) {
    size = Math.min(size, flowLots(lotValue, market.depth));
    market.pacedUntil = now + flowMs(size, lotValue, market.depth);
    trace.marketRisk(id);
  }
  held.market = id;
  held.sliceTime = now;
  trace.liquidation(account);
  const side = position.size > 0 ? SELL : BUY;
  order.account = account;
  order.market = id;
  order.flags = side | (IOC << 1) | REDUCE_ONLY_BIT;
  order.price = Math.min(market.config.maxPrice, slicePrice(position, clock));
  order.size = size;
  order.clientId = 0;
  order.expiry = 0;
  openIncoming(core, order, { reducing: false, forced: true, liquidation: true });
}

function enter(core: Core, account: number, held: Liquidation, phase: number, margin: Margin): void {
  held.phase = phase;
  held.phaseBegan = core.state.now;
  core.trace.liquidation(account);
  tell(core, EventKind.LIQUIDATION_PHASE, { account, phase, margin });
}

function tell(core: Core, kind: number, what: { account: number; phase: number; margin: Margin }): void {
  const { events } = core;
  const at = events.add(kind);
  events.data[at + LIQUIDATION_PHASE.account] = what.account;
  events.data[at + LIQUIDATION_PHASE.phase] = what.phase;
  events.data[at + LIQUIDATION_PHASE.equity] = what.margin.equityMaintenance;
  events.data[at + LIQUIDATION_PHASE.maintenance] = what.margin.maintenance;
}
