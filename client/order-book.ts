/**
 * Order books built from snapshots and deltas (protocol/wire-market-data.ts): by level (L2) and by order (L3).
 * They judge continuity; who asks for a new snapshot is book-stream.ts. Prices in ticks, sizes in lots.
 */

import { BUY, type Side } from '#protocol/units.ts';
import type {
  BookDelta,
  BookLevel,
  BookOrder,
  BookSnapshot,
  OrderDelta,
  OrdersSnapshot,
} from '#protocol/wire-market-data.ts';

/** `gap`: the delta does not continue the book; nothing was changed. `skipped`: it is older than the book. */
export type DeltaOutcome = 'applied' | 'skipped' | 'gap';

function outcomeOf(held: number, delta: { previous: number; sequence: number }): DeltaOutcome {
  if (delta.sequence <= held) return 'skipped';
  return delta.previous === held ? 'applied' : 'gap';
}

/** Values by price in one sorted array with the best at the END, where most changes happen. */
class HalfBook<Value> {
  private readonly side: Side;
  private prices: number[] = [];
  private values: Value[] = [];

  constructor(side: Side) {
    this.side = side;
  }

  get count(): number {
    return this.prices.length;
  }

  /** 0 is the best. */
  priceAt(rank: number): number | undefined {
    return this.prices[this.prices.length - 1 - rank];
  }
  valueAt(rank: number): Value | undefined {
    return this.values[this.values.length - 1 - rank];
  }

  get(price: number): Value | undefined {
    const at = this.find(price);
    return this.prices[at] === price ? this.values[at] : undefined;
  }

  set(price: number, value: Value): void {
    const at = this.find(price);
    if (this.prices[at] === price) this.values[at] = value;
    else {
      this.prices.splice(at, 0, price);
      this.values.splice(at, 0, value);
    }
  }

  delete(price: number): void {
    const at = this.find(price);
    if (this.prices[at] !== price) return;
    this.prices.splice(at, 1);
    this.values.splice(at, 1);
  }

  clear(): void {
    this.prices = [];
    this.values = [];
  }

  /** First place whose price is not worse than `price`. */
  private find(price: number): number {
    let low = 0;
    let high = this.prices.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const held = this.prices[middle]!;
      const worse = this.side === BUY ? held < price : held > price;
      if (worse) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class BookL2 {
  readonly market: number;
  /** Sequence of the last snapshot or delta; -1 before the first snapshot. */
  sequence = -1;
  /** Milliseconds. */
  time = 0;
  private readonly halves = [new HalfBook<number>(0), new HalfBook<number>(1)] as const;

  constructor(market: number) {
    this.market = market;
  }

  applySnapshot(snapshot: BookSnapshot): void {
    const [bids, asks] = this.halves;
    bids.clear();
    asks.clear();
    for (const level of snapshot.bids) bids.set(level.price, level.size);
    for (const level of snapshot.asks) asks.set(level.price, level.size);
    this.sequence = snapshot.sequence;
    this.time = snapshot.time;
  }

  applyDelta(delta: BookDelta): DeltaOutcome {
    const outcome = outcomeOf(this.sequence, delta);
    if (outcome !== 'applied') return outcome;
    for (const { side, price, size } of delta.changes) {
      const half = this.halves[side as Side];
      if (size === 0) half.delete(price);
      else half.set(price, size);
    }
    this.sequence = delta.sequence;
    this.time = delta.time;
    return 'applied';
  }

  best(side: Side): BookLevel | undefined {
    const half = this.halves[side];
    const price = half.priceAt(0);
    return price === undefined ? undefined : { price, size: half.valueAt(0)! };
  }

  /** Best first; all when `count` is not given. */
  levels(side: Side, count = Number.POSITIVE_INFINITY): BookLevel[] {
    const half = this.halves[side];
    const levels: BookLevel[] = [];
    for (let rank = 0; rank < Math.min(count, half.count); rank++)
      levels.push({ price: half.priceAt(rank)!, size: half.valueAt(rank)! });
    return levels;
  }

  /** Lots at a price; 0 when there are none. */
  sizeAt(side: Side, price: number): number {
    return this.halves[side].get(price) ?? 0;
  }
}

interface OrderLevel {
  size: number;
  /** Ascending by priority. */
  readonly orders: BookOrder[];
}

export class BookL3 {
  readonly market: number;
  /** Sequence of the last snapshot or delta; -1 before the first snapshot. */
  sequence = -1;
  /** Milliseconds. */
  time = 0;
  private readonly halves = [new HalfBook<OrderLevel>(0), new HalfBook<OrderLevel>(1)] as const;
  private readonly byId = new Map<number, BookOrder>();

  constructor(market: number) {
    this.market = market;
  }

  applySnapshot(snapshot: OrdersSnapshot): void {
    for (const half of this.halves) half.clear();
    this.byId.clear();
    for (const order of snapshot.orders) this.insert(order);
    this.sequence = snapshot.sequence;
    this.time = snapshot.time;
  }

  applyDelta(delta: OrderDelta): DeltaOutcome {
    const outcome = outcomeOf(this.sequence, delta);
    if (outcome !== 'applied') return outcome;
    for (const { orderId, size, priority, price, side } of delta.changes) {
      this.remove(orderId);
      if (size > 0) this.insert({ orderId, size, priority, price, side });
    }
    this.sequence = delta.sequence;
    this.time = delta.time;
    return 'applied';
  }

  get count(): number {
    return this.byId.size;
  }

  order(orderId: number): BookOrder | undefined {
    return this.byId.get(orderId);
  }

  best(side: Side): BookLevel | undefined {
    const half = this.halves[side];
    const price = half.priceAt(0);
    return price === undefined ? undefined : { price, size: half.valueAt(0)!.size };
  }

  /** Best first; all when `count` is not given. */
  levels(side: Side, count = Number.POSITIVE_INFINITY): BookLevel[] {
    const half = this.halves[side];
    const levels: BookLevel[] = [];
    for (let rank = 0; rank < Math.min(count, half.count); rank++)
      levels.push({ price: half.priceAt(rank)!, size: half.valueAt(rank)!.size });
    return levels;
  }

  /** Best price first, within a price in time priority. */
  orders(side: Side): BookOrder[] {
    const half = this.halves[side];
    const orders: BookOrder[] = [];
    for (let rank = 0; rank < half.count; rank++) orders.push(...half.valueAt(rank)!.orders);
    return orders;
  }

  /** Lots that trade before this order does at its own price; undefined when it does not rest. */
  sizeAhead(orderId: number): number | undefined {
    const order = this.byId.get(orderId);
    if (order === undefined) return undefined;
    let ahead = 0;
    for (const other of this.halves[order.side as Side].get(order.price)!.orders) {
      if (other === order) return ahead;
      ahead += other.size;
    }
    return ahead;
  }

  private insert(order: BookOrder): void {
    const half = this.halves[order.side as Side];
    const level = half.get(order.price);
    this.byId.set(order.orderId, order);
    if (level === undefined) {
      half.set(order.price, { size: order.size, orders: [order] });
      return;
    }
    let at = level.orders.length;
    while (at > 0 && level.orders[at - 1]!.priority > order.priority) at--;
    level.orders.splice(at, 0, order);
    level.size += order.size;
  }

  private remove(orderId: number): void {
    const order = this.byId.get(orderId);
    if (order === undefined) return;
    this.byId.delete(orderId);
    const half = this.halves[order.side as Side];
    const level = half.get(order.price)!;
    level.orders.splice(level.orders.indexOf(order), 1);
    level.size -= order.size;
    if (level.orders.length === 0) half.delete(order.price);
  }
}
