/** The corridor for tests: real engine, pipeline, timers, queue and relay on a memory journal and a manual clock. */
import { Engine } from '#engine/engine.ts';
import { MemoryJournal } from '#journal/memory-journal.ts';
import { PriceRelay } from '#oracle/price-relay.ts';
import { L1Queue } from '#pipeline/l1-queue.ts';
import { Pipeline, type PipelineOptions } from '#pipeline/pipeline.ts';
import type {
  ConfirmedEntry,
  EventConsumer,
  EventRows,
  Journal,
  L1View,
  MessageOrigin,
  SnapshotStore,
} from '#pipeline/ports.ts';
import { type Recovered, type RecoveryOptions, recover } from '#pipeline/recovery.ts';
import { Timers } from '#pipeline/timers.ts';
import { concat, toHex, viewOf } from '#protocol/bytes.ts';
import { type DecodedEvent, decodeEvent } from '#protocol/event.ts';
import { nobleKeccak, ZERO_HASH } from '#protocol/hash.ts';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';
import {
  type ChainParameters,
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  type MarketConfig,
} from '#protocol/market.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodeReport } from '#protocol/price-report.ts';
import {
  encodeMoneyPayload,
  nextQueueHash,
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
  QUEUE_DEPOSIT,
} from '#protocol/queue-entry.ts';
import { decodeReply, isReject, type Reply } from '#protocol/wire.ts';
import { allLeaves } from '#state/all-leaves.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { loadState } from '#state/snapshot.ts';
import { TEST_MARKET, testAddress } from './exchange.ts';
import { ManualClock, settle } from './manual-clock.ts';

/** A queue in memory, with the prefix hashes that the contract would have. */
export class MemoryL1 implements L1View {
  anchor = undefined;
  seenAtMs = Number.MAX_SAFE_INTEGER;
  private readonly queue: ConfirmedEntry[] = [];
  private readonly listeners = new Set<() => void>();

  add(kind: number, owner: Uint8Array, payload: Uint8Array): void {
    const previous = this.queue.at(-1)?.prefixHash ?? ZERO_HASH;
    const prefixHash = nextQueueHash(nobleKeccak, previous, { kind, owner, payload });
    const index = this.queue.length;
    this.queue.push({ index, kind, owner, payload, blockNumber: index, prefixHash, deadlineMs: 0 });
  }
  tell(): void {
    for (const listener of this.listeners) listener();
  }
  entries(index: number, limit: number): readonly ConfirmedEntry[] {
    return this.queue.slice(index, index + limit);
  }
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Remembers what it was told, in order. */
export class Asker implements MessageOrigin {
  readonly replies: Reply[] = [];
  readonly rejects: { tag: number; code: number }[] = [];
  readonly order: number[] = [];
  private readonly onAnswer: (tag: number) => void;
  constructor(onAnswer: (tag: number) => void = () => {}) {
    this.onAnswer = onAnswer;
  }
  reply(frame: Uint8Array): void {
    const decoded = decodeReply(viewOf(frame.slice()), 0);
    if (isReject(decoded)) throw new Error(`reply frame: expected a whole one, got code ${decoded}`);
    this.replies.push(decoded);
    this.order.push(decoded.tag);
    this.onAnswer(decoded.tag);
  }
  reject(tag: number, code: number): void {
    this.rejects.push({ tag, code });
    this.order.push(tag);
    this.onAnswer(tag);
  }
}

/** Every event that was told, decoded. */
export class EventLog implements EventConsumer {
  readonly name = 'event-log';
  acknowledgedSeq = 0;
  readonly events: DecodedEvent[] = [];
  onEvents(rows: EventRows, throughSeq: number): void {
    for (let row = 0; row < rows.count; row++) this.events.push(decodeEvent(rows.data, row));
    this.acknowledgedSeq = throughSeq;
  }
}

export interface CorridorOptions {
  readonly journal?: Journal;
  readonly engine?: Engine;
  readonly l1?: MemoryL1;
  readonly clock?: ManualClock;
  readonly events?: readonly EventConsumer[];
  readonly markets?: readonly MarketConfig[];
  readonly chain?: Partial<ChainParameters>;
  readonly pipeline?: Partial<PipelineOptions>;
}

export class Corridor {
  readonly clock: ManualClock;
  readonly l1: MemoryL1;
  readonly journal: Journal;
  readonly engine: Engine;
  readonly state: ExchangeState;
  readonly pipeline: Pipeline;
  readonly timers: Timers;
  readonly relay: PriceRelay;
  readonly log = new EventLog();
  fatal: Error | undefined;
  private readonly nonces = new Map<number, number>();
  private reportSequence = 0;

  constructor(options: CorridorOptions = {}) {
    this.clock = options.clock ?? new ManualClock();
    this.journal = options.journal ?? new MemoryJournal();
    this.engine = options.engine ?? new Engine(new ExchangeState());
    this.state = this.engine.state;
    this.l1 = options.l1 ?? genesisQueue(options.markets ?? [TEST_MARKET], options.chain);
    this.pipeline = new Pipeline({
      engine: this.engine,
      journal: this.journal,
      clock: this.clock,
      epoch: 1,
      events: [this.log, ...(options.events ?? [])],
      commands: [],
      isBehind: () => false,
      onFatal: (error) => {
        this.fatal ??= error;
      },
      ...options.pipeline,
    });
    const wake = (): void => this.pipeline.wake();
    const now = (): number => this.pipeline.now();
    this.timers = new Timers({ state: this.state, scheduler: this.clock, now, wake });
    const { state } = this;
    this.relay = new PriceRelay({
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
      scheduler: this.clock,
      now,
      wake,
    });
    this.pipeline.addSource(new L1Queue({ state, l1: this.l1, staleMs: 60_000 }));
    this.pipeline.addSource(this.relay);
    this.pipeline.addSource(this.timers);
    this.l1.onChange(wake);
  }

