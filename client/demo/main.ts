/**
 * The main job (npm start): a local L1, the contracts, sequencer, submitter, verifier and publishers as processes of
 * their own, and traders, or a recorded market's order flow, over the binary WebSocket. Exit codes: 0 only when
 * everything was verified and conserved (and a replay came out as recorded), 1 otherwise, 2 for wrong flags, 130
 * after Ctrl-C.
 */

import { BLOB_BYTES } from '#settlement/l1/blob-codec.ts';
import { keySigner } from '../signer.ts';
import { RoleError } from './child-process.ts';
import { clearEarlierReplay, DataDirectory, DataDirectoryError, type DemoKeys } from './data-directory.ts';
import { demoJob } from './demo-job.ts';
import { type DemoFlags, type DemoOptions, FlagError, readDemoFlags } from './flags.ts';
import { fundAccounts } from './funding.ts';
import { Interrupted, type Job } from './job.ts';
import { PRICES_TICK_E9, WINDOW_SECONDS } from './markets.ts';
import { pricesJob } from './prices/prices-job.ts';
import { type PricePoint, readPrices, withShock } from './prices/series.ts';
import { type Recording, readRecording } from './recording.ts';
import type { ReplayVerdict } from './replay-compare.ts';
import { replayJob } from './replay-job.ts';
import { type DemoReport, problemsOf, summaryOf, writeReport } from './report.ts';
import { RunView } from './run-view.ts';
import { payAll, withdrawAll } from './settle-up.ts';
import { Supervisor } from './supervisor.ts';
import { Tally } from './tally.ts';
import type { Vitals } from './vitals.ts';
import { compareBooks, untilFinalAndVerified } from './wind-up.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const ASKED_AGAIN_MS = 500;

