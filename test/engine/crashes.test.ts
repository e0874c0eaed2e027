/**
 * Random crashes of up to a half, up and down, over accounts of all leverages: no fill of a liquidation lowers V / M, its
 * fee included, no quote is lost, and positions stay balanced, after every command.
 */
import { describe, expect, it } from 'vitest';
import { Margin, MarginCalculator } from '#engine/risk/margin.ts';
import type { DecodedEvent } from '#protocol/event.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { NO_TRACE, StepKind, type Trace } from '#state/trace.ts';
import { Random } from '../state/random-state.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
const SESSIONS = 12;
console.log(`crashes: SEED=${SEED}`);

const MARKETS = [0, 1, 2].map((market) => ({
  ...TEST_MARKET,
  market,
  symbol: `M${market}-PERP`,
  qm: [1, 10, 250][market]!,
  maxPrice: 100_000,
  tiers: [
    { lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 },
    { lower: 200, initialPpm: 40_000, maintenancePpm: 24_000 },
  ],
}));

/** Holds margins before and after each fill of a slice against each other. */
class FillWatch {
  fills = 0;
  private readonly calculator: MarginCalculator;
  private readonly before = new Margin();
  private readonly after = new Margin();
  private watched = 0;
  private lots = 0;
  private readonly state: ExchangeState;
  readonly trace: Trace = { ...NO_TRACE, step: (kind) => this.step(kind) };

  constructor(state: ExchangeState) {
    this.state = state;
    this.calculator = new MarginCalculator(state);
  }

  /** The step before has been done. */
  private step(kind: number): void {
    const { incoming } = this.state;
    if (this.watched !== 0 && incoming.filled > this.lots) {
      this.calculator.compute(this.after, this.watched);
      const [v, m] = [BigInt(this.before.equityMaintenance), BigInt(this.before.maintenance)];
      // Two units: requirements round up.
      expect((BigInt(this.after.equityMaintenance) + 2n) * m).toBeGreaterThanOrEqual(
        v * BigInt(this.after.maintenance),
      );
      this.fills++;
    }
    this.watched = kind === StepKind.MATCH && incoming.liquidation ? incoming.account : 0;
    this.lots = incoming.filled;
    if (this.watched !== 0) this.calculator.compute(this.before, this.watched);
  }
}

interface Tally {
  fills: number;
  started: number;
  ended: number;
  auctions: number;
}

function crash(seed: number): Tally {
  const random = new Random(seed);
  const state = new ExchangeState();
  const watch = new FillWatch(state);
  const desk = new Desk({
    markets: MARKETS,
    state,
    trace: watch.trace,
    chain: { voidMs: 3_600_000, stalenessMs: 600_000, sliceNotional: random.between(1, 400) },
  });
  const tally: Tally = { fills: 0, started: 0, ended: 0, auctions: 0 };
  const house = desk.deposit(1, 1e14);
  const prices = [10_000, 10_000, 10_000];
  for (const { market } of MARKETS) desk.price(market, prices[market]!);
  const traders = Array.from({ length: 14 }, (_, n) => desk.deposit(10 + n, random.between(1e6, 3e7)));
  for (const trader of traders) open(desk, random, trader, house);
  const count = (events: readonly DecodedEvent[]): void => {
    tally.started += only(events, 'LIQUIDATION_STARTED').length;
    tally.ended += only(events, 'LIQUIDATION_ENDED').length;
    tally.auctions += only(events, 'LIQUIDATION_PHASE').filter(({ phase }) => phase === 3).length;
  };
  for (let round = 0; round < 40; round++) {
    const market = random.below(MARKETS.length);
    const most = random.below(20) === 0 ? 50 : 2;
    const change = random.signed(most * 1_000) / 100_000;
    prices[market] = Math.min(90_000, Math.max(500, Math.round(prices[market]! * (1 + change))));
    desk.send(house, { kind: 'cancel-all' });
    desk.price(market, prices[market]!);
    quote(desk, random, house);
    // A sample, so that the mark follows.
    desk.advance(5_000);
    for (const [id, price] of prices.entries()) desk.price(id, price);
    for (let look = random.between(1, 4); look > 0; look--) {
      for (const trader of traders) count(desk.evaluate(trader));
      desk.advance(random.below(2_000));
    }
    for (let n = 0; n < 4; n++) {
      const which = random.below(traders.length);
      if (random.below(3) === 0) desk.deposit(10 + which, random.between(1e6, 3e7));
      open(desk, random, traders[which]!, house);
    }
  }
  return { ...tally, fills: watch.fills };
}

/** The largest position, from a leverage of 49 down, that the account's margin allows. */
function open(desk: Desk, random: Random, trader: number, house: number): void {
  const market = random.below(MARKETS.length);
  const { mark } = desk.state.market(market)!;
  const lotValue = desk.state.market(market)!.lotValue(mark);
  const isLong = random.below(2) === 0;
  for (let leverage = random.between(10, 49); leverage > 2; leverage *= 0.7) {
    const lots = Math.max(1, Math.floor((Math.max(0, desk.cash(trader)) * leverage) / lotValue));
    desk.send(house, { kind: 'cancel-all' }, (isLong ? sell : buy)(lots, mark, { market }));
    const order = (isLong ? buy : sell)(lots, mark, { market, timeInForce: 2 });
    if (desk.code(trader, order) === 0) break;
  }
  desk.send(house, { kind: 'cancel-all' });
}

/** Levels on both sides, some of them thin. */
function quote(desk: Desk, random: Random, house: number): void {
  for (const { market } of MARKETS) {
    const { index: mark } = desk.state.market(market)!;
    for (let n = 1; n <= 6; n++) {
      const away = Math.ceil((mark * n * random.between(1, 40)) / 10_000);
      const lots = random.between(1, 20_000);
      if (mark > away) desk.result(house, buy(lots, mark - away, { market, postOnly: true }));
      desk.result(house, sell(lots, mark + away, { market, postOnly: true }));
    }
  }
}

describe('crashes', () => {
  const total: Tally = { fills: 0, started: 0, ended: 0, auctions: 0 };

  it.each(Array.from({ length: SESSIONS }, (_, n) => SEED + n))('seed %i', (seed) => {
    const tally = crash(seed);
    for (const key of Object.keys(total) as (keyof Tally)[]) total[key] += tally[key];
  });

  it('led through the whole of it, many times', () => {
    console.log(JSON.stringify(total));
    expect(total.fills).toBeGreaterThan(100);
    expect(total.started).toBeGreaterThan(50);
    expect(total.ended).toBeGreaterThan(20);
    expect(total.auctions).toBeGreaterThan(10);
  });
});
