import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { useNonce } from '#state/accounts.ts';
import { allLeaves } from '#state/all-leaves.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import {
  accountLeaf,
  expiryLeaf,
  globalsLeaf,
  levelLeaf,
  orderLeaf,
  poolLeaf,
  pricesLeaf,
  registerLeaf,
  withdrawnLeaf,
} from '#state/leaves.ts';
import { LeafLoader } from '#state/load-leaves.ts';
import { TEST_QUOTE_ASSET } from '#test/support/assets.ts';
import { randomState, testMarket, u64 } from './random-state.ts';

const text = ([key, value]: readonly [Uint8Array, Uint8Array]): string => `${toHex(key)} ${toHex(value)}`;

function reload(state: ExchangeState): ExchangeState {
  const loader = new LeafLoader(new ExchangeState());
  const { ledger, book } = allLeaves(state);
  for (const [key, value] of [...ledger, ...book]) loader.load(key, value);
  return loader.finish();
}

const sizes = fc.record({
  accounts: fc.integer({ min: 0, max: 12 }),
  orders: fc.integer({ min: 0, max: 60 }),
});

describe('leaves', () => {
  it('are none in a fresh state', () => {
    expect(allLeaves(new ExchangeState())).toEqual({ ledger: [], book: [] });
  });

  it('rebuild a state with the same leaves', () => {
    fc.assert(
      fc.property(fc.integer(), sizes, (seed, size) => {
        const state = randomState(seed, size);
        const loaded = reload(state);
        const [before, after] = [allLeaves(state), allLeaves(loaded)];
        expect([...after.ledger, ...after.book].map(text)).toEqual(
          [...before.ledger, ...before.book].map(text),
        );
      }),
      { numRuns: 150 },
    );
  });

  it('rebuild the books, own lists, expiries and funding caches', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const state = randomState(seed, { accounts: 6, orders: 80 });
        const loaded = reload(state);
        expect(books(loaded)).toEqual(books(state));
        expect(ownLists(loaded)).toEqual(ownLists(state));
        expect(drain(loaded)).toEqual(drain(state));
        for (let account = 1; account <= state.accounts.count; account++)
          for (const market of [0, 1, 17, 40]) {
            const [a, b] = [state.findPosition(account, market), loaded.findPosition(account, market)];
            expect(a < 0).toBe(b < 0);
            if (a < 0) continue;
            const behind = (of: ExchangeState, slot: number): boolean =>
              of.positions.fundingTick(slot) !== of.market(market)!.fundingTick;
            expect(behind(loaded, b)).toBe(behind(state, a));
          }
      }),
      { numRuns: 50 },
    );
  });

  it('stand in each byte where their layout says', () => {
    const state = new ExchangeState();
    state.seq = 0x0102;
    state.now = 0x0a0b0c0d0e0f;
    state.configureMarket(testMarket(3));
    state.configureAsset(TEST_QUOTE_ASSET);
    state.nextAccrualTime = 0x1388;
    expect(toHex(globalsLeaf(state)!)).toBe(
      '0x0000000000000102' + // seq
        '0a0b0c0d0e0f' + // now
        '00000001' + // version
        '00000000' + // accounts
        '0004' + // markets
        '000000000000000000000000' + // sample and funding times
        '00000000' + // cursors
        '00000bb8000027100000' + // staleness, void, …
        '0bb80000138800' +
        '36ee80000003e8' +
        '00000010000249f00000' +
        '75300000138800' +
        '0186a0' + // withdrawal floor
        '000493e0' + // average of the index
        '000186a000002710' + // buffer, slices
        '00003a980000ea60000001f4' + // book phase, auction, its rounds
        '000009c400002710' + // discount, fee
        '000003e8000186a0' + // small, slice
        '00000000000f1b3000000004' + // stable feed, depeg
        '00000000138800000001', // accrual, assets
    );
    const owner = fromHex('0x00112233445566778899aabbccddeeff00112233');
    const account = state.createAccount(owner, 7);
    state.accounts.cash[account] = -2;
    useNonce(state.accounts.nonce(account), 9);
    state.accounts.deadMan[account] = 0x1234;
    const slot = state.ensurePosition(account, 3);
    state.positions.setSize(slot, -3);
    state.positions.setV(slot, 5);
    state.positions.addOpen(slot, 1, 6, 7);
    state.positions.setLeveragePpm(slot, 0x20000);
    state.accounts.riskPool[account] = 3;
    state.accounts.flags[account] = 2;
    state.accounts.ensureAsset(account, 5).balance = 8;
    state.accounts.ensureAsset(account, 2).debtShares = 9;
    expect(toHex(accountLeaf(state, account)!)).toBe(
      toHex(
        concat(
          owner,
          Uint8Array.of(7),
          fromHex('fffffffffffffffe'),
          u64(9),
          fromHex(`${'00'.repeat(30)}0201`),
          fromHex('000000001234'),
          fromHex('000000000000'),
          fromHex('00000000'),
          fromHex('0000'),
          Uint8Array.of(1, 2, 3, 2, 0xff, 0xff, 0, 0, 0),
          fromHex('0003'),
          fromHex('fffffffffffffffd'),
          u64(5),
          new Uint8Array(16),
          u64(0),
          u64(6),
          u64(0),
          u64(7),
          u64(0),
          fromHex('00020000'),
          fromHex('0002'),
          u64(0),
          u64(0),
          u64(9),
          fromHex('0005'),
          u64(8),
          u64(0),
          u64(0),
        ),
      ),
    );
    state.market(3)!.index = 77;
    state.market(3)!.validity = 4;
    const prices = pricesLeaf(state, 0)!;
    expect(prices.length).toBe(4 * 48);
    expect(prices[3 * 48 + 3]).toBe(77);
    expect(prices[3 * 48 + 46]).toBe(4);
    const pool = poolLeaf(state, 0)!;
    expect(toHex(pool.subarray(0, 16))).toBe(toHex(pool.subarray(16, 32)));
    expect(toHex(pool)).toBe(
      toHex(
        concat(
          fromHex('0000000003' + '3b2e3c9fd0803ce8000000'),
          fromHex('0000000003' + '3b2e3c9fd0803ce8000000'),
          u64(0),
          u64(0),
          u64(0),
          u64(0),
          fromHex('0a0b0c0d0e0f'),
          fromHex('00000000'),
          u64(0),
        ),
      ),
    );
    expect(toHex(withdrawnLeaf(0x0102n)!)).toBe('0x00000000000000000000000000000102');
    expect(withdrawnLeaf(0n)).toBeUndefined();
  });

  it('of a register hash the message and are absent while it is idle', () => {
    const state = new ExchangeState();
    expect([0, 1, 2, 3].map((register) => registerLeaf(state, register))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    state.message.active = true;
    state.message.record = Uint8Array.of(...new Uint8Array(12), 1, 2, 3);
    state.message.account = 5;
    state.message.count = 3;
    state.message.next = 2;
    state.message.offset = 64;
    expect(toHex(registerLeaf(state, 0)!)).toBe(
      `${toHex(nobleKeccak(Uint8Array.of(1, 2, 3)))}00000005000302${'0040'}`,
    );
    state.record.active = true;
    state.record.record = Uint8Array.of(7, 8);
    expect(registerLeaf(state, 3)).toEqual(nobleKeccak(Uint8Array.of(7, 8)));
    state.walk.active = true;
    state.walk.account = 9;
    state.walk.reason = 8;
    state.walk.canceled = 4;
    expect(toHex(registerLeaf(state, 2)!)).toBe('0x00000009ffff080000000400');
    state.incoming.active = true;
    state.incoming.account = 1;
    state.incoming.price = 100;
    state.incoming.forced = true;
    expect(registerLeaf(state, 1)!.length).toBe(74);
    expect(registerLeaf(state, 1)![57]).toBe(4);
  });

  it('of an order that moved are absent at its old place', () => {
    const state = randomState(1, { accounts: 1, orders: 1 });
    const slot = state.orders.find(1);
    const price = state.orders.price(slot);
    const market = state.orders.market(slot);
    const side = state.orders.side(slot);
    expect(orderLeaf(state, 1, price, 1)).toBeDefined();
    expect(orderLeaf(state, 1, price + 1, 1)).toBeUndefined();
    expect(orderLeaf(state, 1, price, 2)).toBeUndefined();
    expect(orderLeaf(state, 2, price, 1)).toBeUndefined();
    expect(levelLeaf(state, market, side, price)).toEqual(u64(state.orders.size(slot)));
    expect(levelLeaf(state, market, 1 - side, price)).toBeUndefined();
    expect(expiryLeaf(state, 2 ** 43, 0, 1)).toBeUndefined();
  });

  it('are refused when they contradict each other', () => {
    const base = randomState(7, { accounts: 4, orders: 30 });
    const all = [...allLeaves(base).ledger, ...allLeaves(base).book];
    const load = (leaves: readonly (readonly [Uint8Array, Uint8Array])[]): void => {
      const loader = new LeafLoader(new ExchangeState());
      for (const [key, value] of leaves) loader.load(key, value);
      loader.finish();
    };
    load(all);
    const kindsHeld = [0x02, 0x03, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46];
    for (const kind of kindsHeld) {
      const at = all.findIndex(([key]) => key[0] === kind);
      expect(at, `kind ${kind}`).toBeGreaterThanOrEqual(0);
      expect(() => load(all.filter((_, i) => i !== at)), `without ${kind}`).toThrow();
    }
    for (const kind of [0x03, 0x42, 0x43, 0x44]) {
      const changed = all.map(([key, value]) => [key, value.slice()] as const);
      const leaf = changed.find(([key]) => key[0] === kind)!;
      leaf[1][leaf[1].length - 1]! ^= 1;
      expect(() => load(changed), `changed ${kind}`).toThrow(/expected/);
    }
    for (const [i, [key, value]] of all.entries()) {
      if (key[0] === 0x46) continue;
      const cut = all.with(i, [key, value.slice(0, -1)]);
      expect(() => load(cut), toHex(key)).toThrow();
    }
    expect(() => load([all[1]!, all[0]!])).toThrow(/above/);
  });
});

