/** Quantiles of the histogram against sorted samples. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '#pipeline/latency-histogram.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);

describe('latency histogram', () => {
  it('gives an upper bound of each quantile, at most a sixteenth and one above it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(50), fc.nat(5_000), fc.nat(2 ** 31)), { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (samples, q) => {
          const histogram = new LatencyHistogram();
          for (const sample of samples) histogram.add(sample);
          const sorted = [...samples].sort((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(q * samples.length)) - 1]!;
          const told = histogram.quantile(q);
          expect(told).toBeGreaterThan(exact);
          expect(told).toBeLessThanOrEqual(exact * (1 + 1 / 16) + 1);
          expect(histogram.count).toBe(samples.length);
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
    expect(new LatencyHistogram().quantile(0.5)).toBe(0);
  });
});
