/**
 * EVALUATE, of a record or of the L1 queue: looks at the margin of one account and does what the waterfall of margin.md
 * section 7 demands now. V < M for the first time: its orders are canceled, and it may only reduce from then on. After
 * that it stands on the book while C ≤ V and `bookPhaseMs` have not passed, then in the auction. V ≥ M ends it.
 */
import { viewOf } from '#protocol/bytes.ts';
import { EventKind, LIQUIDATION_PHASE, RemoveReason } from '#protocol/event.ts';
import { RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { Reject } from '#protocol/reject.ts';
import { LIQUIDATING } from '#state/accounts.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { Liquidation, PHASE_AUCTION, PHASE_BOOK, PHASE_RESTRICTED } from '#state/liquidation-state.ts';
import type { Core } from '../core.ts';
import { closeOut } from '../risk/liquidation.ts';
import type { Margin } from '../risk/margin.ts';
import type { RiskChecks } from '../risk/pre-trade.ts';
import { openWalk } from './walk.ts';

/** The account of an EVALUATE record, 0 when it is of no account. */
export function evaluatedAccount(state: ExchangeState, record: Uint8Array): number {
  if (record.length !== RECORD_HEADER_BYTES + 4) return 0;
  const account = viewOf(record).getUint32(RECORD_HEADER_BYTES, true);
  return state.accounts.has(account) ? account : 0;
}

/** The account exists. May open the walk register; the caller runs it. */
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
  else if (held.phase === PHASE_RESTRICTED) enter(core, account, held, PHASE_BOOK, margin);
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
