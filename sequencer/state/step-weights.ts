/**
 * What one step of each kind may cost at most when a contract re-executes it, in gas. Constants: a segment's
 * weight is the sum over its steps, whatever they did, so that nobody can argue about it. They are composed of
 * the figures of settlement.md section 6 (measured at depth 19.5: read 5.6k, update 6.9k, insert 7.7k, delete
 * 7.1k; some 0.3k a further level with its calldata), taken at the depth that users can force:
 * 32 levels in the ledger and in indexes, 70 in orders and levels, whose keys hold prices that users choose.
 */
import { assert } from '#protocol/assert.ts';
import { DEPTH_LEVELS_MAX, POSITIONS_MAX, PUBLISHERS_MAX, SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { StepKind } from './trace.ts';

/** A leaf of a few words, 32 levels deep. */
const READ = 9_500;
/** Update, insert or delete there. */
const WRITE = 11_500;
/** An order or level, 70 levels deep. */
const BOOK_WRITE = 24_000;
/** One of up to 32 neighboring levels: their paths have most nodes in common. */
const NEXT_LEVEL_READ = 4_500;
/** A full account: 1,272 bytes in calldata, decoded, hashed twice. */
const ACCOUNT_READ = 30_000;
const ACCOUNT_WRITE = 38_000;
/** A configuration with 8 tiers or a leaf of 16 prices, each sent once for all positions that need it. */
const MARKET_CONTEXT_READ = 15_000;
/** Equity and requirement of one position. */
const POSITION_MARGIN = 4_000;
/** ecrecover, digest and comparison. */
const SIGNATURE = 9_000;
/** A message of the longest kind, or a round of 16 reports, as calldata and as a digest's preimage. */
const LONG_RECORD = 75_000;
/** Clock, seq and the register of the record, with dispatch. */
const BASE = 40_000;

const MARGIN_CHECK = POSITIONS_MAX * (MARKET_CONTEXT_READ + POSITION_MARGIN);
/** Funding of every position is paid against its market's leaf. */
const SETTLE_ALL = POSITIONS_MAX * WRITE;
/** Order, level, index, client id, expiry; the owner's account. */
const ORDER_WRITE = 2 * BOOK_WRITE + 3 * WRITE + ACCOUNT_WRITE;
const DEPTH_READ = BOOK_WRITE + DEPTH_LEVELS_MAX * NEXT_LEVEL_READ;

const WEIGHT: Readonly<Record<keyof typeof StepKind, number>> = {
  MESSAGE: BASE + LONG_RECORD + SIGNATURE + ACCOUNT_WRITE + WRITE,
  // Fill-or-kill looks at levels, post-only at the best order; a duplicate client id is an absence.
  PLACE: BASE + MARGIN_CHECK + ACCOUNT_READ + DEPTH_READ + 2 * WRITE + READ,
  // Both margins, both accounts, the market; the maker's order goes.
  MATCH: BASE + 2 * MARGIN_CHECK + ORDER_WRITE + ACCOUNT_WRITE + 2 * WRITE,
  REST: BASE + ORDER_WRITE + WRITE,
  CANCEL: BASE + ORDER_WRITE + READ,
  CANCEL_ALL: BASE + WRITE + READ,
  WALK: BASE + ORDER_WRITE + WRITE + READ,
  AMEND: BASE + MARGIN_CHECK + ORDER_WRITE + BOOK_WRITE + 2 * WRITE + READ,
  WITHDRAW: BASE + MARGIN_CHECK + SETTLE_ALL + ACCOUNT_WRITE + WRITE,
  TRANSFER: BASE + MARGIN_CHECK + SETTLE_ALL + 2 * ACCOUNT_WRITE,
  SESSION_KEY: BASE + ACCOUNT_WRITE + WRITE,
  CANCEL_AFTER: BASE + ACCOUNT_WRITE + 2 * WRITE,
  CANCEL_ON_DISCONNECT: BASE + ACCOUNT_WRITE,
  PRICE_ROUND:
    BASE +
    LONG_RECORD +
    PUBLISHERS_MAX * SIGNATURE +
    2 * MARKET_CONTEXT_READ +
    3 * WRITE +
    PUBLISHERS_MAX * 4_000,
  SAMPLE: BASE + 2 * DEPTH_READ + 2 * MARKET_CONTEXT_READ + 2 * WRITE,
  FUNDING: BASE + 2 * MARKET_CONTEXT_READ + 2 * WRITE,
  EXPIRE: BASE + ORDER_WRITE + 2 * WRITE,
  DEPOSIT: BASE + ACCOUNT_WRITE + 3 * WRITE,
  FORCED: BASE + MARGIN_CHECK + SETTLE_ALL + ACCOUNT_WRITE + 3 * WRITE,
  CONFIGURE: BASE + 4 * MARKET_CONTEXT_READ + 5 * WRITE,
  CLOCK: BASE,
  DISCONNECT: BASE + ACCOUNT_READ + WRITE,
  VERSION: BASE,
};

/** Weight by StepKind. */
export const STEP_WEIGHTS: readonly number[] = Object.entries(StepKind).reduce<number[]>(
  (weights, [name, kind]) => {
    weights[kind] = WEIGHT[name as keyof typeof StepKind];
    return weights;
  },
  [0],
);

export function stepWeight(kind: number): number {
  const weight = STEP_WEIGHTS[kind];
  if (weight === undefined || weight === 0)
    throw new Error(`step kind: expected 1 to ${STEP_WEIGHTS.length - 1}, got ${kind}`);
  return weight;
}

assert(
  STEP_WEIGHTS.every((weight) => Number.isSafeInteger(weight) && weight <= SEGMENT_WEIGHT_MAX),
  'every step fits a segment',
);
