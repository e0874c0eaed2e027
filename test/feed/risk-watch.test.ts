/** Warnings: told when a level changes, only to who listens, only when durable, and not back and forth. */
import { describe, expect, it } from 'vitest';
import { LOOK_INTERVAL_MS, type RiskAlert, RiskWatch } from '#feed/risk-watch.ts';
import { EVENT_STRIDE, EventKind, PRICE } from '#protocol/event.ts';
import { Desk } from '../support/desk.ts';
import { TEST_MARKET } from '../support/exchange.ts';

const TIERS = [{ lower: 0, initialPpm: 50_000, maintenancePpm: 50_000 }];

/** A long of 1,000 quote with equity of 1,000 at the mark of 1,000,000, and the watch on its account. */
function watched() {
  const desk = new Desk({ markets: [{ ...TEST_MARKET, takerFeePpm: 0, makerFeePpm: 0, tiers: TIERS }] });
  const [account, other] = [desk.deposit(1, 1_000e6), desk.deposit(2, 1_000_000e6)];
  desk.price(0, 1_000_000);
  desk.trade(account, other, 1_000, 1_000_000);
  const watch = new RiskWatch(desk.state);
  const alerts: RiskAlert[] = [];
  watch.watch(account);
  let { now } = desk;
  /** The mark is `price` after `ms`; everything is durable through `durable`. */
  const mark = (
    price: number,
    ms = LOOK_INTERVAL_MS,
    durable = desk.state.seq,
    wants = true,
  ): RiskAlert[] => {
    now += ms;
    desk.state.market(0)!.mark = price;
    const row = new Float64Array(EVENT_STRIDE);
    row.set([EventKind.PRICE, desk.state.seq, now]);
    row[PRICE.market] = 0;
    row[PRICE.mark] = price;
    watch.onRow(row, 0);
    alerts.length = 0;
    watch.run(
      durable,
      () => wants,
      (alert) => alerts.push(alert),
    );
    return [...alerts];
  };
  /** Equity of the account at the mark of 1,000,000. */
  const setEquity = (quote: number): void => {
    desk.state.accounts.cash[account] = quote * 1e6;
  };
  return { desk, account, watch, mark, setEquity };
}

describe('risk watch', () => {
  it('warns before a breach, step by step, and says when the danger is over', () => {
    const { account, mark, setEquity } = watched();
    expect(mark(1_000_000)).toEqual([]);
    setEquity(70);
    // 20 of room over 950: 2.1 % away while an hour moves 1 %: 1 % or more in an hour, 20 % or more in a day.
    const [alert] = mark(1_000_000);
    expect(alert).toMatchObject({ account, distancePpm: 21_052, levels: [1, 3] });
    expect(mark(1_000_000)).toEqual([]);
    setEquity(55);
    expect(mark(1_000_000)).toMatchObject([{ levels: [3, 3] }]);
    setEquity(1_000);
    expect(mark(1_000_000)).toMatchObject([{ levels: [0, 0] }]);
  });

  it('does not flicker at a border', () => {
    const { mark, setEquity } = watched();
    setEquity(74);
    mark(1_000_000);
    let told = 0;
    for (let n = 0; n < 20; n++) {
      // 2.53 % and 2.63 % away: either side of 2.576.
      setEquity(n % 2 === 0 ? 75 : 74);
      told += mark(1_000_000).length;
    }
    expect(told).toBe(0);
  });

  it('holds back what is not durable yet', () => {
    const { desk, mark, setEquity } = watched();
    mark(1_000_000);
    setEquity(60);
    expect(mark(1_000_000, LOOK_INTERVAL_MS, desk.state.seq - 1)).toEqual([]);
    expect(mark(1_000_000, 1, desk.state.seq)).toMatchObject([{ seq: desk.state.seq }]);
  });

  it('looks at most once in an interval, and forgets whom nobody listens to', () => {
    const { mark, setEquity } = watched();
    mark(1_000_000);
    setEquity(60);
    expect(mark(1_000_000, LOOK_INTERVAL_MS - 1)).toEqual([]);
    expect(mark(1_000_000, 1, 0, false)).toEqual([]);
    expect(mark(1_000_000)).toEqual([]);
  });

  it('learns how much a market moves', () => {
    const { watch, mark } = watched();
    mark(1_000_000);
    const before = watch.varianceOf(0);
    expect(before).toBe(10_000n ** 2n);
    for (let n = 0; n < 600; n++) mark(n % 2 === 0 ? 1_010_000 : 1_000_000, 60_000);
    // 1 % a minute is √60 % an hour.
    expect(Number(watch.varianceOf(0)) / 1e8).toBeGreaterThan(40);
    expect(Number(watch.varianceOf(0)) / 1e8).toBeLessThan(62);
    for (let n = 0; n < 3_000; n++) mark(1_000_000, 60_000);
    expect(watch.varianceOf(0)).toBe(2_500n ** 2n);
  });
});
