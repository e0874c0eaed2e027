/**
 * Warns accounts before they can be liquidated: looks again and again at those that somebody listens to, and says
 * when the chance of a breach within an hour or a day has become another one. Works from marks as they become
 * durable; what it reads from the live state is told only when that is durable, too.
 */
import {
  ALL_MARKETS,
  type AlertLevel,
  alertLevel,
  HORIZONS_H,
  type RiskDistance,
  riskDistance,
} from '#engine/risk/distance.ts';
import { EventKind, PRICE, SAMPLE } from '#protocol/event.ts';
import type { AccountId, Seq, TimeMs } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';

/** Between two looks at the same account, at least; and looks in one turn, at most. */
export const LOOK_INTERVAL_MS = 1_000;
const LOOKS_MAX = 32;
export const WATCHED_MAX = 10_000;
/** Weight of the past in the variance of marks. */
const VARIANCE_TAU_MS = 4 * 3_600_000;
const HOUR_MS = 3_600_000n;
/** A market of which nothing is known moves one percent in an hour; one that stands still, a quarter of one. */
const VARIANCE_START = 10_000n ** 2n;
const VARIANCE_LEAST = 2_500n ** 2n;
/** A level is left only when it would be left at a distance of 4/5, too, so that it does not flicker. */
const RELIEF = { numerator: 4, denominator: 5 } as const;

export interface RiskAlert {
  readonly account: AccountId;
  /** Last command that it includes. */
  readonly seq: Seq;
  readonly time: TimeMs;
  /** Nearest danger: a market, or 65,535 for all together. */
  readonly market: number;
  readonly distancePpm: number;
  /** For one hour and for 24. */
  readonly levels: readonly [AlertLevel, AlertLevel];
}

interface Mark {
  price: number;
  time: TimeMs;
  variance: bigint;
}

interface Watched {
  lookedAt: TimeMs;
  levels: readonly [AlertLevel, AlertLevel];
}

const CALM = [0, 0] as const;

export class RiskWatch {
  private readonly state: ExchangeState;
  private readonly marks: (Mark | undefined)[] = [];
  /** In the order of their next look. */
  private readonly watched = new Map<AccountId, Watched>();
  private held: RiskAlert[] = [];
  private time: TimeMs = 0;

  constructor(state: ExchangeState) {
    this.state = state;
  }

  /** From now on, until nobody wants it. */
  watch(account: AccountId): void {
    if (this.watched.size < WATCHED_MAX && !this.watched.has(account))
      this.watched.set(account, { lookedAt: 0, levels: CALM });
  }

  onRow(data: Float64Array, at: number): void {
    if (data[at] === EventKind.PRICE)
      this.onMark(data[at + PRICE.market]!, data[at + PRICE.mark]!, data[at + 2]!);
    else if (data[at] === EventKind.SAMPLE)
      this.onMark(data[at + SAMPLE.market]!, data[at + SAMPLE.mark]!, data[at + 2]!);
  }

  /** Variance of the mark's return in an hour, ppm². */
  varianceOf(market: number): bigint {
    const variance = this.marks[market]?.variance ?? VARIANCE_START;
    return variance > VARIANCE_LEAST ? variance : VARIANCE_LEAST;
  }

  /** Tells what is durable through `durableSeq`, and looks at whoever's turn it is. */
  run(durableSeq: Seq, wants: (account: AccountId) => boolean, tell: (alert: RiskAlert) => void): void {
    if (this.held.length > 0) {
      for (const alert of this.held) if (alert.seq <= durableSeq) tell(alert);
      this.held = this.held.filter(({ seq }) => seq > durableSeq);
    }
    let looks = 0;
    for (const [account, watched] of this.watched) {
      if (looks++ === LOOKS_MAX || watched.lookedAt + LOOK_INTERVAL_MS > this.time) return;
      this.watched.delete(account);
      if (!wants(account)) continue;
      watched.lookedAt = this.time;
      this.watched.set(account, watched);
      const alert = this.look(account, watched);
      if (alert === undefined) continue;
      if (alert.seq <= durableSeq) tell(alert);
      else this.held.push(alert);
    }
  }

  private look(account: AccountId, watched: Watched): RiskAlert | undefined {
    const { state } = this;
    if (!state.accounts.has(account)) return undefined;
    const found = riskDistance(state, account, (market) => this.varianceOf(market));
    const levels = [level(found, 0, watched), level(found, 1, watched)] as const;
    if (levels[0] === watched.levels[0] && levels[1] === watched.levels[1]) return undefined;
    watched.levels = levels;
    return {
      account,
      seq: state.seq,
      time: this.time,
      market: found?.market ?? ALL_MARKETS,
      distancePpm: found?.distancePpm ?? 0,
      levels,
    };
  }

  private onMark(market: number, price: number, time: TimeMs): void {
    this.time = Math.max(this.time, time);
    if (price === 0) return;
    const before = this.marks[market];
    if (before === undefined) {
      while (this.marks.length < market) this.marks.push(undefined);
      this.marks[market] = { price, time, variance: VARIANCE_START };
      return;
    }
    const passed = time - before.time;
    if (passed <= 0) return;
    const change = (BigInt(price - before.price) * 1_000_000n) / BigInt(before.price);
    // v += (r² · hour / dt − v) · dt / (τ + dt), with dt canceled.
    before.variance +=
      (change * change * HOUR_MS - before.variance * BigInt(passed)) / BigInt(VARIANCE_TAU_MS + passed);
    before.price = price;
    before.time = time;
  }
}

/** The level of a horizon: up at once, down only with some room. */
function level(found: RiskDistance | undefined, horizon: 0 | 1, watched: Watched): AlertLevel {
  if (found === undefined) return 0;
  const hours = HORIZONS_H[horizon];
  const now = alertLevel(found.distancePpm, found.variance, hours);
  const before = watched.levels[horizon];
  if (now >= before) return now;
  const nearer = Math.floor((found.distancePpm * RELIEF.numerator) / RELIEF.denominator);
  const relieved = alertLevel(nearer, found.variance, hours);
  return Math.min(relieved, before) as AlertLevel;
}
