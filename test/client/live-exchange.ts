/**
 * A whole exchange on 127.0.0.1 for tests of the client: engine, corridor, feed, queries, history and gateway are the
 * real ones; the journal is in memory, the L1 queue a list. The gateway can be taken down and brought back on its
 * port, the state staying.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { createAuthenticator } from '#auth/authenticator.ts';
import { keySigner } from '#client/signer.ts';
import { Engine } from '#engine/engine.ts';
import { OrderIndex } from '#feed/order-index.ts';
import { Publisher as Feed } from '#feed/publisher.ts';
import { Queries } from '#feed/queries.ts';
import { type Gateway, startGateway } from '#gateway/server.ts';
import { LevelHistoryStore } from '#journal/history-store.ts';
import { MemoryJournal } from '#journal/memory-journal.ts';
import { PriceRelay } from '#oracle/price-relay.ts';
import { CorridorIntake } from '#pipeline/intake.ts';
import { L1Queue } from '#pipeline/l1-queue.ts';
import { Pipeline } from '#pipeline/pipeline.ts';
import type { BatchStore, BatchView } from '#pipeline/ports.ts';
import { systemClock } from '#pipeline/system-clock.ts';
import { Timers } from '#pipeline/timers.ts';
import { toHex } from '#protocol/bytes.ts';
import {
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  type MarketConfig,
} from '#protocol/market.ts';
import {
  encodeMoneyPayload,
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
  QUEUE_DEPOSIT,
} from '#protocol/queue-entry.ts';
import type { Quotas } from '#protocol/wire.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { TEST_DOMAIN } from '../auth/keys.ts';
import { MemoryL1 } from '../support/corridor.ts';
import { TEST_MARKET } from '../support/exchange.ts';

export const BTC: MarketConfig = TEST_MARKET;
export const ETH: MarketConfig = { ...TEST_MARKET, market: 1, symbol: 'ETH-PERP', tickSizeE9: 10_000_000 };

const keyOf = (n: number): string => n.toString(16).padStart(64, '0');
/** Owner of account n. */
export const traderKey = (n: number): string => keyOf(n);
export const PUBLISHER_KEYS = [101, 102, 103, 104, 105].map(keyOf);
export const ACCOUNTS = 6;
/** q that each account begins with: a million. */
export const FUNDS = 1_000_000_000_000;

export interface LiveExchange {
  readonly url: string;
  readonly state: ExchangeState;
  readonly pipeline: Pipeline;
  readonly relay: PriceRelay;
  /** Credits an owner as an L1 deposit would. */
  deposit(owner: Uint8Array, amount: number, subaccount?: number): void;
  /** Says goodbye to everybody and stops listening. */
  takeDown(): Promise<void>;
  /** Listens again on the same port. */
  bringBack(): Promise<void>;
  close(): Promise<void>;
}

const NO_BATCHES: BatchView = {
  signed: undefined,
  committed: 0,
  final: 0,
  batchOf: () => Promise.resolve(undefined),
};
const NO_BATCH_STORE: BatchStore = {
  remember: () => Promise.reject(new Error('not a signer')),
  put: () => Promise.reject(new Error('not a signer')),
  get: () => Promise.resolve(undefined),
  latest: () => Promise.resolve(undefined),
  list: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};

const fatal = (error: unknown): never => {
  throw error;
};

