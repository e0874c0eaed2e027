/** Where a publisher's prices come from: anything that knows a market's price at a time. */

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
