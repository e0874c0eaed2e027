/**
 * What a run looks like while it goes: one screen redrawn in place on a terminal, one line every few seconds
 * elsewhere, nothing when it is to be quiet.
 */
import { createLogUpdate } from 'log-update';

/** Everything that is shown. Undefined: not known yet. */
export interface ScreenView {
  readonly title: string;
  /** Where to connect, in this order. */
  readonly places: readonly (readonly [name: string, address: string])[];
  readonly seconds: number;
  readonly ordersPerSecond: number;
  readonly fillsPerSecond: number;
  readonly orders: { readonly sent: number; readonly rejected: number };
  readonly fills: number;
  /** Microseconds, of the last interval. */
  readonly orderToReply: { readonly p50: number; readonly p99: number };
  readonly journal: { readonly records: number; readonly bytes: number } | undefined;
  readonly batches: {
    readonly signed: number;
    readonly committed: number;
    readonly verified: number;
    readonly final: number;
  };
  readonly l1: { readonly gasPerBatch: number; readonly bytesPerBatch: number } | undefined;
  /** One sentence. */
  readonly verdict: string;
  /** What is going on, or how far a replay is. */
  readonly activity: string;
}

export interface Output {
  readonly isTerminal: boolean;
  write(text: string): void;
}

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const count = (value: number): string => number.format(value);

/** 1,234 µs, 12.3 ms, 1.2 s; 0, as of nothing measured: -. */
export function shortTime(microseconds: number): string {
  if (microseconds === 0) return '-';
  if (microseconds < 10_000) return `${count(microseconds)} µs`;
  if (microseconds < 1_000_000) return `${(microseconds / 1_000).toFixed(1)} ms`;
  return `${(microseconds / 1_000_000).toFixed(1)} s`;
}

/** 512 B, 1.5 KiB, 3.2 MiB. */
export function shortBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const [divisor, unit] = bytes < 1_048_576 ? [1_024, 'KiB'] : [1_048_576, 'MiB'];
  return `${(bytes / divisor!).toFixed(1)} ${unit}`;
}

const clock = (seconds: number): string => {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(whole / 3_600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
};

/** The whole screen, lines without a line break at the end. */
export function screenText(view: ScreenView): string {
  const { batches, journal, l1 } = view;
  const rows: (readonly [string, string])[] = [
    ['running', `${clock(view.seconds)}   ${view.activity}`],
    [
      'orders',
      `${count(view.ordersPerSecond)}/s   ${count(view.orders.sent)} sent, ${count(view.orders.rejected)} rejected`,
    ],
    ['fills', `${count(view.fillsPerSecond)}/s   ${count(view.fills)} in all`],
    ['order → reply', `p50 ${shortTime(view.orderToReply.p50)}   p99 ${shortTime(view.orderToReply.p99)}`],
    [
      'journal',
      journal === undefined ? '-' : `command ${count(journal.records)}   ${shortBytes(journal.bytes)}`,
    ],
    [
      'batches',
      `signed ${batches.signed}   committed ${batches.committed}   verified ${batches.verified}   final ${batches.final}`,
    ],
    [
      'L1 per batch',
      l1 === undefined ? '-' : `${count(l1.gasPerBatch)} gas   ${shortBytes(Math.round(l1.bytesPerBatch))}`,
    ],
    ['verifier', view.verdict],
    ...view.places,
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    view.title,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
    '  Ctrl-C ends',
  ].join('\n');
}

/** The same in one line. */
export function lineText(view: ScreenView): string {
  const { batches } = view;
  return [
    clock(view.seconds),
    `${count(view.ordersPerSecond)} orders/s`,
    `${count(view.fillsPerSecond)} fills/s`,
    `p50 ${shortTime(view.orderToReply.p50)} p99 ${shortTime(view.orderToReply.p99)}`,
    `journal ${view.journal === undefined ? '-' : count(view.journal.records)}`,
    `batches ${batches.signed}/${batches.committed}/${batches.verified}/${batches.final}`,
    view.l1 === undefined
      ? 'L1 -'
      : `L1 ${count(view.l1.gasPerBatch)} gas ${shortBytes(Math.round(view.l1.bytesPerBatch))} a batch`,
    `verifier ${view.verdict}`,
    view.activity,
  ].join(' | ');
}

/** Between two lines where the output is no terminal. */
const LINE_MS = 5_000;

export class StatusScreen {
  private readonly output: Output;
  private readonly redraw: ((text: string) => void) | undefined;
  private readonly finish: () => void;
  private lineAt = 0;
  private placesTold = false;

  constructor(output: Output = standardOutput()) {
    this.output = output;
    if (!output.isTerminal) {
      this.finish = () => {};
      return;
    }
    const draw = createLogUpdate(process.stdout, { showCursor: true });
    this.redraw = draw;
    this.finish = () => draw.done();
  }

  /** Text that stays. */
  say(sentence: string): void {
    this.finish();
    this.output.write(`${sentence}\n`);
  }

  show(view: ScreenView): void {
    if (this.redraw !== undefined) {
      this.redraw(screenText(view));
      return;
    }
    if (!this.placesTold) {
      this.placesTold = true;
      this.output.write(`${view.title}\n`);
      for (const [name, address] of view.places) this.output.write(`${name}: ${address}\n`);
    }
    const now = performance.now();
    if (this.lineAt !== 0 && now - this.lineAt < LINE_MS) return;
    this.lineAt = now;
    this.output.write(`${lineText(view)}\n`);
  }

  /** The last screen stays where it is. */
  close(): void {
    this.finish();
  }
}

export const standardOutput = (): Output => ({
  isTerminal: process.stdout.isTTY === true,
  write: (text) => {
    process.stdout.write(text);
  },
});
