/** Ladders: whatever is held and wanted, the steps lead from one to the other and never cross on the way. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type LadderOrder, ladderSteps } from '#client/actions/replace-ladder.ts';
import { BUY, SELL, type Side } from '#protocol/units.ts';

interface Level {
  readonly side: Side;
  readonly price: number;
  readonly size: number;
}

/** Up to six levels a side around a mid price, one a price, that do not cross. */
const ladder = fc
  .tuple(
    fc.integer({ min: 100, max: 140 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }),
    fc.infiniteStream(fc.integer({ min: 1, max: 3 })),
  )
  .map(([mid, below, above, sizes]): Level[] => {
    const size = (): number => sizes.next().value;
    return [
      ...below.map((offset) => ({ side: BUY, price: mid - offset, size: size() })),
      ...above.map((offset) => ({ side: SELL, price: mid + offset, size: size() })),
    ];
  });

const plain = (levels: readonly Level[]) =>
  levels.map(({ side, price, size }) => `${side}:${price}:${size}`).sort();

it('steps lead from what is held to what is wanted, without crossing, by the fewest operations', () => {
  fc.assert(
    fc.property(ladder, ladder, (from, wanted) => {
      const held: LadderOrder[] = from.map((level, i) => ({ ...level, orderId: i + 1 }));
      const { kept, steps } = ladderSteps(7, held, wanted, true);
      const book = new Map<number, Level>(held.map((order) => [order.orderId, order]));
      let nextId = 1_000;
      for (const { operation } of steps) {
        if (operation.kind === 'cancel') expect(book.delete(operation.id)).toBe(true);
        else if (operation.kind === 'amend') {
          const { side } = book.get(operation.id)!;
          book.set(operation.id, { side, price: operation.price, size: operation.size });
        } else if (operation.kind === 'place') {
          expect(operation.postOnly).toBe(true);
          book.set(nextId++, operation);
        } else expect.unreachable();
        const half = (side: Side) =>
          [...book.values()].filter((level) => level.side === side).map(({ price }) => price);
        expect(Math.max(...half(BUY))).toBeLessThan(Math.min(...half(SELL)));
      }
      expect(plain([...book.values()])).toEqual(plain(wanted));
      // Nothing that is wanted as it stands is touched.
      const same = wanted.filter((level) => plain(from).includes(plain([level])[0]!));
      expect(plain(kept)).toEqual(plain(same));
      const count = (levels: readonly Level[], side: Side) =>
        levels.filter((level) => level.side === side).length;
      const fewest = [BUY, SELL].map((side) => {
        const unchanged = count(same, side as Side);
        return Math.max(count(from, side as Side), count(wanted, side as Side)) - unchanged;
      });
      expect(steps.length).toBe(fewest[0]! + fewest[1]!);
    }),
    { numRuns: 1_000 },
  );
});
