/**
 * Deviation guard (margin.md section 5): a move that a single round reports does not become the index before a second
 * round repeats it.
 */
import { MILLION } from '#protocol/limits.ts';

const isBeyond = (price: number, from: number, deviationPpm: number): boolean =>
  Math.abs(price - from) * MILLION > from * deviationPpm;

/**
 * The index after a round that says `price`, and what waits for a second round (0: nothing); ticks.
 * A move within `deviationPpm` of the index is taken. One beyond it waits, and the index stays. When the next round is
 * beyond it on the same side, the index goes as far as both of them did; what the newer one says beyond that waits again.
 * A fast market is followed one round behind; a spike of one round is forgotten with the next.
 * @param index before the round; 0 none, then the price is taken
 * @param deviationPpm 0: no guard
 */
export function confirmMove(
  price: number,
  index: number,
  pending: number,
  deviationPpm: number,
): { index: number; pending: number } {
  const isTaken = index === 0 || deviationPpm === 0 || !isBeyond(price, index, deviationPpm);
  if (isTaken) return { index: price, pending: 0 };
  const isRepeated = pending !== 0 && pending > index === price > index;
  if (!isRepeated) return { index, pending: price };
  const both = price > index ? Math.min(price, pending) : Math.max(price, pending);
  return isBeyond(price, both, deviationPpm) ? { index: both, pending: price } : { index: price, pending: 0 };
}
