/** A venue on 127.0.0.1 for tests of the gateway: real server, workers, corridor and engine; journal in memory. */
import { Registry } from 'prom-client';
import { type Authenticator, createAuthenticator } from '#auth/authenticator.ts';
import { Engine } from '#engine/engine.ts';
import { Publisher } from '#feed/publisher.ts';
import { type Gateway, startGateway } from '#gateway/server.ts';
import { MemoryJournal } from '#journal/memory-journal.ts';
import { CorridorIntake } from '#pipeline/intake.ts';
import { L1Queue } from '#pipeline/l1-queue.ts';
import { Pipeline } from '#pipeline/pipeline.ts';
import type {
  BatchStore,
  Clock,
  CommandSource,
  ConfirmedEntry,
  Intake,
  Journal,
  L1View,
  QuerySource,
} from '#pipeline/ports.ts';
import { systemClock } from '#pipeline/system-clock.ts';
import { Timers } from '#pipeline/timers.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { concat } from '#protocol/bytes.ts';
import { PRICE_ROUND } from '#protocol/command.ts';
import { nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';
import {
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
} from '#protocol/market.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import {
  encodeMoneyPayload,
  nextQueueHash,
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
  QUEUE_DEPOSIT,
} from '#protocol/queue-entry.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import { encodeLogin, encodeMessageFrame, type Quotas } from '#protocol/wire.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { signDigest, signedMessage, TEST_DOMAIN, testKey, testSigning } from '../auth/keys.ts';
import { TEST_MARKET, testAddress } from '../support/exchange.ts';
import { LadderFeed } from './ladder-feed.ts';
import { RawClient } from './raw-client.ts';

/** Accounts 1 … n belong to the test keys 1 … n. */
export const VENUE_ACCOUNTS = 8;

export interface VenueOptions {
  readonly quotas?: Partial<Quotas>;
  readonly clock?: Clock;
  readonly batch?: SignedBatch;
  readonly takeReport?: (market: number, report: Uint8Array, signer: Uint8Array) => RejectCode;
  readonly queries?: QuerySource;
  readonly notReady?: () => string | undefined;
  /** The feed that publishes what the engine does, instead of one that the test writes. */
  readonly liveFeed?: boolean;
  /** Default: one in memory. */
  readonly journal?: Journal;
  /** q that each account begins with; default 1e9. */
  readonly deposit?: number;
}

export interface Venue {
  readonly gateway: Gateway;
  readonly feed: LadderFeed;
  readonly registry: Registry;
  readonly pipeline: Pipeline;
  readonly state: ExchangeState;
  /** What the corridor was told of connections: +1 and -1 by account. */
  readonly presence: [account: number, change: number][];
  readonly url: string;
  readonly http: string;
  connect(): Promise<RawClient>;
  close(): Promise<void>;
}

const PUBLISHERS = [0, 1, 2, 3, 4];
export const INDEX_PRICE = 50_000;

/** Gives the market its first price, once the queue has made it. */
function firstPrice(state: ExchangeState): CommandSource {
  let isDone = false;
  return {
    take(time) {
      if (isDone || state.accounts.count < VENUE_ACCOUNTS) return undefined;
      isDone = true;
      const reports = PUBLISHERS.map((publisher) => ({
        market: 0,
        publisher,
        time,
        sequence: 1,
        price: INDEX_PRICE,
        confidence: 1,
        signature: new Uint8Array(SIGNATURE_BYTES),
      }));
      return {
        kind: PRICE_ROUND,
        body: encodePriceRound(0, reports),
        signers: concat(...PUBLISHERS.map(testAddress)),
      };
    },
    settled(code) {
      if (code !== 0) throw new Error(`first price: expected it to be admitted, got ${code}`);
    },
  };
}

/** The L1 queue that makes the venue: publishers, one market, funded accounts. */
function setup(deposit: number): readonly ConfirmedEntry[] {
  const nobody = new Uint8Array(20);
  const bodies = [
    {
      kind: QUEUE_CONFIGURE_CHAIN,
      owner: nobody,
      payload: encodeChainParameters({
        ...DEFAULT_CHAIN_PARAMETERS,
        stalenessMs: 600_000,
        voidMs: 3_600_000,
      }),
    },
    ...PUBLISHERS.map((index) => ({
      kind: QUEUE_CONFIGURE_PUBLISHER,
      owner: nobody,
      payload: encodePublisher({ index, address: testAddress(index), weight: 1 }),
    })),
    { kind: QUEUE_CONFIGURE_MARKET, owner: nobody, payload: encodeMarketConfig(TEST_MARKET) },
    ...Array.from({ length: VENUE_ACCOUNTS }, (_, i) => ({
      kind: QUEUE_DEPOSIT,
      owner: testKey(i + 1).address,
      payload: encodeMoneyPayload({ asset: 0, subaccount: 0, amount: deposit }),
    })),
  ];
  let prefixHash = ZERO_HASH;
  return bodies.map((body, index) => {
    prefixHash = nextQueueHash(nobleKeccak, prefixHash, body);
    return { ...body, index, prefixHash, blockNumber: 1, deadlineMs: Number.MAX_SAFE_INTEGER };
  });
}

let shared: Promise<Authenticator> | undefined;
/** One pair of threads for all tests of a file; end it with `endWorkers`. */
const workers = (): Promise<Authenticator> =>
  (shared ??= createAuthenticator({
    domain: TEST_DOMAIN,
    workers: 2,
    onFatal: (error) => {
      throw error;
    },
  }));
