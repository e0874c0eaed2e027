/**
 * Where a publisher's prices come from: anything that knows a market's price at a time.
 *
 * A source is asked in the publisher's beat and answers at once: one that has to ask others does so by itself and answers
 * with what it knows (http-source.ts). It says undefined rather than something old: a publisher that is silent changes
 * nothing while two thirds of the weight speak, one that repeats an old price is a liar of its weight.
 */

export interface SourcedPrice {
  /** Ticks, at least 1. */
  readonly price: number;
  /** Half width, ticks. */
  readonly confidence: number;
}

export interface PriceSource {
  /** Price of a market at a time in milliseconds; undefined when the source has none. */
  priceAt(market: number, timeMs: number): SourcedPrice | undefined;
}

/** Always the same price: for tests and for markets that stand still. */
export const fixedSource = (prices: ReadonlyMap<number, SourcedPrice>): PriceSource => ({
  priceAt: (market) => prices.get(market),
});

const lowerMedian = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;

/**
 * Several sources as one: the lower median of those that have a price, once they are more than half of all. Its half width
 * is the median of theirs plus the median of their distances from it, as in the index.
 */
export const medianOf = (sources: readonly PriceSource[]): PriceSource => ({
  priceAt(market, timeMs) {
    const found = sources
      .map((source) => source.priceAt(market, timeMs))
      .filter((price) => price !== undefined);
    if (2 * found.length <= sources.length) return undefined;
    const price = lowerMedian(found.map((one) => one.price));
    const width = lowerMedian(found.map((one) => one.confidence));
    return { price, confidence: width + lowerMedian(found.map((one) => Math.abs(one.price - price))) };
  },
});

/** The first source that has a price for the market. */
export const firstOf = (sources: readonly PriceSource[]): PriceSource => ({
  priceAt(market, timeMs) {
    for (const source of sources) {
      const price = source.priceAt(market, timeMs);
      if (price !== undefined) return price;
    }
    return undefined;
  },
});
