/**
 * A digest of the live state that is cheap enough to be journaled every so many commands: money, nonces,
 * positions with their open-order totals, market sums and book tops. The trees' roots are exact and dear and are
 * the batcher's; this one finds a replay that went another way, soon after it did. Pure, in state order.
 */
import { setU64, viewOf } from '#protocol/bytes.ts';
import type { Hash } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { MarketState } from '#state/market-state.ts';

const POW32 = 2 ** 32;
const DIGEST_BYTES = 96;

/** Two 32-bit lanes that each number is mixed into; order matters. */
class Mixer {
  a = 0x811c9dc5;
  b = 0x9e3779b9;

  number(value: number): void {
    const high = Math.floor(value / POW32);
    const low = (value - high * POW32) | 0;
    this.a = Math.imul(this.a ^ low, 0x01000193);
    this.a = Math.imul(this.a ^ (this.a >>> 15) ^ high, 0x85ebca6b);
    this.b = Math.imul(this.b ^ high, 0xc2b2ae35);
    this.b = Math.imul(this.b ^ (this.b >>> 13) ^ low, 0x27d4eb2f);
  }

  big(value: bigint): void {
    this.number(Number(BigInt.asUintN(48, value)));
    this.number(Number(BigInt.asUintN(48, value >> 48n)));
    this.number(Number(BigInt.asUintN(48, value >> 96n)));
  }
}

/** 32 bytes. Time linear in accounts and positions: about 10 ns each. */
export function stateDigest(state: ExchangeState): Hash {
  const mixer = new Mixer();
  mixAccounts(mixer, state);
  for (const market of state.markets) if (market !== undefined) mixMarket(mixer, market);
  const bytes = new Uint8Array(DIGEST_BYTES);
  const view = viewOf(bytes);
  const numbers = [
    state.seq,
    state.now,
    state.nextOrderId,
    state.nextTradeId,
    state.queueNext,
    state.accounts.count,
    state.orders.count,
  ];
  numbers.forEach((value, i) => {
    setU64(view, 8 * i, value);
  });
  view.setInt32(56, mixer.a, true);
  view.setInt32(60, mixer.b, true);
  bytes.set(state.queueHash, 64);
  return state.keccak(bytes);
}

function mixAccounts(mixer: Mixer, state: ExchangeState): void {
  const { accounts, positions } = state;
  for (let account = 1; account <= accounts.count; account++) {
    mixer.number(accounts.cash[account]!);
    mixer.number(accounts.nonce(account).high);
    mixer.number(accounts.openOrders[account]!);
    for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot)) {
      mixer.number(positions.market(slot));
      mixer.number(positions.size(slot));
      mixer.number(positions.v(slot));
      mixer.number(positions.bidLots(slot));
      mixer.number(positions.askLots(slot));
      mixer.number(positions.bidQuote(slot));
      mixer.number(positions.askQuote(slot));
      mixer.number(positions.reduceOnlyLots(slot));
      // Not the tick, which is a cache: a state that was loaded from its leaves must have the same digest.
      const settled = positions.fundingIndex[slot]!;
      if (settled === state.market(positions.market(slot))!.fundingIndex) mixer.number(0);
      else mixer.big(settled);
    }
  }
}

function mixMarket(mixer: Mixer, market: MarketState): void {
  mixer.number(market.config.market);
  mixer.number(market.status());
  mixer.number(market.openInterest);
  mixer.number(market.fees);
  mixer.number(market.fundingBalance);
  mixer.number(market.fundingTick);
  mixer.number(market.premiumSum);
  mixer.number(market.index);
  mixer.number(market.mark);
  mixer.number(market.lastPrice);
  mixer.number(market.bids.bestPrice());
  mixer.number(market.asks.bestPrice());
  mixer.number(market.bids.depth);
  mixer.number(market.asks.depth);
  mixer.big(market.fundingIndex);
  mixer.big(market.basisEma);
  mixer.big(market.bookEma);
}
