/**
 * Replaces a market maker's quotes on both sides by one signed message: orders that stay as they are keep their
 * place, others are amended, the rest is placed or canceled.
 */
import { MESSAGE_OPERATIONS_MAX } from '#protocol/limits.ts';
import type { Operation } from '#protocol/operation.ts';
import { BUY, GTC, SELL, type Side } from '#protocol/units.ts';
import { invalidArgument } from '../errors.ts';
import type { Session } from '../session.ts';
import { type MarketReference, marketIdOf, priceOf, sizeOf } from './order-form.ts';
import { type MessageOutcome, type SendOptions, sendOperations } from './send-operations.ts';

/** One level of the ladder: ticks and lots, or decimal text. */
export interface Quote {
  readonly price: number | string;
  readonly size: number | string;
}

export interface LadderOrder {
  readonly side: Side;
  readonly price: number;
  /** Open lots when last seen; fills since then are not in it. */
  readonly size: number;
  readonly orderId: number;
}

/** What rests after a replacement: give it as `previous` to the next one. */
export interface Ladder {
  readonly market: number;
  readonly orders: readonly LadderOrder[];
  /** Undefined when nothing had to be sent. */
  readonly outcome: MessageOutcome | undefined;
}

interface Wanted {
  readonly side: Side;
  readonly price: number;
  readonly size: number;
}

/** An operation and what rests if it is done. */
interface Step {
  readonly operation: Operation;
  readonly wanted: Wanted | undefined;
  readonly previous: LadderOrder | undefined;
}

/**
 * At most 50 operations, so 25 levels a side when all move. `previous`: what the last call returned, without orders
 * that were filled or canceled since (those are refused one by one and do no harm); none at the first call.
 */
export async function replaceLadder(
  session: Session,
  ladder: {
    readonly market: MarketReference;
    readonly bids: readonly Quote[];
    readonly asks: readonly Quote[];
    readonly previous?: Ladder;
    /** Default true. */
    readonly postOnly?: boolean;
  },
  options?: SendOptions,
): Promise<Ladder> {
  const market = marketIdOf(session, ladder.market);
  const wanted = (side: Side, quotes: readonly Quote[]): Wanted[] =>
    quotes.map((quote) => ({
      side,
      price: priceOf(session, ladder.market, quote.price),
      size: sizeOf(session, ladder.market, quote.size),
    }));
  const bids = wanted(BUY, ladder.bids);
  const asks = wanted(SELL, ladder.asks);
  const held = ladder.previous?.orders ?? [];
  const { kept, steps } = ladderSteps(market, held, [...bids, ...asks], ladder.postOnly ?? true);
  if (steps.length > MESSAGE_OPERATIONS_MAX)
    throw invalidArgument('ladder', `at most ${MESSAGE_OPERATIONS_MAX} orders to change`, steps.length);
  if (steps.length === 0) return { market, orders: kept, outcome: undefined };
  const outcome = await sendOperations(
    session,
    steps.map((step) => step.operation),
    options,
  );
  const orders = [...kept];
  outcome.results.forEach((result, i) => {
    const { wanted: level, previous } = steps[i]!;
    if (result.remainingSize > 0 && level !== undefined)
      orders.push({ ...level, size: result.remainingSize, orderId: result.orderId || previous!.orderId });
    else if (result.status === 'rejected' && previous !== undefined && result.code !== 'UNKNOWN_ORDER')
      orders.push(previous);
  });
  return { market, orders, outcome };
}

/** The fewest operations from what is held to what is wanted, in an order in which our sides never cross. */
export function ladderSteps(
  market: number,
  held: readonly LadderOrder[],
  wanted: readonly Wanted[],
  postOnly: boolean,
): { kept: LadderOrder[]; steps: Step[] } {
  const kept: LadderOrder[] = [];
  const bySide: [Step[], Step[]] = [[], []];
  for (const side of [BUY, SELL] as const) {
    const missing = wanted.filter((level) => level.side === side);
    const loose: LadderOrder[] = [];
    for (const order of held.filter((candidate) => candidate.side === side)) {
      const same = missing.findIndex((level) => level.price === order.price && level.size === order.size);
      if (same < 0) loose.push(order);
      else {
        kept.push(order);
        missing.splice(same, 1);
      }
    }
    // Same price first, so that a smaller size keeps its place; then level by level from the best.
    const pairs: [LadderOrder, Wanted][] = [];
    for (const order of [...loose]) {
      const same = missing.findIndex((level) => level.price === order.price);
      if (same < 0) continue;
      pairs.push([order, missing.splice(same, 1)[0]!]);
      loose.splice(loose.indexOf(order), 1);
    }
    const best = side === BUY ? -1 : 1;
    loose.sort((a, b) => best * (a.price - b.price));
    missing.sort((a, b) => best * (a.price - b.price));
    while (loose.length > 0 && missing.length > 0) pairs.push([loose.shift()!, missing.shift()!]);
    for (const [order, level] of pairs) {
      bySide[side].push({
        operation: {
          kind: 'amend',
          market,
          by: 'order',
          id: order.orderId,
          price: level.price,
          size: level.size,
        },
        wanted: level,
        previous: order,
      });
    }
    for (const order of loose)
      bySide[side].unshift({
        operation: { kind: 'cancel', market, by: 'order', id: order.orderId },
        wanted: undefined,
        previous: order,
      });
    for (const level of missing)
      bySide[side].push({
        operation: { kind: 'place', market, ...level, timeInForce: GTC, postOnly },
        wanted: level,
        previous: undefined,
      });
  }
  const [bids, asks] = bySide;
  // New asks above the old bids, or new bids below the old asks: where neither ladder crosses itself, one of the two
  // holds, and that side goes first.
  const newAsk = Math.min(...prices(wanted, SELL));
  const oldBid = Math.max(...prices(held, BUY));
  return { kept, steps: newAsk > oldBid ? [...asks, ...bids] : [...bids, ...asks] };
}

const prices = (levels: readonly Wanted[], side: Side): number[] =>
  levels.filter((level) => level.side === side).map((level) => level.price);
