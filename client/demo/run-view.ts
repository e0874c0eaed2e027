/** Keeps the status screen of a run: asks the roles how they are, and turns totals into rates. */
import type { Job } from './job.ts';
import { type ScreenView, StatusScreen } from './status-screen.ts';
import type { Supervisor } from './supervisor.ts';
import type { Tally } from './tally.ts';
import type { Vitals } from './vitals.ts';

const INTERVAL_MS = 1_000;

export class RunView {
  /** Batches that L1 had committed and has no more. */
  struck = 0;
  private readonly job: Job;
  private readonly tally: Tally;
  private readonly screen: StatusScreen | undefined;
  private readonly startedAt = performance.now();
  private supervisor: Supervisor | undefined;
  private vitals: Vitals | undefined;
  private activity = 'starting';
  private committedMost = 0;
  private last = { at: performance.now(), sent: 0, fills: 0 };
  private timer: NodeJS.Timeout | undefined;

  constructor(options: { job: Job; tally: Tally; quiet: boolean }) {
    this.job = options.job;
    this.tally = options.tally;
    this.screen = options.quiet ? undefined : new StatusScreen();
  }

  get seconds(): number {
    return (performance.now() - this.startedAt) / 1_000;
  }

  /** What is going on. Before the processes are up each phrase is told at once. */
  say(phrase: string): void {
    this.activity = phrase;
    if (this.supervisor === undefined) this.screen?.say(`${phrase} …`);
  }

  watch(supervisor: Supervisor): void {
    this.supervisor = supervisor;
    this.timer = setInterval(() => void this.look(), INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.timer);
    if (this.timer !== undefined) this.screen?.close();
    this.timer = undefined;
  }

  private async look(): Promise<void> {
    const { supervisor } = this;
    if (supervisor === undefined) return;
    try {
      this.vitals = await supervisor.vitals();
    } catch {
      // A role that has ended ends the run by itself; one that is busy is asked again.
      return;
    }
    const { committed } = this.vitals.batches;
    this.committedMost = Math.max(this.committedMost, committed);
    this.struck = Math.max(this.struck, this.committedMost - committed);
    if (this.timer !== undefined) this.screen?.show(this.view(supervisor, this.vitals));
  }

  private view(supervisor: Supervisor, vitals: Vitals): ScreenView {
    const { tally } = this;
    const now = performance.now();
    const elapsed = Math.max(0.001, (now - this.last.at) / 1_000);
    const { interval } = tally;
    const view: ScreenView = {
      title: this.job.title,
      places: [
        ['WebSocket', supervisor.url],
        ['HTTP', `${supervisor.httpUrl}/status`],
        ['L1', supervisor.l1Url],
        ['rollup', supervisor.rollup.rollup],
      ],
      seconds: this.seconds,
      ordersPerSecond: (tally.sent - this.last.sent) / elapsed,
      fillsPerSecond: (tally.fills - this.last.fills) / elapsed,
      orders: { sent: tally.sent, rejected: tally.rejected },
      fills: tally.fills,
      orderToReply: { p50: interval.percentile(0.5), p99: interval.percentile(0.99) },
      journal: { records: vitals.journal.durableSeq, bytes: vitals.journal.bytes },
      batches: { ...vitals.batches, verified: vitals.verifier.verified },
      l1:
        vitals.batches.committed === 0
          ? undefined
          : {
              gasPerBatch: vitals.submitter.gas / vitals.batches.committed,
              bytesPerBatch: vitals.submitter.calldataBytes / vitals.batches.committed,
            },
      verdict: vitals.verifier.verdict,
      activity: vitals.submitter.alerts[0]?.message ?? this.activity,
    };
    interval.clear();
    this.last = { at: now, sent: tally.sent, fills: tally.fills };
    return view;
  }
}
