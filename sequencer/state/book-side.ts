/**
 * One side of one market's book: price levels in a sorted array with the best at the end, each a FIFO of
 * orders. Binary search finds a level; inserts near the best move few elements.
 */
import { assert } from '#protocol/assert.ts';
import { BUY, type Side } from '#protocol/units.ts';
import type { Orders } from './orders.ts';

/** Level records of all books: total lots, order count, head and tail of the FIFO. */
export class Levels {
  private total: Float64Array;
  private links: Int32Array;
  private capacity: number;
  private freeHead = -1;
  private used = 0;

  constructor(capacity = 256) {
    this.capacity = capacity;
    this.total = new Float64Array(capacity);
    this.links = new Int32Array(capacity * 4);
  }

  allocate(price: number): number {
    let level = this.freeHead;
    if (level >= 0) {
      this.freeHead = this.links[level * 4]!;
    } else {
      if (this.used === this.capacity) this.grow();
      level = this.used++;
    }
    this.total[level] = 0;
    this.links[level * 4] = -1;
    this.links[level * 4 + 1] = -1;
    this.links[level * 4 + 2] = 0;
    this.links[level * 4 + 3] = price;
    return level;
  }

  free(level: number): void {
    this.links[level * 4] = this.freeHead;
    this.freeHead = level;
  }

  private grow(): void {
    this.capacity *= 2;
    const total = new Float64Array(this.capacity);
    total.set(this.total);
    this.total = total;
    const links = new Int32Array(this.capacity * 4);
    links.set(this.links);
    this.links = links;
  }

  /** Lots resting at the level. */
  size(level: number): number {
    return this.total[level]!;
  }
  addSize(level: number, lots: number): void {
    this.total[level] = this.total[level]! + lots;
  }
  head(level: number): number {
    return this.links[level * 4]!;
  }
  setHead(level: number, slot: number): void {
    this.links[level * 4] = slot;
  }
  tail(level: number): number {
    return this.links[level * 4 + 1]!;
  }
  setTail(level: number, slot: number): void {
    this.links[level * 4 + 1] = slot;
  }
  orders(level: number): number {
    return this.links[level * 4 + 2]!;
  }
  addOrders(level: number, change: 1 | -1): void {
    this.links[level * 4 + 2] = this.links[level * 4 + 2]! + change;
  }
  price(level: number): number {
    return this.links[level * 4 + 3]! >>> 0;
  }
}

export class BookSide {
  readonly side: Side;
  private readonly levels: Levels;
  private readonly orders: Orders;
  /** Prices from worst to best, and their levels. */
  private prices: Float64Array;
  private slots: Int32Array;
  /** Levels held. */
  depth = 0;

  constructor(side: Side, levels: Levels, orders: Orders, capacity = 64) {
    this.side = side;
    this.levels = levels;
    this.orders = orders;
    this.prices = new Float64Array(capacity);
    this.slots = new Int32Array(capacity);
  }

  /** Best price in ticks, 0 when the side is empty. */
  bestPrice(): number {
    return this.depth === 0 ? 0 : this.prices[this.depth - 1]!;
  }
  /** Level of the best price, -1 when the side is empty. */
  bestLevel(): number {
    return this.depth === 0 ? -1 : this.slots[this.depth - 1]!;
  }
  /** First order of the best level, -1 when the side is empty. */
  bestOrder(): number {
    return this.depth === 0 ? -1 : this.levels.head(this.slots[this.depth - 1]!);
  }
  /** Price of the nth best level, n from 0 and below `depth`. */
  priceAt(n: number): number {
    return this.prices[this.depth - 1 - n]!;
  }
  levelAt(n: number): number {
    return this.slots[this.depth - 1 - n]!;
  }

  /** True when an order of the other side at `price` meets the best price here. */
  crosses(price: number): boolean {
    if (this.depth === 0) return false;
    const best = this.prices[this.depth - 1]!;
    return this.side === BUY ? price <= best : price >= best;
  }

  /** Place of `price` in `prices`, or where it would be inserted. */
  private search(price: number): number {
    const { prices } = this;
    let low = 0;
    let high = this.depth;
    if (this.side === BUY) {
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (prices[middle]! < price) low = middle + 1;
        else high = middle;
      }
    } else {
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (prices[middle]! > price) low = middle + 1;
        else high = middle;
      }
    }
    return low;
  }

  /** Level at `price`, -1 when nothing rests there. */
  find(price: number): number {
    const at = this.search(price);
    return at < this.depth && this.prices[at] === price ? this.slots[at]! : -1;
  }

  /** Puts the order (its price, size and priority set) at the back of its price level. */
  append(slot: number): void {
    const { levels, orders } = this;
    const price = orders.price(slot);
    const at = this.search(price);
    let level: number;
    if (at < this.depth && this.prices[at] === price) level = this.slots[at]!;
    else {
      level = levels.allocate(price);
      this.insertAt(at, price, level);
    }
    const tail = levels.tail(level);
    orders.setLevel(slot, level);
    orders.setPrev(slot, tail);
    orders.setNext(slot, -1);
    if (tail < 0) levels.setHead(level, slot);
    else orders.setNext(tail, slot);
    levels.setTail(level, slot);
    levels.addSize(level, orders.size(slot));
    levels.addOrders(level, 1);
  }

  /** Takes the order out; the level goes with its last order. */
  remove(slot: number): void {
    const { levels, orders } = this;
    const level = orders.level(slot);
    const prev = orders.prev(slot);
    const next = orders.next(slot);
    if (prev < 0) levels.setHead(level, next);
    else orders.setNext(prev, next);
    if (next < 0) levels.setTail(level, prev);
    else orders.setPrev(next, prev);
    levels.addSize(level, -orders.size(slot));
    levels.addOrders(level, -1);
    if (levels.head(level) < 0) {
      const at = this.search(orders.price(slot));
      assert(this.slots[at] === level, 'the emptied level stands at its price');
      this.deleteAt(at);
      levels.free(level);
    }
  }

  /** Lowers the open size of an order in place. */
  reduce(slot: number, lots: number): void {
    this.orders.setSize(slot, this.orders.size(slot) - lots);
    this.levels.addSize(this.orders.level(slot), -lots);
  }

  private insertAt(at: number, price: number, level: number): void {
    if (this.depth === this.prices.length) {
      const prices = new Float64Array(this.depth * 2);
      prices.set(this.prices);
      this.prices = prices;
      const slots = new Int32Array(this.depth * 2);
      slots.set(this.slots);
      this.slots = slots;
    }
    const { prices, slots, depth } = this;
    if (depth - at > 32) {
      prices.copyWithin(at + 1, at, depth);
      slots.copyWithin(at + 1, at, depth);
    } else {
      for (let i = depth; i > at; i--) {
        prices[i] = prices[i - 1]!;
        slots[i] = slots[i - 1]!;
      }
    }
    prices[at] = price;
    slots[at] = level;
    this.depth++;
  }

  private deleteAt(at: number): void {
    const { prices, slots, depth } = this;
    if (depth - at > 32) {
      prices.copyWithin(at, at + 1, depth);
      slots.copyWithin(at, at + 1, depth);
    } else {
      for (let i = at; i < depth - 1; i++) {
        prices[i] = prices[i + 1]!;
        slots[i] = slots[i + 1]!;
      }
    }
    this.depth--;
  }
}
