/** Who lives through a price replay: how much money, which side, how much leverage, for how long; all by the seed. */
import { MILLION } from '#protocol/limits.ts';
import { BUY, SELL, type Side } from '#protocol/units.ts';
import { SeededRandom } from '../seeded-random.ts';

export interface TraderPlan {
  /** q. */
  readonly funding: number;
  /** Of the money in the account when a position is opened. */
  readonly leverage: number;
  readonly side: Side;
  /** Row at which it first trades. */
  readonly firstRow: number;
  /** Rows that a position is held, and that the trader stays away after it. */
  readonly holdRows: number;
  readonly restRows: number;
}

/** Quote, from … to; spread evenly over the orders of magnitude. */
const FUNDING = [200, 20_000] as const;
const LEVERAGE = [2, 48] as const;
const LONG_SHARE = 0.6;
const HOLD_ROWS = [60, 6_000] as const;

export function population(count: number, rows: number, seed: number): TraderPlan[] {
  const random = new SeededRandom(seed, 'population');
  return Array.from({ length: count }, () => ({
    funding: Math.floor(spread(random, FUNDING)) * MILLION,
    leverage: spread(random, LEVERAGE),
    side: random.next() < LONG_SHARE ? BUY : SELL,
    // Within the first half, so that everybody is there when it falls.
    firstRow: random.whole(1, Math.max(1, Math.floor(rows / 2))),
    holdRows: Math.round(spread(random, HOLD_ROWS)),
    restRows: Math.round(spread(random, HOLD_ROWS) / 4),
  }));
}

const spread = (random: SeededRandom, [low, high]: readonly [number, number]): number =>
  low * (high / low) ** random.next();
