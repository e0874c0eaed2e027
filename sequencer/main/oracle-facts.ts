/** What the price relay has to know, read from the live state. */
import type { OracleFacts } from '#oracle/price-relay.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Address } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';

export const oracleFacts = (state: ExchangeState): OracleFacts => ({
  hasMarket: (market) => state.market(market) !== undefined,
  publishers: state.publishers,
  usedSequence: (market, publisher) => state.market(market)?.reportSequences[publisher] ?? 0,
  get stalenessMs() {
    return state.chain.stalenessMs;
  },
  get futureMs() {
    return state.chain.futureMs;
  },
});

/** A key of the publisher set that still has weight. */
export const isPublisher = (state: ExchangeState, signer: Address): boolean =>
  state.publishers.some((one) => one !== undefined && one.weight > 0 && equalBytes(one.address, signer));
