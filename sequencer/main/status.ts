/** What /status shows: plain numbers for people and the status screen. */
import type { Batcher } from '#batcher/batcher.ts';
import type { Publisher } from '#feed/publisher.ts';
import type { SegmentJournal } from '#journal/segment-journal.ts';
import type { PriceRelay } from '#oracle/price-relay.ts';
import type { Pipeline } from '#pipeline/pipeline.ts';
import type { Clock, Scheduler } from '#pipeline/ports.ts';
import type { L1Follower } from '#settlement/l1/follower.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { BatchProgress } from './batch-progress.ts';
import { Rates } from './rates.ts';

export interface StatusRooms {
  readonly state: ExchangeState;
  readonly pipeline: Pipeline;
  readonly journal: SegmentJournal;
  readonly feed: Publisher;
  readonly relay: PriceRelay;
  readonly batcher: Batcher;
  readonly progress: BatchProgress;
  readonly follower: L1Follower;
  readonly clock: Clock & Scheduler;
}

export class Status {
  private readonly rooms: StatusRooms;
  private readonly rates: Rates<'orders' | 'operations' | 'trades' | 'commands'>;
  private readonly startedUs: number;

  constructor(rooms: StatusRooms) {
    this.rooms = rooms;
    this.startedUs = rooms.clock.monotonicUs();
    this.rates = new Rates(rooms.clock, () => ({
      orders: rooms.feed.totals.orders,
      operations: rooms.feed.totals.operations,
      trades: rooms.feed.totals.trades,
      commands: rooms.pipeline.commit.totals.commands,
    }));
  }

  stop(): void {
    this.rates.stop();
  }

  read(): Record<string, unknown> {
    const { state, pipeline, journal, feed, relay, batcher, progress, follower, clock } = this.rooms;
    const { orderToReply } = pipeline;
    const perSecond = (name: Parameters<typeof this.rates.perSecond>[0]): number =>
      Math.round(this.rates.perSecond(name) * 10) / 10;
    const { status } = batcher;
    return {
      uptimeSeconds: Math.floor((clock.monotonicUs() - this.startedUs) / 1_000_000),
      rates: {
        ordersPerSecond: perSecond('orders'),
        operationsPerSecond: perSecond('operations'),
        fillsPerSecond: perSecond('trades'),
        commandsPerSecond: perSecond('commands'),
      },
      totals: { ...feed.totals, ...pipeline.totals },
      latencyUs: {
        orderToReply: {
          p50: orderToReply.quantile(0.5),
          p99: orderToReply.quantile(0.99),
          p999: orderToReply.quantile(0.999),
          samples: orderToReply.count,
        },
      },
      state: {
        seq: state.seq,
        time: state.now,
        accounts: state.accounts.count,
        openOrders: state.orders.count,
        engineVersion: state.engineVersion,
      },
      journal: {
        durableSeq: pipeline.durableSeq,
        firstSeq: journal.firstSeq,
        records: journal.written.records,
        bytes: journal.written.bytes,
        flushes: journal.written.flushes,
      },
      intake: { inbox: pipeline.inboxSize, busy: pipeline.totals.busy },
      oracle: { ...relay.totals },
      batches: {
        signed: progress.signed?.id ?? 0,
        committed: progress.committed,
        final: progress.final,
        unposted: progress.unposted,
        lastBytes: progress.lastBytes,
        backlogCommands: status.backlog,
        pending: status.pendingBatches,
      },
      l1: {
        block: follower.anchor?.number ?? 0,
        silentMs: Math.max(0, clock.nowMs() - follower.seenAtMs),
        queueNext: state.queueNext,
        queueLength: follower.queueLength,
        trouble: follower.trouble?.message ?? null,
      },
    };
  }
}
