/** The client against a whole exchange over a real WebSocket: orders, streams, queries, reconnects. */
import { createServer } from 'node:http';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { SluiceClient } from '#client/client.ts';
import type { SluiceError } from '#client/errors.ts';
import { fixedSource } from '#client/publisher/price-source.ts';
import { type RunningPublishers, runPublishers } from '#client/publisher/run-publishers.ts';
import { addressOfKey, keySigner, viemSigner } from '#client/signer.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { BUY, SELL } from '#protocol/units.ts';
import {
  ACCOUNTS,
  addressText,
  BTC,
  ETH,
  FUNDS,
  type LiveExchange,
  openLiveExchange,
  PUBLISHER_KEYS,
  traderKey,
  until,
} from './live-exchange.ts';

const INDEX = 500_000;
let exchange: LiveExchange;
let publishers: RunningPublishers;
const clients: SluiceClient[] = [];

async function trader(n: number, options: Partial<Parameters<typeof SluiceClient.connect>[0]> = {}) {
  const client = await SluiceClient.connect({
    url: exchange.url,
    signer: keySigner(traderKey(n)),
    reconnect: { firstMs: 5, mostMs: 50 },
    ...options,
  });
  clients.push(client);
  await client.loadMarkets();
  return client;
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: SluiceError) => error.code,
  );

