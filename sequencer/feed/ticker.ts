/** Market data L1 of every market: top of book, last trade, prices, funding, status, as far as durable. */
import { EventKind, FUNDING_RATE, MARKET_CONFIGURED, PRICE, SAMPLE, TRADE } from '#protocol/event.ts';
import { MARKET_HALTED } from '#protocol/market.ts';
import { encodeMarketStatus, encodeTicker } from '#protocol/wire-market-data.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { DurableBook } from './durable-book.ts';

/** What is known of one market. */
class MarketFacts {
  readonly market: number;
  status = 0;
  indexPrice = 0;
  indexTime = 0;
  markPrice = 0;
  lastPrice = 0;
  lastSize = 0;
  fundingRatePpb = 0;
  openInterest = 0;
  statusSeq = 0;
  statusTime = 0;
  isDirty = false;
  constructor(market: number) {
    this.market = market;
  }
}

export class TickerView {
  private readonly state: ExchangeState;
  private readonly book: DurableBook;
  private readonly markets: (MarketFacts | undefined)[] = [];
  /** Signed lots by account · 2^16 + market: open interest is the sum of the longs. */
  private readonly positions = new Map<number, number>();
  private readonly dirty: MarketFacts[] = [];
  private readonly statusChanged: MarketFacts[] = [];
  seq: number;
  private time: number;

  /** Starts as `state`, all of which must be durable. */
  constructor(state: ExchangeState, book: DurableBook) {
    this.state = state;
    this.book = book;
    this.seq = state.seq;
    this.time = state.now;
    for (const market of state.markets) {
      if (market === undefined) continue;
      const facts = this.facts(market.config.market);
      facts.status = market.status();
      facts.indexPrice = market.index;
      facts.indexTime = market.indexTime;
      facts.markPrice = market.mark;
      facts.lastPrice = market.lastPrice;
      facts.openInterest = market.openInterest;
      facts.statusSeq = state.seq;
      facts.statusTime = state.now;
    }
    const { accounts, positions } = state;
    for (let account = 1; account <= accounts.count; account++)
      for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot))
        if (positions.size(slot) !== 0)
          this.positions.set(positionKey(account, positions.market(slot)), positions.size(slot));
  }

  has(market: number): boolean {
    return this.markets[market] !== undefined;
  }

  /** The rate of the last funding tick before this process, from history. */
  seedFundingRate(market: number, ratePpb: number): void {
    this.facts(market).fundingRatePpb = ratePpb;
  }

  onRow(data: Float64Array, at: number): void {
    this.seq = data[at + 1]!;
    this.time = data[at + 2]!;
    switch (data[at]) {
      case EventKind.TRADE: {
        const market = data[at + TRADE.market]!;
        const size = data[at + TRADE.size]!;
        const facts = this.touch(market);
        facts.lastPrice = data[at + TRADE.price]!;
        facts.lastSize = size;
        const bought = data[at + TRADE.takerSide] === 0 ? size : -size;
        this.addPosition(facts, data[at + TRADE.takerAccount]!, bought);
        this.addPosition(facts, data[at + TRADE.makerAccount]!, -bought);
        break;
      }
      case EventKind.PRICE: {
        const facts = this.touch(data[at + PRICE.market]!);
        facts.markPrice = data[at + PRICE.mark]!;
        if (data[at + PRICE.code] === 0) {
          facts.indexPrice = data[at + PRICE.index]!;
          facts.indexTime = this.time;
        } else this.setStatus(facts, MARKET_HALTED);
        break;
      }
      case EventKind.SAMPLE:
        this.touch(data[at + SAMPLE.market]!).markPrice = data[at + SAMPLE.mark]!;
        break;
      case EventKind.FUNDING_RATE:
        this.touch(data[at + FUNDING_RATE.market]!).fundingRatePpb = data[at + FUNDING_RATE.ratePpb]!;
        break;
      case EventKind.MARKET_CONFIGURED:
        this.setStatus(
          this.touch(data[at + MARKET_CONFIGURED.market]!),
          data[at + MARKET_CONFIGURED.status]!,
        );
        break;
    }
  }

  /** The book of the market changed. */
  touchBook(market: number): void {
    this.touch(market);
  }

  publish(tellTicker: (market: number) => void, tellStatus: (market: number) => void): void {
    for (const facts of this.statusChanged) tellStatus(facts.market);
    this.statusChanged.length = 0;
    for (const facts of this.dirty) {
      facts.isDirty = false;
      tellTicker(facts.market);
    }
    this.dirty.length = 0;
  }

  /** A TICKER frame. The time of the next funding follows from the clock alone and needs no command. */
  ticker(market: number): Uint8Array {
    const { bids, asks } = this.book.market(market);
    const { levels } = this.book;
    const facts = this.facts(market);
    return encodeTicker({
      market,
      status: facts.status,
      indexVoid: facts.indexPrice === 0 || this.time - facts.indexTime > this.state.chain.voidMs,
      bidPrice: bids.bestPrice(),
      bidSize: bids.depth === 0 ? 0 : levels.size(bids.bestLevel()),
      askPrice: asks.bestPrice(),
      askSize: asks.depth === 0 ? 0 : levels.size(asks.bestLevel()),
      lastPrice: facts.lastPrice,
      lastSize: facts.lastSize,
      indexPrice: facts.indexPrice,
      markPrice: facts.markPrice,
      fundingRatePpb: facts.fundingRatePpb,
      nextFundingTime: this.state.nextFundingTime,
      openInterest: facts.openInterest,
      seq: this.seq,
      time: this.time,
    });
  }

  /** A MARKET_STATUS frame. */
  status(market: number): Uint8Array {
    const { status, statusSeq, statusTime } = this.facts(market);
    return encodeMarketStatus({ market, status, seq: statusSeq, time: statusTime });
  }

  /** Status frames of all markets. */
  statuses(): Uint8Array[] {
    return this.markets.flatMap((facts) => (facts === undefined ? [] : [this.status(facts.market)]));
  }

  private setStatus(facts: MarketFacts, status: number): void {
    if (facts.status === status && facts.statusSeq > 0) return;
    facts.status = status;
    facts.statusSeq = this.seq;
    facts.statusTime = this.time;
    if (!this.statusChanged.includes(facts)) this.statusChanged.push(facts);
  }

  private addPosition(facts: MarketFacts, account: number, lots: number): void {
    const key = positionKey(account, facts.market);
    const before = this.positions.get(key) ?? 0;
    const after = before + lots;
    if (after === 0) this.positions.delete(key);
    else this.positions.set(key, after);
    facts.openInterest += Math.max(0, after) - Math.max(0, before);
  }

  private touch(market: number): MarketFacts {
    const facts = this.facts(market);
    if (!facts.isDirty) {
      facts.isDirty = true;
      this.dirty.push(facts);
    }
    return facts;
  }

  private facts(market: number): MarketFacts {
    let facts = this.markets[market];
    if (facts === undefined) {
      facts = new MarketFacts(market);
      while (this.markets.length < market) this.markets.push(undefined);
      this.markets[market] = facts;
    }
    return facts;
  }
}

const positionKey = (account: number, market: number): number => account * 65_536 + market;