export async function openLiveExchange(options: { quotas?: Partial<Quotas> } = {}): Promise<LiveExchange> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-client-'));
  const state = new ExchangeState();
  const history = await LevelHistoryStore.open({ directory, create: true });
  const feed = new Feed(state, systemClock.nowMs());
  const orderIndex = new OrderIndex(0);
  const pipeline = new Pipeline({
    engine: new Engine(state),
    journal: new MemoryJournal({ flush: () => new Promise((resolve) => setImmediate(resolve)) }),
    clock: systemClock,
    epoch: 1,
    events: [feed, orderIndex, history],
    commands: [],
    isBehind: () => false,
    onFatal: fatal,
  });
  const l1 = genesis();
  const l1Queue = new L1Queue({ state, l1, staleMs: 60_000 });
  const wake = (): void => pipeline.wake();
  const now = (): number => pipeline.now();
  const timers = new Timers({ state, scheduler: systemClock, now, wake });
  const relay = new PriceRelay({
    facts: {
      hasMarket: (market) => state.market(market) !== undefined,
      publishers: state.publishers,
      usedSequence: (market, publisher) => state.market(market)!.reportSequences[publisher]!,
      get stalenessMs() {
        return state.chain.stalenessMs;
      },
      get futureMs() {
        return state.chain.futureMs;
      },
    },
    scheduler: systemClock,
    now,
    wake,
  });
  for (const source of [l1Queue, relay, timers]) pipeline.addSource(source);
  l1.onChange(wake);
  timers.start();
  pipeline.wake();
  const authenticator = await createAuthenticator({ domain: TEST_DOMAIN, workers: 1, onFatal: fatal });
  const intake = new CorridorIntake({
    state,
    pipeline,
    timers,
    l1Queue,
    clock: systemClock,
    takeReport: (market, report, signer) => relay.submit(market, report, signer),
  });
  const queries = new Queries({
    state,
    domain: TEST_DOMAIN,
    history,
    orderIndex,
    batches: NO_BATCHES,
    durableSeq: () => pipeline.durableSeq,
    whenDurable: () => pipeline.whenDurable(),
    withdrawalProof: () => Promise.resolve(null),
    receipt: () => Promise.resolve(null),
    onError: fatal,
  });
  const port = await freePort();
  const listen = (): Promise<Gateway> =>
    startGateway({
      host: '127.0.0.1',
      port,
      domain: TEST_DOMAIN,
      authenticator,
      workers: 1,
      intake,
      feed,
      queries,
      batches: NO_BATCH_STORE,
      clock: systemClock,
      registry: new Registry(),
      status: () => ({}),
      notReady: () => undefined,
      ...(options.quotas === undefined ? {} : { quotas: options.quotas }),
    });
  let gateway: Gateway | undefined = await listen();
  return {
    url: `ws://127.0.0.1:${port}`,
    state,
    pipeline,
    relay,
    deposit(owner, amount, subaccount = 0) {
      l1.add(QUEUE_DEPOSIT, owner, encodeMoneyPayload({ asset: 0, subaccount, amount }));
      l1.tell();
    },
    async takeDown() {
      await gateway?.close();
      gateway = undefined;
    },
    async bringBack() {
      gateway ??= await listen();
    },
    async close() {
      await gateway?.close();
      timers.stop();
      relay.stop();
      await pipeline.close();
      await authenticator.close();
      await history.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function genesis(): MemoryL1 {
  const l1 = new MemoryL1();
  const nobody = new Uint8Array(20);
  // A busy machine must not make prices stale in the middle of a test.
  const chain = { ...DEFAULT_CHAIN_PARAMETERS, stalenessMs: 600_000, voidMs: 3_600_000 };
  l1.add(QUEUE_CONFIGURE_CHAIN, nobody, encodeChainParameters(chain));
  for (const market of [BTC, ETH]) l1.add(QUEUE_CONFIGURE_MARKET, nobody, encodeMarketConfig(market));
  for (const [index, key] of PUBLISHER_KEYS.entries())
    l1.add(
      QUEUE_CONFIGURE_PUBLISHER,
      nobody,
      encodePublisher({ index, address: keySigner(key).address, weight: 1 }),
    );
  for (let n = 1; n <= ACCOUNTS; n++)
    l1.add(
      QUEUE_DEPOSIT,
      keySigner(traderKey(n)).address,
      encodeMoneyPayload({ asset: 0, subaccount: 0, amount: FUNDS }),
    );
  return l1;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export const addressText = (n: number): string => toHex(keySigner(traderKey(n)).address);
/** Resolves when `look` is true; a test's own timeout bounds it. */
export async function until(look: () => boolean): Promise<void> {
  while (!look()) await new Promise((resolve) => setTimeout(resolve, 2));
}
