/** Index price of a market from signed reports, and its average over time (margin.md section 5). */
import { MILLION } from '#protocol/limits.ts';
import { emaStep } from './mark-price.ts';

export interface Weighted {
  readonly value: number;
  readonly weight: number;
}

/** Lower weighted median: the smallest value at which the weights of it and all below reach half of the total. */
export function lowerWeightedMedian(items: readonly Weighted[]): number {
  const sorted = [...items].sort((a, b) => a.value - b.value);
  let total = 0;
  for (const item of sorted) total += item.weight;
  let sum = 0;
  for (const item of sorted) {
    sum += item.weight;
    if (2 * sum >= total) return item.value;
  }
  return 0;
}

export interface UsedReport {
  readonly price: number;
  readonly confidence: number;
  readonly weight: number;
}

/** Index and its confidence: weighted median of the confidences plus that of the distances from the index; ticks. */
export function indexOf(reports: readonly UsedReport[]): { index: number; confidence: number } {
  const index = lowerWeightedMedian(reports.map((r) => ({ value: r.price, weight: r.weight })));
  const confidence = lowerWeightedMedian(reports.map((r) => ({ value: r.confidence, weight: r.weight })));
  const dispersion = lowerWeightedMedian(
    reports.map((r) => ({ value: Math.abs(r.price - index), weight: r.weight })),
  );
  return { index, confidence: Math.min(confidence + dispersion, 2 ** 32 - 1) };
}

/**
 * Average of the index after a round, in 1e-6 ticks: a millionth of a tick, because whole ticks would stand still at the
 * small steps of many rounds a second. The first index is the average.
 */
export const averageIndex = (average: number, index: number, step: { dt: number; tau: number }): number =>
  average === 0 ? index * MILLION : Number(emaStep(BigInt(average), BigInt(index) * BigInt(MILLION), step));
