/**
 * The sequencer: builds its rooms, starts and stops them; nothing else.
 *
 *   L1 ── follower ──┐                                    ┌── gateway ── clients
 *   disk ── stores ──┼── recovery ── pipeline ── feed ────┤
 *                    └── batcher (thread) ── signed batches└── /status, /metrics, /batches
 */
import pino, { type Logger } from 'pino';
import { Registry } from 'prom-client';
import { createAuthenticator } from '#auth/authenticator.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { Batcher } from '#batcher/batcher.ts';
import { DraftFile } from '#batcher/draft-file.ts';
import { KeySigner } from '#batcher/signer.ts';
import { OrderIndex } from '#feed/order-index.ts';
import { Publisher } from '#feed/publisher.ts';
import { Queries } from '#feed/queries.ts';
import { startGateway } from '#gateway/server.ts';
import { PriceRelay } from '#oracle/price-relay.ts';
import { CorridorIntake } from '#pipeline/intake.ts';
import { L1Queue } from '#pipeline/l1-queue.ts';
import { Pipeline } from '#pipeline/pipeline.ts';
import { recover } from '#pipeline/recovery.ts';
import { ReportClock } from '#pipeline/report-clock.ts';
import { systemClock } from '#pipeline/system-clock.ts';
import { Timers } from '#pipeline/timers.ts';
import { equalBytes, fromHex, toHex, viewOf } from '#protocol/bytes.ts';
import { FUNDING_RATE } from '#protocol/event.ts';
import { PRICE_REPORT_BYTES } from '#protocol/limits.ts';
import { decodeReport } from '#protocol/price-report.ts';
import { cursorAfter } from '#protocol/receipt.ts';
import { Reject } from '#protocol/reject.ts';
import { domainSeparator } from '#protocol/signing.ts';
import { ReceiptFeed } from '#receipts/receipt-feed.ts';
import { Receipts } from '#receipts/receipts.ts';
import { type Address, connectL1 } from '#settlement/l1/client.ts';
import { findRollup } from '#settlement/l1/contracts.ts';
import { L1Follower } from '#settlement/l1/follower.ts';
import { loadState } from '#state/snapshot.ts';
import { quotasOf, readConfig, type SequencerConfig, type SequencerSettings } from './config.ts';
import { BatchProgress } from './main/batch-progress.ts';
import { FinalLedger } from './main/final-ledger.ts';
import { addMetrics } from './main/metrics.ts';
import { isPublisher, oracleFacts } from './main/oracle-facts.ts';
import { revertedOf } from './main/recovered-file.ts';
import { Retention } from './main/retention.ts';
import { signingKey } from './main/signing-key.ts';
import { Status } from './main/status.ts';
import { openStores } from './main/stores.ts';
import { checkNotStruck, onStrike, strikeSentence } from './main/strike-guard.ts';
import { Teardown } from './main/teardown.ts';

export interface Sequencer {
  readonly port: number;
  /** WebSocket of clients. */
  readonly url: string;
  /** HTTP of status, metrics and batches. */
  readonly httpUrl: string;
  readonly rollup: Address;
  /** As /status. */
  status(): Record<string, unknown>;
  /** Resolves when it has ended by itself: with the reason, after which the process must exit with a failure. */
  readonly failed: Promise<Error>;
  /** Intake first, then everything that was taken becomes durable and is answered, then the rest. */
  stop(): Promise<void>;
}