export async function endWorkers(): Promise<void> {
  await (await shared)?.close();
  shared = undefined;
}

export async function openVenue(options: VenueOptions = {}): Promise<Venue> {
  const state = new ExchangeState();
  const fatal = (error: Error): void => {
    throw error;
  };
  const publisher = new Publisher(state, systemClock.nowMs());
  const pipeline = new Pipeline({
    engine: new Engine(state),
    journal:
      options.journal ?? new MemoryJournal({ flush: () => new Promise((resolve) => setImmediate(resolve)) }),
    clock: systemClock,
    epoch: 1,
    events: [publisher],
    commands: [],
    isBehind: () => false,
    onFatal: fatal,
  });
  const entries = setup(options.deposit ?? 1_000_000_000);
  const l1: L1View = {
    anchor: undefined,
    get seenAtMs() {
      return systemClock.nowMs();
    },
    entries: (index, limit) => entries.slice(index, index + limit),
    onChange: () => () => {},
  };
  const l1Queue = new L1Queue({ state, l1, staleMs: 60_000 });
  const timers = new Timers({
    state,
    scheduler: systemClock,
    now: () => pipeline.now(),
    wake: () => pipeline.wake(),
  });
  pipeline.addSource(l1Queue);
  pipeline.addSource(firstPrice(state));
  pipeline.addSource(timers);
  timers.start();
  pipeline.wake();
  const corridor = new CorridorIntake({
    state,
    pipeline,
    timers,
    l1Queue,
    clock: systemClock,
    takeReport: options.takeReport ?? (() => Reject.UNKNOWN_PUBLISHER),
  });
  const presence: [number, number][] = [];
  const intake: Intake = {
    submitMessage: (...submission) => corridor.submitMessage(...submission),
    submitReport: (...report) => corridor.submitReport(...report),
    mayRead: (account, signer) => corridor.mayRead(account, signer),
    connected(account) {
      presence.push([account, 1]);
      corridor.connected(account);
    },
    disconnected(account) {
      presence.push([account, -1]);
      corridor.disconnected(account);
    },
  };
  const feed = new LadderFeed([0, 1, 2]);
  const registry = new Registry();
  const gateway = await startGateway({
    host: '127.0.0.1',
    port: 0,
    domain: TEST_DOMAIN,
    authenticator: await workers(),
    workers: 2,
    intake,
    feed: options.liveFeed ? publisher : feed,
    queries: options.queries ?? {
      answer: () => Promise.resolve({ ok: false, code: Reject.UNKNOWN_QUERY, sentence: 'none here' }),
    },
    batches: batchesOf(options.batch),
    clock: options.clock ?? systemClock,
    registry,
    status: () => ({ seq: pipeline.durableSeq }),
    notReady: options.notReady ?? (() => undefined),
    sweepMs: 10,
    ...(options.quotas === undefined ? {} : { quotas: options.quotas }),
  });
  const clients: RawClient[] = [];
  const url = `ws://127.0.0.1:${gateway.port}/ws`;
  return {
    gateway,
    feed,
    registry,
    pipeline,
    state,
    presence,
    url,
    http: `http://127.0.0.1:${gateway.port}`,
    async connect() {
      const client = await RawClient.connect(url);
      clients.push(client);
      return client;
    },
    async close() {
      await gateway.close();
      await Promise.all(clients.map((client) => client.close()));
      timers.stop();
      await pipeline.close();
    },
  };
}

/** A store that holds one batch. */
function batchesOf(batch: SignedBatch | undefined): BatchStore {
  return {
    remember: () => Promise.reject(new Error('not a signer')),
    put: () => Promise.reject(new Error('not a signer')),
    get: (id) => Promise.resolve(batch?.header.id === id ? batch : undefined),
    latest: () => Promise.resolve(batch),
    list: () => Promise.resolve(batch === undefined ? [] : [batch]),
    close: () => Promise.resolve(),
  };
}

const nonces = new Map<number, number>();
/** A MESSAGE frame of account and key `n`. */
export function orderFrame(
  tag: number,
  n: number,
  operations: readonly Operation[],
  change: { nonce?: number; validUntil?: number; key?: number } = {},
): Uint8Array {
  const now = Date.now();
  const nonce = change.nonce ?? Math.max(now, (nonces.get(n) ?? 0) + 1);
  nonces.set(n, nonce);
  const fields = { account: n, nonce, validUntil: change.validUntil ?? now + 60_000, operations };
  return encodeMessageFrame(tag, signedMessage(fields, testKey(change.key ?? n)));
}

export const bid = (price: number, size = 1): Operation => ({
  kind: 'place',
  market: 0,
  side: 0,
  price,
  size,
  timeInForce: 0,
});
export const ask = (price: number, size = 1): Operation => ({
  kind: 'place',
  market: 0,
  side: 1,
  price,
  size,
  timeInForce: 0,
});

export function loginFrame(
  tag: number,
  account: number,
  change: { key?: number; time?: number; observe?: boolean } = {},
): Uint8Array {
  const time = change.time ?? Date.now();
  const signature = signDigest(testSigning.login(account, time), testKey(change.key ?? account));
  return encodeLogin(tag, { account, time, signature, observe: change.observe ?? false });
}
