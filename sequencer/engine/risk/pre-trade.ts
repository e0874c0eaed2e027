/**
 * Whether an account may take on an order, and whether a resting order may still be filled (margin.md
 * section 3, the admission rule): initial margin holds after it, or it only reduces and does not lower equity
 * over maintenance margin.
 */
import { mulPpmUp } from '#protocol/fixed-point.ts';
import { NOTIONAL_MAX } from '#protocol/limits.ts';
import { Reject } from '#protocol/reject.ts';
import { BUY, signOf } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { MarketState } from '#state/market-state.ts';
import { mayOpen } from '../pricing/validity.ts';
import { FillOutcome, fillOutcome } from './fill.ts';
import { addExposure, Exposure, keepsRatio, Margin, MarginCalculator } from './margin.ts';

export interface OrderRisk {
  account: number;
  side: number;
  /** Worst price it accepts. */
  price: number;
  size: number;
  reduceOnly: boolean;
  /** Its rest comes to rest. */
  rests: boolean;
  /** An order of the account that this one replaces (amend): its side and kind are the same. 0 lots when none. */
  replacedLots: number;
  replacedQuote: number;
}

export class RiskChecks {
  private readonly state: ExchangeState;
  private readonly calculator: MarginCalculator;
  private readonly before = new Margin();
  private readonly after = new Margin();
  private readonly exposure = new Exposure();
  private readonly outcome = new FillOutcome();
  /** The order that a handler asks about; one record, reused. */
  readonly order: OrderRisk = {
    account: 0,
    side: 0,
    price: 0,
    size: 0,
    reduceOnly: false,
    rests: false,
    replacedLots: 0,
    replacedQuote: 0,
  };
  /** Set by `admit`: accepted only because it reduces. */
  reducing = false;

  constructor(state: ExchangeState) {
    this.state = state;
    this.calculator = new MarginCalculator(state);
  }

  margin(account: number): Margin {
    return this.calculator.compute(this.before, account);
  }

  /** Reject code of an order at entry, 0 when it may match and rest. */
  admit(market: MarketState, order: OrderRisk): number {
    const { state, exposure } = this;
    this.reducing = false;
    const slot = state.findPosition(order.account, market.config.market);
    exposure.load(state, slot);
    const sign = signOf(order.side as 0 | 1);
    const opposes = exposure.size !== 0 && Math.sign(exposure.size) !== sign;
    if (order.reduceOnly) {
      if (!opposes) return Reject.REDUCE_ONLY_WOULD_INCREASE;
      // Resting ones together are no larger than the position: the book shows, and funding weighs, no size that
      // can't trade.
      const resting = order.rests ? state.positions.reduceOnlyLots(slot) - order.replacedLots : 0;
      if (order.rests && resting + order.size > Math.abs(exposure.size))
        return Reject.REDUCE_ONLY_WOULD_INCREASE;
      this.reducing = true;
      return Reject.NONE;
    }
    const quote = order.size * market.lotValue(order.price);
    if (order.side === BUY) {
      exposure.bidLots += order.size - order.replacedLots;
      exposure.bidQuote += quote - order.replacedQuote;
    } else {
      exposure.askLots += order.size - order.replacedLots;
      exposure.askQuote += quote - order.replacedQuote;
    }
    const sideLots = order.side === BUY ? exposure.bidLots : exposure.askLots;
    const onlyReduces = opposes && sideLots <= Math.abs(exposure.size);
    const after = this.calculator.compute(this.after, order.account, market.config.market);
    if (!mayOpen(state, market)) after.stale = true;
    if (!onlyReduces) {
      if (after.stale) return Reject.ORACLE_STALE;
      const { maxPosition, maxOpenInterest } = market.config;
      const worst = Math.max(exposure.size + exposure.bidLots, exposure.askLots - exposure.size);
      if (worst > maxPosition || sideLots > maxPosition) return Reject.POSITION_TOO_LARGE;
      if (Math.max(exposure.bidQuote, exposure.askQuote) > NOTIONAL_MAX) return Reject.POSITION_TOO_LARGE;
      if (maxOpenInterest > 0 && market.openInterest + order.size > maxOpenInterest)
        return Reject.OPEN_INTEREST_TOO_LARGE;
    }
    addExposure(after, market, exposure);
    const crossingLoss = Math.max(0, sign * (order.price - market.mark)) * order.size * market.config.qm;
    const required = after.initial + crossingLoss + mulPpmUp(quote, market.config.takerFeePpm);
    if (!after.stale && after.equityInitial >= required) return Reject.NONE;
    if (!onlyReduces) return Reject.INSUFFICIENT_MARGIN;
    this.reducing = true;
    return Reject.NONE;
  }

  /** May the account ask `initialPpm` of itself where it has a record? What raises nothing always may. */
  carriesLeverage(account: number, slot: number, initialPpm: number): boolean {
    const { positions } = this.state;
    const before = this.calculator.compute(this.before, account);
    const held = positions.leveragePpm(slot);
    positions.setLeveragePpm(slot, initialPpm);
    const after = this.calculator.compute(this.after, account);
    positions.setLeveragePpm(slot, held);
    return after.initial <= before.initial || after.equityInitial >= after.initial;
  }

  /**
   * May `account` carry this fill? `openLots` of the side leave the open totals with it (a resting order; 0
   * for an incoming one). Nothing is changed.
   */
  carries(
    market: MarketState,
    account: number,
    fill: { side: number; lots: number; lotValue: number },
    fee: number,
    openLots: number,
  ): boolean {
    const { state, exposure, outcome } = this;
    exposure.load(state, state.findPosition(account, market.config.market));
    const sizeBefore = exposure.size;
    const after = this.calculator.compute(this.after, account, market.config.market);
    // V and M before the fill, needed only if initial margin fails: the part of the other markets is shared.
    const before = this.before;
    before.equityMaintenance = after.equityMaintenance;
    before.equityInitial = after.equityInitial;
    before.maintenance = after.maintenance;
    before.initial = after.initial;
    before.notional = after.notional;
    addExposure(before, market, exposure);
    fillOutcome(outcome, exposure, fill);
    exposure.size = outcome.size;
    exposure.v = outcome.v;
    if (fill.side === BUY) {
      exposure.bidLots -= openLots;
      exposure.bidQuote -= openLots * fill.lotValue;
    } else {
      exposure.askLots -= openLots;
      exposure.askQuote -= openLots * fill.lotValue;
    }
    addExposure(after, market, exposure);
    const cashChange = outcome.realized - fee;
    after.equityInitial += cashChange;
    after.equityMaintenance += cashChange;
    if (after.equityInitial >= after.initial) return true;
    const grows =
      Math.abs(outcome.size) > Math.abs(sizeBefore) ||
      (sizeBefore !== 0 && outcome.size !== 0 && Math.sign(outcome.size) !== Math.sign(sizeBefore));
    return !grows && keepsRatio(before, after);
  }
}