function books(state: ExchangeState): unknown {
  return state.markets.map(
    (market) =>
      market &&
      [market.bids, market.asks].map((book) =>
        Array.from({ length: book.depth }, (_, n) => {
          const level = book.levelAt(n);
          const ids = [];
          for (let slot = state.levels.head(level); slot >= 0; slot = state.orders.next(slot))
            ids.push(state.orders.id(slot));
          return [book.priceAt(n), state.levels.size(level), state.levels.orders(level), ids];
        }),
      ),
  );
}

function ownLists(state: ExchangeState): unknown {
  const lists = [];
  for (let account = 1; account <= state.accounts.count; account++)
    for (let at = state.accounts.firstPosition[account]!; at >= 0; at = state.positions.next(at)) {
      const ids = [];
      let last = -1;
      for (let slot = state.positions.ownHead(at); slot >= 0; slot = state.orders.ownNext(slot)) {
        expect(state.orders.ownPrev(slot)).toBe(last);
        last = slot;
        ids.push(state.orders.id(slot));
      }
      expect(state.positions.ownTail(at)).toBe(last);
      lists.push([account, state.positions.market(at), ids]);
    }
  return lists;
}

function drain(state: ExchangeState): unknown {
  const due = [];
  for (let next = state.expiries.peek(); next !== undefined; next = state.expiries.peek()) {
    due.push(next);
    state.expiries.pop();
  }
  return due;
}