/** Runs the demo to its end; everything that can go wrong ends in one sentence on standard error. */
export async function runDemo(flags: DemoFlags): Promise<number> {
  const controller = new AbortController();
  let asked = 0;
  const stop = (): void => {
    // Whoever asks twice wants it now, and the processes go with us; a runner may pass one Ctrl-C on twice.
    if (asked > 0 && performance.now() - asked > ASKED_AGAIN_MS) process.exit(EXIT_INTERRUPTED);
    asked ||= performance.now();
    controller.abort(new Interrupted('interrupted'));
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  try {
    return await run(readDemoFlags(flags), controller);
  } catch (error) {
    if (error instanceof Interrupted) return EXIT_INTERRUPTED;
    const sentence = error instanceof Error ? error.message.split('\n')[0] : String(error);
    process.stderr.write(`error: ${sentence}\n`);
    if (process.env.SLUICE_STACKS === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return error instanceof FlagError ? EXIT_USAGE : EXIT_FAILED;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, stop);
  }
}

async function run(options: DemoOptions, controller: AbortController): Promise<number> {
  const recorded = await readRecorded(options);
  if (recorded !== undefined && options.isDefaultData) await clearEarlierReplay(options.data);
  const directory = await DataDirectory.open(options.data);
  try {
    return await runIn(directory, options, recorded, controller);
  } finally {
    await directory.release();
  }
}

type Recorded = Recording | readonly PricePoint[];

/** What a replay plays; undefined for the plain demo. */
async function readRecorded(options: DemoOptions): Promise<Recorded | undefined> {
  if (options.replay !== undefined) return readRecording(options.replay);
  if (options.replayPrices === undefined) return undefined;
  const points = await readPrices(options.replayPrices, PRICES_TICK_E9);
  const chosen = points.slice(0, options.rows);
  return options.shock ? withShock(chosen) : chosen;
}

async function runIn(
  directory: DataDirectory,
  options: DemoOptions,
  recorded: Recorded | undefined,
  controller: AbortController,
): Promise<number> {
  if (recorded !== undefined && (await directory.deployment()) !== undefined)
    throw new DataDirectoryError(
      `--data: ${directory.root} was used before, and a replay begins with an empty exchange: choose another directory with --data`,
    );
  const keys: { current?: DemoKeys } = {};
  const publishers = (): readonly string[] => keys.current!.publishers;
  const job: Job =
    recorded === undefined
      ? demoJob(options)
      : 'rows' in recorded
        ? replayJob(options, recorded, publishers)
        : pricesJob(options, recorded, publishers);
  keys.current = await directory.keys(job.accounts, job.kind === 'prices' ? options.seed : undefined);
  const tally = new Tally();
  const view = new RunView({ job, tally, quiet: options.quiet });
  const { signal } = controller;
  try {
    const supervisor = await Supervisor.start(
      {
        directory,
        keys: keys.current,
        kind: job.kind,
        port: options.port,
        l1: options.l1,
        chain: job.chain,
        markets: job.markets,
        windowSeconds: WINDOW_SECONDS,
        carrier: options.carrier,
        clockStartMs: job.clockStartMs,
        l1StartSeconds: job.l1StartSeconds,
        say: (phrase) => view.say(phrase),
      },
      signal,
    );
    void supervisor.failed.then((sentence) => controller.abort(new RoleError(sentence)));
    try {
      view.watch(supervisor);
      view.say('depositing');
      const identities = await fundAccounts(
        supervisor,
        keys.current.accounts.slice(0, job.accounts).map((key) => keySigner(key)),
        job.funding,
        signal,
      );
      const report = await runJob({ job, options, supervisor, identities, tally, view, signal });
      view.close();
      if (options.report !== undefined) await writeReport(options.report, report);
      process.stdout.write(`${summaryOf(report)}\n`);
      if (!report.complete) return EXIT_INTERRUPTED;
      return report.problems.length === 0 ? 0 : EXIT_FAILED;
    } finally {
      view.close();
      await supervisor.stop();
    }
  } finally {
    view.close();
  }
}

interface Running {
  readonly job: Job;
  readonly options: DemoOptions;
  readonly supervisor: Supervisor;
  readonly identities: Parameters<typeof withdrawAll>[1];
  readonly tally: Tally;
  readonly view: RunView;
  readonly signal: AbortSignal;
}

/** The job, and its orderly end; after Ctrl-C the report says how far it came. */
async function runJob(running: Running): Promise<DemoReport> {
  const { job, supervisor, view, signal } = running;
  let replay: ReplayVerdict | undefined;
  const withdrawals = { requested: 0, paid: 0 };
  const context = { ...running, say: (phrase: string) => view.say(phrase) };
  try {
    ({ replay } = await job.run(context));
    const wait = { url: supervisor.url, signal, vitals: () => supervisor.vitals() };
    view.say('waiting until every batch is final');
    await untilFinalAndVerified((await supervisor.vitals()).journal.durableSeq, wait);
    view.say('withdrawing');
    const requested =
      job.withdrawShare === 0 ? [] : await withdrawAll(supervisor.url, running.identities, job.withdrawShare);
    withdrawals.requested = requested.length;
    if (requested.length > 0) {
      await untilFinalAndVerified(Math.max(...requested.map(({ seq }) => seq)), wait);
      view.say('paying on L1');
      withdrawals.paid = (await payAll(supervisor.url, supervisor.l1, supervisor.rollup, requested)).paid;
    }
    return await reportOf(running, { replay, withdrawals, complete: true });
  } catch (error) {
    if (error instanceof Interrupted) return reportOf(running, { replay, withdrawals, complete: false });
    throw error;
  }
}

async function reportOf(
  { job, options, supervisor, tally, view }: Running,
  outcome: {
    readonly replay: ReplayVerdict | undefined;
    readonly withdrawals: { requested: number; paid: number };
    readonly complete: boolean;
  },
): Promise<DemoReport> {
  const vitals: Vitals = await supervisor.vitals();
  const { verifier, submitter } = vitals;
  const micros = tally.orderToReply;
  const report = {
    kind: job.kind,
    seed: options.seed,
    seconds: Math.round(view.seconds),
    orders: {
      sent: tally.sent,
      accepted: tally.accepted,
      rejected: tally.rejected,
      canceled: tally.canceled,
    },
    fills: tally.fills,
    latencyUs: {
      orderToReply: {
        p50: micros.percentile(0.5),
        p99: micros.percentile(0.99),
        p999: micros.percentile(0.999),
      },
    },
    throughput: { ordersPerSecond: tally.seconds === 0 ? 0 : Math.round(tally.sent / tally.seconds) },
    journal: {
      records: vitals.journal.records,
      bytes: vitals.journal.bytes,
      flushes: vitals.journal.flushes,
    },
    batches: { ...vitals.batches, struck: view.struck },
    l1: {
      transactions: submitter.transactions,
      gas: submitter.gas,
      calldataBytes: submitter.calldataBytes,
      blobBytes: submitter.blobs * BLOB_BYTES,
    },
    verifier: {
      steps: verifier.steps,
      mismatches: verifier.mismatches,
      batches: verifier.verified,
      stateRoot: verifier.head.stateRoot,
      seq: verifier.head.seq,
    },
    withdrawals: outcome.withdrawals,
    conservation: await compareBooks(supervisor.l1, supervisor.rollup, verifier.ledger),
    ...(outcome.replay === undefined ? {} : { replay: outcome.replay }),
    complete: outcome.complete,
  };
  return { ...report, problems: problemsOf(report) };
}
