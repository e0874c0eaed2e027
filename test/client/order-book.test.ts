/** Book builders against the naive book: a list of orders, looked through anew each time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookL2, BookL3 } from '#client/order-book.ts';
import { BUY, SELL, type Side } from '#protocol/units.ts';
import type { BookLevel, BookOrder, LevelChange, OrderDeltaEntry } from '#protocol/wire-market-data.ts';

/** One thing that happens: an order comes, goes, or changes size. */
const step = fc.record({
  pick: fc.nat({ max: 1_000 }),
  what: fc.constantFrom('add' as const, 'add' as const, 'remove' as const, 'reduce' as const),
  side: fc.nat({ max: 1 }) as fc.Arbitrary<Side>,
  price: fc.integer({ min: 1, max: 12 }),
  size: fc.integer({ min: 1, max: 9 }),
});
/** What becomes of a delta on its way. */
const fate = fc.constantFrom(
  'arrives' as const,
  'arrives' as const,
  'arrives' as const,
  'lost' as const,
  'twice' as const,
);

const sorted = (orders: readonly BookOrder[], side: Side): BookOrder[] =>
  orders
    .filter((order) => order.side === side)
    .sort((a, b) => (side === BUY ? b.price - a.price : a.price - b.price) || a.priority - b.priority);

function levels(orders: readonly BookOrder[], side: Side): BookLevel[] {
  const found: { price: number; size: number }[] = [];
  for (const order of sorted(orders, side)) {
    const last = found.at(-1);
    if (last?.price === order.price) last.size += order.size;
    else found.push({ price: order.price, size: order.size });
  }
  return found;
}

/** The exchange's side: applies a step, gives the deltas of both channels. */
class NaiveExchange {
  orders: BookOrder[] = [];
  sequence = 10;
  private nextId = 1;

  apply(one: { pick: number; what: string; side: Side; price: number; size: number }) {
    const previous = this.sequence;
    this.sequence += 1 + (one.pick % 3);
    const changes: OrderDeltaEntry[] = [];
    const target = this.orders[one.pick % Math.max(1, this.orders.length)];
    if (one.what === 'add' || target === undefined) {
      const { side, price, size } = one;
      const order = { orderId: this.nextId, size, priority: this.nextId++, price, side };
      this.orders.push(order);
      changes.push({ ...order, cause: 1 });
    } else {
      const size = one.what === 'reduce' ? target.size - 1 : 0;
      this.orders = this.orders.filter((order) => order !== target);
      const changed = { ...target, size };
      if (size > 0) this.orders.push(changed);
      changes.push({ ...changed, cause: size > 0 ? 4 : 3 });
    }
    const levelChanges: LevelChange[] = changes.map(({ side, price }) => ({
      side,
      price,
      size: levels(this.orders, side as Side).find((level) => level.price === price)?.size ?? 0,
    }));
    const head = { market: 3, previous, sequence: this.sequence, time: this.sequence * 2 };
    return { l3: { ...head, changes }, l2: { ...head, changes: levelChanges } };
  }

  snapshotL3() {
    return {
      market: 3,
      sequence: this.sequence,
      time: this.sequence * 2,
      orders: [...sorted(this.orders, BUY), ...sorted(this.orders, SELL)],
    };
  }
  snapshotL2() {
    return {
      market: 3,
      sequence: this.sequence,
      time: this.sequence * 2,
      bids: levels(this.orders, BUY),
      asks: levels(this.orders, SELL),
    };
  }
}

const asPlain = (orders: readonly BookOrder[]): BookOrder[] =>
  orders.map(({ orderId, size, priority, price, side }) => ({ orderId, size, priority, price, side }));

describe('order books', () => {
  it('are the naive book after every delta that arrives, and say gap exactly when one was lost', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fate), { maxLength: 150 }), (events) => {
        const exchange = new NaiveExchange();
        const l2 = new BookL2(3);
        const l3 = new BookL3(3);
        l2.applySnapshot(exchange.snapshotL2());
        l3.applySnapshot(exchange.snapshotL3());
        let missing = false;
        for (const [one, what] of events) {
          const delta = exchange.apply(one);
          if (what === 'lost') {
            missing = true;
            continue;
          }
          const before = l2.sequence;
          expect(l3.applyDelta(delta.l3)).toBe(missing ? 'gap' : 'applied');
          expect(l2.applyDelta(delta.l2)).toBe(missing ? 'gap' : 'applied');
          if (missing) {
            expect([l2.sequence, l3.sequence]).toEqual([before, before]);
            l2.applySnapshot(exchange.snapshotL2());
            l3.applySnapshot(exchange.snapshotL3());
            missing = false;
          }
          if (what === 'twice') {
            expect(l3.applyDelta(delta.l3)).toBe('skipped');
            expect(l2.applyDelta(delta.l2)).toBe('skipped');
          }
          expect(l3.sequence).toBe(exchange.sequence);
          expect(l3.count).toBe(exchange.orders.length);
          for (const side of [BUY, SELL] as const) {
            expect(asPlain(l3.orders(side))).toEqual(asPlain(sorted(exchange.orders, side)));
            expect(l2.levels(side)).toEqual(levels(exchange.orders, side));
            expect(l3.levels(side)).toEqual(levels(exchange.orders, side));
            expect(l2.best(side)).toEqual(levels(exchange.orders, side)[0]);
            expect(l3.best(side)).toEqual(levels(exchange.orders, side)[0]);
          }
        }
        if (missing) {
          l2.applySnapshot(exchange.snapshotL2());
          l3.applySnapshot(exchange.snapshotL3());
        }
        for (const order of exchange.orders) {
          const ahead = exchange.orders.filter(
            (other) =>
              other.side === order.side && other.price === order.price && other.priority < order.priority,
          );
          expect(l3.sizeAhead(order.orderId)).toBe(ahead.reduce((sum, other) => sum + other.size, 0));
          expect(l2.sizeAt(order.side as Side, order.price)).toBeGreaterThan(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('limits levels, and knows nothing of what is not there', () => {
    const book = new BookL2(1);
    expect(book.sequence).toBe(-1);
    expect(book.best(BUY)).toBeUndefined();
    book.applySnapshot({
      market: 1,
      sequence: 1,
      time: 1,
      bids: [5, 4, 3].map((price) => ({ price, size: 1 })),
      asks: [],
    });
    expect(book.levels(BUY, 2)).toEqual([
      { price: 5, size: 1 },
      { price: 4, size: 1 },
    ]);
    expect(book.sizeAt(BUY, 9)).toBe(0);
    expect(book.sizeAt(SELL, 5)).toBe(0);
    expect(new BookL3(1).sizeAhead(1)).toBeUndefined();
  });
});
