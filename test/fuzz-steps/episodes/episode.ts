/** A short scripted session that goes where chance hardly ever does. */

import type { ChainParameters, MarketConfig } from '#protocol/market.ts';
import { DEFAULT_CHAIN_PARAMETERS, encodeChainParameters, encodeMarketConfig } from '#protocol/market.ts';
import type { AmendOperation, PlaceOperation } from '#protocol/operation.ts';
import * as queue from '#protocol/queue-entry.ts';
import { RandomSession, SESSION_MARKETS } from '../../support/random-session.ts';

export interface Episode {
  readonly name: string;
  readonly play: (session: EpisodeSession) => void;
}

export const NOBODY = new Uint8Array(20);

type OrderChange = Partial<Omit<PlaceOperation, 'kind' | 'side' | 'price' | 'size'>>;
const order =
  (side: 0 | 1) =>
  (price: number, size: number, change: OrderChange = {}): PlaceOperation => ({
    kind: 'place',
    market: 0,
    side,
    price,
    size,
    timeInForce: 0,
    ...change,
  });
export const bid = order(0);
export const ask = order(1);
/** At once or not at all. */
export const IOC = { timeInForce: 2 } as const;

/** Of the order with a client id. */
export const amend = (id: number, price: number, size: number, market = 0): AmendOperation => ({
  kind: 'amend',
  market,
  by: 'client',
  id,
  price,
  size,
});

/** Trader n has account n + 1; 4 and 5, accounts 5 and 6, are rich. Every index stands at 10,002. */
export class EpisodeSession extends RandomSession {
  constructor(seed: number) {
    super({ seed, signed: true });
  }

  owner(trader: number): Uint8Array {
    return this.owners[trader]!.address;
  }

  market(market: number, change: Partial<MarketConfig> = {}): void {
    const base = SESSION_MARKETS[market] ?? SESSION_MARKETS[0]!;
    const config = { ...base, market, symbol: `M${market}-PERP`, ...change };
    this.enqueue(queue.QUEUE_CONFIGURE_MARKET, NOBODY, encodeMarketConfig(config));
  }

  chain(change: Partial<ChainParameters>): void {
    const parameters = { ...DEFAULT_CHAIN_PARAMETERS, openOrdersMax: 60, ...change };
    this.enqueue(queue.QUEUE_CONFIGURE_CHAIN, NOBODY, encodeChainParameters(parameters));
  }

  /** `buyer` takes `size` lots of `seller` at `price`. */
  trade(buyer: number, seller: number, price: number, size: number, market = 0): void {
    this.send(seller, [ask(price, size, { market })]);
    this.send(buyer, [bid(price, size, { market, ...IOC })]);
  }

  /** The clock goes on by `ms`, with whatever falls due. */
  wait(ms: number): void {
    this.now += ms;
    this.clock();
  }
}
