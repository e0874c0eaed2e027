/** The expiry queue against a sorted list, and its size under timers that are set again and again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Due, ExpiryQueue } from '#state/expiry-queue.ts';
import { Random } from './random-state.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`expiry queue: SEED=${SEED}`);

describe('expiry queue', () => {
  it('gives what still stands by time, kind and id, whatever was pushed, repeated and voided', () => {
    const due = fc.record({ time: fc.nat(50), kind: fc.constantFrom(0, 1), id: fc.nat(400) });
    fc.assert(
      fc.property(fc.array(due, { maxLength: 4_000 }), fc.nat(50), (pushes, until) => {
        // As in the state: one time stands for an id and kind, the last one pushed; time 0 disarms.
        const standing = new Map<string, number>();
        const queue = new ExpiryQueue(({ time, kind, id }) => standing.get(`${kind}/${id}`) === time);
        for (const one of pushes) {
          const name = `${one.kind}/${one.id}`;
          if (one.time === 0) standing.delete(name);
          else {
            standing.set(name, one.time);
            queue.push(one);
          }
        }
        const expected = [...standing]
          .map(([name, time]) => ({
            time,
            kind: Number(name.split('/')[0]),
            id: Number(name.split('/')[1]),
          }))
          .filter(({ time }) => time <= until)
          .sort((a, b) => a.time - b.time || a.kind - b.kind || a.id - b.id);
        const taken: Due[] = [];
        while (queue.nextTime() <= until) {
          const next = queue.peek();
          if (next === undefined || next.time > until) break;
          queue.pop();
          standing.delete(`${next.kind}/${next.id}`);
          taken.push(next);
        }
        expect(taken).toEqual(expected);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('keeps its order through cleanings', () => {
    const random = new Random(SEED);
    const standing = new Map<number, number>();
    const queue = new ExpiryQueue(({ time, id }) => standing.get(id) === time);
    for (let id = 1; id <= 20_000; id++) {
      const time = random.below(1_000_000) + 1;
      standing.set(id, time);
      queue.push({ time, kind: 0, id });
      if (random.below(3) > 0) standing.delete(1 + random.below(id));
    }
    const expected = [...standing].sort(([a, s], [b, t]) => s - t || a - b).map(([id]) => id);
    const taken: number[] = [];
    for (let due = queue.peek(); due !== undefined; due = queue.peek()) {
      taken.push(due.id);
      standing.delete(due.id);
      queue.pop();
    }
    expect(taken).toEqual(expected);
  });

  it('does not grow with orders that were canceled long before a far expiry', () => {
    const standing = new Map<number, number>();
    const queue = new ExpiryQueue(({ time, id }) => standing.get(id) === time);
    let longest = 0;
    for (let id = 1; id <= 100_000; id++) {
      standing.set(id, 1_000_000 + id);
      queue.push({ time: 1_000_000 + id, kind: 0, id });
      if (id > 500) standing.delete(id - 500);
      longest = Math.max(longest, queue.length);
    }
    expect(longest).toBeLessThanOrEqual(1_024);
    expect(queue.peek()).toEqual({ time: 1_000_000 + 99_501, kind: 0, id: 99_501 });
  });

  it('does not grow with a timer that is disarmed and armed for the same time', () => {
    const queue = new ExpiryQueue(() => true);
    for (let i = 0; i < 5_000; i++) queue.push({ time: 77, kind: 1, id: 3 });
    expect(queue.length).toBeLessThanOrEqual(1_024);
    expect(queue.peek()).toEqual({ time: 77, kind: 1, id: 3 });
  });
});
