/**
 * Recordings for tests: a seeded order flow and what a plain first-in-first-out book, kept in arrays, makes of it.
 * Every take is filled in full, no add or amend crosses, as in recordings of real markets.
 */
import {
  numberQueues,
  type RecordedFill,
  type RecordedOrder,
  type RecordedRow,
} from '#client/demo/recording.ts';
import { SeededRandom } from '#client/demo/seeded-random.ts';
import type { Side } from '#protocol/units.ts';

interface Resting {
  readonly side: Side;
  readonly id: number;
  price: number;
  size: number;
}

export interface MadeRecording {
  readonly rows: RecordedRow[];
  readonly fills: RecordedFill[];
  readonly book: RecordedOrder[];
}

/** `mid`: ticks around which the book stands. */
export function makeRecording(options: { seed: number; rows: number; mid: number }): MadeRecording {
  const random = new SeededRandom(options.seed, 'recording');
  const rows: RecordedRow[] = [];
  const fills: RecordedFill[] = [];
  // Oldest first, both sides together.
  const resting: Resting[] = [];
  let time = 1_703_545_200_000_000_000n;
  let nextId = 6_412_777_000_000;
  let takes = 0;

  const priceFor = (side: Side): number => {
    const behind = random.whole(1, 12);
    return side === 0 ? options.mid - behind : options.mid + behind;
  };
  /** Best price first, oldest first. */
  const queue = (side: Side): Resting[] =>
    resting
      .filter((order) => order.side === side)
      .map((order, age) => ({ order, age }))
      .sort(
        (a, b) =>
          (side === 0 ? b.order.price - a.order.price : a.order.price - b.order.price) || a.age - b.age,
      )
      .map(({ order }) => order);
  const leave = (order: Resting): void => {
    resting.splice(resting.indexOf(order), 1);
  };
  const write = (op: RecordedRow['op'], row: Omit<RecordedRow, 'timeNs' | 'op'>): void => {
    rows.push({ timeNs: time.toString(), op, ...row });
  };
  const add = (): void => {
    const side = random.whole(0, 1) as Side;
    const order = { side, id: nextId++, price: priceFor(side), size: random.whole(1, 9) };
    resting.push(order);
    write('add', { ...order });
  };
  const take = (): void => {
    const side = random.whole(0, 1) as Side;
    const available = queue((1 - side) as Side);
    let wanted = random.whole(1, 20);
    let total = 0;
    let worst = 0;
    takes++;
    for (const maker of available) {
      if (wanted === 0) break;
      const size = Math.min(wanted, maker.size);
      fills.push({ timeNs: time.toString(), takeId: takes, restingId: maker.id, price: maker.price, size });
      wanted -= size;
      total += size;
      worst = maker.price;
      maker.size -= size;
      if (maker.size === 0) leave(maker);
    }
    if (total === 0) takes--;
    else write('take', { id: takes, side, price: worst, size: total });
  };
  const change = (): void => {
    const order = random.pick(resting);
    if (random.next() < 0.5) {
      leave(order);
      write('cancel', { id: order.id, side: order.side, price: order.price, size: order.size });
      return;
    }
    const price = random.next() < 0.4 ? order.price : priceFor(order.side);
    const size = random.whole(1, 9);
    if (price === order.price && size === order.size) return;
    const keepsPlace = price === order.price && size < order.size;
    if (!keepsPlace) {
      leave(order);
      resting.push(order);
    }
    order.price = price;
    order.size = size;
    write('amend', { id: order.id, side: order.side, price, size });
  };

  while (rows.length < options.rows) {
    time += BigInt(random.whole(0, 2_000_000));
    const what = random.next();
    if (resting.length < 20 || what < 0.5) add();
    else if (what < 0.85) change();
    else take();
  }
  return { rows, fills, book: numberQueues([...queue(0), ...queue(1)].map((order) => ({ ...order }))) };
}
