/** Metrics of corridor, feed, oracle and batches; read from their own counters when /metrics is asked for. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Publisher } from '#feed/publisher.ts';
import type { PriceRelay } from '#oracle/price-relay.ts';
import type { Pipeline } from '#pipeline/pipeline.ts';
import type { BatchProgress } from './batch-progress.ts';

export interface MeteredRooms {
  readonly pipeline: Pipeline;
  readonly feed: Publisher;
  readonly relay: PriceRelay;
  readonly batches: BatchProgress;
  /** Durable commands that the batcher has not worked on. */
  readonly batcherBacklog: () => number;
}

export function addMetrics(registry: Registry, rooms: MeteredRooms): void {
  const { pipeline, feed, relay, batches } = rooms;
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `sluice_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name: `sluice_${name}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  counter('commands', 'Commands sequenced', () => pipeline.totals.commands);
  counter('messages', 'Signed messages sequenced', () => pipeline.totals.messages);
  counter('messages_refused', 'Messages that the state machine refused', () => pipeline.totals.refused);
  counter('messages_busy', 'Messages turned away because the inbox was full', () => pipeline.totals.busy);
  counter('operations', 'Operations of messages carried out or rejected', () => feed.totals.operations);
  counter('orders', 'Orders placed or rejected', () => feed.totals.orders);
  counter('trades', 'Trades', () => feed.totals.trades);
  gauge('inbox_messages', 'Messages that wait to be sequenced', () => pipeline.inboxSize);
  gauge('durable_seq', 'Last durable command', () => pipeline.durableSeq);
  counter('journal_flushes', 'Group commits', () => pipeline.commit.totals.flushes);
  counter('journal_bytes', 'Bytes of commands journaled', () => pipeline.commit.totals.bytes);
  for (const [name, quantile] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['p999', 0.999],
  ] as const)
    gauge(
      `order_to_reply_${name}_seconds`,
      `From intake to durable answer, ${name}, since the start`,
      () => pipeline.orderToReply.quantile(quantile) / 1_000_000,
    );
  counter('price_reports', 'Price reports kept', () => relay.totals.reports);
  counter('price_reports_refused', 'Price reports of no use', () => relay.totals.refused);
  counter('price_rounds', 'Price rounds sequenced', () => relay.totals.rounds);
  counter(
    'price_rounds_refused',
    'Price rounds that the state machine refused',
    () => relay.totals.roundsRefused,
  );
  gauge('batch_signed', 'Last signed batch', () => batches.signed?.id ?? 0);
  gauge('batch_committed', 'Last batch committed on L1', () => batches.committed);
  gauge('batch_final', 'Last final batch', () => batches.final);
  gauge('batcher_backlog_commands', 'Durable commands not worked on by the batcher', rooms.batcherBacklog);
}