  /** Sequences the queue as it stands. */
  async start(): Promise<this> {
    this.timers.start();
    this.pipeline.wake();
    await settle();
    return this;
  }

  /** Deposits on L1; returns the account. */
  async deposit(n: number, amount: number, subaccount = 0): Promise<number> {
    this.l1.add(QUEUE_DEPOSIT, testAddress(n), encodeMoneyPayload({ asset: 0, subaccount, amount }));
    this.l1.tell();
    await settle();
    return this.state.accountOf(testAddress(n), subaccount);
  }

  /** Reports of five publishers with one price. */
  async price(market: number, price: number): Promise<void> {
    const sequence = ++this.reportSequence;
    for (let publisher = 0; publisher < 5; publisher++) this.report({ market, publisher, price, sequence });
    await settle();
  }

  report(report: {
    market: number;
    publisher: number;
    price: number;
    sequence: number;
    time?: number;
  }): number {
    const bytes = encodeReport({
      time: this.pipeline.now(),
      confidence: 1,
      signature: new Uint8Array(SIGNATURE_BYTES),
      ...report,
    });
    return this.relay.submit(report.market, bytes, testAddress(9000 + report.publisher));
  }

  message(account: number, operations: readonly Operation[], nonce?: number): Uint8Array {
    const next = nonce ?? (this.nonces.get(account) ?? this.state.accounts.nonce(account).high) + 1;
    if (nonce === undefined) this.nonces.set(account, next);
    const validUntil = this.pipeline.now() + 600_000;
    return concat(
      encodeUnsignedMessage({ account, nonce: next, validUntil, operations }),
      new Uint8Array(SIGNATURE_BYTES),
    );
  }

  /** Submits without waiting; returns the code of the intake. */
  submit(origin: MessageOrigin, tag: number, account: number, ...operations: Operation[]): number {
    const signer = this.state.accounts.owner(account).slice();
    return this.pipeline.submit(this.message(account, operations), signer, tag, origin);
  }

  /** Submits one message and waits for its reply. */
  async send(account: number, ...operations: Operation[]): Promise<Reply> {
    const asker = new Asker();
    const code = this.submit(asker, 1, account, ...operations);
    await settle();
    const reply = asker.replies[0];
    if (reply === undefined)
      throw new Error(`expected a reply, got intake code ${code} and ${JSON.stringify(asker.rejects)}`);
    return reply;
  }
}

export function genesisQueue(
  markets: readonly MarketConfig[],
  chain: Partial<ChainParameters> = {},
): MemoryL1 {
  const l1 = new MemoryL1();
  const nobody = new Uint8Array(20);
  l1.add(QUEUE_CONFIGURE_CHAIN, nobody, encodeChainParameters({ ...DEFAULT_CHAIN_PARAMETERS, ...chain }));
  for (let index = 0; index < 5; index++)
    l1.add(
      QUEUE_CONFIGURE_PUBLISHER,
      nobody,
      encodePublisher({ index, address: testAddress(9000 + index), weight: 1 }),
    );
  for (const market of markets) l1.add(QUEUE_CONFIGURE_MARKET, nobody, encodeMarketConfig(market));
  return l1;
}

/** A journal whose flushes wait for the test. */
export class HeldJournal extends MemoryJournal {
  /** Flushes that wait, each to be let go or failed. */
  readonly waiting: { release: () => void; fail: (error: Error) => void }[];
  constructor() {
    const waiting: { release: () => void; fail: (error: Error) => void }[] = [];
    super({
      flush: () => new Promise<void>((resolve, reject) => waiting.push({ release: resolve, fail: reject })),
    });
    this.waiting = waiting;
  }
  async releaseAll(): Promise<void> {
    await settle();
    for (let rounds = 0; this.waiting.length > 0 && rounds < 1000; rounds++) {
      this.waiting.shift()!.release();
      await settle();
    }
  }
}

/** A store that holds nothing: recovery goes back to the first command. */
export const noSnapshots: SnapshotStore = {
  save: () => Promise.reject(new Error('snapshots: this store keeps none')),
  list: () => Promise.resolve([]),
  load: () => Promise.reject(new Error('snapshots: this store keeps none')),
  markVerified: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** What a process that starts on this journal comes back to. */
export const recoverFrom = (
  journal: Pick<Journal, 'readFrom' | 'firstSeq' | 'lastSeq'>,
  options: Partial<RecoveryOptions> = {},
): Promise<Recovered> =>
  recover({
    journal,
    snapshots: noSnapshots,
    decodeSnapshot: loadState,
    keccak: nobleKeccak,
    events: [],
    scheduler: new ManualClock(),
    ...options,
  });

/** Every leaf of both trees: two states are the same exactly when these are. */
export const leavesOf = (state: ExchangeState): string[] => {
  const { ledger, book } = allLeaves(state);
  return [...ledger, ...book].map(([key, value]) => `${toHex(key)}=${toHex(value)}`);
};
