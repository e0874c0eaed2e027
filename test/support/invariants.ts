/** The invariants of margin.md section 10 that hold after every command, computed the slow and obvious way. */
import { assert } from '#protocol/assert.ts';
import { REDUCE_ONLY_BIT } from '#protocol/operation.ts';
import { NOT_ISOLATED } from '#state/accounts.ts';
import type { ExchangeState } from '#state/exchange-state.ts';

/** Money: ΣQ + Σv + fees + funding balances + insurance + withdrawn = deposits, in q. */
export function totalMoney(state: ExchangeState): bigint {
  let total = 0n;
  for (let account = 1; account <= state.accounts.count; account++) {
    total += BigInt(state.accounts.cash[account]!);
    for (let slot = state.accounts.firstPosition[account]!; slot >= 0; slot = state.positions.next(slot))
      total += BigInt(state.positions.v(slot));
  }
  for (const market of state.markets)
    if (market !== undefined) total += BigInt(market.fees) + BigInt(market.fundingBalance);
  for (const fund of state.funds.values()) {
    assert(fund > 0, `an insurance fund is not empty and owes nothing, got ${fund}`);
    total += BigInt(fund);
  }
  for (const amount of state.withdrawn.values()) total += amount;
  return total;
}

export function checkInvariants(state: ExchangeState, deposited: bigint): void {
  const money = totalMoney(state);
  assert(money === deposited, `conservation: deposited ${deposited}, found ${money}`);
  const net = new Map<number, number>();
  const long = new Map<number, number>();
  const open = new Map<string, number>();
  const { accounts, positions, orders } = state;
  for (let account = 1; account <= accounts.count; account++) {
    const isolated = accounts.isolatedMarket[account]!;
    assert(
      isolated === NOT_ISOLATED || accounts.assetRows(account).length === 0,
      'an isolated account has the quote asset alone',
    );
    let previous = -1;
    let count = 0;
    let orderCount = 0;
    for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot)) {
      const market = positions.market(slot);
      assert(market > previous, 'positions ascend by market');
      previous = market;
      count++;
      const size = positions.size(slot);
      assert(size !== 0 || positions.v(slot) === 0, 'an empty position has no entry value');
      assert(
        size !== 0 || positions.ownHead(slot) >= 0 || positions.leveragePpm(slot) !== 0,
        'an empty record is released',
      );
      assert(isolated === NOT_ISOLATED || isolated === market, 'an isolated account has one market');
      net.set(market, (net.get(market) ?? 0) + size);
      long.set(market, (long.get(market) ?? 0) + Math.max(size, 0));
      const sums = [0, 0, 0, 0, 0];
      let last = -1;
      for (let order = positions.ownHead(slot); order >= 0; order = orders.ownNext(order)) {
        assert(orders.id(order) > last, 'own orders ascend by id');
        last = orders.id(order);
        orderCount++;
        assert(orders.size(order) > 0, 'a resting order is open');
        const side = orders.side(order);
        const lots = orders.size(order);
        if ((orders.flags(order) & REDUCE_ONLY_BIT) !== 0) sums[4]! += lots;
        else {
          sums[side]! += lots;
          sums[2 + side]! += lots * state.markets[market]!.lotValue(orders.price(order));
        }
        const key = `${market}/${side}/${orders.price(order)}`;
        open.set(key, (open.get(key) ?? 0) + lots);
      }
      const held = [
        positions.bidLots(slot),
        positions.askLots(slot),
        positions.bidQuote(slot),
        positions.askQuote(slot),
        positions.reduceOnlyLots(slot),
      ];
      assert(
        sums.every((sum, i) => sum === held[i]),
        `open totals of ${account}: ${sums} against ${held}`,
      );
    }
    assert(count === accounts.positionCount[account], 'position count');
    assert(orderCount === accounts.openOrders[account], 'open order count');
  }
  for (const market of state.markets) {
    if (market === undefined) continue;
    const id = market.config.market;
    assert((net.get(id) ?? 0) === 0, `positions of market ${id} sum to zero, got ${net.get(id)}`);
    assert((long.get(id) ?? 0) === market.openInterest, `open interest of market ${id}`);
    const bid = market.bids.bestPrice();
    const ask = market.asks.bestPrice();
    assert(bid === 0 || ask === 0 || bid < ask, `book of market ${id} not crossed: ${bid} / ${ask}`);
    for (const side of [market.bids, market.asks]) {
      for (let n = 0; n < side.depth; n++) {
        const level = side.levelAt(n);
        const key = `${id}/${side.side}/${side.priceAt(n)}`;
        assert(open.get(key) === state.levels.size(level), `level ${key}`);
        open.delete(key);
      }
    }
  }
  assert(open.size === 0, `orders without a level: ${[...open.keys()]}`);
}
