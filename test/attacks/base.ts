/** The honest first batch: what every attack finds. Sizes in lots, prices in ticks, times from the start in ms. */
import {
  type ChainParameters,
  DEFAULT_CHAIN_PARAMETERS,
  type MarketConfig,
  NO_MARKET_LIMITS,
} from '#protocol/market.ts';
import { TEST_MARKET } from '../support/exchange.ts';
import type { CommandMaker } from './command-maker.ts';
import { type AccountName, KEY } from './keys.ts';

export const BTC_PRICE = 10_000;
export const ETH_PRICE = 2_000;
/** Samples are due at 4 s, funding at 59 s: the start lies one second after a whole minute. */
export const SAMPLE_AT = 4_000;
export const FUNDING_AT = 59_000;
export const EXPIRY_AT = 20_000;
export const DEAD_MAN_AT = 31_000;
export const KEY_ENDS_AT = 2_500;

export const CHAIN: ChainParameters = {
  ...DEFAULT_CHAIN_PARAMETERS,
  stalenessMs: 10_000,
  voidMs: 40_000,
  fundingIntervalMs: 60_000,
  openOrdersMax: 12,
  sessionKeysMax: 2,
};
export const MARKETS: readonly MarketConfig[] = [
  { ...TEST_MARKET, maxOpenInterest: 50_000 },
  {
    ...TEST_MARKET,
    market: 1,
    symbol: 'ETH-PERP',
    qm: 250,
    maxPrice: 20_000,
    maxPosition: 1_000_000,
    maxOrderSize: 100_000,
    minNotional: 1_000_000,
    bandPpm: 50_000,
    makerFeePpm: 100,
    profitWeightPpm: 500_000,
    ...NO_MARKET_LIMITS,
    deviationPpm: 200_000,
    confidenceMaxPpm: 50_000,
    openInterestLower: 0,
    openInterestUpper: 200,
  },
];

/** In the order of the accounts. */
export const DEPOSITS: readonly (readonly [AccountName, subaccount: number, amount: number])[] = [
  ['makerA', 0, 1e11],
  ['makerB', 0, 1e11],
  ['taker', 0, 1e11],
  ['rich', 0, 1e11],
  ['poor', 0, 100_000],
  ['taker', 1, 1e9],
];

export function playBase(make: CommandMaker): void {
  const start = make.now;
  make.round('first BTC price', 0, BTC_PRICE);
  make.round('first ETH price', 1, ETH_PRICE);
  const key = (owner: AccountName, address: Uint8Array, scope: number, after: number): void =>
    make.send(`session key of ${owner}`, owner, [
      { kind: 'session-key', key: address, scope, expiry: start + after },
    ]);
  key('makerA', KEY.trading.address, 1, 500_000);
  key('makerB', KEY.canceling.address, 2, 500_000);
  key('taker', KEY.ending.address, 3, KEY_ENDS_AT);
  make.send('switch of makerB', 'makerB', [{ kind: 'cancel-on-disconnect', enabled: true, graceMs: 1_000 }]);
  make.send('dead-man of rich', 'rich', [{ kind: 'cancel-after', deadline: start + DEAD_MAN_AT }]);

  make.order('opens short', 'makerA', { side: 1, price: 10_000, size: 1_000 });
  make.order('opens long', 'taker', { side: 0, price: 10_000, size: 1_000, timeInForce: 2 });
  make.order('opens ETH short', 'rich', { market: 1, side: 1, price: 2_003, size: 100 });
  make.order('opens ETH long', 'makerB', { market: 1, side: 0, price: 2_003, size: 100, timeInForce: 2 });

  make.order('A sells', 'makerA', { side: 1, price: 10_000, size: 300, clientId: 1 });
  make.order('B sells', 'makerB', { side: 1, price: 10_000, size: 300, clientId: 1 });
  make.order('B sells dearer', 'makerB', { side: 1, price: 10_010, size: 500, clientId: 2 });
  const gtd = { timeInForce: 1, expiry: start + EXPIRY_AT, clientId: 7 } as const;
  make.order('A sells for a while', 'makerA', { side: 1, price: 10_020, size: 50, ...gtd });
  make.order('poor sells', 'poor', { side: 1, price: 10_030, size: 100, clientId: 3 });
  make.order('taker reduces', 'taker', { side: 1, price: 10_050, size: 200, reduceOnly: true, clientId: 4 });
  make.order('rich buys', 'rich', { side: 0, price: 9_990, size: 400, clientId: 1 });
  make.order('taker buys', 'taker', { side: 0, price: 9_985, size: 150, clientId: 5 });
  make.order('rich buys cheaper', 'rich', { side: 0, price: 9_980, size: 300, clientId: 2 });
  make.order('A buys', 'makerA', { side: 0, price: 9_970, size: 100, clientId: 8 });
  make.order('A buys cheaper', 'makerA', { side: 0, price: 9_960, size: 120 });
  make.order('ETH bids', 'rich', { market: 1, side: 0, price: 2_004, size: 60_000, clientId: 9 });
  make.order('ETH asks', 'makerB', { market: 1, side: 1, price: 2_010, size: 60_000, clientId: 9 });
}