beforeAll(async () => {
  exchange = await openLiveExchange();
  await until(() => exchange.state.accounts.count === ACCOUNTS);
  publishers = await runPublishers({
    url: exchange.url,
    signers: PUBLISHER_KEYS.map((key) => keySigner(key)),
    source: () =>
      fixedSource(new Map([BTC, ETH].map(({ market }) => [market, { price: INDEX, confidence: 1 }]))),
    intervalMs: 100,
  });
  await until(() => [BTC, ETH].every(({ market }) => exchange.state.market(market)!.index === INDEX));
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

afterAll(async () => {
  await publishers.stop();
  await exchange.close();
});

describe('connecting', () => {
  it('finds the account, logs in, and knows the nonces that were used', async () => {
    const client = await trader(1);
    expect(client.account).toBe(1);
    expect(client.hello).toMatchObject({ chainId: 31_337 });
    const view = await client.accountView();
    expect(view).toMatchObject({ account: 1, owner: addressText(1), subaccount: 0 });
    expect(await client.ping()).toBeGreaterThan(0);
  });

  it('has no account before the first deposit, and finds it afterwards', async () => {
    const owner = keySigner(traderKey(77));
    const client = await SluiceClient.connect({ url: exchange.url, signer: owner });
    clients.push(client);
    expect(client.account).toBeUndefined();
    expect(await codeOf(client.cancelAll())).toBe('ACCOUNT_MISSING');
    exchange.deposit(owner.address, 5_000_000);
    await until(() => exchange.state.accountOf(owner.address, 0) !== 0);
    expect(await client.findAccount()).toBe(exchange.state.accountOf(owner.address, 0));
    await client.login();
    expect((await client.accountView()).cash).toBe(5_000_000);
  });

  it('refuses a server of another chain or contract', async () => {
    const connect = (expect: { chainId?: number; rollup?: string }) =>
      codeOf(SluiceClient.connect({ url: exchange.url, expect }));
    expect(await connect({ chainId: 1 })).toBe('WRONG_CHAIN');
    expect(await connect({ rollup: `0x${'11'.repeat(20)}` })).toBe('WRONG_CHAIN');
  });

  it('says in one sentence what is wrong with an address', async () => {
    await expect(SluiceClient.connect({ url: 'ws://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      shortMessage: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await codeOf(SluiceClient.connect({ url: 'nonsense' }))).toBe('CONNECT_FAILED');
  });

  it('refuses servers that speak something else, or nothing', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    const sockets = new WebSocketServer({ server });
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
    const says: (string | Buffer | undefined)[] = ['hello', Buffer.from([1, 2, 3]), undefined];
    sockets.on('connection', (socket) => {
      const words = says.shift();
      if (words !== undefined) socket.send(words);
    });
    for (let i = 0; i < 3; i++)
      expect(await codeOf(SluiceClient.connect({ url, connectTimeoutMs: 200 }))).toBe('CONNECT_FAILED');
    sockets.close();
    server.close();
  });
});

describe('orders', () => {
  it('rests, amends, fills and cancels, by decimal text and by ticks', async () => {
    const [maker, taker] = [await trader(1), await trader(2)];
    const rested = await maker.placeOrder({
      market: 'BTC-PERP',
      side: 'sell',
      price: '50010.0',
      size: '0.01',
      postOnly: true,
    });
    expect(rested).toMatchObject({ status: 'resting', remainingSize: 1_000, code: undefined });
    const amended = await maker.amendOrder({ market: 0, orderId: rested.orderId, price: 500_120, size: 800 });
    expect(amended).toMatchObject({ status: 'resting', remainingSize: 800 });
    const filled = await taker.placeOrder({
      market: 'btc-perp',
      side: 'buy',
      price: '50020',
      size: '0.003',
      timeInForce: 'IOC',
    });
    expect(filled).toMatchObject({ status: 'filled', filledSize: 300, remainingSize: 0 });
    const open = await maker.openOrders({ market: 'BTC-PERP' });
    expect(open).toMatchObject([{ size: 500, price: 500_120, side: 1, postOnly: true }]);
    expect(await maker.cancelAll()).toMatchObject({ canceled: 1 });
    expect(await maker.openOrders()).toEqual([]);
    const positions = (await taker.accountView()).positions;
    expect(positions).toMatchObject([{ market: 0, size: 300 }]);
    expect(await taker.finality({ orderId: filled.orderId })).toMatchObject({
      stage: 'journaled',
      seq: filled.seq,
    });
  });

  it('throws rejections keyed by their code', async () => {
    const client = await trader(3);
    await expect(client.placeOrder({ market: 0, side: 'buy', price: 1, size: 1 })).resolves.toMatchObject({
      status: 'resting',
    });
    await client.cancelAll();
    const rejected = client.placeOrder({ market: 9, side: 'buy', price: 1, size: 1 });
    await expect(rejected).rejects.toMatchObject({
      name: 'RejectedError',
      code: 'UNKNOWN_MARKET',
      rejectCode: 200,
    });
    expect(await codeOf(client.cancelOrder({ market: 0, orderId: 999_999 }))).toBe('UNKNOWN_ORDER');
    expect(await codeOf(client.placeOrder({ market: 'DOGE', side: 'buy', price: 1, size: 1 }))).toBe(
      'NOT_FOUND',
    );
    expect(await codeOf(client.placeOrder({ market: 0, side: 'buy', price: 1.5, size: 1 }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await codeOf(client.sendOperations([]))).toBe('INVALID_ARGUMENT');
  });

  it('gives every operation of a bundle its own result', async () => {
    const client = await trader(3);
    const { results } = await client.sendOperations([
      { kind: 'place', market: 0, side: BUY, price: 100, size: 5, timeInForce: 0, clientId: 7 },
      { kind: 'place', market: 0, side: BUY, price: 100, size: 5, timeInForce: 0, clientId: 7 },
      { kind: 'cancel', market: 0, by: 'client', id: 7 },
    ]);
    expect(results.map((result) => result.code)).toEqual([undefined, 'DUPLICATE_CLIENT_ID', undefined]);
  });

  it('sends hundreds of orders at once under one key, and each is executed once', async () => {
    const client = await trader(4);
    const before = exchange.state.accounts.openOrders[4]!;
    const outcomes = await Promise.all(
      Array.from({ length: 400 }, (_, i) =>
        client.placeOrder({ market: 1, side: 'buy', price: 10 + i, size: 1 }),
      ),
    );
    expect(new Set(outcomes.map((outcome) => outcome.orderId)).size).toBe(400);
    expect(exchange.state.accounts.openOrders[4]).toBe(before + 400);
    expect(await client.cancelAll({ market: 'ETH-PERP' })).toMatchObject({ canceled: 400 });
  });

  it('two clients with one key do not get into each other’s nonces', async () => {
    const [first, second] = [await trader(5), await trader(5)];
    for (let round = 0; round < 20; round++)
      await Promise.all(
        [first, second, second, first].map((client) =>
          client.placeOrder({ market: 1, side: 'buy', price: 5, size: 1 }),
        ),
      );
    expect(await first.cancelAll()).toMatchObject({ canceled: 80 });
  });

  it('continues after someone with the same key ran far ahead of the clock', async () => {
    const client = await trader(5);
    const other = await trader(5);
    const identity = other.session.identity();
    other.session.nonces(identity).raise(other.serverNow() + 3_600_000);
    await other.placeOrder({ market: 1, side: 'buy', price: 5, size: 1 });
    await client.placeOrder({ market: 1, side: 'buy', price: 5, size: 1 });
    expect(await client.cancelAll()).toMatchObject({ canceled: 2 });
  });

  it('signs for several accounts on one connection', async () => {
    const client = await trader(1);
    const as = { signer: keySigner(traderKey(6)), account: 6 };
    const placed = await client.placeOrder({ market: 0, side: 'buy', price: 77, size: 1 }, { as });
    expect(exchange.state.orders.find(placed.orderId)).toBeGreaterThanOrEqual(0);
    expect(await client.cancelAll({}, { as })).toMatchObject({ canceled: 1 });
  });

  it('takes a message only before it expires, and only from who may sign', async () => {
    const client = await trader(1);
    const form = { market: 0, side: 'buy', price: 77, size: 1 } as const;
    expect(await codeOf(client.placeOrder(form, { validUntil: client.serverNow() - 5_000 }))).toBe(
      'MESSAGE_EXPIRED',
    );
    const as = { signer: keySigner(traderKey(6)), account: 1 };
    expect(await codeOf(client.placeOrder(form, { as }))).toBe('SIGNER_NOT_AUTHORIZED');
  });
});

describe('signers', () => {
  it('trades with a viem account: single operations and bundles', async () => {
    const account = privateKeyToAccount(`0x${traderKey(2)}`);
    const client = await trader(2, { signer: viemSigner(account) });
    const forms = [11, 12, 13].map((price) => client.placeOrder({ market: 1, side: 'buy', price, size: 1 }));
    expect((await Promise.all(forms)).map((one) => one.status)).toEqual(['resting', 'resting', 'resting']);
    const { results } = await client.sendOperations([
      { kind: 'cancel-all', market: 1 },
      { kind: 'cancel-all' },
    ]);
    expect(results.map((result) => result.canceled)).toEqual([3, 0]);
  });

  it('trades with a session key until it is ended, and never withdraws with it', async () => {
    const owner = await trader(6);
    const key = 'c0ffee'.padStart(64, '1');
    const address = toHex(addressOfKey(fromHex(key)));
    await owner.setSessionKey({ address, expiry: owner.serverNow() + 60_000, scope: 'all' });
    const session = await trader(6, { signer: keySigner(key), account: 6 });
    await session.placeOrder({ market: 1, side: 'buy', price: 9, size: 1 });
    expect(await codeOf(session.withdraw({ amount: '1' }))).toBe('SCOPE_NOT_ALLOWED');
    expect((await owner.accountView()).sessionKeys).toMatchObject([{ key: address, scope: 7 }]);
    await owner.endSessionKey({ address });
    expect(await codeOf(session.placeOrder({ market: 1, side: 'buy', price: 9, size: 1 }))).toBe(
      'SESSION_KEY_EXPIRED',
    );
    await owner.cancelAll();
  });
});

describe('money and switches', () => {
  it('transfers between sub-accounts and withdraws', async () => {
    const client = await trader(6);
    exchange.deposit(client.session.signer!.address, 1_000_000, 3);
    await until(() => exchange.state.accountOf(client.session.signer!.address, 3) !== 0);
    const sub = exchange.state.accountOf(client.session.signer!.address, 3);
    await client.transfer({ toAccount: sub, amount: '12.5' });
    expect(exchange.state.accounts.cash[sub]).toBe(13_500_000);
    const before = exchange.state.accounts.cash[6]!;
    await client.withdraw({ amount: '0.000001' });
    expect(exchange.state.accounts.cash[6]).toBe(before - 1);
    expect(await codeOf(client.withdraw({ amount: FUNDS * 2 }))).toBe('INSUFFICIENT_FREE_COLLATERAL');
    const moves = await client.transfers();
    expect(moves.map((move) => move.event)).toEqual(
      expect.arrayContaining(['WITHDRAWAL', 'TRANSFER', 'DEPOSIT']),
    );
  });

  it('cancels everything at the dead-man deadline', async () => {
    const client = await trader(3);
    await client.placeOrder({ market: 1, side: 'buy', price: 9, size: 1 });
    await client.cancelAfter({ afterMs: 1_200 });
    await until(() => exchange.state.accounts.openOrders[3] === 0);
    await client.cancelAfter({ afterMs: 0 });
  });

  it('cancels everything when the connection is lost, if asked to', async () => {
    const client = await trader(3);
    await client.placeOrder({ market: 1, side: 'buy', price: 9, size: 1 });
    await client.cancelOnDisconnect({ graceMs: 20 });
    await client.close();
    await until(() => exchange.state.accounts.openOrders[3] === 0);
    const again = await trader(3);
    await again.cancelOnDisconnect(false);
  });
});

describe('ladders', () => {
  it('replaces quotes by the fewest operations, and what rests is what was wanted', async () => {
    const client = await trader(4);
    const quotes = (prices: number[]) => prices.map((price) => ({ price, size: 10 }));
    let ladder = await client.replaceLadder({
      market: 1,
      bids: quotes([400_000, 399_990]),
      asks: quotes([600_000, 600_010]),
    });
    expect(ladder.outcome?.results.length).toBe(4);
    const resting = async () =>
      (await client.openOrders()).map((order) => [order.side, order.price, order.size]).sort();
    expect(await resting()).toEqual([
      [0, 399_990, 10],
      [0, 400_000, 10],
      [1, 600_000, 10],
      [1, 600_010, 10],
    ]);
    const kept = ladder.orders.find((order) => order.price === 400_000)!.orderId;
    ladder = await client.replaceLadder({
      market: 1,
      bids: quotes([400_010, 400_000]),
      asks: quotes([600_000]),
      previous: ladder,
    });
    // One bid moved, one ask gone; the rest was not touched.
    expect(ladder.outcome?.results.length).toBe(2);
    expect(await resting()).toEqual([
      [0, 400_000, 10],
      [0, 400_010, 10],
      [1, 600_000, 10],
    ]);
    expect(ladder.orders.find((order) => order.price === 400_000)?.orderId).toBe(kept);
    const same = await client.replaceLadder({
      market: 1,
      bids: quotes([400_010, 400_000]),
      asks: quotes([600_000]),
      previous: ladder,
    });
    expect(same.outcome).toBeUndefined();
    const empty = await client.replaceLadder({ market: 1, bids: [], asks: [], previous: same });
    expect(empty.orders).toEqual([]);
    expect(await resting()).toEqual([]);
  });

  it('moves both sides through each other’s old prices without a reject', async () => {
    const client = await trader(4);
    const ladderAt = (mid: number) => ({
      bids: Array.from({ length: 25 }, (_, i) => ({ price: mid - 1 - i, size: 1 })),
      asks: Array.from({ length: 25 }, (_, i) => ({ price: mid + 1 + i, size: 1 })),
    });
    let ladder = await client.replaceLadder({ market: 1, ...ladderAt(500_000) });
    for (const mid of [500_030, 499_980, 500_001, 499_000]) {
      ladder = await client.replaceLadder({ market: 1, ...ladderAt(mid), previous: ladder });
      expect(ladder.outcome!.results.filter((result) => result.code !== undefined)).toEqual([]);
      const { market } = ETH;
      const book = await client.watchBookL2({ market });
      expect(book.book.levels(BUY)).toEqual(ladderAt(mid).bids);
      expect(book.book.levels(SELL)).toEqual(ladderAt(mid).asks);
      book.close();
    }
    await client.cancelAll();
  });
});

describe('streams', () => {
  it('tells books, trades, ticker and own reports as they happen', async () => {
    const [maker, taker] = [await trader(1), await trader(2)];
    const reports: string[] = [];
    const fills: unknown[] = [];
    const trades: unknown[] = [];
    let bidPrice = 0;
    const watch = await maker.watchAccount({
      onReport: (report) => reports.push(`${report.kind}:${report.lastSize || report.size}`),
      onFill: (fill) => fills.push([fill.liquidity, fill.size, fill.price]),
    });
    await maker.watchTrades({
      market: 'BTC-PERP',
      onTrade: (trade) => trades.push([trade.size, trade.price, trade.takerSide]),
    });
    await maker.watchTicker({ market: 'BTC-PERP', onTicker: (ticker) => (bidPrice = ticker.bidPrice) });
    const l2 = await maker.watchBookL2({ market: 'BTC-PERP' });
    const l3 = await maker.watchBookL3({ market: 'BTC-PERP' });
    const { orderId } = await maker.placeOrder({ market: 0, side: 'buy', price: 499_990, size: 50 });
    await until(() => l3.book.order(orderId) !== undefined && l2.book.best(BUY)?.price === 499_990);
    expect(l2.book.best(BUY)).toEqual({ price: 499_990, size: 50 });
    expect(l3.book.sizeAhead(orderId)).toBe(0);
    await taker.placeOrder({ market: 0, side: 'sell', price: 499_990, size: 20 });
    await until(() => fills.length === 1 && trades.length === 1 && l2.book.sizeAt(BUY, 499_990) === 30);
    expect(fills).toEqual([['maker', 20, 499_990]]);
    expect(trades).toEqual([[20, 499_990, SELL]]);
    await until(() => bidPrice === 499_990);
    expect(l3.book.order(orderId)?.size).toBe(30);
    await maker.cancelAll();
    await until(() => l3.book.order(orderId) === undefined);
    expect(reports).toEqual(['1:50', '2:20', '3:30']);
    expect(watch.lastReportSequence).toBeGreaterThan(0);
    expect(l2.gapCount + l3.gapCount).toBe(0);
    watch.close();
  });

  it('needs a login for what is private', async () => {
    const client = await trader(1, { login: false });
    expect(await codeOf(client.accountView())).toBe('NOT_LOGGED_IN');
    expect(await codeOf(client.watchAccount({ onReport: () => {} }))).toBe('NOT_LOGGED_IN');
    expect(await codeOf(client.watchBookL2({ market: 55 }))).toBe('UNKNOWN_MARKET');
  });
});

describe('reconnecting', () => {
  it('logs in again, continues every stream where it was, and loses and repeats nothing', async () => {
    const [watcher, maker] = [await trader(1), await trader(2)];
    const sizes: number[] = [];
    const trades: number[] = [];
    const gaps: unknown[] = [];
    await watcher.watchAccount({ onFill: (fill) => sizes.push(fill.size), onGap: (gap) => gaps.push(gap) });
    await watcher.watchTrades({
      market: 0,
      onTrade: (trade) => trades.push(trade.size),
      onGap: (gap) => gaps.push(gap),
    });
    const l2 = await watcher.watchBookL2({ market: 0 });
    const farewells: string[] = [];
    watcher.onDisconnected((farewell) => farewells.push(farewell.reason));
    let traded = 0;
    const trade = async (): Promise<void> => {
      traded++;
      const as = { signer: keySigner(traderKey(1)), account: 1 };
      await maker.placeOrder({ market: 0, side: 'buy', price: 500_000, size: traded });
      await maker.placeOrder({ market: 0, side: 'sell', price: 500_000, size: traded }, { as });
      await maker.placeOrder({ market: 0, side: 'buy', price: 490_000 + traded, size: 1 });
    };
    for (let round = 0; round < 3; round++) {
      await trade();
      const waiting = watcher.ping().catch((error: SluiceError) => error.code);
      await exchange.takeDown();
      expect(['CONNECTION_LOST', 'number']).toContain(
        typeof (await waiting) === 'number' ? 'number' : await waiting,
      );
      expect(await codeOf(watcher.cancelAll())).toBe('NOT_CONNECTED');
      await exchange.bringBack();
      await until(() => watcher.isConnected && maker.isConnected);
      await trade();
    }
    await until(() => sizes.length === traded && trades.length === traded);
    const all = Array.from({ length: traded }, (_, i) => i + 1);
    expect(sizes).toEqual(all);
    expect(trades).toEqual(all);
    expect(gaps).toEqual([]);
    expect(farewells.length).toBe(3);
    await until(() => l2.book.levels(BUY).length === traded && !l2.stale);
    expect(l2.book.levels(BUY)).toEqual(all.map((i) => ({ price: 490_000 + i, size: 1 })).reverse());
    await maker.cancelAll();
  });

  it('ends calls with CLOSED when its owner closes it, and stays closed', async () => {
    const client = await trader(1);
    const waiting = codeOf(client.ping());
    await client.close();
    expect(await waiting).toBe('CLOSED');
    expect(await codeOf(client.ping())).toBe('CLOSED');
    await client.close();
  });
});

describe('publishers', () => {
  it('are told why they may not publish', async () => {
    await expect(
      runPublishers({
        url: exchange.url,
        signers: [keySigner(PUBLISHER_KEYS[0]!), keySigner(traderKey(1))],
        source: () => fixedSource(new Map()),
      }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('report with their own index, and every report is taken', async () => {
    const running = await runPublishers({
      url: exchange.url,
      signers: PUBLISHER_KEYS.map((key) => keySigner(key)),
      source: () => fixedSource(new Map([[1, { price: 500_123, confidence: 2 }]])),
      markets: [1],
      intervalMs: 10,
    });
    await until(() => exchange.state.market(1)!.index === 500_123);
    expect(running.publishers.map((publisher) => publisher.index)).toEqual([0, 1, 2, 3, 4]);
    // Before they stop: what is under way then is cut off.
    expect(running.totals().refused).toBe(0);
    await running.stop();
  });
});