/** Rejects with one sentence that says what to do; nothing is left running then. */
export async function runSequencer(
  settings: SequencerSettings | SequencerConfig,
  options: { readonly logger?: Logger } = {},
): Promise<Sequencer> {
  const config = readConfig([{ name: 'settings', values: settings }]);
  const log = options.logger ?? pino({ name: 'sequencer', level: config.logLevel }, pino.destination(2));
  const teardown = new Teardown();
  try {
    return await build(config, log, teardown);
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function build(config: SequencerConfig, log: Logger, teardown: Teardown): Promise<Sequencer> {
  const reportClock = config.clockStart === undefined ? undefined : new ReportClock(config.clockStart);
  const clock = reportClock ?? systemClock;
  if (reportClock !== undefined)
    log.warn('the clock follows the price reports: for playing recorded prices alone');
  const keccak = await createWasmKeccak();
  let fail!: (error: Error) => void;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  let isDead = false;
  let isStruck = false;
  const onFatal = (error: Error): void => {
    isDead = true;
    log.fatal({ err: error }, error.message);
    fail(error);
  };

  // L1
  const l1 = await connectL1({ url: config.l1 });
  const rollup = await findRollup(
    l1,
    config.rollup === undefined ? {} : { address: config.rollup as Address },
  );
  const { domain } = rollup;
  const { key, isDevelopment } = signingKey(config, domain.chainId);
  if (isDevelopment) log.warn('signing with the development key, which everybody knows');
  const follower = new L1Follower(l1, rollup, { confirmations: config.confirmations });
  teardown.add(() => follower.stop());
  await follower.start();
  void follower.failed.then(onFatal);

  // What is known
  const { data: directory, segmentBytes } = config;
  const stores = await openStores({ directory, genesis: domainSeparator(domain, keccak), segmentBytes });
  const { disk, journal, snapshots, batches, history, lastReceipt } = stores;
  teardown.add(() => stores.close());
  const struckEpoch = follower.strike?.epoch ?? 0;
  await checkNotStruck(stores, directory, struckEpoch);
  for (const note of journal.notes) log.warn(note);
  const signer = new KeySigner(key, batches, keccak);
  if (!equalBytes(signer.address, fromHex(rollup.sequencer)))
    throw new Error(
      `signing key: expected that of ${rollup.sequencer}, which the rollup names as its sequencer, got the key of ${toHex(signer.address)}`,
    );
  const orderIndex = new OrderIndex(history.acknowledgedSeq);
  const recovered = await recover({
    journal,
    snapshots,
    decodeSnapshot: loadState,
    keccak,
    events: [history, orderIndex],
    scheduler: clock,
    onProgress: (progress) => log.info(progress, 'recovering'),
  });
  const { engine, notes, ...facts } = recovered;
  const { state } = engine;
  for (const note of notes) log.warn(note);
  log.info({ ...facts, seq: state.seq, directory }, stores.isNew ? 'began a new chain' : 'recovered');

  // What follows from commands
  const feed = new Publisher(state, clock.nowMs());
  for (const market of state.markets) {
    const id = market?.config.market ?? 0;
    const [last] = market === undefined ? [] : await history.fundingRates(id, { limit: 1 });
    if (last !== undefined) feed.ticker.seedFundingRate(id, last.columns[FUNDING_RATE.ratePpb]!);
  }
  const progress = new BatchProgress(batches, follower);
  await progress.refresh();
  const epoch = config.epoch ?? follower.epoch;
  const retention = new Retention(batches, snapshots, follower);
  await retention.refresh();
  let signedFor: Pick<Receipts, 'acknowledgedSeq'> | undefined;
  const prune = async (): Promise<void> => {
    await retention.refresh();
    // While it starts, the batcher may get to a snapshot before the receipts have begun: the next one prunes.
    if (signedFor === undefined) return;
    const kept = (await snapshots.list()).map(({ seq }) => seq);
    await journal.pruneBelow(
      Math.min(
        ...kept,
        history.acknowledgedSeq,
        batcher.acknowledgedSeq,
        signedFor.acknowledgedSeq,
        retention.prunableSeq(kept),
      ) + 1,
    );
  };
  const batcher = await Batcher.start({
    domain,
    keccak,
    journal,
    snapshots,
    batches,
    drafts: new DraftFile(disk, directory),
    signer,
    scheduler: clock,
    l1: follower,
    epoch,
    epochAfterId: follower.committed,
    policy: {
      commandsMax: config.batchCommands,
      bytesMax: config.batchBytes,
      intervalMs: config.batchMs,
      ...(config.batchInputBytes === undefined ? {} : { inputBytesMax: config.batchInputBytes }),
    },
    snapshotEvery: config.snapshotCommands,
    behindCommands: config.backlogCommands,
    onBatch: (batch) => progress.onSigned(batch),
    onSnapshot: ({ seq, bytes }) => {
      log.info({ seq, bytes }, 'snapshot');
      prune().catch(onFatal);
    },
    onFatal,
  });
  teardown.add(() => batcher.close());
  const receipts = await Receipts.start({
    domain,
    key,
    journal,
    memory: lastReceipt,
    scheduler: clock,
    epoch,
    struckEpoch,
    ...(batcher.base === undefined ? {} : { base: cursorAfter(batcher.base) }),
    intervalMs: config.receiptMs,
    keptCommands: config.receiptCommands,
    onFatal,
  });
  teardown.add(() => receipts.close());
  signedFor = receipts;

  // The corridor
  const pipeline = new Pipeline({
    engine,
    journal,
    clock,
    epoch,
    events: [feed, history, orderIndex],
    commands: [batcher, receipts],
    isBehind: () => batcher.isBehind() || progress.unposted > config.backlogBatches,
    onFatal,
    inboxMessages: config.inboxMessages,
    markEvery: config.markEvery,
  });
  const wake = (): void => pipeline.wake();
  const now = (): number => pipeline.now();
  const l1Queue = new L1Queue({ state, l1: follower, staleMs: config.l1StaleMs });
  const { collectMs, roundMs } = config;
  const relay = new PriceRelay({
    facts: oracleFacts(state),
    scheduler: clock,
    now,
    wake,
    collectMs,
    roundMs,
  });
  const timers = new Timers({ state, scheduler: clock, now, wake });
  pipeline.addSource(l1Queue);
  pipeline.addSource(relay);
  // Where time comes with the reports, nothing falls due between them.
  if (reportClock === undefined) pipeline.addSource(timers);
  teardown.add(
    follower.onChange(() => {
      follower.forgetEntries(state.queueNext);
      wake();
    }),
  );
  teardown.add(() => {
    timers.stop();
    relay.stop();
  });

  // The outside
  const registry = new Registry();
  const status = new Status({ state, pipeline, journal, feed, relay, batcher, progress, follower, clock });
  teardown.add(() => status.stop());
  addMetrics(registry, {
    pipeline,
    feed,
    relay,
    batches: progress,
    batcherBacklog: () => batcher.status.backlog,
  });
  const authenticator = await createAuthenticator({ domain, workers: config.workers, onFatal });
  teardown.add(() => authenticator.close());
  const finalLedger = new FinalLedger({ batches, snapshots, finalId: () => follower.final });
  teardown.add(() => finalLedger.close());
  const gateway = await startGateway({
    host: config.host,
    port: config.port,
    domain,
    reverted: revertedOf(stores.recovered),
    authenticator,
    workers: config.workers,
    intake: new CorridorIntake({
      state,
      pipeline,
      timers,
      l1Queue,
      clock,
      takeReport: (market, report, from) => {
        if (reportClock !== undefined && report.length === PRICE_REPORT_BYTES && isPublisher(state, from))
          reportClock.advance(decodeReport(viewOf(report), 0, market).time);
        return relay.submit(market, report, from);
      },
    }),
    feed: new ReceiptFeed(feed, receipts),
    queries: new Queries({
      state,
      domain,
      history,
      orderIndex,
      batches: progress,
      durableSeq: () => pipeline.durableSeq,
      whenDurable: () => pipeline.whenDurable(),
      withdrawalProof: (owner, asset) => finalLedger.proof(owner, asset),
      receipt: (seq) => receipts.covering(seq),
      onError: (error) => log.error({ err: error }, 'query'),
    }),
    batches,
    clock,
    registry,
    quotas: quotasOf(config),
    status: () => status.read(),
    notReady: () =>
      state.markets.length === 0
        ? 'the L1 queue: its first entries, which configure the markets, were not sequenced yet'
        : undefined,
  });
  teardown.add(() => gateway.close());
  // First what was taken is answered, then the connections end.
  teardown.add(async () => {
    await gateway.stopEntry(isStruck ? Reject.BATCH_STRUCK : Reject.SHUTTING_DOWN);
    await pipeline.close();
    if (isDead) return;
    await receipts.flush();
    await Promise.race([batcher.flush(), new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
  });

  teardown.add(
    onStrike(follower, epoch, (strike) => {
      isStruck = true;
      pipeline.halt(Reject.BATCH_STRUCK);
      onFatal(new Error(strikeSentence(strike, directory)));
    }),
  );
  timers.start();
  wake();
  const authority = `${config.host}:${gateway.port}`;
  log.info({ url: `ws://${authority}/ws`, rollup: rollup.rollup, chainId: domain.chainId }, 'open');
  return {
    port: gateway.port,
    url: `ws://${authority}/ws`,
    httpUrl: `http://${authority}`,
    rollup: rollup.rollup,
    status: () => status.read(),
    failed,
    stop: () => teardown.run(),
  };
}
